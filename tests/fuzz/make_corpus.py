"""Writes the corpus: ``python -m tests.fuzz.make_corpus``. A few small valid inputs a target.

What fuzzing found lies beside them, under a name that says what it was.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np

import deepkit
from tests.fuzz import edits, targets

CORPUS = Path(__file__).parent / "corpus"


def write(name: str, inputs: dict[str, bytes]) -> None:
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    for key, data in inputs.items():
        (folder / key).write_bytes(data)


def _saved(name: str, fitted: bool = False) -> bytes:
    deepkit.utils.set_random_seed(1)
    model = targets.small_model()
    if fitted:
        model.fit(np.ones((4, 2), "float32"), np.ones((4, 2), "float32"), verbose=0)
    path = Path(targets.folder()) / name
    (model.save_weights if ".weights." in name or name.endswith(".safetensors") else model.save)(path)
    return path.read_bytes()


def main() -> None:
    weights = _saved("a.weights.h5")
    write("weights_h5", {"model": weights})
    write("file_editor", {"model": weights})
    write("keras_file", {"model": _saved("a.keras")})
    write("h5_file", {"model": _saved("a.h5")})
    write("safetensors", {"model": _saved("a.safetensors"), "empty": struct.pack("<Q", 2) + b"{}"})
    index = {"metadata": {"total_size": 1}, "weight_map": {"/layers/dense/vars": "x_00000.weights.h5"}}
    write("sharded_index", {"index": json.dumps(index).encode()})
    small = {"class_name": "Sequential", "config": {"name": "s", "layers": [
        {"class_name": "InputLayer", "config": {"batch_shape": [None, 2], "name": "i"}},
        {"class_name": "Dense", "config": {"units": 2, "name": "d"}}]}}  # fmt: skip
    write("config_text", {
        "small": json.dumps(small).encode(),
        "model": targets.small_model().to_json().encode(),
        "graph": json.dumps(edits.bases()[2]).encode(),
    })  # fmt: skip
    write("config_edits", {f"{i}": bytes([i, 0]) + bytes(range(i * 10, i * 10 + 30)) for i in range(8)})
    out = io.BytesIO()
    np.savez_compressed(out, x=np.arange(6, dtype="uint8").reshape(2, 3), y=np.ones(2))
    lists = np.empty(2, object)
    lists[:] = [[1, 2], [3]]
    ragged = io.BytesIO()
    np.savez(ragged, x=lists)
    write("npz", {"plain": out.getvalue(), "ragged": ragged.getvalue()})
    write("idx", {"one": b"\0\0\x08\x01\0\0\0\x03abc", "two": b"\0\0\x08\x02\0\0\0\x02\0\0\0\x02abcd"})
    values = {b"data": np.arange(6, dtype="uint8").reshape(2, 3), b"labels": [1, 2], "n": (1.5, None, True)}
    write("plain_pickle", {f"protocol{p}": pickle.dumps(values, p) for p in (0, 2, 4)})
    tar, packed = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive, zipfile.ZipFile(packed, "w") as other:
        for name in ("a.txt", "b/c.txt"):
            info = tarfile.TarInfo(name)
            info.size = 2
            archive.addfile(info, io.BytesIO(b"hi"))
            other.writestr(name, b"hi")
    write("archive", {"tar": tar.getvalue()[:4096], "zip": packed.getvalue()})


if __name__ == "__main__":
    main()

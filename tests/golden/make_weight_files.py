"""Exchanges weights with real Keras and the safetensors package, in an environment that has both and h5py:
``KERAS_BACKEND=jax python tests/golden/make_weight_files.py``.

First theirs read what this package writes, which raises if anything differs. Then weight_files.zip is written, with
what they write.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import zipfile
from pathlib import Path

import keras
import numpy as np
import safetensors.numpy

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
import weight_file_cases as cases  # noqa: E402

import deepkit  # noqa: E402
from deepkit.saving.safetensors import write_tensors  # noqa: E402


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> None:
    assert sorted(a) == sorted(b), (sorted(a), sorted(b))
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], name, strict=True)


def check() -> None:
    for dtype in ("float32", "bfloat16"):
        mine = cases.model(deepkit, dtype=dtype)
        mine.save_weights("d.weights.json", max_shard_size=cases.SHARD)
        mine.save_weights("d.weights.h5")
        mine.save("d", zipped=False)
        for name in ("d.weights.json", "d.weights.h5"):
            theirs = cases.model(keras, 1, dtype=dtype)
            theirs.load_weights(name)
            same(cases.state(theirs), cases.state(mine))
        same(cases.state(keras.saving.load_model("d")), cases.state(mine))
    mine = cases.model(deepkit)
    mine.save_weights("d.safetensors")
    more = {"layers/dropout/seed_generator/vars/0": mine.layers[3].seed_generator.state.numpy()}
    same(safetensors.numpy.load_file("d.safetensors"), {**cases.named(mine), **more})
    arrays = cases.arrays()
    for metadata in (None, cases.METADATA):
        with open("a.safetensors", "wb") as file:
            specs = {name: (a.dtype.name, a.shape) for name, a in arrays.items()}
            write_tensors(file, specs, arrays.items(), metadata)
        same(safetensors.numpy.load_file("a.safetensors"), arrays)
        with safetensors.safe_open("a.safetensors", "np") as file:
            assert file.metadata() == metadata, file.metadata()
    print("read what deepkit wrote:", sorted(os.listdir(".")))


def make(target: Path) -> None:
    model = cases.model(keras)
    model.save_weights("k.weights.json", max_shard_size=cases.SHARD)
    model.save("k", zipped=False)
    weights = cases.named(model)
    safetensors.numpy.save_file(weights, "k.safetensors")
    safetensors.numpy.save_file(cases.arrays(), "arrays.safetensors", cases.METADATA)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **cases.state(model))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(Path().rglob("*")):
            if path.is_file() and (path.parts[0][0] == "k" or path.name.startswith("arrays")):
                archive.write(path)
        archive.writestr("state.npz", buffer.getvalue())
        cases.model(keras, dtype="bfloat16").save_weights("bf.weights.h5")
        archive.write("bf.weights.h5")
    print(target, target.stat().st_size)


target = Path(__file__).parent.resolve() / "weight_files.zip"
with tempfile.TemporaryDirectory() as scratch:
    os.chdir(scratch)
    check()
    make(target)
    os.chdir("/")

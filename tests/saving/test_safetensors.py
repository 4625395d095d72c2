"""``.safetensors`` files: those of the format's own package, and malformed ones."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deepkit
from deepkit.saving.safetensors import MAX_HEADER, TensorFile, write_tensors
from tests.golden import weight_file_cases as cases

GOLDEN = Path(__file__).parents[1] / "golden" / "weight_files.zip"


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    with zipfile.ZipFile(GOLDEN) as archive:
        archive.extractall(tmp_path)
    return tmp_path


def written(arrays: dict[str, np.ndarray], metadata: dict[str, str] | None = None) -> bytes:
    file = io.BytesIO()
    write_tensors(file, {n: (a.dtype.name, a.shape) for n, a in arrays.items()}, arrays.items(), metadata)
    return file.getvalue()


def test_arrays_of_the_package(golden: Path) -> None:
    wanted = cases.arrays()
    with TensorFile(golden / "arrays.safetensors") as file:
        assert sorted(file.names()) == sorted(wanted) and file.metadata == cases.METADATA
        for name, values in wanted.items():
            assert file.spec(name) == (values.dtype.name, values.shape)
            np.testing.assert_array_equal(file.read(name), values, strict=True)


def test_the_same_bytes_as_the_package(golden: Path) -> None:
    theirs = (golden / "arrays.safetensors").read_bytes()
    mine = written(cases.arrays(), cases.METADATA)

    def parts(data: bytes) -> tuple[Any, bytes]:
        end = 8 + int.from_bytes(data[:8], "little")
        return json.loads(data[8:end]), data[end:]

    assert parts(mine) == parts(theirs)
    assert int.from_bytes(mine[:8], "little") % 8 == 0


def test_weights_of_keras(golden: Path) -> None:
    model = cases.model(deepkit)
    model.load_weights(golden / "k.safetensors")
    wanted = np.load(golden / "state.npz")
    for name, values in cases.state(model).items():
        np.testing.assert_array_equal(values, wanted[name])


def test_bfloat16(tmp_path: Path) -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    values = np.array([1.5, -2, np.inf]).astype(ml_dtypes.bfloat16)
    (tmp_path / "x").write_bytes(written({"a": values}))
    assert b'"BF16"' in (tmp_path / "x").read_bytes()
    with TensorFile(tmp_path / "x") as file:
        np.testing.assert_array_equal(file.read("a"), values, strict=True)


def test_arrays_in_any_order_and_layout(tmp_path: Path) -> None:
    base = np.arange(12.0).reshape(3, 4)
    arrays = {"t": base.T, "strided": base[:, ::2], "big": base.astype(">f8"), "f": np.asfortranarray(base)}
    (tmp_path / "x").write_bytes(written(dict(reversed(arrays.items()))))
    with TensorFile(tmp_path / "x") as file:
        for name, values in arrays.items():
            np.testing.assert_array_equal(file.read(name), values)


def test_what_cannot_be_written() -> None:
    for arrays in ({"a": np.zeros(2, "complex128")}, {"a": np.array(["x"])}, {"__metadata__": np.zeros(2)}):
        with pytest.raises(ValueError, match="safetensors"):
            written(arrays)
    with pytest.raises(ValueError, match="declared"):
        write_tensors(io.BytesIO(), {"a": ("float32", (2,))}, [("a", np.zeros(3, "float32"))])
    with pytest.raises(ValueError, match="declared"):
        write_tensors(io.BytesIO(), {"a": ("float32", (2,))}, [])


def entry(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8), **more: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


def packed(header: Any, data: bytes = bytes(8), length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


MALFORMED = {
    "empty": (b"", "0 bytes"),
    "no length": (bytes(7), "7 bytes"),
    "no header": (bytes(8), "begin"),
    "length too large": (packed(b"{}", b"", MAX_HEADER + 1), "more than the 100000000"),
    "length of a lie": (packed(b"{}", b"", 2**63 + 5), "more than the 100000000"),
    "cut off": (packed({"a": entry()}, b"", 500), "500 bytes, of which"),
    "no JSON": (packed(b"{'a'}"), "malformed"),
    "a list": (packed(b"[1]"), "begin"),
    "space first": (packed(b' {"a":1}'), "begin"),
    "not UTF-8": (packed(b'{"\xff":1}'), "malformed"),
    "deep": (packed(b'{"a":' + b"[" * 100_000), "malformed"),
    "NaN": (packed(b'{"a":NaN}'), "NaN"),
    "huge number": (packed(b'{"a":' + b"9" * 10_000 + b"}"), "malformed"),
    "twice": (packed(b'{"a":%b,"a":%b}' % ((json.dumps(entry()).encode(),) * 2)), "'a' is in it twice"),
    "too many": (packed(b'{"a":[' + b"{}," * 1_000_010 + b"1]}"), "more than 1000000"),
    "metadata of numbers": (packed({"__metadata__": {"a": 1}}, b""), "__metadata__"),
    "metadata of none": (packed({"__metadata__": [1]}, b""), "__metadata__"),
    "no entry": (packed({"a": 5}), "no dictionary"),
    "no dtype": (packed({"a": {"shape": [2], "data_offsets": [0, 8]}}), "dtype None"),
    "dtype": (packed({"a": entry("F33")}), "dtype 'F33'"),
    "dtype a list": (packed({"a": entry(["F32"])}), "dtype"),
    "no shape": (packed({"a": entry(shape=None)}), "shape None"),
    "negative": (packed({"a": entry(shape=[-2, -1])}), "shape"),
    "float shape": (packed({"a": entry(shape=[2.0])}), "shape"),
    "bool shape": (packed({"a": entry(shape=[2, True])}), "shape"),
    "rank": (packed({"a": entry(shape=[1] * 65)}), "shape"),
    "overflow": (packed({"a": entry(shape=[2**62, 2**62])}), "too large"),
    "overflow with zero": (packed({"a": entry(shape=[0, 2**62, 2**62], offsets=[0, 0])}, b""), "too large"),
    "huge dimension": (packed({"a": entry(shape=[2**64])}), "shape"),
    "one offset": (packed({"a": entry(offsets=[8])}), "data_offsets"),
    "negative offset": (packed({"a": entry(offsets=[-8, 0])}), "data_offsets"),
    "backwards": (packed({"a": entry(offsets=[8, 0])}), "needs 8 bytes"),
    "wrong size": (packed({"a": entry(offsets=[0, 7])}, bytes(7)), "needs 8 bytes"),
    "hole first": (packed({"a": entry(offsets=[8, 16])}, bytes(16)), "hole"),
    "hole": (packed({"a": entry(), "b": entry(offsets=[9, 17])}, bytes(17)), "hole"),
    "overlap": (packed({"a": entry(), "b": entry(offsets=[4, 12])}, bytes(12)), "overlaps"),
    "the same place": (packed({"a": entry(), "b": entry()}), "overlaps"),
    "empty in the middle": (packed({"a": entry(), "b": entry(shape=[0], offsets=[4, 4])}), "hole|overlaps"),
    "bytes left": (packed({"a": entry()}, bytes(9)), "8 bytes together, the file has 9"),
    "bytes missing": (packed({"a": entry()}, bytes(7)), "8 bytes together, the file has 7"),
    "too far": (packed({"a": entry(shape=[2**40], offsets=[0, 2**42])}), "together"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str, tmp_path: Path) -> None:
    data, reason = MALFORMED[name]
    path = tmp_path / "bad.safetensors"
    path.write_bytes(data)
    model = cases.model(deepkit)
    before = cases.state(model)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=rf"bad\.safetensors is no readable .*({reason})") as caught:
            model.load_weights(path)
        assert tracemalloc.get_traced_memory()[1] < 20 * len(data) + (2 << 20)
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 2000
    for key, values in cases.state(model).items():
        np.testing.assert_array_equal(values, before[key])


def test_what_the_format_allows(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(packed(b"{}  ", b""))
    with TensorFile(path) as file:
        assert file.names() == [] and file.metadata == {}
    empty = entry(shape=[0, 5], offsets=[8, 8])
    path.write_bytes(packed({"a": entry(more=1), "b": empty, "c": entry(shape=[], offsets=[8, 12])}, bytes(12)))
    with TensorFile(path) as file:
        assert {n: file.read(n).shape for n in file.names()} == {"a": (2,), "b": (0, 5), "c": ()}


def test_file_that_shrinks(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(written({"a": np.zeros(100_000)}))
    with TensorFile(path) as file:
        with open(path, "r+b") as same:
            same.truncate(path.stat().st_size - 1)
        with pytest.raises(ValueError, match="ends within 'a'"):
            file.read("a")


def test_memory(tmp_path: Path) -> None:
    """One variable at a time is on the way; nothing holds the file."""
    deepkit.utils.set_random_seed(0)
    model = deepkit.Sequential([deepkit.Input((500,)), *(deepkit.layers.Dense(500) for _ in range(10))])
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    size = 500 * 500 * 4
    tracemalloc.start()
    try:
        model.save_weights(tmp_path / "m.safetensors")
        assert tracemalloc.get_traced_memory()[1] < 3 * size
        tracemalloc.reset_peak()
        with TensorFile(tmp_path / "m.safetensors") as file:
            for name in file.names():
                file.read(name)
        assert tracemalloc.get_traced_memory()[1] < 3 * size
    finally:
        tracemalloc.stop()

"""Forged data files: a clear ValueError, nothing executed, memory bounded."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from deepkit.datasets.cifar import load_batch
from deepkit.datasets.npz import load_idx, load_npz
from deepkit.datasets.plain_pickle import load_plain


class Calls:
    """Pickles as a call of ``function(*args)``."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


GADGETS = {
    "os.system": Calls(os.system, "touch executed"),
    "eval": Calls(eval, "open('executed', 'w')"),
    "getattr": Calls(getattr, "text", "upper"),
    "open": Calls(io.open, "executed", "w"),
    "numpy.load": Calls(np.load, "x"),
    "inner": {"data": [Calls(os.system, "touch executed")]},
    "a class of numpy": np.random.RandomState(1),
    "scalar": np.float64(1),
    "complex array": np.ones(2, complex),
    "record array": np.ones(2, [("a", int)]),
    "text array": np.array(["a"]),
    "set": {1, 2},
}


@pytest.mark.parametrize("protocol", [0, 2, 5])
@pytest.mark.parametrize("name", GADGETS)
def test_gadgets_in_a_pickle_stream(tmp_path, monkeypatch, name, protocol):
    monkeypatch.chdir(tmp_path)
    stream = io.BytesIO(pickle.dumps(GADGETS[name], protocol))
    if name == "set" and protocol == 5:  # plain data with an opcode of its own
        assert load_plain(stream) == {1, 2}
        return
    with pytest.raises(ValueError):
        load_plain(stream)
    assert not os.path.exists("executed")


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.uint8).reshape(2, 3),
        np.arange(6.0).reshape(2, 3).T,
        np.arange(3, dtype=">i4"),
        np.array([True, False]),
        np.ones((2, 1, 2), np.float32),
    ],
)
def test_plain_arrays_are_read(array, protocol):
    stream = io.BytesIO(pickle.dumps({"x": array, "n": [1, 2]}, protocol))
    if protocol == 5:  # numpy.core.numeric._frombuffer: no data set is that new
        with pytest.raises(ValueError, match="must not name"):
            load_plain(stream)
        return
    result = load_plain(stream)
    assert result["n"] == [1, 2] and result["x"].dtype == array.dtype
    np.testing.assert_array_equal(result["x"], array)


def array_stream(shape, data, code="u1", order="|"):
    """A stream that builds one array with the given state, whatever its sense."""
    state = (1, shape, "DTYPE", False, data)
    inner = pickle.dumps(state, 2)[2:-1]
    dtype = (
        b"cnumpy\ndtype\n"
        + pickle.dumps((code, 0, 1), 2)[2:-1]
        + b"R"
        + pickle.dumps((3, order), 2)[2:-1]
        + b"b"
    )
    marker = pickle.dumps("DTYPE", 2)[2:-1].rstrip(b"q\x00\x01\x02")
    at = inner.index(marker)
    end = inner.index(b"q", at) + 2
    make = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR"
    return b"\x80\x02" + make + inner[:at] + dtype + inner[end:] + b"b."


@pytest.mark.parametrize(
    "shape, data, code",
    [
        ((10**15,), "x", "u1"),
        ((-1,), "", "u1"),
        ((2,), "xxx", "u1"),
        ((10**9, 0, 10**9), "x", "u1"),
        ((2.5,), "xx", "u1"),
        ((1,), "x" * 8, "O"),
        ((1,), "x" * 16, "c16"),
        ((2, 2), [1, 2, 3, 4], "O"),
        ((10**12,), [1], "O"),
    ],
)
def test_odd_array_states(shape, data, code):
    with pytest.raises(ValueError):
        load_plain(io.BytesIO(array_stream(shape, data, code)))


def test_array_stream_is_sound():
    np.testing.assert_array_equal(load_plain(io.BytesIO(array_stream((2,), "ab"))), [97, 98])


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"\x80",
        b"\x80\x02",
        b".",
        b"junk",
        b"\x80\x02cnumpy\nndarray\n)R.",
        b"\x80\x02cnumpy\ndtype\n}(U\x01aK\x01ub.",
    ],
    ids=range(7),
)
def test_damaged_streams(stream):
    with pytest.raises(ValueError):
        load_plain(io.BytesIO(stream))


def npy(shape, data, descr="'|u1'"):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def make_npz(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return path


@pytest.mark.parametrize(
    "member, ragged",
    [
        (npy("(10**12,)".replace("10**12", str(10**12)), b"x"), False),
        (npy(f"({10**9},)", b"x"), False),
        (npy("(4,)", b"xxx"), False),
        (npy("(-4,)", b"xxxx"), False),
        (npy(f"({2**62}, 8)", b"xxxx", "'<f8'"), False),
        (npy("(1,)", b"x", "'|O'"), False),
        (npy("(1,)", pickle.dumps(Calls(os.system, "touch executed")), "'|O'"), True),
        (npy("(1,)", pickle.dumps([1]), "'|O'"), True),
        (npy("(2,)", pickle.dumps(np.fromiter([[1]], object, 1), 2), "'|O'"), True),
        (npy("(1,)", pickle.dumps(np.fromiter([["text"]], object, 1), 2), "'|O'"), True),
        (npy("(1,)", pickle.dumps(np.fromiter([{}], object, 1), 2), "'|O'"), True),
        (b"no npy", False),
        (b"", False),
    ],
    ids=range(13),
)
def test_forged_npz(tmp_path, monkeypatch, member, ragged):
    monkeypatch.chdir(tmp_path)
    path = make_npz(tmp_path / "a.npz", x=member)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"a\.npz can't be read"):
        load_npz(path, "x", ragged=ragged)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6
    assert not os.path.exists("executed")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_npz_members(tmp_path):
    path = make_npz(tmp_path / "a.npz", x=npy("(2,)", b"ab"))
    assert load_npz(path, "x")[0].tolist() == [97, 98]
    with pytest.raises(ValueError, match="one array 'y'"):
        load_npz(path, "x", "y")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x.npy", npy("(2,)", b"cd"))
    with pytest.raises(ValueError, match="one array 'x'"):
        load_npz(path, "x")
    path.write_bytes(b"no zip")
    with pytest.raises(ValueError, match="can't be read"):
        load_npz(path, "x")


@pytest.mark.parametrize(
    "array", [np.zeros((0, 3)), np.arange(6.0).reshape(2, 3).T, np.float32(3.0), np.arange(3, dtype=">i8")]
)
def test_npz_of_numpy(tmp_path, array):
    np.savez_compressed(tmp_path / "a.npz", x=array)
    result = load_npz(tmp_path / "a.npz", "x")[0]
    np.testing.assert_array_equal(result, array)
    assert result.dtype == np.asarray(array).dtype and result.shape == np.shape(array)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\x08",
        b"\0\0\x0d\x01\0\0\0\x01x",
        b"\0\0\x08\x01\0\0\0\x02x",
        b"\0\0\x08\x03" + b"\xff" * 12,
        b"\0\0\x08\x09",
        b"\0\0\x08\x01\x3f\xff\xff\xffx",
    ],
    ids=range(7),
)
def test_forged_idx(tmp_path, data):
    with gzip.open(tmp_path / "a.gz", "wb") as file:
        file.write(data)
    with pytest.raises(ValueError, match=r"a\.gz can't be read"):
        load_idx(tmp_path / "a.gz")


def test_idx_that_is_no_gzip(tmp_path):
    (tmp_path / "a.gz").write_bytes(b"no gzip")
    with pytest.raises(ValueError, match="can't be read"):
        load_idx(tmp_path / "a.gz")


@pytest.mark.parametrize(
    "content", [{}, {b"data": 1, b"labels": [1]}, {b"data": np.zeros((1, 5), np.uint8), b"labels": [1]}, [1]]
)
def test_odd_cifar_batch(tmp_path, content):
    (tmp_path / "batch").write_bytes(pickle.dumps(content, 2))
    with pytest.raises(ValueError, match="no CIFAR batch"):
        load_batch(str(tmp_path / "batch"))

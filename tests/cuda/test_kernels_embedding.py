"""Rows looked up and summed up at repeated places, and the sort in front of that, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from .launching import DTYPES, blank, close, columns, elements, module, needs_emulator, run

pytestmark = needs_emulator

PIECE, TILE = 64, 2048
INTEGERS = [np.dtype(np.int32), np.dtype(np.int64)]


@pytest.fixture(params=[*DTYPES, *INTEGERS], ids=str)
def dtype(request):
    return request.param


def launch(name, shape, *args, order):
    module("sort", order).launch(name, *shape, [np.int64(a) if type(a) is int else a for a in args])


def a_pass(rows, before, shift, order):
    """One pass of the sort."""
    n = rows.size
    blocks = max(-(-n // TILE), 1)
    counts = blank(256 * blocks, np.int64)
    launch("sort_count", ((blocks,), (256,)), rows, counts, n, shift, order=order)
    digits = (rows >> shift) & 255
    tiles = np.arange(n) // TILE
    expected = np.zeros((256, blocks), np.int64)
    np.add.at(expected, (digits, tiles), 1)
    np.testing.assert_array_equal(counts.reshape(256, blocks), expected)
    launch("sort_offsets", ((1,), (128,)), counts, counts.size, order=order)
    np.testing.assert_array_equal(counts, np.concatenate([[0], np.cumsum(expected)[:-1]]))
    out, places = blank(n, np.int64), blank(n, np.int64)
    launch("sort_place", ((blocks,), (256,)), rows, before, counts, out, places, n, shift, order=order)
    return out, places


@pytest.mark.parametrize("n", [1, 31, 2048, 4500])
@pytest.mark.parametrize("most", [1, 7, 300, 1 << 40])
def test_sorting_keeps_equal_numbers_in_place(n, most, order):
    rows, places = np.random.default_rng(0).integers(0, most, n) ** 2 % most, None
    wanted = np.argsort(rows, kind="stable")
    original = rows
    for shift in range(0, max((most - 1).bit_length(), 1), 8):
        rows, places = a_pass(rows, places, shift, order)
    np.testing.assert_array_equal(places, wanted)
    np.testing.assert_array_equal(rows, original[wanted])


@pytest.mark.parametrize("kind", INTEGERS, ids=str)
def test_indices_as_row_numbers(kind, order):
    index, rows = np.array([0, 4, 5, -1, -5, -6, 3, np.iinfo(kind).min, np.iinfo(kind).max], kind), blank(9, np.int64)
    run("sort", "sort_rows", elements(9), index, rows, 9, 5, order=order)
    np.testing.assert_array_equal(rows, [0, 4, 5, 4, 0, 5, 3, 5, 5])


@pytest.mark.parametrize("kind", INTEGERS, ids=str)
@pytest.mark.parametrize("unit", ["u1", "u2", "u4", "i8", "c16"])
def test_take(unit, kind, order):
    rng = np.random.default_rng(0)
    unit = np.dtype(unit)
    x = np.frombuffer(rng.bytes(2 * 5 * 3 * unit.itemsize), unit).reshape(2, 5, 3)
    index = np.array([4, 0, 5, -1, -5, -6, 2], kind)
    out = blank((2, 7, 3), unit)
    fill = int.from_bytes(rng.bytes(7), "little")
    run("embedding", f"take_{unit.itemsize}", elements(out.size), x, index, out, 2, 7, 5, 3, fill, order=order,
        dtype=kind)  # fmt: skip
    pattern = np.frombuffer(fill.to_bytes(8, "little") * 2, unit)[0]
    expected = x[:, [4, 0, 0, 4, 0, 0, 2]]
    expected[:, [2, 5]] = pattern
    assert out.tobytes() == expected.tobytes()


# Runs that end at the end of a piece, fill several, begin and end within one; the last rows name none of the table.
LENGTHS = {
    "short": [3, 0, 5, 1, 8],
    "edges": [64, 0, 63, 1, 65, 127, 0, 2],
    "long": [10, 400, 1, 1, 200, 100],
    "one": [1],
    "outside": [5, 0, 150],
}


@pytest.mark.parametrize("width", [1, 5, 40])
@pytest.mark.parametrize("name", LENGTHS)
def test_sums_of_runs(name, width, dtype, order):
    lengths = LENGTHS[name]
    rows, rng = np.repeat(np.arange(len(lengths)), lengths), np.random.default_rng(0)
    count = len(lengths) - (name == "outside")
    n = rows.size
    places = rng.permutation(n)
    values = (rng.standard_normal((n, width)) * 4).astype(dtype)
    base = np.ones((count, width), dtype)
    expected = np.zeros((len(lengths), width), np.float64 if dtype.kind not in "i" else np.int64)
    np.add.at(expected, rows, values[places].astype(expected.dtype))
    pieces = -(-n // PIECE)
    wide = np.dtype(np.float32) if dtype.itemsize == 2 else dtype
    out, partial = base.copy(), blank((pieces, 2, width), wide)
    run("embedding", "sum_runs", elements(pieces * width), values, rows, places, out, partial, n, count, width,
        order=order)  # fmt: skip
    grid, block = columns(width, min(max(pieces - 1, 1), 3))
    run("embedding", "join_runs", (grid, block), partial, rows, out, n, count, width, order=order, dtype=dtype)
    if dtype.kind == "i":
        np.testing.assert_array_equal(out, expected[:count] + 1)
    else:
        close(out / dtype.type(16), (expected[:count] + 1) / 16, 4)

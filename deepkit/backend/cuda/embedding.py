"""Rows of a table on the device: looked up, and gradients summed up at repeated places.

Everything here runs by shapes alone: nothing is read from the device and no array's size depends on what the indices
are, so that a CUDA graph can hold it. An index that names no row gives NaN (the smallest number of an integer dtype),
and its gradient is left out: nobody on the device can raise an error.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import cupy
import numpy as np
from cupy import ndarray

from .arrays import asarray
from .loader import SUFFIX, function, launch_columns, launch_over, numbers, sum_type

__all__ = ["add_at", "sorted_rows", "sum_rows", "take", "take_grad"]

#: As in ``sort.cu`` and ``embedding.cu``.
_TILE, _DIGIT_BITS, _PIECE = 2048, 8, 64


def _whole(index: Any) -> ndarray:
    """Indices of a dtype that the kernels take, contiguous."""
    index = asarray(index)
    kind = np.int32 if index.dtype.itemsize < 4 or index.dtype == np.int32 else np.int64
    return cupy.ascontiguousarray(index, kind)


@cache
def _fill(dtype: np.dtype) -> int:
    """What stands where there is no row, repeated to 8 bytes."""
    if dtype.kind in "iu":
        value = np.array(np.iinfo(dtype).min if dtype.kind == "i" else np.iinfo(dtype).max, dtype)
    elif dtype.kind == "b":
        value = np.array(True)
    else:
        value = np.array(math.nan, f"f{dtype.itemsize // 2}" if dtype.kind == "c" else dtype)
    return int(np.frombuffer(value.tobytes() * (8 // value.itemsize), np.int64)[0])


def take(x: ndarray, indices: Any, axis: int | None = None) -> ndarray:
    """Elements of ``x`` at ``indices`` along ``axis``, or of the flattened ``x``."""
    x, index = cupy.ascontiguousarray(x), _whole(indices)
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis %= x.ndim
    before, count, behind = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    out = cupy.empty((*before, *index.shape, *behind), x.dtype)
    if not out.size:
        return out
    width = math.prod(behind) * x.dtype.itemsize
    unit = math.gcd(width, 16, x.data.ptr, out.data.ptr)
    kernel = function("embedding", f"take_{unit}", index.dtype)
    launch_over(kernel, out.nbytes // unit, x, index, out, math.prod(before), index.size, count, width // unit,
                _fill(x.dtype))  # fmt: skip
    return out


def sorted_rows(index: ndarray, count: int) -> tuple[ndarray, ndarray]:
    """Indices (n,) as row numbers below ``count`` in order, and the place of each before; equal ones keep theirs.

    A number that names no row of ``count`` comes last, as ``count``.
    """
    index, n = _whole(index), index.size
    rows, order = cupy.empty(n, np.int64), None
    if not n:
        return rows, cupy.empty(0, np.int64)
    launch_over(function("sort", "sort_rows", index.dtype), n, index, rows, n, count)
    blocks = -(-n // _TILE)
    counts = cupy.empty((1 << _DIGIT_BITS) * blocks, np.int64)
    for shift in range(0, max(count.bit_length(), 1), _DIGIT_BITS):
        by = np.int64(shift)
        function("sort", "sort_count")((blocks,), (256,), (rows, counts, np.int64(n), by))
        function("sort", "sort_offsets")((1,), (1024,), (counts, np.int64(counts.size)))
        new_rows, new_order = cupy.empty(n, np.int64), cupy.empty(n, np.int64)
        function("sort", "sort_place")(
            (blocks,), (256,), numbers((rows, order, counts, new_rows, new_order, n, shift))
        )
        rows, order = new_rows, new_order
    return rows, order


def sum_rows(out: ndarray, index: ndarray, values: ndarray) -> None:
    """Add each row of ``values`` (n, width) to that row of ``out`` which ``index`` (n,) names, in the order they come.

    Equal numbers are brought together by a stable sort and summed by one thread in their order, so that the result is
    the same to the bit every time; atomic additions come in any order.
    """
    if not values.size:
        return
    if out.dtype.kind == "c":
        real, wide = out.real.dtype, cupy.ascontiguousarray(out)
        sum_rows(wide.view(real), index, cupy.ascontiguousarray(values, out.dtype).view(real))
        if wide is not out:
            out[...] = wide
        return
    if out.dtype.name not in SUFFIX or not out.flags.c_contiguous:
        wide = cupy.ascontiguousarray(out, np.int64 if out.dtype.kind in "iub" else out.dtype)
        sum_rows(wide, index, values)
        out[...] = wide.astype(out.dtype, copy=False)
        return
    (count, width), n = out.shape, index.size
    rows, order = sorted_rows(index, count)
    pieces = -(-n // _PIECE)
    partial = cupy.empty((pieces, 2, width), sum_type(out.dtype))
    kernel = function("embedding", "sum_runs", out.dtype)
    values = cupy.ascontiguousarray(values, out.dtype)
    launch_over(kernel, pieces * width, values, rows, order, out, partial, n, count, width)
    if pieces > 1:
        kernel = function("embedding", "join_runs", out.dtype)
        launch_columns(kernel, width, min(pieces - 1, 65535), partial, rows, out, n, count, width)


def add_at(out: ndarray, index: Any, values: Any) -> None:
    """Add ``values`` at ``index`` in place, repeats one after the other."""
    places = cupy.arange(out.size).reshape(out.shape)[index]
    values = cupy.broadcast_to(asarray(values, out.dtype), places.shape)
    sum_rows(out.reshape(-1, 1), places.reshape(-1), values.reshape(-1, 1))


def take_grad(g: ndarray, indices: Any, axis: int | None, shape: tuple[int, ...], out: Any = None) -> ndarray:
    """Gradient of ``x.take(indices, axis)``: the rows of ``g`` summed in at their indices, in order."""
    direct = isinstance(out, ndarray) and out.flags.c_contiguous and (axis is None or axis % len(shape) == 0)
    total = out if direct else cupy.empty(shape, g.dtype)
    total[...] = 0
    indices = asarray(indices)
    if axis is None:
        sum_rows(total.reshape(-1, 1), indices.reshape(-1), g.reshape(-1, 1))
    else:
        axis %= len(shape)
        values = cupy.moveaxis(g, range(axis, axis + indices.ndim), range(indices.ndim))
        rest = tuple(n for i, n in enumerate(shape) if i != axis)
        rows = total if axis == 0 else cupy.zeros((shape[axis], *rest), g.dtype)
        width = math.prod(rest)
        sum_rows(rows.reshape(shape[axis], width), indices.reshape(-1), values.reshape(indices.size, width))
        if axis:
            total = cupy.ascontiguousarray(cupy.moveaxis(rows, 0, axis))
    if isinstance(out, ndarray) and total is not out:
        out[...] = total
        return out
    return total

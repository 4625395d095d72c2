"""Arrays on the device: what crosses to the host and back, indexing with repeats, and functions CuPy has elsewhere."""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np
from cupy import ndarray

from .arrays import asarray
from .derived import derived
from .loader import function, is_float, launch_over, launch_rows

__all__ = [
    "array_type", "cast", "erf", "from_numpy", "getitem", "getitem_grad", "lgamma", "log_softmax", "log_softmax_grad",
    "relu", "relu_grad", "scatter_add", "segment_prod", "softmax", "softmax_grad", "spread", "take_grad", "to_numpy",
]  # fmt: skip

array_type = ndarray


def to_numpy(x: ndarray) -> np.ndarray:
    return cupy.asnumpy(x)


def from_numpy(x: np.ndarray) -> ndarray:
    return asarray(x)


def cast(x: ndarray, dtype: Any) -> ndarray:
    return x.astype(dtype)


def _on_device(index: Any) -> Any:
    """An index whose NumPy arrays and lists are arrays on the device."""
    if isinstance(index, tuple):
        return tuple(map(_on_device, index))
    return asarray(index) if isinstance(index, (np.ndarray, list)) else index


def getitem(x: ndarray, index: Any) -> ndarray:
    return x[_on_device(index)]


def getitem_grad(g: ndarray, index: Any, shape: tuple[int, ...], unique: bool) -> ndarray:
    """Gradient of ``x[index]``; ``unique`` says that the index names no element twice (slices and integers)."""
    out = cupy.zeros(shape, g.dtype)
    if unique:
        out[index] = g
    else:
        _add_at(out, index, g)
    return out


def _add_at(out: ndarray, index: Any, values: ndarray) -> None:
    """Add ``values`` at ``index`` in place, repeats one after the other."""
    places = cupy.arange(out.size).reshape(out.shape)[_on_device(index)]
    values = cupy.broadcast_to(asarray(values, out.dtype), places.shape)
    _sum_rows(out.reshape(-1, 1), places.reshape(-1), values.reshape(-1, 1))


def _sum_rows(out: ndarray, rows: ndarray, values: ndarray) -> None:
    """Add each row of ``values`` (n, width) to that row of ``out`` which ``rows`` (n,) names.

    Equal numbers are brought together by a stable sort and summed by one thread in their order, so that the result is
    the same to the bit every time; atomic additions come in any order.
    """
    if not values.size:
        return
    rows = rows.astype(np.int64, copy=False)
    order = cupy.argsort(rows)
    n, width = values.shape
    kernel = function("scatter", "add_runs", out.dtype)
    launch_over(kernel, values.size, cupy.ascontiguousarray(values), rows[order], order, out, n, width)


def take_grad(g: ndarray, indices: ndarray, axis: int | None, shape: tuple[int, ...], out: Any = None) -> ndarray:
    """Gradient of ``x.take(indices, axis)``: the rows of ``g`` summed in at their indices, in order."""
    direct = isinstance(out, ndarray) and axis is not None and axis % len(shape) == 0
    total = out if direct else cupy.empty(shape, g.dtype)
    total[...] = 0
    indices = asarray(indices)
    if axis is None:
        _sum_rows(total.reshape(-1, 1), indices.reshape(-1) % total.size, g.reshape(-1, 1))
    else:
        axis %= len(shape)
        values = cupy.moveaxis(g, range(axis, axis + indices.ndim), range(indices.ndim))
        rest = tuple(n for i, n in enumerate(shape) if i != axis)
        rows = total if axis == 0 else cupy.zeros((shape[axis], *rest), g.dtype)
        flat = rows.reshape(shape[axis], -1)
        _sum_rows(flat, indices.reshape(-1) % max(shape[axis], 1), values.reshape(indices.size, flat.shape[1]))
        if axis:
            total = cupy.ascontiguousarray(cupy.moveaxis(rows, 0, axis))
    if isinstance(out, ndarray) and total is not out:
        out[...] = total
        return out
    return total


def scatter_add(out: ndarray, index: Any, values: ndarray) -> ndarray:
    """``out`` plus ``values`` summed in at ``index`` (repeats add up), as a new array."""
    out = out.copy()
    _add_at(out, index, values)
    return out


def segment_prod(data: ndarray, ids: ndarray, count: int) -> ndarray:
    """The product of the rows that have each number below ``count``."""
    host = np.ones((count, *data.shape[1:]), data.dtype)
    np.multiply.at(host, cupy.asnumpy(ids), cupy.asnumpy(data))
    return asarray(host)


def spread(g: ndarray, shape: tuple[int, ...]) -> ndarray:
    """``g`` broadcast to ``shape``."""
    return cupy.broadcast_to(g, shape)


def relu(x: ndarray, out: ndarray | None = None) -> ndarray:
    return cupy.maximum(x, x.dtype.type(0), out=out)


def relu_grad(gy: ndarray, y: ndarray) -> ndarray:
    """gy where y is positive, else 0."""
    return gy * (y > 0)


def erf(x: ndarray) -> ndarray:
    """The error function, 2/sqrt(pi) * integral of exp(-t^2) from 0 to x."""
    from cupyx.scipy.special import erf as compute

    return compute(x).astype(x.dtype if x.dtype.kind == "f" else np.float64, copy=False)


def lgamma(x: ndarray) -> ndarray:
    """log |gamma(x)|."""
    from cupyx.scipy.special import gammaln

    return gammaln(x).astype(x.dtype if x.dtype.kind == "f" else np.float64, copy=False)


def _over_last(x: ndarray, axis: Any) -> bool:
    """Whether the kernels over rows can have it."""
    return bool(x.size) and x.ndim > 0 and axis in (-1, x.ndim - 1) and is_float(x)


def _by_rows(name: str, *arrays: ndarray) -> ndarray:
    """A kernel of ``softmax.cu`` over the last axis."""
    inputs = [cupy.ascontiguousarray(a) for a in arrays]
    out, n = cupy.empty(inputs[0].shape, inputs[0].dtype), inputs[0].shape[-1]
    rows = out.size // n
    launch_rows(function("softmax", name, out.dtype), rows, n, *inputs, out, rows, n)
    return out


def softmax(x: ndarray, axis: Any = -1) -> ndarray:
    return _by_rows("softmax", x) if _over_last(x, axis) else derived("elementwise").softmax(x, axis)


def softmax_grad(g: ndarray, y: ndarray, axis: Any = -1) -> ndarray:
    if _over_last(y, axis) and g.dtype == y.dtype and g.shape == y.shape:
        return _by_rows("softmax_grad", g, y)
    return derived("elementwise").softmax_grad(g, y, axis)


def log_softmax(x: ndarray, axis: Any = -1) -> ndarray:
    return _by_rows("log_softmax", x) if _over_last(x, axis) else derived("elementwise").log_softmax(x, axis)


def log_softmax_grad(g: ndarray, y: ndarray, axis: Any = -1) -> ndarray:
    if _over_last(y, axis) and g.dtype == y.dtype and g.shape == y.shape:
        return _by_rows("log_softmax_grad", g, y)
    return derived("elementwise").log_softmax_grad(g, y, axis)

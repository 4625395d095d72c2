"""Arrays on the device: what crosses to the host and back, indexing with repeats, and functions CuPy has elsewhere."""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np
from cupy import ndarray

from .arrays import asarray
from .derived import derived
from .embedding import add_at, take, take_grad
from .loader import function, is_float, launch_rows

__all__ = [
    "array_type", "cast", "erf", "from_numpy", "getitem", "getitem_grad", "lgamma", "log_softmax", "log_softmax_grad",
    "relu", "relu_grad", "scatter_add", "segment_prod", "softmax", "softmax_grad", "spread", "take", "take_grad",
    "to_numpy",
]  # fmt: skip

array_type = ndarray


def to_numpy(x: ndarray) -> np.ndarray:
    return cupy.asnumpy(x)


def from_numpy(x: np.ndarray) -> ndarray:
    """An array of the host on the device.

    Raises:
        TypeError: for a dtype that no GPU has.
    """
    if x.dtype.char in "gGOSUmM":
        raise TypeError(
            f"Arrays of dtype {x.dtype} can't be on a GPU. Convert it first, for instance with x.astype('float32')."
        )
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
        add_at(out, _on_device(index), g)
    return out


def scatter_add(out: ndarray, index: Any, values: ndarray) -> ndarray:
    """``out`` plus ``values`` summed in at ``index`` (repeats add up), as a new array."""
    out = out.copy()
    add_at(out, _on_device(index), values)
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

"""CuPy with what NumPy's kernels ask for and CuPy doesn't have: the ``np`` of the derived kernels.

Names that aren't here are CuPy's own.
"""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, Callable

import cupy
import numpy as np
from cupy import ndarray

from .. import replay
from .contraction import dot, einsum, tensordot
from .gemm import matmul

__all__ = ["add", "array", "as_strided", "asarray", "dot", "einsum", "errstate", "full_like", "lib", "matmul",
           "maximum", "minimum", "multiply", "ndarray", "repeat", "tensordot"]  # fmt: skip


def __getattr__(name: str) -> Any:
    return getattr(cupy, name)


def errstate(**kinds: str) -> Any:
    """Nothing: a GPU warns of no overflow."""
    return nullcontext()


class Ufunc:
    """A CuPy function of two arrays with the methods of NumPy's.

    CuPy reduces with sums and products only, and adds up at repeated indices in no order.
    """

    def __init__(self, function: Any, reduction: Callable[..., ndarray], neutral: float | None):
        self.function, self.reduction, self.neutral = function, reduction, neutral

    def __call__(self, *args: Any, **params: Any) -> Any:
        return self.function(*args, **params)

    def reduce(
        self, x: ndarray, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None
    ) -> ndarray:
        """Reduce along ``axis``; over nothing the result is ``initial``."""
        how = {} if dtype is None else {"dtype": dtype}
        if not x.size and initial is not None:
            shape = cupy.empty(x.shape, bool).sum(axis=axis, keepdims=keepdims).shape
            return cupy.full(shape, initial, x.dtype)
        return self.reduction(x, axis=axis, keepdims=keepdims, out=out, **how)

    def reduceat(self, x: ndarray, starts: Any, axis: int = 0) -> ndarray:
        """Reduce the stretches that begin at ``starts``."""
        return self.function.reduceat(x, starts, axis=axis)

    def at(self, x: ndarray, index: Any, values: Any) -> None:
        """Combine ``values`` into ``x`` at ``index``; only where the order of repeats makes no difference."""
        if self.neutral is not None:
            raise NotImplementedError("Sums at repeated indices come in no fixed order here; use scatter_add.")
        self.function.at(x, index, values)

    def outer(self, a: ndarray, b: ndarray) -> ndarray:
        """The function of each pair of elements."""
        return self.function(a.reshape(*a.shape, *(1,) * b.ndim), b)


add = Ufunc(cupy.add, cupy.sum, 0)
multiply = Ufunc(cupy.multiply, cupy.prod, 1)
maximum = Ufunc(cupy.maximum, cupy.max, None)
minimum = Ufunc(cupy.minimum, cupy.min, None)


def as_strided(x: ndarray, shape: Any = None, strides: Any = None, writeable: bool = True) -> ndarray:
    """NumPy's ``as_strided``; CuPy has no read-only arrays."""
    return cupy.lib.stride_tricks.as_strided(x, shape, strides)


lib = SimpleNamespace(
    stride_tricks=SimpleNamespace(
        as_strided=as_strided, sliding_window_view=cupy.lib.stride_tricks.sliding_window_view
    )
)


def asarray(a: Any, dtype: Any = None) -> ndarray:
    """An array on the device."""
    capture = replay.local.capture
    if capture is None or isinstance(a, ndarray):
        return cupy.asarray(a, dtype=dtype)
    if isinstance(a, (list, tuple)) and any(isinstance(x, ndarray) for x in a):
        return cupy.stack([asarray(x, dtype) for x in a])
    return capture.constant(np.asarray(a, dtype))


def array(a: Any, dtype: Any = None, copy: bool = True) -> ndarray:
    """A new array on the device."""
    if isinstance(a, ndarray):
        return cupy.array(a, dtype=dtype, copy=copy)
    out = asarray(a, dtype)
    return out if replay.local.capture is None else out.copy()  # a constant stays as it is


def full_like(a: ndarray, fill: Any, dtype: Any = None) -> ndarray:
    """An array of the same shape full of one value."""
    return cupy.full(a.shape, fill, dtype or a.dtype)


def repeat(a: Any, repeats: Any, axis: int | None = None) -> ndarray:
    """NumPy's ``repeat``, lists included."""
    return cupy.repeat(asarray(a), repeats, axis)

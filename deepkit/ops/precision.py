"""Functions that compute half precision in single precision, as no library of linear algebra has it."""

from __future__ import annotations

import functools
from typing import Any, Callable

from ..autograd.dtypes import np_dtype
from ..autograd.op import to_tensor
from ..autograd.spec import Spec
from .creation import cast


def in_single_precision(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: with a half-precision first argument, such tensors are cast to float32 and the results back."""

    @functools.wraps(fn)
    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        x = x if isinstance(x, Spec) else to_tensor(x)
        dtype = np_dtype(x.dtype)
        if dtype.itemsize != 2 or dtype.kind not in "fV":
            return fn(x, *args, **kwargs)
        args = tuple(cast(a, "float32") if getattr(a, "dtype", None) == x.dtype else a for a in args)
        y = fn(cast(x, "float32"), *args, **kwargs)
        return tuple(_back(part, dtype) for part in y) if isinstance(y, tuple) else _back(y, dtype)

    return call


def _back(y: Any, dtype: Any) -> Any:
    return cast(y, dtype) if np_dtype(y.dtype).name == "float32" else y


__all__ = ["in_single_precision"]

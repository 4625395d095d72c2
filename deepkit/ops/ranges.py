"""Numbers between two ends: equally spaced, or on a logarithmic scale."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import backend
from ..autograd.dtypes import np_dtype, result_type
from ..autograd.spec import Spec
from ..autograd.tensor import Tensor
from . import elementwise as e
from .creation import arange, cast, convert_to_tensor, full_like
from .reduce import _floating
from .shape import expand_dims, moveaxis, reshape


def _dtype(values: Any, dtype: Any) -> str:
    """The dtype asked for, or that of the ends, which is a floating one."""
    if dtype is not None:
        return np_dtype(dtype).name
    kinds = [getattr(v, "dtype", type(v) if type(v) in (int, float) else None) for v in values]
    return result_type(*kinds, float)


def _spaced(kind: str, start: Any, stop: Any, dtype: Any, **params: Any) -> Any:
    """Between plain numbers and arrays: NumPy's function of the name, in double precision."""
    values = np.asarray(getattr(np, kind)(start, stop, **params))
    return Tensor(backend.active().from_numpy(values.astype(np_dtype(_dtype((start, stop), dtype)))))


def _is_tensor(*values: Any) -> bool:
    return any(isinstance(v, (Tensor, Spec)) for v in values)


def _line(start: Any, stop: Any, num: int, endpoint: bool, axis: int) -> Any:
    """Between tensors: (1 - t) start + t stop for equally spaced t, exact at both ends and differentiable."""
    dtype = result_type(_dtype((start, stop), None), "float32")
    start, stop = (cast(v if isinstance(v, Spec) else convert_to_tensor(v), dtype) for v in (start, stop))
    rank = max(len(start.shape), len(stop.shape))
    t = cast(arange(num), dtype) / max(num - 1 if endpoint else num, 1)
    t = reshape(t, (-1, *(1,) * rank))
    return moveaxis((1 - t) * start + t * stop, 0, axis) if rank else (1 - t) * start + t * stop


def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
             axis: int = 0) -> Any:  # fmt: skip
    """``num`` equally spaced numbers from ``start`` to ``stop``.

    Args:
        start: First number, or a tensor of them.
        stop: Last number, or the one after the last without ``endpoint``.
        num: How many.
        endpoint: Whether ``stop`` is among them.
        retstep: Give the distance of neighbours too.
        dtype: Dtype, a floating one by default.
        axis: Axis of the numbers in the result, where the ends are tensors.

    Returns:
        A tensor (num, ...), or a pair of it and the distance.

    Example:
        >>> linspace(0, 1, 3)
        Tensor([0. , 0.5, 1. ], dtype=float32)
    """
    if _is_tensor(start, stop):
        out = cast(_line(start, stop, num, endpoint, axis), _dtype((start, stop), dtype))
    else:
        out = _spaced("linspace", start, stop, dtype, num=num, endpoint=endpoint, axis=axis)
    if not retstep:
        return out
    gaps = (num - 1) if endpoint else num
    return out, (_floating(stop) - _floating(start)) / gaps if gaps > 0 else full_like(_floating(start), math.nan)


def logspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: float = 10, dtype: Any = None,
             axis: int = 0) -> Any:  # fmt: skip
    """``num`` numbers from base^start to base^stop, equally spaced on a logarithmic scale.

    Example:
        >>> logspace(0, 2, 3)
        Tensor([  1.,  10., 100.], dtype=float32)
    """
    if _is_tensor(start, stop):
        line = _line(start, stop, num, endpoint, axis)
        return cast(e.power(float(base), line), _dtype((start, stop), dtype))
    return _spaced("logspace", start, stop, dtype, num=num, endpoint=endpoint, base=base, axis=axis)


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """``num`` numbers from ``start`` to ``stop``, of one sign, each the same multiple of the one before.

    Example:
        >>> geomspace(1, 8, 4)
        Tensor([1., 2., 4., 8.], dtype=float32)
    """
    if _is_tensor(start, stop):
        first, last = (_floating(v) for v in (start, stop))
        line = _line(e.log(e.abs(first)), e.log(e.abs(last)), num, endpoint, axis)
        sign = e.sign(first)
        sign = expand_dims(sign, axis) if len(sign.shape) else sign
        return cast(sign * e.exp(line), _dtype((start, stop), dtype))
    return _spaced("geomspace", start, stop, dtype, num=num, endpoint=endpoint, axis=axis)


__all__ = ["geomspace", "linspace", "logspace"]

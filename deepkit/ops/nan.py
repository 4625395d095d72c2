"""Reductions that pass over NaN."""

from __future__ import annotations

import math
from typing import Any

from ..autograd.dtypes import np_dtype
from ..autograd.op import to_tensor
from ..autograd.spec import Spec
from . import elementwise as e
from .creation import cast, full_like
from .index import where
from .math import quantile
from .reduce import Axis, _floating, argmax, argmin, max, min, prod, sum
from .sorting import cumprod, cumsum
from .symbolic import one_node


def _tensor(x: Any) -> Any:
    return x if isinstance(x, Spec) else to_tensor(x)


def _without(x: Any, value: float) -> tuple[Any, Any]:
    """``x`` with ``value`` in NaN's place, and where it was NaN."""
    x = _tensor(x)
    missing = e.isnan(x)
    return where(missing, full_like(x, value), x), missing


def nansum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Sum over axes, NaN counting as 0.

    Example:
        >>> nansum([1.0, float("nan"), 2.0])
        Tensor(3., dtype=float32)
    """
    return sum(_without(x, 0)[0], axis, keepdims)


def nanprod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Product over axes, NaN counting as 1.

    Example:
        >>> nanprod([3.0, float("nan"), 2.0])
        Tensor(6., dtype=float32)
    """
    return prod(_without(x, 1)[0], axis, keepdims)


def nanmean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Mean over axes of what isn't NaN; NaN where everything is.

    Example:
        >>> nanmean([1.0, float("nan"), 2.0])
        Tensor(1.5, dtype=float32)
    """
    x = _floating(x)
    filled, missing = _without(x, 0)
    return sum(filled, axis, keepdims) / sum(cast(e.logical_not(missing), filled.dtype), axis, keepdims)


def nanvar(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Variance over axes of what isn't NaN.

    Example:
        >>> nanvar([1.0, float("nan"), 3.0])
        Tensor(1., dtype=float32)
    """
    x = _floating(x)
    return nanmean(e.square(x - nanmean(x, axis, True)), axis, keepdims)


def nanstd(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Standard deviation over axes of what isn't NaN.

    Example:
        >>> nanstd([1.0, float("nan"), 3.0])
        Tensor(1., dtype=float32)
    """
    return e.sqrt(nanvar(x, axis, keepdims))


def _extremum(x: Any, axis: Axis, keepdims: bool, lowest: float, reduce: Any) -> Any:
    x = _tensor(x)
    if np_dtype(x.dtype).kind in "biu":  # where nothing is NaN
        return reduce(x, axis, keepdims)
    filled, missing = _without(x, lowest)
    y = reduce(filled, axis, keepdims)
    empty = min(cast(missing, "int32"), axis, keepdims) == 1
    return where(empty, full_like(y, math.nan), y)


def nanmax(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Largest element over axes that isn't NaN; NaN where everything is.

    Example:
        >>> nanmax([1.0, float("nan"), 3.0])
        Tensor(3., dtype=float32)
    """
    return _extremum(x, axis, keepdims, -math.inf, max)


def nanmin(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Smallest element over axes that isn't NaN; NaN where everything is.

    Example:
        >>> nanmin([1.0, float("nan"), 3.0])
        Tensor(1., dtype=float32)
    """
    return _extremum(x, axis, keepdims, math.inf, min)


def _position(x: Any, axis: int | None, keepdims: bool, lowest: float, find: Any) -> Any:
    filled, missing = _without(_floating(x), lowest)
    empty = min(cast(missing, "int32"), axis, keepdims) == 1
    return where(empty, -1, find(filled, axis, keepdims))


def nanargmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the largest element that isn't NaN, int32; -1 where everything is.

    Example:
        >>> nanargmax([1.0, float("nan"), 3.0])
        Tensor(2, dtype=int32)
    """
    return _position(x, axis, keepdims, -math.inf, argmax)


def nanargmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the smallest element that isn't NaN, int32; -1 where everything is.

    Example:
        >>> nanargmin([float("nan"), 1.0, 3.0])
        Tensor(1, dtype=int32)
    """
    return _position(x, axis, keepdims, math.inf, argmin)


def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running sum along an axis, NaN counting as 0.

    Example:
        >>> nancumsum([1.0, float("nan"), 2.0])
        Tensor([1., 1., 3.], dtype=float32)
    """
    return cumsum(_without(x, 0)[0], axis, dtype)


def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running product along an axis, NaN counting as 1.

    Example:
        >>> nancumprod([3.0, float("nan"), 2.0])
        Tensor([3., 3., 6.], dtype=float32)
    """
    return cumprod(_without(x, 1)[0], axis, dtype)


@one_node
def nanquantile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Any:
    """Quantiles of what isn't NaN; arguments as for :func:`quantile`.

    Example:
        >>> nanquantile([1.0, float("nan"), 3.0], 0.5)
        Tensor(2., dtype=float32)
    """
    import numpy as np

    from .. import backend
    from ..autograd.tensor import Tensor

    x = _floating(x)
    if isinstance(x, Spec) or not bool(e.isnan(x).any()):
        return quantile(x, q, axis, method, keepdims)
    values = np.nanquantile(  # type: ignore[call-overload]
        x.numpy(), to_tensor(q).numpy().astype("float64"), axis=axis, method=method, keepdims=keepdims
    )
    return Tensor(backend.active().from_numpy(np.asarray(values, dtype=x.dtype)))


def nanpercentile(x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Any:
    """:func:`nanquantile` with ``q`` in percent.

    Example:
        >>> nanpercentile([1.0, float("nan"), 3.0], 50)
        Tensor(2., dtype=float32)
    """
    return nanquantile(x, to_tensor(q) / 100, axis, method, keepdims)


def nanmedian(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Median of what isn't NaN.

    Example:
        >>> nanmedian([1.0, float("nan"), 3.0])
        Tensor(2., dtype=float32)
    """
    return nanquantile(x, 0.5, axis, keepdims=keepdims)


__all__ = [
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmedian",
    "nanmin",
    "nanpercentile",
    "nanprod",
    "nanquantile",
    "nanstd",
    "nansum",
    "nanvar",
]

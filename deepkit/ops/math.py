"""Numeric functions: clipping, statistics, differences, grids, comparisons, sums over segments."""

from __future__ import annotations

import builtins
import math
from typing import Any

from ..autograd.dtypes import np_dtype, result_type
from ..autograd.op import Basic, to_tensor
from ..autograd.spec import Spec, broadcast_shapes
from . import elementwise as e
from .arrange import _tensor
from .creation import cast, zeros_like
from .index import where
from .reduce import _floating, axes_of, mean, reduced
from .reduce import all as _all
from .reduce import max as _max
from .reduce import min as _min
from .reduce import sum as _sum
from .shape import moveaxis, reshape
from .sorting import Plain, sort
from .symbolic import deferred


def _clip_vjp(k: Any, g: Any, y: Any, x: Any, low: Any, high: Any) -> Any:
    return g * k.cast(k.logical_and(k.greater_equal(x, low), k.less_equal(x, high)), g.dtype)


_clip = Basic("clip", lambda x, low, high: Spec(x.shape, x.dtype), _clip_vjp,
              lambda k, x, low, high: k.clip(x, low, high).astype(x.dtype, copy=False))  # fmt: skip


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """min(max(x, x_min), x_max); the gradient passes inside the bounds and at them.

    Args:
        x: Tensor; booleans become int32, and integers ``floatx()`` if a bound is a float.
        x_min: Lower bound, a number or a tensor.
        x_max: Upper bound.

    Example:
        >>> clip([-1.0, 0.5, 2.0], 0, 1)
        Tensor([0. , 0.5, 1. ], dtype=float32)
    """
    x = _tensor(x)
    dtype = np_dtype(x.dtype)
    if dtype.kind in "biu":
        weak = float if type(x_min) is float or type(x_max) is float else int
        dtype = np_dtype(result_type(dtype.name, weak))
        x = cast(x, dtype)
    if type(x_min) in (int, float) and type(x_max) in (int, float):
        kind = builtins.float if dtype.kind == "f" else builtins.int
        return _clip(x, low=kind(x_min), high=kind(x_max))
    if x_min is not None:
        x = e.maximum(x, cast(x_min, dtype))
    return x if x_max is None else e.minimum(x, cast(x_max, dtype))


_nan_to_num = Basic("nan_to_num", lambda x, **_: Spec(x.shape, x.dtype),
                    lambda k, g, y, x, **_: g * k.cast(k.isfinite(x), g.dtype))  # fmt: skip


def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """``x`` with NaN and the infinities replaced, these by the dtype's largest numbers by default.

    Example:
        >>> nan_to_num([float("nan"), 1.0])
        Tensor([0., 1.], dtype=float32)
    """
    return _nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def saturate_cast(x: Any, dtype: Any) -> Any:
    """``x`` cast to a dtype, values outside of it becoming its smallest or largest one.

    Example:
        >>> saturate_cast([-5, 300], "uint8")
        Tensor([  0, 255], dtype=uint8)
    """
    wanted = np_dtype(dtype)
    x = _tensor(x)
    have = np_dtype(x.dtype)
    if wanted.kind == "b":
        return cast(x, wanted)
    low, high = _range_of(wanted)
    if have.kind in "iu":
        floor, ceiling = _range_of(have)
        low, high = builtins.max(int(low) if wanted.kind != "f" else floor, floor), builtins.min(
            int(high) if wanted.kind != "f" else ceiling, ceiling)  # fmt: skip
    return cast(clip(x, low, high), wanted)


def _range_of(dtype: Any) -> tuple[Any, Any]:
    import numpy as np

    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return int(info.min), int(info.max)
    if dtype.kind == "b":
        return 0, 1
    limits = np.finfo(dtype)
    return builtins.float(limits.min), builtins.float(limits.max)


def divide_no_nan(x1: Any, x2: Any) -> Any:
    """x1 / x2, and 0 where x2 is 0.

    Example:
        >>> divide_no_nan([1.0, 1.0], [2.0, 0.0])
        Tensor([0.5, 0. ], dtype=float32)
    """
    x1, x2 = _floating(x1), _floating(x2)
    zero = e.equal(x2, 0)
    return where(zero, 0.0, x1 / where(zero, 1.0, x2))


# -- comparisons -------------------------------------------------------------------------------------------------------
_isclose = Plain("isclose", lambda a, b, **_: Spec(broadcast_shapes(a.shape, b.shape), "bool"),
                 lambda k, a, b, **p: k.isclose(a, b, **p))  # fmt: skip


def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether \\|x1 - x2\\| ≤ atol + rtol · \\|x2\\|, elementwise.

    Example:
        >>> isclose([1.0], [1.0 + 1e-7])
        Tensor([ True], dtype=bool)
    """
    return _isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan)


def allclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether :func:`isclose` holds for all elements.

    Example:
        >>> bool(allclose([1.0], [2.0]))
        False
    """
    return _all(isclose(x1, x2, rtol, atol, equal_nan))


# -- statistics --------------------------------------------------------------------------------------------------------
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """Mean over axes, each element counting by its weight.

    Args:
        x: Tensor; integers become ``floatx()``.
        axis: Axis, axes, or ``None`` for all.
        weights: Shaped like ``x``, or a vector along the one axis.

    Example:
        >>> average([1.0, 3.0], weights=[3.0, 1.0])
        Tensor(1.5, dtype=float32)
    """
    x = _floating(x)
    if weights is None:
        return mean(x, axis=axis)
    w = _floating(weights)
    if len(w.shape) == 1 and len(x.shape) > 1:
        a = axes_of(axis, len(x.shape))[0]
        w = reshape(w, [-1 if i == a else 1 for i in range(len(x.shape))])
    return _sum(x * w, axis=axis) / _sum(w * e.add(zeros_like(x), 1), axis=axis)


def quantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """Quantiles over axes, between two elements by interpolation.

    Args:
        x: Tensor; integers become ``floatx()``.
        q: Number, or vector of numbers, in [0, 1].
        axis: Axis, axes, or ``None`` for all.
        method: ``"linear"``, ``"lower"``, ``"higher"``, ``"midpoint"`` or ``"nearest"``.
        keepdims: Keep the reduced axes with size 1.

    Returns:
        A tensor (q..., reduced shape).

    Example:
        >>> quantile([1.0, 2.0, 4.0], 0.75)
        Tensor(3., dtype=float32)
    """
    if method not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise ValueError(f"quantile: unknown method {method!r}; use linear, lower, higher, midpoint or nearest.")
    points = to_tensor(q).numpy().astype("float64")
    x = _floating(x)
    axes = axes_of(axis, len(x.shape))
    if isinstance(x, Spec):
        params = {"q": q, "axis": axis, "method": method, "keepdims": keepdims}
        spec = Spec((*points.shape, *reduced(x.shape, axis, keepdims)), x.dtype)
        return deferred(quantile, (x,), params, spec)
    n = math.prod(x.shape[a] for a in axes)
    lines = moveaxis(x, axes, tuple(range(len(x.shape) - len(axes), len(x.shape))))
    lines = sort(reshape(lines, (*lines.shape[: len(x.shape) - len(axes)], n)), axis=-1)
    outs = [_between(lines, float(p) * (n - 1), method) for p in points.reshape(-1)]
    shape = reduced(x.shape, axis, keepdims)
    if not points.ndim:
        return reshape(outs[0], shape)
    from .shape import stack

    return reshape(stack(outs), (*points.shape, *shape))


def _between(lines: Any, at: float, method: str) -> Any:
    low, high = lines[..., math.floor(at)], lines[..., math.ceil(at)]
    if method == "lower":
        return low
    if method == "higher":
        return high
    if method == "nearest":
        return lines[..., round(at)]
    part = 0.5 if method == "midpoint" else at - math.floor(at)
    return low if math.floor(at) == at else low * (1 - part) + high * part


def percentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """Quantiles for ``q`` in percent, see :func:`quantile`."""
    points = to_tensor(q).numpy().astype("float64") / 100
    return quantile(x, points, axis, method, keepdims)


def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle element over axes, the mean of the two middle ones of an even number.

    Example:
        >>> median([1.0, 9.0, 2.0])
        Tensor(2., dtype=float32)
    """
    return quantile(x, 0.5, axis, keepdims=keepdims)


def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Largest minus smallest element over axes."""
    return _max(x, axis=axis, keepdims=keepdims) - _min(x, axis=axis, keepdims=keepdims)


def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> tuple[Any, Any]:
    """Mean and variance over axes; half precision is summed in float32.

    Example:
        >>> moments([1.0, 3.0], 0)
        (Tensor(2., dtype=float32), Tensor(1., dtype=float32))
    """
    from .reduce import var

    return mean(x, axis=axes, keepdims=keepdims), var(x, axis=axes, keepdims=keepdims)


def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Differences of neighbours along an axis, n times over.

    Example:
        >>> diff([1, 4, 9])
        Tensor([3, 5], dtype=int32)
    """
    a = _tensor(a)
    lead = (slice(None),) * axes_of(axis, len(a.shape))[0]
    for _ in range(n):
        high, low = a[lead + (slice(1, None),)], a[lead + (slice(None, -1),)]
        a = e.not_equal(high, low) if np_dtype(a.dtype).kind == "b" else high - low
    return a


def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """Integral along an axis by the trapezoidal rule.

    Example:
        >>> trapezoid([1.0, 2.0, 3.0])
        Tensor(4., dtype=float32)
    """
    y = moveaxis(_floating(y), axis, -1)
    width = dx if x is None else diff(_floating(x) if len(_tensor(x).shape) == 1 else moveaxis(_floating(x), axis, -1))
    return _sum((y[..., 1:] + y[..., :-1]) * width / 2, axis=-1)


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """The choice of the first condition that holds, else ``default``.

    Example:
        >>> select([[True, False]], [[1, 2]], 9)
        Tensor([1, 9], dtype=int32)
    """
    if len(condlist) != len(choicelist):
        raise ValueError(f"select: {len(condlist)} conditions for {len(choicelist)} choices.")
    out = default
    for condition, choice in reversed(list(zip(condlist, choicelist))):
        out = where(condition, choice, out)
    return out


__all__ = ["allclose", "average", "clip", "diff", "divide_no_nan", "isclose", "median", "moments", "nan_to_num",
           "percentile", "ptp", "quantile", "saturate_cast", "select", "trapezoid"]  # fmt: skip

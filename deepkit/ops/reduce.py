"""Reductions over axes: sums, means, extrema, and their positions."""

from __future__ import annotations

from typing import Any, Sequence

from .. import config
from ..autograd.dtypes import is_float, np_dtype
from ..autograd.op import Basic, Op, cast, to_tensor
from ..autograd.spec import Spec

Axis = Any  # None (all axes), an int, or a tuple or list of ints


def axes_of(axis: Axis, ndim: int) -> tuple[int, ...]:
    """``axis`` as a tuple of non-negative ints.

    Raises:
        ValueError: if one is out of range.
    """
    if axis is None:
        return tuple(range(ndim))
    picked = (axis,) if not isinstance(axis, (tuple, list)) else axis
    for a in picked:
        if not -ndim <= a < ndim:
            raise ValueError(f"axis {a} is out of range for a tensor of rank {ndim}.")
    return tuple(int(a) % ndim for a in picked)


def reduced(shape: Sequence[int | None], axis: Axis, keepdims: bool) -> tuple[int | None, ...]:
    """Shape after a reduction."""
    axes = axes_of(axis, len(shape))
    if keepdims:
        return tuple(1 if i in axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axes)


def _spread(k: Any, g: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """A reduction's gradient with the reduced axes put back as ones."""
    return g if keepdims else k.reshape(g, reduced(x.shape, axis, True))


def _count(x: Any, axis: Axis) -> int:
    if axis is None:
        return x.size
    n = 1
    for a in axes_of(axis, len(x.shape)):
        n *= x.shape[a]
    return n


def _sum_dtype(name: str) -> str:
    return {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}.get(name, name)


def _static(axis: Axis) -> Axis:
    return tuple(axis) if isinstance(axis, list) else axis


def _shape_only(x: Spec, axis: Axis = None, keepdims: bool = False) -> Spec:
    return Spec(reduced(x.shape, axis, keepdims), x.dtype)


def _sum_infer(x: Spec, axis: Axis = None, keepdims: bool = False) -> Spec:
    return Spec(reduced(x.shape, axis, keepdims), _sum_dtype(x.dtype))


def _sum_kernel(k: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return k.add_reduce(
        x, axis=axis, keepdims=keepdims, dtype=x.dtype if x.dtype.kind == "f" else _sum_dtype(x.dtype.name)
    )


def mean_kernel(k: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The mean of an array of the kernel module ``k``."""
    # Half precision overflows at 65,504, so it is summed in float32.
    if x.dtype.itemsize == 2:
        return k.mean(x, axis=axis, keepdims=keepdims, dtype="float32").astype(x.dtype)
    n = _count(x, axis)
    return k.add_reduce(x, axis=axis, keepdims=keepdims) / (x.dtype.type(n) if n else x.dtype.type("nan"))


def _extremum_vjp(k: Any, g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    hit = k.cast(k.equal(x, _spread(k, y, x, axis, keepdims)), x.dtype)
    return _spread(k, g, x, axis, keepdims) * hit / k.sum(hit, axis=axis, keepdims=True)


def _prod_vjp(k: Any, g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    # The product of the others: y / x where x isn't 0; where exactly one is 0, the product of the rest.
    zero = k.cast(k.equal(x, 0), x.dtype)
    zeros = k.sum(zero, axis=axis, keepdims=True)
    safe = x + zero
    rest = k.prod(safe, axis=axis, keepdims=True) / safe
    alone = k.where(zeros == 0, k.ones_like(x), k.where(zeros == 1, zero, k.zeros_like(x)))
    return _spread(k, g, x, axis, keepdims) * rest * alone


def _var_vjp(k: Any, g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    n = _count(x, axis)
    centred = x - k.sum(x, axis=axis, keepdims=True) / n
    return _spread(k, g, x, axis, keepdims) * centred * (2.0 / n)


def _var_kernel(k: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    if x.dtype.itemsize == 2:
        return k.var(x, axis=axis, keepdims=keepdims, dtype="float32").astype(x.dtype)
    return k.var(x, axis=axis, keepdims=keepdims)


def _sum_vjp(k: Any, g: Any, y: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return k.spread(_spread(k, g, x, axis, keepdims), x.shape)


_sum = Basic("sum", _sum_infer, _sum_vjp, _sum_kernel)
_prod = Basic("prod", _sum_infer, _prod_vjp, lambda k, x, axis=None, keepdims=False: k.prod(
    x, axis=axis, keepdims=keepdims, dtype=_sum_dtype(x.dtype.name)))  # fmt: skip
_mean = Basic(
    "mean",
    _shape_only,
    lambda k, g, y, x, axis=None, keepdims=False: k.spread(
        _spread(k, g, x, axis, keepdims) / _count(x, axis), x.shape
    ),
    mean_kernel,
)
_var = Basic("var", _shape_only, _var_vjp, _var_kernel)
_max = Basic("max", _shape_only, _extremum_vjp)
_min = Basic("min", _shape_only, _extremum_vjp)
_logsumexp = Basic(
    "logsumexp",
    _shape_only,
    lambda k, g, y, x, axis=None, keepdims=False: _spread(k, g, x, axis, keepdims)
    * k.exp(x - _spread(k, y, x, axis, keepdims)),
)


class _Test(Op):
    """``any`` or ``all``."""

    differentiable = False

    def __init__(self, name: str):
        self.name = name

    def infer(self, x: Spec, axis: Axis = None, keepdims: bool = False) -> Spec:
        return Spec(reduced(x.shape, axis, keepdims), "bool")

    def forward(self, k: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> tuple[Any, Any]:
        return getattr(k, self.name)(x, axis=axis, keepdims=keepdims), None


class _Position(Op):
    """``argmax`` or ``argmin``, int32."""

    differentiable = False

    def __init__(self, name: str):
        self.name = name

    def infer(self, x: Spec, axis: int | None = None, keepdims: bool = False) -> Spec:
        return Spec(reduced(x.shape, axis, keepdims), "int32")

    def forward(self, k: Any, x: Any, axis: int | None = None, keepdims: bool = False) -> tuple[Any, Any]:
        return getattr(k, self.name)(x, axis=axis, keepdims=keepdims).astype("int32"), None


_any, _all, _argmax, _argmin = _Test("any"), _Test("all"), _Position("argmax"), _Position("argmin")


def _floating(x: Any) -> Any:
    """``x`` as a tensor of a floating (or complex) dtype, integers as ``floatx()``."""
    if not isinstance(x, Spec):
        x = to_tensor(x)
    dtype = np_dtype(x.dtype)
    return x if is_float(dtype) or dtype.kind == "c" else cast(x, dtype=config.floatx())


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Sum over axes; small integers are summed as int32 or uint32.

    Args:
        x: Tensor.
        axis: Axis, axes, or ``None`` for all.
        keepdims: Keep the reduced axes with size 1.

    Example:
        >>> sum([[1.0, 2.0], [3.0, 4.0]], axis=0)
        Tensor([4., 6.], dtype=float32)
    """
    return _sum(x, axis=_static(axis), keepdims=keepdims)


def prod(x: Any, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """Product over axes.

    Args:
        x: Tensor.
        axis: Axis, axes, or ``None`` for all.
        keepdims: Keep the reduced axes with size 1.
        dtype: Dtype of the product.

    Example:
        >>> prod([[1.0, 2.0], [3.0, 4.0]], axis=1)
        Tensor([ 2., 12.], dtype=float32)
    """
    if not isinstance(x, Spec):
        x = to_tensor(x)
    wanted = np_dtype(dtype or _sum_dtype(np_dtype(x.dtype).name))
    return _prod(x if np_dtype(x.dtype) == wanted else cast(x, dtype=wanted), axis=_static(axis), keepdims=keepdims)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Arithmetic mean over axes.

    Args:
        x: Tensor; integers become ``floatx()``.
        axis: Axis, axes, or ``None`` for all.
        keepdims: Keep the reduced axes with size 1.

    Example:
        >>> mean([[1, 2], [3, 4]], axis=0)
        Tensor([2., 3.], dtype=float32)
    """
    return _mean(_floating(x), axis=_static(axis), keepdims=keepdims)


def var(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Variance over axes, the mean of squared deviations (no Bessel correction).

    Args:
        x: Tensor; integers become ``floatx()``.
        axis: Axis, axes, or ``None`` for all.
        keepdims: Keep the reduced axes with size 1.

    Example:
        >>> var([1.0, 3.0])
        Tensor(1., dtype=float32)
    """
    return _var(_floating(x), axis=_static(axis), keepdims=keepdims)


def std(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Standard deviation over axes, the square root of :func:`var`.

    Example:
        >>> std([1.0, 3.0])
        Tensor(1., dtype=float32)
    """
    from .elementwise import sqrt

    return sqrt(var(x, axis, keepdims))


def _extremum(op: Basic, x: Any, axis: Axis, keepdims: bool, initial: Any, better: Any) -> Any:
    if not isinstance(x, Spec):
        x = to_tensor(x)
        n = _count(x, axis)
        if n == 0:
            if initial is None:
                raise ValueError(f"{op.name} over no elements (shape {x.shape}, axis {axis}) needs `initial`.")
            from .creation import full

            return full(reduced(x.shape, axis, keepdims), initial, dtype=x.dtype)
    y = op(x, axis=_static(axis), keepdims=keepdims)
    return y if initial is None else better(y, initial)


def max(x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Largest element over axes; ties share the gradient.

    Args:
        x: Tensor.
        axis: Axis, axes, or ``None`` for all.
        keepdims: Keep the reduced axes with size 1.
        initial: A lower bound of the result, also the result over no elements.

    Raises:
        ValueError: over no elements without ``initial``.

    Example:
        >>> max([[1, 5], [3, 4]], axis=0)
        Tensor([3, 5], dtype=int32)
    """
    from .elementwise import maximum

    return _extremum(_max, x, axis, keepdims, initial, maximum)


def min(x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Smallest element over axes; ties share the gradient.

    Args:
        x: Tensor.
        axis: Axis, axes, or ``None`` for all.
        keepdims: Keep the reduced axes with size 1.
        initial: An upper bound of the result, also the result over no elements.

    Raises:
        ValueError: over no elements without ``initial``.

    Example:
        >>> min([[1, 5], [3, 4]], axis=0)
        Tensor([1, 4], dtype=int32)
    """
    from .elementwise import minimum

    return _extremum(_min, x, axis, keepdims, initial, minimum)


def amax(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """As :func:`max`, without a bound.

    Example:
        >>> amax([[1, 5], [3, 4]], axis=0)
        Tensor([3, 5], dtype=int32)
    """
    return max(x, axis, keepdims)


def amin(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """As :func:`min`, without a bound.

    Example:
        >>> amin([[1, 5], [3, 4]], axis=0)
        Tensor([1, 4], dtype=int32)
    """
    return min(x, axis, keepdims)


def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether some element is nonzero.

    Example:
        >>> any([[0, 1], [0, 0]], axis=1)
        Tensor([ True, False], dtype=bool)
    """
    return _any(x, axis=_static(axis), keepdims=keepdims)


def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether every element is nonzero.

    Example:
        >>> all([[1, 1], [0, 1]], axis=1)
        Tensor([ True, False], dtype=bool)
    """
    return _all(x, axis=_static(axis), keepdims=keepdims)


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the first largest element, int32.

    Example:
        >>> argmax([[1, 5], [3, 4]], axis=1)
        Tensor([1, 1], dtype=int32)
    """
    return _argmax(x, axis=axis, keepdims=keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Position of the first smallest element, int32.

    Example:
        >>> argmin([[1, 5], [3, 4]], axis=1)
        Tensor([0, 0], dtype=int32)
    """
    return _argmin(x, axis=axis, keepdims=keepdims)


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """log Σ e^x over axes, computed from the largest element so that nothing overflows.

    Example:
        >>> logsumexp([1000.0, 1000.0])
        Tensor(1000.693..., dtype=float32)
    """
    return _logsumexp(_floating(x), axis=_static(axis), keepdims=keepdims)


__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "logsumexp",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]

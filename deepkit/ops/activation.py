"""Activations: smooth, piecewise linear and sparse ones."""

from __future__ import annotations

import math
from typing import Any

from ..autograd.dtypes import np_dtype
from ..autograd.op import cast
from ..autograd.spec import Spec
from . import elementwise as e
from .index import where
from .logistic import sigmoid, softplus
from .reduce import _floating, axes_of
from .reduce import sum as _sum
from .sorting import cumsum, sort
from .symbolic import one_node
from .table import Table

_table = Table(__name__)
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def relu_grad(g: Any, y: Any) -> Any:
    """Gradient of relu from its result ``y``: g where y is positive."""
    return g * cast(y > 0, dtype=np_dtype(g.dtype))


relu = _table.unary("relu", lambda k, g, y, x: k.relu_grad(g, y), "max(x, 0).",
                    "relu([-1.0, 2.0]) -> Tensor([0., 2.], dtype=float32)", "number")  # fmt: skip


def _silu_vjp(k: Any, g: Any, y: Any, x: Any) -> Any:
    s = k.sigmoid(x)
    return g * (s + y * (1 - s))


silu = _table.unary("silu", _silu_vjp, "x · sigmoid(x), or swish (Ramachandran et al. 2017, arXiv:1710.05941).",
                    "silu([0.0]) -> Tensor([0.], dtype=float32)")  # fmt: skip
swish = silu


def _clip(x: Any, low: float, high: float) -> Any:
    return e.minimum(e.maximum(x, low), high)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where positive, else α (e^x - 1) (Clevert et al. 2016, arXiv:1511.07289).

    Example:
        >>> elu([1.0, 0.0])
        Tensor([1., 0.], dtype=float32)
    """
    x = _floating(x)
    return where(x > 0, x, e.expm1(e.minimum(x, 0)) * alpha)


def relu6(x: Any) -> Any:
    """min(max(x, 0), 6).

    Example:
        >>> relu6([-1.0, 3.0, 9.0])
        Tensor([0., 3., 6.], dtype=float32)
    """
    return e.minimum(relu(_floating(x)), 6)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """x where positive, else negative_slope · x.

    Example:
        >>> leaky_relu([-1.0, 2.0], 0.5)
        Tensor([-0.5,  2. ], dtype=float32)
    """
    x = _floating(x)
    return where(x > 0, x, x * negative_slope)


def gelu(x: Any, approximate: bool = True) -> Any:
    """x Φ(x), Φ the normal distribution function (Hendrycks & Gimpel 2016, arXiv:1606.08415).

    Args:
        x: Tensor.
        approximate: Use x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³))) instead of the error function.

    Example:
        >>> gelu([0.0, 1.0], approximate=False)
        Tensor([0.       , 0.8413447], dtype=float32)
    """
    x = _floating(x)
    if approximate:
        return x * 0.5 * (e.tanh((x + x * x * x * 0.044715) * math.sqrt(2 / math.pi)) + 1)
    return x * 0.5 * (e.erf(x * math.sqrt(0.5)) + 1)


def selu(x: Any) -> Any:
    """1.0507 · elu(x, 1.67326), which keeps activations normalised (Klambauer et al. 2017, arXiv:1706.02515).

    Example:
        >>> selu([0.0, 1.0])
        Tensor([0.      , 1.050701], dtype=float32)
    """
    x = _floating(x)
    return where(x > 0, x, e.expm1(e.minimum(x, 0)) * _SELU_ALPHA) * _SELU_SCALE


def celu(x: Any, alpha: float = 1.0) -> Any:
    """max(x, 0) + α (e^(min(x, 0) / α) - 1) (Barron 2017, arXiv:1704.07483).

    Example:
        >>> celu([0.0, 1.0])
        Tensor([0., 1.], dtype=float32)
    """
    x = _floating(x)
    return where(x > 0, x, e.expm1(e.minimum(x, 0) / alpha) * alpha)


def hard_sigmoid(x: Any) -> Any:
    """relu6(x + 3) / 6, a piecewise linear sigmoid.

    Example:
        >>> hard_sigmoid([-4.0, 0.0, 4.0])
        Tensor([0. , 0.5, 1. ], dtype=float32)
    """
    return relu6(_floating(x) + 3) / 6


def hard_silu(x: Any) -> Any:
    """x · hard_sigmoid(x) (Howard et al. 2019, arXiv:1905.02244).

    Example:
        >>> hard_silu([-4.0, 0.0, 4.0])
        Tensor([-0.,  0.,  4.], dtype=float32)
    """
    x = _floating(x)
    return x * hard_sigmoid(x)


hard_swish = hard_silu


def hard_tanh(x: Any) -> Any:
    """x clipped to [-1, 1].

    Example:
        >>> hard_tanh([-4.0, 0.5, 4.0])
        Tensor([-1. ,  0.5,  1. ], dtype=float32)
    """
    return _clip(_floating(x), -1, 1)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x where \\|x\\| > threshold, else 0.

    Example:
        >>> hard_shrink([-0.4, 1.0])
        Tensor([0., 1.], dtype=float32)
    """
    x = _floating(x)
    return where(e.abs(x) > threshold, x, 0.0)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x moved towards 0 by threshold, and 0 within it.

    Example:
        >>> soft_shrink([-1.0, 0.4, 2.0])
        Tensor([-0.5,  0. ,  1.5], dtype=float32)
    """
    x = _floating(x)
    return where(x > threshold, x - threshold, where(x < -threshold, x + threshold, 0.0))


def tanh_shrink(x: Any) -> Any:
    """x - tanh(x).

    Example:
        >>> tanh_shrink([0.0])
        Tensor([0.], dtype=float32)
    """
    x = _floating(x)
    return x - e.tanh(x)


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """x where it is above the threshold, else a default.

    Example:
        >>> threshold([0.5, 2.0], 1.0, 7.0)
        Tensor([7., 2.], dtype=float32)
    """
    x = _floating(x)
    return where(x > threshold, x, default_value)


def softsign(x: Any) -> Any:
    """x / (1 + \\|x\\|).

    Example:
        >>> softsign([1.0, -1.0])
        Tensor([ 0.5, -0.5], dtype=float32)
    """
    x = _floating(x)
    return x / (e.abs(x) + 1)


def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x)) = -softplus(-x).

    Example:
        >>> log_sigmoid([0.0])
        Tensor([-0.6931472], dtype=float32)
    """
    return -softplus(-_floating(x))


def squareplus(x: Any, b: float = 4) -> Any:
    """(x + √(x² + b)) / 2, a smooth relu without exponentials (Barron 2021, arXiv:2112.11687).

    Example:
        >>> squareplus([0.0])
        Tensor([1.], dtype=float32)
    """
    x = _floating(x)
    return (x + e.sqrt(x * x + b)) / 2


def sparse_plus(x: Any) -> Any:
    """0 up to -1, (x + 1)² / 4 between -1 and 1, x from 1 on.

    Example:
        >>> sparse_plus([-2.0, 0.0, 3.0])
        Tensor([0.  , 0.25, 3.  ], dtype=float32)
    """
    x = _floating(x)
    return where(x <= -1, 0.0, where(x < 1, e.square(x + 1) / 4, x))


def sparse_sigmoid(x: Any) -> Any:
    """(x + 1) / 2 clipped to [0, 1].

    Example:
        >>> sparse_sigmoid([-2.0, 0.0, 3.0])
        Tensor([0. , 0.5, 1. ], dtype=float32)
    """
    x = _floating(x)
    return where(x <= -1, 0.0, where(x < 1, (x + 1) * 0.5, 1.0))


@one_node
def glu(x: Any, axis: int = -1) -> Any:
    """a · sigmoid(b), a and b the halves of x along an axis (Dauphin et al. 2016, arXiv:1612.08083).

    Raises:
        ValueError: if the axis has an odd size.

    Example:
        >>> glu([2.0, 0.0])
        Tensor([1.], dtype=float32)
    """
    x = _floating(x)
    a = axes_of(axis, len(x.shape))[0]
    n = x.shape[a]
    if n is None:
        return Spec(x.shape, x.dtype)
    if n % 2:
        raise ValueError(f"glu halves axis {axis} of shape {tuple(x.shape)}, whose size must be even.")
    lead = (slice(None),) * a
    return x[lead + (slice(0, n // 2),)] * sigmoid(x[lead + (slice(n // 2, n),)])


def sparsemax(x: Any, axis: int = -1) -> Any:
    """The Euclidean projection onto the simplex: like softmax, but with zeros (Martins & Astudillo 2016).

    Example:
        >>> sparsemax([2.0, 1.5, 0.0])
        Tensor([0.75, 0.25, 0.  ], dtype=float32)
    """
    from .creation import arange, cast
    from .shape import moveaxis

    logits = moveaxis(_floating(x), axis, -1)
    n = logits.shape[-1]
    ordered = -sort(-logits, axis=-1)
    rank = cast(arange(1, n + 1), logits.dtype)
    support = cast(rank * ordered + 1 > cumsum(ordered, axis=-1), logits.dtype)
    size = _sum(support, axis=-1, keepdims=True)
    tau = (_sum(ordered * support, axis=-1, keepdims=True) - 1) / size
    return moveaxis(relu(logits - tau), -1, axis)


__all__ = [*_table.functions, "celu", "elu", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish",
           "hard_tanh", "leaky_relu", "log_sigmoid", "relu6", "relu_grad", "selu",
           "soft_shrink", "softsign", "sparse_plus",
           "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh_shrink", "threshold"]  # fmt: skip
__test__ = _table.doctests()

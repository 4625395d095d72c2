"""The logistic family: sigmoid, softplus and softmax, with the gradients that their results give."""

from __future__ import annotations

from typing import Any

from ..autograd.op import Basic
from ..autograd.spec import Spec
from . import elementwise as e
from .reduce import _floating
from .table import Table

_table = Table(__name__)
unary = _table.unary

sigmoid = unary("sigmoid", lambda k, g, y, x: g * y * (1 - y), "1 / (1 + e^-x).",
                "sigmoid([0.0]) -> Tensor([0.5], dtype=float32)")  # fmt: skip
softplus = unary("softplus", lambda k, g, y, x: g * k.sigmoid(x), "log(1 + e^x).")


def _same(x: Spec, axis: int = -1) -> Spec:
    return Spec(x.shape, x.dtype)


def _softmax_vjp(k: Any, g: Any, y: Any, x: Any, axis: int = -1) -> Any:
    return k.softmax_grad(g, y, axis)


def _log_softmax_vjp(k: Any, g: Any, y: Any, x: Any, axis: int = -1) -> Any:
    return k.log_softmax_grad(g, y, axis)


_softmax = Basic("softmax", _same, _softmax_vjp)
_log_softmax = Basic("log_softmax", _same, _log_softmax_vjp)


def softmax_grad(g: Any, y: Any, axis: Any = -1) -> Any:
    """Gradient of softmax from its result ``y``: y · (g - Σ g·y)."""
    gy = g * y
    return gy - y * gy.sum(axis=axis, keepdims=True)


def log_softmax_grad(g: Any, y: Any, axis: Any = -1) -> Any:
    """Gradient of log-softmax from its result ``y``: g - e^y · Σ g."""
    return g - e.exp(y) * g.sum(axis=axis, keepdims=True)


def softmax(x: Any, axis: Any = -1) -> Any:
    """e^x / Σ e^x along an axis (or axes), stable for large x.

    Args:
        x: Tensor.
        axis: Axis or axes to normalise over; ``None`` for all.

    Example:
        >>> softmax([1.6, 0.55, 0.98])
        Tensor([0.529..., 0.185..., 0.284...], dtype=float32)
    """
    return _softmax(_floating(x), axis=tuple(axis) if isinstance(axis, list) else axis)


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """log(softmax(x)), computed without the exponentials' overflow.

    Example:
        >>> log_softmax([0.0, 0.0])
        Tensor([-0.6931472, -0.6931472], dtype=float32)
    """
    return _log_softmax(_floating(x), axis=tuple(axis) if isinstance(axis, list) else axis)


__all__ = [*_table.functions, "log_softmax", "log_softmax_grad", "softmax", "softmax_grad"]
__test__ = _table.doctests()

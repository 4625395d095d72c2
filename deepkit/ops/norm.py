"""Normalization as ops: batch statistics and rows."""

from __future__ import annotations

from typing import Any

from ..autograd.op import Op
from ..autograd.spec import Spec
from . import elementwise as e
from .reduce import mean as _mean


def _affine(y: Any, gamma: Any, beta: Any) -> Any:
    y = y if gamma is None else y * gamma
    return y if beta is None else y + beta


def _activated(k: Any, y: Any, saved: Any, act: str | None, done: bool) -> tuple[Any, Any]:
    """The result with its activation, where the kernel hasn't applied it, and what the gradient needs."""
    if act is None or done:
        return y, (saved, None, None)
    y = k.activate(y, act)
    return y, (saved, y, act)


class BatchNorm(Op):
    """act(gamma (x - mean) / √(var + ε) + beta) over every axis but the last; also gives mean and variance.

    The two statistics are for the moving averages; no gradient flows through them.
    """

    outputs = 3

    def infer(
        self, x: Spec, gamma: Any, beta: Any, epsilon: float = 1e-3, act: str | None = None
    ) -> tuple[Spec, Spec, Spec]:
        return Spec(x.shape, x.dtype), Spec(x.shape[-1:], x.dtype), Spec(x.shape[-1:], x.dtype)

    def forward(
        self, k: Any, x: Any, gamma: Any, beta: Any, epsilon: float = 1e-3, act: str | None = None
    ) -> tuple[Any, Any]:
        fused = act in k.BATCH_NORM_ACTIVATIONS
        y, mean, variance, saved = k.batch_norm(x, gamma, beta, epsilon, *((act,) if fused else ()))
        y, saved = _activated(k, y, saved, act, fused)
        return (y, mean, variance), saved

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        if g[0] is None:
            return None, None, None
        saved, y, act = saved
        return k.batch_norm_grad(saved, k.activate_grad(g[0], y, act), needs)

    def reference(self, x: Any, gamma: Any, beta: Any, epsilon: float = 1e-3, act: str | None = None) -> Any:
        axes = tuple(range(len(x.shape) - 1))
        mean = _mean(x, axis=axes)
        variance = _mean(e.square(x - mean), axis=axes)
        y = _affine((x - mean) * e.rsqrt(variance + epsilon), gamma, beta)
        return (y if act is None else getattr(e, act)(y)), mean, variance


class FixedNorm(Op):
    """act(gamma (x - mean) / √(variance + ε) + beta) with statistics that are given, as a trained model has them."""

    def infer(
        self, x: Spec, mean: Any, variance: Any, gamma: Any, beta: Any, epsilon: float = 1e-3, act: str | None = None
    ) -> Spec:
        return Spec(x.shape, x.dtype)

    def forward(
        self, k: Any, x: Any, mean: Any, variance: Any, gamma: Any, beta: Any, epsilon: float = 1e-3,
        act: str | None = None,
    ) -> tuple[Any, Any]:  # fmt: skip
        return _activated(k, *k.fixed_norm(x, mean, variance, gamma, beta, epsilon), act, False)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        saved, y, act = saved
        return k.fixed_norm_grad(saved, k.activate_grad(g, y, act), needs)

    def reference(
        self, x: Any, mean: Any, variance: Any, gamma: Any, beta: Any, epsilon: float = 1e-3, act: str | None = None
    ) -> Any:
        scale = e.rsqrt(variance + epsilon)
        scale = scale if gamma is None else scale * gamma
        shift = -mean * scale
        y = x * scale + (shift if beta is None else shift + beta)
        return y if act is None else getattr(e, act)(y)


class LayerNorm(Op):
    """gamma (x - mean) / √(var + ε) + beta over the last axis; without ``centre`` the root mean square only."""

    def infer(self, x: Spec, gamma: Any, beta: Any, epsilon: float = 1e-3, centre: bool = True) -> Spec:
        return Spec(x.shape, x.dtype)

    def forward(
        self, k: Any, x: Any, gamma: Any, beta: Any, epsilon: float = 1e-3, centre: bool = True
    ) -> tuple[Any, Any]:
        return k.layer_norm(x, gamma, beta, epsilon, centre)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        return k.layer_norm_grad(saved, g, needs)

    def reference(self, x: Any, gamma: Any, beta: Any, epsilon: float = 1e-3, centre: bool = True) -> Any:
        if centre:
            x = x - _mean(x, axis=-1, keepdims=True)
        return _affine(x * e.rsqrt(_mean(e.square(x), axis=-1, keepdims=True) + epsilon), gamma, beta)


batch_norm, fixed_norm, layer_norm = BatchNorm(), FixedNorm(), LayerNorm()

__all__ = ["BatchNorm", "FixedNorm", "LayerNorm", "batch_norm", "fixed_norm", "layer_norm"]

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


class BatchNorm(Op):
    """gamma (x - mean) / √(var + ε) + beta over every axis but the last; also gives mean and variance.

    The two statistics are for the moving averages; no gradient flows through them.
    """

    outputs = 3

    def infer(self, x: Spec, gamma: Any, beta: Any, epsilon: float = 1e-3) -> tuple[Spec, Spec, Spec]:
        return Spec(x.shape, x.dtype), Spec(x.shape[-1:], x.dtype), Spec(x.shape[-1:], x.dtype)

    def forward(self, k: Any, x: Any, gamma: Any, beta: Any, epsilon: float = 1e-3) -> tuple[Any, Any]:
        y, mean, variance, saved = k.batch_norm(x, gamma, beta, epsilon)
        return (y, mean, variance), saved

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        if g[0] is None:
            return None, None, None
        return k.batch_norm_grad(saved, g[0], needs)

    def reference(self, x: Any, gamma: Any, beta: Any, epsilon: float = 1e-3) -> Any:
        axes = tuple(range(len(x.shape) - 1))
        mean = _mean(x, axis=axes)
        variance = _mean(e.square(x - mean), axis=axes)
        return _affine((x - mean) * e.rsqrt(variance + epsilon), gamma, beta), mean, variance


class FixedNorm(Op):
    """gamma (x - mean) / √(variance + ε) + beta with statistics that are given, as a trained model has them."""

    def infer(self, x: Spec, mean: Any, variance: Any, gamma: Any, beta: Any, epsilon: float = 1e-3) -> Spec:
        return Spec(x.shape, x.dtype)

    def forward(
        self, k: Any, x: Any, mean: Any, variance: Any, gamma: Any, beta: Any, epsilon: float = 1e-3
    ) -> tuple[Any, Any]:
        return k.fixed_norm(x, mean, variance, gamma, beta, epsilon)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        return k.fixed_norm_grad(saved, g, needs)

    def reference(
        self, x: Any, mean: Any, variance: Any, gamma: Any, beta: Any, epsilon: float = 1e-3
    ) -> Any:
        scale = e.rsqrt(variance + epsilon)
        scale = scale if gamma is None else scale * gamma
        shift = -mean * scale
        return x * scale + (shift if beta is None else shift + beta)


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

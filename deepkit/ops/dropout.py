"""Dropout from the Philox stream."""

from __future__ import annotations

from typing import Any

from ..autograd.op import Op
from ..autograd.spec import Spec
from ..autograd.tensor import Tensor


def _scale(rate: float) -> float:
    """What makes up for the elements that are dropped; nothing is left to scale when all are."""
    return 1 / (1 - rate) if rate < 1 else 0.0


class Dropout(Op):
    """x · keep / (1 - rate), where ``keep`` is drawn from the stream (key, draw) (Srivastava et al., JMLR 2014)."""

    def infer(self, x: Spec, rate: float, key: int = 0, draw: int = 0, noise_shape: Any = None) -> Spec:
        return Spec(x.shape, x.dtype)

    def forward(self, k: Any, x: Any, rate: float, key: int, draw: int, noise_shape: Any = None) -> tuple[Any, Any]:
        how = (rate, key, draw, noise_shape, _scale(rate))
        return k.dropout(x, *how), how

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        return (k.dropout(g, *saved),)

    def reference(self, x: Any, rate: float, key: int, draw: int, noise_shape: Any = None) -> Any:
        from .. import backend

        shape = x.shape if noise_shape is None else noise_shape
        keep = backend.kernels_of(x.data).random_keep(key, draw, shape, rate)
        return x * Tensor(keep.astype(x.dtype)) * _scale(rate)


dropout = Dropout()

__all__ = ["Dropout", "dropout"]

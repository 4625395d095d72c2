"""Functions with gradients of their own."""

from __future__ import annotations

import functools
from typing import Any

from ..autograd.op import Op, paused, to_tensor
from ..autograd.tensor import Tensor


class _Custom(Op):
    """A function with a gradient of its own; made anew for each call, as it holds the gradient."""

    name = "custom_gradient"

    def __init__(self, value: Any, grad: Any, params: dict):
        self.value, self.grad, self.params = value, grad, params

    def forward(self, k: Any, *arrays: Any, **params: Any) -> tuple[Any, Any]:
        return self.value.data, None

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        found = self.grad(Tensor(k.asarray(g)))
        found = found if isinstance(found, (tuple, list)) else (found,)
        return [x.data if isinstance(x, Tensor) else x for x in found]

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        found = self.grad(g)
        return found if isinstance(found, (tuple, list)) else (found,)


def custom_gradient(f: Any) -> Any:
    """Decorator: give a function of tensors a gradient of its own.

    Args:
        f: Function of tensors that returns ``(value, grad)``; ``grad(upstream)`` gives the gradient of each input.

    Example:
        >>> import deepkit
        >>> @custom_gradient
        ... def log1pexp(x):
        ...     e = deepkit.ops.exp(x)
        ...     return deepkit.ops.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))
        >>> float(deepkit.grad(log1pexp)(0.0))
        0.5
    """
    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        inputs = [to_tensor(a) for a in args]
        with paused():
            value, grad = f(*inputs, **kwargs)
        return _Custom(to_tensor(value), grad, kwargs)(*inputs)

    return call


__all__ = ["custom_gradient"]

"""Losses as ops: squared error and cross entropies, each with its gradient in one kernel."""

from __future__ import annotations

from typing import Any

from .. import config
from ..autograd.dtypes import np_dtype
from ..autograd.op import Op, to_tensor
from ..autograd.spec import Spec, broadcast_shapes
from . import elementwise as e
from .creation import cast
from .logistic import log_softmax
from .reduce import mean, mean_kernel
from .reduce import sum as _sum
from .shape import expand_dims


class SquaredError(Op):
    """Mean of (p - t)² over the last axis; t and p of one shape."""

    weak = True

    def infer(self, t: Spec, p: Spec) -> Spec:
        return Spec(broadcast_shapes(t.shape, p.shape)[:-1], p.dtype)

    def forward(self, k: Any, t: Any, p: Any) -> tuple[Any, Any]:
        return k.squared_error(t, p)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        gp = k.squared_error_grad(saved, g)
        return (-gp if needs[0] is not False else None, gp)

    def reference(self, t: Any, p: Any) -> Any:
        return mean(e.square(p - t), axis=-1)


class CrossEntropy(Op):
    """-Σ t log q over the last axis; q from logits or probabilities, t labels or a distribution."""

    def infer(self, t: Spec, p: Spec, from_logits: bool = False, sparse: bool = False) -> Spec:
        return Spec(p.shape[:-1], p.dtype)

    def forward(self, k: Any, t: Any, p: Any, from_logits: bool = False, sparse: bool = False) -> tuple[Any, Any]:
        epsilon = config.epsilon()
        y, saved = k.cross_entropy(t, p, from_logits, sparse, epsilon)
        return y, (t, p, saved, from_logits, sparse, epsilon)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        t, p, inner, from_logits, sparse, epsilon = saved
        # Labels have no gradient; a distribution does, where it comes out of another network.
        wanted = needs[0] is not False and not sparse
        gt = k.cross_entropy_target_grad(p, g, from_logits, epsilon) if wanted else None
        gp = None if needs[1] is False else k.cross_entropy_grad(t, inner, g, from_logits, sparse, epsilon)
        return gt, gp

    def reference(self, t: Any, p: Any, from_logits: bool = False, sparse: bool = False) -> Any:
        if sparse:
            t = cast(e.equal(expand_dims(t, -1), _range(p.shape[-1])), p.dtype)
        if from_logits:
            return -_sum(t * log_softmax(p, axis=-1), axis=-1)
        q = p / _sum(p, axis=-1, keepdims=True)
        epsilon = config.epsilon()
        return -_sum(t * e.log(e.minimum(e.maximum(q, epsilon), 1 - epsilon)), axis=-1)


class BinaryCrossEntropy(Op):
    """-t log q - (1 - t) log(1 - q), elementwise; q from logits or probabilities."""

    weak = True

    def infer(self, t: Spec, p: Spec, from_logits: bool = False) -> Spec:
        return Spec(broadcast_shapes(t.shape, p.shape), p.dtype)

    def forward(self, k: Any, t: Any, p: Any, from_logits: bool = False) -> tuple[Any, Any]:
        epsilon = config.epsilon()
        return k.binary_cross_entropy(t, p, from_logits, epsilon), (t, p, from_logits, epsilon)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        t, p, from_logits, epsilon = saved
        gt = None if needs[0] is False else k.binary_cross_entropy_target_grad(p, g, from_logits, epsilon)
        gp = None if needs[1] is False else k.binary_cross_entropy_grad(t, p, g, from_logits, epsilon)
        return gt, gp

    def reference(self, t: Any, p: Any, from_logits: bool = False) -> Any:
        if from_logits:
            return e.maximum(p, 0) - p * t + e.log1p(e.exp(-e.abs(p)))
        epsilon = config.epsilon()
        q = e.minimum(e.maximum(p, epsilon), 1 - epsilon)
        return -(t * e.log(q) + (1 - t) * e.log1p(-q))


class BatchMean(Op):
    """The mean of what a loss gives for each sample: one op, where a training step would call and record two.

    Args:
        loss: The op of the loss.
    """

    def __init__(self, loss: Op):
        self.loss = loss
        self.name = f"mean of {loss.name}"

    def infer(self, t: Spec, p: Spec, **params: Any) -> Spec:
        return Spec((), p.dtype)

    def forward(self, k: Any, t: Any, p: Any, **params: Any) -> tuple[Any, Any]:
        y, saved = self.loss.forward(k, t, p, **params)
        return mean_kernel(k, y), (saved, y.shape, y.size)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        inner, shape, n = saved
        return self.loss.backward(k, inner, k.spread(g / n, shape), needs)

    def reference(self, t: Any, p: Any, **params: Any) -> Any:
        assert self.loss.reference is not None
        return mean(self.loss.reference(t, p, **params))


def _range(n: int) -> Any:
    from .creation import arange

    return arange(n)


squared_error = SquaredError()
cross_entropy = CrossEntropy()
_binary = BinaryCrossEntropy()
mean_of_squared_error = BatchMean(squared_error)
mean_of_cross_entropy = BatchMean(cross_entropy)


def _tensor(x: Any) -> Any:
    return x if isinstance(x, Spec) else to_tensor(x)


def _last(x: Any, axis: int) -> Any:
    """``x`` with ``axis`` moved to the end."""
    from .shape import moveaxis

    return x if axis in (-1, len(x.shape) - 1) else moveaxis(x, axis, -1)


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """Cross entropy between a distribution and predictions: -Σ target · log(output).

    Args:
        target: Probabilities, as one-hot vectors or a distribution; the shape of ``output``.
        output: Predicted probabilities, or logits.
        from_logits: Whether ``output`` holds logits.
        axis: Axis of the classes.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
        Tensor([0.6931472], dtype=float32)
    """
    target, output = _tensor(target), _tensor(output)
    if len(target.shape) != len(output.shape) or any(
        a is not None and b is not None and a != b for a, b in zip(target.shape, output.shape)
    ):
        raise ValueError(
            f"categorical_crossentropy: targets of shape {tuple(target.shape)} and predictions of shape "
            f"{tuple(output.shape)} differ. For integer labels use sparse_categorical_crossentropy, or turn them into "
            "one-hot vectors with deepkit.utils.to_categorical."
        )
    return cross_entropy(_last(cast(target, output.dtype), axis), _last(output, axis), from_logits=from_logits)


def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """Cross entropy between integer labels and predictions: -log(output[label]).

    Args:
        target: Integer labels, of the shape of ``output`` without ``axis`` (or with size 1 there).
        output: Predicted probabilities, or logits.
        from_logits: Whether ``output`` holds logits.
        axis: Axis of the classes.

    Raises:
        ValueError: if the shapes don't fit.

    Example:
        >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]])
        Tensor([0.6931472], dtype=float32)
    """
    from .shape import squeeze

    target, output = _tensor(target), _last(_tensor(output), axis)
    if len(target.shape) == len(output.shape) and target.shape[-1] == 1:
        target = squeeze(target, -1)
    if len(target.shape) != len(output.shape) - 1 or any(
        a is not None and b is not None and a != b for a, b in zip(target.shape, output.shape)
    ):
        raise ValueError(
            f"sparse_categorical_crossentropy: labels of shape {tuple(target.shape)} don't fit predictions of shape "
            f"{tuple(output.shape)}: one integer a sample is expected. For one-hot targets use "
            f"categorical_crossentropy."
        )
    dtype = np_dtype(target.dtype) if isinstance(target, Spec) else target.data.dtype
    if dtype.kind != "i" or dtype.itemsize < 4:
        target = cast(target, "int32")
    return cross_entropy(target, output, from_logits=from_logits, sparse=True)


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """-target · log(output) - (1 - target) · log(1 - output), elementwise.

    Args:
        target: Zeros and ones, or probabilities; the shape of ``output``.
        output: Predicted probabilities, or logits.
        from_logits: Whether ``output`` holds logits.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> binary_crossentropy([1.0], [0.5])
        Tensor([0.6931472], dtype=float32)
    """
    target, output = _tensor(target), _tensor(output)
    if len(target.shape) != len(output.shape) or any(
        a is not None and b is not None and a != b for a, b in zip(target.shape, output.shape)
    ):
        raise ValueError(
            f"binary_crossentropy: targets of shape {tuple(target.shape)} and predictions of shape "
            f"{tuple(output.shape)} "
            "differ."
        )
    return _binary(cast(target, output.dtype), output, from_logits=from_logits)


__all__ = ["binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"]

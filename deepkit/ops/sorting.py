"""Order along an axis: sorting, largest elements, running sums."""

from __future__ import annotations

from typing import Any

from ..autograd.op import Basic, Op, to_tensor
from ..autograd.spec import Spec
from .arrange import take_along_axis
from .creation import cast
from .shape import reshape
from .symbolic import one_node


def _like(x: Spec, **params: Any) -> Spec:
    return Spec(x.shape, x.dtype)


def _line(x: Spec, axis: int | None) -> tuple[int | None, ...]:
    return x.shape if axis is not None else reshape(x, (-1,)).shape


class Plain(Op):
    """An op without a gradient: a rule for shapes and a function of the kernel module and arrays."""

    differentiable = False

    def __init__(self, name: str, infer: Any, kernel: Any, outputs: int = 1):
        self.name, self.infer, self.kernel, self.outputs = name, infer, kernel, outputs  # type: ignore[method-assign]

    def forward(self, k: Any, *arrays: Any, **params: Any) -> tuple[Any, Any]:
        return self.kernel(k, *arrays, **params), None


def _stable_order(k: Any, x: Any, axis: int | None = -1) -> Any:
    return k.argsort(x, axis=axis, kind="stable").astype("int32")


_argsort = Plain("argsort", lambda x, axis=-1: Spec(_line(x, axis), "int32"), _stable_order)


def argsort(x: Any, axis: int | None = -1) -> Any:
    """Positions that sort ``x`` along an axis, equal elements in their order, int32.

    Args:
        x: Tensor.
        axis: The axis; ``None`` sorts all elements.

    Example:
        >>> argsort([3, 1, 2])
        Tensor([1, 2, 0], dtype=int32)
    """
    return _argsort(x, axis=axis)


def sort(x: Any, axis: int | None = -1) -> Any:
    """Elements in ascending order along an axis; gradients go to where the elements came from.

    Args:
        x: Tensor.
        axis: The axis; ``None`` sorts all elements.

    Example:
        >>> sort([3, 1, 2])
        Tensor([1, 2, 3], dtype=int32)
    """
    x = x if isinstance(x, Spec) else to_tensor(x)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    return take_along_axis(x, argsort(x, axis), axis)


def argpartition(x: Any, kth: int, axis: int = -1) -> Any:
    """Positions by which the element at ``kth`` is where sorting puts it, smaller ones before it, int32.

    Example:
        >>> int(argpartition([3, 1, 2], 0)[0])
        1
    """
    return _argpartition(x, kth=kth, axis=axis)


_argpartition = Plain(
    "argpartition",
    lambda x, kth, axis: Spec(_line(x, axis), "int32"),
    lambda k, x, kth, axis: k.argpartition(x, kth, axis).astype("int32"),
)


@one_node
def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Any, Any]:
    """The k largest elements of the last axis in descending order, and their positions (int32).

    Example:
        >>> top_k([1, 5, 3], 2)
        (Tensor([5, 3], dtype=int32), Tensor([1, 2], dtype=int32))
    """
    x = x if isinstance(x, Spec) else to_tensor(x)
    n = x.shape[-1]
    if n is not None and not 0 <= k <= n:
        raise ValueError(f"top_k: k={k} must be between 0 and the size of the last axis, {n}.")
    index = _top_positions(x, count=int(k))
    return take_along_axis(x, index, -1), index


def _top_kernel(kernels: Any, x: Any, count: int) -> Any:
    # A stable ascending sort of the reversed rows, read backwards, gives the first of equal elements first.
    order = kernels.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1]
    return (x.shape[-1] - 1 - order[..., :count]).astype("int32")


_top_positions = Plain("top_k", lambda x, count: Spec((*x.shape[:-1], count), "int32"), _top_kernel)


def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Whether each target's prediction is among the k largest of its row; ties count.

    Args:
        targets: Class numbers (n,).
        predictions: Scores (n, classes).
        k: How many.

    Returns:
        A boolean tensor (n,).

    Example:
        >>> in_top_k([0, 1], [[0.9, 0.1], [0.9, 0.1]], 1)
        Tensor([ True, False], dtype=bool)
    """
    return _in_top_k(targets, predictions, count=int(k))


def _in_top_kernel(kernels: Any, targets: Any, predictions: Any, count: int) -> Any:
    inside = (targets >= 0) & (targets < predictions.shape[-1])
    safe = kernels.where(inside, targets, 0).astype("int64")
    own = kernels.take_along_axis(predictions, safe[..., None], axis=-1)
    larger = kernels.sum(predictions > own, axis=-1)
    return inside & (larger < count) & kernels.isfinite(own[..., 0])


_in_top_k = Plain("in_top_k", lambda t, p, count: Spec(t.shape, "bool"), _in_top_kernel)


# -- running sums and products -----------------------------------------------------------------------------------------
def _running_infer(x: Spec, axis: int = 0) -> Spec:
    return Spec(x.shape, "int32" if x.dtype == "bool" else x.dtype)


def _reverse_cumsum(k: Any, g: Any, y: Any, x: Any, axis: int = 0) -> Any:
    return k.flip(k.cumsum(k.flip(g, axis), axis), axis)


def _cumprod_vjp(k: Any, g: Any, y: Any, x: Any, axis: int = 0) -> Any:
    # d y_j / d x_i is the product of the others up to j. Dividing by x_i is wrong at 0, so where the line has zeros
    # the products before and after the first zero are taken apart.
    zero = k.cast(k.equal(x, 0), x.dtype)
    seen = k.cumsum(zero, axis)
    first = zero * k.cast(k.equal(seen, 1), x.dtype)
    filled = k.cumprod(x + first, axis)
    plain = _reverse_cumsum(k, g * y, y, x, axis) / (x + zero)
    at_zero = _reverse_cumsum(k, g * filled, y, x, axis) * first
    return plain * (1 - zero) + at_zero


def _running(name: str) -> Any:
    return lambda k, x, axis=0: getattr(k, name)(
        x, axis=axis, dtype="int32" if x.dtype.kind == "b" else x.dtype
    )


_cumsum = Basic("cumsum", _running_infer, _reverse_cumsum, _running("cumsum"))
_cumprod = Basic("cumprod", _running_infer, _cumprod_vjp, _running("cumprod"))


def _along(op: Basic, x: Any, axis: int | None, dtype: Any) -> Any:
    x = x if isinstance(x, Spec) else to_tensor(x)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    return op(x if dtype is None else cast(x, dtype), axis=axis)


def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running sum along an axis, of all elements in a row by default.

    Example:
        >>> cumsum([1, 2, 3])
        Tensor([1, 3, 6], dtype=int32)
    """
    return _along(_cumsum, x, axis, dtype)


def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running product along an axis, of all elements in a row by default.

    Example:
        >>> cumprod([1, 2, 3])
        Tensor([1, 2, 6], dtype=int32)
    """
    return _along(_cumprod, x, axis, dtype)


__all__ = ["argpartition", "argsort", "cumprod", "cumsum", "in_top_k", "sort", "top_k"]

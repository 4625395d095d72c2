"""Selecting and placing elements: indexing, where, take."""

from __future__ import annotations

from typing import Any

from ..autograd.dtypes import join, join_scalar, np_dtype
from ..autograd.op import Basic, Op, spec_of, to_array, to_tensor, unbroadcast
from ..autograd.spec import Spec, broadcast_shapes
from ..autograd.tensor import Tensor
from .reduce import axes_of


def _raw_index(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(_raw_index(i) for i in index)
    if isinstance(index, Tensor):
        return index.data
    return index


def _is_simple(index: Any) -> bool:
    """Whether an index names no element twice: integers, slices, ``...`` and ``None`` only."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(i is None or i is Ellipsis or isinstance(i, (int, slice)) for i in parts)


def _getitem_infer(x: Spec, index: Any) -> Spec:
    parts = list(index) if isinstance(index, tuple) else [index]
    used = sum(i is not None and i is not Ellipsis for i in parts)
    if Ellipsis not in [i if i is Ellipsis else None for i in parts]:
        parts.append(Ellipsis)
    if used > len(x.shape):
        raise IndexError(f"Too many indices ({used}) for a tensor of shape {x.shape}.")
    out: list[int | None] = []
    fancy: list[tuple[int | None, ...]] = []
    fancy_at = 0
    axis = 0
    for i in parts:
        if i is Ellipsis:
            rest = len(x.shape) - used
            out += x.shape[axis : axis + rest]
            axis += rest
        elif i is None:
            out.append(1)
        elif isinstance(i, slice):
            out.append(_sliced(x.shape[axis], i))
            axis += 1
        elif isinstance(i, int):
            n = x.shape[axis]
            if n is not None and not -n <= i < n:
                raise IndexError(f"Index {i} is out of range for axis {axis} of shape {x.shape}.")
            axis += 1
        else:
            if not fancy:
                fancy_at = len(out)
            fancy.append(tuple(i.shape) if hasattr(i, "shape") else spec_of(i).shape)
            axis += 1
    if fancy:
        out[fancy_at:fancy_at] = broadcast_shapes(*fancy)
    return Spec(out, x.dtype)


def _sliced(n: int | None, part: slice) -> int | None:
    if n is not None:
        return len(range(*part.indices(n)))
    return None if part != slice(None) or n is None else n


_getitem = Basic(
    "getitem",
    _getitem_infer,
    lambda k, g, y, x, index: k.getitem_grad(g, index, tuple(x.shape), _is_simple(index)),
)

_getitem_grad = Basic(
    "getitem_grad",
    lambda g, index, shape, unique: Spec(shape, g.dtype),
    lambda k, g, y, x, index, shape, unique: k.getitem(g, index),
)


def getitem(x: Any, index: Any) -> Any:
    """``x[index]`` with NumPy's basic and advanced indexing; ``x[i]`` is short for it.

    Args:
        x: Tensor.
        index: Integers, slices, ``...``, ``None``, integer or boolean arrays, or a tuple of these.

    Example:
        >>> getitem([[1, 2], [3, 4]], (slice(None), 0))
        Tensor([1, 3], dtype=int32)
    """
    return _getitem(x, index=_raw_index(index))


def getitem_grad(g: Any, index: Any, shape: tuple[int, ...], unique: bool) -> Any:
    """Zeros of ``shape`` with ``g`` added in at ``index``: the gradient of :func:`getitem`, itself differentiable."""
    return _getitem_grad(g, index=index, shape=shape, unique=unique)


class Where(Op):
    """x1 where condition holds, else x2."""

    def infer(self, condition: Spec, a: Any, b: Any) -> Spec:
        dtype = join(np_dtype(a.dtype), np_dtype(b.dtype))
        return Spec(broadcast_shapes(condition.shape, a.shape, b.shape), dtype.name)

    def forward(self, k: Any, condition: Any, a: Any, b: Any) -> tuple[Any, Any]:
        if condition.dtype.kind != "b":
            condition = condition != 0
        dtype = join(a.dtype, b.dtype)
        y = k.where(condition, a, b)
        return (y if y.dtype == dtype else y.astype(dtype)), (condition, a, b)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        return _where_grad(k, *saved, g, needs)

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        from .. import ops

        condition, a, b = (to_tensor(x) for x in inputs)
        return _where_grad(ops, condition, a, b, g, needs)


def _where_grad(k: Any, condition: Any, a: Any, b: Any, g: Any, needs: Any) -> Any:
    zero = k.zeros_like(g)
    ga = k.cast(unbroadcast(k, k.where(condition, g, zero), a.shape), a.dtype) if needs[1] is not False else None
    gb = k.cast(unbroadcast(k, k.where(condition, zero, g), b.shape), b.dtype) if needs[2] is not False else None
    return None, ga, gb


_where = Where()


def _weak_pair(a: Any, b: Any) -> tuple[Any, Any]:
    """Python scalars among the two take the dtype of the other."""
    scalar_a, scalar_b = type(a) in (bool, int, float), type(b) in (bool, int, float)
    if scalar_a and not scalar_b:
        b = b if isinstance(b, Spec) else to_tensor(b)
        a = to_array(a, join_scalar(np_dtype(b.dtype), a))
    elif scalar_b and not scalar_a:
        a = a if isinstance(a, Spec) else to_tensor(a)
        b = to_array(b, join_scalar(np_dtype(a.dtype), b))
    return a, b


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """``x1`` where ``condition`` holds, else ``x2``; with the condition alone, the indices of its nonzero elements.

    Args:
        condition: Boolean tensor.
        x1: Tensor or Python number.
        x2: Tensor or Python number.

    Returns:
        A tensor of the broadcast shape, or a tuple of index tensors.

    Raises:
        ValueError: if only one of ``x1`` and ``x2`` is given.

    Example:
        >>> where([True, False], [1.0, 2.0], 0)
        Tensor([1., 0.], dtype=float32)
    """
    if (x1 is None) != (x2 is None):
        raise ValueError("where takes both x1 and x2, or neither.")
    if x1 is None:
        from .counting import nonzero

        return nonzero(condition)
    return _where(condition, *_weak_pair(x1, x2))


class Take(Op):
    """Elements of x at integer positions along an axis; negative ones count from the end."""

    def infer(self, x: Spec, indices: Spec, axis: int | None = None) -> Spec:
        if axis is None:
            return Spec(indices.shape, x.dtype)
        a = axes_of(axis, len(x.shape))[0]
        return Spec(x.shape[:a] + indices.shape + x.shape[a + 1 :], x.dtype)

    def forward(self, k: Any, x: Any, indices: Any, axis: int | None = None) -> tuple[Any, Any]:
        if indices.dtype.kind not in "iu":
            indices = indices.astype("int32")
        return k.take(x, indices, axis=axis), (x.shape, indices, axis)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        shape, indices, axis = saved
        return (k.take_grad(g, indices, axis, shape, needs[0]) if needs[0] is not False else None, None)

    def reference(self, x: Any, indices: Any, axis: int | None = None) -> Any:
        if axis is None:
            return getitem(_flat(x), indices)
        return getitem(x, (slice(None),) * axes_of(axis, len(x.shape))[0] + (to_tensor(indices),))


def _flat(x: Any) -> Any:
    from .shape import reshape

    return reshape(x, (-1,))


_take = Take()


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Elements of ``x`` at ``indices`` along ``axis`` (of the flattened ``x`` when ``None``).

    Args:
        x: Tensor.
        indices: Integer tensor of any shape.
        axis: The axis that the indices replace.

    Example:
        >>> take([[1, 2], [3, 4]], [1, 0, 1], axis=0)
        Tensor([[3, 4],
               [1, 2],
               [3, 4]], dtype=int32)
    """
    return _take(x, indices, axis=axis)


__all__ = ["getitem", "getitem_grad", "take", "where"]

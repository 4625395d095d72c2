"""Shapes: reshaping, moving axes, joining and repeating."""

from __future__ import annotations

import operator
from typing import Any, Sequence

from ..autograd.dtypes import join, np_dtype
from ..autograd.op import Basic, Op, to_tensor
from ..autograd.spec import Spec
from .reduce import axes_of


def _known(sizes: Sequence[int | None]) -> int | None:
    total = 1
    for n in sizes:
        if n is None:
            return None
        total *= n
    return total


def reshaped(shape: Sequence[int | None], target: Sequence[int | None]) -> tuple[int | None, ...]:
    """Shape after a reshape; -1 (or ``None``) in ``target`` is what is left over.

    Raises:
        ValueError: if the sizes don't fit.
    """
    out: list[int | None] = [None if n is None or n == -1 else n for n in target]
    if out.count(None) > 1:
        return tuple(out)
    size, rest = _known(shape), _known([n for n in out if n is not None])
    assert rest is not None
    if None in out:
        if size is not None:
            if rest == 0 or size % rest:
                raise ValueError(f"A tensor of shape {tuple(shape)} can't be reshaped to {tuple(target)}.")
            out[out.index(None)] = size // rest
        elif sum(n is None for n in shape) == 1:
            # Where all the known sizes agree, the one that is left over is the unknown one.
            known = _known([n for n in shape if n is not None])
            if known and rest % known and known % rest:
                raise ValueError(f"A tensor of shape {tuple(shape)} can't be reshaped to {tuple(target)}.")
    elif size is not None and size != rest:
        raise ValueError(f"A tensor of shape {tuple(shape)} can't be reshaped to {tuple(target)}.")
    return tuple(out)


def _axes_permuted(x: Any, axes: Sequence[int] | None) -> tuple[int, ...]:
    n = len(x.shape)
    if axes is None:
        return tuple(range(n))[::-1]
    out = axes_of(tuple(axes), n)
    if sorted(out) != list(range(n)):
        raise ValueError(f"axes {tuple(axes)} are no permutation of the axes of shape {tuple(x.shape)}.")
    return out


def _transpose_infer(x: Spec, axes: Sequence[int] | None = None) -> Spec:
    return Spec([x.shape[a] for a in _axes_permuted(x, axes)], x.dtype)


def _transpose_vjp(k: Any, g: Any, y: Any, x: Any, axes: Sequence[int] | None = None) -> Any:
    order = _axes_permuted(x, axes)
    return k.transpose(g, tuple(order.index(i) for i in range(len(order))))


def _inserted(shape: Sequence[Any], axis: Any) -> tuple[Any, ...]:
    axes = (axis,) if not isinstance(axis, (tuple, list)) else axis
    n = len(shape) + len(axes)
    places = axes_of(axes, n)
    rest = iter(shape)
    return tuple(1 if i in places else next(rest) for i in range(n))


def _squeezed(shape: Sequence[Any], axis: Any) -> tuple[Any, ...]:
    if axis is None:
        return tuple(n for n in shape if n != 1)
    places = axes_of(axis, len(shape))
    for a in places:
        if shape[a] not in (1, None):
            raise ValueError(f"squeeze: axis {a} of shape {tuple(shape)} has size {shape[a]}, not 1.")
    return tuple(n for i, n in enumerate(shape) if i not in places)


def _broadcast_vjp(k: Any, g: Any, y: Any, x: Any, shape: Sequence[int]) -> Any:
    from ..autograd.op import unbroadcast

    return unbroadcast(k, g, x.shape)


def _flip_kernel(k: Any, x: Any, axis: Any = None) -> Any:
    return k.flip(x, axis)


def _roll_back(k: Any, g: Any, y: Any, x: Any, shift: Any, axis: Any = None) -> Any:
    back = tuple(-s for s in shift) if isinstance(shift, (tuple, list)) else -shift
    return k.roll(g, back, axis)


def _same(x: Spec, *args: Any, **params: Any) -> Spec:
    return Spec(x.shape, x.dtype)


_reshape = Basic("reshape", lambda x, newshape: Spec(reshaped(x.shape, newshape), x.dtype),
                 lambda k, g, y, x, newshape: k.reshape(g, x.shape),
                 lambda k, x, newshape: k.reshape(x, newshape))  # fmt: skip
_transpose = Basic("transpose", _transpose_infer, _transpose_vjp, lambda k, x, axes=None: k.transpose(x, axes))
_expand_dims = Basic("expand_dims", lambda x, axis: Spec(_inserted(x.shape, axis), x.dtype),
                     lambda k, g, y, x, axis: k.reshape(g, x.shape))  # fmt: skip
_squeeze = Basic("squeeze", lambda x, axis=None: Spec(_squeezed(x.shape, axis), x.dtype),
                 lambda k, g, y, x, axis=None: k.reshape(g, x.shape))  # fmt: skip
_broadcast_to = Basic("broadcast_to", lambda x, shape: Spec(shape, x.dtype), _broadcast_vjp)
_flip = Basic("flip", _same, lambda k, g, y, x, axis=None: k.flip(g, axis), _flip_kernel)
_roll = Basic("roll", _same, _roll_back, lambda k, x, shift, axis=None: k.roll(x, shift, axis))


def _sizes(shape: Any) -> tuple[Any, ...]:
    shape = (shape,) if not isinstance(shape, (tuple, list)) and not hasattr(shape, "__len__") else shape
    return tuple(n if n is None else operator.index(n) for n in shape)


def reshape(x: Any, newshape: Any) -> Any:
    """The same elements in another shape.

    Args:
        x: Tensor.
        newshape: Sizes; one may be -1 and is then whatever is left over.

    Raises:
        ValueError: if the number of elements differs.

    Example:
        >>> reshape([1, 2, 3, 4], (2, -1))
        Tensor([[1, 2],
               [3, 4]], dtype=int32)
    """
    sizes = _sizes(newshape)
    return _reshape(x, newshape=tuple(-1 if n is None else n for n in sizes))


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """Axes in another order, reversed by default.

    Args:
        x: Tensor.
        axes: A permutation of the axes.

    Example:
        >>> transpose([[1, 2, 3]]).shape
        (3, 1)
    """
    return _transpose(x, axes=None if axes is None else tuple(axes))


def expand_dims(x: Any, axis: Any) -> Any:
    """A new axis of size 1 at ``axis`` of the result (or several).

    Example:
        >>> expand_dims([1, 2], -1).shape
        (2, 1)
    """
    return _expand_dims(x, axis=axis)


def squeeze(x: Any, axis: Any = None) -> Any:
    """Without the axes of size 1, or without those named.

    Raises:
        ValueError: if a named axis has another size.

    Example:
        >>> squeeze([[[1, 2]]]).shape
        (2,)
    """
    if axis is None and isinstance(x, Spec):  # an axis of unknown size stays, whatever its size turns out to be
        axis = tuple(i for i, n in enumerate(x.shape) if n == 1)
    return _squeeze(x, axis=tuple(axis) if isinstance(axis, list) else axis)


def broadcast_to(x: Any, shape: Any) -> Any:
    """``x`` repeated along axes of size 1 up to ``shape``.

    Example:
        >>> broadcast_to([1, 2], (2, 2))
        Tensor([[1, 2],
               [1, 2]], dtype=int32)
    """
    return _broadcast_to(x, shape=_sizes(shape))


def spread(g: Any, shape: Any) -> Any:
    """:func:`broadcast_to` under the name that kernels have for it in gradients."""
    return broadcast_to(g, shape)


def flip(x: Any, axis: Any = None) -> Any:
    """Elements in reverse order along an axis, axes, or all.

    Example:
        >>> flip([1, 2, 3])
        Tensor([3, 2, 1], dtype=int32)
    """
    return _flip(x, axis=axis)


def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """Elements shifted along an axis; those that fall out come back in at the other end.

    Example:
        >>> roll([1, 2, 3], 1)
        Tensor([3, 1, 2], dtype=int32)
    """
    return _roll(x, shift=shift, axis=axis)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged.

    Example:
        >>> swapaxes([[[1, 2, 3]]], 0, 2).shape
        (3, 1, 1)
    """
    x = x if isinstance(x, Spec) else to_tensor(x)
    order = list(range(len(x.shape)))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(x, order)


def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Axes moved from ``source`` to ``destination``, the others in their order.

    Example:
        >>> moveaxis([[[1, 2, 3]]], -1, 0).shape
        (3, 1, 1)
    """
    x = x if isinstance(x, Spec) else to_tensor(x)
    n = len(x.shape)
    sources, places = axes_of(source, n), axes_of(destination, n)
    order = [i for i in range(n) if i not in sources]
    for place, axis in sorted(zip(places, sources)):
        order.insert(place, axis)
    return transpose(x, order)


def ravel(x: Any) -> Any:
    """All elements in one axis.

    Example:
        >>> ravel([[1, 2], [3, 4]])
        Tensor([1, 2, 3, 4], dtype=int32)
    """
    return reshape(x, (-1,))


class Concatenate(Op):
    """Tensors joined along an axis."""

    weak = True

    def infer(self, *xs: Spec, axis: int = 0) -> Spec:
        first = xs[0]
        a = axes_of(axis, len(first.shape))[0]
        total: int | None = 0
        dtype = np_dtype(first.dtype)
        shape: list[int | None] = list(first.shape)
        for x in xs:
            if len(x.shape) != len(shape):
                raise ValueError(f"concatenate: ranks differ, {[x.shape for x in xs]}.")
            for i, n in enumerate(x.shape):
                if i != a and n is not None:
                    if shape[i] is not None and shape[i] != n:
                        raise ValueError(f"concatenate: shapes {[x.shape for x in xs]} differ along axis {i}, not {a}.")
                    shape[i] = n
            total = None if total is None or x.shape[a] is None else total + x.shape[a]  # type: ignore[operator]
            dtype = join(dtype, np_dtype(x.dtype))
        shape[a] = total
        return Spec(shape, dtype.name)

    def forward(self, k: Any, *xs: Any, axis: int = 0) -> tuple[Any, Any]:
        return k.concatenate(xs, axis=axis), (axis, [x.shape[axis] for x in xs])

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        return _pieces(g, *saved, needs)

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        axis = params.get("axis", 0)
        return _pieces(g, axis, [x.shape[axis] for x in inputs], needs)


def _pieces(g: Any, axis: int, sizes: Sequence[int], needs: Any) -> list[Any]:
    out: list[Any] = []
    start = 0
    lead = (slice(None),) * axes_of(axis, g.ndim)[0]
    for n, need in zip(sizes, needs):
        out.append(None if need is False else g[lead + (slice(start, start + n),)])
        start += n
    return out


_concatenate = Concatenate()


def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    """Tensors joined along an existing axis.

    Args:
        xs: Tensors whose shapes agree but for ``axis``.
        axis: The axis.

    Raises:
        ValueError: if the shapes don't fit.

    Example:
        >>> concatenate([[1, 2], [3]])
        Tensor([1, 2, 3], dtype=int32)
    """
    if not len(xs):
        raise ValueError("concatenate needs at least one tensor.")
    return _concatenate(*[x if isinstance(x, Spec) else to_tensor(x) for x in xs], axis=axis)


def stack(x: Sequence[Any], axis: int = 0) -> Any:
    """Tensors of one shape joined along a new axis.

    Example:
        >>> stack([[1, 2], [3, 4]], axis=1)
        Tensor([[1, 3],
               [2, 4]], dtype=int32)
    """
    if not len(x):
        raise ValueError("stack needs at least one tensor.")
    return concatenate([expand_dims(i, axis) for i in x], axis)


def shape(x: Any) -> tuple[Any, ...]:
    """Shape as a tuple of ints (``None`` where a symbolic tensor's is unknown).

    Example:
        >>> shape([[1, 2, 3]])
        (1, 3)
    """
    return tuple(x.shape) if hasattr(x, "shape") else tuple(to_tensor(x).shape)


__all__ = ["broadcast_to", "concatenate", "expand_dims", "flip", "moveaxis", "ravel", "reshape", "roll", "shape",
           "spread", "squeeze", "stack", "swapaxes", "transpose"]  # fmt: skip

"""Elements put elsewhere: splitting, repeating, gathering, triangles and diagonals."""

from __future__ import annotations

import builtins
import operator
from typing import Any, Sequence

from ..autograd.op import Basic, Op, to_tensor
from ..autograd.spec import Spec
from .creation import arange, cast, eye
from .index import take
from .padding import pad
from .reduce import axes_of
from .shape import broadcast_to, concatenate, expand_dims, flip, moveaxis, ravel, reshape, swapaxes
from .symbolic import one_node


def _tensor(x: Any) -> Any:
    return x if isinstance(x, Spec) else to_tensor(x)


def _along(x: Any, axis: int, part: Any) -> Any:
    return x[(slice(None),) * axes_of(axis, len(x.shape))[0] + (part,)]


# -- pieces ------------------------------------------------------------------------------------------------------------
@one_node
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Pieces of a tensor along an axis.

    Args:
        x: Tensor.
        indices_or_sections: Number of equal pieces, or the positions at which to cut.
        axis: The axis.

    Raises:
        ValueError: if the axis can't be cut into so many equal pieces.

    Example:
        >>> split([1, 2, 3, 4], 2)
        [Tensor([1, 2], dtype=int32), Tensor([3, 4], dtype=int32)]
    """
    x = _tensor(x)
    n = x.shape[axes_of(axis, len(x.shape))[0]]
    if hasattr(indices_or_sections, "__len__") or bool(getattr(indices_or_sections, "ndim", False)):
        cuts = [int(i) for i in indices_or_sections]
        if n is None:
            return _between(x, axis, cuts)
        return [_along(x, axis, slice(a, b)) for a, b in zip([0, *cuts], [*cuts, n])]
    pieces = operator.index(indices_or_sections)
    if n is None:
        shape = list(x.shape)
        return [Spec(shape, x.dtype) for _ in builtins.range(pieces)]
    if pieces <= 0 or n % pieces:
        raise ValueError(f"split: axis {axis} of shape {tuple(x.shape)} can't be cut into {pieces} equal pieces.")
    size = n // pieces
    return [_along(x, axis, slice(i * size, (i + 1) * size)) for i in builtins.range(pieces)]


def _between(x: Spec, axis: int, cuts: list[int]) -> list[Spec]:
    """The shapes of the pieces of an axis of unknown size; only those between two cuts are known."""
    a = axes_of(axis, len(x.shape))[0]
    known = all(0 <= low <= high for low, high in zip([0, *cuts], cuts))
    sizes = [high - low if known else None for low, high in zip([0, *cuts], cuts)] + [None]
    return [Spec((*x.shape[:a], size, *x.shape[a + 1 :]), x.dtype) for size in sizes]


@one_node
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """As :func:`split`, but pieces may differ by one element when the sizes don't divide.

    Example:
        >>> array_split([1, 2, 3], 2)
        [Tensor([1, 2], dtype=int32), Tensor([3], dtype=int32)]
    """
    if hasattr(indices_or_sections, "__len__"):
        return split(x, indices_or_sections, axis)
    x = _tensor(x)
    n, pieces = x.shape[axes_of(axis, len(x.shape))[0]], operator.index(indices_or_sections)
    if n is None:
        return [Spec(x.shape, x.dtype) for _ in builtins.range(pieces)]
    small, large = divmod(n, pieces)
    cuts = [small * i + builtins.min(i, large) for i in builtins.range(1, pieces)]
    return split(x, cuts, axis)


def hsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """:func:`split` along the second axis (the first of a vector)."""
    x = _tensor(x)
    return split(x, indices_or_sections, 0 if len(x.shape) == 1 else 1)


def vsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """:func:`split` along the first axis."""
    return split(x, indices_or_sections, 0)


def dsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """:func:`split` along the third axis."""
    return split(x, indices_or_sections, 2)


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    """The slices of a tensor along an axis, without it.

    Example:
        >>> unstack([[1, 2], [3, 4]])
        [Tensor([1, 2], dtype=int32), Tensor([3, 4], dtype=int32)]
    """
    x = _tensor(x)
    n = x.shape[axes_of(axis, len(x.shape))[0]] if num is None else num
    if n is None:
        raise ValueError(f"unstack: the size of axis {axis} of shape {tuple(x.shape)} is unknown; pass num.")
    return [_along(x, axis, i) for i in builtins.range(n)]


def _at_least(x: Any, rank: int) -> Any:
    x = _tensor(x)
    if rank >= 1 and not x.shape:
        x = reshape(x, (1,))
    if rank >= 2 and len(x.shape) == 1:
        x = expand_dims(x, 0)
    if rank >= 3 and len(x.shape) == 2:
        x = expand_dims(x, -1)
    return x


def hstack(xs: Sequence[Any]) -> Any:
    """Tensors joined side by side: along the second axis, vectors along their only one."""
    parts = [_at_least(x, 1) for x in xs]
    return concatenate(parts, 0 if len(parts[0].shape) == 1 else 1)


def vstack(xs: Sequence[Any]) -> Any:
    """Tensors joined on top of each other; vectors are rows."""
    return concatenate([_at_least(x, 2) for x in xs], 0)


def dstack(xs: Sequence[Any]) -> Any:
    """Tensors joined along the third axis."""
    return concatenate([_at_least(x, 3) for x in xs], 2)


def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """``x2`` behind ``x1`` along an axis, both flattened when it is ``None``.

    Example:
        >>> append([1, 2], [3])
        Tensor([1, 2, 3], dtype=int32)
    """
    return concatenate([ravel(x1), ravel(x2)] if axis is None else [x1, x2], 0 if axis is None else axis)


# -- repeating ---------------------------------------------------------------------------------------------------------
def tile(x: Any, repeats: Any) -> Any:
    """``x`` laid side by side with itself, ``repeats`` times an axis.

    Example:
        >>> tile([1, 2], 2)
        Tensor([1, 2, 1, 2], dtype=int32)
    """
    x = _tensor(x)
    times = [int(r) for r in (repeats if hasattr(repeats, "__len__") else [repeats])]
    rank = builtins.max(len(times), len(x.shape))
    times = [1] * (rank - len(times)) + times
    for _ in builtins.range(rank - len(x.shape)):
        x = expand_dims(x, 0)
    for axis, n in enumerate(times):
        if n != 1:
            x = concatenate([x] * n, axis) if n else _along(x, axis, slice(0, 0))
    return x


@one_node
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each element repeated along an axis, of the flattened ``x`` by default.

    Args:
        x: Tensor.
        repeats: A number, or one an element of the axis.
        axis: The axis.

    Example:
        >>> repeat([1, 2], 2)
        Tensor([1, 1, 2, 2], dtype=int32)
    """
    x = _tensor(x)
    if axis is None:
        x, axis = ravel(x), 0
    axis = axes_of(axis, len(x.shape))[0]
    n = x.shape[axis]
    if isinstance(repeats, Spec):
        return Spec((*x.shape[:axis], None, *x.shape[axis + 1 :]), x.dtype)
    several = getattr(repeats, "shape", None) or isinstance(repeats, (list, tuple))
    each: Any = [int(r) for r in repeats] if several else int(repeats)
    if isinstance(each, list) and len(each) == 1:
        each = each[0]
    if isinstance(each, int):
        wide = expand_dims(x, axis + 1)
        shape = (*x.shape[: axis + 1], each, *x.shape[axis + 1 :])
        total = None if n is None else n * each
        return reshape(broadcast_to(wide, shape), (*x.shape[:axis], total, *x.shape[axis + 1 :]))
    places = [i for i, r in enumerate(each) for _ in builtins.range(r)]
    return take(x, to_tensor(places, "int32"), axis)


# -- gathering ---------------------------------------------------------------------------------------------------------
class TakeAlong(Op):
    """x at a position of its own for every element of the result, along one axis."""

    def infer(self, x: Spec, indices: Spec, axis: int = -1) -> Spec:
        a = axes_of(axis, len(x.shape))[0]
        shape = [n if i == a or m in (1, None) else m for i, (n, m) in enumerate(zip(indices.shape, x.shape))]
        return Spec(shape, x.dtype)

    def forward(self, k: Any, x: Any, indices: Any, axis: int = -1) -> tuple[Any, Any]:
        return k.take_along_axis(x, indices.astype("int64"), axis=axis), (x.shape, indices.astype("int64"), axis)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        shape, indices, axis = saved
        return k.getitem_grad(g, _grid(k, shape, indices, axis), shape, False), None

    def reference(self, x: Any, indices: Any, axis: int = -1) -> Any:
        from .. import backend

        raw = to_tensor(indices).data.astype("int64")
        return x[_grid(backend.kernels_of(raw), x.shape, raw, axis)]


def _grid(k: Any, shape: Any, indices: Any, axis: int) -> tuple[Any, ...]:
    """The full index of every element: its own place, but along ``axis`` the given one."""
    rank = len(shape)
    axis %= rank
    sizes = [[1] * i + [-1] + [1] * (rank - 1 - i) for i in builtins.range(rank)]
    return tuple(indices if i == axis else k.arange(n).reshape(sizes[i]) for i, n in enumerate(shape))


_take_along = TakeAlong()


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Elements of ``x`` at ``indices`` along an axis, the other axes matched place by place.

    Args:
        x: Tensor.
        indices: Integers, of the rank of ``x``.
        axis: The axis; ``None`` for the flattened ``x``.

    Example:
        >>> take_along_axis([[1, 2], [3, 4]], [[1], [0]], axis=1)
        Tensor([[2],
               [3]], dtype=int32)
    """
    if axis is None:
        return take(ravel(x), indices, 0)
    return _take_along(x, indices, axis=int(axis))


# -- triangles and diagonals -------------------------------------------------------------------------------------------
def _same(x: Spec, offset: int = 0) -> Spec:
    return Spec(x.shape, x.dtype)


_tril = Basic("tril", _same, lambda k, g, y, x, offset=0: k.tril(g, offset), lambda k, x, offset=0: k.tril(x, offset))
_triu = Basic("triu", _same, lambda k, g, y, x, offset=0: k.triu(g, offset), lambda k, x, offset=0: k.triu(x, offset))


def tril(x: Any, k: int = 0) -> Any:
    """The lower triangle of matrices (..., m, n), zeros above the k-th diagonal.

    Example:
        >>> tril([[1, 2], [3, 4]])
        Tensor([[1, 0],
               [3, 4]], dtype=int32)
    """
    return _tril(x, offset=k)


def triu(x: Any, k: int = 0) -> Any:
    """The upper triangle of matrices (..., m, n), zeros below the k-th diagonal.

    Example:
        >>> triu([[1, 2], [3, 4]])
        Tensor([[1, 2],
               [0, 4]], dtype=int32)
    """
    return _triu(x, offset=k)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """A matrix (N, M) with ones at and below the k-th diagonal."""
    rows, columns = expand_dims(arange(N), 1), expand_dims(arange(N if M is None else M), 0)
    return cast(rows + k >= columns, dtype)


@one_node
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of the matrices that two axes span, as a new last axis.

    Example:
        >>> diagonal([[1, 2], [3, 4]])
        Tensor([1, 4], dtype=int32)
    """
    x = moveaxis(_tensor(x), (axis1, axis2), (-2, -1))
    m, n = x.shape[-2:]
    if m is None or n is None:
        return Spec((*x.shape[:-2], None), x.dtype)
    size = builtins.max(builtins.min(m, n - offset) if offset >= 0 else builtins.min(m + offset, n), 0)
    row, column = builtins.max(-offset, 0), builtins.max(offset, 0)
    places = [(row + i) * n + column + i for i in builtins.range(size)]
    return take(reshape(x, (*x.shape[:-2], m * n)), to_tensor(places, "int32"), -1)


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Sum along the diagonal of the matrices that two axes span."""
    from .reduce import sum

    return sum(diagonal(x, offset, axis1, axis2), axis=-1)


@one_node
def diag(x: Any, k: int = 0) -> Any:
    """The k-th diagonal of a matrix, or the matrix with a vector on its k-th diagonal.

    Example:
        >>> diag([1, 2])
        Tensor([[1, 0],
               [0, 2]], dtype=int32)
    """
    x = _tensor(x)
    if len(x.shape) == 2:
        return diagonal(x, k)
    if len(x.shape) != 1:
        raise ValueError(f"diag takes a vector or a matrix, not shape {tuple(x.shape)}.")
    if x.shape[0] is None:
        return Spec((None, None), x.dtype)
    rows = pad(x, ((builtins.max(-k, 0), builtins.max(k, 0)),))
    return expand_dims(rows, 1) * eye(rows.shape[0], k=k, dtype=x.dtype)


def diagflat(x: Any, k: int = 0) -> Any:
    """The matrix with all elements of ``x`` on its k-th diagonal."""
    return diag(ravel(x), k)


def fliplr(x: Any) -> Any:
    """Elements in reverse order along the second axis."""
    return flip(x, 1)


def flipud(x: Any) -> Any:
    """Elements in reverse order along the first axis."""
    return flip(x, 0)


def rot90(array: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """The plane of two axes turned k times by 90 degrees, from the first axis towards the second."""
    a, b = axes
    for _ in builtins.range(k % 4):
        array = swapaxes(flip(array, b), a, b)
    return array


@one_node
def meshgrid(*x: Any, indexing: str = "xy") -> list[Any]:
    """Coordinates on a grid from one vector an axis; ``"xy"`` swaps the first two axes.

    Example:
        >>> [m.shape for m in meshgrid([1, 2], [3, 4, 5])]
        [(3, 2), (3, 2)]
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij', not {indexing!r}.")
    lines = [ravel(v) for v in x]
    order = list(builtins.range(len(lines)))
    if indexing == "xy" and len(lines) > 1:
        order[:2] = [1, 0]
    shape = tuple(lines[i].shape[0] for i in order)
    return [broadcast_to(reshape(v, tuple(-1 if order[a] == i else 1 for a in builtins.range(len(lines)))), shape)
            for i, v in enumerate(lines)]  # fmt: skip


__all__ = ["append", "array_split", "diag", "diagflat", "diagonal", "dsplit", "dstack", "fliplr", "flipud", "hsplit",
           "hstack", "meshgrid", "repeat", "rot90", "split", "take_along_axis", "tile", "trace", "tri", "tril",
           "triu", "unstack", "vsplit", "vstack"]  # fmt: skip

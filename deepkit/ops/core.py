"""Control flow, slices and scatters, and functions about tensors."""

from __future__ import annotations

import builtins
from typing import Any, Callable, Sequence

from ..autograd.dtypes import standardize_dtype
from ..autograd.op import Op, spec_of, to_tensor, unbroadcast
from ..autograd.spec import Spec
from ..utils.nest import flatten
from . import elementwise as e
from .arrange import _tensor
from .creation import cast
from .index import getitem, getitem_grad
from .shape import flip, moveaxis, reshape, stack
from .symbolic import is_symbolic, one_node


def size(x: Any) -> Any:
    """Number of elements, ``None`` for a symbolic tensor with an unknown size.

    Example:
        >>> size([[1, 2], [3, 4]])
        4
    """
    return _tensor(x).size


def ndim(x: Any) -> int:
    """Number of axes.

    Example:
        >>> ndim([[1, 2]])
        2
    """
    return len(_tensor(x).shape)


def dtype(x: Any) -> str:
    """Name of the dtype.

    Example:
        >>> dtype([1.0])
        'float32'
    """
    return standardize_dtype(_tensor(x).dtype)


def get_item(x: Any, key: Any) -> Any:
    """``x[key]``."""
    return getitem(x, key)


# -- slices and scatters -----------------------------------------------------------------------------------------------
def _starts(start_indices: Any) -> list[int]:
    return [int(i) for i in start_indices]


@one_node
def slice(inputs: Any, start_indices: Sequence[Any], shape: Sequence[int]) -> Any:
    """A block of a tensor: its corner and its shape.

    Args:
        inputs: Tensor.
        start_indices: Position of the block's first element, a number an axis.
        shape: Sizes of the block; -1 is what is left.

    Example:
        >>> slice([1, 2, 3, 4], [1], [2])
        Tensor([2, 3], dtype=int32)
    """
    if isinstance(inputs, Spec):
        known = [m if n == -1 and not a else None if n == -1 and m is None else m - a if n == -1 else n
                 for a, n, m in zip(_starts(start_indices), shape, inputs.shape)]  # fmt: skip
        return Spec(known, inputs.dtype)
    ends = [None if n == -1 else a + n for a, n in zip(_starts(start_indices), shape)]
    return _tensor(inputs)[tuple(builtins.slice(a, b) for a, b in zip(_starts(start_indices), ends))]


@one_node
def slice_update(inputs: Any, start_indices: Sequence[Any], updates: Any) -> Any:
    """A tensor with a block replaced.

    Args:
        inputs: Tensor.
        start_indices: Position of the block's first element.
        updates: The block, of the same rank.

    Example:
        >>> slice_update([1, 2, 3], [1], [9])
        Tensor([1, 9, 3], dtype=int32)
    """
    inputs, updates = _tensor(inputs), _tensor(updates)
    if is_symbolic(inputs, updates):
        return Spec(inputs.shape, inputs.dtype)
    block = tuple(builtins.slice(a, a + n) for a, n in zip(_starts(start_indices), updates.shape))
    return _replace(inputs, cast(updates, inputs.dtype), index=block)


class _Replaced(Op):
    """A copy of x with ``x[index] = values``, for an index that names no element twice."""

    def forward(self, k: Any, x: Any, values: Any, index: Any) -> tuple[Any, Any]:
        y = x.copy()
        y[index] = values
        return y, (index, values.shape)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        index, shape = saved
        kept = g.copy()
        kept[index] = 0
        return kept, unbroadcast(k, k.getitem(g, index), shape)

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        from .. import ops

        index, shape = params["index"], tuple(to_tensor(inputs[1]).shape)
        part = getitem(g, index)
        return self(g, part * 0, index=index), unbroadcast(ops, part, shape)


_replace = _Replaced()


def _columns(indices: Any) -> tuple[Any, ...]:
    raw = to_tensor(indices).data
    return tuple(raw[..., i] for i in range(raw.shape[-1]))


@one_node
def scatter(indices: Any, values: Any, shape: Any) -> Any:
    """Zeros of ``shape`` with ``values`` added in at ``indices``; repeated indices add up.

    Args:
        indices: Integers (n, k): positions in the first k axes.
        values: Tensor (n, *shape[k:]).
        shape: Shape of the result.

    Example:
        >>> scatter([[0], [2], [2]], [1, 2, 3], (3,))
        Tensor([1, 0, 5], dtype=int32)
    """
    if is_symbolic(indices, values):
        return Spec([int(n) for n in shape], _tensor(values).dtype)
    return getitem_grad(to_tensor(values), _columns(indices), tuple(int(n) for n in shape), False)


@one_node
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """A tensor with elements replaced, or combined with updates, at ``indices``.

    Args:
        inputs: Tensor.
        indices: Integers (n, k): positions in the first k axes; of repeated ones the last replaces.
        updates: Tensor (n, *inputs.shape[k:]).
        reduction: ``None`` to replace, ``"add"``, ``"max"``, ``"min"`` or ``"mul"``.

    Raises:
        ValueError: for another reduction.

    Example:
        >>> scatter_update([1, 2, 3], [[0]], [9])
        Tensor([9, 2, 3], dtype=int32)
    """
    if is_symbolic(inputs, indices, updates):
        return Spec(_tensor(inputs).shape, _tensor(inputs).dtype)
    inputs = to_tensor(inputs)
    updates = cast(updates, inputs.dtype)
    index = _columns(indices)
    if reduction == "add":
        return inputs + getitem_grad(updates, index, tuple(inputs.shape), False)
    if reduction not in (None, "max", "min", "mul"):
        raise ValueError(
            f"scatter_update: unknown reduction {reduction!r}; use None, 'add', 'max', 'min' or 'mul'."
        )
    if reduction is None:
        last = {position: row for row, position in enumerate(zip(*(c.reshape(-1).tolist() for c in index)))}
        rows = sorted(last.values())
        updates = reshape(updates, (-1, *updates.shape[index[0].ndim :]))[rows]
        return _replace(inputs, updates, index=tuple(c.reshape(-1)[rows] for c in index))
    combine = {"max": e.maximum, "min": e.minimum, "mul": e.multiply}[reduction]
    rows_of = [tuple(int(c.reshape(-1)[r]) for c in index) for r in range(index[0].size)]
    for row, at in enumerate(rows_of):
        inputs = _replace(inputs, combine(inputs[at], updates[row]), index=at)
    return inputs


# -- control flow ------------------------------------------------------------------------------------------------------
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """The result of one of two functions without arguments.

    Example:
        >>> cond(True, lambda: 1, lambda: 2)
        1
    """
    if isinstance(pred, Spec):
        true_fn()
        return false_fn()
    return true_fn() if bool(to_tensor(pred).numpy()) else false_fn()


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """The result of the function at a position, the nearest one if there is none.

    Example:
        >>> switch(1, [lambda x: x, lambda x: -x], 3)
        -3
    """
    return branches[max(0, min(int(index), len(branches) - 1))](*operands)


def while_loop(cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any,
               maximum_iterations: int | None = None) -> Any:  # fmt: skip
    """``body`` applied to the loop's variables while ``cond`` holds of them.

    Example:
        >>> while_loop(lambda i: i < 5, lambda i: i + 2, (0,))
        (6,)
    """
    several = isinstance(loop_vars, (tuple, list))
    values = tuple(loop_vars) if several else (loop_vars,)
    count = 0
    while bool(cond(*values)) and (maximum_iterations is None or count < maximum_iterations):
        out = body(*values)
        values = tuple(out) if isinstance(out, (tuple, list)) else (out,)
        count += 1
    return type(loop_vars)(values) if several else values[0]


def fori_loop(lower: Any, upper: Any, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """``value = body_fun(i, value)`` for i from ``lower`` up to, without, ``upper``.

    Example:
        >>> fori_loop(0, 4, lambda i, total: total + i, 0)
        6
    """
    for i in range(int(lower), int(upper)):
        init_val = body_fun(i, init_val)
    return init_val


def _leaves(fn: Callable[..., Any], *trees: Any) -> Any:
    first = trees[0]
    if isinstance(first, dict):
        return {key: _leaves(fn, *(t[key] for t in trees)) for key in first}
    if isinstance(first, (list, tuple)):
        return type(first)(_leaves(fn, *parts) for parts in zip(*trees))
    return None if first is None else fn(*trees)


def _first_leaf(tree: Any) -> Any:
    while isinstance(tree, (dict, list, tuple)):
        tree = next(iter(tree.values() if isinstance(tree, dict) else tree))
    return tree


@one_node
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """``f`` applied to each slice along the first axis, results stacked.

    Example:
        >>> map(lambda x: x * 2, to_tensor([1, 2]))
        Tensor([2, 4], dtype=int32)
    """
    return scan(lambda _, x: (None, f(x)), None, xs)[1]


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """As :func:`map`."""
    return map(function, elements)


@one_node
def scan(f: Callable[[Any, Any], Any], init: Any, xs: Any = None, length: int | None = None, reverse: bool = False,
         unroll: Any = 1) -> tuple[Any, Any]:  # fmt: skip
    """``carry, y = f(carry, x)`` along the first axis; the last carry and the stacked ys.

    Args:
        f: Function of the carry and a slice.
        init: First carry.
        xs: Tensor or nest of tensors, or ``None``.
        length: Number of steps when ``xs`` is ``None``.
        reverse: Go from the end; the ys keep their places.
        unroll: Accepted for compatibility.

    Example:
        >>> scan(lambda c, x: (c + x, c + x), 0, to_tensor([1, 2, 3]))[1]
        Tensor([1, 3, 6], dtype=int32)
    """
    if xs is None and length is None:
        raise ValueError("scan needs xs or length.")
    xs = _leaves(_tensor, xs) if xs is not None else None
    n = length if xs is None else _first_leaf(xs).shape[0]
    if is_symbolic(*flatten(init), *flatten(xs)):
        init, y = f(_leaves(spec_of, init), None if xs is None else _leaves(lambda x: Spec(x.shape[1:], x.dtype), xs))
        return init, _leaves(lambda x: Spec((n, *x.shape), x.dtype), y)
    assert n is not None
    steps = range(n - 1, -1, -1) if reverse else range(n)
    ys: list[Any] = []
    for i in steps:
        init, y = f(init, None if xs is None else _leaves(lambda x, i=i: x[i], xs))
        ys.append(y)
    if reverse:
        ys.reverse()
    return init, _leaves(lambda *parts: stack(parts), *ys) if ys else None


@one_node
def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """All running results of an associative function along an axis.

    Example:
        >>> associative_scan(lambda a, b: a + b, to_tensor([1, 2, 3]))
        Tensor([1, 3, 6], dtype=int32)
    """
    if is_symbolic(*flatten(elems)):
        return _leaves(lambda x: Spec(x.shape, x.dtype), elems)
    elems = _leaves(lambda x: flip(moveaxis(x, axis, 0), 0) if reverse else moveaxis(x, axis, 0), elems)
    n = _first_leaf(elems).shape[0]
    outs = [_leaves(lambda x: x[0], elems)]
    for i in range(1, n):
        outs.append(f(outs[-1], _leaves(lambda x, i=i: x[i], elems)))
    if reverse:
        outs.reverse()
    return _leaves(lambda *parts: stack(parts, axis), *outs)


__all__ = [
    "associative_scan",
    "cond",
    "dtype",
    "fori_loop",
    "get_item",
    "map",
    "ndim",
    "scan",
    "scatter",
    "scatter_update",
    "size",
    "slice",
    "slice_update",
    "switch",
    "vectorized_map",
    "while_loop",
]

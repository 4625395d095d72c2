"""Nests: lists, tuples and dictionaries of things, as inputs, outputs and states come."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any, Callable, Iterator

_SEQUENCES = (list, tuple, deque)


def flatten(tree: Any) -> list[Any]:
    """The leaves in order; dictionaries by sorted key, an ``OrderedDict`` in its own order. ``None`` is a leaf.

    Example:
        >>> flatten({"b": 1, "a": [2, 3]})
        [2, 3, 1]
    """
    if isinstance(tree, dict):
        return [leaf for key in _keys(tree) for leaf in flatten(tree[key])]
    if isinstance(tree, _SEQUENCES):
        return [leaf for item in tree for leaf in flatten(item)]
    return [tree]


def _keys(tree: dict) -> list[Any]:
    if isinstance(tree, OrderedDict):
        return list(tree)
    try:
        return sorted(tree)
    except TypeError:
        pass
    try:  # keys of several types: by type, then by value
        return sorted(tree, key=lambda key: (type(key).__qualname__, key))
    except TypeError:
        return list(tree)


def is_nest(tree: Any) -> bool:
    """Whether ``tree`` is a container rather than a leaf.

    Example:
        >>> is_nest([]), is_nest("text"), is_nest(None)
        (True, False, False)
    """
    return isinstance(tree, (dict, *_SEQUENCES))


def children(tree: Any) -> list[tuple[Any, Any]]:
    """Pairs of the key or index of each child of a container and the child, in the order of :func:`flatten`.

    Example:
        >>> children({"b": [1], "a": 2})
        [('a', 2), ('b', [1])]
    """
    if isinstance(tree, dict):
        return [(key, tree[key]) for key in _keys(tree)]
    return list(enumerate(tree))


def rebuild(tree: Any, items: list[Any]) -> Any:
    """A container like ``tree`` with other children, given in the order of :func:`children`.

    Example:
        >>> rebuild({"b": [1], "a": 2}, [20, 10])
        {'b': 10, 'a': 20}
    """
    if isinstance(tree, dict):
        values = dict(zip(_keys(tree), items))
        out = tree.copy()  # keeps the class, and a defaultdict's factory
        out.update((key, values[key]) for key in tree)
        return out
    if isinstance(tree, deque):
        return deque(items, maxlen=tree.maxlen)
    return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)


def pack(tree: Any, leaves: Any) -> Any:
    """A nest like ``tree`` with other leaves.

    Example:
        >>> pack({"b": 1, "a": [2, 3]}, [20, 30, 10])
        {'b': 10, 'a': [20, 30]}
    """
    return _pack(tree, iter(leaves))


def _pack(tree: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(tree, (dict, *_SEQUENCES)):
        return rebuild(tree, [_pack(item, leaves) for _, item in children(tree)])
    return next(leaves)


def map_nest(fn: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """``fn`` over the leaves of nests of one structure.

    Example:
        >>> map_nest(lambda x: x + 1, (1, [2]))
        (2, [3])
    """
    if not others and not isinstance(tree, (dict, *_SEQUENCES)):
        return fn(tree)
    return pack(tree, (fn(*leaves) for leaves in zip(*(flatten(t) for t in (tree, *others)))))

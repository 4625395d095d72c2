"""Nests: lists, tuples and dictionaries of things, as inputs, outputs and states come."""

from __future__ import annotations

from typing import Any, Callable, Iterator


def flatten(tree: Any) -> list[Any]:
    """The leaves in order; dictionaries by sorted key. ``None`` is a leaf.

    Example:
        >>> flatten({"b": 1, "a": [2, 3]})
        [2, 3, 1]
    """
    if isinstance(tree, dict):
        return [leaf for key in _keys(tree) for leaf in flatten(tree[key])]
    if isinstance(tree, (list, tuple)):
        return [leaf for item in tree for leaf in flatten(item)]
    return [tree]


def _keys(tree: dict) -> list[Any]:
    try:
        return sorted(tree)
    except TypeError:
        return list(tree)


def pack(tree: Any, leaves: Any) -> Any:
    """A nest like ``tree`` with other leaves.

    Example:
        >>> pack({"b": 1, "a": [2, 3]}, [20, 30, 10])
        {'b': 10, 'a': [20, 30]}
    """
    return _pack(tree, iter(leaves))


def _pack(tree: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(tree, dict):
        values = {key: _pack(tree[key], leaves) for key in _keys(tree)}
        return {key: values[key] for key in tree}
    if isinstance(tree, (list, tuple)):
        items = [_pack(item, leaves) for item in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    return next(leaves)


def map_nest(fn: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """``fn`` over the leaves of nests of one structure.

    Example:
        >>> map_nest(lambda x: x + 1, (1, [2]))
        (2, [3])
    """
    return pack(tree, (fn(*leaves) for leaves in zip(*(flatten(t) for t in (tree, *others)))))

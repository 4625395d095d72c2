"""Functions over nests of lists, tuples, named tuples, deques and dictionaries, under the names of ``keras.tree``.

Everything else is a leaf, ``None`` included. Dictionaries are walked by sorted key, ordered dictionaries in their own
order, and what comes back has the class and the order of what was given.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Callable, Sequence

from .utils import nest

__all__ = [
    "MAP_TO_NONE", "assert_same_paths", "assert_same_structure", "flatten", "flatten_with_path", "is_nested",
    "lists_to_tuples", "map_shape_structure", "map_structure", "map_structure_up_to", "pack_sequence_as", "traverse",
]  # fmt: skip


class MAP_TO_NONE:
    """What a function given to :func:`traverse` returns to put ``None``, since ``None`` itself means "go on"."""


def is_nested(structure: Any) -> bool:
    """Whether ``structure`` is a container, even an empty one, rather than a leaf.

    Example:
        >>> is_nested({}), is_nested((1, 2)), is_nested("text"), is_nested(None)
        (True, True, False, False)
    """
    return nest.is_nest(structure)


def flatten(structure: Any) -> list[Any]:
    """The leaves in order.

    Example:
        >>> flatten({"b": 1, "a": [2, (3, None)]})
        [2, 3, None, 1]
    """
    return nest.flatten(structure)


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Pairs of a path (the keys and indices that lead to it) and a leaf.

    Example:
        >>> flatten_with_path({"b": 1, "a": [2, 3]})
        [(('a', 0), 2), (('a', 1), 3), (('b',), 1)]
    """
    if not is_nested(structure):
        return [((), structure)]
    return [
        ((key, *path), leaf) for key, child in nest.children(structure) for path, leaf in flatten_with_path(child)
    ]


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """A nest like ``structure`` with the leaves of ``flat_sequence``.

    Raises:
        ValueError: if their number differs.

    Example:
        >>> pack_sequence_as({"b": 0, "a": [0, 0]}, [1, 2, 3])
        {'b': 3, 'a': [1, 2]}
    """
    leaves = list(flat_sequence)
    wanted = len(flatten(structure))
    if len(leaves) != wanted:
        raise ValueError(f"The structure has {wanted} leaves, but flat_sequence has {len(leaves)}.")
    return nest.pack(structure, leaves)


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """``func`` over the leaves of one or several nests of one structure.

    Args:
        func: Function of as many arguments as there are nests.
        *structures: The nests; the result has the form of the first.
        none_is_leaf: ``False`` to leave ``None`` as it is.

    Raises:
        ValueError: for no structure, or structures that differ.
        TypeError: if ``func`` can't be called.

    Example:
        >>> map_structure(lambda x, y: x + y, [1, (2,)], [10, (20,)])
        [11, (22,)]
    """
    _check_arguments(func, structures)
    return _map(func, structures[0], structures[1:], none_is_leaf)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """``func`` over the parts of nests that stand where ``shallow_structure`` has its leaves.

    Raises:
        ValueError: for no structure, or one that isn't at least as deep as ``shallow_structure``.
        TypeError: if ``func`` can't be called.

    Example:
        >>> map_structure_up_to([0, 0], len, [[1, 2], (3,)])
        [2, 1]
    """
    _check_arguments(func, structures)

    def walk(shallow: Any, rest: tuple[Any, ...]) -> Any:
        if not is_nested(shallow):
            return func(*rest)
        kids = [_children_like(shallow, other) for other in rest]
        rows = zip((child for _, child in nest.children(shallow)), *kids)
        return nest.rebuild(shallow, [walk(child, tuple(parts)) for child, *parts in rows])

    return walk(shallow_structure, structures)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """``func`` over all parts of a nest, containers included.

    Args:
        func: Gives ``None`` for "as it is, go on inside"; :class:`MAP_TO_NONE` for ``None``; anything else stands in
            for the part, and with ``top_down`` its inside isn't looked at.
        structure: The nest.
        top_down: Whether a container comes before its parts, or after them.

    Raises:
        TypeError: if ``func`` can't be called.

    Example:
        >>> traverse(lambda x: tuple(x) if isinstance(x, list) else None, [1, [2]], top_down=False)
        (1, (2,))
    """
    _check_callable(func)

    def inside() -> Any:
        if not is_nested(structure):
            return structure
        return nest.rebuild(structure, [traverse(func, child, top_down) for _, child in nest.children(structure)])

    whole = structure if top_down else inside()
    result = func(whole)
    if result is None:
        return inside() if top_down else whole
    return None if result is MAP_TO_NONE else result


def lists_to_tuples(structure: Any) -> Any:
    """The nest with tuples for its lists.

    Example:
        >>> lists_to_tuples([1, {"a": [2]}])
        (1, {'a': (2,)})
    """
    return traverse(lambda x: tuple(x) if isinstance(x, list) else None, structure, top_down=False)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """``func`` over the shapes (tuples or lists of integers and ``None``) in a nest.

    Raises:
        TypeError: if ``func`` can't be called.

    Example:
        >>> map_shape_structure(len, {"a": (None, 3), "b": [(1,), (4, 5, 6)]})
        {'a': 2, 'b': [1, 3]}
    """
    _check_callable(func)
    if not is_nested(structure):
        return func(structure)
    if isinstance(structure, (list, tuple)) and all(n is None or isinstance(n, int) for n in structure):
        return func(structure)
    return nest.rebuild(structure, [map_shape_structure(func, child) for _, child in nest.children(structure)])


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Check that two nests have the same containers, keys and lengths; leaves may differ.

    Args:
        a: A nest.
        b: Another.
        check_types: Accepted for compatibility; types of containers always count.

    Raises:
        ValueError: if the structures differ.

    Example:
        >>> assert_same_structure([1, {"a": 2}], [None, {"a": "x"}])
    """
    _map(lambda *leaves: None, a, (b,), True)


def assert_same_paths(a: Any, b: Any) -> None:
    """Check that two nests have leaves at the same paths; a list and a tuple are alike here.

    Raises:
        ValueError: naming the paths that only one has.

    Example:
        >>> assert_same_paths([1, 2], (3, 4))
    """
    paths_a, paths_b = ({path for path, _ in flatten_with_path(tree)} for tree in (a, b))
    if paths_a != paths_b:
        text = "`a` and `b` don't have the same paths."
        for name, other, missing in (("a", "b", paths_a - paths_b), ("b", "a", paths_b - paths_a)):
            if missing:
                text += f" Paths in `{name}` missing in `{other}`: {sorted(missing, key=repr)}."
        raise ValueError(text)


def _map(func: Callable[..., Any], first: Any, rest: tuple[Any, ...], none_is_leaf: bool) -> Any:
    if first is None and not none_is_leaf:
        if any(other is not None for other in rest):
            raise ValueError("The structures differ: one has None where another has not.")
        return None
    if not is_nested(first):
        for other in rest:
            if is_nested(other):
                raise ValueError(f"The structures differ: {first!r} is a leaf in one, {other!r} a nest in another.")
        return func(first, *rest)
    kids = [_children_like(first, other) for other in rest]
    rows = zip((child for _, child in nest.children(first)), *kids)
    return nest.rebuild(first, [_map(func, child, tuple(parts), none_is_leaf) for child, *parts in rows])


def _children_like(tree: Any, other: Any) -> list[Any]:
    """The children of ``other`` in the order of those of ``tree``, which has to be a container of the same form."""
    if isinstance(tree, dict):
        if not isinstance(other, dict):
            raise ValueError(f"The structures differ: {_kind(tree)} in one, {_kind(other)} in another.")
        if tree.keys() != other.keys():
            raise ValueError(f"The structures differ: keys {list(tree)} in one, {list(other)} in another.")
        return [other[key] for key, _ in nest.children(tree)]
    if not isinstance(other, (list, tuple, deque)) or type(tree) is not type(other):
        raise ValueError(f"The structures differ: {_kind(tree)} in one, {_kind(other)} in another.")
    if len(tree) != len(other):
        raise ValueError(f"The structures differ: {_kind(tree)} of length {len(tree)} in one, {len(other)} in another.")
    return list(other)


def _kind(tree: Any) -> str:
    return type(tree).__name__


def _check_callable(func: Any) -> None:
    if not callable(func):
        raise TypeError(f"`func` should be callable. Received: {func!r}")


def _check_arguments(func: Any, structures: tuple[Any, ...]) -> None:
    _check_callable(func)
    if not structures:
        raise ValueError("Pass at least one structure.")

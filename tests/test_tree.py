"""``deepkit.tree``; the expected values are those of ``keras.tree``."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple

import numpy as np
import pytest

from deepkit import tree

Pair = namedtuple("Pair", "b a")
ORDERED = OrderedDict([("b", 1), ("a", 2)])


@pytest.mark.parametrize("structure, leaves", [
    (5, [5]), (None, [None]), ([], []), ({"b": 1, "a": [2, (3,)]}, [2, 3, 1]), (ORDERED, [1, 2]),
    (Pair(1, [2, None]), [1, 2, None]), ({1: 2, "a": 3}, [2, 3]), (deque([1, 2]), [1, 2]),
    (defaultdict(int, b=1, a=2), [2, 1]),
])  # fmt: skip
def test_flatten_and_back(structure, leaves):
    assert tree.flatten(structure) == leaves
    back = tree.pack_sequence_as(structure, leaves)
    assert back == structure and type(back) is type(structure)
    if isinstance(structure, dict):
        assert list(back) == list(structure)
    assert [leaf for _, leaf in tree.flatten_with_path(structure)] == leaves


def test_paths():
    found = tree.flatten_with_path({"b": [1, (2,)], "a": Pair(3, 4)})
    assert found == [(("a", 0), 3), (("a", 1), 4), (("b", 0), 1), (("b", 1, 0), 2)]
    tree.assert_same_paths([1, 2], (1, 2))
    with pytest.raises(ValueError, match=r"Paths in `a` missing in `b`: \[\('a',\)\]"):
        tree.assert_same_paths({"a": 1}, {"b": 1})


@pytest.mark.parametrize("structure, leaves", [([0, 0], [1, 2, 3]), ([0, 0], [1]), (0, [1, 2])])
def test_pack_counts(structure, leaves):
    with pytest.raises(ValueError, match="leaves"):
        tree.pack_sequence_as(structure, leaves)


def test_map_structure():
    assert tree.map_structure(lambda x: (x,), [1, None]) == [(1,), (None,)]
    assert tree.map_structure(lambda x: x + 1, [1, None], none_is_leaf=False) == [2, None]
    assert tree.map_structure(lambda x, y: (x, y), {"a": 1, "b": 2}, ORDERED) == {"a": (1, 2), "b": (2, 1)}


@pytest.mark.parametrize("a, b", [
    ([1, 2], [1]), ([1, 2], (1, 2)), ({"a": 1}, {"b": 1}), (1, [1]), ([1], 1), ([1, [2]], [1, 2]),
    ({"a": 1}, {"a": [1]}), (Pair(1, 2), (1, 2)), ({"a": 1}, [1]),
])  # fmt: skip
def test_structures_that_differ(a, b):
    with pytest.raises(ValueError, match="structures differ"):
        tree.map_structure(lambda x, y: x, a, b)
    with pytest.raises(ValueError, match="structures differ"):
        tree.assert_same_structure(a, b)


@pytest.mark.parametrize("a, b", [({"a": 1, "b": 2}, ORDERED), ([None], [1]), (1, 2)])
def test_structures_that_are_the_same(a, b):
    tree.assert_same_structure(a, b)


def test_map_structure_up_to():
    assert tree.map_structure_up_to([0, 0], lambda x: x, [[1, 2], 3]) == [[1, 2], 3]
    assert tree.map_structure_up_to({"a": 0}, lambda x, y: (x, y), {"a": [1]}, {"a": 2}) == {"a": ([1], 2)}
    with pytest.raises(ValueError, match="differ"):
        tree.map_structure_up_to([0, [0]], lambda x: x, [[1, 2], 3])


def test_traverse():
    skip_two = lambda x: None if isinstance(x, list) else (tree.MAP_TO_NONE if x == 2 else x)
    assert tree.traverse(skip_two, [1, 2, [3]]) == [1, None, [3]]
    to_tuple = lambda x: tuple(x) if isinstance(x, list) else None
    assert tree.traverse(to_tuple, [1, [2]]) == (1, [2])
    assert tree.traverse(to_tuple, [1, [2]], top_down=False) == (1, (2,))
    assert tree.lists_to_tuples([1, {"a": [2]}, (3, [4])]) == (1, {"a": (2,)}, (3, (4,)))


def test_map_shape_structure():
    assert tree.map_shape_structure(tuple, [None, 3]) == (None, 3)
    assert tree.map_shape_structure(list, {"a": (None, 2), "b": [(1,), [2, 3]]}) == {"a": [None, 2], "b": [[1], [2, 3]]}
    assert tree.map_shape_structure(tuple, []) == ()


def test_is_nested():
    assert [tree.is_nested(x) for x in (None, [], np.zeros(2), {}, (), "ab", deque())] == [
        False, True, False, True, True, False, True,
    ]  # fmt: skip


def test_arguments():
    with pytest.raises(ValueError, match="at least one"):
        tree.map_structure(len)
    for call in (tree.map_structure, tree.traverse, tree.map_shape_structure):
        with pytest.raises(TypeError, match="callable"):
            call(5, [1])

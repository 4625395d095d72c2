"""``get_source_inputs``."""

from __future__ import annotations

import pytest

import deepkit
from deepkit.utils import get_source_inputs, is_keras_tensor


def test_inputs_are_found_once():
    a, b, c = (deepkit.Input((3,)) for _ in range(3))
    dense = deepkit.layers.Dense(3)
    x = deepkit.layers.Add()([dense(a), dense(b)])
    assert get_source_inputs(deepkit.ops.concatenate([x, x * 2, a])) == [a, b]
    assert get_source_inputs(c) == [c]
    assert is_keras_tensor(x) and not is_keras_tensor(deepkit.ops.ones(2))


def test_deep_graphs():
    x = start = deepkit.Input((1,))
    for _ in range(3000):
        x = x + 1.0
    assert get_source_inputs(x) == [start]


def test_no_symbolic_tensor():
    with pytest.raises(TypeError, match="symbolic tensor"):
        get_source_inputs([1.0])

"""StatelessScope, SymbolicScope and name_scope."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import ops
from deepkit.autograd.scopes import in_stateless_scope


def test_values_are_given_and_taken_back():
    v, w = deepkit.Variable([1.0, 2.0]), deepkit.Variable(3.0)
    with deepkit.StatelessScope([(v, [5.0, 6.0])]) as scope:
        assert in_stateless_scope() and (v + 1.0).tolist() == [6.0, 7.0]
        assert scope.get_current_value(w) is None
        w.assign_add(1.0)
        v.assign_sub([1.0, 1.0])
        scope.add_update((w, 9.0))
        assert float(w) == 9.0 and float(scope.get_current_value(w)) == 9.0
    assert v.numpy().tolist() == [1.0, 2.0] and float(w) == 3.0 and not in_stateless_scope()
    assert scope.get_current_value(v).tolist() == [4.0, 5.0] and float(scope.get_current_value(w)) == 9.0


def test_scopes_nest():
    v = deepkit.Variable(1.0)
    with deepkit.StatelessScope([(v, 2.0)]) as outer:
        with deepkit.StatelessScope([(v, 3.0)]) as inner:
            v.assign_add(10.0)
        v.assign_add(100.0)
    values = float(v), float(outer.get_current_value(v)), float(inner.get_current_value(v))
    assert values == (1.0, 102.0, 13.0)


def test_an_error_inside_restores_too():
    v = deepkit.Variable(1.0)
    with pytest.raises(RuntimeError), deepkit.StatelessScope([(v, 2.0)]):
        raise RuntimeError
    assert float(v) == 1.0


def test_gradients_flow_to_the_values():
    v = deepkit.Variable(2.0)
    x = ops.convert_to_tensor(3.0)
    with deepkit.GradientTape() as tape:
        tape.watch(x)
        with deepkit.StatelessScope([(v, x * 2.0)]):
            y = v * v
    assert float(tape.gradient(y, x)) == 24.0


def test_streams_and_losses():
    layer = deepkit.layers.Dropout(0.5, seed=1)
    x = ops.ones((20,))
    with deepkit.StatelessScope():
        first = layer(x, training=True)
    assert np.array_equal(layer(x, training=True), first)

    class Loud(deepkit.layers.Layer):
        def call(self, x):
            self.add_loss(ops.sum(x))
            return x

    loud = Loud()
    with deepkit.StatelessScope(collect_losses=True) as scope:
        loud(x)
    assert [float(loss) for loss in scope.losses] == [20.0] and loud.losses == []


@pytest.mark.parametrize("mapping, message", [([("v", 1.0)], "keys"), ([(deepkit.Variable(1.0), [1.0])], "shape")])
def test_bad_mappings(mapping, message):
    with pytest.raises(ValueError, match=message):
        deepkit.StatelessScope(mapping)


def test_names():
    with deepkit.name_scope("a"):
        with deepkit.name_scope("b"):
            assert deepkit.Variable(1.0, name="v").path == "a/b/v"
            dense = deepkit.layers.Dense(2, name="d")
            dense.build((None, 2))
            assert dense.kernel.path == "a/b/d/kernel"
            called = deepkit.layers.Dense(2, name="e")
            called(np.ones((1, 2)))
            assert called.kernel.path == "a/b/e/kernel"
        with deepkit.name_scope("c", override_parent="x/y"):
            assert deepkit.Variable(1.0, name="v").path == "x/y/c/v"
    later = deepkit.layers.Dense(2, name="f")
    later(np.ones((1, 2)))
    assert later.kernel.path == "f/kernel" and deepkit.Variable(1.0, name="v").path == "v"


def test_a_caller_does_not_repeat_its_name():
    me, other = object(), object()
    with deepkit.name_scope("a", caller=me), deepkit.name_scope("a", caller=me):
        assert deepkit.Variable(1.0, name="v").path == "a/v"
    with deepkit.name_scope("a", caller=me), deepkit.name_scope("a", caller=other):
        assert deepkit.Variable(1.0, name="v").path == "a/a/v"


@pytest.mark.parametrize("name", ["a/b", 3])
def test_bad_names(name):
    with pytest.raises(ValueError, match="without '/'"):
        deepkit.name_scope(name)


def test_symbolic_scope():
    x = deepkit.Input((2,))
    with deepkit.SymbolicScope():
        y = deepkit.layers.Dense(3)(x)
    assert y.shape == (None, 3) and y.node is None
    assert (x + 1.0).node is not None

"""Optimizers, schedules, regularizers and constraints against golden values of real Keras, and the arena."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit import backend, constraints, ops, optimizers, regularizers
from deepkit.optimizers.arena import Arena
from tests.golden.optimizer_cases import (
    CONSTRAINTS,
    OPTIMIZERS,
    REGULARIZERS,
    SCHEDULES,
    SHAPES,
    STEPS,
    label,
)

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "optimizers.npz")
IDS = [label(*case) for case in OPTIMIZERS]


def variables():
    return [deepkit.Variable(GOLDEN[f"weight{i}"], name=f"v{i}") for i in range(len(SHAPES))]


def run(optimizer, vs, steps=range(STEPS)):
    for s in steps:
        optimizer.apply([ops.convert_to_tensor(GOLDEN[f"gradient{i}"][s]) for i in range(len(vs))], vs)


def flat(arrays):
    return np.concatenate([np.asarray(a, "float64").ravel() for a in arrays])


def without_name(obj):
    return json.loads(json.dumps({k: v for k, v in obj.get_config().items() if k != "name"}))


@pytest.mark.parametrize("case", OPTIMIZERS, ids=IDS)
def test_values_state_and_configuration(case, device):
    name, kwargs = case
    optimizer, vs = getattr(optimizers, name)(**kwargs), variables()
    run(optimizer, vs)
    np.testing.assert_allclose(flat(vs), GOLDEN[f"{label(*case)}/values"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(flat(optimizer.variables), GOLDEN[f"{label(*case)}/state"], rtol=1e-4, atol=1e-5)
    assert without_name(optimizer) == json.loads(str(GOLDEN[f"{label(*case)}/config"]))


@pytest.mark.parametrize("case", OPTIMIZERS, ids=IDS)
def test_saved_state_goes_on_where_it_was(case, device):
    name, kwargs = case
    straight, vs = getattr(optimizers, name)(**kwargs), variables()
    run(straight, vs)
    first, ws = getattr(optimizers, name)(**kwargs), variables()
    run(first, ws, range(4))
    store: dict = {}
    first.save_own_variables(store)
    second = optimizers.deserialize(optimizers.serialize(first))
    ws = [deepkit.Variable(w.numpy()) for w in ws]
    second.build(ws)
    second.load_own_variables(store)
    run(second, ws, range(4, STEPS))
    np.testing.assert_array_equal(flat(ws), flat(vs))


@pytest.mark.parametrize("i", range(len(SCHEDULES)), ids=[c[0] for c in SCHEDULES])
def test_schedules(i):
    name, args = SCHEDULES[i]
    schedule = getattr(optimizers.schedules, name)(*args)
    np.testing.assert_allclose([schedule(s) for s in range(40)], GOLDEN[f"schedule{i}"], rtol=1e-6, atol=1e-8)
    assert json.loads(json.dumps(schedule.get_config())) == json.loads(str(GOLDEN[f"schedule{i}/config"]))
    again = optimizers.schedules.deserialize(optimizers.schedules.serialize(schedule))
    assert again(7) == schedule(7)


@pytest.mark.parametrize("case", REGULARIZERS, ids=[label(*c) for c in REGULARIZERS])
def test_regularizers(case, device):
    regularizer = getattr(regularizers, case[0])(**case[1])
    np.testing.assert_allclose(float(regularizer(ops.convert_to_tensor(GOLDEN["weight0"]))),
                               GOLDEN[f"{label(*case)}/value"], rtol=1e-5)  # fmt: skip
    assert without_name(regularizer) == pytest.approx(json.loads(str(GOLDEN[f"{label(*case)}/config"])))
    assert regularizers.get(regularizers.serialize(regularizer)).get_config() == regularizer.get_config()


@pytest.mark.parametrize("case", CONSTRAINTS, ids=[label(*c) for c in CONSTRAINTS])
def test_constraints(case, device):
    constraint = getattr(constraints, case[0])(**case[1])
    np.testing.assert_allclose(constraint(ops.convert_to_tensor(GOLDEN["weight0"])).numpy(),
                               GOLDEN[f"{label(*case)}/value"], rtol=1e-5)  # fmt: skip
    assert without_name(constraint) == json.loads(str(GOLDEN[f"{label(*case)}/config"]))
    assert constraints.get(constraints.serialize(constraint)).get_config() == constraint.get_config()


def test_schedule_in_an_optimizer(device):
    optimizer = optimizers.SGD(optimizers.schedules.ExponentialDecay(0.5, 1, 0.5))
    v = deepkit.Variable([0.0])
    for expected in (-0.5, -0.75, -0.875):
        optimizer.apply([ops.ones(1)], [v])
        assert float(v[0]) == expected
    assert float(optimizer.learning_rate) == 0.0625
    with pytest.raises(TypeError, match="schedule"):
        optimizer.learning_rate = 0.1
    clone = optimizers.get(optimizers.serialize(optimizer))
    assert clone.get_config()["learning_rate"] == optimizer.get_config()["learning_rate"]


def test_old_spellings():
    assert float(optimizers.Adam(lr=0.02).learning_rate) == pytest.approx(0.02)
    decayed = optimizers.SGD(learning_rate=0.1, decay=0.5)
    assert decayed._current_learning_rate() == pytest.approx(0.1)
    decayed.iterations.assign(2)
    assert decayed._current_learning_rate() == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizers.Adam(lerning_rate=0.1), "learning_rate"),
        (lambda: optimizers.SGD(momentum=2), "momentum"),
        (lambda: optimizers.Adam(clipnorm=1, clipvalue=1), "only one"),
        (lambda: optimizers.Adam(clipnorm=-1), "positive"),
        (lambda: optimizers.Adam(gradient_accumulation_steps=1), "gradient_accumulation_steps"),
        (lambda: optimizers.AdamW(weight_decay=None), "weight_decay"),
        (lambda: optimizers.get("adamm"), "adam"),
        (lambda: regularizers.L2(-1), "l2"),
        (lambda: regularizers.get("l3"), "l3"),
        (lambda: constraints.get("max_nrom"), "max_norm"),
        (lambda: optimizers.schedules.ExponentialDecay(0.1, 0, 0.5), "positive"),
        (lambda: optimizers.schedules.PiecewiseConstantDecay([1], [1]), "one value more"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_missing_gradients_leave_their_variable(device):
    optimizer, vs = optimizers.Adam(), variables()
    before = vs[1].numpy()
    with pytest.warns(UserWarning, match="v1"):
        optimizer.apply([ops.ones(SHAPES[0]), None, ops.ones(SHAPES[2])], vs)
    np.testing.assert_array_equal(vs[1].numpy(), before)
    assert not np.allclose(vs[0].numpy(), GOLDEN["weight0"])
    with pytest.raises(ValueError, match="No gradients"):
        optimizer.apply([None] * 3, vs)
    with pytest.raises(ValueError, match="built for"):
        optimizer.apply([ops.ones(1)], [deepkit.Variable([1.0])])


def test_weight_decay_exclusion_and_constraints(device):
    vs = variables()
    vs[0].constraint = constraints.NonNeg()
    optimizer = optimizers.SGD(0.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["v1"])
    optimizer.learning_rate = 1.0
    optimizer.apply([ops.zeros(s) for s in SHAPES], vs)
    np.testing.assert_array_equal(vs[1].numpy(), GOLDEN["weight1"])
    np.testing.assert_allclose(vs[2].numpy(), GOLDEN["weight2"] * 0.5, rtol=1e-6)
    np.testing.assert_allclose(vs[0].numpy(), np.maximum(GOLDEN["weight0"] * 0.5, 0), rtol=1e-6)


def test_arena_views_and_two_owners(device):
    vs = variables()
    first = Arena(vs)
    assert all(np.shares_memory(v.data, first.groups[0].weights) for v in vs)
    assert all(np.shares_memory(g, first.groups[0].gradients) for g in first.grads)
    np.testing.assert_array_equal(flat(vs), flat(GOLDEN[f"weight{i}"] for i in range(3)))
    second = Arena(vs[:2])
    vs[0].assign(np.full(SHAPES[0], 7.0))
    first.rebind()
    np.testing.assert_array_equal(backend.to_numpy(first.groups[0].weights)[:12], 7.0)
    assert np.shares_memory(vs[0].data, first.groups[0].weights) and second.variables[0] is vs[0]


def test_arena_of_two_dtypes(device):
    kinds = [(3, "float32"), (2, "float64"), (1, "float32")]
    vs = [deepkit.Variable(np.ones(n, dtype)) for n, dtype in kinds]
    optimizer = optimizers.SGD(1.0)
    optimizer.apply([ops.ones(3), ops.ones(2, "float64"), ops.ones(1)], vs)
    assert [v.dtype for v in vs] == ["float32", "float64", "float32"]
    np.testing.assert_array_equal(flat(vs), 0)


def test_the_step_allocates_nothing(device):
    import tracemalloc

    vs = [deepkit.Variable(np.ones((300, 300), "float32"))]
    optimizer = optimizers.Adam()
    optimizer.build(vs)
    optimizer.step_arena()
    tracemalloc.start()
    optimizer.step_arena()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000


def test_frozen_layers_keep_their_state(device):
    model = deepkit.Sequential([deepkit.Input((2,)), deepkit.layers.Dense(2), deepkit.layers.Dense(1)])
    model.compile("adam", "mse")
    x, y = np.ones((4, 2)), np.ones((4, 1))
    model.fit(x, y, epochs=2, verbose=0)
    model.layers[0].trainable = False
    before = model.layers[0].get_weights()
    model.fit(x, y, epochs=1, verbose=0)
    for a, b in zip(before, model.layers[0].get_weights()):
        np.testing.assert_array_equal(a, b)


def test_a_users_optimizer(device):
    class Plain(optimizers.Optimizer):
        def build(self, variables):
            super().build(variables)
            self.count = [self.add_variable_from_reference(v, "count") for v in variables]

        def update_step(self, gradient, variable, learning_rate):
            variable.assign_sub(gradient * learning_rate)

    vs = variables()
    Plain(learning_rate=0.5).apply([ops.ones(s) for s in SHAPES], vs)
    np.testing.assert_allclose(vs[1].numpy(), GOLDEN["weight1"] - 0.5, rtol=1e-6)


def test_weight_decay_exclusion_follows_a_new_arena(device):
    vs = variables()
    optimizer = optimizers.SGD(1.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[vs[1]])
    optimizer.apply([ops.zeros(s) for s in SHAPES], vs)
    optimizer.build(vs[1:])
    optimizer.apply([ops.zeros(s) for s in SHAPES[1:]], vs[1:])
    np.testing.assert_array_equal(vs[1].numpy(), GOLDEN["weight1"])
    np.testing.assert_allclose(vs[2].numpy(), GOLDEN["weight2"] * 0.25, rtol=1e-6)


def test_lion_leaves_weights_without_gradient(device):
    v = deepkit.Variable([1.0, 1.0, 1.0])
    optimizers.Lion(0.5).apply([ops.convert_to_tensor([0.0, 1e-30, -2.0])], [v])
    np.testing.assert_array_equal(v.numpy(), [1.0, 0.5, 1.5])

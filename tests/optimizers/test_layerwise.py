"""Optimizers with state of several shapes, loss scaling and several optimizers against values of real Keras."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit import layers, ops, optimizers
from tests.golden.optimizers2_cases import CASES, OVERFLOW, STEPS, VARIABLES

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "optimizers2.npz")
each_case = pytest.mark.parametrize("label, make", CASES, ids=[label for label, _ in CASES])


def variables():
    return [deepkit.Variable(GOLDEN[f"weight{i}"], name=name) for i, (_, name) in enumerate(VARIABLES)]


def run(label, optimizer, vs, steps=range(STEPS)):
    for s in steps:
        grads = [GOLDEN[f"gradient{i}"][s].copy() for i in range(len(vs))]
        if s == OVERFLOW and label.startswith("LossScale"):
            grads[0][0, 0] = np.inf
        optimizer.apply([ops.convert_to_tensor(g) for g in grads], vs)


def flat(arrays):
    return np.concatenate([np.asarray(a, "float64").ravel() for a in arrays])


@each_case
def test_values_state_and_configuration(label, make, device):
    optimizer, vs = make(optimizers), variables()
    run(label, optimizer, vs)
    np.testing.assert_allclose(flat(vs), GOLDEN[f"{label}/values"], rtol=1e-4, atol=1e-5)
    assert [list(v.shape) for v in optimizer.variables] == json.loads(str(GOLDEN[f"{label}/shapes"]))
    np.testing.assert_allclose(flat(optimizer.variables), GOLDEN[f"{label}/state"], rtol=1e-4, atol=1e-5)
    config = optimizer.get_config()
    expected = json.loads(str(GOLDEN[f"{label}/config"]))
    assert {key: config[key] for key in expected} == expected


@each_case
def test_saved_state_goes_on_where_it_was(label, make, device):
    straight, vs = make(optimizers), variables()
    run(label, straight, vs)
    first, ws = make(optimizers), variables()
    run(label, first, ws, range(3))
    store: dict = {}
    first.save_own_variables(store)
    second = optimizers.deserialize(json.loads(json.dumps(optimizers.serialize(first))))
    ws = [deepkit.Variable(w.numpy(), name=w.name) for w in ws]
    second.build(ws)
    second.load_own_variables(store)
    run(label, second, ws, range(3, STEPS))
    np.testing.assert_array_equal(flat(ws), flat(vs))


@each_case
def test_variables_without_gradients_stay(label, make, device):
    optimizer, vs = make(optimizers), variables()
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([ops.ones(vs[0].shape)] + [None] * (len(vs) - 1), vs)
    for i, v in enumerate(vs):
        if i and not (label.startswith("Lamb") or "ema" in label):
            np.testing.assert_array_equal(v.numpy(), GOLDEN[f"weight{i}"])


@each_case
def test_training_a_model(label, make, device):
    deepkit.utils.set_random_seed(0)
    model = deepkit.Sequential([layers.Input((3,)), layers.Dense(8, "tanh"), layers.Dense(1)])
    model.compile(make(optimizers), "mse")
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    losses = model.fit(x, x.sum(1, keepdims=True), epochs=8, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", ["Lamb", "Adafactor", "Muon", "ScheduleFreeAdamW"])
def test_state_goes_on_when_a_layer_is_frozen(name, device):
    optimizer, vs = getattr(optimizers, name)(), variables()
    run(name, optimizer, vs, range(2))
    before = {v.name: v.numpy() for v in optimizer.variables}
    optimizer.build(vs[1:])
    for v in optimizer.variables:
        np.testing.assert_array_equal(v.numpy(), before[v.name])


def test_loss_scaling(device):
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(0.5), initial_scale=8.0, dynamic_growth_steps=2)
    assert float(optimizer.scale_loss(ops.convert_to_tensor(2.0))) == 16
    w = deepkit.Variable([1.0])
    for gradient, scale, value in ((8.0, 8, 0.5), (4.0, 16, 0.25), (np.nan, 8, 0.25), (-np.inf, 4, 0.25)):
        optimizer.apply([ops.convert_to_tensor([gradient])], [w])
        assert (float(optimizer.dynamic_scale), float(w[0])) == (scale, value)
    assert int(optimizer.iterations) == 2
    optimizer.learning_rate = 0.25
    assert float(optimizer.inner_optimizer.learning_rate) == float(optimizer.learning_rate) == 0.25
    with pytest.raises(ValueError, match="clipnorm"):
        optimizers.LossScaleOptimizer(optimizers.SGD(), clipnorm=1.0)
    with pytest.raises(ValueError, match="dynamic"):
        optimizers.LossScaleOptimizer(optimizers.SGD(), dynamic=False)


def test_several_optimizers(device):
    sgd, adam = optimizers.SGD(0.5), optimizers.Adam()
    choose = optimizers.MultiOptimizer(lambda v: sgd if v.name == "a" else adam)
    a, b = deepkit.Variable([1.0], name="a"), deepkit.Variable([1.0], name="b")
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        choose.apply([ops.ones(1), None], [a, b])
    assert a.tolist() == [0.5] and b.tolist() == [1.0] and choose.optimizers == [sgd, adam]
    with pytest.raises(AttributeError, match="learning rate"):
        _ = choose.learning_rate
    scaled = optimizers.LossScaleOptimizer(sgd)
    with pytest.raises(ValueError, match="plain"):
        optimizers.MultiOptimizer(lambda v: scaled).build([a])
    by_path = optimizers.OptimizerMap(sgd, {"a.*": adam, ".*b": optimizers.Lamb()})
    with pytest.raises(ValueError, match="several keys"):
        by_path["ab"]
    with pytest.raises(ValueError, match="already"):
        by_path["a.*"] = adam
    with pytest.raises(TypeError, match="default_optimizer"):
        optimizers.OptimizerMap("adam")


def test_signatures(device):
    optimizer = optimizers.Adam(0.1, 0.8, 0.9, 1e-6, True, 0.01)
    assert optimizer.weight_decay == 0.01 and optimizer.amsgrad
    with pytest.raises(ValueError, match="momentun"):
        optimizers.SGD(momentun=0.9)

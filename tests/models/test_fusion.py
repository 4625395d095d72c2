"""Batch normalization and relu as one op: the same results and gradients, and only where nobody can tell."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers, ops
from deepkit.models.fusion import NormRelu
from tests.helpers import check_gradient

X = np.random.default_rng(0).standard_normal((4, 6, 5, 8)).astype("float32")


def chain(relu, sequential, **norm):
    deepkit.utils.set_random_seed(1)
    parts = [layers.Conv2D(8, 3), layers.BatchNormalization(**norm), relu(), layers.Flatten(), layers.Dense(3)]
    if sequential:
        return deepkit.Sequential([layers.Input(X.shape[1:]), *parts])
    x = y = layers.Input(X.shape[1:])
    for part in parts:
        y = part(y)
    return deepkit.Model(x, y)


def pairs(model):
    calls = model._steps if isinstance(model, deepkit.Sequential) else [call for call, *_ in model._plan]
    return [call for call in calls if isinstance(call, NormRelu)]


@pytest.mark.parametrize("sequential", [True, False])
@pytest.mark.parametrize("relu", [layers.ReLU, lambda: layers.Activation("relu")])
def test_trains_as_two_layers_do(device, relu, sequential):
    y = np.random.default_rng(1).standard_normal((4, 3)).astype("float32")
    results = []
    for apart in (False, True):
        model = chain(relu, sequential)
        assert len(pairs(model)) == 1
        if apart:
            for call in pairs(model):
                call.__class__ = type("Apart", (NormRelu,), {"__call__": lambda s, x, **k: s.relu(s.norm(x, **k))})
        model.compile(deepkit.optimizers.SGD(0.05), "mse")
        history = model.fit(X, y, batch_size=2, epochs=3, shuffle=False, verbose=0)
        results.append([*history.history["loss"], *model.predict(X, verbose=0).ravel(),
                        *np.concatenate([w.ravel() for w in model.get_weights()])])  # fmt: skip
    np.testing.assert_allclose(*results, rtol=1e-4, atol=1e-5)


def test_what_stays_apart(device):
    assert not pairs(chain(lambda: layers.ReLU(max_value=6.0), True))
    assert not pairs(chain(lambda: layers.Activation("tanh"), False))
    assert not pairs(chain(lambda: layers.ReLU(activity_regularizer="l2"), True))
    assert not pairs(chain(lambda: layers.ReLU(dtype="float16"), False))
    assert not pairs(chain(layers.ReLU, True, renorm=True))
    x = layers.Input((5,))
    middle = layers.BatchNormalization()(x)
    relu = layers.ReLU()(middle)
    assert not pairs(deepkit.Model(x, [relu, middle]))  # an output of its own
    assert not pairs(deepkit.Model(x, relu + middle))  # read twice
    assert len(pairs(deepkit.Model(x, relu))) == 1
    inner = deepkit.Model(x, middle)
    np.testing.assert_array_equal(inner.predict(-np.ones((2, 5)), verbose=0) < 0, True)


def test_layers_added_and_taken_away(device):
    model = deepkit.Sequential([layers.Input((5,)), layers.BatchNormalization()])
    model.add(layers.ReLU())
    assert len(pairs(model)) == 1 and (model.predict(-np.ones((2, 5)), verbose=0) == 0).all()
    model.pop()
    assert not pairs(model) and (model.predict(-np.ones((2, 5)), verbose=0) < 0).all()


def test_gradients(device):
    from deepkit.ops.norm import batch_norm, fixed_norm

    rng = np.random.default_rng(0)
    x, gamma, beta, mean = (rng.standard_normal(s) for s in ((6, 4), (4,), (4,), (4,)))
    variance = np.abs(rng.standard_normal(4)) + 1
    check_gradient(lambda a, g, b: batch_norm(a, g, b, epsilon=1e-3, act="relu")[0], x, gamma, beta)
    check_gradient(lambda a, g, b: fixed_norm(a, mean, variance, g, b, epsilon=1e-3, act="relu"), x, gamma, beta)
    y = batch_norm(ops.convert_to_tensor(x), None, None, act="relu")[0]
    np.testing.assert_array_equal(y.numpy(), np.maximum(batch_norm(ops.convert_to_tensor(x), None, None)[0].numpy(), 0))

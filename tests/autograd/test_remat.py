"""Rematerialization: the same values and gradients, from less memory."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers, ops
from deepkit.autograd.tape import local


def gradients(f, x, variables=()):
    with deepkit.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
        loss = ops.sum(y * y)
    return [y, *tape.gradient(loss, [x, *variables])]


def same(a, b):
    assert len(a) == len(b)
    for x, y in zip(a, b):
        np.testing.assert_array_equal(x, y)


def test_values_and_gradients():
    v = deepkit.Variable([0.5, -0.25])
    f = lambda x: ops.sin(ops.exp(x) * v) * v
    x = ops.convert_to_tensor([[1.0, 2.0], [3.0, 4.0]])
    same(gradients(deepkit.remat(f), x, [v]), gradients(f, x, [v]))
    assert deepkit.remat(f)(x).shape == (2, 2)
    assert deepkit.remat(f)(deepkit.Input((2,))).shape == (None, 2)


def test_several_inputs_and_outputs():
    f = deepkit.remat(lambda pair, scale, name=None: {"a": pair[0] * scale, "b": (pair[1] * pair[0], None, "text")})
    x, y = ops.convert_to_tensor(2.0), ops.convert_to_tensor(3.0)
    with deepkit.GradientTape() as tape:
        tape.watch((x, y))
        out = f([x, y], 4.0, name="n")
        total = out["a"] + out["b"][0]
    assert out["b"][1:] == (None, "text")
    assert [float(g) for g in tape.gradient(total, [x, y])] == [7.0, 2.0]


def test_one_output_that_is_not_used():
    f = deepkit.remat(lambda x: (x * x, ops.exp(x)))
    x = ops.convert_to_tensor(3.0)
    with deepkit.GradientTape() as tape:
        tape.watch(x)
        y, _ = f(x)
    assert float(tape.gradient(y, x)) == 6.0


def test_gradients_of_gradients():
    v = deepkit.Variable(2.0)
    cube = deepkit.remat(lambda x: x * x * x * v)
    assert float(deepkit.grad(deepkit.grad(cube))(3.0)) == 36.0
    x = ops.convert_to_tensor(3.0)
    with deepkit.GradientTape() as outer:
        with deepkit.GradientTape() as inner:
            inner.watch(x)
            y = cube(x)
        dx = inner.gradient(y, x)  # 3 v x^2
    assert float(outer.gradient(dx, v)) == 27.0


def test_a_variable_inside_and_outside():
    v = deepkit.Variable(3.0)
    with deepkit.GradientTape() as tape:
        y = v * 2.0
        y = y + deepkit.remat(lambda a: a * v)(y)  # 2 v + 2 v^2
        y = y + v
    assert tape.watched_variables() == (v,)
    assert float(tape.gradient(y, v)) == 3.0 + 12.0


def test_nested():
    v = deepkit.Variable(1.5)
    inner = deepkit.remat(lambda x: ops.exp(x * v))
    outer = deepkit.remat(lambda x: inner(x) * inner(2.0 * x))
    plain = lambda x: ops.exp(x * v) * ops.exp(2.0 * x * v)
    x = ops.convert_to_tensor([0.1, 0.2])
    for a, b in zip(gradients(outer, x, [v]), gradients(plain, x, [v])):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_randomness_and_state():
    x = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(64, 4)).astype("float32"))

    def make():
        deepkit.utils.set_random_seed(3)
        return deepkit.Sequential([layers.Dense(16, "relu"), layers.BatchNormalization(), layers.Dropout(0.5, seed=1)])

    results = []
    for wrap in (lambda f: f, deepkit.remat):
        model = make()
        model.build((None, 4))
        results.append(gradients(wrap(lambda x, m=model: m(x, training=True)), x, model.trainable_variables))
        results[-1] += [v.numpy() for v in model.non_trainable_variables]
    same(*results)


class Counting:
    """Counts how often it is run."""

    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        for _ in range(10):
            x = ops.tanh(x) * 1.5
        return x


def test_inner_values_are_not_kept():
    x = ops.ones((100,))
    f = Counting()
    with deepkit.GradientTape() as tape:
        tape.watch(x)
        before = len(local.recorder.records)
        y = deepkit.remat(f)(x)
        assert len(local.recorder.records) == before + 1 and f.calls == 1
    tape.gradient(y, x)
    assert f.calls == 2


@pytest.mark.parametrize("scope", [
    {"mode": "full"}, {"mode": "activations"}, {"mode": "larger_than", "output_size_threshold": 30},
    {"mode": "list_of_layers", "layer_names": ["one"]}, {"mode": None},
])  # fmt: skip
def test_layers_of_a_scope(scope):
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")

    def train(context):
        deepkit.utils.set_random_seed(1)
        with context:
            model = deepkit.Sequential([layers.Dense(7, "tanh", name="one"), layers.Dense(1, name="two")])
        model.compile(deepkit.optimizers.SGD(0.1), "mse")
        model.fit(x, x[:, :1], epochs=2, batch_size=4, shuffle=False, verbose=0)
        return model.get_weights()

    import contextlib

    same(train(deepkit.RematScope(**scope)), train(contextlib.nullcontext()))


def test_mixed_precision_and_losses_inside():
    class Inner(layers.Layer):
        def build(self, shape):
            self.dense = layers.Dense(4, dtype="mixed_float16")

        def call(self, x):
            y = self.dense(x)
            self.add_loss(ops.sum(y))
            return y

    x = ops.ones((2, 3))
    layer = Inner(dtype="mixed_float16")
    layer(x)
    plain = gradients(layer, x, layer.trainable_variables)
    twice = gradients(deepkit.remat(layer), x, layer.trainable_variables)
    same(twice, plain)
    assert [g.dtype for g in twice] == [g.dtype for g in plain] and len(layer.losses) == 1


def test_bad_mode():
    with pytest.raises(ValueError, match="mode"):
        deepkit.RematScope("some")

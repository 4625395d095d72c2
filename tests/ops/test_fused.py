"""Ops that stand for several: the same values and gradients as those, in one record."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import losses, ops
from deepkit.ops.linear import dense_over
from deepkit.ops.loss import mean_of_cross_entropy, mean_of_squared_error
from tests.helpers import check_gradient, check_infer, check_second_order


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


#: input, kernel, summed axes
PRODUCTS = [((5, 6), (6, 2, 3), 1), ((2, 5, 6), (6, 2, 3), 1), ((2, 5, 2, 3), (2, 3, 4), 2), ((2, 3), (2, 3, 4), 2)]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("x_shape,w_shape,axes", PRODUCTS, ids=str)
def test_dense_over_axes(device, x_shape, w_shape, axes, bias):
    x, w = random(*x_shape), random(*w_shape, seed=1)
    b = [random(*w_shape[axes:], seed=2)] if bias else []
    f = lambda x, w, *b: dense_over(x, w, b[0] if b else None, axes=axes, act="tanh")
    expected = np.tanh(np.tensordot(x, w, axes) + (b[0] if bias else 0))
    np.testing.assert_allclose(f(*map(ops.convert_to_tensor, (x, w, *b))).numpy(), expected, rtol=1e-5, atol=1e-6)
    check_gradient(f, x, w, *b)
    check_second_order(f, x, w, *b)
    check_infer(f, x, w, *b)


def test_dense_over_axes_writes_gradients_where_they_belong(device):
    """Weights of several axes in the arena of an optimizer, beside the same layer in single steps."""
    def trained(eager: bool) -> list[np.ndarray]:
        deepkit.utils.set_random_seed(0)
        model = deepkit.Sequential([
            deepkit.Input((5, 6)), deepkit.layers.EinsumDense("abc,cde->abde", (5, 2, 3), bias_axes="de"),
            deepkit.layers.EinsumDense("abde,def->abf", (5, 4), bias_axes="f"),
        ])  # fmt: skip
        model.compile(deepkit.optimizers.SGD(0.1), "mse")
        x, y = random(8, 5, 6), random(8, 5, 4, seed=1)
        if not eager:
            model.fit(x, y, batch_size=8, epochs=2, verbose=0, shuffle=False)
        for _ in range(2 * eager):
            with deepkit.GradientTape() as tape:
                loss = ops.mean(ops.square(model(x) - y))
            variables = model.trainable_variables
            model.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return model.get_weights()

    for a, b in zip(trained(False), trained(True)):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("from_logits", [True, False])
@pytest.mark.parametrize("shape", [(7, 5), (2, 3, 5), (1, 1)], ids=str)
def test_mean_losses_are_the_mean(device, shape, from_logits):
    p = random(*shape) if from_logits else np.abs(random(*shape)) + 0.1
    labels = np.random.default_rng(1).integers(0, shape[-1], shape[:-1]).astype("int32")
    loss = losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    how = {"from_logits": from_logits, "sparse": True}
    cases = [(loss, labels, lambda t, p: mean_of_cross_entropy(t, p, **how)),
             (losses.MeanSquaredError(), random(*shape, seed=2), mean_of_squared_error)]  # fmt: skip
    for loss, t, op in cases:
        check_mean(loss, op, ops.convert_to_tensor(t), ops.convert_to_tensor(p))


def check_mean(loss, op, t, p):
    expected = None
    for f in (op, loss, lambda t, p: ops.mean(loss.call(t, p))):
        with deepkit.GradientTape() as tape:
            tape.watch(p)
            y = f(t, p)
        assert y.shape == ()
        found = y.numpy(), tape.gradient(y, p).numpy()
        expected = expected or found
        for a, b in zip(found, expected):
            np.testing.assert_array_equal(a, b)
    check_gradient(lambda p: op(t, p), p.numpy())
    check_second_order(lambda p: op(t, p), p.numpy())


def test_losses_of_ones_own_are_called(device):
    class Doubled(losses.MeanSquaredError):
        def call(self, y_true, y_pred):
            return 2 * super().call(y_true, y_pred)

    t, p = ops.convert_to_tensor(random(4, 3)), ops.convert_to_tensor(random(4, 3, seed=1))
    assert float(Doubled()(t, p)) == pytest.approx(2 * float(losses.MeanSquaredError()(t, p)), rel=1e-6)
    assert losses.MeanSquaredError(reduction="none")(t, p).shape == (4,)
    assert float(losses.MeanSquaredError(reduction="sum")(t, p)) == pytest.approx(
        4 * float(losses.MeanSquaredError()(t, p)), rel=1e-6
    )
    masked = ops.convert_to_tensor(random(4, 3, seed=1))
    masked._keras_mask = ops.convert_to_tensor([True, False, False, False])
    rows = losses.MeanSquaredError(reduction=None)(t, p)
    assert float(losses.MeanSquaredError()(t, masked)) == pytest.approx(float(rows[0]), rel=1e-6)
    assert losses.MeanSquaredError()(t[:0], p[:0]).shape == (0,)

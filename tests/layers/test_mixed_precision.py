"""Dtype policies: layers, models and training in mixed precision, beside real Keras."""

from __future__ import annotations

import copy
import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit import dtype_policies, layers, ops
from deepkit.autograd.op import cast
from tests.golden.mixed_cases import MODELS, POLICIES, STEPS

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "mixed.npz")
HALF = ["mixed_float16", "mixed_bfloat16"]


@pytest.fixture
def policy(request):
    if request.param == "mixed_bfloat16":
        pytest.importorskip("ml_dtypes")
    deepkit.config.set_dtype_policy(request.param)
    yield request.param
    deepkit.config.set_dtype_policy(None)


@pytest.mark.parametrize("policy", POLICIES, indirect=True)
@pytest.mark.parametrize("name", MODELS)
def test_training_beside_keras(policy, name, device):
    key = f"{policy}/{name}"
    model = MODELS[name](deepkit)
    model.set_weights([GOLDEN[f"{key}/weight{i}"] for i in range(len(model.weights))])
    x, y = GOLDEN[f"{key}/x"], GOLDEN[f"{key}/y"]
    prediction = model(x)
    near = {"rtol": 0.01, "atol": 0.005} if policy == "mixed_float16" else {"rtol": 0.05, "atol": 0.05}
    assert prediction.dtype.name == str(GOLDEN[f"{key}/dtype"])
    np.testing.assert_allclose(prediction.numpy().astype("float32"), GOLDEN[f"{key}/prediction"], **near)
    model.compile(deepkit.optimizers.SGD(0.05, momentum=0.9), "mse")
    assert type(model.optimizer).__name__ == str(GOLDEN[f"{key}/optimizer"])
    losses = [float(model.train_on_batch(x, y)) for _ in range(STEPS)]
    np.testing.assert_allclose(losses, GOLDEN[f"{key}/losses"], **near)
    for i, v in enumerate(model.weights):
        assert v.dtype == "float32"
        np.testing.assert_allclose(v.numpy(), GOLDEN[f"{key}/trained{i}"], **near)


@pytest.mark.parametrize("policy", HALF, indirect=True)
def test_gradients_come_back_in_float32(policy, device):
    layer = layers.Dense(3, "relu")
    with deepkit.GradientTape() as tape:
        y = layer(np.ones((2, 4), "float32"))
        loss = ops.sum(ops.cast(y, "float32"))
    assert y.dtype.name == policy[len("mixed_") :] and layer.kernel.dtype == "float32"
    assert [g.dtype.name for g in tape.gradient(loss, layer.trainable_variables)] == ["float32"] * 2
    assert layer(deepkit.KerasTensor((None, 4))).dtype == policy[len("mixed_") :]


@pytest.mark.parametrize("policy", ["mixed_float16"], indirect=True)
def test_variables_within_and_outside_of_a_call(policy, device):
    seen = []

    class Probe(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(input_shape[-1:], "ones")
            self.kept = self.add_weight(input_shape[-1:], "ones", autocast=False)
            self.count = self.add_weight((), "zeros", dtype="int32", trainable=False)
            self.inner = layers.Dense(2, dtype="float32")

        def call(self, x):
            self.count.assign_add(1)
            seen[:] = [x.dtype, self.w.dtype, (self.w + 0).dtype, ops.stack([self.w]).dtype, self.w.value.dtype,
                       ops.convert_to_tensor(self.w).dtype, self.kept.dtype, self.inner(x).dtype]
            return x * self.w

    layer = Probe()
    y = layer(np.ones((2, 3), "float32"))
    assert [str(d) for d in seen] == ["float16"] * 6 + ["float32"] * 2
    assert str(y.dtype) == "float16" and layer.w.dtype == "float32" and int(layer.count) == 1
    assert str((layer.w * 2.0).dtype) == "float32"
    assert str(layer.w.value.dtype) == "float32"


@pytest.mark.parametrize("policy", ["mixed_float16"], indirect=True)
def test_copies_and_variables_of_ones_own(policy, device):
    class Own(layers.Layer):
        def build(self, input_shape):
            self.w = deepkit.Variable(np.ones(input_shape[-1:], "float32"))

        def call(self, x):
            assert str((self.w + 0).dtype) == "float16"
            return x * self.w

    x = np.ones((1, 2), "float32")
    layer = Own()
    for each in (layer, copy.deepcopy(layer)):
        assert str(each(x).dtype) == "float16"
    dense = layers.Dense(1)
    dense(x)
    for each in (copy.deepcopy(dense), pickle.loads(pickle.dumps(dense))):
        assert str(each(x).dtype) == "float16" and type(each.kernel) is type(dense.kernel)
        np.testing.assert_array_equal(each.kernel.numpy(), dense.kernel.numpy())


def test_a_policy_set_later(device):
    layer = layers.Dense(1)
    x = np.ones((1, 2), "float32")
    assert str(layer(x).dtype) == "float32"
    layer.dtype_policy = "mixed_float16"
    assert str(layer(x).dtype) == "float16" and layer.compute_dtype == "float16" and layer.kernel.dtype == "float32"
    layer.dtype_policy = "float32"
    assert str(layer(x).dtype) == "float32"


@pytest.mark.parametrize("policy", ["mixed_float16"], indirect=True)
def test_a_training_loop_of_ones_own(policy, device):
    """Scaled losses and the scaled gradients' steps are those of fit()."""
    by_hand, by_fit = MODELS["dense"](deepkit), MODELS["dense"](deepkit)
    by_fit.set_weights(by_hand.get_weights())
    x, y = np.ones((4, 6), "float32"), np.ones((4, 2), "float32")
    optimizer = deepkit.mixed_precision.LossScaleOptimizer(deepkit.optimizers.SGD(0.1))
    for _ in range(3):
        with deepkit.GradientTape() as tape:
            loss = ops.mean(ops.square(by_hand(x, training=True) - y))
            scaled = optimizer.scale_loss(loss)
        optimizer.apply(tape.gradient(scaled, by_hand.trainable_variables), by_hand.trainable_variables)
    by_fit.compile(deepkit.optimizers.SGD(0.1), "mse")
    by_fit.fit(x, y, epochs=3, verbose=0)
    for a, b in zip(by_hand.get_weights(), by_fit.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("policy", ["mixed_float16"], indirect=True)
def test_tapes_of_tapes(policy, device):
    layer = layers.Dense(1, use_bias=False, kernel_initializer="ones")
    x = ops.ones((1, 2))
    layer(x)
    with deepkit.GradientTape() as outer:
        with deepkit.GradientTape() as inner:
            y = ops.sum(ops.cast(layer(x), "float32") ** 2)
        g = inner.gradient(y, layer.kernel)
        total = ops.sum(g)
    assert g.tolist() == [[4.0], [4.0]]
    assert outer.gradient(total, layer.kernel).tolist() == [[4.0], [4.0]]


@pytest.mark.parametrize("policy", ["mixed_float16"], indirect=True)
def test_saving_and_loading(policy, tmp_path, device):
    model = MODELS["dense"](deepkit)
    model.compile("adam", "mse")
    x, y = np.ones((4, 6), "float32"), np.ones((4, 2), "float32")
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    again = deepkit.saving.load_model(tmp_path / "model.keras")
    assert [layer.dtype_policy.name for layer in again.layers] == ["mixed_float16"] * 2 + ["float32"]
    assert isinstance(again.optimizer, deepkit.optimizers.LossScaleOptimizer)
    for v, w in zip(model.weights + model.optimizer.variables, again.weights + again.optimizer.variables):
        np.testing.assert_array_equal(v.numpy(), w.numpy())
    assert float(model.train_on_batch(x, y)) == float(again.train_on_batch(x, y))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("policy", ["mixed_float16"], indirect=True)
def test_a_step_that_overflows_changes_nothing(policy, device):
    model = MODELS["dense"](deepkit)
    model.compile(deepkit.optimizers.SGD(0.1), "mse")
    before = model.get_weights()
    x = np.ones((4, 6), "float32")
    model.train_on_batch(x, np.full((4, 2), 1e5, "float32"))
    assert float(model.optimizer.dynamic_scale) == 2.0**14
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)
    model.compile(deepkit.optimizers.SGD(0.1), "mse", auto_scale_loss=False)
    assert isinstance(model.optimizer, deepkit.optimizers.SGD)


@pytest.mark.parametrize("policy", ["mixed_float16"], indirect=True)
def test_loss_scaling_around_several_optimizers(policy, device):
    o = deepkit.optimizers
    deepkit.utils.set_random_seed(0)
    model = MODELS["dense"](deepkit)
    model.compile(o.MultiOptimizer(o.OptimizerMap(o.Adam(0.01), {".*bias": o.SGD(0.1)})), "mse")
    x, y = np.ones((4, 6), "float32"), np.ones((4, 2), "float32")
    losses = model.fit(x, y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0] and int(model.optimizer.inner_optimizer.iterations) == 5
    before = model.get_weights()
    model.train_on_batch(x, y * 1e6)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_policies(device):
    policy = deepkit.DTypePolicy("mixed_bfloat16")
    assert (policy.name, policy.compute_dtype, policy.variable_dtype) == ("mixed_bfloat16", "bfloat16", "float32")
    assert policy == deepkit.FloatDTypePolicy("mixed_bfloat16") != deepkit.DTypePolicy("bfloat16")
    for identifier in (None, "float64", "mixed_float16", np.dtype("float16"), deepkit.DTypePolicy("float64")):
        found = dtype_policies.get(identifier)
        config = json.loads(json.dumps(dtype_policies.serialize(found)))
        assert dtype_policies.deserialize(config) == found == dtype_policies.get(config)
    for wrong, error in (("mixed_float64", ValueError), ("nonsense", ValueError), (3, TypeError)):
        with pytest.raises(error, match="name"):
            deepkit.DTypePolicy(wrong)
    assert policy.convert_input(np.ones(2), True, "float16").dtype == "float16"
    assert policy.convert_input(np.ones(2), False, "float16").dtype == "float64"
    assert policy.convert_input([1], True, "float16") == [1]
    assert deepkit.mixed_precision.global_policy().name == "float32"


def test_policies_by_path(device):
    policies = dtype_policies.DTypePolicyMap("mixed_float16", {"head": "float32", "block/.*": "float64"})
    assert policies.name == "map_mixed_float16" and len(policies) == 2 and "head" in policies
    config = json.loads(json.dumps(dtype_policies.serialize(policies)))
    assert dtype_policies.deserialize(config) == policies
    x = np.ones((1, 2), "float32")
    assert str(layers.Dense(2, name="head", dtype=policies)(x).dtype) == "float32"
    assert str(layers.ReLU(name="body", dtype=policies)(x).dtype) == "float16"

    class Block(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inner = layers.Dense(2, name="inner", dtype=policies)

        def call(self, x):
            return self.inner(x)

    assert str(Block(name="block")(x).dtype) == "float64"
    policies["b.*"] = "float64"
    with pytest.raises(ValueError, match="several keys"):
        policies["block/inner"]
    with pytest.raises(ValueError, match="already"):
        policies["head"] = "float16"
    with pytest.raises(ValueError, match="map itself"):
        dtype_policies.DTypePolicyMap(policies)
    with pytest.raises(TypeError, match="policy_map"):
        dtype_policies.DTypePolicyMap(None, ["float32"])
    del policies["b.*"]
    assert list(policies) == ["head", "block/.*"]


def test_bfloat16_without_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(ImportError, match=r"pip install 'deepkit\[bfloat16\]'"):
        layers.Dense(1, dtype="mixed_bfloat16")


def test_matrix_products_in_half_precision(device):
    a = np.random.default_rng(0).normal(size=(3, 40)).astype("float16")
    exact = a.astype("float64") @ a.T.astype("float64")
    y = ops.matmul(a, a.T)
    assert str(y.dtype) == "float16"
    np.testing.assert_allclose(y.numpy(), exact, rtol=2e-3, atol=2e-3)
    assert ops.matmul(ops.ones((2, 2), "int16"), ops.ones((2, 2), "int16")).tolist() == [[2, 2], [2, 2]]
    assert str(cast(y, dtype=np.dtype("float32")).dtype) == "float32"


@pytest.mark.parametrize("policy", ["mixed_float16"], indirect=True)
def test_onnx(policy, tmp_path, device):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    model = MODELS["dense"](deepkit)
    model.export(str(tmp_path / "model.onnx"), format="onnx")
    session = runtime.InferenceSession(str(tmp_path / "model.onnx"))
    x = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")
    y = session.run(None, {session.get_inputs()[0].name: x})[0]
    np.testing.assert_allclose(y, model.predict(x, verbose=0), rtol=0.01, atol=0.005)

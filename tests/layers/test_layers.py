"""Layers against golden values of real Keras; gradients, symbolic shapes, edge cases, configurations, masks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit import layers, ops
from tests.golden.layer_cases import CASES
from tests.helpers import check_gradient, check_infer, check_second_order

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "layers.npz")


def inputs(name):
    return [GOLDEN[f"{name}/x{i}"] for i in range(len(CASES[name][1]))]


def one_or_list(xs):
    return list(xs) if len(xs) > 1 else xs[0]


def made(name, xs=None, **kwargs):
    """The layer with Keras's weights, and a function of its inputs."""
    make, _, training = CASES[name]

    class Typed:
        layers = _Typed(kwargs)

    layer = make(Typed)
    layer(one_or_list(inputs(name) if xs is None else xs))
    if f"{name}/weight0" in GOLDEN:
        layer.set_weights([GOLDEN[f"{name}/weight{i}"] for i in range(len(layer.weights))])
    return layer, lambda *xs: layer(one_or_list(xs), training=True) if training else layer(one_or_list(xs))


class _Typed:
    """``deepkit.layers`` with further arguments for every layer."""

    def __init__(self, kwargs):
        self.kwargs = kwargs

    def __getattr__(self, name):
        return lambda *args, **kwargs: getattr(layers, name)(*args, **kwargs, **self.kwargs)


@pytest.mark.parametrize("name", CASES)
def test_values_and_state(name, device):
    layer, call = made(name)
    np.testing.assert_allclose(call(*inputs(name)).numpy(), GOLDEN[f"{name}/y"], rtol=1e-5, atol=1e-5)
    if f"{name}/after0" in GOLDEN:
        for i, v in enumerate(layer.weights):
            np.testing.assert_allclose(v.numpy(), GOLDEN[f"{name}/after{i}"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_gradients(name, device):
    xs = [x.astype("float64") for x in inputs(name)]
    layer, call = made(name, xs, dtype="float64")
    check_gradient(call, *xs)
    if layer.trainable_weights:
        values = layer.get_weights()
        trained = [i for i, v in enumerate(layer.weights) if v.trainable]
        tensors = [ops.convert_to_tensor(x) for x in xs]
        with deepkit.GradientTape() as tape:
            y = ops.sum(ops.square(call(*tensors)))
        grads = tape.gradient(y, layer.trainable_weights)
        rng = np.random.default_rng(0)
        for i, g in zip(trained, grads):
            d, eps, found = rng.normal(size=g.shape), 1e-6, []
            for sign in (1, -1):
                layer.set_weights([w + sign * eps * d if j == i else w for j, w in enumerate(values)])
                found.append(float(ops.sum(ops.square(call(*tensors)))))
            np.testing.assert_allclose(
                np.sum(g.numpy() * d), (found[0] - found[1]) / (2 * eps), rtol=1e-4, atol=1e-5
            )


@pytest.mark.parametrize("name", CASES)
def test_shapes_and_edges(name, device):
    _, call = made(name)
    xs = inputs(name)
    check_infer(call, *xs)
    expected = GOLDEN[f"{name}/y"]
    for n in (0, 1):
        if name == "batch_norm_axis" and n == 0:
            continue
        y = call(*[x[:n] for x in xs])
        assert y.shape == (n, *expected.shape[1:])
    _, call = made(name)
    strided = [np.repeat(x, 2, axis=-1)[..., ::2] for x in xs]
    np.testing.assert_allclose(call(*strided).numpy(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_configurations(name):
    layer, call = made(name)
    found = {k: v for k, v in layers.serialize(layer)["config"].items() if k not in ("name", "dtype")}
    expected = json.loads(str(GOLDEN[f"{name}/config"]))
    found = json.loads(json.dumps(found))
    strip = lambda c: json.loads(json.dumps(c), object_hook=_plain)
    assert strip(found) == strip(expected)
    again = layers.deserialize(layers.serialize(layer))
    assert type(again) is type(layer) and again.get_config() == layer.get_config()


def _plain(node):
    """Tuples as lists, and configurations by name and content only."""
    if node.get("class_name") == "__tuple__":
        return node["config"]
    if "class_name" in node and "config" in node:
        return {"class_name": node["class_name"], "config": node["config"]}
    return node


# -- what golden values can't say --------------------------------------------------------------------------------


def test_embedding(device):
    layer = layers.Embedding(5, 3, mask_zero=True)
    ids = np.array([[1, 4, 0], [2, 0, 0]])
    y = layer(ids)
    np.testing.assert_array_equal(y.numpy(), layer.embeddings.numpy()[ids])
    assert y._keras_mask.tolist() == (ids != 0).tolist()
    with deepkit.GradientTape() as tape:
        loss = ops.sum(layer(ids) * 2)
    g = tape.gradient(loss, layer.embeddings).numpy()
    np.testing.assert_array_equal(g, 2 * np.bincount(ids.ravel(), minlength=5)[:, None] * np.ones(3))
    assert layer(deepkit.KerasTensor((None, 7), "int32")).shape == (None, 7, 3)
    if device == "cuda":  # nobody waits there to look at the indices
        assert np.isnan(layer(np.array([[5]])).numpy()).all()
        return
    with pytest.raises(IndexError):
        layer(np.array([[5]]))


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Dropout(0.4, seed=3),
        lambda: layers.SpatialDropout1D(0.4, seed=3),
        lambda: layers.GaussianNoise(0.3, seed=3),
        lambda: layers.GaussianDropout(0.4, seed=3),
    ],
)
def test_random_layers(make, device):
    x = np.ones((200, 6, 50), "float32")
    a, b = make(), make()
    first, second = a(x, training=True).numpy(), a(x, training=True).numpy()
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(b(x, training=True).numpy(), first)
    assert first.mean() == pytest.approx(1, abs=0.02)
    np.testing.assert_array_equal(a(x).numpy(), x)
    if isinstance(a, layers.SpatialDropout1D):
        assert (first == first[:, :1]).all()
    with deepkit.GradientTape() as tape:
        t = ops.convert_to_tensor(x)
        tape.watch(t)
        y = make()(t, training=True)
    g = tape.gradient(y, t).numpy()
    np.testing.assert_allclose(g, first if not isinstance(a, layers.GaussianNoise) else x, rtol=1e-6)


def test_alpha_dropout_keeps_mean_and_variance(device):
    x = np.random.default_rng(0).normal(size=(400, 300)).astype("float32")
    layer = layers.AlphaDropout(0.3, seed=3)
    first, second = layer(x, training=True).numpy(), layer(x, training=True).numpy()
    assert first.mean() == pytest.approx(0, abs=0.02) and first.std() == pytest.approx(1, abs=0.02)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(layers.AlphaDropout(0.3, seed=3)(x, training=True).numpy(), first)
    ones = np.ones((500, 4), "float32")
    y = layers.AlphaDropout(0.3, noise_shape=(None, 1), seed=1)(ones, training=True).numpy()
    assert (y == y[:, :1]).all()
    np.testing.assert_allclose(np.unique(y), [-1.0595481, 1.3150446], rtol=1e-6)  # real Keras's two values


@pytest.mark.parametrize("groups", [2, -1])
def test_group_normalization_of_unknown_sizes(groups, device):
    layer = layers.GroupNormalization(groups)
    assert layer(deepkit.KerasTensor((None, None, 4))).shape == (None, None, 4)


def test_normalization_adapts_like_numpy(device):
    rng = np.random.default_rng(0)
    x = rng.normal(3, 2, size=(50, 4)).astype("float32")
    whole, parts = layers.Normalization(), layers.Normalization()
    whole.adapt(x)
    parts.adapt(x[i : i + 20] for i in range(0, 50, 20))
    for layer in (whole, parts):
        np.testing.assert_allclose(layer(x).numpy(), (x - x.mean(0)) / x.std(0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layers.Normalization.from_config({**whole.get_config()}).axis, [-1])
    with pytest.raises(ValueError, match="empty"):
        layers.Normalization().adapt(np.ones((0, 3)))
    with pytest.raises(ValueError, match="both"):
        layers.Normalization(mean=1.0)


def test_masks_travel(device):
    x = np.array([[[1.0, 2.0], [0.0, 0.0], [3.0, 4.0]]], "float32")
    masked = layers.Masking()(x)
    y = layers.Dropout(0.5)(layers.Dense(2)(masked))
    assert y._keras_mask.tolist() == [[True, False, True]]
    assert layers.Add()([masked, masked])._keras_mask.tolist() == [[True, False, True]]
    assert layers.Flatten()(masked)._keras_mask is None
    norm = layers.BatchNormalization()
    out = norm(masked, training=True).numpy()
    kept = x[0, [0, 2]]
    np.testing.assert_allclose(out[0, [0, 2]], (kept - kept.mean(0)) / np.sqrt(kept.var(0) + 1e-3), rtol=1e-3)


def test_frozen_batch_normalization_uses_moving_averages(device):
    layer = layers.BatchNormalization()
    x = np.random.default_rng(0).normal(5, 2, size=(8, 3)).astype("float32")
    layer(x, training=True)
    layer.trainable = False
    before = layer.moving_mean.numpy()
    np.testing.assert_allclose(layer(x, training=True).numpy(), layer(x, training=False).numpy(), rtol=1e-6)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), before)


def test_fused_norms_twice(device):
    from deepkit.ops.norm import batch_norm, fixed_norm, layer_norm

    rng = np.random.default_rng(1)
    x, gamma, beta = rng.normal(size=(5, 4)), rng.normal(size=4), rng.normal(size=4)
    check_second_order(lambda x, g, b: ops.tanh(layer_norm(x, g, b)), x, gamma, beta)
    check_second_order(lambda x, g, b: ops.tanh(batch_norm(x, g, b)[0]), x, gamma, beta)
    mean, variance = rng.normal(size=4), rng.uniform(0.5, 2, size=4)
    check_second_order(lambda *a: ops.tanh(fixed_norm(*a)), x, mean, variance, gamma, beta)
    check_gradient(lambda *a: ops.tanh(fixed_norm(*a)), x, mean, variance, gamma, beta)


@pytest.mark.parametrize("dtype", ["float16", "mixed_float16"])
@pytest.mark.parametrize("name", ["BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization"])
def test_statistics_of_half_precision_inputs(name, dtype, device):
    """The sum of these squares is beyond float16, the result isn't."""
    x = (np.random.default_rng(0).normal(size=(4096, 32)) * 100).astype("float16")
    layer = getattr(layers, name)(dtype=dtype, **({"groups": 4} if name == "GroupNormalization" else {}))
    y = layer(x, training=True) if name == "BatchNormalization" else layer(x)
    assert str(y.dtype) == "float16"
    assert y.numpy().astype("float32").std() == pytest.approx(1, abs=0.01)
    assert str(layer(deepkit.KerasTensor((None, 32), "float16")).dtype) == "float16"


def test_normalization_of_integers(device):
    x = np.arange(12).reshape(4, 3)
    for layer in (layers.BatchNormalization(), layers.LayerNormalization()):
        assert str(layer(x).dtype) == "float32"


def test_merged_masks(device):
    x, a, b = np.ones((1, 3, 2), "float32"), np.array([[True, False, False]]), np.array([[False, False, True]])
    assert layers.Add().compute_mask([x, x], [a, b]).tolist() == [[True, False, True]]
    assert layers.Add().compute_mask([x, x], [a, None]) is None
    assert layers.Add()([layers.Masking()(x), ops.convert_to_tensor(x)])._keras_mask is None
    assert layers.Add()([x]).tolist() == x.tolist()
    with pytest.raises(ValueError, match="as many masks"):
        layers.Add().compute_mask([x, x], [a])


def test_softmax_where_everything_is_masked(device):
    y = layers.Softmax()(np.ones((2, 2), "float32"), mask=np.array([[False, False], [True, False]]))
    assert y.tolist() == [[0, 0], [1, 0]]


def test_relu_with_a_threshold_at_infinity(device):
    x = np.array([-np.inf, 0.2, np.inf], "float32")
    assert deepkit.activations.relu(x, threshold=0.5).tolist() == [0, 0, np.inf]


def test_lambda_and_functional_forms(device):
    x = np.ones((2, 3), "float32")
    assert layers.Lambda(lambda v, scale: v * scale, arguments={"scale": 3})(x).tolist() == [[3] * 3] * 2
    for name in ("add", "multiply", "average", "maximum", "minimum", "subtract", "concatenate"):
        cls = {"concatenate": "Concatenate"}.get(name, name.capitalize())
        a = deepkit.Input((3,))
        assert getattr(layers, name)([a, a]).shape == getattr(layers, cls)()([a, a]).shape
    np.testing.assert_allclose(layers.dot([x, x], axes=1).numpy(), [[3], [3]])
    with pytest.raises(ValueError, match="bytecode"):
        layers.deserialize(
            {
                "module": "keras.layers",
                "class_name": "Lambda",
                "registered_name": None,
                "config": {"function": {"class_name": "__lambda__", "config": {"code": "x"}}},
            }
        )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Add()(np.ones((2, 3))), "list of inputs"),
        (lambda: layers.Add()([np.ones((2, 3)), np.ones((2, 4))]), "broadcast"),
        (lambda: layers.Subtract()([np.ones((2, 3))] * 3), "exactly 2"),
        (lambda: layers.Concatenate()([np.ones((2, 3)), np.ones((3, 3, 3))]), "same shape"),
        (lambda: layers.Dot(axes=1)([np.ones((2, 3)), np.ones((2, 4))]), "differ"),
        (lambda: layers.Permute((1, 3)), "permutation"),
        (lambda: layers.Reshape((5,))(np.ones((2, 3))), "can't be reshaped"),
        (lambda: layers.ZeroPadding2D((1, 2, 3)), "padding"),
        (lambda: layers.Cropping1D(2)(np.ones((1, 4, 1))), "leaves nothing"),
        (lambda: layers.UpSampling2D(interpolation="cubic"), "interpolation"),
        (lambda: layers.BatchNormalization(axis=4)(np.ones((2, 3))), "out of range"),
        (lambda: layers.LayerNormalization(axis="x"), "axis"),
        (lambda: layers.GroupNormalization(0), "groups"),
        (lambda: layers.GroupNormalization(3)(np.ones((2, 4))), "divided"),
        (lambda: layers.GroupNormalization(2, axis=0)(np.ones((2, 4))), "batch"),
        (lambda: layers.RMSNormalization(axis="x"), "axis"),
        (lambda: layers.RMSNormalization(axis=3)(np.ones((2, 4))), "out of range"),
        (lambda: layers.AlphaDropout(1), "rate"),
        (lambda: layers.LeakyReLU(-1), "negative_slope"),
        (lambda: layers.Dense(2)(np.ones(3)), "min_ndim=2"),
        (lambda: layers.GaussianNoise(-1), "stddev"),
        (lambda: layers.GaussianNoise(1.5), "stddev"),
        (lambda: layers.RepeatVector(0), "positive"),
        (lambda: layers.Add()([]), "at least 1"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()

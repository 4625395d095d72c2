"""Convolution layers: against real Keras, shapes, configuration and errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit import layers, ops
from tests.golden.conv_cases import CONV, name_of

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "conv.npz", allow_pickle=False)


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


def compare_with_keras(golden, case, extra=()):
    """Output and gradients of a layer with Keras's weights."""
    kind, arguments, shape = case
    name = name_of(case)
    layer = getattr(layers, kind)(**arguments)
    layer.build(shape)
    weights = [golden[f"{name}/w{i}"] for i in range(len(layer.weights))]
    assert f"{name}/w{len(weights)}" not in golden
    layer.set_weights(weights)
    x = ops.convert_to_tensor(golden[f"{name}/x"])
    with deepkit.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
        loss = ops.sum(y * golden[f"{name}/seed"])
    grads = tape.gradient(loss, [x, *layer.trainable_variables])
    close(y.numpy(), golden[f"{name}/y"])
    close(grads[0].numpy(), golden[f"{name}/dx"])
    for i, g in enumerate(grads[1:]):
        close(g.numpy(), golden[f"{name}/dw{i}"])
    return layer, x, y


@pytest.mark.parametrize("case", CONV, ids=name_of)
def test_values_and_gradients_are_those_of_keras(device, case):
    layer, x, y = compare_with_keras(GOLDEN, case)
    assert layer.compute_output_shape((None, *x.shape[1:])) == (None, *y.shape[1:])
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    again.build(x.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x[:1]).numpy(), layer(x[:1]).numpy())
    assert layer(x[:0]).shape == (0, *y.shape[1:])


def test_configuration_has_the_keys_of_keras():
    common = {
        "name", "trainable", "dtype", "filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate",
        "activation", "use_bias", "kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer",
        "activity_regularizer", "kernel_constraint", "bias_constraint",
    }  # fmt: skip
    config = layers.Conv2D(2, 3, kernel_regularizer="l2", activation="relu").get_config()
    assert set(config) == common | {"groups"}
    assert (config["kernel_size"], config["strides"], config["activation"]) == ((3, 3), (1, 1), "relu")
    assert set(layers.Conv1DTranspose(2, 3).get_config()) == common | {"output_padding"}
    depthwise = {k.replace("kernel_", "depthwise_") if k != "kernel_size" else k for k in common} - {
        "filters"
    }
    assert set(layers.DepthwiseConv2D(3).get_config()) == depthwise | {"depth_multiplier"}
    pointwise = {f"pointwise_{part}" for part in ("initializer", "regularizer", "constraint")}
    expected = depthwise | pointwise | {"depth_multiplier", "filters"}
    assert set(layers.SeparableConv1D(2, 3).get_config()) == expected


def test_weights_are_named_and_shaped_as_in_keras():
    conv = layers.Conv2D(6, (3, 2), groups=2)
    conv.build((None, 8, 8, 4))
    assert [(w.name, w.shape) for w in conv.weights] == [("kernel", (3, 2, 2, 6)), ("bias", (6,))]
    turned = layers.Conv2DTranspose(6, 3, use_bias=False)
    turned.build((None, 8, 8, 4))
    assert [(w.name, w.shape) for w in turned.weights] == [("kernel", (3, 3, 6, 4))]
    separable = layers.SeparableConv2D(6, 3, depth_multiplier=2)
    separable.build((None, 8, 8, 4))
    names = [("depthwise_kernel", (3, 3, 4, 2)), ("pointwise_kernel", (1, 1, 8, 6)), ("bias", (6,))]
    assert [(w.name, w.shape) for w in separable.weights] == names


def test_old_names_are_the_same_layers():
    assert layers.Convolution2D is layers.Conv2D
    assert layers.Convolution1DTranspose is layers.Conv1DTranspose
    assert layers.SeparableConvolution2D is layers.SeparableConv2D


def test_takes_integers_numpy_sizes_and_unknown_sizes(device):
    conv = layers.Conv2D(np.int64(2), np.array([3, 3]), strides=np.int32(2), padding="SAME")
    image = np.arange(2 * 6 * 6, dtype="uint8").reshape(2, 6, 6, 1)
    y = conv(image)
    assert (y.shape, y.dtype) == ((2, 3, 3, 2), "float32")
    np.testing.assert_array_equal(y.numpy(), conv(image.astype("float32")).numpy())
    assert conv(deepkit.KerasTensor((None, None, 7, 1))).shape == (None, None, 4, 2)


@pytest.mark.parametrize("kind", ["Conv2D", "Conv2DTranspose", "SeparableConv2D"])
def test_mixed_precision(device, kind):
    layer = getattr(layers, kind)(2, 3, dtype="mixed_float16", activation="relu")
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 4)).astype("float32")
    with deepkit.GradientTape() as tape:
        y = layer(x)
        loss = ops.sum(y)
    grads = tape.gradient(loss, layer.trainable_variables)
    assert y.dtype == "float16" and {g.dtype.name for g in grads} == {"float32"}
    assert layer(deepkit.KerasTensor((None, 6, 6, 4))).dtype == "float16"
    full = getattr(layers, kind)(2, 3, activation="relu")
    full.build(x.shape)
    full.set_weights(layer.get_weights())
    np.testing.assert_allclose(y.numpy(), full(x).numpy(), rtol=1e-2, atol=1e-2)


def test_input_out_of_order_in_memory(device):
    conv = layers.Conv2D(3, 3, activation="relu")
    x = np.random.default_rng(0).normal(size=(2, 4, 7, 6)).astype("float32").transpose(1, 3, 2, 0)
    np.testing.assert_allclose(conv(x).numpy(), conv(np.ascontiguousarray(x)).numpy(), rtol=1e-5, atol=1e-6)


def test_causal_outputs_do_not_look_ahead(device):
    conv = layers.Conv1D(2, 3, padding="causal", dilation_rate=2)
    x = np.random.default_rng(0).normal(size=(1, 9, 2)).astype("float32")
    changed = x.copy()
    changed[:, 5:] = 0
    np.testing.assert_array_equal(conv(x).numpy()[:, :5], conv(changed).numpy()[:, :5])


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: layers.Conv2D(0, 3), ["Conv2D", "filters=0"]),
        (lambda: layers.Conv2D(2.5, 3), ["Conv2D", "filters=2.5"]),
        (lambda: layers.Conv2D(2, 0), ["Conv2D", "kernel_size=0"]),
        (lambda: layers.Conv2D(2, (3, 3, 3)), ["Conv2D", "2 integers", "kernel_size=(3, 3, 3)"]),
        (lambda: layers.Conv2D(2, "3"), ["Conv2D", "kernel_size='3'"]),
        (
            lambda: layers.Conv2D(2, 3, strides=2, dilation_rate=2),
            ["Conv2D", "strides=(2, 2)", "dilation_rate=(2, 2)"],
        ),
        (lambda: layers.Conv2D(2, 3, padding="causal"), ["Conv2D", "padding='causal'"]),
        (lambda: layers.Conv2D(2, 3, data_format="last"), ["data_format 'last'"]),
        (lambda: layers.Conv2D(3, 3, groups=2), ["Conv2D", "filters=3", "groups=2"]),
        (
            lambda: layers.Conv2DTranspose(3, 3, strides=2, output_padding=2),
            ["output_padding=(2, 2)", "strides=(2, 2)"],
        ),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), ["DepthwiseConv2D", "depth_multiplier=0"]),
        (lambda: layers.Conv2D(2, 3, activation="rellu"), ["rellu"]),
    ],
)
def test_wrong_arguments(make, words):
    with pytest.raises((ValueError, TypeError)) as error:
        make()
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    "layer, shape, words",
    [
        (layers.Conv2D(4, 5, name="small"), (2, 4, 4, 3), ["'small'", "(5, 5)", "(4, 4)", "padding='same'"]),
        (
            layers.Conv2D(4, 3, groups=4, name="grouped"),
            (2, 4, 4, 3),
            ["'grouped'", "3 channels", "groups=4"],
        ),
        (layers.Conv2D(4, 3, name="flat"), (2, 4, 4), ["flat", "ndim=4", "ndim=3", "(2, 4, 4)"]),
        (layers.Conv2D(4, 3, name="open"), (2, 4, 4, None), ["'open'", "channels", "must be known"]),
        (layers.SeparableConv1D(4, 5, name="deep"), (2, 4, 3), ["'deep'", "(5,)", "(4,)"]),
    ],
)
def test_wrong_inputs(layer, shape, words):
    with pytest.raises(ValueError) as error:
        layer(deepkit.KerasTensor(shape))
    for word in words:
        assert word in str(error.value)


def test_another_number_of_channels_is_refused(device):
    conv = layers.Conv2D(4, 3, name="fixed")
    conv(np.ones((1, 4, 4, 3), "float32"))
    with pytest.raises(ValueError, match="fixed"):
        conv(np.ones((1, 4, 4, 2), "float32"))

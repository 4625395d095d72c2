"""Convolution ops: kernels against a plain sum over taps, gradients, shapes and errors."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import deepkit
from deepkit import ops
from deepkit.ops.conv import convolution
from deepkit.ops.conv_transpose import transposed_convolution
from tests.helpers import check_gradient, check_infer, check_second_order

RNG = np.random.default_rng(0)


def array(*shape):
    return RNG.normal(size=shape)


def plain(x, w, strides, pads, dilation):
    """The definition, one window position and group at a time."""
    kernel, (inputs, outputs) = w.shape[:-2], w.shape[-2:]
    x = np.pad(x, ((0, 0), *pads, (0, 0)))
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    out = [(n - span) // s + 1 for n, span, s in zip(x.shape[1:], spans, strides)]
    each = outputs * inputs // x.shape[-1]
    y = np.zeros((x.shape[0], *out, outputs))
    for where in product(*map(range, out)):
        window = x[
            (
                slice(None),
                *(slice(o * s, o * s + n, d) for o, s, n, d in zip(where, strides, spans, dilation)),
            )
        ]
        for o in range(outputs):
            group = o // each * inputs
            y[(slice(None), *where, o)] = np.sum(
                window[..., group : group + inputs] * w[..., o], axis=tuple(range(1, x.ndim))
            )
    return y


SETTINGS = [
    # spatial, kernel, channels in and out, groups, strides, padding, dilation
    ((7,), (3,), 3, 4, 1, (1,), ((0, 0),), (1,)),
    ((7,), (3,), 30, 4, 1, (2,), ((2, 0),), (1,)),
    ((6, 5), (3, 2), 1, 4, 1, (1, 1), ((1, 2), (0, 1)), (1, 1)),
    ((6, 5), (3, 2), 16, 4, 1, (2, 1), ((1, 2), (3, 1)), (1, 2)),
    ((6, 5), (2, 2), 4, 6, 2, (1, 2), ((0, 1), (1, 1)), (2, 1)),
    ((6, 5), (2, 2), 3, 6, 3, (1, 1), ((0, 0), (1, 1)), (1, 1)),
    ((4, 5, 4), (2, 1, 3), 2, 3, 1, (1, 2, 1), ((0, 1), (0, 0), (2, 2)), (1, 1, 1)),
]


@pytest.mark.parametrize("act", [None, "tanh"])
@pytest.mark.parametrize("spatial, kernel, c, o, groups, strides, pads, dilation", SETTINGS)
def test_conv_is_the_sum_over_the_window(device, spatial, kernel, c, o, groups, strides, pads, dilation, act):
    x, w, b = array(2, *spatial, c), array(*kernel, c // groups, o), array(o)
    y = convolution(x, w, b, strides=strides, padding=pads, dilation=dilation, act=act).numpy()
    expected = plain(x, w, strides, pads, dilation) + b
    np.testing.assert_allclose(y, expected if act is None else np.tanh(expected), rtol=1e-10)


@pytest.mark.parametrize("act", [None, "tanh"])
@pytest.mark.parametrize("spatial, kernel, c, o, groups, strides, pads, dilation", SETTINGS)
def test_conv_gradients(device, spatial, kernel, c, o, groups, strides, pads, dilation, act):
    x, w, b = array(2, *spatial, c), array(*kernel, c // groups, o), array(o)
    how = dict(strides=strides, padding=pads, dilation=dilation, act=act)
    check_gradient(lambda x, w, b: convolution(x, w, b, **how), x, w, b)
    check_infer(
        lambda x, w, b: convolution(x, w, b, **how), *(a.astype("float32") for a in (x, w, b)), batch=False
    )


@pytest.mark.parametrize("limit", [64, 1000])
def test_pieces_of_any_size_give_the_same(device, monkeypatch, limit):
    from deepkit.backend.cpu import depthwise, pool, window

    x, w, b, deep = array(3, 9, 8, 4), array(3, 3, 4, 5), array(5), array(3, 3, 4, 2)

    def everything():
        with deepkit.GradientTape() as tape:
            tensors = [ops.convert_to_tensor(a) for a in (x, w, b, deep)]
            tape.watch(tensors)
            y = convolution(*tensors[:3], padding="same", act="relu")
            z = ops.depthwise_conv(tensors[0], tensors[3], strides=2, padding="same")
            p = ops.max_pool(tensors[0], 3, 2, "same") + ops.average_pool(tensors[0], 3, 2, "same")
            total = ops.sum(y * y) + ops.sum(z * z) + ops.sum(p * p)
        return [y, z, p, *tape.gradient(total, tensors)]

    whole = everything()
    monkeypatch.setattr(window.pieces, "__defaults__", (limit,))
    monkeypatch.setattr(depthwise, "_BYTES", limit)
    monkeypatch.setattr(pool, "_BYTES", limit)
    for a, b_ in zip(everything(), whole):
        np.testing.assert_allclose(a.numpy(), b_.numpy(), rtol=1e-9, atol=1e-9)


def test_conv_reference_and_second_order(device):
    x, w, b = array(2, 5, 4, 4), array(2, 3, 2, 4), array(4)
    how = dict(strides=(2, 1), padding="same", act="tanh")
    tensors = [ops.convert_to_tensor(a) for a in (x, w, b)]
    np.testing.assert_allclose(
        convolution.reference(*tensors, **how).numpy(), convolution(*tensors, **how).numpy()
    )
    check_second_order(lambda x, w, b: convolution(x, w, b, **how), x, w, b)


@pytest.mark.parametrize(
    "padding, output_padding", [("valid", None), ("same", None), ("valid", 1), ("same", 1)]
)
@pytest.mark.parametrize(
    "strides, kernel, dilation",
    [((2, 3), (3, 2), (1, 1)), ((3, 2), (1, 4), (1, 1)), ((1, 1), (3, 2), (2, 2))],
)
def test_conv_transpose(device, padding, output_padding, strides, kernel, dilation):
    if output_padding and max(dilation) > 1:
        output_padding = 0
    x, w, b = array(2, 3, 4, 3), array(*kernel, 2, 3), array(2)
    how = dict(
        strides=strides, padding=padding, dilation=dilation, output_padding=(output_padding,) * 2, act="tanh"
    )
    tensors = [ops.convert_to_tensor(a) for a in (x, w, b)]
    y = transposed_convolution(*tensors, **how)
    np.testing.assert_allclose(
        transposed_convolution.reference(*tensors, **how).numpy(), y.numpy(), rtol=1e-9
    )
    check_gradient(lambda x, w, b: transposed_convolution(x, w, b, **how), x, w, b)
    check_infer(
        lambda x, w, b: transposed_convolution(x, w, b, **how),
        *(a.astype("float32") for a in (x, w, b)),
        batch=False,
    )


def test_conv_transpose_second_order(device):
    how = dict(strides=(2,), padding="same", dilation=(1,), output_padding=(None,), act="tanh")
    check_second_order(
        lambda x, w, b: transposed_convolution(x, w, b, **how), array(2, 3, 2), array(3, 2, 2), array(2)
    )


def test_conv_transpose_is_the_adjoint_of_conv(device):
    x, w = array(2, 7, 7, 3), array(3, 3, 3, 4)
    y = ops.conv(x, w, strides=2)
    g = array(*y.shape)
    back = ops.conv_transpose(g, w, strides=2)
    assert back.shape == x.shape
    np.testing.assert_allclose(np.sum(y.numpy() * g), np.sum(back.numpy() * x))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_separable_is_depthwise_then_pointwise(device, data_format):
    last = data_format == "channels_last"
    x, d, p = array(2, 5, 6, 3) if last else array(2, 3, 5, 6), array(2, 2, 3, 2), array(1, 1, 6, 4)
    y = ops.separable_conv(x, d, p, 1, "same", data_format)
    full = np.einsum("ijcm,cmo->ijco", d, p.reshape(3, 2, 4))  # both kernels multiplied out
    expected = ops.conv(x, full, 1, "same", data_format)
    np.testing.assert_allclose(y.numpy(), expected.numpy(), rtol=1e-9, atol=1e-12)
    assert y.shape == ((2, 5, 6, 4) if last else (2, 4, 5, 6))
    check_gradient(lambda x, d, p: ops.separable_conv(x, d, p, 1, "same", data_format), x, d, p)


@pytest.mark.parametrize("fn", [ops.conv, ops.conv_transpose])
def test_non_contiguous_empty_and_single(device, fn):
    w = array(3, 3, 2, 2)
    x = array(6, 6, 2, 4).T.transpose(0, 3, 2, 1)  # (4, 6, 6, 2), no axis in C order
    whole = fn(np.ascontiguousarray(x), w, 2, "same").numpy()
    np.testing.assert_allclose(fn(x, w, 2, "same").numpy(), whole)
    np.testing.assert_allclose(fn(x[1:2], w, 2, "same").numpy(), whole[1:2])
    np.testing.assert_allclose(fn(x[::-1], w[::-1].copy()[::-1], 2, "same").numpy(), whole[::-1])
    assert fn(x[:0], w, 2, "same").shape == (0, *whole.shape[1:])
    check_gradient(lambda x, w: fn(x, w, 2, "same"), x[:0], w)
    check_gradient(lambda x, w: fn(x, w, 2, "same"), x, w)


def test_dtypes(device):
    x, w = np.ones((1, 4, 4, 3)), np.ones((2, 2, 3, 1))
    assert ops.conv(x.astype("uint8"), w.astype("float32")).dtype == "float32"
    assert ops.conv(x, w.astype("float32")).dtype == "float64"
    half = ops.conv(x.astype("float16"), w.astype("float16"))
    assert half.dtype == "float16"
    np.testing.assert_array_equal(half.numpy(), 12)
    tensors = [ops.convert_to_tensor(a.astype("float16")) for a in (x, w)]
    with deepkit.GradientTape() as tape:
        tape.watch(tensors)
        y = ops.conv(*tensors)
    assert [g.dtype.name for g in tape.gradient(y, tensors)] == ["float16", "float16"]


def test_unknown_sizes():
    spec = deepkit.KerasTensor((None, None, 8, 3))
    w = np.ones((3, 3, 3, 5), "float32")
    assert ops.conv(spec, w, 2, "same").shape == (None, None, 4, 5)
    assert ops.conv_transpose(spec, np.ones((3, 3, 5, 3), "float32"), 2).shape == (None, None, 17, 5)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: ops.conv(np.ones((1, 2, 2, 3)), np.ones((3, 3, 3, 4))), "window of size (3, 3)"),
        (lambda: ops.conv(np.ones((1, 4, 4, 5)), np.ones((3, 3, 3, 4))), "5 channels"),
        (lambda: ops.conv(np.ones((1, 4, 4)), np.ones((3, 3, 3, 4))), "4 axes"),
        (lambda: ops.conv(np.ones((1, 4)), np.ones((3, 3))), "spatial axis"),
        (lambda: ops.conv(np.ones((1, 4, 1)), np.ones((1, 1, 1)), padding="full"), "padding='full'"),
        (lambda: ops.conv(np.ones((1, 4, 1)), np.ones((1, 1, 1)), strides=(1, 2)), "strides=(1, 2)"),
        (lambda: ops.conv(np.ones((1, 4, 1)), np.ones((1, 1, 1)), strides=0), "strides=0"),
        (lambda: ops.conv(np.ones((1, 4, 1)), np.ones((1, 1, 1)), data_format="NHWC"), "NHWC"),
        (
            lambda: ops.conv(deepkit.KerasTensor((None, 4, None)), np.ones((1, 1, 1))),
            "channels must be known",
        ),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError) as error:
        call()
    assert words in str(error.value)

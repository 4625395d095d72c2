"""Pooling ops: against the definition, gradients, shapes and errors."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import deepkit
from deepkit import ops
from deepkit.ops.pool import average_pooling, max_pooling
from deepkit.utils.windows import resolve_padding
from tests.helpers import check_gradient, check_infer, check_second_order

RNG = np.random.default_rng(0)

SETTINGS = [
    ((7,), (2,), (2,), "valid"),
    ((7,), (3,), (2,), "same"),
    ((6, 6), (2, 2), (2, 2), "valid"),
    ((7, 5), (3, 2), (1, 2), "same"),
    ((7, 7), (2, 2), (3, 3), "same"),
    ((5, 7), (1, 1), (2, 1), "valid"),
    ((4, 5, 6), (2, 3, 2), (2, 1, 3), "same"),
]
OPS = [(ops.max_pool, np.nanmax), (ops.average_pool, np.nanmean)]


@pytest.mark.parametrize("op, reduce", OPS)
@pytest.mark.parametrize("spatial, pool, strides, padding", SETTINGS)
def test_pools_each_window(device, op, reduce, spatial, pool, strides, padding):
    x = RNG.normal(size=(2, *spatial, 3))
    pads = resolve_padding(spatial, pool, strides, (1,) * len(pool), padding, "pool")
    framed = np.pad(x, ((0, 0), *pads, (0, 0)), constant_values=np.nan)
    y = op(x, pool, strides, padding).numpy()
    for where in product(*map(range, y.shape[1:-1])):
        window = framed[(slice(None), *(slice(o * s, o * s + k) for o, s, k in zip(where, strides, pool)))]
        np.testing.assert_allclose(y[(slice(None), *where)], reduce(window, axis=tuple(range(1, x.ndim - 1))))
    check_gradient(lambda x: op(x, pool, strides, padding), x)
    check_infer(lambda x: op(x, pool, strides, padding), x.astype("float32"))
    swapped = np.moveaxis(x, -1, 1)
    first = op(swapped, pool, strides, padding, data_format="channels_first").numpy()
    np.testing.assert_array_equal(first, np.moveaxis(y, -1, 1))


@pytest.mark.parametrize("op", [max_pooling, average_pooling])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_reference_and_second_order(device, op, padding):
    x = RNG.normal(size=(2, 5, 5, 2))
    how = dict(pool=(3, 2), strides=(2, 2), padding=padding)
    np.testing.assert_allclose(op.reference(ops.convert_to_tensor(x), **how).numpy(), op(x, **how).numpy())
    check_second_order(lambda x: op(x, **how), x)


@pytest.mark.parametrize("pool, strides", [(2, 2), (3, 1)])
def test_of_equal_elements_the_first_gets_the_gradient(device, pool, strides):
    x = ops.zeros((1, 4, 4, 1))
    with deepkit.GradientTape() as tape:
        tape.watch(x)
        y = ops.max_pool(x, pool, strides)
    g = tape.gradient(y, x).numpy()[0, :, :, 0]
    expected = np.zeros((4, 4))
    expected[::strides, ::strides][: y.shape[1], : y.shape[2]] = 1
    np.testing.assert_array_equal(g, expected)


@pytest.mark.parametrize("op", [ops.max_pool, ops.average_pool])
def test_non_contiguous_empty_and_single(device, op):
    x = RNG.normal(size=(6, 6, 2, 4)).T.transpose(0, 3, 2, 1)
    whole = op(np.ascontiguousarray(x), 2).numpy()
    np.testing.assert_array_equal(op(x, 2).numpy(), whole)
    np.testing.assert_array_equal(op(x[2:3], 2).numpy(), whole[2:3])
    assert op(x[:0], 2).shape == (0, *whole.shape[1:])
    check_gradient(lambda x: op(x, 2), x)
    check_gradient(lambda x: op(x, 2), x[:0])


def test_dtypes_and_nan(device):
    x = np.arange(4, dtype="int32").reshape(1, 4, 1) - 9
    assert ops.max_pool(x, 3, 2, "same").numpy().ravel().tolist() == [-7, -6]
    assert ops.max_pool(x, 3, 2, "same").dtype == "int32"
    assert ops.average_pool(x, 2).dtype == "float32"
    assert ops.average_pool(x.astype("float16"), 2).dtype == "float16"
    assert np.isnan(ops.max_pool([[[1.0], [np.nan]]], 2).numpy()).all()


def test_unknown_sizes():
    spec = deepkit.KerasTensor((None, None, 8, None))
    assert ops.max_pool(spec, 2).shape == (None, None, 4, None)
    assert ops.average_pool(spec, 3, 1, "same").shape == (None, None, 8, None)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: ops.max_pool(np.ones((1, 2, 2, 1)), 3), "window of size (3, 3)"),
        (lambda: ops.max_pool(np.ones((1, 2, 2, 1)), (1, 2, 3)), "pool_size=(1, 2, 3)"),
        (lambda: ops.average_pool(np.ones((1, 2, 2, 1)), 2, 0), "strides=0"),
        (lambda: ops.average_pool(np.ones((1, 2)), 2), "spatial axis"),
        (lambda: ops.max_pool(np.ones((1, 2, 2, 1)), 2, padding="causal"), "padding='causal'"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError) as error:
        call()
    assert words in str(error.value)

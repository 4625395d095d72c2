"""The table of calls in golden/ops_cases.py: values, dtypes, gradients of first and second order, symbolic shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit import ops
from tests.golden.ops_cases import CASES, SMOOTH
from tests.helpers import check_gradient, check_infer, check_second_order

GOLDEN = Path(__file__).parents[1] / "golden" / "ops.npz"
NUMBERED = [pytest.param(i, *case, id=f"{i}-{case[0]}") for i, case in enumerate(CASES)]
TABLE = [pytest.param(*case, id=f"{i}-{case[0]}") for i, case in enumerate(SMOOTH)]


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN, allow_pickle=False) as file:
        return dict(file)


def as_list(out):
    return list(out) if isinstance(out, (tuple, list)) else [out]


def as_function(name, args, kwargs):
    """The call as a function of its floating array arguments alone."""
    places = [i for i, a in enumerate(args) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]

    def fn(*arrays):
        full = list(args)
        for i, a in zip(places, arrays):
            full[i] = a
        return getattr(ops, name)(*full, **kwargs)

    return fn, [args[i] for i in places]


@pytest.mark.parametrize("number,name,args,kwargs", NUMBERED)
def test_value_and_dtype_are_keras_own(device, golden, number, name, args, kwargs):
    outs = as_list(getattr(ops, name)(*args, **kwargs))
    expected = [golden[f"{number}.{j}"] for j in range(len(outs))]
    assert f"{number}.{len(outs)}" not in golden
    for out, value in zip(outs, expected):
        assert out.shape == value.shape
        assert str(out.dtype) == str(value.dtype)
        np.testing.assert_allclose(out.numpy(), value, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name,args,kwargs", TABLE)
def test_gradient(device, name, args, kwargs):
    fn, arrays = as_function(name, args, kwargs)
    check_gradient(fn, *arrays)


@pytest.mark.parametrize("name,args,kwargs", TABLE)
def test_second_order(device, name, args, kwargs):
    fn, arrays = as_function(name, args, kwargs)

    def scalar(*values):
        total = 0.0
        for out in as_list(fn(*values)):
            total = ops.sum(ops.square(out)) + total
        return total

    check_second_order(scalar, *arrays)


@pytest.mark.parametrize("name,args,kwargs", TABLE)
def test_symbolic_shape_and_dtype(name, args, kwargs):
    fn, arrays = as_function(name, args, kwargs)
    check_infer(fn, *arrays, batch=False)


@pytest.mark.parametrize("name,args,kwargs", TABLE)
def test_non_contiguous_input(device, name, args, kwargs):
    fn, arrays = as_function(name, args, kwargs)
    strided = [np.repeat(a, 2, axis=-1)[..., ::2] for a in arrays]
    for a, b in zip(as_list(fn(*arrays)), as_list(fn(*strided))):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


def test_sparsemax_is_the_projection_onto_the_simplex(device):
    x = np.random.default_rng(3).normal(size=(5, 4)).astype("float32")
    y = ops.sparsemax(x).numpy()
    np.testing.assert_allclose(y.sum(-1), 1, rtol=1e-6)
    assert (y >= 0).all()
    for other in np.random.default_rng(4).dirichlet(np.ones(4), size=200):
        assert (np.sum((x - y) ** 2, -1) <= np.sum((x - other) ** 2, -1) + 1e-6).all()
    check_gradient(ops.sparsemax, x)


def test_a_tensor_on_the_tape_meets_an_array_of_another_dtype(device):
    import deepkit

    x = ops.convert_to_tensor(np.ones(3))
    with deepkit.GradientTape() as tape:
        tape.watch(x)
        y = x * np.full(3, 2, "float32")
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), [2, 2, 2])


@pytest.mark.parametrize("exponent", [0, 1, 2, 0.5, 2.0, -1.5])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_a_number_as_exponent_does_not_widen_the_gradient(device, dtype, exponent):
    x = deepkit.Variable([0.5, 2.0], dtype=dtype)
    with deepkit.GradientTape() as tape:
        y = ops.sum(ops.power(x, exponent))
    gradient = tape.gradient(y, x)
    assert gradient.dtype == dtype
    expected = exponent * np.array([0.5, 2.0]) ** (exponent - 1)
    np.testing.assert_allclose(gradient.numpy().astype("float64"), expected, rtol=2e-2 if "16" in dtype else 1e-6)

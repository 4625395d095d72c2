"""Tensors: operators, indexing, conversion, promotion."""

from __future__ import annotations

import copy
import operator
import pickle
from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit import ops
from deepkit.autograd.dtypes import result_type

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "dtypes.npz")
NAMES = [str(n) for n in GOLDEN["names"]]
PYTHON = {"int": int, "float": float}
# Keras's function caps its answers at 32 bits; deepkit keeps 64, as NumPy and Keras's own tensors do.
TO_32 = {"int64": "int32", "uint64": "uint32", "float64": "float32"}


def capped(dtype):
    return TO_32.get(str(dtype), str(dtype))


X = np.array([[1.5, -2.0, 3.0], [0.5, 4.0, -1.0]], "float32")
Y = np.array([2.0, 0.5, -3.0], "float32")


@pytest.mark.parametrize("i", range(len(NAMES)), ids=NAMES)
def test_promotion_table_is_that_of_keras(i):
    for j, b in enumerate(NAMES):
        a = NAMES[i]
        found = result_type(PYTHON.get(a, a), PYTHON.get(b, b))
        assert capped(found) == str(GOLDEN["table"][i, j]), (a, b)
        assert found == "float64" if "float64" in (a, b) else found != "float64"


@pytest.mark.parametrize("i", range(len(NAMES) - 2), ids=NAMES[:-2])
def test_addition_promotes_like_the_table(i, device):
    one = np.ones(2, NAMES[i])
    for j, b in enumerate(NAMES[:-2]):
        if NAMES[i] == b == "bool":
            continue
        out = ops.convert_to_tensor(one) + np.ones(2, b)
        assert capped(out.dtype) == str(GOLDEN["table"][i, j]), (NAMES[i], b)
    for scalar, name in ((2, "int"), (2.5, "float")):
        assert capped((ops.convert_to_tensor(one) + scalar).dtype) == str(
            GOLDEN["table"][i, NAMES.index(name)]
        )


OPERATORS = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
    operator.eq,
    operator.ne,
]


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.__name__)
def test_binary_operators_from_both_sides(op, device):
    x = ops.convert_to_tensor(X)
    for other in (Y, Y.tolist(), 2.0, ops.convert_to_tensor(Y)):
        raw = np.asarray(other, "float32") if not isinstance(other, float) else other
        np.testing.assert_allclose(op(x, other).numpy(), op(X, raw), rtol=1e-6)
        assert isinstance(op(x, other), deepkit.Tensor)
    np.testing.assert_allclose(op(Y, x).numpy(), op(Y, X), rtol=1e-6)
    assert isinstance(op(Y, x), deepkit.Tensor)


def test_the_other_operators(device):
    x, i, b = ops.convert_to_tensor(X), ops.convert_to_tensor([5, 6]), ops.convert_to_tensor([True, False])
    np.testing.assert_array_equal((-x).numpy(), -X)
    np.testing.assert_array_equal(abs(x).numpy(), abs(X))
    np.testing.assert_array_equal((x**2).numpy(), X**2)
    np.testing.assert_array_equal((x @ x.T).numpy(), X @ X.T)
    np.testing.assert_array_equal((X @ x.T).numpy(), X @ X.T)
    assert (
        (~b).tolist() == [False, True]
        and (b & ~b).tolist() == [False, False]
        and (b | True).tolist() == [True, True]
    )
    assert (i & 4).tolist() == [4, 4] and (i ^ 1).tolist() == [4, 7] and (i << 1).tolist() == [10, 12]
    assert (x == None) is False and (x != None) is True  # noqa: E711
    assert round(ops.convert_to_tensor([1.26]), 1).tolist() == pytest.approx([1.3], abs=1e-6)


INDICES = [
    0,
    -1,
    (0, 1),
    slice(None, 1),
    (slice(None), slice(None, None, -1)),
    (Ellipsis, 0),
    None,
    (None, 0, Ellipsis),
    [1, 0, 1],
    (slice(None), [2, 0]),
    np.array([[True, False, True], [False, True, False]]),
    (np.array([0, 1]), np.array([2, 0])),
]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_indexing_and_its_gradient(index, device):
    x = ops.convert_to_tensor(X)
    np.testing.assert_array_equal(x[index].numpy(), X[index])
    with deepkit.GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(x[index] * 3)
    expected = np.zeros_like(X)
    np.add.at(expected, index, 3)
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), expected)


def test_conversion(device):
    x = ops.convert_to_tensor(X)
    assert np.asarray(x).dtype == "float32" and np.asarray(x, "float64").dtype == "float64"
    np.testing.assert_array_equal(np.from_dlpack(x), X)
    assert (x.shape, x.ndim, x.size, x.dtype) == ((2, 3), 2, 6, "float32")
    assert len(x) == 2 and [row.tolist() for row in x] == X.tolist()
    assert float(x[0, 0]) == 1.5 and int(x[1, 1]) == 4 and x[0, 0].item() == 1.5
    assert bool(ops.convert_to_tensor(1.0)) and [10, 20, 30][ops.convert_to_tensor(1)] == 20
    assert isinstance(np.exp(x), np.ndarray)
    assert f"{x[0, 0]:.2f}" == "1.50" and "Tensor(" in f"{x}"
    for twin in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        np.testing.assert_array_equal(twin.numpy(), X)
    assert len({x, x}) == 1
    assert ops.convert_to_tensor([1, 2]).dtype == "int32" and ops.convert_to_tensor([1.0]).dtype == "float32"
    assert ops.convert_to_tensor([ops.convert_to_tensor(1.0), 2.0]).tolist() == [1, 2]
    with pytest.raises(ValueError):
        bool(x)
    with pytest.raises(TypeError, match="numbers"):
        ops.convert_to_tensor(["a"])
    with pytest.raises(TypeError):
        len(x[0, 0])


def test_methods(device):
    x = ops.convert_to_tensor(X)
    for name in ("sum", "mean", "max", "min", "prod", "std", "var", "argmax", "argmin"):
        np.testing.assert_allclose(getattr(x, name)(axis=1).numpy(), getattr(X, name)(axis=1), rtol=1e-6)
    assert (
        x.reshape(3, 2).shape == (3, 2)
        and x.transpose().shape == x.T.shape == (3, 2)
        and x.ravel().shape == (6,)
    )
    assert x.astype("int32").dtype == "int32"


def test_symbolic_tensors_say_what_they_lack():
    x = deepkit.KerasTensor((None, 3), name="x")
    with pytest.raises(ValueError, match="no values"):
        np.asarray(x)
    with pytest.raises(TypeError, match="truth value"):
        bool(x > 0)
    with pytest.raises(TypeError, match="length"):
        len(x)
    assert (x * 2 + np.ones((3,))).shape == (None, 3) and x[:, 0].shape == (None,)


def test_variables(device):
    v = deepkit.Variable(X, name="v")
    assert v.dtype == "float32" and v.trainable and v.path == "v"
    before = v.numpy()
    value = v.value
    v.assign(X * 2)
    np.testing.assert_array_equal(before, X)  # copies, both of them
    np.testing.assert_array_equal(value.numpy(), X)
    v.assign_add(np.ones((2, 3))).assign_sub(np.ones((2, 3)))
    np.testing.assert_array_equal((v + 1).numpy(), X * 2 + 1)
    with pytest.raises(ValueError, match=r"'v' has shape \(2, 3\).*\(3,\)"):
        v.assign(Y)
    np.testing.assert_array_equal(v.numpy(), X * 2)
    twin = copy.deepcopy(v)
    twin.assign(X)
    assert not np.array_equal(twin.numpy(), v.numpy())
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(v)).numpy(), v.numpy())
    with pytest.raises(ValueError, match="shape"):
        deepkit.Variable("ones_like" and (lambda shape, dtype: np.ones(shape)))
    assert deepkit.Variable([True, False]).dtype == "bool" and deepkit.Variable([1]).dtype == "int32"

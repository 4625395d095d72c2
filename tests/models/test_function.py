"""``Function`` and ``Operation``."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers, ops


class Scale(deepkit.Operation):
    def __init__(self, factor=2.0, name=None):
        super().__init__(name=name)
        self.factor = factor

    def call(self, x):
        return x * self.factor


class Shape(deepkit.Operation):
    """Can't run on symbolic tensors."""

    def call(self, x):
        return ops.convert_to_tensor(np.asarray(x).sum(-1))

    def compute_output_spec(self, x):
        return deepkit.KerasTensor(x.shape[:-1], x.dtype)


def test_operation():
    op = Scale(3.0)
    x = deepkit.Input((2,))
    y = op(x)
    assert y.shape == (None, 2) and op.input is x and op.output is y
    assert op(ops.ones(2)).tolist() == [3.0, 3.0]
    assert Scale.from_config(op.get_config()).factor == 3.0 and Scale(name="s").get_config()["name"] == "s"
    assert isinstance(layers.Dense(1), deepkit.Operation) and "name=s" in repr(Scale(name="s"))


def test_operation_in_a_model():
    x = deepkit.Input((3,))
    model = deepkit.Model(x, Shape()(Scale(3.0)(layers.Activation("relu")(x))))
    assert model(np.array([[1.0, -1.0, 2.0]])).tolist() == [9.0] and model.output_shape == (None,)


def test_operation_errors():
    with pytest.raises(ValueError, match="without '/'"):
        Scale(name="a/b")
    with pytest.raises(AttributeError, match="not been called"):
        _ = Scale().input
    with pytest.raises(NotImplementedError, match=r"no call\(\)"):
        deepkit.Operation()(1.0)
    with pytest.raises(NotImplementedError, match="get_config"):
        Scale(object()).get_config()


def test_function():
    x = deepkit.Input((2,))
    dense = layers.Dense(3)
    f = deepkit.Function(x, dense(x) * 2.0, name="f")
    data = np.ones((4, 2), "float32")
    np.testing.assert_allclose(f(data), 2.0 * dense(data))
    assert f.name == "f" and f.inputs == [x] and f.operations[1] is dense and len(f.operations) == 3
    assert f.compute_output_shape((5, 2)) == (5, 3)
    assert f.compute_output_spec(deepkit.KerasTensor((4, 2))).shape == (4, 3)
    with pytest.raises(NotImplementedError, match="Model"):
        f.get_config()


def test_function_of_nests():
    a, b = deepkit.Input((2,)), deepkit.Input((2,))
    f = deepkit.Function({"a": a, "b": b}, [a - b, (a * b,)])
    out = f({"b": np.ones((1, 2)), "a": 3 * np.ones((1, 2))})
    assert out[0].tolist() == [[2.0, 2.0]] and out[1][0].tolist() == [[3.0, 3.0]]
    assert f.compute_output_shape({"a": (1, 2), "b": (1, 2)}) == [(1, 2), ((1, 2),)]
    with pytest.raises(ValueError, match="takes inputs in the form"):
        f({"a": np.ones((1, 2))})


def test_function_from_the_middle_of_a_graph():
    x = deepkit.Input((2,))
    h = x + 1.0
    y = h * 3.0
    assert deepkit.Function(h, y)(np.ones((1, 2))).tolist() == [[3.0, 3.0]]
    assert deepkit.Function(x, [h, y])(deepkit.Input((2,)))[1].shape == (None, 2)
    with pytest.raises(ValueError, match="disconnected"):
        deepkit.Function(y, h)
    with pytest.raises(ValueError, match="symbolic"):
        deepkit.Function(x, 3.0)


def test_gradients_through_a_function():
    x = deepkit.Input((2,))
    dense = layers.Dense(1, use_bias=False, kernel_initializer="ones")
    f = deepkit.Function(x, dense(x))
    with deepkit.GradientTape() as tape:
        y = f(np.array([[1.0, 2.0]], "float32"))
    assert tape.gradient(y, dense.kernel).tolist() == [[1.0], [2.0]]

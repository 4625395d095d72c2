"""``to_categorical`` and ``normalize``."""

from __future__ import annotations

import numpy as np
import pytest

from deepkit import ops
from deepkit.utils import normalize, to_categorical


@pytest.mark.parametrize("x", [[0, 2, 1], [[0], [2], [1]], [0.0, 2.0, 1.0], np.array([0, 2, 1], "uint8")])
def test_one_hot(x):
    out = to_categorical(x)
    np.testing.assert_array_equal(out, np.eye(3)[[0, 2, 1]])
    assert out.dtype == "float64"


def test_shapes_and_tensors():
    assert to_categorical([[0, 1], [1, 0]], 4).shape == (2, 2, 4)
    assert to_categorical(np.zeros((0,), int), 3).shape == (0, 3)
    out = to_categorical(ops.convert_to_tensor([1, 0]))
    assert type(out).__name__ == "Tensor" and out.numpy().tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("x", "classes", "message"),
    [
        ([0, 3], 3, "class 3"),
        ([-1], None, "class -1"),
        ([0.5], None, "whole"),
        (["a"], None, "np.unique"),
        ([], None, "empty"),
    ],
)
def test_errors(x, classes, message):
    with pytest.raises(ValueError, match=message):
        to_categorical(x, classes)


def test_normalize():
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(normalize(x), [[0.6, 0.8], [0, 0]])
    np.testing.assert_allclose(normalize(x, axis=0, order=1), [[1, 1], [0, 0]])

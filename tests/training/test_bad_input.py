"""Bad input raises before training, with names, shapes and the fix, and leaves the model as it was."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers


def classifier(outputs: int = 3, loss: str = "sparse_categorical_crossentropy"):
    deepkit.utils.set_random_seed(0)
    model = deepkit.Sequential(
        [
            deepkit.Input((4,), name="features"),
            layers.Dense(5, activation="relu"),
            layers.Dense(outputs, activation="softmax"),
        ]
    )
    model.compile("adam", loss, metrics=["accuracy"])
    return model


X, Y = np.zeros((10, 4), "float32"), np.arange(10) % 3

CASES = {
    "wrong rank": (np.zeros((10, 4, 2)), Y, r"\(10, 4, 2\)|\(None, 4\)"),
    "wrong feature count": (np.zeros((10, 5)), Y, r"\(None, 4\).*\(\d+, 5\)|5.*4"),
    "label out of range": (X, np.arange(10), r"9|out of range"),
    "negative label": (X, Y - 1, "-1"),
    "NaN in x": (np.where(np.arange(40).reshape(10, 4) == 7, np.nan, 0.0), Y, "NaN"),
    "wrong dtype": (np.full((10, 4), "a", dtype=object), Y, "object|numbers|dtype"),
    "empty data": (X[:0], Y[:0], "empty|no samples|0 samples"),
    "mismatched lengths": (X, Y[:7], "10.*7|7.*10"),
    "no targets": (X, None, "targets"),
}


@pytest.mark.parametrize("case", CASES)
def test_fit_refuses(case, device):
    x, y, message = CASES[case]
    model = classifier()
    before = model.get_weights()
    with pytest.raises((ValueError, TypeError), match=message):
        model.fit(x, y, verbose=0)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)
    model.fit(X, Y, verbose=0)  # and it still trains


def test_one_hot_targets_for_a_sparse_loss(device):
    with pytest.raises(ValueError, match="(?i)sparse"):
        classifier().fit(X, np.eye(3)[Y], verbose=0)


def test_integer_targets_for_a_dense_loss(device):
    with pytest.raises(ValueError, match="(?i)sparse|to_categorical"):
        classifier(loss="categorical_crossentropy").fit(X, Y, verbose=0)


def test_unknown_names_at_compile():
    model = classifier()
    optimizer = model.optimizer
    with pytest.raises(ValueError, match="mean_squared_error"):
        model.compile("adam", "mean_squared_eror")
    with pytest.raises(ValueError, match="adam"):
        model.compile("adamm", "mse")
    with pytest.raises(ValueError):
        model.compile("adam", "mse", metrics=["no_such_metric"])
    assert model.optimizer is optimizer


def test_uncompiled_model():
    model = deepkit.Sequential([deepkit.Input((4,)), layers.Dense(1)])
    for method in ("fit", "evaluate", "train_on_batch", "test_on_batch"):
        with pytest.raises(ValueError, match="compile"):
            getattr(model, method)(X, Y)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Dense(0), "units"),
        (lambda: layers.Dense(2.5), "units"),
        (lambda: layers.Dense("x"), "units"),
        (lambda: layers.Dropout(1.5), "rate"),
        (lambda: layers.Dense(2, activation="reluu"), "relu"),
        (lambda: layers.Dense(2, kernel_initializer="glorot"), "glorot"),
        (lambda: layers.Embedding(-1, 2), "input_dim"),
        (lambda: deepkit.Input(5), r"\(5,\)"),
        (lambda: layers.Conv2D(4, 3, padding="sam"), "padding"),
    ],
)
def test_layer_arguments(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


def test_unknown_keyword_argument():
    with pytest.raises(TypeError, match="actvation.*activation"):
        layers.Dense(2, actvation="relu")

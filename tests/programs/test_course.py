"""Programs of Keras courses as they stand, with ``keras`` replaced by ``deepkit`` in the imports."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(autouse=True)
def seeded():
    import deepkit

    deepkit.utils.set_random_seed(1)


def read_csv(name: str, header: bool) -> list[list[str]]:
    with open(DATA / name, newline="") as file:
        rows = list(csv.reader(file))
    return rows[1:] if header else rows


def test_concrete_strength_regression(device):
    pandas = pytest.importorskip("pandas")
    from deepkit.layers import Dense
    from deepkit.models import Sequential

    concrete_data = pandas.read_csv(DATA / "concrete_200.csv")
    predictors = concrete_data[concrete_data.columns[concrete_data.columns != "Strength"]]
    target = concrete_data["Strength"]
    predictors_norm = (predictors - predictors.mean()) / predictors.std()
    n_cols = predictors_norm.shape[1]

    def regression_model():
        model = Sequential()
        model.add(Dense(5, activation="relu", input_shape=(n_cols,)))
        model.add(Dense(5, activation="relu"))
        model.add(Dense(1))
        model.compile(optimizer="adam", loss="mean_squared_error")
        return model

    model = regression_model()
    history = model.fit(predictors_norm, target, validation_split=0.3, epochs=100, verbose=0)
    assert list(history.history) == ["loss", "val_loss"]
    assert len(history.history["loss"]) == 100
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    predictions = model.predict(predictors_norm, verbose=0)
    assert predictions.shape == (200, 1) and predictions.dtype == np.float32


def test_car_classification(device):
    from deepkit.layers import Dense
    from deepkit.models import Sequential
    from deepkit.utils import to_categorical

    rows = np.array(read_csv("car_300.csv", header=False))
    features = np.concatenate([rows[:, [i]] == np.unique(rows[:, i]) for i in range(6)], axis=1).astype("float64")
    classes, labels = np.unique(rows[:, 6], return_inverse=True)
    target = to_categorical(labels)
    assert target.shape == (300, len(classes))

    model = Sequential()
    n_cols = features.shape[1]
    model.add(Dense(5, activation="relu", input_shape=(n_cols,)))
    model.add(Dense(5, activation="relu"))
    model.add(Dense(len(classes), activation="softmax"))
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(features, target, epochs=60, verbose=0)
    assert history.history["accuracy"][-1] > 0.75
    predictions = model.predict(features, verbose=0)
    np.testing.assert_allclose(predictions.sum(axis=1), 1, atol=1e-5)
    scores = model.evaluate(features, target, verbose=0)
    assert scores[1] == pytest.approx(np.mean(predictions.argmax(1) == labels), abs=1e-6)


def test_large_convnet(device):
    from deepkit.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D
    from deepkit.models import Sequential

    model = Sequential()
    model.add(Input((128, 128, 3)))
    model.add(Conv2D(16, kernel_size=(2, 2), strides=(1, 1), activation="relu"))
    model.add(MaxPooling2D(pool_size=(2, 2), strides=(2, 2)))
    model.add(Conv2D(32, kernel_size=(2, 2), strides=(1, 1), activation="relu"))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Flatten())
    model.add(Dense(100, activation="relu"))
    model.add(Dense(10, activation="softmax"))
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    assert model.layers[3].output.shape == (None, 31, 31, 32)
    assert model.count_params() == 16 * 13 + 32 * 65 + 31 * 31 * 32 * 100 + 100 + 1010
    rng = np.random.default_rng(0)
    x, y = rng.random((8, 128, 128, 3)), np.eye(10)[rng.integers(0, 10, 8)]
    history = model.fit(x, y, epochs=3, batch_size=4, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_cifar_convnet(device):
    import deepkit
    from deepkit import layers

    model = deepkit.Sequential(
        [
            deepkit.Input(shape=(32, 32, 3)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(128, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10),
        ]
    )
    model.compile(
        optimizer="adam", loss=deepkit.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    rng = np.random.default_rng(0)
    x, y = rng.random((16, 32, 32, 3)).astype("float32"), rng.integers(0, 10, (16, 1))
    history = model.fit(x, y, epochs=4, batch_size=8, validation_data=(x, y), verbose=0)
    assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_batch_normalization_stack(device):
    from deepkit.layers import Activation, BatchNormalization, Dense, Flatten, Input
    from deepkit.models import Sequential

    model = Sequential()
    model.add(Input(shape=(8, 8)))
    model.add(Flatten())
    for _ in range(2):
        model.add(Dense(32))
        model.add(BatchNormalization())
        model.add(Activation("relu"))
    model.add(Dense(10, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 256)
    x, y = rng.normal(size=(256, 8, 8)) + labels[:, None, None], np.eye(10)[labels]
    history = model.fit(x, y, batch_size=32, epochs=5, verbose=0)
    assert history.history["accuracy"][-1] > history.history["accuracy"][0]
    assert len(model.non_trainable_weights) == 4
    assert not np.allclose(model.layers[2].moving_mean.numpy(), 0)


def test_dropout_stack(device):
    from deepkit.layers import Dense, Dropout
    from deepkit.models import Sequential

    model = Sequential([Dense(64, activation="relu", input_dim=20), Dropout(0.5), Dense(64, activation="relu"),
                        Dropout(0.5), Dense(1, activation="sigmoid")])  # fmt: skip
    model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
    rng = np.random.default_rng(0)
    x = rng.random((500, 20))
    y = (x[:, :1] > 0.5).astype(int)
    model.fit(x, y, epochs=10, batch_size=50, verbose=0)
    loss, accuracy = model.evaluate(x, y, batch_size=128, verbose=0)
    assert accuracy > 0.7
    np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(x, verbose=0))


def test_quickstart(device, capsys):
    import deepkit as keras

    rng = np.random.default_rng(0)
    y_train = rng.integers(0, 10, 300).astype("uint8")
    x_train = rng.random((300, 28, 28)) * 0.2
    x_train[np.arange(300), y_train] += 0.8
    x_test, y_test = x_train[:100], y_train[:100]

    model = keras.models.Sequential(
        [
            keras.layers.Flatten(input_shape=(28, 28)),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10),
        ]
    )
    predictions = model(x_train[:1]).numpy()
    assert predictions.shape == (1, 10)
    np.testing.assert_allclose(keras.ops.softmax(predictions).numpy().sum(), 1, rtol=1e-5)
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    first = loss_fn(y_train[:1], predictions).numpy()
    assert first.shape == () and 0.5 < first < 6

    model.compile(optimizer="adam", loss=loss_fn, metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=5, verbose=0)
    loss, accuracy = model.evaluate(x_test, y_test, verbose=2)
    assert accuracy > 0.95
    assert "accuracy" in capsys.readouterr().out

    probability_model = keras.Sequential([model, keras.layers.Softmax()])
    out = probability_model(x_test[:5])
    np.testing.assert_allclose(out.numpy().sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(out.numpy(), keras.ops.softmax(model(x_test[:5])).numpy(), rtol=1e-5)

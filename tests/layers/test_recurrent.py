"""Recurrent layers against golden values of real Keras; gradients, shapes, states, dropout, configurations, errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deepkit
from deepkit import layers, ops
from deepkit.utils.nest import flatten
from tests.golden.recurrent_cases import CASES, MASK
from tests.helpers import check_gradient

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "recurrent.npz")


def call_arguments(name: str) -> dict[str, Any]:
    options = CASES[name][2]
    kwargs: dict[str, Any] = {"mask": np.array(MASK, bool)} if options.get("mask") else {}
    if "states" in options:
        kwargs["initial_state"] = [GOLDEN[f"{name}/state{i}"] for i in range(len(options["states"]))]
    return kwargs


def made(name: str) -> Any:
    layer = CASES[name][0](layers)
    layer.build(CASES[name][1])
    layer.set_weights([GOLDEN[f"{name}/weight{i}"] for i in range(len(layer.weights))])
    return layer


@pytest.mark.parametrize("name", CASES)
def test_values(name: str, device: Any) -> None:
    found = flatten(made(name)(GOLDEN[f"{name}/x"], **call_arguments(name)))
    assert f"{name}/y{len(found)}" not in GOLDEN
    for i, y in enumerate(found):
        np.testing.assert_allclose(y.numpy(), GOLDEN[f"{name}/y{i}"], rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", [n for n in CASES if not n.endswith(("_no_bias", "_unroll"))])
def test_gradients(name: str, device: Any) -> None:
    deepkit.config.set_floatx("float64")
    try:
        layer = made(name)
    finally:
        deepkit.config.set_floatx("float32")
    kwargs = call_arguments(name)
    x = GOLDEN[f"{name}/x"].astype("float64")
    states = [s.astype("float64") for s in kwargs.pop("initial_state", [])]

    def run(x: Any, *states: Any) -> Any:
        given = {"initial_state": list(states)} if states else {}
        return flatten(layer(x, **given, **kwargs))

    check_gradient(run, x, *states, tol=1e-4)
    rng = np.random.default_rng(0)
    projections = [rng.normal(size=y.shape) for y in run(x, *states)]

    def loss() -> Any:
        return sum(ops.sum(y * p) for y, p in zip(run(x, *states), projections))

    values = layer.get_weights()
    with deepkit.GradientTape() as tape:
        value = loss()
    grads = tape.gradient(value, layer.trainable_weights)
    for i, g in enumerate(grads):
        d, eps, found = rng.normal(size=g.shape), 1e-6, []
        for sign in (1, -1):
            layer.set_weights([w + sign * eps * d if j == i else w for j, w in enumerate(values)])
            found.append(float(loss()))
        np.testing.assert_allclose(
            np.sum(g.numpy() * d), (found[0] - found[1]) / (2 * eps), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("name", CASES)
def test_shapes_and_edges(name: str, device: Any) -> None:
    layer, x, kwargs = made(name), GOLDEN[f"{name}/x"], call_arguments(name)
    kwargs.pop("initial_state", None)
    expected = flatten(layer(x, **kwargs))
    for n in (0, 1):
        part = {k: v[:n] for k, v in kwargs.items()}
        for y, whole in zip(flatten(layer(x[:n], **part)), expected):
            assert y.shape == (n, *whole.shape[1:])
            np.testing.assert_allclose(y.numpy(), whole.numpy()[:n], rtol=1e-5, atol=1e-6)
    strided = np.repeat(x, 2, axis=-1)[..., ::2]
    for y, whole in zip(flatten(layer(strided, **kwargs)), expected):
        np.testing.assert_allclose(y.numpy(), whole.numpy(), rtol=1e-6, atol=1e-6)
    for batch, steps in ((3, x.shape[1]), (None, x.shape[1]), (None, None)):
        unknown = flatten(layer(deepkit.KerasTensor((batch, steps, *x.shape[2:]))))
        for spec, whole in zip(unknown, expected):
            assert spec.dtype == "float32" and len(spec.shape) == whole.ndim
            assert spec.shape[0] in (batch, x.shape[0]) and spec.shape[2:] == whole.shape[2:]
            assert all(a in (None, b) for a, b in zip(spec.shape[1:], whole.shape[1:]))


@pytest.mark.parametrize("name", CASES)
def test_configurations(name: str) -> None:
    def plain(node: dict) -> Any:
        if node.get("class_name") == "__tuple__":
            return node["config"]
        return {k: v for k, v in node.items() if k not in ("name", "dtype", "module", "registered_name")}

    layer = CASES[name][0](layers)
    found = {k: v for k, v in layers.serialize(layer)["config"].items() if k not in ("name", "dtype")}
    read = lambda text: json.loads(text, object_hook=plain)
    assert read(json.dumps(found)) == read(str(GOLDEN[f"{name}/config"]))
    again = layers.deserialize(layers.serialize(layer))
    assert type(again) is type(layer) and again.get_config() == layer.get_config()


# -- what golden values can't say --------------------------------------------------------------------------------------


class Counter(layers.Layer):
    """A cell of somebody's own: counts and sums."""

    state_size = [1, 2]
    output_size = 2

    def call(self, x: Any, states: Any) -> Any:
        count, total = states
        return total + x, [count + 1, total + x]


def test_own_cell(device: Any) -> None:
    x = np.arange(12.0, dtype="float32").reshape(2, 3, 2)
    y, count, total = layers.RNN(Counter(), return_sequences=True, return_state=True)(x)
    np.testing.assert_array_equal(y.numpy(), np.cumsum(x, axis=1))
    assert count.numpy().tolist() == [[3.0], [3.0]]
    mask = np.array([[True, False, True], [False, False, True]])
    y, count, total = layers.RNN(Counter(), return_sequences=True, return_state=True)(x, mask=mask)
    assert count.numpy().tolist() == [[2.0], [1.0]]
    np.testing.assert_array_equal(y.numpy()[0, 1], y.numpy()[0, 0])
    np.testing.assert_array_equal(y.numpy()[1, :2], 0)
    np.testing.assert_array_equal(total.numpy(), (x * mask[..., None]).sum(1))
    check_gradient(lambda x: layers.RNN(Counter(dtype="float64"), dtype="float64")(x), x)


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
@pytest.mark.parametrize("recurrent", [0.0, 0.3])
def test_dropout_is_one_mask_a_sequence(kind: str, recurrent: float, device: Any) -> None:
    """The whole sequence as one op equals the cell's own steps under the same masks, which differ between calls."""
    x = np.random.default_rng(0).normal(size=(4, 6, 3)).astype("float32")
    layer = getattr(layers, kind)(5, dropout=0.4, recurrent_dropout=recurrent, seed=3, return_sequences=True)
    first = layer(x, training=True).numpy()
    assert not np.allclose(first, layer(x, training=True).numpy())
    assert np.array_equal(layer(x).numpy(), layer(x, training=False).numpy())
    cell = layer.cell
    cell.seed_generator.state.assign(np.array([3, 0], "uint32"))
    cell.reset_dropout_mask()
    cell.reset_recurrent_dropout_mask()
    states, outputs = cell.get_initial_state(4), []
    for t in range(6):
        y, states = cell(x[:, t], states, training=True)
        outputs.append(y.numpy())
    np.testing.assert_allclose(np.stack(outputs, 1), first, rtol=1e-5, atol=1e-6)


def test_stateful(device: Any) -> None:
    x = np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32")
    layer = layers.LSTM(4, stateful=True, return_sequences=True, seed=1)
    pieces = np.concatenate([layer(x[:, :2]).numpy(), layer(x[:, 2:]).numpy()], axis=1)
    plain = layers.LSTM(4, return_sequences=True)
    plain.build(x.shape)
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(pieces, plain(x).numpy(), rtol=1e-5, atol=1e-6)
    layer.reset_state()
    np.testing.assert_allclose(layer(x[:, :2]).numpy(), pieces[:, :2], rtol=1e-6)
    with pytest.raises(ValueError, match="stateful and was built for batches of 2"):
        layer(x[:1])
    with pytest.raises(ValueError, match=r"Input\(batch_shape"):
        layers.LSTM(4, stateful=True)(deepkit.KerasTensor((None, 5, 3)))


def test_stateful_training_does_not_reach_back(device: Any) -> None:
    """The states that a batch starts with are values: nothing flows into the batch before, nothing changes under it."""
    model = deepkit.Sequential(
        [layers.Input(batch_shape=(2, 3, 2)), layers.GRU(4, stateful=True), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    x, y = np.ones((8, 3, 2), "float32"), np.ones((8, 1), "float32")
    history = model.fit(x, y, batch_size=2, epochs=3, shuffle=False, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_time_distributed_batch_norm_takes_one_step_at_a_time(device: Any) -> None:
    x = np.random.default_rng(0).normal(size=(8, 3, 2)).astype("float32") * [[[1.0], [5.0], [9.0]]]
    y = layers.TimeDistributed(layers.BatchNormalization(epsilon=1e-9))(
        x.astype("float32"), training=True
    ).numpy()
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(axis=0), 1, atol=1e-4)


def test_masks_travel(device: Any) -> None:
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    embedding = layers.Embedding(5, 4, mask_zero=True)
    lstm = layers.LSTM(3, return_sequences=True)
    y = lstm(embedding(ids))
    assert y._keras_mask.numpy().tolist() == (ids != 0).tolist()
    assert layers.GRU(2)(y)._keras_mask is None
    np.testing.assert_array_equal(y.numpy()[1, 1], y.numpy()[1, 0])
    short = lstm(embedding(ids[:, :1]))
    np.testing.assert_allclose(y.numpy()[1, 2], short.numpy()[1, 0], rtol=1e-6)


def test_encoder_and_decoder_as_a_functional_model(device: Any) -> None:
    source, target = layers.Input((None, 3)), layers.Input((None, 2))
    _, h, c = layers.LSTM(4, return_state=True)(source)
    y = layers.LSTM(4, return_sequences=True)(target, initial_state=[h, c])
    model = deepkit.Model([source, target], layers.TimeDistributed(layers.Dense(2))(y))
    x = [np.ones((2, 5, 3), "float32"), np.ones((2, 7, 2), "float32")]
    assert model.predict(x, verbose=0).shape == (2, 7, 2)
    again = deepkit.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    model.compile("adam", "mse")
    assert model.fit(x, np.zeros((2, 7, 2)), epochs=2, verbose=0).history["loss"][1] > 0


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (
            lambda x: layers.LSTM(4)(x, mask=np.ones((3, 4), bool)),
            ValueError,
            r"LSTM.*`mask`.*\(3, 5\).*\(3, 4\)",
        ),
        (
            lambda x: layers.LSTM(4)(x, initial_state=[np.ones((2, 4))] * 2),
            ValueError,
            r"LSTM.*\(3, 4\).*\(2, 4\)",
        ),
        (lambda x: layers.GRU(4)(x, initial_state=[np.ones((3, 5))]), ValueError, r"GRU.*\(3, 4\).*\(3, 5\)"),
        (lambda x: layers.LSTM(4)(x, initial_state=[np.ones((3, 4))]), ValueError, "2 states. Received: 1"),
        (lambda x: layers.SimpleRNN(4)(x[:, :0]), ValueError, "no steps"),
        (lambda x: layers.LSTM(4)(x[:, 0]), ValueError, "lstm"),
        (lambda x: layers.LSTM(0), ValueError, "units=0"),
        (lambda x: layers.RNN(object()), ValueError, "`cell` should have `call`"),
        (lambda x: layers.Bidirectional(3), ValueError, "`layer` should be a Layer"),
        (lambda x: layers.Bidirectional(layers.LSTM(2), merge_mode="max"), ValueError, "merge_mode"),
        (
            lambda x: layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2)),
            ValueError,
            "different `go_backwards`",
        ),
        (lambda x: layers.TimeDistributed(layers.Dense(2))(x[0]), ValueError, "at least three"),
        (
            lambda x: layers.TimeDistributed(layers.Dense(2))(x, mask=np.ones((3, 2), bool)),
            ValueError,
            "`mask`",
        ),
        (lambda x: layers.ConvLSTM2D(2, 3, padding="causal"), ValueError, "padding"),
        (lambda x: layers.ConvLSTM2D(2, 3, strides=2, dilation_rate=2), ValueError, "dilation"),
        (lambda x: layers.LSTM(2)(deepkit.KerasTensor((None, 3, None))), ValueError, "last size"),
    ],
)
def test_bad_input(run: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        run(np.ones((3, 5, 4), "float32"))

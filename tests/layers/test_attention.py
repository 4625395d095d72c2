"""Attention layers against golden values of real Keras; gradients, shapes, configurations, masks, errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deepkit
from deepkit import layers, ops
from deepkit.utils.naming import to_snake_case
from deepkit.utils.nest import flatten
from tests.golden.attention_cases import CASES, arguments
from tests.helpers import check_gradient

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "attention.npz")


def inputs(name: str) -> list[np.ndarray]:
    return [GOLDEN[f"{name}/x{i}"] for i in range(len(CASES[name][1]))]


def made(name: str) -> Any:
    layer = CASES[name][0](layers)
    args, kwargs = arguments(CASES[name], inputs(name), ops.convert_to_tensor)
    layer(*args, **kwargs)
    layer.set_weights([GOLDEN[f"{name}/weight{i}"] for i in range(len(layer.weights))])
    return layer


@pytest.mark.parametrize("name", CASES)
def test_values(name: str, device: Any) -> None:
    layer = made(name)
    args, kwargs = arguments(CASES[name], inputs(name), ops.convert_to_tensor)
    found = [y for y in flatten(layer(*args, **kwargs)) if y is not None]
    assert f"{name}/y{len(found)}" not in GOLDEN
    for i, y in enumerate(found):
        np.testing.assert_allclose(y.numpy(), GOLDEN[f"{name}/y{i}"], rtol=2e-5, atol=2e-5)
    assert [w.path.split("/", 1)[1] for w in layer.weights] == list(GOLDEN[f"{name}/paths"])


@pytest.mark.parametrize("name", CASES)
def test_gradients(name: str, device: Any) -> None:
    deepkit.config.set_floatx("float64")
    try:
        layer = made(name)
    finally:
        deepkit.config.set_floatx("float32")

    def run(*xs: Any) -> Any:
        args, kwargs = arguments(CASES[name], list(xs), ops.convert_to_tensor)
        return flatten(layer(*args, **kwargs))

    xs = [x.astype("float64") for x in inputs(name)]
    check_gradient(run, *xs, tol=1e-4)
    rng = np.random.default_rng(0)
    projections = [rng.normal(size=y.shape) for y in run(*xs)]

    def loss() -> Any:
        return sum(ops.sum(y * p) for y, p in zip(run(*xs), projections))

    values = layer.get_weights()
    with deepkit.GradientTape() as tape:
        value = loss()
    for i, g in enumerate(tape.gradient(value, layer.trainable_weights, unconnected_gradients="zero")):
        d, eps, found = rng.normal(size=g.shape), 1e-6, []
        for sign in (1, -1):
            layer.set_weights([w + sign * eps * d if j == i else w for j, w in enumerate(values)])
            found.append(float(loss()))
        np.testing.assert_allclose(
            np.sum(g.numpy() * d), (found[0] - found[1]) / (2 * eps), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("name", CASES)
def test_symbolic(name: str, device: Any) -> None:
    """Unknown batch, and for the plain calls unknown lengths: the shape is right and the model computes the same."""
    layer, xs = made(name), inputs(name)
    args, kwargs = arguments(CASES[name], xs, ops.convert_to_tensor)
    wanted = flatten(layer(*args, **kwargs))
    kwargs = {k: v for k, v in kwargs.items() if "mask" not in k or k == "use_causal_mask"}
    symbolic = [layers.Input(x.shape[1:]) for x in xs]
    args, _ = arguments(CASES[name], symbolic)
    outputs = flatten(layer(*args, **kwargs))
    for y, real in zip(outputs, wanted):
        assert y.shape == (None, *real.shape[1:]) and y.dtype == "float32"
    model = deepkit.Model(symbolic, outputs)
    args, _ = arguments(CASES[name], xs, ops.convert_to_tensor)
    for a, b in zip(flatten(model(xs)), flatten(layer(*args, **kwargs))):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6, atol=1e-6)
    for n in (0, 1):
        part, _ = arguments(CASES[name], [x[:n] for x in xs], ops.convert_to_tensor)
        assert all(y.shape[0] == n for y in flatten(layer(*part, **kwargs)))


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


@pytest.mark.parametrize("make", [lambda **k: layers.MultiHeadAttention(2, 3, **k),
                                  lambda **k: layers.GroupQueryAttention(3, 2, 1, **k)])  # fmt: skip
def test_dropout_of_the_weights(make: Any, device: Any) -> None:
    deepkit.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(4, 30, 8)).astype("float32")
    layer = make(dropout=0.4, seed=3)
    first, scores = layer(x, x, training=True, return_attention_scores=True)
    second = layer(x, x, training=True)
    assert not np.allclose(first.numpy(), second.numpy())
    np.testing.assert_allclose(
        scores.numpy().sum(-1), 1, rtol=1e-5
    )  # the scores are those before the dropout
    many = np.mean([layer(x, x, training=True).numpy() for _ in range(200)], axis=0)
    np.testing.assert_allclose(many, layer(x, x).numpy(), atol=0.4)


def test_masks_of_the_inputs_are_used_and_passed_on(device: Any) -> None:
    ids = np.array([[3, 1, 0, 0], [2, 0, 0, 0]])
    x = layers.Embedding(5, 6, mask_zero=True)(ids)
    layer = layers.MultiHeadAttention(2, 3)
    y = layer(x, x)
    np.testing.assert_array_equal(y._keras_mask.numpy(), ids != 0)
    plain = layer(
        ops.convert_to_tensor(x.numpy()), ops.convert_to_tensor(x.numpy()), attention_mask=(ids != 0)[:, None]
    )
    np.testing.assert_allclose(y.numpy()[0, :2], plain.numpy()[0, :2], rtol=1e-5, atol=1e-6)


def test_a_transformer_learns(device: Any) -> None:
    """To give each position the first feature of the position before it, which only attention can."""
    deepkit.utils.set_random_seed(0)
    features = np.random.default_rng(0).normal(size=(256, 6, 2))
    x = np.concatenate([features, np.broadcast_to(3 * np.eye(6), (256, 6, 6))], axis=-1).astype("float32")
    y = np.roll(x[..., :1], 1, axis=1)
    inputs = layers.Input((6, 8))
    h = layers.Dense(16)(inputs)
    h = layers.LayerNormalization()(h + layers.MultiHeadAttention(2, 8)(h, h))
    h = layers.LayerNormalization()(h + layers.Dense(16)(layers.Dense(32, activation="relu")(h)))
    model = deepkit.Model(inputs, layers.Dense(1)(h))
    model.compile(deepkit.optimizers.Adam(0.01), "mse")
    history = model.fit(x, y, epochs=20, batch_size=32, verbose=0).history["loss"]
    assert history[-1] < 0.2 < history[0]


@pytest.mark.parametrize("name", ["MultiHeadAttention", "GroupQueryAttention"])
def test_files_have_the_names_of_keras(name: str, tmp_path: Path) -> None:
    """Keras reads and writes these paths and this build configuration; and files can be read again."""
    import h5py

    public = name == "MultiHeadAttention"
    x = np.random.default_rng(0).normal(size=(2, 4, 6)).astype("float32")
    i = layers.Input((4, 6))
    layer = layers.MultiHeadAttention(2, 3) if public else layers.GroupQueryAttention(3, 2, 1)
    model = deepkit.Model(i, layer(i, i))
    assert layer.get_build_config() == {"shapes_dict": {"query_shape": [None, 4, 6], "value_shape": [None, 4, 6]}}
    model.save_weights(tmp_path / "a.weights.h5")
    with h5py.File(tmp_path / "a.weights.h5") as file:
        found = [key for key, held in file["layers"][to_snake_case(type(layer).__name__)].items() if len(held)]
    mark = "" if public else "_"
    assert {f"{mark}{part}_dense" for part in ("query", "key", "value", "output")} <= set(found)
    model.save(tmp_path / "a.keras")
    again = deepkit.saving.load_model(tmp_path / "a.keras")
    np.testing.assert_array_equal(again(x).numpy(), model(x).numpy())


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision(policy: str, device: Any) -> None:
    x = np.random.default_rng(0).normal(size=(2, 4, 6)).astype("float32")
    for kind, sizes in ((layers.MultiHeadAttention, (2, 3)), (layers.GroupQueryAttention, (3, 2, 1))):
        narrow, wide = kind(*sizes, dtype=policy), kind(*sizes, dtype="float32")
        wide(x, x)
        narrow(x, x)
        narrow.set_weights(wide.get_weights())
        with deepkit.GradientTape() as tape:
            y = narrow(x, x, use_causal_mask=True)
            loss = ops.sum(ops.cast(y, "float32") ** 2)
        assert y.dtype == policy.split("_")[1]
        wanted = wide(x, x, use_causal_mask=True).numpy()
        np.testing.assert_allclose(y.numpy().astype("float32"), wanted, rtol=0.05, atol=0.05)
        for g, w in zip(tape.gradient(loss, narrow.trainable_weights), narrow.trainable_weights):
            assert g.shape == w.shape and np.isfinite(g.numpy().astype("float32")).all()


X = np.ones((2, 4, 6), "float32")
WIDE = np.ones((2, 5, 6), "float32")


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (lambda: layers.MultiHeadAttention(0, 2), "`num_heads`.*num_heads=0"),
        (lambda: layers.MultiHeadAttention(2, 2.5), "key_dim"),
        (lambda: layers.MultiHeadAttention(2, 2, sliding_window=0), "sliding_window"),
        (lambda: layers.MultiHeadAttention(2, 2, dropout=0.1, flash_attention=True), "flash"),
        (lambda: layers.GroupQueryAttention(2, 3, 2), "multiple of `num_key_value_heads`"),
        (lambda: layers.MultiHeadAttention(2, 2)(X, WIDE, X), "`value` and `key` should have the same shape"),
        (lambda: layers.MultiHeadAttention(2, 2)(X[0], X[0]), "batch, T, dim"),
        (lambda: layers.MultiHeadAttention(2, 2)(X, WIDE, value_mask=np.ones((2, 4), bool)), r"`value_mask`.*\(2, 5\)"),
        (lambda: layers.MultiHeadAttention(2, 2)(X, WIDE, attention_mask=np.ones((2, 5, 4), bool)), "`attention_mask`"),
        (lambda: layers.MultiHeadAttention(2, 2)(X, X[:1]), "one batch size"),
        (lambda: layers.MultiHeadAttention(2, 2)(X, X, attention_mask=np.ones((3, 4, 4), bool)), "`attention_mask`"),
        (lambda: layers.MultiHeadAttention(2, 2, attention_axes=7)(X, X), "`attention_axes`.*7"),
        (lambda: layers.GroupQueryAttention(2, 2, 1)(X[None], X[None]), "batch, T, dim"),
        (lambda: layers.Attention(score_mode="cosine"), "score_mode='cosine'"),
        (lambda: layers.Attention()(X), "list"),
        (lambda: layers.Attention()([X, X[..., :3]]), "`query` and `key` should have one last size"),
        (lambda: layers.Attention()([X, X, WIDE]), "`value` and `key` should have one length"),
        (lambda: layers.AdditiveAttention()([X, X[..., :3]]), "AdditiveAttention.*one last size"),
        (lambda: layers.Attention()([X, X], mask=[None]), "mask"),
        (lambda: layers.Attention()([X, WIDE], mask=[None, np.ones((2, 4), bool)]), r"value mask.*\(2, 5\)"),
        (lambda: layers.EinsumDense("abc", 4), "`equation`"),
        (lambda: layers.EinsumDense("ab,bc->ac", (3, 4))(X[0]), "`output_shape` should have 1 sizes"),
        (lambda: layers.EinsumDense("ab,bc->ac", 4)(X), "doesn't fit"),
        (lambda: layers.EinsumDense("ab,bc->ac", 4, bias_axes="z")(X[0]), "`bias_axes`"),
        (lambda: layers.EinsumDense("ab,bc->ac", 4, lora_rank=2), "LoRA"),
    ],
)  # fmt: skip
def test_bad_input(run: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        run()


def test_the_short_way_of_a_call_sees_masks_and_other_dtypes():
    """Once it was called, attention takes plain tensors as they are; those that have a mask are looked at."""
    layer = deepkit.layers.MultiHeadAttention(2, 4)
    x = np.random.default_rng(0).normal(size=(2, 5, 6)).astype("float32")
    keep = np.array([[True] * 3 + [False] * 2, [True] * 5])
    expected = layer(x, x, query_mask=keep, value_mask=keep).numpy()

    class Outer(deepkit.Model):
        def __init__(self):
            super().__init__()
            self.attention = layer

        def call(self, x, masked=False):
            x = deepkit.ops.convert_to_tensor(x)
            if masked:
                x._keras_mask = deepkit.ops.convert_to_tensor(keep)
            return self.attention(x, x)

    model = Outer()
    plain = model(x).numpy()
    np.testing.assert_allclose(model(x).numpy(), plain, rtol=1e-6)
    assert np.abs(plain[0] - expected[0]).max() > 1e-3
    masked = model(x, masked=True)
    np.testing.assert_allclose(masked.numpy(), expected, rtol=1e-5, atol=1e-6)
    assert masked._keras_mask is not None
    np.testing.assert_allclose(model(x.astype("float64")).numpy(), plain, rtol=1e-6)

"""Models exported to ONNX give in onnxruntime what they give here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deepkit
from deepkit import layers, ops
from deepkit.utils.nest import flatten
from tests.golden.conv_cases import CONV
from tests.golden.layer_cases import CASES as LAYERS
from tests.golden.recurrent_cases import CASES as RECURRENT

pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")


def same(model: Any, path: Path, *xs: np.ndarray, tolerance: float = 1e-5) -> None:
    """Export, run with the whole batch and with one row of it, compare."""
    file = path / "model.onnx"
    model.export(file)
    session = runtime.InferenceSession(file.read_bytes(), providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    assert len(names) == len(xs)
    for rows in (None, 1):
        part = [x[:rows] for x in xs]
        found = session.run(None, dict(zip(names, part)))
        wanted = flatten(model(part if len(part) > 1 else part[0], training=False))
        assert len(found) == len(wanted)
        for a, b in zip(found, wanted):
            assert a.shape == b.shape and a.dtype == b.dtype
            np.testing.assert_allclose(a, b.numpy(), rtol=1e-4, atol=tolerance)


def around(layer: Any, *xs: np.ndarray) -> Any:
    """A functional model of one layer, its batch unknown."""
    inputs = [layers.Input(x.shape[1:], dtype=x.dtype.name) for x in xs]
    return deepkit.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name: str, tmp_path: Path) -> None:
    make, shapes, _ = LAYERS[name]
    xs = [random(*shape, seed=i) for i, shape in enumerate(shapes)]
    same(around(make(deepkit), *xs), tmp_path, *xs)


@pytest.mark.parametrize("case", CONV, ids=lambda case: f"{case[0]}-{CONV.index(case)}")
def test_convolutions(case: Any, tmp_path: Path) -> None:
    kind, kwargs, shape = case
    x = random(*shape)
    same(around(getattr(layers, kind)(**kwargs), x), tmp_path, x)


@pytest.mark.parametrize("kind", ["MaxPooling", "AveragePooling"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [None, 1, 3])
def test_pooling(kind: str, padding: str, strides: Any, tmp_path: Path) -> None:
    for rank in (1, 2, 3):
        x = random(2, *(7, 6, 5)[:rank], 3)
        same(around(getattr(layers, f"{kind}{rank}D")(2, strides, padding), x), tmp_path, x)


@pytest.mark.parametrize(
    "name", [n for n in RECURRENT if "mask" not in RECURRENT[n][2] and "states" not in RECURRENT[n][2]]
)
def test_recurrent(name: str, tmp_path: Path) -> None:
    make, shape, _ = RECURRENT[name]
    x = random(*shape)
    same(around(make(layers), x), tmp_path, x)


def test_masked_and_with_states(tmp_path: Path) -> None:
    ids = np.random.default_rng(0).integers(0, 6, (3, 5)).astype("int32")
    a, b = layers.Input((5,), dtype="int32"), layers.Input((None, 2))
    _, h, c = layers.LSTM(4, return_state=True)(layers.Embedding(6, 3, mask_zero=True)(a))
    model = deepkit.Model([a, b], layers.LSTM(4, return_sequences=True)(b, initial_state=[h, c]))
    same(model, tmp_path, ids, random(3, 4, 2))


def test_convolutional_network_with_free_sizes(tmp_path: Path) -> None:
    model = deepkit.Sequential([
        layers.Input((None, None, 3)), layers.Conv2D(4, 3, padding="same", strides=2, activation="relu"),
        layers.MaxPooling2D(2, padding="same"), layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    same(model, tmp_path, random(2, 11, 8, 3))


def test_residual_network(tmp_path: Path) -> None:
    x = random(4, 8, 8, 3)
    inputs = layers.Input((8, 8, 3))
    h = layers.ReLU()(
        layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(inputs))
    )
    for stride in (1, 2):
        y = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, strides=stride, padding="same")(h)))
        y = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(y))
        h = layers.ReLU()(layers.add([y, h if stride == 1 else layers.Conv2D(8, 1, strides=2)(h)]))
    model = deepkit.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(h)))
    model.compile("adam", "mse")
    model.fit(x, np.zeros((4, 2)), verbose=0)  # so that the moving averages are no longer those of the start
    same(model, tmp_path, x)


@pytest.mark.skipif(not hasattr(layers, "MultiHeadAttention"), reason="attention isn't there")
def test_transformer_block(tmp_path: Path) -> None:
    ids = np.random.default_rng(0).integers(0, 9, (3, 6)).astype("int32")
    inputs = layers.Input((6,), dtype="int32")
    h = layers.Embedding(9, 8)(inputs)
    h = layers.LayerNormalization()(h + layers.MultiHeadAttention(2, 4)(h, h, use_causal_mask=True))
    h = layers.LayerNormalization()(h + layers.Dense(8)(layers.Dense(16, activation="gelu")(h)))
    same(deepkit.Model(inputs, h), tmp_path, ids)


def test_ops_of_ones_own(tmp_path: Path) -> None:
    class Model(deepkit.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(6)

        def call(self, x: Any) -> Any:
            y = ops.tanh(self.dense(x)) ** 2
            picked = ops.where(y[:, ::-1] > 0.1, y[:, :, None][..., 0], -1.0)
            return {"b": ops.logsumexp(picked, axis=1), "a": ops.cast(ops.argmax(y, axis=-1), "float32")}

    model = Model()
    model(random(2, 3))
    same(model, tmp_path, random(5, 3))


def test_several_inputs_and_outputs_keep_their_names(tmp_path: Path) -> None:
    import onnx

    a, b = layers.Input((3,), name="left"), layers.Input((3,), name="right")
    model = deepkit.Model({"left": a, "right": b}, {"sum": a + b, "product": a * b})
    model.export(tmp_path / "m.onnx", verbose=False)
    graph = onnx.load(tmp_path / "m.onnx").graph
    assert [i.name for i in graph.input] == ["left", "right"]
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_what_cannot_be_exported_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "m.onnx"
    target.write_bytes(b"before")
    inputs = layers.Input((None, 3))
    open_ended = deepkit.Model(inputs, layers.LSTM(2, activation="gelu")(inputs))
    with pytest.raises(ValueError, match="ONNX export"):
        open_ended.export(target)
    with pytest.raises(ValueError, match="isn't built"):
        deepkit.Sequential([layers.Dense(2)]).export(target)
    with pytest.raises(ValueError, match="`format` should be 'onnx'"):
        open_ended.export(target, format="tf_saved_model")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match="pip install 'deepkit\\[onnx\\]'"):
        open_ended.export(target)
    assert target.read_bytes() == b"before" and [p.name for p in tmp_path.iterdir()] == ["m.onnx"]

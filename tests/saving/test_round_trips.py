"""Properties: what is written comes back the same, for configurations, weights and models drawn at random.

The draws are the same in every run (``derandomize``).
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import deepkit
from deepkit import layers
from deepkit.autograd.dtypes import np_dtype
from deepkit.saving import hdf5
from deepkit.saving.safetensors import TensorFile, write_tensors

SETTINGS = settings(
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

small = st.integers(1, 4)
pair = st.one_of(small, st.tuples(small, small))
rate = st.floats(0.0, 0.875, width=32)
positive = st.floats(0.0009765625, 10.0, width=32)
flag = st.booleans()
names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
activation = st.sampled_from([None, "relu", "gelu", "softmax", "tanh", "linear", "hard_sigmoid"])
initializer = st.one_of(
    st.sampled_from(["zeros", "glorot_uniform", "orthogonal", "he_normal"]),
    st.builds(deepkit.initializers.Constant, rate),
    st.builds(deepkit.initializers.RandomUniform, st.just(-1.0), positive, st.integers(0, 9)),
    st.builds(deepkit.initializers.VarianceScaling, positive, st.sampled_from(["fan_in", "fan_avg"])),
)
regularizer = st.one_of(
    st.none(), st.sampled_from(["l1", "l2"]), st.builds(deepkit.regularizers.L1L2, positive, positive)
)
constraint = st.one_of(st.none(), st.just("non_neg"), st.builds(deepkit.constraints.MaxNorm, positive))
dtype = st.sampled_from([None, "float32", "float64", "mixed_float16", "mixed_bfloat16"])
padding = st.sampled_from(["valid", "same"])
kernels = {
    "activation": activation,
    "use_bias": flag,
    "kernel_initializer": initializer,
    "bias_initializer": initializer,
    "kernel_regularizer": regularizer,
    "bias_constraint": constraint,
}
recurrent = {
    "units": small,
    "activation": activation,
    "return_sequences": flag,
    "go_backwards": flag,
    "dropout": rate,
    "recurrent_initializer": initializer,
    "kernel_constraint": constraint,
}
vocabulary = st.lists(names, min_size=1, max_size=4, unique=True)

LAYERS: dict[Any, dict[str, Any]] = {
    layers.Dense: {"units": small, **kernels},
    layers.EinsumDense: {"equation": st.just("ab,bc->ac"), "output_shape": small,
        "bias_axes": st.sampled_from([None, "c"])},
    layers.Embedding: {"input_dim": small, "output_dim": small, "mask_zero": flag,
        "embeddings_initializer": initializer},
    layers.Conv1D: {"filters": small, "kernel_size": small, "padding": st.sampled_from(["causal", "same"]),
        **kernels},
    layers.Conv2D: {"filters": small, "kernel_size": pair, "strides": pair, "padding": padding, **kernels},
    layers.Conv2DTranspose: {"filters": small, "kernel_size": pair, "padding": padding, "use_bias": flag},
    layers.DepthwiseConv2D: {"kernel_size": pair, "depth_multiplier": small, "depthwise_initializer": initializer},
    layers.SeparableConv2D: {"filters": small, "kernel_size": pair, "pointwise_regularizer": regularizer},
    layers.MaxPooling2D: {"pool_size": pair, "strides": st.one_of(st.none(), pair), "padding": padding},
    layers.AveragePooling1D: {"pool_size": small, "padding": padding},
    layers.GlobalMaxPooling2D: {"keepdims": flag},
    layers.UpSampling2D: {"size": pair, "interpolation": st.sampled_from(["nearest", "bilinear"])},
    layers.ZeroPadding2D: {"padding": st.one_of(pair, st.tuples(st.tuples(small, small), st.tuples(small, small)))},
    layers.Cropping1D: {"cropping": pair},
    layers.BatchNormalization: {"momentum": rate, "epsilon": positive, "center": flag, "scale": flag,
        "gamma_initializer": initializer},
    layers.LayerNormalization: {"axis": st.sampled_from([-1, [1], [1, 2]]), "epsilon": positive, "center": flag},
    layers.GroupNormalization: {"groups": small, "axis": st.just(-1), "scale": flag},
    layers.UnitNormalization: {"axis": st.sampled_from([-1, [1, 2]])},
    layers.Normalization: {"mean": rate, "variance": positive, "invert": flag},
    layers.Dropout: {"rate": rate, "seed": st.one_of(st.none(), st.integers(0, 99))},
    layers.GaussianNoise: {"stddev": rate, "seed": st.integers(0, 99)},
    layers.SpatialDropout1D: {"rate": rate},
    layers.LSTM: {**recurrent, "recurrent_dropout": rate, "unit_forget_bias": flag},
    layers.GRU: {**recurrent, "reset_after": flag},
    layers.SimpleRNN: {**recurrent, "unroll": flag},
    layers.Bidirectional: {"layer": st.builds(layers.LSTM, small, name=names),
        "merge_mode": st.sampled_from(["concat", "sum", None])},
    layers.TimeDistributed: {"layer": st.builds(layers.Dense, small, name=names)},
    layers.RNN: {"cell": st.builds(layers.StackedRNNCells, st.lists(st.builds(layers.GRUCell, small),
        min_size=1, max_size=2))},
    layers.MultiHeadAttention: {"num_heads": small, "key_dim": small, "value_dim": small, "dropout": rate,
        "use_bias": flag},
    layers.Reshape: {"target_shape": st.tuples(small, st.just(-1))},
    layers.Permute: {"dims": st.permutations([1, 2, 3])},
    layers.RepeatVector: {"n": small},
    layers.Concatenate: {"axis": st.sampled_from([-1, 1])},
    layers.Dot: {"axes": st.sampled_from([1, (1, 2)]), "normalize": flag},
    layers.ReLU: {"max_value": st.one_of(st.none(), positive), "negative_slope": rate, "threshold": rate},
    layers.PReLU: {"alpha_initializer": initializer, "shared_axes": st.sampled_from([None, [1]])},
    layers.Softmax: {"axis": st.sampled_from([-1, 1])},
    layers.Rescaling: {"scale": positive, "offset": rate},
    layers.Resizing: {"height": small, "width": small, "crop_to_aspect_ratio": flag},
    layers.RandomFlip: {"mode": st.sampled_from(["horizontal", "vertical"]), "seed": st.integers(0, 9)},
    layers.RandomRotation: {"factor": rate, "fill_mode": st.sampled_from(["reflect", "constant"])},
    layers.Discretization: {"bin_boundaries": st.lists(positive, min_size=1, max_size=3, unique=True).map(sorted)},
    layers.Hashing: {"num_bins": small, "salt": st.integers(0, 9)},
    layers.StringLookup: {"vocabulary": vocabulary, "num_oov_indices": st.integers(0, 2), "invert": st.just(False)},
    layers.TextVectorization: {"vocabulary": vocabulary, "ngrams": st.one_of(st.none(), small)},
    layers.CategoryEncoding: {"num_tokens": small, "output_mode": st.sampled_from(["multi_hot", "one_hot", "count"])},
}  # fmt: skip
schedule = st.one_of(
    st.builds(deepkit.optimizers.schedules.ExponentialDecay, positive, small, rate.map(lambda x: x + 0.1)),
    st.builds(deepkit.optimizers.schedules.CosineDecay, positive, small, warmup_target=positive, warmup_steps=small),
    st.builds(deepkit.optimizers.schedules.PiecewiseConstantDecay, st.just([1, 2]),
              st.lists(positive, min_size=3, max_size=3)),
)  # fmt: skip
OTHERS: dict[Any, dict[str, Any]] = {
    deepkit.optimizers.SGD: {"learning_rate": st.one_of(positive, schedule), "momentum": rate, "nesterov": flag},
    deepkit.optimizers.Adam: {"learning_rate": st.one_of(positive, schedule), "amsgrad": flag,
        "use_ema": flag, "clipnorm": positive},
    deepkit.optimizers.AdamW: {"weight_decay": positive, "beta_1": rate,
        "gradient_accumulation_steps": st.integers(2, 4)},
    deepkit.optimizers.RMSprop: {"rho": rate, "centered": flag, "global_clipnorm": positive},
    deepkit.losses.Huber: {"delta": positive, "reduction": st.sampled_from(["sum", "none", "mean"]), "name": names},
    deepkit.losses.CategoricalCrossentropy: {"from_logits": flag, "label_smoothing": rate, "axis": st.just(-1)},
    deepkit.metrics.AUC: {"num_thresholds": st.integers(3, 9), "curve": st.sampled_from(["ROC", "PR"]),
        "name": names},
    deepkit.metrics.TopKCategoricalAccuracy: {"k": small, "name": names},
    deepkit.initializers.VarianceScaling: {"scale": positive, "seed": st.integers(0, 9)},
    deepkit.regularizers.OrthogonalRegularizer: {"factor": positive, "mode": st.sampled_from(["rows", "columns"])},
    deepkit.constraints.MinMaxNorm: {"min_value": rate, "max_value": positive, "rate": rate},
}  # fmt: skip


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def check_configuration(cls: Any, data: st.DataObject, arguments: dict[str, Any]) -> None:
    chosen = {key: data.draw(strategy, label=key) for key, strategy in arguments.items()}
    if issubclass(cls, layers.Layer):
        chosen["name"] = data.draw(names)
        chosen["dtype"] = data.draw(dtype if cls is not layers.Hashing else st.just("int32"))
    made = cls(**chosen)
    written = through_json(deepkit.saving.serialize_keras_object(made))
    again = deepkit.saving.deserialize_keras_object(through_json(written))
    assert type(again) is cls
    assert through_json(deepkit.saving.serialize_keras_object(again)) == written
    from_config = cls.from_config(made.get_config())
    assert through_json(deepkit.saving.serialize_keras_object(from_config)) == written


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("cls", LAYERS, ids=lambda cls: cls.__name__)
@settings(SETTINGS, max_examples=5)
@given(data=st.data())
def test_layers(cls: Any, data: st.DataObject) -> None:
    check_configuration(cls, data, LAYERS[cls])


@pytest.mark.parametrize("cls", OTHERS, ids=lambda cls: cls.__name__)
@settings(SETTINGS, max_examples=5)
@given(data=st.data())
def test_what_models_are_compiled_with(cls: Any, data: st.DataObject) -> None:
    check_configuration(cls, data, OTHERS[cls])


shapes = st.lists(st.integers(0, 4), max_size=4).map(tuple)
DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "float16", "bfloat16", "int32", "uint32",
          "float32", "float64", "int64", "uint64"]  # fmt: skip


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray:
    """Any bits at all, in any shape: infinities, NaN with a payload, numbers below the normal ones."""
    kind, shape = draw(st.sampled_from(DTYPES)), draw(shapes)
    found = np_dtype(kind)
    size = math.prod(shape) * found.itemsize
    data = draw(st.binary(min_size=size, max_size=size))
    values = np.frombuffer(data, np.uint8)
    return (values % 2 == 1).reshape(shape) if kind == "bool" else values.view(found).reshape(shape)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@settings(SETTINGS, max_examples=60)
@given(given_arrays=st.dictionaries(names, arrays(), max_size=5))
def test_arrays_in_files(given_arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    specs = {name: (values.dtype.name, values.shape) for name, values in given_arrays.items()}
    with open(tmp_path / "x.safetensors", "wb") as file:
        write_tensors(file, specs, given_arrays.items())
    with TensorFile(tmp_path / "x.safetensors") as tensors:
        assert set(tensors.names()) == set(given_arrays)
        assert all(same_bits(tensors.read(name), values) for name, values in given_arrays.items())
    with hdf5.open_file(tmp_path / "x.h5", "w") as file:
        for name, values in given_arrays.items():
            hdf5.write_dataset(file, name, values)
    with hdf5.open_file(tmp_path / "x.h5") as file:
        assert set(hdf5.names(file)) == set(given_arrays)
        assert all(same_bits(hdf5.read_dataset(file, name), values) for name, values in given_arrays.items())
    with h5py.File(tmp_path / "x.h5") as file:
        assert len(file) == len(given_arrays)


class Holder(layers.Layer):
    """Weights of any shapes and dtypes."""

    def __init__(self, arrays: Any = (), **kwargs: Any):
        super().__init__(**kwargs)
        for i, (shape, kind) in enumerate(arrays):
            self.add_weight(shape, "zeros", kind, name=f"w{i}", trainable=False)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return inputs


@pytest.mark.parametrize("ending", [".weights.h5", ".safetensors", ".weights.json"])
@settings(SETTINGS, max_examples=25)
@given(found=st.lists(arrays(), min_size=1, max_size=4))
def test_weights_of_any_kind(ending: str, found: list[np.ndarray], tmp_path: Path) -> None:
    def make() -> Any:
        return deepkit.Sequential([layers.Input((1,)), Holder([(a.shape, a.dtype.name) for a in found])])

    first, second = make(), make()
    for variable, values in zip(first.weights, found, strict=True):
        variable.assign(values)
    options = {"max_shard_size": 1.0} if ending == ".weights.json" else {}
    first.save_weights(tmp_path / f"x{ending}", **options)
    second.load_weights(tmp_path / f"x{ending}")
    for variable, values in zip(second.weights, found, strict=True):
        assert same_bits(np.asarray(variable.numpy()), values)


@st.composite
def models(draw: st.DrawFn) -> Any:
    """A small model of dense, normalizing and recurrent layers with branches that join."""
    width = draw(small)
    inputs = x = layers.Input((draw(small), width))
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.integers(0, 6))
        units = draw(small)
        if kind == 0:
            x = layers.Dense(units, draw(activation), use_bias=draw(flag))(x)
        elif kind == 1:
            x = layers.BatchNormalization(center=draw(flag))(x)
        elif kind == 2:
            x = draw(st.sampled_from([layers.LSTM, layers.GRU, layers.SimpleRNN]))(
                units, return_sequences=True
            )(x)
        elif kind == 3:
            x = layers.Add()([x, layers.Dense(x.shape[-1])(x)])
        elif kind == 4:
            shared = layers.Dense(units)
            x = layers.Concatenate()([shared(x), shared(x) * 2.0])
        elif kind == 5:
            x = layers.Conv1D(units, 2, padding="causal")(x)
        else:
            x = deepkit.Sequential([layers.Input(tuple(x.shape[1:])), layers.Dense(units, "relu")])(x)
    outputs = draw(st.sampled_from([lambda x: x, lambda x: {"a": x, "b": layers.Flatten()(x)}]))(x)
    return deepkit.Model(inputs, outputs)


@pytest.mark.parametrize("name", ["x.keras", "folder", "x.h5"])
@settings(SETTINGS, max_examples=6)
@given(made=models(), seed=st.integers(0, 99))
def test_models(name: str, made: Any, seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    for variable in made.weights:
        variable.assign(random.uniform(0.1, 1.0, variable.shape))
    x = random.normal(size=(3, *made.input_shape[1:])).astype("float32")
    made.save(tmp_path / name, zipped=False if name == "folder" else None)
    again = deepkit.saving.load_model(tmp_path / name)
    assert [v.path.split("/")[-1] for v in again.weights] == [v.path.split("/")[-1] for v in made.weights]
    for a, b in zip(again.weights, made.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    outputs, expected = again.predict(x, verbose=0), made.predict(x, verbose=0)
    assert type(outputs) is type(expected)
    for a, b in zip(deepkit.tree.flatten(outputs), deepkit.tree.flatten(expected), strict=True):
        np.testing.assert_array_equal(a, b)
    assert through_json(again.get_config()) == through_json(made.get_config())

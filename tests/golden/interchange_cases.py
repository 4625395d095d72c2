"""Models that are exchanged with real Keras as files, by layer: ``make(keras)`` gives a model of one input."""

from __future__ import annotations

import io
import tarfile
import zlib
from pathlib import Path
from typing import Any, Callable, NamedTuple

import numpy as np

try:
    from . import interchange_models as whole
except ImportError:  # beside the scripts that are run by hand
    import interchange_models as whole  # type: ignore[import-not-found, no-redef]

#: Steps of training before a file is written, and losses that are compared after it is read.
STEPS_BEFORE, STEPS_AFTER = 2, 3


class Case(NamedTuple):
    """``layers(k)`` are those of a sequential model on inputs of shape ``shape``.

    ``kind`` is "float", "int", "image" or "string", what the input holds; ``random`` says that training draws numbers,
    which differ between backends; ``adapt`` names the layer's own preparation on data; ``stateful`` fixes the batch
    size; ``near`` is the tolerance of predictions.
    """

    layers: Callable[[Any], list[Any]]
    shape: tuple[int, ...]
    kind: str = "float"
    random: bool = False
    adapt: bool = False
    head: bool = True
    stateful: bool = False
    near: float = 1e-5


WORDS = np.array(["red", "green", "blue", "red green", "blue sky"])


def _one(name: str, *args: Any, **kwargs: Any) -> Callable[[Any], list[Any]]:
    return lambda k: [getattr(k.layers, name)(*args, **kwargs)]


def _around(wrapper: str, inner: str, *args: Any, **kwargs: Any) -> Callable[[Any], list[Any]]:
    return lambda k: [getattr(k.layers, wrapper)(getattr(k.layers, inner)(*args, **kwargs))]


def _itself(name: str, inputs: int, *args: Any, **kwargs: Any) -> Callable[[Any], list[Any]]:
    """A model in place of layers: the layer called with its input several times."""

    def make(k: Any) -> list[Any]:
        x = k.layers.Input((4, 6))
        layer = getattr(k.layers, name)(*args, **kwargs)
        y = layer(*[x] * inputs) if name in ("MultiHeadAttention", "GroupQueryAttention") else layer([x] * inputs)
        return [k.Model(x, y)]

    return make


def _crossing(k: Any) -> list[Any]:
    x = k.layers.Input((1,), dtype="string")
    return [k.Model(x, k.layers.HashedCrossing(6, output_mode="one_hot")((x, x)))]


LINE, PLANE, SPACE, IMAGE = (6, 3), (6, 6, 3), (4, 4, 4, 2), (8, 8, 3)
CASES: dict[str, Case] = {
    "Dense": Case(_one("Dense", 4, activation="relu"), (5,)),
    "EinsumDense": Case(_one("EinsumDense", "abc,cd->abd", output_shape=(3, 4), bias_axes="d"), (3, 5)),
    "Embedding": Case(_one("Embedding", 7, 4), (5,), "int"),
    "ReversibleEmbedding": Case(_one("ReversibleEmbedding", 7, 4), (5,), "int"),
    "Conv1D": Case(_one("Conv1D", 4, 3, padding="causal", dilation_rate=2), LINE),
    "Conv2D": Case(_one("Conv2D", 4, 3, strides=2, padding="same"), PLANE),
    "Conv3D": Case(_one("Conv3D", 3, 2), SPACE),
    "Conv1DTranspose": Case(_one("Conv1DTranspose", 4, 3, strides=2), LINE),
    "Conv2DTranspose": Case(_one("Conv2DTranspose", 4, 3, strides=2, padding="same"), PLANE),
    "Conv3DTranspose": Case(_one("Conv3DTranspose", 3, 2), SPACE),
    "DepthwiseConv1D": Case(_one("DepthwiseConv1D", 3, depth_multiplier=2), LINE),
    "DepthwiseConv2D": Case(_one("DepthwiseConv2D", 3, depth_multiplier=2), PLANE),
    "SeparableConv1D": Case(_one("SeparableConv1D", 4, 3), LINE),
    "SeparableConv2D": Case(_one("SeparableConv2D", 4, 3), PLANE),
    "BatchNormalization": Case(_one("BatchNormalization"), (5,)),
    "LayerNormalization": Case(_one("LayerNormalization"), (5,)),
    "GroupNormalization": Case(_one("GroupNormalization", 2), (4, 6)),
    "RMSNormalization": Case(_one("RMSNormalization"), (5,)),
    "UnitNormalization": Case(_one("UnitNormalization"), (5,)),
    "SpectralNormalization": Case(_around("SpectralNormalization", "Dense", 4), (5,)),
    "SimpleRNN": Case(_one("SimpleRNN", 4, return_sequences=True), LINE),
    "LSTM": Case(_one("LSTM", 4, recurrent_dropout=0.0), LINE),
    "GRU": Case(_one("GRU", 4), LINE),
    "GRU, reset before": Case(_one("GRU", 4, reset_after=False), LINE),
    "Bidirectional": Case(_around("Bidirectional", "LSTM", 3, return_sequences=True), LINE),
    "Bidirectional, GRU": Case(_around("Bidirectional", "GRU", 3), LINE),
    "TimeDistributed": Case(_around("TimeDistributed", "Dense", 4), LINE),
    "RNN": Case(_around("RNN", "LSTMCell", 4), LINE),
    "RNN, GRUCell": Case(_around("RNN", "GRUCell", 4), LINE),
    "RNN, SimpleRNNCell": Case(_around("RNN", "SimpleRNNCell", 4), LINE),
    "StackedRNNCells": Case(
        lambda k: [k.layers.RNN(k.layers.StackedRNNCells([k.layers.LSTMCell(4), k.layers.GRUCell(3)]))], LINE
    ),
    "RNN of a list of cells": Case(lambda k: [k.layers.RNN([k.layers.LSTMCell(4), k.layers.LSTMCell(3)])], LINE),
    "ConvLSTM1D": Case(_one("ConvLSTM1D", 2, 3), (3, 6, 2)),
    "ConvLSTM2D": Case(_one("ConvLSTM2D", 2, 3), (3, 5, 5, 2)),
    "ConvLSTM3D": Case(_one("ConvLSTM3D", 2, 2), (2, 4, 4, 4, 2)),
    "MultiHeadAttention": Case(_itself("MultiHeadAttention", 2, 2, 3), (4, 6)),
    "GroupQueryAttention": Case(_itself("GroupQueryAttention", 2, 3, 4, 2), (4, 6)),
    "Attention": Case(_itself("Attention", 2, use_scale=True), (4, 6)),
    "AdditiveAttention": Case(_itself("AdditiveAttention", 2), (4, 6)),
    "PReLU": Case(_one("PReLU", alpha_initializer="ones"), (5,)),
    **{name: Case(_one(name), (5,)) for name in ("ReLU", "LeakyReLU", "ELU", "Softmax", "Identity", "Flatten")},
    "Activation": Case(_one("Activation", "gelu"), (5,)),
    "ActivityRegularization": Case(_one("ActivityRegularization", l2=0.1), (5,)),
    **{name: Case(_itself(name, 2), (4, 6)) for name in
       ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")},
    "Dot": Case(_itself("Dot", 2, axes=2), (4, 6)),
    **{f"{kind}Pooling{n}D": Case(_one(f"{kind}Pooling{n}D", 2), shape)
       for kind in ("Max", "Average") for n, shape in ((1, LINE), (2, PLANE), (3, SPACE))},
    **{f"Global{kind}Pooling{n}D": Case(_one(f"Global{kind}Pooling{n}D"), shape)
       for kind in ("Max", "Average") for n, shape in ((1, LINE), (2, PLANE), (3, SPACE))},
    **{f"Adaptive{kind}Pooling{n}D": Case(_one(f"Adaptive{kind}Pooling{n}D", 2), shape)
       for kind in ("Max", "Average") for n, shape in ((1, LINE), (2, PLANE), (3, SPACE))},
    **{f"{kind}{n}D": Case(_one(f"{kind}{n}D", size), shape)
       for kind, size in (("ZeroPadding", 1), ("Cropping", 1), ("UpSampling", 2))
       for n, shape in ((1, LINE), (2, PLANE), (3, SPACE))},
    "Reshape": Case(_one("Reshape", (3, -1)), LINE),
    "Permute": Case(_one("Permute", (2, 1)), LINE),
    "RepeatVector": Case(_one("RepeatVector", 3), (5,)),
    "Masking": Case(lambda k: [k.layers.Masking(), k.layers.LSTM(4)], LINE),
    "Dropout": Case(_one("Dropout", 0.5, seed=3), (5,), random=True),
    "AlphaDropout": Case(_one("AlphaDropout", 0.5, seed=3), (5,), random=True),
    "GaussianDropout": Case(_one("GaussianDropout", 0.5, seed=3), (5,), random=True),
    "GaussianNoise": Case(_one("GaussianNoise", 0.5, seed=3), (5,), random=True),
    **{f"SpatialDropout{n}D": Case(_one(f"SpatialDropout{n}D", 0.5), shape, random=True)
       for n, shape in ((1, LINE), (2, PLANE), (3, SPACE))},
    "Rescaling": Case(_one("Rescaling", 0.5, 1.0), (5,)),
    "Resizing": Case(_one("Resizing", 4, 4), PLANE),
    "CenterCrop": Case(_one("CenterCrop", 4, 4), PLANE),
    "RandomFlip": Case(_one("RandomFlip", seed=1), PLANE, random=True),
    "RandomRotation": Case(_one("RandomRotation", 0.1, seed=1), PLANE, random=True),
    "RandomZoom": Case(_one("RandomZoom", 0.1, seed=1), PLANE, random=True),
    "RandomTranslation": Case(_one("RandomTranslation", 0.1, 0.1, seed=1), PLANE, random=True),
    "RandomContrast": Case(_one("RandomContrast", 0.1, seed=1), PLANE, random=True),
    "RandomBrightness": Case(_one("RandomBrightness", 0.1, seed=1), PLANE, random=True),
    "STFTSpectrogram": Case(_one("STFTSpectrogram", frame_length=8, frame_step=4, fft_length=8), (32, 1)),
    "MelSpectrogram": Case(
        _one("MelSpectrogram", fft_length=16, sequence_stride=8, num_mel_bins=4, sampling_rate=100, max_freq=50,
             min_freq=5),
        (64,),
        # Keras takes ln(1 + f / 700) in float32, which rounds its weights of frequencies by up to 7e-6, differently in
        # each of its backends; a small weight's share of that is decibels' 1e-4. With Keras's weights put in place of
        # its own, which are rounded once from float64, this package is within 4e-6 of Keras.
        near=2e-4,
    ),
    **{f"{name}, stateful": Case(_one(name, 4, stateful=True), LINE, stateful=True)
       for name in ("SimpleRNN", "LSTM", "GRU")},
    "RNN, stateful": Case(
        lambda k: [k.layers.RNN([k.layers.LSTMCell(4), k.layers.GRUCell(3)], stateful=True)], LINE, stateful=True
    ),
    "Bidirectional, stateful": Case(_around("Bidirectional", "LSTM", 3, stateful=True), LINE, stateful=True),
    "ConvLSTM1D, stateful": Case(_one("ConvLSTM1D", 2, 3, stateful=True), (3, 6, 2), stateful=True),
    "Bidirectional, sum": Case(lambda k: [k.layers.Bidirectional(k.layers.SimpleRNN(3), merge_mode="sum")], LINE),
    "TimeDistributed, Conv2D": Case(_around("TimeDistributed", "Conv2D", 2, 3), (3, 5, 5, 2)),
    "SpectralNormalization, Conv2D": Case(
        lambda k: [k.layers.SpectralNormalization(k.layers.Conv2D(2, 3), power_iterations=2)], PLANE
    ),
    "Lambda": Case(lambda k: [k.layers.Lambda(whole.register(k)[1])], (5,)),
    "InputLayer": Case(lambda k: [k.Model(x := k.layers.Input((5,), name="given"), k.layers.Dense(3)(x))], (5,)),
    **{name: Case(_one(name, **options), IMAGE, "image") for name, options in (
        ("AutoContrast", {}), ("Equalization", {}),
        ("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (2, 2)}),
    )},
    **{name: Case(_one(name, *arguments, **options, seed=1), IMAGE, "image", random=True)
       for name, arguments, options in (
        ("AugMix", (), {}), ("CutMix", (), {}), ("MixUp", (0.3,), {}), ("RandAugment", (), {"num_ops": 3}),
        ("RandomColorDegeneration", (0.5,), {}), ("RandomColorJitter", (), {"hue_factor": 0.2}),
        ("RandomCrop", (8, 8), {}), ("RandomElasticTransform", (), {}), ("RandomErasing", (), {}),
        ("RandomGaussianBlur", (), {}), ("RandomGrayscale", (), {}), ("RandomHue", (0.3,), {}),
        ("RandomInvert", (), {}), ("RandomPerspective", (), {}), ("RandomPosterization", (4,), {}),
        ("RandomSaturation", (0.4,), {}), ("RandomSharpness", (0.4,), {}), ("RandomShear", (0.2, 0.1), {}),
        ("Solarization", (0.2, 0.5), {}),
    )},
    "Pipeline": Case(
        lambda k: [k.layers.Pipeline([k.layers.RandomFlip(seed=1), k.layers.CenterCrop(6, 6)])], IMAGE, "image",
        random=True,
    ),
    "CategoryEncoding": Case(_one("CategoryEncoding", 7, "multi_hot"), (5,), "int"),
    "Normalization": Case(_one("Normalization"), (5,), adapt=True),
    "Discretization": Case(_one("Discretization", [-0.5, 0.0, 0.5], output_mode="one_hot"), (5,)),
    "Discretization, adapted": Case(_one("Discretization", num_bins=4, output_mode="one_hot"), (5,), adapt=True),
    "IntegerLookup": Case(_one("IntegerLookup", output_mode="multi_hot"), (5,), "int", adapt=True),
    "StringLookup": Case(_one("StringLookup", output_mode="multi_hot"), (3,), "string", adapt=True),
    "Hashing": Case(_one("Hashing", 6, output_mode="multi_hot"), (3,), "string"),
    "Hashing of integers, salted": Case(_one("Hashing", 6, salt=[3, 5], output_mode="count"), (3,), "int"),
    "HashedCrossing": Case(_crossing, (1,), "string"),
    "TextVectorization": Case(
        _one("TextVectorization", output_mode="tf_idf"), (1,), "string", adapt=True, head=False
    ),
    "TextVectorization, integers": Case(
        _one("TextVectorization", output_sequence_length=4), (1,), "string", adapt=True, head=False
    ),
    "TextVectorization, padded TF-IDF": Case(
        _one("TextVectorization", output_mode="tf_idf", pad_to_max_tokens=True, max_tokens=8), (1,), "string",
        adapt=True, head=False,
    ),
}  # fmt: skip
#: Those that need TensorFlow in real Keras.
WITH_TENSORFLOW = [n for n, case in CASES.items() if case.kind == "string"]
WITH_TENSORFLOW += ["Discretization, adapted", "IntegerLookup", "Hashing of integers, salted"]
#: Those that Keras does not train with torch, which finds its own states changed in place.
WITH_JAX = [n for n, case in CASES.items() if case.stateful]
#: Those whose files earlier versions of Keras wrote too.
EARLIER = ["Dense", "Conv2D", "Bidirectional", "BatchNormalization"]


def names(tensorflow: bool, jax: bool) -> list[str]:
    """The cases that a backend of Keras is asked for by default."""
    if tensorflow:
        return WITH_TENSORFLOW
    return WITH_JAX if jax else [n for n in [*CASES, *whole.WHOLE] if n not in {*WITH_TENSORFLOW, *WITH_JAX}]


def members(path: Path) -> dict[str, bytes]:
    """The files of an archive."""
    with tarfile.open(path) as archive:
        return {m.name: archive.extractfile(m).read() for m in archive.getmembers()}  # type: ignore[union-attr]


def pack(path: Path, files: dict[str, bytes]) -> None:
    """Write an archive, alike files side by side, which compresses them best."""
    with tarfile.open(path, "w:xz", preset=9) as archive:
        for name in sorted(files, key=lambda n: (n.rpartition(".")[2], n)):
            info = tarfile.TarInfo(name)
            info.size = len(files[name])
            archive.addfile(info, io.BytesIO(files[name]))


def tolerances(name: str) -> tuple[float, float]:
    """Of predictions and of losses."""
    case = whole.WHOLE.get(name)
    return (case.near, case.near_losses) if case else (CASES[name].near, 1e-4)


def trains(name: str) -> bool:
    """Whether the losses of further steps are compared."""
    return name in whole.WHOLE or (CASES[name].head and not CASES[name].random)


def store(name: str, model: Any, folder: str) -> str:
    """Write a model as its case says, and give the path."""
    return whole.store(model, whole.WHOLE[name].way if name in whole.WHOLE else "keras", folder)


def place(name: str, files: dict[str, bytes], folder: str) -> str:
    """Put the model file of a case out of an archive into a folder, and give its path."""
    path = Path(whole.path(whole.WHOLE[name].way if name in whole.WHOLE else "keras", folder))
    path.write_bytes(files[f"{name}.keras"])
    return str(path)


def continues(name: str) -> bool:
    """Whether the file holds all of the model's training."""
    return name not in whole.WHOLE or whole.WHOLE[name].way in ("keras", "h5")


def data(name: str) -> np.ndarray:
    """The input of a case, a batch of four."""
    case = Case(lambda k: [], whole.WHOLE[name].shape) if name in whole.WHOLE else CASES[name]
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    shape = (4, *case.shape)
    if case.kind == "string":
        return rng.choice(WORDS[:3] if case.head else WORDS, shape)
    if case.kind == "image":
        return rng.integers(0, 256, shape).astype("float32")
    return rng.integers(0, 6, shape) if case.kind == "int" else rng.normal(size=shape).astype("float32")


def model(k: Any, name: str) -> Any:
    """A compiled model around the layer of a case, trained for a few steps."""
    x = data(name)
    if name in whole.WHOLE:
        out = whole.WHOLE[name].make(k)
        losses(out, x, STEPS_BEFORE)
        return out
    case = CASES[name]
    parts = case.layers(k)
    if case.adapt:
        parts[0].adapt(x)
    if not case.head:
        out = k.Sequential([k.layers.Input(case.shape, dtype="string"), *parts])
        out(_tensor(k, x))
        return out
    dtype = {"int": "int32", "string": "string"}.get(case.kind, "float32")
    # Weights between the input and the layer carry its gradient into what is compared.
    first = [k.layers.Dense(case.shape[-1])] if case.kind == "float" and not case.adapt else []
    last = [k.layers.Flatten(), k.layers.Dense(2, kernel_regularizer=k.regularizers.L2(0.01))]
    last = [k.layers.Rescaling(1 / 255), *last] if case.kind == "image" else last
    head = k.layers.Input(batch_shape=(len(x) if case.stateful else None, *case.shape), dtype=dtype)
    out = k.Sequential([head, *first, *parts, *last])
    out.compile(k.optimizers.Adam(0.01), "mse", metrics=["mae"])
    losses(out, x, STEPS_BEFORE)
    for layer in parts if case.stateful else ():
        layer.reset_states()  # no file holds states: the model that reads it begins from zeros
    return out


def _tensor(k: Any, x: np.ndarray) -> Any:
    return x if x.dtype.kind != "U" or k.__name__ == "deepkit" else __import__("tensorflow").constant(x.tolist())


def predictions(k: Any, model: Any, x: np.ndarray) -> np.ndarray:
    """What a model gives, its outputs side by side."""
    y = model(_tensor(k, x), training=False)
    parts = [y[key] for key in sorted(y)] if isinstance(y, dict) else [y]
    parts = [np.asarray(p.detach().cpu() if hasattr(p, "detach") else p, dtype="float32") for p in parts]
    return np.concatenate(parts, -1)


def losses(model: Any, x: np.ndarray, steps: int) -> list[Any]:
    """Losses and metrics of single training steps."""
    y = whole.targets(model, len(x))
    if x.dtype.kind == "U":
        module = type(model).__module__.partition(".")[0]
        x = x if module == "deepkit" else __import__("tensorflow").constant(x.tolist())
    out = []
    for _ in range(steps):
        model.reset_metrics()  # otherwise the loss is a mean over the steps so far
        logs = model.train_on_batch(x, y, return_dict=True)
        out.append([float(logs[key]) for key in sorted(logs)])
    return out

"""Whole models that are exchanged with real Keras: what a file holds besides a layer. See ``interchange_cases``."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

import numpy as np


class Whole(NamedTuple):
    """``make(k)`` is a compiled model on inputs of shape ``shape``.

    ``way`` is how it is stored: ``"keras"`` or ``"h5"`` for the whole model, ``"weights"`` for weights that a new model
    loads, ``"uncompiled"`` for a file loaded with ``compile=False`` and compiled anew. ``near`` is the tolerance.
    """

    make: Callable[[Any], Any]
    shape: tuple[int, ...] = (5,)
    way: str = "keras"
    near: float = 1e-5
    near_losses: float = 1e-4


def _compile(k: Any, model: Any, optimizer: Any = None) -> None:
    """Objects for the loss and the metrics: Keras can't read its own .h5 files that name them by strings."""
    metrics = [k.metrics.MeanAbsoluteError()]
    model.compile(optimizer or k.optimizers.Adam(0.01), loss=k.losses.MeanSquaredError(), metrics=metrics)


def _net(k: Any, optimizer: Any = None, dtype: Any = None) -> Any:
    L = k.layers
    model = k.Sequential(
        [L.Input((5,)), L.Dense(6, "relu", dtype=dtype), L.BatchNormalization(dtype=dtype), L.Dense(2, dtype=dtype)]
    )
    _compile(k, model, optimizer)
    return model


def _optimizer(name: str, **kwargs: Any) -> Callable[[Any], Any]:
    return lambda k: _net(k, getattr(k.optimizers, name)(0.01, **kwargs))


def _loss_scale(k: Any) -> Any:
    return _net(k, k.optimizers.LossScaleOptimizer(k.optimizers.Adam(0.01), initial_scale=8.0, dynamic_growth_steps=2))


def _schedule(k: Any) -> Any:
    return _net(k, k.optimizers.SGD(k.optimizers.schedules.CosineDecay(0.1, 10, warmup_steps=2, warmup_target=0.2)))


def _outputs(k: Any) -> Any:
    """Two named outputs, with dictionaries of losses, weights and metrics."""
    x = k.layers.Input((5,), name="x")
    h = k.layers.Dense(4, "tanh")(x)
    model = k.Model(x, {"a": k.layers.Dense(2, name="a")(h), "b": k.layers.Dense(1, "sigmoid", name="b")(h)})
    model.compile(
        k.optimizers.Adam(0.01),
        {"a": k.losses.MeanSquaredError(), "b": k.losses.BinaryCrossentropy(label_smoothing=0.1)},
        loss_weights={"a": 1.0, "b": 0.5},
        metrics={"a": [k.metrics.MeanAbsoluteError()], "b": [k.metrics.BinaryAccuracy(name="hit")]},
    )
    return model


def _nested(k: Any) -> Any:
    """A model in a model in a model, one of them and a layer used twice."""
    x = k.layers.Input((4,))
    inner = k.Model(x, k.layers.Dense(4, "tanh")(k.layers.Dense(4)(x)), name="inner")
    a, b = k.layers.Input((4,)), k.layers.Input((4,))
    twin = k.Model([a, b], k.layers.Subtract()([inner(a), inner(b)]), name="twin")
    shared = k.layers.Dense(4, "tanh", name="shared")
    x = k.layers.Input((5,))
    y, z = k.layers.Dense(4)(x), k.Sequential([k.layers.Dense(4, "relu"), k.layers.Dense(4)], name="tower")(x)
    model = k.Model(x, k.layers.Dense(2)(k.layers.Concatenate()([twin([y, z]), shared(y), shared(z)])))
    _compile(k, model)
    return model


def _frozen(k: Any) -> Any:
    model = _net(k)
    model.layers[0].trainable = False
    _compile(k, model)
    return model


_registered: dict[str, Any] = {}


def register(k: Any) -> Any:
    """A layer with a layer and a weight of its own, and a function, registered in either library by the same name."""
    if k.__name__ not in _registered:

        @k.saving.register_keras_serializable("exchange")
        class Scaled(k.layers.Layer):  # type: ignore[misc, name-defined]
            def __init__(self, units: int, **kwargs: Any):
                super().__init__(**kwargs)
                self.units, self.inner = units, k.layers.Dense(units)

            def build(self, input_shape: Any) -> None:
                self.inner.build(input_shape)
                self.scale = self.add_weight(shape=(self.units,), initializer="ones", name="scale")

            def call(self, x: Any) -> Any:
                return self.inner(x) * self.scale

            def get_config(self) -> dict[str, Any]:
                return {**super().get_config(), "units": self.units}

        @k.saving.register_keras_serializable("exchange")
        def doubled(x: Any) -> Any:
            return x * 2.0

        _registered[k.__name__] = Scaled, doubled
    return _registered[k.__name__]


def _custom(k: Any) -> Any:
    Scaled, doubled = register(k)
    model = k.Sequential([k.layers.Input((5,)), Scaled(4), k.layers.Activation(doubled), k.layers.Dense(2)])
    _compile(k, model)
    return model


def _lstm(k: Any) -> Any:
    L = k.layers
    model = k.Sequential([L.Input((6, 3)), L.Bidirectional(L.LSTM(3)), L.Dense(2)])
    _compile(k, model)
    return model


HALF = {"near": 4e-3, "near_losses": 4e-3}  # a rounding of float16 is up to 1e-3 of values near 1 to 2
WHOLE = {
    "Mean of the weights (use_ema)": Whole(_optimizer("Adam", use_ema=True, ema_momentum=0.9)),
    "Mean of the weights, written back": Whole(
        _optimizer("SGD", momentum=0.9, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=2)
    ),
    "Gradient accumulation": Whole(_optimizer("Adam", gradient_accumulation_steps=3)),
    "LossScaleOptimizer": Whole(_loss_scale),
    "Learning rate schedule": Whole(_schedule),
    "Clipping, decay": Whole(_optimizer("AdamW", weight_decay=0.1, clipnorm=0.5)),
    **{name: Whole(_optimizer(name)) for name in
       ("Adadelta", "Adafactor", "Adagrad", "Adamax", "Ftrl", "Lamb", "Lion", "Muon", "Nadam", "RMSprop")},
    "AMSGrad": Whole(_optimizer("Adam", amsgrad=True)),
    "Policy mixed_float16": Whole(lambda k: _net(k, dtype="mixed_float16"), **HALF),
    "Policy float64": Whole(lambda k: _net(k, dtype="float64")),
    "Two outputs, dictionaries of losses and metrics": Whole(_outputs),
    "Models in models, shared layers": Whole(_nested),
    "A frozen layer": Whole(_frozen),
    "A registered layer and function": Whole(_custom),
    "Loaded with compile=False, compiled anew": Whole(_net, way="uncompiled"),
    "Weights only": Whole(_net, way="weights"),
    "Weights only, models in models": Whole(_nested, way="weights"),
    "Weights only, Bidirectional": Whole(_lstm, (6, 3), way="weights"),
    "Legacy .h5": Whole(_net, way="h5"),
    "Legacy .h5, models in models": Whole(_nested, way="h5"),
    "Legacy .h5, Bidirectional": Whole(_lstm, (6, 3), way="h5"),
    "Legacy .h5, two outputs": Whole(_outputs, way="h5"),
}  # fmt: skip


def targets(model: Any, n: int) -> Any:
    """What a model is trained to give."""
    y = np.linspace(-1, 1, 2 * n, dtype="float32").reshape(n, 2)
    return {"a": y, "b": (y[:, :1] > 0).astype("float32")} if isinstance(getattr(model, "output", None), dict) else y


def path(way: str, folder: str) -> str:
    """The name of a model's file."""
    return f"{folder}/m." + {"weights": "weights.h5", "h5": "h5"}.get(way, "keras")


def store(model: Any, way: str, folder: str) -> str:
    """Write a model, and give the file's name."""
    file = path(way, folder)
    model.save_weights(file) if way == "weights" else model.save(file)
    return file


def read(k: Any, name: str, path: str) -> Any:
    """A compiled model from a file of either library."""
    case = WHOLE.get(name)
    register(k)
    if case is not None and case.way == "weights":
        model = case.make(k)
        model.load_weights(path)
        _compile(k, model)  # Keras leaves an unused optimizer as it is, this package gives it the file's state
        return model
    uncompiled = case is not None and case.way == "uncompiled"
    model = k.saving.load_model(path, compile=not uncompiled)
    if uncompiled:
        _compile(k, model)
    return model

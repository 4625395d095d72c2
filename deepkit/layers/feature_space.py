"""Tables of features of different kinds, turned into vectors: one description, adapted once."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from .. import ops
from ..autograd.spec import Spec
from ..autograd.tensor import Tensor
from ..registry import deserialize_keras_object, export, serialize_keras_object
from ..utils.naming import auto_name
from .category_encoding import CategoryEncoding
from .data_layer import as_data, host
from .discretization import Discretization
from .hashing import HashedCrossing, Hashing
from .index_lookup import IndexLookup
from .input_layer import Input
from .layer import Layer
from .lookup import IntegerLookup, StringLookup
from .merging import Concatenate
from .preprocessing import Normalization, Rescaling

_PRIVATE = "keras.src.layers.preprocessing.feature_space"
#: Keras adapts to the columns of a table in batches of this size, which the quantiles of a Discretization depend on.
_BATCH = 32


@export(f"{_PRIVATE}.Cross")
class Cross:
    """Features that are hashed together.

    Args:
        feature_names: Names of the features.
        crossing_dim: Number of bins.
        output_mode: ``"int"`` or ``"one_hot"``.

    Raises:
        ValueError: for another mode.
    """

    def __init__(self, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot"):
        if output_mode not in ("int", "one_hot"):
            raise ValueError(f"Cross: `output_mode` should be 'int' or 'one_hot'. Received: {output_mode!r}")
        self.feature_names, self.crossing_dim, self.output_mode = tuple(feature_names), crossing_dim, output_mode

    @property
    def name(self) -> str:
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict[str, Any]:
        return {"feature_names": self.feature_names, "crossing_dim": self.crossing_dim,
                "output_mode": self.output_mode}  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


@export(f"{_PRIVATE}.Feature")
class Feature:
    """One feature: its dtype, the layer that prepares it and the form of its output.

    Args:
        dtype: Dtype of its values.
        preprocessor: Layer.
        output_mode: ``"int"``, ``"one_hot"`` or ``"float"``.

    Raises:
        ValueError: for another mode.
    """

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str):
        if output_mode not in ("int", "one_hot", "float"):
            raise ValueError(f"Feature: `output_mode` should be 'int', 'one_hot' or 'float'. Received: {output_mode!r}")
        self.dtype, self.output_mode = dtype, output_mode
        self.preprocessor = deserialize_keras_object(preprocessor) if isinstance(preprocessor, dict) else preprocessor

    def get_config(self) -> dict[str, Any]:
        return {"dtype": self.dtype, "preprocessor": serialize_keras_object(self.preprocessor),
                "output_mode": self.output_mode}  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


@export(f"{_PRIVATE}.TFDIdentity")
class TFDIdentity(Layer):
    """Gives numbers back as they are, in the compute dtype."""

    def call(self, x: Any) -> Any:
        return ops.cast(x, self.compute_dtype)


@export("keras.utils.FeatureSpace")
class FeatureSpace(Layer):
    """Features of a table, each prepared after its kind, and joined to one vector.

    Kinds, by name or by the method of that name for other arguments: ``"float"``, ``"float_normalized"``,
    ``"float_rescaled"``, ``"float_discretized"``, ``"integer_categorical"``, ``"string_categorical"``,
    ``"integer_hashed"``, ``"string_hashed"``; :meth:`feature` takes any layer.

    Args:
        features: Kind of each feature, by its name.
        output_mode: ``"concat"`` for one vector, ``"dict"`` for each feature by its name.
        crosses: Features to hash together: tuples of names, or :meth:`cross`.
        crossing_dim: Bins of a cross.
        hashing_dim: Bins of a hashed feature.
        num_discretization_bins: Bins of a discretized feature.
        name: Name.

    Raises:
        ValueError: for no features, unknown kinds, and crosses of unknown features.

    Example:
        >>> space = FeatureSpace({"size": "float_normalized", "colour": "string_categorical"})
        >>> data = {"size": [1.0, 3.0], "colour": ["red", "blue"]}
        >>> space.adapt(data)
        >>> space(data)
        Tensor([[ 0.,  1.,  0., -1.],
               [ 0.,  0.,  1.,  1.]], dtype=float32)
    """

    @classmethod
    def cross(cls, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Features to hash together."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A feature that a layer of one's own prepares."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Numbers as they are."""
        return Feature("float32", TFDIdentity(dtype="float32", name=_name(name, "float")), "float")

    @classmethod
    def float_rescaled(cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
        """Numbers times ``scale`` plus ``offset``."""
        return Feature("float32", Rescaling(scale, offset, name=_name(name, "float_rescaled")), "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Numbers brought to mean 0 and variance 1."""
        return Feature("float32", Normalization(axis=-1, name=_name(name, "float_normalized")), "float")

    @classmethod
    def float_discretized(cls, num_bins: int | None, bin_boundaries: Any = None, output_mode: str = "one_hot",
                          name: str | None = None) -> Feature:  # fmt: skip
        """Numbers put into bins."""
        layer = Discretization(num_bins=num_bins, bin_boundaries=bin_boundaries, name=_name(name, "float_discretized"))
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot",
                            name: str | None = None) -> Feature:  # fmt: skip
        """Integers that stand for categories."""
        layer = IntegerLookup(max_tokens, num_oov_indices, name=_name(name, "integer_categorical"))
        return Feature("int32", layer, output_mode)

    @classmethod
    def string_categorical(cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot",
                           name: str | None = None) -> Feature:  # fmt: skip
        """Strings that stand for categories."""
        layer = StringLookup(max_tokens, num_oov_indices, name=_name(name, "string_categorical"))
        return Feature("string", layer, output_mode)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Strings put into bins by their hash."""
        return Feature("string", Hashing(num_bins, name=_name(name, "string_hashed")), output_mode)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Integers put into bins by their hash."""
        return Feature("int32", Hashing(num_bins, name=_name(name, "integer_hashed")), output_mode)

    def __init__(self, features: dict[str, Any], output_mode: str = "concat", crosses: Any = None,
                 crossing_dim: int = 32, hashing_dim: int = 32, num_discretization_bins: int = 32,
                 name: str | None = None):  # fmt: skip
        super().__init__(name=name)
        if not features:
            raise ValueError(f"FeatureSpace {self.name!r}: `features` can't be empty. Received: features={features!r}")
        if output_mode not in ("dict", "concat"):
            raise ValueError(f"FeatureSpace {self.name!r}: `output_mode` should be 'concat' or 'dict'. "
                             f"Received: output_mode={output_mode!r}")  # fmt: skip
        self.output_mode, self.crossing_dim, self.hashing_dim = output_mode, crossing_dim, hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.features = {name: self._feature(name, kind) for name, kind in features.items()}
        self.crosses = [self._cross(cross) for cross in crosses or ()]
        self.crosses_by_name = {cross.name: cross for cross in self.crosses}
        self.inputs = {name: Input((1,), dtype=f.dtype, name=name) for name, f in self.features.items()}
        self.preprocessors = {name: f.preprocessor for name, f in self.features.items()}
        self.crossers = {c.name: HashedCrossing(c.crossing_dim, name=c.name) for c in self.crosses}
        self.one_hot_encoders: dict[str, CategoryEncoding] = {}
        self.concat: Any = None
        self.encoded_features: Any = None
        self._is_adapted = False

    def _feature(self, name: str, kind: Any) -> Feature:
        if isinstance(kind, Feature):
            return kind
        if isinstance(kind, dict):
            return deserialize_keras_object(kind)
        arguments = {"float_discretized": (self.num_discretization_bins,), "integer_hashed": (self.hashing_dim,),
                     "string_hashed": (self.hashing_dim,)}  # fmt: skip
        plain = ("float", "float_normalized", "float_rescaled", "integer_categorical", "string_categorical")
        if kind not in (*plain, *arguments):
            raise ValueError(f"FeatureSpace {self.name!r}: feature {name!r} is of an unknown kind, {kind!r}. Kinds are "
                             f"{', '.join((*plain, *arguments))}.")  # fmt: skip
        return getattr(self, kind)(*arguments.get(kind, ()), name=name)

    def _cross(self, cross: Any) -> Cross:
        if isinstance(cross, dict):
            cross = deserialize_keras_object(cross)
        if not isinstance(cross, Cross):
            if not self.crossing_dim:
                raise ValueError(f"FeatureSpace {self.name!r}: `crosses` need a `crossing_dim`. "
                                 f"Received: crossing_dim={self.crossing_dim!r}")  # fmt: skip
            cross = Cross(cross, self.crossing_dim)
        unknown = [name for name in cross.feature_names if name not in self.features]
        if unknown:
            raise ValueError(f"FeatureSpace {self.name!r}: the cross {cross.feature_names} names {unknown}, which "
                             f"`features` lacks; it has {list(self.features)}.")  # fmt: skip
        return cross

    # -- learning ------------------------------------------------------------------------------------------------------
    def _list_adaptable_preprocessors(self) -> list[str]:
        return [name for name, layer in self.preprocessors.items() if hasattr(layer, "adapt") and not _settled(layer)]

    def adapt(self, dataset: Any) -> None:
        """Let the layers of all features learn from data.

        Args:
            dataset: A dictionary of arrays or lists by the features' names, or an iterable of such dictionaries for
                batches or for single samples.

        Raises:
            ValueError: for something else, and a feature that the data lacks.
        """
        tables: list[Any]
        if isinstance(dataset, dict):
            tables = [dataset]
        elif hasattr(dataset, "__iter__") and not isinstance(dataset, (str, bytes, np.ndarray, Tensor)):
            tables = list(dataset)
        else:
            tables = [None]
        if not all(isinstance(table, dict) for table in tables):
            raise ValueError(f"FeatureSpace {self.name!r}: adapt() takes a dictionary of arrays or lists, or "
                             f"batches of them. Received: {dataset!r} of type {type(dataset).__name__}")  # fmt: skip
        for name in self._list_adaptable_preprocessors():
            columns = [host(_column(self, table, name)) for table in tables]
            if isinstance(dataset, dict) or any(c.ndim == 0 for c in columns):
                whole = np.stack(columns) if columns[0].ndim == 0 else columns[0]
                columns = _parts(whole) if isinstance(self.preprocessors[name], Discretization) else [whole]
            self.preprocessors[name].adapt(c[:, None] if c.ndim == 1 else c for c in columns)
        self._is_adapted = True
        self.encoded_features = None
        self.one_hot_encoders = {}
        self.get_encoded_features()
        self.built = True

    def _check_adapted(self) -> None:
        if not self._is_adapted and self._list_adaptable_preprocessors():
            raise ValueError(f"FeatureSpace {self.name!r}: call adapt(data) before you use it; features "
                             f"{self._list_adaptable_preprocessors()} learn from data.")  # fmt: skip
        self._is_adapted = True

    # -- encoding ------------------------------------------------------------------------------------------------------
    def get_inputs(self) -> dict[str, Spec]:
        """Symbolic inputs by the features' names, for a functional model."""
        self.get_encoded_features()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """Symbolic outputs for the inputs of :meth:`get_inputs`."""
        self._check_adapted()
        if self.encoded_features is None:
            self.encoded_features = self._encode(self.inputs)
            self.built = True
        return self.encoded_features

    def _encode(self, features: dict[str, Any]) -> Any:
        prepared = {name: layer(features[name]) for name, layer in self.preprocessors.items()}
        crossed = {c.name: self.crossers[c.name]([prepared[n] for n in c.feature_names]) for c in self.crosses}
        encoded = {}
        for name in (*sorted(prepared), *sorted(crossed)):
            x = prepared[name] if name in prepared else crossed[name]
            one_hot = (self.features.get(name) or self.crosses_by_name[name]).output_mode == "one_hot"
            encoded[name] = self._encoder(name, x.dtype)(x) if one_hot else x
        if self.output_mode == "dict":
            return encoded
        for name, x in encoded.items():
            if str(x.dtype).startswith(("int", "string", "object")):
                raise ValueError(f"FeatureSpace {self.name!r}: feature {name!r} is of dtype {x.dtype}, which can't be "
                                 "joined with others. Encode it with output_mode='one_hot', or use "
                                 "FeatureSpace(output_mode='dict').")  # fmt: skip
        self.concat = self.concat or Concatenate(axis=-1)
        return self.concat(list(encoded.values())) if len(encoded) > 1 else next(iter(encoded.values()))

    def _encoder(self, name: str, dtype: str) -> CategoryEncoding:
        """The layer that makes vectors of category numbers."""
        if name not in self.one_hot_encoders:
            layer = self.preprocessors.get(name) or self.crossers[name]
            size = _cardinality(layer)
            if size is None or not str(dtype).startswith("int"):
                raise ValueError(f"FeatureSpace {self.name!r}: feature {name!r} has output_mode='one_hot', but its "
                                 f"layer {type(layer).__name__} gives {dtype} values of an unknown number of "
                                 "categories. Use output_mode='int' or 'float'.")  # fmt: skip
            self.one_hot_encoders[name] = CategoryEncoding(num_tokens=size, output_mode="multi_hot")
        return self.one_hot_encoders[name]

    def __call__(self, data: Any) -> Any:  # type: ignore[override]
        """Encode a dictionary of values, of batches or of a single sample."""
        if not isinstance(data, dict):
            raise ValueError(f"FeatureSpace {self.name!r} is called with a dictionary of features. "
                             f"Received: {data!r} of type {type(data).__name__}")  # fmt: skip
        self.get_encoded_features()
        columns = {name: as_data(_column(self, data, name)) for name in self.features}
        single = any(len(x.shape) == 0 for x in columns.values())
        for name, x in columns.items():
            if len(x.shape) < 2:
                columns[name] = ops.expand_dims(x, -1) if isinstance(x, (Spec, Tensor)) else (
                    x.reshape(-1, 1) if len(x.shape) else x.reshape(1, 1))  # fmt: skip
                if single and len(columns[name].shape) == 1:
                    columns[name] = ops.expand_dims(columns[name], 0)
        encoded = self._encode(columns)
        if not single:
            return encoded
        return {k: v[0] for k, v in encoded.items()} if isinstance(encoded, dict) else encoded[0]

    # -- saving --------------------------------------------------------------------------------------------------------
    def get_config(self) -> dict[str, Any]:
        return {"features": serialize_keras_object(self.features), "output_mode": self.output_mode,
                "crosses": serialize_keras_object(self.crosses), "crossing_dim": self.crossing_dim,
                "hashing_dim": self.hashing_dim, "num_discretization_bins": self.num_discretization_bins}  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def get_build_config(self) -> dict[str, Any] | None:
        return {name: layer.get_build_config() for name, layer in self.preprocessors.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the layers of the features with the shapes of :meth:`get_build_config`."""
        for name, inner in config.items():
            if not self.preprocessors[name].built and inner is not None:
                self.preprocessors[name].build_from_config(inner)
        self._is_adapted = self.built = True

    def save(self, filepath: Any) -> None:
        """Write it to a ``.keras`` file, which :func:`deepkit.saving.load_model` reads."""
        from ..saving import save_model

        save_model(self, filepath)


def _name(name: str | None, kind: str) -> str:
    return f"{name or auto_name(kind)}_preprocessor"


def _settled(layer: Any) -> bool:
    """Whether an adaptable layer was given what it would learn."""
    if isinstance(layer, Normalization):
        return layer.input_mean is not None
    if isinstance(layer, Discretization):
        return layer.num_bins is None
    return bool(getattr(getattr(layer, "_lookup_layer", layer), "_has_input_vocabulary", False))


def _cardinality(layer: Any) -> int | None:
    if isinstance(layer, IndexLookup):
        return layer.vocabulary_size()
    if isinstance(layer, Discretization):
        return layer.num_bins or len(layer.bin_boundaries or ()) + 1
    return getattr(layer, "num_tokens", None) or getattr(layer, "num_bins", None)


def _column(space: FeatureSpace, table: dict[str, Any], name: str) -> Any:
    if name not in table:
        raise ValueError(f"FeatureSpace {space.name!r}: the data lacks feature {name!r}; it has {list(table)}.")
    return table[name]


def _parts(column: np.ndarray) -> list[np.ndarray]:
    return [column[i : i + _BATCH] for i in range(0, len(column), _BATCH)]

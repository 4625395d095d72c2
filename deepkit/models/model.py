"""The base of all models: a layer that can be compiled, trained, summarised and saved."""

from __future__ import annotations

from typing import Any

from ..autograd.spec import Spec
from ..layers.layer import Layer
from ..registry import export
from ..training.trainer import Trainer
from ..utils.nest import flatten


@export("keras.Model", "keras.models.Model", "keras.engine.training.Model")
class Model(Trainer, Layer):
    """A model: a layer with ``compile``, ``fit``, ``evaluate`` and ``predict``.

    It is made in one of two ways: ``Model(inputs, outputs)`` from symbolic tensors, or by subclassing, with layers made
    in ``__init__`` and used in ``call``.

    Args:
        inputs: Symbolic tensor, or a list or dictionary of them.
        outputs: The same.
        name: Name.

    Example:
        >>> import deepkit
        >>> class Net(deepkit.Model):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.dense = deepkit.layers.Dense(1, kernel_initializer="ones")
        ...     def call(self, x):
        ...         return self.dense(x)
        >>> Net()([[1.0, 2.0]])
        Tensor([[3.]], dtype=float32)
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if _is_functional_call(args, kwargs) and not _is_functional(cls):
            from .functional import Functional

            if cls is Model:
                return Functional.__new__(Functional, *args, **kwargs)
            return _functional_subclass(cls).__new__(cls, *args, **kwargs)
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any):
        Trainer.__init__(self)
        if _is_functional_call(args, kwargs):
            from .functional import Functional

            # A subclass that calls super().__init__(inputs=..., outputs=...) becomes functional here.
            if not isinstance(self, Functional):
                self.__class__ = _functional_subclass(type(self))
            Functional.__init__(self, *args, **kwargs)  # type: ignore[arg-type]
            return
        Layer.__init__(self, *args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            f"Model {type(self).__name__} has no call() method. Define one, or make the model from symbolic tensors: "
            "Model(inputs, outputs)."
        )

    @property
    def layers(self) -> list[Layer]:
        """The layers right below the model."""
        return self._layers

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by name or by its place in :attr:`layers`.

        Raises:
            ValueError: if there is none, or neither or both are given.
        """
        if (name is None) == (index is None):
            raise ValueError("get_layer takes either a name or an index.")
        layers = self.layers
        if index is not None:
            if index >= len(layers):
                raise ValueError(f"Layer {index} was asked for, but model {self.name!r} has only {len(layers)}.")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(f"Model {self.name!r} has no layer {name!r}. It has {[layer.name for layer in layers]}.")

    def _maybe_build(self, args: Any, kwargs: Any) -> None:
        if not self.built and getattr(type(self).build, "__wrapped__", None) is Model.build.__wrapped__:  # type: ignore[attr-defined]
            # No build() of its own: the layers build themselves when `call` reaches them.
            shape = getattr(args[0], "shape", None) if args else None
            self._build_shapes = None if shape is None else tuple(shape)
            self.built = True
            return
        super()._maybe_build(args, kwargs)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights of a subclassed model by running it on symbolic inputs of this shape.

        Raises:
            ValueError: if ``call`` can't run on symbolic tensors.
        """
        if input_shape is None:
            self.built = True
            return
        from ..layers.layer import _ShapeNest
        from .symbolic import run_symbolically

        specs = _ShapeNest.to_specs(input_shape, self.compute_dtype)
        if type(self).call is not Model.call:
            run_symbolically(self, specs)
        self.built = True

    def build_from_config(self, config: dict[str, Any]) -> None:
        shape = (config or {}).get("input_shape")
        if shape is not None and not self.built:
            from ..layers.layer import _tuples

            self.build(_tuples(shape))

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print a table of the layers with their output shapes and parameter counts.

        Args:
            line_length: Width of the table.
            positions: Accepted for compatibility.
            print_fn: Called with the text instead of ``print``.
            expand_nested: Show the layers of nested models too.
            show_trainable: Show whether each layer is trained.
            layer_range: First and last layer to show, by name.
        """
        from ..utils.summary import summary_text

        text = summary_text(self, line_length, expand_nested, show_trainable, layer_range)
        (print_fn or print)(text)

    def get_config(self) -> dict[str, Any]:
        return Layer.get_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        from .functional import Functional

        if cls is Model and "layers" in config:
            return Functional.from_config(config, custom_objects)
        config = {k: v for k, v in config.items() if not (k == "dtype" and cls.__init__ is not Model.__init__)}
        return super().from_config(config)

    def to_json(self, **kwargs: Any) -> str:
        """The model's architecture as JSON; :func:`deepkit.models.model_from_json` reads it."""
        import json

        from ..registry import serialize_keras_object

        return json.dumps(serialize_keras_object(self), **kwargs)

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Write the model to a ``.keras`` file; see :func:`deepkit.saving.save_model`."""
        from .. import saving

        saving.save_model(self, filepath, overwrite, zipped, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None) -> None:
        """Write the weights to a ``.weights.h5`` or ``.safetensors`` file; see :func:`deepkit.saving.save_weights`."""
        from .. import saving

        saving.save_weights(self, filepath, overwrite, max_shard_size)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Read the weights from a file of any format; see :func:`deepkit.saving.load_weights`."""
        from .. import saving

        saving.load_weights(self, filepath, skip_mismatch, **kwargs)

    def export(self, filepath: Any, format: str = "onnx", verbose: Any = None, input_signature: Any = None,
               **kwargs: Any) -> None:  # fmt: skip
        """Write the model's inference for another runtime.

        Args:
            filepath: File to write, atomically.
            format: ``"onnx"``; the formats of other frameworks need these.
            verbose: Print where the file is.
            input_signature: Symbolic inputs, where they should differ from those that the model was built with.

        Raises:
            ImportError: without the ``onnx`` package (``pip install 'deepkit[onnx]'``).
            ValueError: for another format, a model that isn't built, or an op that ONNX can't express.
        """
        if format != "onnx" or kwargs:
            raise ValueError(f"export: `format` should be 'onnx', without options. Received: {format!r}, {kwargs}")
        from ..saving.onnx import export_onnx

        export_onnx(self, filepath, input_signature)
        if verbose:
            print(f"Saved as ONNX at {filepath}")

    def reset_states(self) -> None:
        """Reset the states of stateful layers."""
        for layer in self._flatten_layers(include_self=False):
            for method in ("reset_state", "reset_states"):
                if hasattr(layer, method) and not isinstance(layer, Model):
                    getattr(layer, method)()
                    break


def _is_functional_call(args: tuple, kwargs: dict) -> bool:
    if "inputs" in kwargs and "outputs" in kwargs:
        return True
    if len(args) >= 2 or (len(args) == 1 and "outputs" in kwargs):
        leaves = flatten(args[:2])
        return bool(leaves) and all(isinstance(x, Spec) for x in leaves)
    return False


def _is_functional(cls: type) -> bool:
    from .functional import Functional

    return issubclass(cls, Functional)


_subclasses: dict[type, type] = {}


def _functional_subclass(cls: type) -> type:
    """``cls`` with :class:`Functional` behind it, for subclasses that are made from symbolic tensors."""
    from .functional import Functional

    if cls not in _subclasses:
        made = type(cls.__name__, (cls, Functional), {"__module__": cls.__module__, "__qualname__": cls.__qualname__})
        # Model.call only says that there is none; Functional's runs the graph.
        if cls.call is Model.call:
            made.call = Functional.call  # type: ignore[attr-defined]
        _subclasses[cls] = made
    return _subclasses[cls]

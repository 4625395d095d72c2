"""Sequential models: layers one after another."""

from __future__ import annotations

from typing import Any, Sequence

from ..autograd.op import to_tensor
from ..autograd.spec import Spec
from ..autograd.tape import shapes_only
from ..autograd.tensor import Tensor
from ..layers.input_layer import InputLayer
from ..layers.layer import Layer
from ..registry import MAX_LAYERS, deserialize_keras_object, export, serialize_keras_object
from ..utils.nest import map_nest
from .functional import Functional
from .fusion import fused
from .model import Model


@export("keras.Sequential", "keras.models.Sequential")
class Sequential(Model):
    """A stack of layers, each with one input and one output.

    Args:
        layers: Layers, in order; an ``Input`` may come first. Without, the model is built on its first call.
        trainable: Whether it is trained.
        name: Name.

    Raises:
        ValueError: if two layers share a name.

    Example:
        >>> import deepkit
        >>> model = deepkit.Sequential([deepkit.Input((3,)), deepkit.layers.Dense(2), deepkit.layers.Dense(1)])
        >>> model.output_shape, model.count_params()
        ((None, 1), 11)
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(
        self,
        layers: Sequence[Any] | None = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        Model.__init__(self, trainable=trainable, name=name, **kwargs)
        self._stack: list[Layer] = []
        self._chain: Functional | None = None
        for layer in layers or ():
            self._append(layer)
        self._rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Append a layer.

        Raises:
            ValueError: if it isn't a layer, its name is taken, or it is a second input.
        """
        self._append(layer)
        if rebuild:
            self._rebuild()

    def _append(self, layer: Any) -> None:
        if isinstance(layer, Spec) and layer.node is not None and isinstance(layer.node.operation, InputLayer):
            layer = layer.node.operation
        if not isinstance(layer, Layer):
            if callable(layer) and not isinstance(layer, type):
                from ..layers.core import Lambda

                layer = Lambda(layer)
            else:
                raise ValueError(
                    f"Sequential holds layers; received {layer!r}"
                    + (f": did you mean {layer.__name__}()?" if isinstance(layer, type) else ".")
                )
        if any(other.name == layer.name for other in self._stack):
            raise ValueError(
                f"Two layers of model {self.name!r} are named {layer.name!r}. Names must be unique: give one of them "
                "another `name`."
            )
        if isinstance(layer, InputLayer) and self._stack:
            raise ValueError(f"Model {self.name!r} already has layers; an Input can only come first.")
        shape = getattr(layer, "_input_shape_arg", None)
        if shape is not None and not self._stack:
            dtype = "float32" if layer.compute_dtype.startswith("float") else layer.compute_dtype
            self._stack.append(InputLayer(batch_shape=shape, dtype=dtype))
        self._stack.append(layer)

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove the last layer and return it."""
        layer = self._stack.pop()
        if rebuild:
            self._rebuild()
        return layer

    def _rebuild(self) -> None:
        self._chain, self.built, self._ready = None, False, False
        self._steps: list[Any] = []
        self.train_function = self.test_function = self.predict_function = self._predicted = None
        if len(self._stack) > 1 and isinstance(self._stack[0], InputLayer):
            self.build(self._stack[0].batch_shape)
        elif self._stack and isinstance(self._stack[0], Model) and self._stack[0].built:
            shape = getattr(self._stack[0], "input_shape", None)
            if isinstance(shape, tuple):
                self.build(shape)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of this shape (batch dimension included)."""
        from ..layers.context import context
        from ..layers.layer import _ShapeNest

        if not self._stack:
            raise ValueError(f"Sequential model {self.name!r} has no layers: add() one first.")
        if input_shape is None:
            if not isinstance(self._stack[0], InputLayer):
                raise ValueError(
                    f"Model {self.name!r}: build() needs the shape of the inputs, as no Input comes first."
                )
            input_shape = self._stack[0].batch_shape
        if isinstance(self._stack[0], InputLayer):
            entrance: Any = self._stack[0].output
            if tuple(entrance.shape[1:]) != tuple(input_shape[1:]):
                raise ValueError(f"Model {self.name!r} has an Input of shape {entrance.shape}, it can't be built for "
                                 f"{input_shape}.")  # fmt: skip
        elif _ShapeNest.is_shape(input_shape):
            entrance = InputLayer(batch_shape=(None, *input_shape[1:]), dtype=self._entrance_dtype()).output
        else:
            entrance = map_nest(lambda s: s, _ShapeNest.to_specs(input_shape, self.compute_dtype))
        x = entrance
        before = context.path
        context.path = tuple(self.path.split("/"))
        try:
            with shapes_only(False):
                for layer in self._stack:
                    if not isinstance(layer, InputLayer):
                        x = layer(x)
        except NotImplementedError:
            return  # a layer that can't run symbolically is built on the first call with data
        finally:
            context.path = before
        if isinstance(entrance, Spec) and isinstance(x, Spec) and x is not entrance:
            self._chain = Functional(entrance, x, name=self.name)
        self._steps = fused(self._running_layers)
        self._build_shapes = tuple(input_shape) if _ShapeNest.is_shape(input_shape) else input_shape
        self.built = True

    def _entrance_dtype(self) -> str:
        from ..layers.core import Embedding

        default = "int32" if isinstance(self._stack[0], Embedding) else self.compute_dtype
        return getattr(self._stack[0], "entrance_dtype", None) or default

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        x = inputs
        if isinstance(x, (Tensor, Spec)) and self._chain is not None:
            x = self._chain._fit(x, self._chain._inputs[0])
        elif isinstance(x, (list, tuple, dict)) and self._chain is not None:
            x = self._chain._standardize(x)[0]
        elif not isinstance(x, Spec) and hasattr(x, "dtype") and getattr(x.dtype, "kind", "f") not in "OUST":
            x = to_tensor(x)
        if mask is not None:
            x._keras_mask = mask
        for layer in self._steps or self._running_layers:
            x = layer(x)
        return x

    @property
    def _running_layers(self) -> list[Layer]:
        return self._stack[1:] if self._stack and isinstance(self._stack[0], InputLayer) else self._stack

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        return list(self._running_layers)

    @property
    def _layers(self) -> list[Layer]:
        return list(self._stack)

    def _symbolic(self) -> Functional:
        if self._chain is None:
            raise AttributeError(
                f"Sequential model {self.name!r} has no defined input yet: give it an Input, or call it."
            )
        return self._chain

    @property
    def inputs(self) -> Any:
        return self._chain.inputs if self._chain is not None else None

    @property
    def outputs(self) -> Any:
        return self._chain.outputs if self._chain is not None else None

    @property
    def input(self) -> Any:
        return self._symbolic().input

    @property
    def output(self) -> Any:
        return self._symbolic().output

    @property
    def input_shape(self) -> Any:
        return self._symbolic().input_shape

    @property
    def output_shape(self) -> Any:
        return self._symbolic().output_shape

    @property
    def input_names(self) -> list[str]:
        return self._symbolic().input_names

    @property
    def output_names(self) -> list[str]:
        return [self._stack[-1].name]

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
            "layers": [serialize_keras_object(layer) for layer in self._stack],
        }
        if self._build_shapes is not None:
            config["build_input_shape"] = self._build_shapes
        return config

    @classmethod
    def from_config(cls, config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
        if isinstance(config, list):  # the oldest form: just the layers
            config = {"layers": config}
        if not isinstance(config.get("layers"), list) or len(config["layers"]) > MAX_LAYERS:
            raise ValueError(f"The configuration of a Sequential model holds a list of at most {MAX_LAYERS} layers.")
        model = cls(name=config.get("name"), dtype=config.get("dtype"))
        for entry in config["layers"]:
            model.add(deserialize_keras_object(entry, custom_objects), rebuild=False)
        model._rebuild()
        shape = config.get("build_input_shape")
        if not model.built and shape is not None:
            model.build(tuple(shape))
        if not config.get("trainable", True):
            model.trainable = False
        return model

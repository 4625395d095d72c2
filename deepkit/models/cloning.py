"""``clone_model``: the same architecture with layers and weights of its own."""

from __future__ import annotations

import warnings
from typing import Any, Callable

from ..autograd.spec import is_keras_tensor
from ..layers.input_layer import InputLayer
from ..registry import deserialize_keras_object, serialize_keras_object
from ..utils.nest import flatten
from .functional import Functional
from .model import Model
from .sequential import Sequential


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Any], Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """A model of the same architecture with layers and weights of its own, compiled as the model is.

    Args:
        model: Functional or sequential model, or one with a configuration.
        input_tensors: Symbolic tensors to start from; new inputs by default.
        clone_function: Called with each layer, gives the layer of the clone; by default one of the same configuration.
        call_function: Called with each layer of a functional clone and the arguments of its call, gives the outputs;
            by default it calls the layer.
        recursive: Whether both functions are for the layers of models in the model too, not for these models.

    Raises:
        ValueError: for functions and inputs that don't go with the kind of model.

    Example:
        >>> import deepkit
        >>> model = deepkit.Sequential([deepkit.Input((3,)), deepkit.layers.Dense(2)])
        >>> clone_model(model).layers[0].units
        2
    """
    cloned: dict[int, Any] = kwargs.pop("cache", None) or {}
    if kwargs:
        raise ValueError(f"clone_model: unknown arguments {', '.join(kwargs)}.")
    if not isinstance(model, Model):
        raise ValueError(f"clone_model takes a model. Received: {model!r}")

    def clone(layer: Any) -> Any:
        if id(layer) not in cloned:
            if recursive and isinstance(layer, (Sequential, Functional)):
                inner_call = None if isinstance(layer, Sequential) else call_function
                made = clone_model(layer, None, clone_function, inner_call, True, cache=cloned)
            else:
                made = clone_function(layer) if clone_function else type(layer).from_config(layer.get_config())
            cloned[id(layer)] = made
        return cloned[id(layer)]

    if isinstance(model, Sequential):
        if call_function is not None:
            raise ValueError("clone_model: `call_function` goes with functional models, not sequential ones.")
        out: Any = _clone_sequential(model, clone, input_tensors)
    elif isinstance(model, Functional) and (
        type(model).get_config is Functional.get_config or clone_function or input_tensors is not None
    ):
        _check_inputs(input_tensors, model.inputs)
        layers = {layer.name: clone(layer) for layer in model.layers if not isinstance(layer, InputLayer)}
        out = model.rewire(layers, input_tensors, call_function)
    else:
        for name, value in (("clone_function", clone_function), ("input_tensors", input_tensors),
                            ("call_function", call_function)):  # fmt: skip
            if value is not None:
                raise ValueError(f"clone_model: `{name}` goes with functional and sequential models, not {model!r}.")
        config = serialize_keras_object(model)
        return deserialize_keras_object(config, custom_objects={type(model).__name__: type(model)})
    if model.compiled:
        _compile_like(out, model)
    return out


def _clone_sequential(model: Sequential, clone: Callable[[Any], Any], input_tensors: Any) -> Sequential:
    layers = [clone(layer) for layer in model.layers]
    tensors = flatten(input_tensors) if input_tensors is not None else []
    first = model._stack[0] if model._stack else None
    if input_tensors is not None:
        if len(tensors) != 1:
            raise ValueError(f"clone_model: a sequential model has one input; received {len(tensors)}.")
        _check_inputs(tensors, tensors)
        name = first.name if isinstance(first, InputLayer) else None
        layers.insert(0, InputLayer(input_tensor=tensors[0], name=name))
    elif isinstance(first, InputLayer):
        layers.insert(0, type(first).from_config(first.get_config()))
    return Sequential(layers, name=model.name, trainable=model.trainable)


def _check_inputs(tensors: Any, inputs: list[Any]) -> None:
    if tensors is None:
        return
    leaves = flatten(tensors)
    if not all(map(is_keras_tensor, leaves)):
        raise ValueError(f"clone_model: `input_tensors` should be symbolic tensors, as Input() gives. Received: "
                         f"{tensors!r}")  # fmt: skip
    if len(leaves) != len(inputs):
        raise ValueError(f"clone_model: the model has {len(inputs)} inputs; received {len(leaves)} `input_tensors`.")


def _compile_like(clone: Any, model: Any) -> None:
    try:
        clone.compile_from_config(model.get_compile_config())
    except (TypeError, ValueError) as error:
        warnings.warn(f"The clone of {model.name!r} is not compiled, as its compile() can't be repeated: {error}",
                      stacklevel=3)  # fmt: skip


__all__ = ["clone_model"]

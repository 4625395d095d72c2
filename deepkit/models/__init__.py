"""Models."""

from .functional import Functional
from .model import Model
from .sequential import Sequential


def model_from_json(json_string, custom_objects=None):
    """The model whose architecture ``Model.to_json`` wrote; its weights are new."""
    import json

    from ..registry import deserialize_keras_object

    return deserialize_keras_object(json.loads(json_string), custom_objects=custom_objects)


def model_from_config(config, custom_objects=None):
    """The model that a serialized configuration describes."""
    from ..registry import deserialize_keras_object

    return deserialize_keras_object(config, custom_objects=custom_objects)


def clone_model(model, input_tensors=None, clone_function=None, **kwargs):
    """A model of the same architecture with layers and weights of its own.

    Args:
        model: Functional or sequential model.
        clone_function: Called with each layer, gives the layer of the clone; by default one of the same configuration.

    Raises:
        ValueError: for a subclassed model without a configuration.
    """
    from ..layers.input_layer import InputLayer
    from ..registry import serialize_keras_object

    if clone_function is None:
        return type(model).from_config(model.get_config())
    if isinstance(model, Sequential):
        return Sequential(
            [x if isinstance(x, InputLayer) else clone_function(x) for x in model._stack], name=model.name
        )
    if not isinstance(model, Functional):
        raise ValueError("clone_model with a clone_function takes functional and sequential models.")
    clones = {layer.name: layer if isinstance(layer, InputLayer) else clone_function(layer) for layer in model.layers}
    return model.rewire(clones, input_tensors)


def __getattr__(name):
    # Saving is above models in the order of imports, and reads files with packages that few programs need.
    if name in ("load_model", "save_model"):
        from .. import saving

        return getattr(saving, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

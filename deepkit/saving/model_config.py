"""The one way from a configuration in a file to a model."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import Any, Iterator

from .. import registry
from ..layers.layer import Layer
from ..utils.allowance import allowance

_ADVICE = " If you trust the file, pass safe_mode=False."


@contextmanager
def guarded(safe_mode: Any, where: str, size: int) -> Iterator[None]:
    """Inside the block, what is made from a file of ``size`` bytes names no further files and stays in proportion.

    Nothing but ``safe_mode=False``, here or for the whole program, lifts that.

    Raises:
        ValueError: with the file's name, for what the block raises when its data is malformed.
    """
    trusted = safe_mode is False or not registry.in_safe_mode()
    try:
        with registry.safe_mode_scope(not trusted), nullcontext() if trusted else allowance(size, where, _ADVICE):
            yield
    except ValueError as error:
        raise ValueError(str(error) if where in str(error) else f"{where}: {error}") from error
    except registry.MALFORMED as error:
        raise ValueError(f"{where} is malformed: {type(error).__name__}: {error}") from error


def make_model(config: dict[str, Any], custom_objects: Any, safe_mode: Any, where: str, size: int) -> Any:
    """The model that the configuration in a file describes, with new weights.

    Args:
        config: The configuration.
        custom_objects: Further classes and functions by name.
        safe_mode: Unless it is ``False``, the configuration can't name further files, nor ask for more memory than
            goes with a file of this size.
        where: The file's name.
        size: The file's bytes.

    Raises:
        ValueError: if it is malformed, names unknown classes, or describes no model.
    """
    with guarded(safe_mode, where, size):
        model = registry.deserialize_keras_object(config, custom_objects, safe_mode)
    if not isinstance(model, Layer) or not hasattr(model, "save"):  # a model, or a FeatureSpace
        raise ValueError(f"{where}: the configuration describes a {type(model).__name__}, no model.")
    return model

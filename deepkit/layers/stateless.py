"""Calling a layer as a pure function of its variables."""

from __future__ import annotations

from typing import Any

from ..autograd.scopes import StatelessScope


def stateless_call(
    layer: Any, trainable: Any, non_trainable: Any, args: tuple, kwargs: dict[str, Any], return_losses: bool
) -> Any:
    """What :meth:`Layer.stateless_call` gives.

    Raises:
        ValueError: before the layer is built, or for another number of values.
    """
    if not layer.built:
        raise ValueError(f"Layer {layer.name!r} is not built: build it, or call it on data, before stateless_call().")
    mapping: list[tuple[Any, Any]] = []
    for name, given in (("trainable_variables", trainable), ("non_trainable_variables", non_trainable)):
        own, values = getattr(layer, name), list(given)
        if len(own) != len(values):
            raise ValueError(f"Layer {layer.name!r} has {len(own)} {name}; received {len(values)} values.")
        mapping += zip(own, values)
    with StatelessScope(mapping) as scope:
        outputs = layer(*args, **kwargs)
        losses = layer.losses if return_losses else None
    after = [scope.get_current_value(v) for v in layer.non_trainable_variables]
    return (outputs, after, losses) if return_losses else (outputs, after)


__all__ = ["stateless_call"]

"""Scopes in which layers are made that compute their inner values twice rather than keep them."""

from __future__ import annotations

import functools
import math
from typing import Any, Callable, Sequence

from ..autograd.op import spec_of
from ..autograd.remat import remat
from ..autograd.tape import paused, shapes_only
from ..autograd.tensor import Tensor
from ..utils.nest import flatten, map_nest
from .context import context

_MODES = ("full", "activations", "larger_than", "list_of_layers", None)


class RematScope:
    """Context in which layers are made that are rematerialized, as by :func:`deepkit.remat`, when they are called.

    Args:
        mode: ``"full"`` for all layers, ``"activations"`` for the activation functions of layers that have one,
            ``"larger_than"`` for layers whose output has more than ``output_size_threshold`` elements,
            ``"list_of_layers"`` for those in ``layer_names``, and ``None`` for none.
        output_size_threshold: Number of elements.
        layer_names: Names of layers.

    Raises:
        ValueError: for another mode.

    Example:
        >>> import deepkit
        >>> with RematScope(mode="full"):
        ...     block = deepkit.Sequential([deepkit.layers.Dense(8, "relu"), deepkit.layers.Dense(1)])
    """

    def __init__(
        self, mode: str | None = "full", output_size_threshold: int = 1024, layer_names: Sequence[str] | None = None
    ):
        if mode not in _MODES:
            raise ValueError(f"RematScope: `mode` should be one of {_MODES}. Received: mode={mode!r}")
        self.mode, self.output_size_threshold = mode, output_size_threshold
        self.layer_names = tuple(layer_names or ())

    def __enter__(self) -> RematScope:
        context.remat = (*context.remat, self)
        return self

    def __exit__(self, *exc: Any) -> None:
        context.remat = context.remat[:-1]

    def applied(self, layer: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Callable[..., Any]:
        """The layer's ``call``, rematerialized if the scope says so for these arguments."""
        chosen = self.mode == "full" or (self.mode == "list_of_layers" and layer.name in self.layer_names)
        if self.mode == "larger_than":
            chosen = _output_size(layer, args, kwargs) > self.output_size_threshold
        if chosen:
            return remat(layer.call)
        if self.mode == "activations" and getattr(layer, "activation", None) is not None:
            return functools.partial(_with_remat_activation, layer)
        return layer.call


def current_remat_scope() -> RematScope | None:
    """The innermost scope that is open, or ``None`` if there is none or it has no mode."""
    scope = context.remat[-1] if context.remat else None
    return scope if scope is not None and scope.mode is not None else None


def _output_size(layer: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    symbolic = lambda x: spec_of(x) if isinstance(x, Tensor) else x
    with paused(), shapes_only():
        y = layer.compute_output_spec(*map_nest(symbolic, tuple(args)), **map_nest(symbolic, kwargs))
    return sum(math.prod(n or 1 for n in part.shape) for part in flatten(y))


def _with_remat_activation(layer: Any, *args: Any, **kwargs: Any) -> Any:
    activation = layer.activation
    layer.activation = remat(activation)
    try:
        return layer.call(*args, **kwargs)
    finally:
        layer.activation = activation


__all__ = ["RematScope", "current_remat_scope"]

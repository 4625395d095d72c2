"""Loading without a second copy of the weights.

Weights that turn out not to fit have to leave a model as it was, which takes a copy of the old values. Where all that
can be wrong has been looked at before the first value is read, none is needed.
"""

from __future__ import annotations

from typing import Any, Iterable

from ..layers.layer import Layer
from ..metrics.metric import Metric
from ..optimizers.optimizer import Optimizer
from ..random import SeedGenerator
from .weights import Arrays, Source, own_state, walk

_OWN = tuple(kind.load_own_variables for kind in (Layer, Metric, Optimizer, SeedGenerator))


def assignments(model: Any, source: Source, skip: Iterable[Any] = ()) -> list[tuple[Any, Arrays, str]] | None:
    """Every variable of a model with its place in the source, if nothing can go wrong any more.

    Returns:
        ``None`` if something is missing, malformed, of another shape, read by a class in its own way, or stored in such
        a way that only reading it tells whether it is sound.
    """
    try:
        return _assignments(model, source, skip)
    except ValueError:  # which the other way finds, too, and explains
        return None


def _assignments(model: Any, source: Source, skip: Iterable[Any] = ()) -> list[tuple[Any, Arrays, str]] | None:
    found: list[tuple[Any, Arrays, str]] = []
    for path, obj in walk(model, seen={id(o) for o in skip}):
        if not hasattr(obj, "load_own_variables"):
            continue
        store, variables = source.get(path), own_state(obj)
        if store is None:
            if variables and not isinstance(obj, (Optimizer, SeedGenerator, Metric)):
                return None
            continue
        if not store and not variables:
            continue
        if type(obj).load_own_variables not in _OWN or set(store) != {str(i) for i in range(len(variables))}:
            return None
        for i, v in enumerate(variables):
            if store.sound_shape(str(i)) != tuple(v.shape):
                return None
            found.append((v, store, str(i)))
    source.check()
    return found

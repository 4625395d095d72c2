"""Running a model on symbolic tensors to build it."""

from __future__ import annotations

from typing import Any

from ..autograd.tape import paused, shapes_only
from ..layers.context import context
from ..utils.nest import flatten


def run_symbolically(model: Any, specs: Any) -> Any:
    """Outputs of ``model.call`` on symbolic inputs; builds every layer on the way.

    Raises:
        ValueError: if ``call`` needs values.
    """
    before = context.path
    context.depth += 1
    context.path = (*context.path, model.name)
    try:
        with paused(), shapes_only():
            return model.call(specs)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Model {model.name!r} can't be built from input shape {[tuple(x.shape) for x in flatten(specs)]} alone: "
            f"{error}. Call it on data instead."
        ) from error
    finally:
        context.depth -= 1
        context.path = before

"""Running a model on symbolic tensors to build it."""

from __future__ import annotations

from typing import Any

from ..autograd.spec import Spec
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


def get_source_inputs(tensor: Any) -> list[Spec]:
    """The symbolic tensors, without a call behind them, from which a symbolic tensor is computed.

    Args:
        tensor: Symbolic tensor, as an op or a layer gave it.

    Returns:
        The inputs, each once, in the order in which they are met.

    Raises:
        TypeError: for something that is no symbolic tensor.

    Example:
        >>> import deepkit
        >>> a, b = deepkit.Input((2,)), deepkit.Input((2,))
        >>> get_source_inputs(deepkit.layers.Add()([a, b])) == [a, b]
        True
    """
    if not isinstance(tensor, Spec):
        raise TypeError(f"get_source_inputs takes a symbolic tensor, as Input() gives. Received: {tensor!r}")
    found: list[Spec] = []
    seen: set[int] = set()
    stack = [tensor]
    while stack:
        x = stack.pop()
        if id(x) in seen:
            continue
        seen.add(id(x))
        node = x.node
        before = [] if node is None else [y for y in flatten((node.args, node.kwargs)) if isinstance(y, Spec)]
        if before:
            stack += reversed(before)
        else:
            found.append(x)
    return found

"""Several cells as one."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..registry import export, serialize_keras_object
from .layer import Layer


@export("keras.layers.StackedRNNCells")
class StackedRNNCells(Layer):
    """Cells on top of each other: each one's output is the next one's input.

    The states are a list with the states of each cell.

    Args:
        cells: The cells, from the input to the output.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if a cell lacks ``call`` or ``state_size``.

    Example:
        >>> import deepkit
        >>> stack = deepkit.layers.StackedRNNCells([deepkit.layers.LSTMCell(4), deepkit.layers.GRUCell(2)])
        >>> stack.state_size, stack.output_size
        ([[4, 4], 2], 2)
    """

    def __init__(self, cells: Any, **kwargs: Any):
        super().__init__(**kwargs)
        for cell in cells:
            for wanted in ("call", "state_size"):
                if not hasattr(cell, wanted):
                    raise ValueError(f"StackedRNNCells: each cell should have `{wanted}`. Received: {cell!r}")
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        last = self.cells[-1]
        if getattr(last, "output_size", None) is not None:
            return last.output_size
        return last.state_size[0] if isinstance(last.state_size, (list, tuple)) else last.state_size

    @property
    def fused(self) -> bool:
        """Whether each cell can run over a whole sequence by itself."""
        return all(getattr(cell, "fused", False) for cell in self.cells)

    def build(self, input_shape: Any) -> None:
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
                cell.built = True
            size = getattr(cell, "output_size", None)
            if size is None:
                size = cell.state_size[0] if isinstance(cell.state_size, (list, tuple)) else cell.state_size
            input_shape = (input_shape[0], *(size if isinstance(size, (list, tuple)) else (size,)))

    def call(self, inputs: Any, states: Any, training: Any = False, **kwargs: Any) -> Any:
        news = []
        for cell, state in zip(self.cells, states):
            if isinstance(cell, Layer) and cell._signature.training:
                kwargs["training"] = training
            else:
                kwargs.pop("training", None)
            inputs, new = cell(inputs, state, **kwargs)
            news.append(new)
        return inputs, news

    def sequence(self, x: Any, states: Any, mask: Any, training: Any, reverse: bool) -> tuple[Any, list[Any]]:
        """All steps, cell by cell: the outputs of the last one, and the last states of each."""
        news: list[Any] = []
        for i, (cell, state) in enumerate(zip(self.cells, states)):
            nested = isinstance(cell.state_size, (list, tuple))
            x, new = cell.sequence(x, state if nested else [state], mask, training, reverse)
            news.append(new if nested else new[0])
            if (
                reverse and i == 0
            ):  # the outputs come in the order of the steps, and so does the mask from here on
                reverse, mask = False, None if mask is None else ops.flip(mask, 1)
        return x, news

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """The first states of each cell."""
        found = []
        for cell in self.cells:
            if hasattr(cell, "get_initial_state"):
                state = cell.get_initial_state(batch_size=batch_size)
            else:
                sizes = cell.state_size if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]
                state = [
                    ops.zeros((batch_size, n), dtype=getattr(cell, "compute_dtype", None)) for n in sizes
                ]
            nested = isinstance(cell.state_size, (list, tuple))
            found.append(list(state) if nested else state[0] if isinstance(state, (list, tuple)) else state)
        return found

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cells": [serialize_keras_object(cell) for cell in self.cells]}

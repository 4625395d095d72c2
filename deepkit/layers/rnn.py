"""Recurrent layers: a cell over the steps of a sequence."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..autograd.spec import Spec
from ..autograd.tape import paused
from ..autograd.variable import Variable
from ..ops.recurrent import through_time
from ..registry import export, serialize_keras_object
from ..utils.nest import flatten, map_nest
from .context import context
from .layer import Layer
from .recurrent_cell import DropoutCell
from .stacked_rnn_cells import StackedRNNCells


@export("keras.layers.RNN")
class RNN(Layer):
    """Runs a cell over the steps of its input (batch, steps, ...).

    deepkit's own cells, and stacks of them, run as one op over the whole sequence; any other cell is called step by
    step.

    Args:
        cell: A layer with ``call(inputs, states) -> (output, states)``, ``state_size`` and, where it isn't the first
            state's size, ``output_size``; or a list of cells, stacked.
        return_sequences: Give the outputs of all steps (batch, steps, units), not only the last (batch, units).
        return_state: Give the last states too, after the output.
        go_backwards: From the last step to the first; the outputs come in that order.
        stateful: Start each batch with the last states of the one before; needs a fixed batch size.
        unroll: Accepted for compatibility.
        zero_output_for_mask: The output of masked steps is 0, not that of the step before.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if the cell lacks ``call`` or ``state_size``, if a mask or an initial state has the wrong shape, or
            if a stateful layer is given another batch size.

    Call arguments: ``initial_state``, a list of the first states; ``mask`` (batch, steps), false where a step is to be
    skipped; ``training``.

    Example:
        >>> import deepkit
        >>> x = deepkit.ops.ones((2, 5, 3))
        >>> deepkit.layers.RNN(deepkit.layers.LSTMCell(4), return_sequences=True)(x).shape
        (2, 5, 4)
        >>> deepkit.layers.RNN([deepkit.layers.GRUCell(4), deepkit.layers.GRUCell(2)])(x).shape
        (2, 2)
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ):
        kwargs.pop("time_major", None)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        for wanted in ("call", "state_size"):
            if not hasattr(cell, wanted):
                raise ValueError(
                    f"{type(self).__name__}: `cell` should have `{wanted}`. Received: cell={cell!r}"
                )
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        size = cell.state_size
        self.single_state = not isinstance(size, (list, tuple))
        self.state_size = [size] if self.single_state else list(size)
        self._states: Any = None

    @property
    def states(self) -> Any:
        """The states that a stateful layer starts its next batch with."""
        return self._states

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        shape = sequences_shape if isinstance(sequences_shape, tuple) else flatten([sequences_shape])
        if isinstance(self.cell, Layer) and not self.cell.built:
            nested = isinstance(sequences_shape, (list, dict)) and not isinstance(shape[0], int)
            step = map_nest(lambda s: s, sequences_shape) if nested else (shape[0], *shape[2:])
            self.cell.build(step)
            self.cell.built = True
        if self.stateful:
            if shape[0] is None:
                raise ValueError(
                    f"{type(self).__name__} {self.name!r}: a stateful layer needs a fixed batch size; give the model "
                    f"an Input(batch_shape=(batch, steps, ...)). Received: {sequences_shape}"
                )
            self._states = [
                map_nest(lambda s: Variable(s, trainable=False, name="rnn_state"), state)
                for state in self.get_initial_state(shape[0])
            ]

    def get_initial_state(self, batch_size: int | None) -> list[Any]:
        """The cell's first states for a batch: zeros, if it doesn't say otherwise."""
        if hasattr(self.cell, "get_initial_state"):
            found = self.cell.get_initial_state(batch_size=batch_size)
            return list(found) if isinstance(found, (list, tuple)) else [found]
        dtype = getattr(self.cell, "compute_dtype", self.compute_dtype)
        return map_nest(lambda n: ops.zeros((batch_size, n), dtype=dtype), self.state_size)

    def reset_state(self) -> None:
        """Start the next batch from zeros."""
        for state in flatten(self._states or []):
            state.assign(ops.zeros_like(state))

    reset_states = reset_state

    def _first_states(self, sequences: Any, given: Any) -> Any:
        batch = flatten(sequences)[0].shape[0]
        label = f"{type(self).__name__} {self.name!r}"
        if given is None:
            if self.stateful:
                expected = flatten(self._states)[0].shape[0]
                if batch is not None and batch != expected:
                    raise ValueError(
                        f"{label} is stateful and was built for batches of {expected}. Received one of {batch}."
                    )
                return map_nest(
                    lambda v: Spec(v.shape, v.dtype) if batch is None else ops.copy(v), self._states
                )
            if self._fused:
                return map_nest(lambda _: None, self.state_size)
            if batch is None or isinstance(flatten(sequences)[0], Spec):
                with paused():
                    found = self.get_initial_state(1)
                if context.inline:
                    return found  # values, which serve any batch
                return map_nest(lambda s: Spec((batch, *s.shape[1:]), s.dtype), found)
            return self.get_initial_state(batch)
        states = list(given) if isinstance(given, (list, tuple)) else [given]
        if len(states) != len(self.state_size):
            raise ValueError(
                f"{label}: `initial_state` should hold {len(self.state_size)} states. Received: {len(states)}."
            )
        states = map_nest(
            lambda s: s if isinstance(s, Spec) else ops.convert_to_tensor(s, self.compute_dtype), states
        )
        for state, n in zip(flatten(states), flatten(self.state_size)):
            shape = tuple(state.shape)
            if (
                batch is not None
                and shape[0] not in (None, batch)
                or len(shape) == 2
                and shape[1] not in (None, n)
            ):
                raise ValueError(f"{label}: an initial state should have shape {(batch, n)} for this input of shape "
                                 f"{tuple(flatten(sequences)[0].shape)}. Received: {shape}")  # fmt: skip
        return states

    def _checked_mask(self, sequences: Any, mask: Any) -> Any:
        first = flatten(sequences)[0]
        mask = flatten(mask)[0]
        if mask is None:
            return None
        if len(mask.shape) == 3 and mask.shape[-1] == 1:
            mask = ops.squeeze(mask, -1)
        wanted = tuple(first.shape[:2])
        if len(mask.shape) != 2 or any(
            a is not None and b is not None and a != b for a, b in zip(mask.shape, wanted)
        ):
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: `mask` should have shape (batch, steps) = {wanted}, as the "
                f"input of shape {tuple(first.shape)}. Received: {tuple(mask.shape)}"
            )
        return mask if str(mask.dtype) == "bool" else ops.cast(mask, "bool")

    @property
    def _fused(self) -> bool:
        return bool(getattr(self.cell, "fused", False))

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = False) -> Any:
        first = flatten(sequences)[0]
        if first.shape[1] == 0:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: the input has no steps: {tuple(first.shape)}."
            )
        mask = self._checked_mask(sequences, mask)
        states = self._first_states(sequences, initial_state)
        if self._fused:
            for cell in self._dropout_cells():
                cell.reset_dropout_mask()
                cell.reset_recurrent_dropout_mask()
            outputs, states = self.cell.sequence(sequences, states, mask, training, self.go_backwards)
            last = self._output_of(states)
            if mask is not None and self.zero_output_for_mask:
                seen = ops.flip(mask, 1) if self.go_backwards else mask
                seen = ops.reshape(seen, (-1, seen.shape[1] or -1) + (1,) * (len(outputs.shape) - 2))
                outputs = outputs * ops.cast(seen, outputs.dtype)
                last = outputs[:, -1]
        else:
            outputs, states = self._step_by_step(sequences, states, mask, training)
            last = outputs[:, -1]
        if self.stateful and not isinstance(outputs, Spec):
            with paused():
                for variable, state in zip(flatten(self._states), flatten(states)):
                    variable.assign(state)
        output = outputs if self.return_sequences else last
        return (output, *states) if self.return_state else output

    def _output_of(self, states: Any) -> Any:
        return flatten(states[-1])[0] if isinstance(self.cell, StackedRNNCells) else states[0]

    def _dropout_cells(self) -> list[Any]:
        return [c for c in getattr(self.cell, "cells", [self.cell]) if isinstance(c, DropoutCell)]

    def _step_by_step(self, sequences: Any, states: Any, mask: Any, training: Any) -> tuple[Any, Any]:
        kwargs = {}
        if isinstance(self.cell, Layer) and self.cell._signature.training:
            kwargs["training"] = training

        def step(x: Any, states: Any) -> tuple[Any, Any]:
            output, new = self.cell(x, states, **kwargs)
            return output, list(new) if isinstance(new, (list, tuple)) else [new]

        first = flatten(sequences)[0]
        if isinstance(first, Spec) and (first.shape[1] is None or not context.inline):
            output, new = step(
                map_nest(lambda x: Spec((x.shape[0], *x.shape[2:]), x.dtype), sequences), states
            )
            return Spec((*first.shape[:2], *output.shape[1:]), output.dtype), new
        for cell in self._dropout_cells():
            cell.reset_dropout_mask()
            cell.reset_recurrent_dropout_mask()
        return through_time(
            step, sequences, states, mask, self.go_backwards, self.zero_output_for_mask, self._output_of
        )

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        mask = flatten(mask)[0] if self.return_sequences else None
        return [mask] + [None] * len(self.state_size) if self.return_state else mask

    def get_config(self) -> dict[str, Any]:
        names = (
            "return_sequences",
            "return_state",
            "go_backwards",
            "stateful",
            "unroll",
            "zero_output_for_mask",
        )
        config = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **config, "cell": serialize_keras_object(self.cell)}

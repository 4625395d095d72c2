"""A recurrent layer in both directions."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..registry import export, serialize_keras_object
from .layer import Layer

_MODES = ("sum", "mul", "ave", "concat", None)


@export("keras.layers.Bidirectional")
class Bidirectional(Layer):
    """Runs a recurrent layer over x (batch, steps, n) forward and another one backward (Schuster & Paliwal 1997).

    Args:
        layer: A recurrent layer: :class:`RNN` or a subclass, or a layer with its attributes. It is made anew from its
            configuration, once for each direction.
        merge_mode: How the two outputs become one: ``"concat"``, ``"sum"``, ``"mul"``, ``"ave"``; ``None`` gives both.
        weights: Initial weights, those of the forward layer first.
        backward_layer: The layer of the other direction, with ``go_backwards`` of its own, where it should differ.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if ``layer`` is no layer, ``merge_mode`` is unknown, or the two layers don't fit together.

    Call arguments: as for :class:`RNN`; ``initial_state`` holds the states of the forward layer, then those of the
    backward one.

    Example:
        >>> import deepkit
        >>> layer = deepkit.layers.Bidirectional(deepkit.layers.LSTM(4, return_sequences=True))
        >>> layer(deepkit.ops.ones((2, 5, 3))).shape
        (2, 5, 8)
    """

    stateful: bool
    return_sequences: bool
    return_state: bool

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ):
        for given, argument in ((layer, "layer"), (backward_layer, "backward_layer")):
            if not isinstance(given, Layer) and (given is not None or argument == "layer"):
                raise ValueError(f"Bidirectional: `{argument}` should be a Layer. Received: {given!r}")
        if merge_mode not in _MODES:
            raise ValueError(
                f"Bidirectional: `merge_mode` should be one of {_MODES}. Received: {merge_mode!r}"
            )
        super().__init__(**kwargs)
        self.forward_layer = _again(layer, "forward_")
        self.backward_layer = (
            _again(layer, "backward_", turned=True) if backward_layer is None else backward_layer
        )
        if self.forward_layer.go_backwards == self.backward_layer.go_backwards:
            raise ValueError(
                "Bidirectional: the two layers should have different `go_backwards`. Received: "
                f"{self.forward_layer.go_backwards} for both."
            )
        for name in ("stateful", "return_sequences", "return_state"):
            pair = getattr(self.forward_layer, name), getattr(self.backward_layer, name)
            if pair[0] != pair[1]:
                raise ValueError(
                    f"Bidirectional: the two layers should have the same `{name}`. Received: {pair}"
                )
            setattr(self, name, pair[0])
        for direction in (self.forward_layer, self.backward_layer):
            if hasattr(direction, "zero_output_for_mask"):
                direction.zero_output_for_mask = direction.return_sequences
        if weights:
            half = len(weights) // 2
            self.forward_layer._initial_weights = weights[:half]
            self.backward_layer._initial_weights = weights[half:]
        self.merge_mode = merge_mode
        self.supports_masking = True
        self.input_spec = layer.input_spec

    @property
    def states(self) -> Any:
        """The states of both layers, where they are stateful."""
        pair = self.forward_layer.states, self.backward_layer.states
        return None if pair[0] is None else [*pair[0], *pair[1]]

    def reset_state(self) -> None:
        """Start the next batch from zeros."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        for direction in (self.forward_layer, self.backward_layer):
            if not direction.built:
                direction.build(sequences_shape)

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None) -> Any:
        kwargs: dict[str, Any] = {"training": training} if self.forward_layer._signature.training else {}
        if mask is not None:
            kwargs["mask"] = mask
        half = len(initial_state) // 2 if initial_state is not None else 0
        forward = {**kwargs, "initial_state": initial_state[:half]} if half else kwargs
        backward = {**kwargs, "initial_state": initial_state[half:]} if half else kwargs
        y, other = self.forward_layer(sequences, **forward), self.backward_layer(sequences, **backward)
        states: tuple[Any, ...] = ()
        if self.return_state:
            states = (*y[1:], *other[1:])
            y, other = y[0], other[0]
        if self.return_sequences:
            other = ops.flip(other, axis=1)
        if self.merge_mode is None:
            return (y, other, *states)
        merged = _MERGE[self.merge_mode](y, other)
        return (merged, *states) if self.return_state else merged

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        if isinstance(mask, (list, tuple)):
            mask = mask[0]
        found = [mask if self.return_sequences else None] * (1 if self.merge_mode else 2)
        if self.return_state:
            size = getattr(self.forward_layer, "state_size", [None])
            return found + [None] * (2 * len(size))
        return found[0] if self.merge_mode else found

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "merge_mode": self.merge_mode,
            "layer": serialize_keras_object(self.forward_layer),
            "backward_layer": serialize_keras_object(self.backward_layer),
        }


_MERGE = {
    "concat": lambda a, b: ops.concatenate([a, b], axis=-1),
    "sum": lambda a, b: a + b,
    "ave": lambda a, b: (a + b) / 2,
    "mul": lambda a, b: a * b,
}


def _again(layer: Any, prefix: str, turned: bool = False) -> Any:
    """A layer like ``layer`` with weights of its own, in the other direction if ``turned``."""
    config = layer.get_config()
    config["name"] = prefix + layer.name.removeprefix(prefix)
    if turned:
        config["go_backwards"] = not layer.go_backwards
    return type(layer).from_config(config)

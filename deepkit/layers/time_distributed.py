"""A layer applied to every step of a sequence."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..autograd.spec import Spec
from ..registry import export
from .context import context
from .layer import Layer
from .normalization import BatchNormalization
from .wrapper import Wrapper


@export("keras.layers.TimeDistributed")
class TimeDistributed(Wrapper):
    """Applies one layer to each step of x (batch, steps, ...).

    The steps join the batch, so the layer runs once; only batch normalization in training sees one step at a time,
    since its statistics are those of a step.

    Args:
        layer: The layer.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if ``layer`` is no layer, the input has fewer than three dimensions, or the mask doesn't fit it.

    Example:
        >>> import deepkit
        >>> deepkit.layers.TimeDistributed(deepkit.layers.Dense(2))(deepkit.ops.ones((4, 5, 3))).shape
        (4, 5, 2)
    """

    def __init__(self, layer: Any, **kwargs: Any):
        if not isinstance(layer, Layer):
            raise ValueError(f"TimeDistributed: `layer` should be a Layer. Received: {layer!r}")
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if not isinstance(input_shape, (tuple, list)) or len(input_shape) < 3:
            raise ValueError(
                f"TimeDistributed {self.name!r}: the input should have the shape (batch, steps, ...), at least three "
                f"dimensions. Received: {input_shape}"
            )
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        self._check_mask(inputs, mask)
        kwargs: dict[str, Any] = {"training": training} if self.layer._signature.training else {}
        batch, steps, *rest = inputs.shape
        if isinstance(inputs, Spec) and (steps is None or not context.inline):
            y = self.layer(Spec((batch, *rest), inputs.dtype), **kwargs)
            return Spec((y.shape[0], steps, *y.shape[1:]), y.dtype)
        masked = mask is not None and "mask" in self.layer._signature.masks
        if training and any(isinstance(layer, BatchNormalization) for layer in self.layer._flatten_layers()):
            each = [{**kwargs, "mask": mask[:, t]} if masked else kwargs for t in range(steps)]
            return ops.stack([self.layer(inputs[:, t], **each[t]) for t in range(steps)], axis=1)
        if masked:
            kwargs["mask"] = ops.reshape(mask, (batch * steps, *mask.shape[2:]))
        y = self.layer(ops.reshape(inputs, (-1 if batch is None else batch * steps, *rest)), **kwargs)
        return ops.reshape(y, (-1 if batch is None else batch, steps, *y.shape[1:]))

    def _check_mask(self, inputs: Any, mask: Any) -> None:
        if mask is None:
            return
        pairs = zip(mask.shape[:2], inputs.shape[:2])
        if len(mask.shape) < 2 or any(None not in pair and pair[0] != pair[1] for pair in pairs):
            raise ValueError(
                f"TimeDistributed {self.name!r}: `mask` should start with (batch, steps) = {tuple(inputs.shape[:2])}, "
                f"as the input of shape {tuple(inputs.shape)}. Received: {tuple(mask.shape)}"
            )

"""Dynamic loss scaling, for gradients in half precision."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from ..autograd.variable import Variable
from ..backend import replay
from ..registry import deserialize_keras_object, export, serialize_keras_object
from .optimizer import Optimizer, host_variable


@export("keras.optimizers.LossScaleOptimizer", "keras.mixed_precision.LossScaleOptimizer")
class LossScaleOptimizer(Optimizer):
    """Scales the loss so that float16 gradients neither underflow nor overflow (Micikevicius et al. 2018).

    The loss is multiplied by a scale, and the gradients are divided by it before ``inner_optimizer`` gets them. When
    a gradient isn't finite, the step is skipped and the scale halved; after ``dynamic_growth_steps`` steps with finite
    gradients in a row it is doubled. ``Model.compile`` wraps its optimizer in this one when the model computes with
    the policy ``"mixed_float16"``; custom training loops call :meth:`scale_loss`.

    Args:
        inner_optimizer: The optimizer that makes the updates.
        initial_scale: The scale at first.
        dynamic_growth_steps: Number of steps after which it grows.
        name: Name.
        **kwargs: Arguments of :class:`Optimizer` at their defaults, as old configurations have them.

    Raises:
        ValueError: for an argument that belongs to ``inner_optimizer``.

    Example:
        >>> import deepkit
        >>> w = deepkit.Variable([1.0])
        >>> optimizer = LossScaleOptimizer(deepkit.optimizers.SGD(0.5), initial_scale=4)
        >>> optimizer.apply([deepkit.ops.convert_to_tensor([4.0])], [w])
        >>> optimizer.apply([deepkit.ops.convert_to_tensor([float("inf")])], [w])
        >>> w.numpy(), float(optimizer.dynamic_scale)
        (array([0.5], dtype=float32), 2.0)
    """

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ):
        if not kwargs.pop("dynamic", True):
            raise ValueError("LossScaleOptimizer: the scale is always dynamic; for a fixed one set the "
                             "`loss_scale_factor` of an optimizer.")  # fmt: skip
        for key, value in kwargs.items():
            if value not in (None, False) and not (key == "ema_momentum" and value == 0.99):
                raise ValueError(f"LossScaleOptimizer doesn't take `{key}`; set it on the inner optimizer.")
        super().__init__(0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale, self.dynamic_growth_steps = initial_scale, dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None

    def build(self, variables: Sequence[Variable]) -> None:
        if not self._extra:  # the host decides by them at every step
            self.step_counter = host_variable(0, "int32", "step_counter")
            self.dynamic_scale = host_variable(self.initial_scale, "float32", "dynamic_scale")
            self._extra = [self.step_counter, self.dynamic_scale]
        self.inner_optimizer.build(variables)
        self.arena = self.inner_optimizer.arena
        self.built = True

    @property
    def variables(self) -> list[Variable]:
        """The state, its own and that of the inner optimizer, in the order it is saved in."""
        return super().variables + self.inner_optimizer.variables

    def loss_scale(self) -> Any:
        """The scale: a number, or an array of the device in a step that is captured."""
        (scale,) = replay.numbers(self._scales, "float32")
        return scale

    def _scales(self) -> tuple[float]:
        return (float(self.dynamic_scale.data) if self.built else self.initial_scale,)

    def phase(self) -> tuple[Any, ...]:
        return self.inner_optimizer.phase()

    def step_arena(self, unused: Any = ()) -> None:
        groups = self.inner_optimizer.arena.groups
        flags = [group.k.all_finite(group.gradients) for group in groups]

        def finite() -> bool:
            self._finite = all(map(bool, flags))
            return self._finite

        def update() -> None:
            scale = self.loss_scale()
            for group in groups:
                group.gradients /= scale
            self.inner_optimizer.step_arena(unused)

        replay.when(finite, update)
        replay.act(self._settle)

    def _settle(self) -> None:
        """Count the step, and adapt the scale."""
        counter = int(self.step_counter.data) + 1
        if not self._finite or counter == self.dynamic_growth_steps:
            self.dynamic_scale.assign(self.dynamic_scale.data * np.float32(2 if self._finite else 0.5))
            counter = 0
        self.step_counter.assign(counter)

    _finite = True

    @property
    def learning_rate(self) -> Any:
        """That of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    lr = learning_rate

    @property
    def iterations(self) -> Any:
        """Number of updates that the inner optimizer has made."""
        return self.inner_optimizer.iterations

    def finalize_variable_values(self, var_list: Any) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        inner = config["inner_optimizer"]
        inner = deserialize_keras_object(inner, custom_objects) if isinstance(inner, dict) else inner
        return cls(**{**config, "inner_optimizer": inner})

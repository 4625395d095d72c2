"""Learning-rate schedules: functions of the step number."""

from __future__ import annotations

import math
from typing import Any

from ..registry import deserialize_keras_object, export, serialize_keras_object


@export("keras.optimizers.schedules.LearningRateSchedule")
class LearningRateSchedule:
    """Base of schedules; subclass it with ``__call__(step)`` and ``get_config``."""

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a __call__(step) method.")

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(f"{type(self).__name__} needs a get_config() method to be saved.")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


class _Configured(LearningRateSchedule):
    """A schedule whose configuration is its arguments."""

    arguments: tuple[str, ...] = ()

    def get_config(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.arguments}


@export("keras.optimizers.schedules.ExponentialDecay")
class ExponentialDecay(_Configured):
    """initial_learning_rate · decay_rate^(step / decay_steps).

    Args:
        initial_learning_rate: Rate at step 0.
        decay_steps: Steps in which the rate falls by ``decay_rate``.
        decay_rate: Factor.
        staircase: Fall at whole multiples of ``decay_steps`` only.
        name: Name.

    Example:
        >>> ExponentialDecay(0.1, 100, 0.5)(200)
        0.025
    """

    arguments = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool = False,
                 name: str = "ExponentialDecay"):  # fmt: skip
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name
        _positive(self, decay_steps)

    def __call__(self, step: Any) -> float:
        p = float(step) / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (math.floor(p) if self.staircase else p)


@export("keras.optimizers.schedules.InverseTimeDecay")
class InverseTimeDecay(_Configured):
    """initial_learning_rate / (1 + decay_rate · step / decay_steps).

    Args:
        initial_learning_rate: Rate at step 0.
        decay_steps: Unit of the steps.
        decay_rate: How fast the rate falls.
        staircase: Fall at whole multiples of ``decay_steps`` only.
        name: Name.

    Example:
        >>> InverseTimeDecay(0.1, 1, 1.0)(3)
        0.025
    """

    arguments = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")

    def __init__(self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool = False,
                 name: str = "InverseTimeDecay"):  # fmt: skip
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name
        _positive(self, decay_steps)

    def __call__(self, step: Any) -> float:
        p = float(step) / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * (math.floor(p) if self.staircase else p))


@export("keras.optimizers.schedules.PiecewiseConstantDecay")
class PiecewiseConstantDecay(_Configured):
    """values[i] up to and with step boundaries[i], the last value after that.

    Args:
        boundaries: Steps at which the rate changes, increasing.
        values: Rates, one more than boundaries.
        name: Name.

    Raises:
        ValueError: if the numbers of boundaries and values don't fit.

    Example:
        >>> schedule = PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.1])
        >>> [schedule(s) for s in (0, 10, 11, 21)]
        [1.0, 1.0, 0.5, 0.1]
    """

    arguments = ("boundaries", "values", "name")

    def __init__(self, boundaries: Any, values: Any, name: str = "PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"PiecewiseConstantDecay takes one value more than boundaries. Received: {len(boundaries)} boundaries, "
                f"{len(values)} values"
            )
        self.boundaries, self.values, self.name = list(boundaries), list(values), name

    def __call__(self, step: Any) -> float:
        s = float(step)
        for boundary, value in zip(self.boundaries, self.values):
            if s <= boundary:
                return value
        return self.values[-1]


@export("keras.optimizers.schedules.PolynomialDecay")
class PolynomialDecay(_Configured):
    """From the initial rate to the end rate in ``decay_steps``: (initial - end) (1 - step / decay_steps)^power + end.

    Args:
        initial_learning_rate: Rate at step 0.
        decay_steps: Steps to the end rate.
        end_learning_rate: Rate at the end.
        power: Power; 1 is a straight line.
        cycle: Start a new decay, over a multiple of ``decay_steps``, each time it is over.
        name: Name.

    Example:
        >>> PolynomialDecay(0.1, 10, 0.0)(5)
        0.05
    """

    arguments = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")

    def __init__(self, initial_learning_rate: float, decay_steps: float, end_learning_rate: float = 0.0001,
                 power: float = 1.0, cycle: bool = False, name: str = "PolynomialDecay"):  # fmt: skip
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power, self.cycle, self.name = end_learning_rate, power, cycle, name
        _positive(self, decay_steps)

    def __call__(self, step: Any) -> float:
        s, total = float(step), float(self.decay_steps)
        if self.cycle:
            total *= max(1, math.ceil(s / total))
        p = min(s, total) / total
        return (self.initial_learning_rate - self.end_learning_rate) * (1 - p) ** self.power + self.end_learning_rate


@export("keras.optimizers.schedules.CosineDecay")
class CosineDecay(_Configured):
    """Half a cosine from the initial rate to ``alpha`` times it, after a linear warm-up if asked (Loshchilov &
    Hutter 2017).

    Args:
        initial_learning_rate: Rate at step 0.
        decay_steps: Steps of the decay.
        alpha: Share of the rate that remains at the end.
        name: Name.
        warmup_target: Rate that a warm-up reaches, from which the decay starts.
        warmup_steps: Steps of the warm-up.

    Example:
        >>> CosineDecay(0.1, 10)(5)
        0.05
    """

    arguments = ("initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")

    def __init__(self, initial_learning_rate: float, decay_steps: float, alpha: float = 0.0, name: str = "CosineDecay",
                 warmup_target: float | None = None, warmup_steps: int = 0):  # fmt: skip
        self.initial_learning_rate, self.decay_steps, self.alpha, self.name = (
            initial_learning_rate,
            decay_steps,
            alpha,
            name,
        )
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps
        _positive(self, decay_steps)

    def __call__(self, step: Any) -> float:
        s, top = float(step), self.initial_learning_rate
        if self.warmup_target is not None:
            if s < self.warmup_steps:
                return top + (self.warmup_target - top) * s / self.warmup_steps
            s, top = s - self.warmup_steps, self.warmup_target
        p = min(s, self.decay_steps) / self.decay_steps
        return top * ((1 - self.alpha) * 0.5 * (1 + math.cos(math.pi * p)) + self.alpha)


@export("keras.optimizers.schedules.CosineDecayRestarts")
class CosineDecayRestarts(_Configured):
    """Half cosines that start again, each ``t_mul`` times as long and from ``m_mul`` times the rate.

    Args:
        initial_learning_rate: Rate at step 0.
        first_decay_steps: Steps of the first period.
        t_mul: Factor of the length.
        m_mul: Factor of the rate.
        alpha: Share of the rate that remains at the end of a period.
        name: Name.

    Example:
        >>> CosineDecayRestarts(0.1, 10)(10)
        0.1
    """

    arguments = ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha", "name")

    def __init__(self, initial_learning_rate: float, first_decay_steps: float, t_mul: float = 2.0, m_mul: float = 1.0,
                 alpha: float = 0.0, name: str = "SGDRDecay"):  # fmt: skip
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name
        _positive(self, first_decay_steps)

    def __call__(self, step: Any) -> float:
        p = float(step) / self.first_decay_steps
        if self.t_mul == 1.0:
            period = math.floor(p)
            p -= period
        else:
            period = math.floor(math.log(1 - p * (1 - self.t_mul)) / math.log(self.t_mul) + 1e-12)
            start = (1 - self.t_mul**period) / (1 - self.t_mul)
            p = (p - start) / self.t_mul**period
        share = (1 - self.alpha) * 0.5 * self.m_mul**period * (1 + math.cos(math.pi * p)) + self.alpha
        return self.initial_learning_rate * share


def _positive(schedule: Any, steps: float) -> None:
    if steps <= 0:
        raise ValueError(f"{type(schedule).__name__}: the number of decay steps should be positive. Received: {steps}")


def serialize(learning_rate_schedule: Any) -> Any:
    """The configuration of a schedule."""
    return serialize_keras_object(learning_rate_schedule)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The schedule that a configuration describes."""
    return deserialize_keras_object(config, custom_objects, printable_module_name="schedule")

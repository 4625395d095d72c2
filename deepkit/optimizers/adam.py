"""Adam and its family: slots, arguments, and the numbers of each step."""

from __future__ import annotations

import math
from typing import Any

from ..backend import replay
from ..registry import export
from ..utils.signatures import spelled_out
from .optimizer import Optimizer, host_variable


class _Moments(Optimizer):
    """What the members of Adam's family share."""

    second = "velocity"

    def __init__(self, learning_rate: Any, beta_1: float, beta_2: float, epsilon: float, **kwargs: Any):
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.slots = (("momentum", self.second),)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}


@export("keras.optimizers.Adam")
@spelled_out(Optimizer)
class Adam(_Moments):
    """Adaptive moments (Kingma & Ba 2015): w -= α m / (√v + ε) with running means m of g and v of g².

    α = lr √(1-β₂ᵗ) / (1-β₁ᵗ) undoes the means' start at zero.

    Args:
        learning_rate: Number, schedule, or function without arguments.
        beta_1: β₁, decay of m.
        beta_2: β₂, decay of v.
        epsilon: ε.
        amsgrad: Divide by the largest v so far (Reddi et al. 2018).
        **kwargs: Those of :class:`Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.amsgrad = amsgrad
        if amsgrad:
            self.slots = (("momentum", "velocity"), ("velocity_hat",))

    def rule(self, lr: float) -> tuple[str, tuple[Any, ...]]:
        t = self._step
        alpha = lr * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        return "amsgrad" if self.amsgrad else "adam", (alpha, self.beta_1, self.beta_2, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amsgrad": self.amsgrad}


@export("keras.optimizers.AdamW")
@spelled_out(Optimizer)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019).

    Args:
        learning_rate: Number, schedule, or function without arguments.
        weight_decay: Share of every weight, times the learning rate, that a step takes away.
        beta_1: β₁.
        beta_2: β₂.
        epsilon: ε.
        amsgrad: Divide by the largest v so far.
        **kwargs: Those of :class:`Optimizer`.

    Raises:
        ValueError: if ``weight_decay`` is ``None``.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ):
        if weight_decay is None:
            raise ValueError("AdamW: `weight_decay` should be a number; use Adam for none.")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs)


@export("keras.optimizers.Adamax")
@spelled_out(Optimizer)
class Adamax(_Moments):
    """Adam with the infinity norm: n ← max(β₂ n, |g|) in √v's place (Kingma & Ba 2015, section 7.1).

    Args:
        learning_rate: Number, schedule, or function without arguments.
        beta_1: β₁.
        beta_2: β₂.
        epsilon: ε.
        **kwargs: Those of :class:`Optimizer`.
    """

    second = "norm"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)

    def rule(self, lr: float) -> tuple[str, tuple[Any, ...]]:
        return "adamax", (lr / (1 - self.beta_1**self._step), self.beta_1, self.beta_2, self.epsilon)


@export("keras.optimizers.Nadam")
@spelled_out(Optimizer)
class Nadam(_Moments):
    """Adam with Nesterov momentum (Dozat 2016), its momentum warming up as μₜ = β₁ (1 - 0.5 · 0.96ᵗ).

    Args:
        learning_rate: Number, schedule, or function without arguments.
        beta_1: β₁.
        beta_2: β₂.
        epsilon: ε.
        **kwargs: Those of :class:`Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)

    def build(self, variables: Any) -> None:
        super().build(variables)
        if not self._extra:
            self._product = host_variable(1, "float32", "u_product")
            self._extra = [self._product]

    def _momentum(self, t: int) -> float:
        return self.beta_1 * (1 - 0.5 * 0.96**t)

    def rule(self, lr: float) -> tuple[str, tuple[Any, ...]]:
        t = self._step
        mu, next_mu = self._momentum(t), self._momentum(t + 1)
        product = float(self._product.data) * mu
        return "nadam", (lr, self.beta_1, self.beta_2, self.epsilon, next_mu / (1 - product * next_mu),
                         (1 - mu) / (1 - product), 1 / (1 - self.beta_2**t))  # fmt: skip

    def _update(self, arena: Any, lr: float, unused: Any) -> None:
        super()._update(arena, lr, unused)
        replay.act(self._multiply)

    def _multiply(self) -> None:
        self._product.data[...] = float(self._product.data) * self._momentum(self._step)


@export("keras.optimizers.ScheduleFreeAdamW")
@spelled_out(Optimizer)
class ScheduleFreeAdamW(_Moments):
    """AdamW that needs no schedule, as it averages its iterates (Defazio et al. 2024, arXiv:2405.15682).

    z -= lr g / (√v̂ + ε) are the iterates, x their mean, and the weights, where gradients are taken, (1-β₁) z + β₁ x.

    Args:
        learning_rate: Number, schedule, or function without arguments.
        beta_1: β₁, share of the mean in the weights.
        beta_2: Decay of v, the running mean of g²; v̂ is it freed of its start at zero.
        epsilon: ε.
        warmup_steps: Number of first steps over which the learning rate grows linearly.
        **kwargs: Those of :class:`Optimizer`.
    """

    initial = {"momentum": "weights"}

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.warmup_steps = warmup_steps

    def rule(self, lr: float) -> tuple[str, tuple[Any, ...]]:
        t = self._step
        lr *= min(t / self.warmup_steps, 1.0) if self.warmup_steps > 0 else 1.0
        return "schedule_free", (lr, self.beta_1, self.beta_2, self.epsilon, 1 - self.beta_2**t, 1 / t)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "warmup_steps": self.warmup_steps}

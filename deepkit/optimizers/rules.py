"""The optimizers: their slots, their arguments, and the numbers of each step."""

from __future__ import annotations

import math
from typing import Any

from ..registry import export
from .optimizer import Optimizer


@export("keras.optimizers.SGD")
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if asked: v ← μ v - lr g; w += v.

    Args:
        learning_rate: Number, schedule, or function without arguments.
        momentum: μ, in [0, 1].
        nesterov: Use Nesterov's look-ahead (Sutskever et al. 2013).
        **kwargs: Those of :class:`Optimizer`.

    Raises:
        ValueError: if the momentum is out of range.

    Example:
        >>> import deepkit
        >>> w = deepkit.Variable([1.0])
        >>> SGD(0.5).apply([deepkit.ops.ones(1)], [w])
        >>> w.numpy()
        array([0.5], dtype=float32)
    """

    def __init__(self, learning_rate: Any = 0.01, momentum: float = 0.0, nesterov: bool = False, **kwargs: Any):
        super().__init__(learning_rate, **kwargs)
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ValueError(f"SGD: `momentum` should be in [0, 1]. Received: momentum={momentum!r}")
        self.momentum, self.nesterov = momentum, nesterov
        self.slots = (("momentum",),) if momentum else ()

    def rule(self, lr: float) -> tuple[str, tuple[Any, ...]]:
        return ("momentum", (lr, self.momentum, self.nesterov)) if self.momentum else ("sgd", (lr,))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}


@export("keras.optimizers.RMSprop")
class RMSprop(Optimizer):
    """Divides the gradient by a running mean of its size: v ← ρ v + (1-ρ) g²; w -= lr g / √(v + ε) (Hinton 2012).

    Args:
        learning_rate: Number, schedule, or function without arguments.
        rho: ρ.
        momentum: Momentum of the updates.
        epsilon: ε.
        centered: Subtract the squared mean gradient from v.
        **kwargs: Those of :class:`Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered
        self.slots = (("velocity",), *([("momentum",)] if momentum > 0 else []),
                      *([("average_gradient",)] if centered else []))  # fmt: skip

    def rule(self, lr: float) -> tuple[str, tuple[Any, ...]]:
        return "rmsprop", (lr, self.rho, self.momentum, self.epsilon, self.centered)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rho": self.rho, "momentum": self.momentum, "epsilon": self.epsilon,
                "centered": self.centered}  # fmt: skip


class _Moments(Optimizer):
    """What the members of Adam's family share."""

    second = "velocity"

    def __init__(self, learning_rate: Any, beta_1: float, beta_2: float, epsilon: float, **kwargs: Any):
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.slots = (("momentum", self.second),)

    @property
    def _step(self) -> int:
        """Number of this update, from 1."""
        return int(self._iterations.data) // (self.gradient_accumulation_steps or 1) + 1

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}


@export("keras.optimizers.Adam")
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
            self._product = self.add_variable((), "ones", "float32", name="u_product")

    def rule(self, lr: float) -> tuple[str, tuple[Any, ...]]:
        t = self._step
        mu, next_mu = (self.beta_1 * (1 - 0.5 * 0.96**i) for i in (t, t + 1))
        product = float(self._product.data) * mu
        self._product.data[...] = product
        return "nadam", (lr, self.beta_1, self.beta_2, self.epsilon, next_mu / (1 - product * next_mu),
                         (1 - mu) / (1 - product), 1 / (1 - self.beta_2**t))  # fmt: skip


@export("keras.optimizers.Adagrad")
class Adagrad(Optimizer):
    """Learning rates that shrink with the sum of squared gradients: a += g²; w -= lr g / √(a + ε) (Duchi et al. 2011).

    Args:
        learning_rate: Number, schedule, or function without arguments.
        initial_accumulator_value: What a starts at.
        epsilon: ε.
        **kwargs: Those of :class:`Optimizer`.
    """

    slots = (("accumulator",),)

    def __init__(
        self, learning_rate: Any = 0.001, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7, **kwargs: Any
    ):
        super().__init__(learning_rate, **kwargs)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon
        self.initial = {"accumulator": initial_accumulator_value}

    def rule(self, lr: float) -> tuple[str, tuple[Any, ...]]:
        return "adagrad", (lr, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "initial_accumulator_value": self.initial_accumulator_value,
            "epsilon": self.epsilon,
        }


@export("keras.optimizers.Adadelta")
class Adadelta(Optimizer):
    """Steps whose size comes from running means of squared gradients and squared steps (Zeiler 2012).

    Args:
        learning_rate: Number, schedule, or function without arguments; the paper's is 1.0.
        rho: ρ, decay of the means.
        epsilon: ε.
        **kwargs: Those of :class:`Optimizer`.
    """

    slots = (("accumulated_grad", "accumulated_delta_var"),)

    def __init__(self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7, **kwargs: Any):
        super().__init__(learning_rate, **kwargs)
        self.rho, self.epsilon = rho, epsilon

    def rule(self, lr: float) -> tuple[str, tuple[Any, ...]]:
        return "adadelta", (lr, self.rho, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}


@export("keras.optimizers.Ftrl")
class Ftrl(Optimizer):
    """Follow the regularized leader (McMahan et al. 2013), which keeps weights of rare features at exactly 0.

    Args:
        learning_rate: Number, schedule, or function without arguments.
        learning_rate_power: How the rate falls with the sum of squared gradients; at most 0.
        initial_accumulator_value: What that sum starts at.
        l1_regularization_strength: L1 strength.
        l2_regularization_strength: L2 strength.
        l2_shrinkage_regularization_strength: L2 strength that acts through the gradient.
        beta: β of the paper.
        **kwargs: Those of :class:`Optimizer`.

    Raises:
        ValueError: for a negative strength, or a positive power.
    """

    slots = (("accumulator", "linear"),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.settings = {
            "learning_rate_power": learning_rate_power,
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
            "beta": beta,
        }
        if learning_rate_power > 0:
            raise ValueError(f"Ftrl: `learning_rate_power` should be at most 0. Received: {learning_rate_power}")
        for name, value in list(self.settings.items())[1:5]:
            if value < 0:
                raise ValueError(f"Ftrl: `{name}` should not be negative. Received: {name}={value}")
        self.initial = {"accumulator": initial_accumulator_value}

    def rule(self, lr: float) -> tuple[str, tuple[Any, ...]]:
        power, _, l1, l2, shrinkage, beta = self.settings.values()
        return "ftrl", (lr, power, l1, l2 + beta / (2 * lr), shrinkage)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}


@export("keras.optimizers.Lion")
class Lion(Optimizer):
    """Steps of one size in the direction of the sign of the momentum (Chen et al. 2023).

    Args:
        learning_rate: Number, schedule, or function without arguments.
        beta_1: Weight of the momentum in the step.
        beta_2: Decay of the momentum.
        **kwargs: Those of :class:`Optimizer`.

    Raises:
        ValueError: if ``beta_1`` isn't in (0, 1].
    """

    slots = (("momentum",),)

    def __init__(self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, **kwargs: Any):
        super().__init__(learning_rate, **kwargs)
        if not 0 < beta_1 <= 1:
            raise ValueError(f"Lion: `beta_1` should be in (0, 1]. Received: beta_1={beta_1}")
        self.beta_1, self.beta_2 = beta_1, beta_2

    def rule(self, lr: float) -> tuple[str, tuple[Any, ...]]:
        return "lion", (lr, self.beta_1, self.beta_2)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}

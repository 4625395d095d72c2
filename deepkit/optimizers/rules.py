"""Gradient descent and its rules of one slot or two: slots, arguments, and the numbers of each step."""

from __future__ import annotations

from typing import Any

from ..registry import export
from ..utils.signatures import spelled_out
from .optimizer import Optimizer


@export("keras.optimizers.SGD")
@spelled_out(Optimizer)
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
@spelled_out(Optimizer)
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


@export("keras.optimizers.Adagrad")
@spelled_out(Optimizer)
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
@spelled_out(Optimizer)
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
@spelled_out(Optimizer)
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
@spelled_out(Optimizer)
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

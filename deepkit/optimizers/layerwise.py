"""Optimizers whose steps depend on a variable as a whole: Lamb, Adafactor, Muon."""

from __future__ import annotations

import math
import re
from functools import partial
from typing import Any, Sequence

from .. import backend
from ..autograd.variable import Variable
from ..backend import replay
from ..registry import export
from ..utils.signatures import spelled_out
from .arena import Arena
from .optimizer import Optimizer


def wide(v: Variable) -> str:
    """The dtype of numbers for a variable."""
    return "float64" if v.data.dtype.itemsize == 8 else "float32"


class Layerwise(Optimizer):
    """Base: state of its own for each variable, and a kernel of ``backend/*/layerwise.py`` that updates one."""

    def shapes(self, v: Variable) -> dict[str, Sequence[int]]:
        """Names and shapes of a variable's slots, in the order they are saved in."""
        raise NotImplementedError

    def rule_of(self, v: Variable) -> tuple[str, tuple[Any, ...]]:
        """The kernel for ``v``, and those of its numbers that stay the same."""
        raise NotImplementedError

    def step_numbers(self, kernel: str, lr: float) -> tuple[float, ...]:
        """The numbers of this step, which come first."""
        raise NotImplementedError

    def build(self, variables: Sequence[Variable]) -> None:
        before = self.arena
        super().build(variables)
        if self.arena is before:
            return
        # The state of variables that were trained before (a layer was frozen or thawed since) goes on.
        kept = {id(v): states for v, states in zip(before.variables, self._states_of)} if before else {}
        self._states_of = [kept.get(id(v)) or self._new_states(v) for v in variables]

    def _new_states(self, v: Variable) -> list[Variable]:
        prefix = v.path.replace("/", "_")
        k = backend.kernels_of(v.data)
        return [Variable(k.zeros(tuple(shape), v.data.dtype), trainable=False, name=f"{prefix}_{name}")
                for name, shape in self.shapes(v).items()]  # fmt: skip

    @property
    def variables(self) -> list[Variable]:
        """The state, in the order it is saved in."""
        return super().variables + [state for states in self._states_of for state in states]

    _states_of: list[list[Variable]] = []

    def _update(self, arena: Arena, lr: float, unused: Any) -> None:
        numbers: dict[Any, tuple[Any, ...]] = {}
        for i, (v, g, states) in enumerate(zip(arena.variables, arena.grads, self._states_of)):
            if i in unused:
                continue
            kernel, constants = self.rule_of(v)
            key = kernel, wide(v)
            if key not in numbers:
                numbers[key] = tuple(replay.numbers(partial(self._step_numbers, kernel), key[1]))
            rule = backend.kernels_of(v.data).LAYERWISE_RULES[kernel]
            rule(v.data, g, *(state.data for state in states), *numbers[key], *constants)

    def _step_numbers(self, kernel: str) -> tuple[float, ...]:
        return self.step_numbers(kernel, self._rate)


@export("keras.optimizers.Lamb")
@spelled_out(Optimizer)
class Lamb(Layerwise):
    """Adam with a trust ratio, for large batches: w -= lr · ‖w‖ / ‖u‖ · u, u = m̂ / (√v̂ + ε) (You et al. 2020).

    m̂ and v̂ are the running means of g and g², freed of their start at zero.

    Args:
        learning_rate: Number, schedule, or function without arguments.
        beta_1: β₁, decay of m.
        beta_2: β₂, decay of v.
        epsilon: ε.
        **kwargs: Those of :class:`Optimizer`.
    """

    def __init__(self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
                 **kwargs: Any):  # fmt: skip
        super().__init__(learning_rate, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def shapes(self, v: Variable) -> dict[str, Sequence[int]]:
        return {"momentum": v.shape, "velocity": v.shape}

    def rule_of(self, v: Variable) -> tuple[str, tuple[Any, ...]]:
        return "lamb", (self.beta_1, self.beta_2, self.epsilon)

    def step_numbers(self, kernel: str, lr: float) -> tuple[float, ...]:
        return lr, 1 - self.beta_1**self._step, 1 - self.beta_2**self._step

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}


@export("keras.optimizers.Adafactor")
@spelled_out(Optimizer)
class Adafactor(Layerwise):
    """Second moments from their row and column means (Shazeer & Stern 2018).

    w -= α u with α = max(ε₂, RMS(w)) · min(lr, 1/√t) and u = g / √v, scaled down to RMS ``clip_threshold``. For
    variables of 2 dimensions and more v is the outer product of the running means r, c of g² + ε₁ along rows and
    columns, divided by r's mean; they forget with β₂ = 1 - t^beta_2_decay.

    Args:
        learning_rate: Number, schedule, or function without arguments.
        beta_2_decay: Exponent of the decay.
        epsilon_1: ε₁.
        epsilon_2: ε₂.
        clip_threshold: Limit of the RMS of u.
        relative_step: Kept for the configuration: the rate is limited by 1/√t in either case, as in Keras.
        **kwargs: Those of :class:`Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 0.001,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.settings = {
            "beta_2_decay": beta_2_decay, "epsilon_1": epsilon_1, "epsilon_2": epsilon_2,
            "clip_threshold": clip_threshold, "relative_step": relative_step,
        }  # fmt: skip

    def shapes(self, v: Variable) -> dict[str, Sequence[int]]:
        if len(v.shape) < 2:  # Keras saves two unused scalars for these
            return {"row": (), "column": (), "velocity": v.shape}
        return {"row": v.shape[:-1], "column": (*v.shape[:-2], v.shape[-1]), "velocity": v.shape}

    def rule_of(self, v: Variable) -> tuple[str, tuple[Any, ...]]:
        return "adafactor", tuple(self.settings[name] for name in ("epsilon_1", "epsilon_2", "clip_threshold"))

    def step_numbers(self, kernel: str, lr: float) -> tuple[float, ...]:
        b2 = 1 - self._step ** self.settings["beta_2_decay"]
        return min(lr, 1 / math.sqrt(self._step)), b2, 1 - b2

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}


@export("keras.optimizers.Muon")
@spelled_out(Optimizer)
class Muon(Layerwise):
    """Matrices move along their orthogonalized momentum, everything else by AdamW (Jordan et al. 2024).

    The momentum m ← μ m + g, its singular values brought near 1 by ``ns_steps`` Newton-Schulz iterations with the
    polynomial a x + b x³ + c x⁵, is the step of a variable of 2 dimensions; times rms_rate √max(rows, columns) its
    size is that of an AdamW step, so that both can share a learning rate (Liu et al. 2025, arXiv:2502.16982).

    Args:
        learning_rate: Number, schedule, or function without arguments.
        adam_beta_1: β₁ of AdamW.
        adam_beta_2: β₂ of AdamW.
        adam_weight_decay: Weight decay of the variables that AdamW trains.
        epsilon: ε of AdamW.
        weight_decay: Weight decay of the matrices.
        exclude_layers: Regular expressions; variables whose path has a match are left to AdamW.
        exclude_embeddings: Leave variables with "embedding" in their path to AdamW.
        muon_a: a.
        muon_b: b.
        muon_c: c.
        adam_lr_ratio: AdamW's learning rate is this times ``learning_rate``.
        momentum: μ.
        ns_steps: Number of iterations.
        nesterov: Use Nesterov's look-ahead, g + μ m.
        rms_rate: See above; ``None`` leaves the step as it is.
        **kwargs: Those of :class:`Optimizer`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        *,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self.adam_beta_1, self.adam_beta_2, self.epsilon = adam_beta_1, adam_beta_2, epsilon
        self.adam_weight_decay, self.adam_lr_ratio = adam_weight_decay, adam_lr_ratio
        self.exclude_layers, self.exclude_embeddings = list(exclude_layers or ()), exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.momentum, self.ns_steps, self.nesterov, self.rms_rate = momentum, ns_steps, nesterov, rms_rate

    def by_adam(self, v: Variable) -> bool:
        """Whether ``v`` is left to AdamW."""
        return (
            len(v.shape) != 2
            or (self.exclude_embeddings and "embedding" in v.path.lower())
            or any(re.search(pattern, v.path) for pattern in self.exclude_layers)
        )

    def shapes(self, v: Variable) -> dict[str, Sequence[int]]:
        return {"momentum": v.shape, "velocity": v.shape} if self.by_adam(v) else {"momentum": v.shape}

    def rule_of(self, v: Variable) -> tuple[str, tuple[Any, ...]]:
        if self.by_adam(v):
            return "adam_of_one", (self.adam_beta_1, self.adam_beta_2, self.epsilon)
        size = 1.0 if self.rms_rate is None else math.sqrt(max(v.shape)) * self.rms_rate
        coefficients = (self.muon_a, self.muon_b, self.muon_c)
        return "muon", (size, self.momentum, self.nesterov, self.ns_steps, coefficients)

    def step_numbers(self, kernel: str, lr: float) -> tuple[float, ...]:
        if kernel == "muon":
            return (lr,)
        b1, b2, t = self.adam_beta_1, self.adam_beta_2, self._step
        return (lr * self.adam_lr_ratio * math.sqrt(1 - b2**t) / (1 - b1**t),)

    def _decay(self, arena: Arena, unused: Any) -> None:
        passed_over = set(unused) | self._without_decay()
        factors: dict[Any, Any] = {}
        for i, v in enumerate(arena.variables):
            decay = self.adam_weight_decay if self.by_adam(v) else self.weight_decay
            if not decay or i in passed_over:
                continue
            key = decay, wide(v)
            if key not in factors:
                (factors[key],) = replay.numbers(partial(self._kept, decay), key[1])
            v.data *= factors[key]

    def get_config(self) -> dict[str, Any]:
        names = ("adam_beta_1", "adam_beta_2", "epsilon", "exclude_layers", "muon_a", "muon_b", "muon_c",
                 "adam_lr_ratio", "momentum", "ns_steps", "nesterov", "exclude_embeddings", "adam_weight_decay",
                 "rms_rate")  # fmt: skip
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

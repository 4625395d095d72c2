"""One update over the parameter arena: accumulation, clipping, weight decay, the rule, averaging, constraints."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Callable, Mapping

from .. import backend
from ..autograd.tensor import Tensor
from ..autograd.variable import Variable
from ..backend import replay
from .arena import Arena, Slot


class ArenaUpdate:
    """The part of :class:`Optimizer` that computes.

    Attributes:
        arena: Weights and gradients.
        slots: Names of the slots in groups; the variables of a group's slots alternate in the saved state.
        initial: What slots start at, if not 0; ``"weights"`` for a copy of the weights.
    """

    slots: tuple[tuple[str, ...], ...] = ()
    initial: Mapping[str, float | str] = {}
    arena: Arena | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    weight_decay: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    _current_learning_rate: Callable[[], float]
    _iterations: Variable
    _slots: dict[str, Slot]
    _no_decay: set[int]
    _rate = 0.0  # the learning rate of this step
    _no_decay_given: tuple[list[Any], list[str]] | None = None

    def step_arena(self, unused: Any = ()) -> None:
        """One update from the gradients that lie in the arena; variables in ``unused`` have none and stay."""
        arena = self.arena
        assert arena is not None
        if unused:
            unused = set(unused)
            for i in unused:
                arena.grads[i][...] = 0
        if self.loss_scale_factor is not None:
            for group in arena.groups:
                group.gradients /= self.loss_scale_factor
        if self.gradient_accumulation_steps is None or self._accumulated(arena):
            self._clip(arena)
            replay.act(self._take_rate)
            self._decay(arena, unused)
            self._update(arena, self._rate, unused)
        if self.use_ema:
            self._average(arena)
        for v in arena.variables:
            if v.constraint is not None:
                v.assign(v.constraint(v))
        replay.act(self._count)

    def _take_rate(self) -> None:
        self._rate = self._current_learning_rate()

    def _count(self) -> None:
        self._iterations.data += 1

    def phase(self) -> tuple[Any, ...]:
        """What of the next step depends on how many there were; steps that differ in it launch different kernels."""
        done, each = int(self._iterations.data), self.gradient_accumulation_steps or 1
        first = self.use_ema and done < each
        often = self.ema_overwrite_frequency if self.use_ema else None
        return (done + 1) % each == 0, first, often is not None and (done // each + 1) % often == 0

    def _accumulated(self, arena: Arena) -> bool:
        """Add to the accumulators; true, with their mean as gradient, when an update is due."""
        steps = self.gradient_accumulation_steps
        assert steps is not None
        due = (int(self._iterations.data) + 1) % steps == 0
        for group, total in zip(arena.groups, self._slots["gradient_accumulator"].flats):
            total += group.gradients
            if due:
                group.gradients[...] = total
                group.gradients /= steps
                total[...] = 0
        return due

    def _clip(self, arena: Arena) -> None:
        if self.global_clipnorm:
            if arena.groups:
                arena.groups[0].k.clip_together([group.gradients for group in arena.groups], self.global_clipnorm)
        elif self.clipnorm:
            k = backend.kernels_of(arena.grads[0])
            for g in arena.grads:
                k.clip_together([g], self.clipnorm)
        elif self.clipvalue:
            for group in arena.groups:
                group.k.clip_in_place(group.gradients, self.clipvalue)

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Name variables, or parts of names, that weight decay passes over; before the first step."""
        self._no_decay_given = (list(var_list or ()), list(var_names or ()))
        if self.arena is not None:
            listed, names = self._no_decay_given
            self._no_decay = {
                i
                for i, v in enumerate(self.arena.variables)
                if any(v is w for w in listed) or any(re.search(n, v.name) for n in names)
            }

    def _without_decay(self) -> set[int]:
        """Positions of the variables that weight decay passes over."""
        if self._no_decay_given and not self._no_decay:
            self.exclude_from_weight_decay(*self._no_decay_given)
        return self._no_decay

    def _decay(self, arena: Arena, unused: Any) -> None:
        decay = self.weight_decay
        if decay:
            passed_over = set(unused) | self._without_decay()
            for group in arena.groups:
                dtype = "float64" if group.dtype.itemsize == 8 else "float32"
                (factor,) = replay.numbers(partial(self._kept, decay), dtype)
                for run in group.runs(passed_over):
                    group.weights[run] *= factor

    def _kept(self, decay: float) -> tuple[float]:
        """The share of a weight that its decay leaves."""
        return (1 - decay * self._rate,)

    def _average(self, arena: Arena) -> None:
        updates = int(self._iterations.data) // (self.gradient_accumulation_steps or 1)
        momentum = self.ema_momentum if updates else 0.0
        frequency = self.ema_overwrite_frequency
        overwrite = frequency is not None and (updates + 1) % frequency == 0
        for group, average in zip(arena.groups, self._slots["average"].flats):
            average -= group.weights  # w + μ (a - w): in place, as the weights are new already and memory may be short
            average *= momentum
            average += group.weights
            if overwrite:
                group.weights[...] = average

    def finalize_variable_values(self, var_list: Any) -> None:
        """After training: weights become their averages where EMA is on and wasn't written back all along."""
        if self.use_ema and self.arena is not None:
            for group, average in zip(self.arena.groups, self._slots["average"].flats):
                group.weights[...] = average

    def _update(self, arena: Arena, lr: float, unused: Any) -> None:
        if type(self).update_step is not ArenaUpdate.update_step:
            replay.refuse(f"the optimizer {type(self).__name__} has an update_step of its own, which may read the host")
            for i, (v, g) in enumerate(zip(arena.variables, arena.grads)):
                if i not in unused:
                    self.update_step(Tensor(g.copy()), v, lr)
            return
        kernel, now = self.rule(lr)
        numbers = replay.numbers(lambda: self.rule(self._rate)[1], now=now)
        names = [name for names in self.slots for name in names]
        for i, group in enumerate(arena.groups):
            rule = group.k.OPTIMIZER_RULES[kernel]
            flats = [group.weights, group.gradients, *(self._slots[name].flats[i] for name in names)]
            if not unused:
                group.k.blocked(rule, flats, group.scratch, numbers)
                continue
            for run in group.runs(unused):
                group.k.blocked(rule, [flat[run] for flat in flats], group.scratch, numbers)

    def rule(self, lr: float) -> tuple[str, tuple[Any, ...]]:
        """The kernel of this step and its numbers, for the learning rate ``lr``."""
        raise NotImplementedError(f"{type(self).__name__} needs a rule() or an update_step().")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update one variable; for optimizers of the user's own."""
        raise NotImplementedError

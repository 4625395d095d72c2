"""The base of optimizers: their arguments, learning rate and state."""

from __future__ import annotations

import inspect
import math
import warnings
from typing import Any, Iterable, Sequence

import numpy as np

from .. import backend
from ..autograd.op import to_tensor
from ..autograd.tensor import Tensor
from ..autograd.variable import Variable
from ..registry import deserialize_keras_object, export, serialize_keras_object
from ..utils.naming import auto_name, close_matches
from .arena import Arena, Slot
from .schedules import InverseTimeDecay, LearningRateSchedule
from .update import ArenaUpdate


def host_variable(value: Any, dtype: str, name: str) -> Variable:
    """State that the host reads at every step, wherever the weights are."""
    with backend.device("cpu"):
        return Variable(value, dtype=dtype, trainable=False, name=name)


@export("keras.optimizers.Optimizer", "keras.Optimizer")
class Optimizer(ArenaUpdate):
    """Base of all optimizers.

    A subclass of deepkit's own names its slots and a kernel of ``backend/*/optimizer.py``; a user's subclass overrides
    ``build`` and ``update_step(gradient, variable, learning_rate)`` as in Keras.

    Args:
        learning_rate: Number, schedule, or function without arguments.
        weight_decay: Each step takes ``weight_decay · learning_rate`` of every weight away.
        clipnorm: Limit of the norm of each variable's gradient.
        clipvalue: Limit of each element of the gradients.
        global_clipnorm: Limit of the norm of all gradients together.
        use_ema: Keep a moving average of the weights.
        ema_momentum: Its momentum.
        ema_overwrite_frequency: Overwrite the weights with the average each so many steps.
        loss_scale_factor: Factor of the loss before gradients are taken; they are divided by it.
        gradient_accumulation_steps: Sum gradients over so many steps before an update.
        name: Name.

    Raises:
        ValueError: for contradictory or unknown arguments.
    """

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        cls = type(self).__name__
        if "lr" in kwargs:
            learning_rate = kwargs.pop("lr")
        decay = kwargs.pop("decay", None)
        if decay:
            learning_rate = InverseTimeDecay(float(learning_rate), decay_steps=1, decay_rate=float(decay))
        if kwargs:
            known = [
                *inspect.signature(type(self).__init__).parameters,
                *inspect.signature(Optimizer.__init__).parameters,
            ]
            unknown = next(iter(kwargs))
            raise ValueError(f"{cls} has no argument {unknown!r}.{close_matches(unknown, known)}")
        given = [
            n
            for n, v in (
                ("clipnorm", clipnorm),
                ("clipvalue", clipvalue),
                ("global_clipnorm", global_clipnorm),
            )
            if v
        ]
        if len(given) > 1:
            raise ValueError(f"{cls}: only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                             f"{' and '.join(given)}")  # fmt: skip
        for label, value in (("clipnorm", clipnorm), ("clipvalue", clipvalue), ("global_clipnorm", global_clipnorm)):
            if value is not None and value <= 0:
                raise ValueError(f"{cls}: `{label}` should be positive. Received: {label}={value}")
        if use_ema and not 0 <= ema_momentum <= 1:
            raise ValueError(f"{cls}: `ema_momentum` should be in [0, 1]. Received: ema_momentum={ema_momentum}")
        if ema_overwrite_frequency is not None and (
            not isinstance(ema_overwrite_frequency, int) or ema_overwrite_frequency < 1
        ):
            raise ValueError(f"{cls}: `ema_overwrite_frequency` should be an integer above 0 or None. Received: "
                             f"{ema_overwrite_frequency!r}")  # fmt: skip
        if gradient_accumulation_steps is not None and gradient_accumulation_steps < 2:
            raise ValueError(f"{cls}: `gradient_accumulation_steps` should be an integer above 1 or None. Received: "
                             f"{gradient_accumulation_steps!r}")  # fmt: skip
        self.name = name or auto_name(cls)
        self.weight_decay = weight_decay
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.use_ema, self.ema_momentum = use_ema, ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._iterations = host_variable(0, "int32", "iteration")
        self._iterations.path = f"{self.name}/iteration"
        self._schedule: LearningRateSchedule | Any = None
        self._learning_rate: Variable | None = None
        self._set_learning_rate(learning_rate)
        self.built = False
        self.arena: Arena | None = None
        self._slots: dict[str, Slot] = {}
        self._extra: list[Variable] = []
        self._no_decay: set[int] = set()
        self._warned = False

    # -- learning rate -------------------------------------------------------------------------------------------------
    def _set_learning_rate(self, value: Any) -> None:
        if isinstance(value, (dict, str)):
            value = deserialize_keras_object(value)
        if isinstance(value, LearningRateSchedule) or (callable(value) and not isinstance(value, Tensor)):
            self._schedule, self._learning_rate = value, None
            return
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"{type(self).__name__}: `learning_rate` should be a number. Received: {value!r}")
        self._schedule = None
        self._learning_rate = host_variable(number, "float32", "learning_rate")
        self._learning_rate.path = f"{self.name}/learning_rate"

    @property
    def learning_rate(self) -> Any:
        """The learning rate now: a variable, or the schedule's value. It can be set."""
        if self._schedule is not None:
            return to_tensor(self._current_learning_rate())
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, LearningRateSchedule) or (callable(value) and not isinstance(value, Tensor)):
            self._schedule, self._learning_rate = value, None
            return
        if isinstance(self._schedule, LearningRateSchedule):
            raise TypeError(
                f"Optimizer {self.name!r} was made with a schedule, so its learning rate can't be set to a "
                f"number. Make it "
                "with a number to be able to."
            )
        if self._learning_rate is None:
            self._set_learning_rate(value)
        else:
            self._learning_rate.assign(np.asarray(float(value), "float32"))

    lr = learning_rate

    def _current_learning_rate(self) -> float:
        schedule = self._schedule
        if schedule is None:
            return float(self._learning_rate.data)  # type: ignore[union-attr]
        if isinstance(schedule, LearningRateSchedule):
            return float(schedule(int(self._iterations.data) // (self.gradient_accumulation_steps or 1)))
        return float(schedule())

    @property
    def iterations(self) -> Any:
        """Number of updates so far."""
        if self.gradient_accumulation_steps:
            return to_tensor(int(self._iterations.data) // self.gradient_accumulation_steps)
        return self._iterations

    @property
    def _step(self) -> int:
        """Number of this update, from 1."""
        return int(self._iterations.data) // (self.gradient_accumulation_steps or 1) + 1

    # -- state ---------------------------------------------------------------------------------------------------------
    def build(self, variables: Sequence[Variable]) -> None:
        """Lay the variables out in an arena and make the slots. Doing it again for the same ones changes nothing."""
        variables = list(variables)
        if self.arena is not None and self.arena.holds(variables):
            self.arena.rebind()
            return
        before = self._states()
        arena = Arena(variables)
        slots: dict[str, Slot] = {}
        if self.use_ema:
            slots["average"] = arena.slot("average", "weights")
        if self.gradient_accumulation_steps:
            slots["gradient_accumulator"] = arena.slot("gradient_accumulator")
        for group_of_slots in self.slots:
            for name in group_of_slots:
                slots[name] = arena.slot(name, self.initial.get(name, 0.0))
        # Only now, as memory may have run out on the way.
        self.arena, self._slots = arena, slots
        self._no_decay = set()  # positions in the arena before
        # The state of variables that were trained before (a layer was frozen or thawed since) goes on.
        for name, slot in self._slots.items():
            for v, state in zip(variables, slot.variables):
                old = before.get((name, id(v)))
                if old is not None:
                    state.assign(old)
        self.built = True

    def _states(self) -> dict[tuple[str, int], np.ndarray]:
        if self.arena is None:
            return {}
        return {
            (name, id(v)): state.numpy()
            for name, slot in self._slots.items()
            for v, state in zip(self.arena.variables, slot.variables)
        }

    def add_variable(self, shape: Any, initializer: Any = "zeros", dtype: Any = None, aggregation: str = "none",
                     layout: Any = None, name: str | None = None) -> Variable:  # fmt: skip
        """Make a variable that is part of the optimizer's state."""
        from .. import initializers

        v = Variable(initializers.get(initializer), shape, dtype, trainable=False, name=name)
        self._extra.append(v)
        return v

    def add_variable_from_reference(
        self, reference_variable: Any, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Make a variable of the shape and dtype of another one."""
        name = (name or "slot").replace("/", "_")
        prefix = reference_variable.path.replace("/", "_")
        return self.add_variable(
            reference_variable.shape, initializer, reference_variable.dtype, name=f"{prefix}_{name}"
        )

    @property
    def variables(self) -> list[Variable]:
        """The state, in the order it is saved in."""
        out = [self._iterations]
        if self._learning_rate is not None:
            out.append(self._learning_rate)
        groups = [("average",), ("gradient_accumulator",), *self.slots]
        for names in groups:
            present = [self._slots[name].variables for name in names if name in self._slots]
            for states in zip(*present):
                out += states
        return out + self._extra

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Put the state into ``store`` by number."""
        for i, v in enumerate(self.variables):
            store[str(i)] = v.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take the state out of ``store``.

        Raises:
            ValueError: if it is that of another kind of optimizer or of other variables.
        """
        variables = self.variables
        if len(store.keys()) != len(variables):
            raise ValueError(
                f"Optimizer {self.name!r} has {len(variables)} variables, the file has {len(store.keys())} for "
                f"it. Build it "
                "for the same model first."
            )
        arrays = []
        for i, v in enumerate(variables):
            arrays.append(np.asarray(store[str(i)]))
            if arrays[i].shape != v.shape:
                raise ValueError(f"Optimizer {self.name!r}: {v.path} has shape {v.shape}, the file {arrays[i].shape}.")
        for v, a in zip(variables, arrays):
            v.assign(a)

    # -- updates -------------------------------------------------------------------------------------------------------
    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """One update from pairs of gradients and variables."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """One update.

        Args:
            grads: Gradients; ``None`` leaves the variable as it is, with a warning.
            trainable_variables: The variables, those of :meth:`build` by default.

        Raises:
            ValueError: if no gradient is given, or a variable isn't one that the optimizer was built for.
        """
        grads = list(grads)
        if trainable_variables is None:
            if self.arena is None:
                raise ValueError(f"Optimizer {self.name!r}: apply() needs the variables before the first build().")
            trainable_variables = self.arena.variables
        variables = list(trainable_variables)
        if len(grads) != len(variables):
            raise ValueError(f"Optimizer {self.name!r}: {len(grads)} gradients for {len(variables)} variables.")
        if not self.built:
            self.build(variables)
        arena = self.arena
        assert arena is not None
        arena.rebind()
        place = {id(v): i for i, v in enumerate(arena.variables)}
        missing = []
        unused = set(range(len(arena.variables)))
        for g, v in zip(grads, variables):
            i = place.get(id(v))
            if i is None:
                raise ValueError(
                    f"Variable {v.path!r} isn't one that optimizer {self.name!r} was built for. Make a new "
                    f"optimizer, or "
                    "build this one with all the variables it is going to train."
                )
            if g is None:
                missing.append(v.path)
                continue
            arena.grads[i][...] = g.data if isinstance(g, Tensor) else g
            unused.discard(i)
        if len(missing) == len(grads):
            raise ValueError(f"No gradients for any variable: {missing}. Does the loss depend on them?")
        if missing and not self._warned:
            self._warned = True
            warnings.warn(f"Gradients do not exist for variables {missing} when minimizing the loss.", stacklevel=3)
        self.step_arena(unused)

    def assign(self, variable: Variable, value: Any) -> None:
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        variable.assign_sub(value)

    def loss_scale(self) -> Any:
        """What the loss is multiplied by before gradients are taken; ``None`` for 1."""
        return self.loss_scale_factor

    def scale_loss(self, loss: Any) -> Any:
        """The loss times :meth:`loss_scale`."""
        scale = self.loss_scale()
        return loss if scale is None else loss * (scale if isinstance(scale, float) else Tensor(scale))

    def get_config(self) -> dict[str, Any]:
        """Keyword arguments that make the optimizer again."""
        if self._schedule is None:
            rate: Any = float(self._learning_rate.data)  # type: ignore[union-attr]
        else:
            rate = serialize_keras_object(self._schedule)
        return {
            "name": self.name, "learning_rate": rate, "weight_decay": self.weight_decay, "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm, "clipvalue": self.clipvalue, "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum, "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = deserialize_keras_object(config["learning_rate"], custom_objects)
        return cls(**config)

"""Several optimizers for the variables of one model."""

from __future__ import annotations

import re
from typing import Any, Iterator, MutableMapping, Sequence

from ..autograd.variable import Variable
from ..backend import replay
from ..registry import deserialize_keras_object, export, serialize_keras_object
from .loss_scale import LossScaleOptimizer
from .optimizer import Optimizer


@export("keras.optimizers.OptimizerMap")
class OptimizerMap(MutableMapping):  # type: ignore[type-arg]
    """Optimizers by the paths of variables.

    Keys are regular expressions that have to match a whole path, such as ``"dense/.*"``; paths that none matches get
    the default.

    Args:
        default_optimizer: The default.
        optimizer_map: Dictionary of the others.

    Raises:
        TypeError: if something isn't an optimizer, or the map not a dictionary.
        ValueError: on looking up a path that several keys match.

    Example:
        >>> from deepkit.optimizers import SGD, Adam
        >>> by_path = OptimizerMap(Adam())
        >>> by_path[".*/bias"] = SGD()
        >>> type(by_path["dense/bias"]).__name__, type(by_path["dense/kernel"]).__name__
        ('SGD', 'Adam')
    """

    def __init__(self, default_optimizer: Any, optimizer_map: dict[str, Any] | None = None):
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(f"OptimizerMap: `default_optimizer` isn't an Optimizer. Received: {default_optimizer!r}")
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"OptimizerMap: `optimizer_map` should be a dictionary. Received: {optimizer_map!r}")
        self.default_optimizer = default_optimizer
        self._map: dict[str, Optimizer] = {}
        for key, optimizer in (optimizer_map or {}).items():
            self[key] = optimizer

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._map:
            return self._map[key]
        matching = [pattern for pattern in self._map if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ValueError(f"OptimizerMap: several keys match the variable {key!r}: {matching}.")
        return self._map[matching[0]] if matching else self.default_optimizer

    def __setitem__(self, key: str, optimizer: Any) -> None:
        if not isinstance(key, str):
            raise ValueError(f"OptimizerMap: keys are strings. Received: {key!r}")
        if key in self._map:
            raise ValueError(f"OptimizerMap: the key {key!r} is there already. Delete it first to replace it.")
        if not isinstance(optimizer, Optimizer) or isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
            raise ValueError(
                f"OptimizerMap: {key!r} should be given a plain Optimizer. Received: {optimizer!r}; loss scaling goes "
                "around the MultiOptimizer."
            )
        self._map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._map[key]

    def __len__(self) -> int:
        return len(self._map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._map)

    def __call__(self, variable: Variable) -> Optimizer:
        """The optimizer of a variable."""
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """Keyword arguments that make the map again."""
        return {
            "default_optimizer": serialize_keras_object(self.default_optimizer),
            "optimizer_map": serialize_keras_object(self._map),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> OptimizerMap:
        return cls(**{key: deserialize_keras_object(value, custom_objects) for key, value in config.items()})


class Arenas:
    """The arenas of several optimizers seen as one: all their variables, in the order of the model's."""

    def __init__(self, variables: Sequence[Variable], parts: Sequence[Any]):
        self.variables = list(variables)
        self.parts = list(parts)
        found = {id(v): g for part in self.parts for v, g in zip(part.variables, part.grads)}
        self.grads = [found[id(v)] for v in self.variables]
        self.groups = [group for part in self.parts for group in part.groups]

    def rebind(self) -> None:
        """Take back variables whose array another arena has made its own meanwhile."""
        for part in self.parts:
            part.rebind()


@export("keras.optimizers.MultiOptimizer")
class MultiOptimizer(Optimizer):
    """Trains each variable by an optimizer of its own choice.

    Args:
        optimizer_map: An :class:`OptimizerMap`, or a function that gives the optimizer of a variable.
        loss_scale_factor: Factor of the loss before gradients are taken, for all of them.
        name: Name.

    Raises:
        ValueError: when building, if the map gives something that isn't a plain optimizer.

    Example:
        >>> import deepkit
        >>> from deepkit.optimizers import SGD
        >>> a, b = deepkit.Variable([1.0], name="a"), deepkit.Variable([1.0], name="b")
        >>> optimizer = MultiOptimizer(OptimizerMap(SGD(0.5), {"b": SGD(0.25)}))
        >>> optimizer.apply([deepkit.ops.ones(1), deepkit.ops.ones(1)], [a, b])
        >>> a.tolist(), b.tolist()
        ([0.5], [0.75])
    """

    def __init__(self, optimizer_map: Any, loss_scale_factor: float | None = None, name: str | None = None):
        self.optimizers: list[Optimizer] = []
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self.optimizer_map = optimizer_map
        values = list(optimizer_map.values()) if hasattr(optimizer_map, "values") else []
        for optimizer in (*values, getattr(optimizer_map, "default_optimizer", None)):
            if optimizer is not None:
                self._place(optimizer)

    def _place(self, optimizer: Any) -> int:
        """Position of ``optimizer`` in :attr:`optimizers`, where it is put if it is new."""
        if not isinstance(optimizer, Optimizer) or isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
            raise ValueError(f"MultiOptimizer takes plain optimizers. Received: {optimizer!r}")
        for i, known in enumerate(self.optimizers):
            if known is optimizer:
                return i
        optimizer.loss_scale_factor = self.loss_scale_factor
        self.optimizers.append(optimizer)
        return len(self.optimizers) - 1

    def build(self, variables: Sequence[Variable]) -> None:
        places = [self._place(self.optimizer_map(v)) for v in variables]
        used = []
        for i, optimizer in enumerate(self.optimizers):
            own = [v for v, place in zip(variables, places) if place == i]
            if own:
                optimizer.build(own)
                used.append(optimizer.arena)
        self.arena = Arenas(variables, used)  # type: ignore[assignment]
        self.built = True

    @property
    def variables(self) -> list[Variable]:
        """The state of all, in the order it is saved in."""
        return super().variables + [v for optimizer in self.optimizers for v in optimizer.variables]

    def step_arena(self, unused: Any = ()) -> None:
        assert self.arena is not None
        without = {id(self.arena.variables[i]) for i in unused}
        for optimizer in self.optimizers:
            own = optimizer.arena.variables if optimizer.arena is not None else []
            skip = [i for i, v in enumerate(own) if id(v) in without]
            if len(skip) < len(own):
                optimizer.step_arena(skip)
        replay.act(self._count)

    def phase(self) -> tuple[Any, ...]:
        return tuple(optimizer.phase() for optimizer in self.optimizers)

    @property
    def loss_scale_factor(self) -> float | None:  # type: ignore[override]
        """Factor of the loss; setting it reaches all optimizers."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._loss_scale_factor = value
        for optimizer in self.optimizers:
            optimizer.loss_scale_factor = value

    @property
    def learning_rate(self) -> Any:
        """There is none.

        Raises:
            AttributeError: always; each of :attr:`optimizers` has its own.
        """
        raise AttributeError("A MultiOptimizer has no learning rate; see those of its `optimizers`.")

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError("A MultiOptimizer has no learning rate; set those of its `optimizers`.")

    lr = learning_rate

    def finalize_variable_values(self, var_list: Any) -> None:
        for optimizer in self.optimizers:
            optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        return {
            "optimizer_map": serialize_keras_object(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        config = dict(config)
        if isinstance(config["optimizer_map"], dict):
            config["optimizer_map"] = deserialize_keras_object(config["optimizer_map"], custom_objects)
        return cls(**config)

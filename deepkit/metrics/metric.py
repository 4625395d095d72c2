"""The base of metrics: state that accumulates over batches."""

from __future__ import annotations

from typing import Any

from .. import initializers
from ..autograd.dtypes import standardize_dtype
from ..autograd.scopes import StatelessScope
from ..autograd.variable import Variable
from ..layers.tracking import attributes
from ..registry import export, serialize_keras_object
from ..utils.naming import auto_name


@export("keras.metrics.Metric", "keras.Metric")
class Metric:
    """Base of metrics; subclass it with ``update_state``, ``result`` and, if zeros won't do, ``reset_state``.

    Args:
        dtype: Dtype of the state; ``floatx()`` by default.
        name: Name under which the result is reported.

    Example:
        >>> from deepkit import ops
        >>> class Largest(Metric):
        ...     def __init__(self, name="largest"):
        ...         super().__init__(name=name)
        ...         self.value = self.add_variable((), "zeros", name="value")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.value.assign(ops.maximum(self.value, ops.max(y_pred)))
        ...     def result(self):
        ...         return self.value
        >>> float(Largest()([0.0], [3.0]))
        3.0
    """

    def __init__(self, dtype: Any = None, name: str | None = None):
        self.name = name or auto_name(type(self).__name__)
        self._given_dtype = dtype
        self._dtype = standardize_dtype(getattr(dtype, "compute_dtype", dtype))
        self._own: list[Variable] = []
        self.built = True

    @property
    def dtype(self) -> str:
        return self._dtype

    def add_variable(self, shape: Any = (), initializer: Any = "zeros", dtype: Any = None, aggregation: str = "sum",
                     name: str | None = None) -> Variable:  # fmt: skip
        """Make a variable that is part of the state."""
        v: Any = Variable(initializers.get(initializer), shape, dtype or self._dtype, trainable=False, name=name)
        v._initializer = initializers.get(initializer)
        v.path = f"{self.name}/{v.name}"
        self._own.append(v)
        return v

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """The same as :meth:`add_variable`."""
        return self.add_variable(shape, initializer or "zeros", dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The state, that of metrics held by this one included."""
        found = {id(v): v for v in self._own}
        for value in attributes(self):
            if isinstance(value, Variable):
                found.setdefault(id(value), value)
            elif isinstance(value, Metric) and value is not self:
                found.update((id(v), v) for v in value.variables)
        return list(found.values())

    def reset_state(self) -> None:
        """Start anew."""
        for v in self.variables:
            v.writable()[...] = 0

    reset_states = property(lambda self: self.reset_state)

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__} needs an update_state() method.")

    def result(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a result() method.")

    def stateless_update_state(self, metric_variables: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """The state after :meth:`update_state`, without a change of the metric's own.

        Args:
            metric_variables: Values of the state, in the order of :attr:`variables`.
            *args: Arguments of :meth:`update_state`.
            **kwargs: The same.

        Raises:
            ValueError: for another number of values.
        """
        with self._scope(metric_variables) as scope:
            self.update_state(*args, **kwargs)
        return [scope.get_current_value(v) for v in self.variables]

    def stateless_result(self, metric_variables: Any) -> Any:
        """The result for values of the state, in the order of :attr:`variables`."""
        with self._scope(metric_variables):
            return self.result()

    def stateless_reset_state(self) -> list[Any]:
        """Values of the state as they are at the start."""
        with StatelessScope() as scope:
            self.reset_state()
            return [scope.get_current_value(v) for v in self.variables]

    def _scope(self, values: Any) -> StatelessScope:
        values = list(values)
        if len(values) != len(self.variables):
            raise ValueError(f"Metric {self.name!r} has {len(self.variables)} variables; received "
                             f"{len(values)} values.")  # fmt: skip
        return StatelessScope(zip(self.variables, values))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.update_state(*args, **kwargs)
        return self.result()

    def save_own_variables(self, store: dict[str, Any]) -> None:
        for i, v in enumerate(self.variables):
            store[str(i)] = v.numpy()

    def load_own_variables(self, store: Any) -> None:
        for i, v in enumerate(self.variables):
            v.assign(store[str(i)])

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": serialize_keras_object(self._given_dtype or self._dtype)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

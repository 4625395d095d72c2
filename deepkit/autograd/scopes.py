"""Scopes in which variables keep their values, and in which only shapes are computed."""

from __future__ import annotations

from typing import Any, Iterable

from .op import to_tensor
from .tape import local, shapes_only
from .tensor import Tensor
from .variable import Variable


class StatelessScope:
    """Context in which variables have the values given for them, and what is assigned to them is undone at its end.

    What a variable was assigned is then had from :meth:`get_current_value`. Gradients flow through a variable to the
    tensor given for it. The values are put into the variables themselves, so other threads see them too.

    Args:
        state_mapping: Pairs of a variable and its value.
        collect_losses: Collect in ``losses`` what :meth:`Layer.add_loss` is given inside, and keep it from the layers.
        initialize_variables: Accepted for compatibility; variables have their values from the start.

    Raises:
        ValueError: for a key that is no variable, or a value of another shape.

    Example:
        >>> import deepkit
        >>> v = deepkit.Variable(1.0)
        >>> with StatelessScope([(v, 5.0)]) as scope:
        ...     _ = v.assign_add(2.0)
        >>> float(v), float(scope.get_current_value(v))
        (1.0, 7.0)
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ):
        self.collect_losses, self.initialize_variables = collect_losses, initialize_variables
        self.losses: list[Any] = []
        self._given: list[tuple[Variable, Tensor]] = []
        for variable, value in state_mapping or ():
            if not isinstance(variable, Variable):
                raise ValueError(f"StatelessScope: the keys of `state_mapping` are variables. Received: {variable!r}")
            tensor = to_tensor(value, variable.dtype)
            if tensor.shape != variable.shape:
                raise ValueError(
                    f"StatelessScope: variable {variable.path!r} has shape {variable.shape}, the value for it "
                    f"{tensor.shape}."
                )
            self._given.append((variable, tensor))
        self._values: dict[int, Tensor] = {id(v): t for v, t in self._given}
        self._owned: dict[int, tuple[Variable, Any, int]] = {}
        self._before: Any = None

    def __enter__(self) -> StatelessScope:
        self._before, local.stateless = local.stateless, self
        for variable, tensor in self._given:
            self.own(variable)
            variable.data[...] = tensor.data
            variable.node = tensor.node
        return self

    def own(self, variable: Variable) -> None:
        """Give the variable an array of its own for the time of the scope; called before it is written to."""
        if id(variable) not in self._owned:
            self._owned[id(variable)] = variable, variable.data, variable.node
            variable.data = variable.data.copy()

    def add_loss(self, loss: Any) -> None:
        """Collect a loss."""
        self.losses.append(loss)

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Assign a value to a variable, as a pair of both."""
        variable, value = update
        variable.assign(value)

    def get_current_value(self, variable: Variable) -> Tensor | None:
        """The variable's value in the scope; ``None`` if none was given or assigned."""
        if id(variable) in self._owned:
            return Tensor(variable.data.copy())
        return self._values.get(id(variable))

    def __exit__(self, *exc: Any) -> None:
        local.stateless = self._before
        for key, (variable, data, node) in self._owned.items():
            self._values[key] = Tensor(variable.data)
            variable.data, variable.node = data, node
        self._owned.clear()


def in_stateless_scope() -> bool:
    """Whether a :class:`StatelessScope` is open in this thread."""
    return isinstance(local.stateless, StatelessScope)


class SymbolicScope(shapes_only):
    """Context for calls on symbolic tensors of which only the shapes are wanted: no graph is made of them.

    Example:
        >>> import deepkit
        >>> x = deepkit.Input((2,))
        >>> with SymbolicScope():
        ...     y = x + 1.0
        >>> y.shape, y.node
        ((None, 2), None)
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(True)

    def __enter__(self) -> SymbolicScope:  # type: ignore[override]
        super().__enter__()
        return self


class Journal:
    """Context that remembers what variables held before they were written to, such as the states of random streams.

    Scopes outside of it see all that they would without it.

    Attributes:
        before: The variables and copies of their arrays, by identity.
    """

    def __init__(self) -> None:
        self.before: dict[int, tuple[Variable, Any]] = {}

    def __enter__(self) -> Journal:
        self._outer, local.stateless = local.stateless, self
        return self

    def __exit__(self, *exc: Any) -> None:
        local.stateless = self._outer

    @property
    def collect_losses(self) -> bool:
        return self._outer is not None and self._outer.collect_losses

    def add_loss(self, loss: Any) -> None:
        self._outer.add_loss(loss)

    def remembers(self) -> bool:
        """Whether what is written now is done now."""
        return True

    def own(self, variable: Variable) -> None:
        """Called before ``variable`` is written to."""
        if id(variable) not in self.before and self.remembers():
            self.before[id(variable)] = variable, variable.data.copy()
        if self._outer is not None:
            self._outer.own(variable)

    def replay(self) -> StatelessScope:
        """Context in which these variables hold that again, and what is assigned to them, and losses, are forgotten."""
        return StatelessScope([(v, Tensor(data)) for v, data in self.before.values()], collect_losses=True)

    def restore(self) -> None:
        """Give the variables back what they held."""
        for variable, data in self.before.values():
            variable.data[...] = data


__all__ = ["Journal", "StatelessScope", "SymbolicScope", "in_stateless_scope"]

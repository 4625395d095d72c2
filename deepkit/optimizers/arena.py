"""The parameter arena: all trainable variables in one flat array, their gradients and slots in others like it."""

from __future__ import annotations

from typing import Any, Callable, Iterator, Sequence

from .. import backend
from ..autograd.variable import Variable


class Scratch:
    """Working memory that is made when somebody asks for it: kernels of a GPU keep what they need in registers.

    Args:
        make: Makes one of the two pieces.
    """

    def __init__(self, make: Callable[[], Any]):
        self._make = make
        self._pieces: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        if not self._pieces:
            self._pieces = [self._make() for _ in range(2)]
        return iter(self._pieces)


class Group:
    """The variables of one dtype.

    Attributes:
        members: Positions of the variables in the arena.
        bounds: Where each begins and ends in the flat arrays.
        weights: Flat values.
        gradients: Flat gradients.
        scratch: Two pieces of working memory.
    """

    def __init__(self, k: Any, members: list[int], variables: Sequence[Variable]):
        self.k, self.members = k, members
        self.bounds: list[tuple[int, int]] = []
        end = 0
        for i in members:
            start, end = end, end + variables[i].size
            self.bounds.append((start, end))
        self.size, self.dtype = end, variables[members[0]].data.dtype
        self.weights = k.empty(end, self.dtype)
        self.gradients = k.zeros(end, self.dtype)
        self.scratch: Any = Scratch(lambda: k.empty(min(end, k.OPTIMIZER_BLOCK), self.dtype))
        if not k.RUNS_OUT:
            self.scratch = list(self.scratch)

    def runs(self, skip: Any) -> Iterator[slice]:
        """Stretches of the flat arrays without the variables in ``skip``."""
        if not skip:
            yield slice(0, self.size)
            return
        start = None
        for i, (a, b) in zip(self.members, self.bounds):
            if i in skip:
                if start is not None:
                    yield slice(start, a)
                start = None
            elif start is None:
                start = a
            last = b
        if start is not None:
            yield slice(start, last)


class Arena:
    """Flat, contiguous storage of variables and their gradients, one array a dtype.

    Each variable's array becomes a view of it, its values kept.

    Args:
        variables: Trainable variables.

    Attributes:
        grads: Gradient of each variable, as a view.
    """

    def __init__(self, variables: Sequence[Variable]):
        self.variables = list(variables)
        by_dtype: dict[Any, list[int]] = {}
        for i, v in enumerate(self.variables):
            by_dtype.setdefault(v.data.dtype, []).append(i)
        k = backend.kernels_of(self.variables[0].data) if self.variables else backend.active()
        self.groups = [Group(k, members, self.variables) for members in by_dtype.values()]
        self.grads = self._views([group.gradients for group in self.groups])
        self._weights = self._views([group.weights for group in self.groups])
        self.rebind()

    def _views(self, flats: Sequence[Any]) -> list[Any]:
        out: list[Any] = [None] * len(self.variables)
        for group, flat in zip(self.groups, flats):
            for i, (a, b) in zip(group.members, group.bounds):
                out[i] = flat[a:b].reshape(self.variables[i].shape)
        return out

    def rebind(self) -> None:
        """Take back variables whose array another arena has made its own meanwhile."""
        for v, view in zip(self.variables, self._weights):
            if v.data is not view:
                view[...] = v.data
                v.data = view

    def holds(self, variables: Sequence[Variable]) -> bool:
        """Whether these are the arena's variables, in its order."""
        return len(variables) == len(self.variables) and all(a is b for a, b in zip(variables, self.variables))

    def slot(self, name: str, fill: float | str = 0.0) -> Slot:
        """Further state, one number for each weight, that starts at ``fill`` or, with ``"weights"``, at the weights."""
        return Slot(self, name, fill)


class Slot:
    """Optimizer state laid out like the weights: flat arrays, and a variable for each weight that is a view of them."""

    def __init__(self, arena: Arena, name: str, fill: float | str):
        if fill == "weights":
            self.flats = [group.weights.copy() for group in arena.groups]
        else:
            self.flats = [group.k.full(group.size, fill, group.dtype) for group in arena.groups]
        self.variables = []
        for v, view in zip(arena.variables, arena._views(self.flats)):
            state = Variable(view, trainable=False, name=f"{v.path.replace('/', '_')}_{name}")
            state.data = view
            self.variables.append(state)



"""Rematerialization: a function whose inner values are computed again on the way back, in place of being kept.

T. Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, Sequence

from ..utils.nest import flatten, pack
from .context import context
from .op import Op
from .scopes import Journal
from .spec import Spec
from .tape import GradientTape, local, paused
from .tensor import Tensor
from .variable import Variable


class _Remat(Op):
    """One call of a rematerialized function; its inputs are the tensors and the trainable variables that it reads."""

    name = "remat"

    def __init__(self, f: Callable, tree: Any, places: list[int], journal: Journal, variables: Sequence[Variable]):
        self.f, self.tree, self.places = f, tree, places
        self.journal, self.variables = journal, variables
        self.leaves = flatten(tree)
        # One layer deeper, so that a layer which is run again keeps the losses of its first run.
        self.state = (local.autocast, context.training, context.depth + 1, context.path)
        self.results: list[Any] = []

    def forward(self, k: Any, *arrays: Any, **params: Any) -> tuple[Any, Any]:
        return self.results[0] if self.outputs == 1 else tuple(self.results), None

    def run(self, handles: Sequence[Tensor]) -> list[Tensor]:
        """The function's tensors for other tensors in the places of its inputs."""
        leaves = list(self.leaves)
        for place, handle in zip(self.places, handles):
            handle._keras_mask = leaves[place]._keras_mask
            leaves[place] = handle
        args, kwargs = pack(self.tree, leaves)
        before = (local.autocast, context.training, context.depth, context.path)
        local.autocast, context.training, context.depth, context.path = self.state
        try:
            return [y for y in flatten(self.f(*args, **kwargs)) if isinstance(y, Tensor)]
        finally:
            local.autocast, context.training, context.depth, context.path = before

    def gradients(self, handles: list[Tensor], g: Any, needs: Sequence[Any], persistent: bool) -> list[Any]:
        """Gradients as tensors, from a second run of the function."""
        inputs = [*handles, *self.variables]
        nodes = [v.node for v in self.variables]
        with self.journal.replay(), GradientTape(persistent=persistent) as tape:
            if not persistent:
                tape.watch([h for h, need in zip(handles, needs) if need is not False])
            ys = self.run(handles)
            pairs = [(y, gi) for y, gi in zip(ys, g if isinstance(g, tuple) else (g,)) if gi is not None]
            if persistent:
                return tape.gradient([y for y, _ in pairs], inputs, [gi for _, gi in pairs])
        found = tape.gradient([y for y, _ in pairs], inputs, [gi for _, gi in pairs])
        for v, node in zip(self.variables, nodes):  # they still belong to the tape outside
            v.node = node
        return found

    def backward(self, k: Any, saved: Any, g: Any, needs: Sequence[Any]) -> Sequence[Any]:
        gs = tuple(None if gi is None else Tensor(k.asarray(gi)) for gi in (g if isinstance(g, tuple) else (g,)))
        with paused():
            handles = [Tensor(self.leaves[place].data) for place in self.places]
            found = self.gradients(handles, gs, needs, persistent=False)
        return [None if x is None else x.data for x in found]

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Sequence[Any]:
        from .op import identity

        handles = [identity(x) if need else x for x, need in zip(inputs[: len(self.places)], needs)]
        return self.gradients(handles, g, needs, persistent=True)


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """Function whose inner values are not kept for its gradient, but computed a second time when that is asked for.

    It saves memory, at the price of one more run of ``f``. Random numbers are the same in both runs, and variables
    that ``f`` assigns are assigned once. Losses that layers add inside don't reach the gradients: add them outside.

    Args:
        f: Function of tensors, or a layer. It may read variables.

    Returns:
        Function of the same arguments.

    Example:
        >>> import deepkit
        >>> square = remat(lambda x: deepkit.ops.exp(x) * deepkit.ops.exp(x))
        >>> float(deepkit.grad(square)(0.0))
        2.0
    """

    @functools.wraps(f, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        tree = (args, kwargs)
        leaves = flatten(tree)
        if local.recorder is None or any(isinstance(x, Spec) for x in leaves):
            return f(*args, **kwargs)
        places = [i for i, x in enumerate(leaves) if isinstance(x, Tensor) and not isinstance(x, Variable)]
        outside = local.recorder
        with paused(), Journal() as journal, GradientTape() as scout:
            nodes = _Nodes(leaves, outside)
            y = f(*args, **kwargs)
        variables = [v for v in scout.watched_variables() if v.trainable]
        nodes.restore(variables)
        op = _Remat(f, tree, places, journal, variables)
        outs = flatten(y)
        tensors = [out for out in outs if isinstance(out, Tensor)]
        if not tensors:
            return y
        op.results, op.outputs = [out.data for out in tensors], len(tensors)
        local.autocast, autocast = False, local.autocast  # variables are inputs as they are
        made = op(*(leaves[i] for i in places), *variables)
        local.autocast, op.results = autocast, []
        fresh = iter(made if op.outputs > 1 else (made,))
        recorded = []
        for out in outs:
            if isinstance(out, Tensor):
                mask, out = out._keras_mask, next(fresh)
                out._keras_mask = mask
            recorded.append(out)
        return pack(y, recorded)

    return call


class _Nodes:
    """The places on the tape outside of the variables that are met inside."""

    def __init__(self, leaves: list[Any], recorder: Any):
        self.known = {id(v): v.node for v in recorder.variables.values() if isinstance(v, Variable)}

    def restore(self, variables: Sequence[Variable]) -> None:
        for v in variables:
            v.node = self.known.get(id(v), 0)


__all__ = ["remat"]

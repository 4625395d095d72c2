"""Symbolic calls of functions as one node, where the nodes of their parts wouldn't do.

A function that is written with other ops is traced op by op on symbolic tensors. That fails where its shape depends on
values, or where a size that is unknown then is needed to write the parts down (``reshape`` to twice a size, say). Such
a function is a node of its own: a functional model calls it again, on values.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, Iterable, Sequence

from ..autograd.op import Op, attach_node
from ..autograd.spec import Spec
from ..autograd.tape import local, shapes_only
from ..utils.nest import flatten


class Function(Op):
    """A function as the operation of a symbolic call.

    Args:
        fn: The function.
        keep: Which leaves of its result are the node's outputs; all by default.
        parts: Whether the function can be traced op by op where the sizes allow it.

    Attributes:
        reference: What can be traced so, or ``None``.
    """

    def __init__(self, fn: Callable[..., Any], keep: Sequence[int] | None = None, parts: bool = False):
        self.fn, self.name, self.keep = fn, fn.__name__, keep
        self.reference = self._run if parts else None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if is_symbolic(*args, *kwargs.values()) and not local.shapes_only:  # one node again
            with shapes_only():
                outputs = self.fn(*args, **kwargs)
            outputs = deferred(self.fn, args, kwargs, outputs, self.reference is not None)
            return outputs if self.keep is None else tuple(flatten(outputs)[i] for i in self.keep)
        return self._run(*args, **kwargs)

    def _run(self, *args: Any, **kwargs: Any) -> Any:
        y = self.fn(*args, **kwargs)
        if self.keep is None:
            return y
        leaves = flatten(y)
        return tuple(leaves[i] for i in self.keep)


def deferred(
    fn: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], outputs: Any, parts: bool = False
) -> Any:
    """``outputs``, a Spec or a nest of them, as the results of ``fn(*args, **kwargs)``; see :class:`Function`."""
    if local.shapes_only:
        return outputs
    if isinstance(outputs, Spec):
        return attach_node(Function(fn, None, parts), args, kwargs, outputs)
    leaves = flatten(outputs)
    keep = [i for i, x in enumerate(leaves) if isinstance(x, Spec)]
    attach_node(Function(fn, keep, parts), args, kwargs, [leaves[i] for i in keep])
    return outputs


def is_symbolic(*values: Any) -> bool:
    """Whether one of the values, or of the members of one, is a :class:`Spec`."""
    return any(isinstance(x, Spec) or (type(x) in (tuple, list, dict) and _holds_spec(x)) for x in values)


def _holds_spec(nest: Any) -> bool:
    members: Iterable[Any] = nest.values() if type(nest) is dict else nest
    return any(isinstance(x, Spec) for x in members)


def one_node(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: a symbolic call of the function is one node, its Specs those that the function gives for Specs."""

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        if local.shapes_only or not (is_symbolic(*args) or (kwargs and is_symbolic(*kwargs.values()))):
            return fn(*args, **kwargs)
        with shapes_only():
            outputs = fn(*args, **kwargs)
        return deferred(fn, args, kwargs, outputs, parts=True)

    return call


__all__ = ["Function", "deferred", "is_symbolic", "one_node"]

"""Symbolic calls of functions whose result can't be traced: its shape depends on values, or on an unknown size."""

from __future__ import annotations

from typing import Any, Callable, Sequence

from ..autograd.op import attach_node
from ..autograd.spec import Spec
from ..autograd.tape import local


class Function:
    """A function as the operation of a symbolic call."""

    def __init__(self, fn: Callable[..., Any]):
        self.fn, self.name = fn, fn.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.fn(*args, **kwargs)


def deferred(fn: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], outputs: Any) -> Any:
    """The Specs ``outputs`` as the results of ``fn(*args, **kwargs)``, which a functional model calls on values."""
    return outputs if local.shapes_only else attach_node(Function(fn), args, kwargs, outputs)


def is_symbolic(*values: Any) -> bool:
    """Whether one of the values is a :class:`Spec`."""
    return any(isinstance(x, Spec) for x in values)


__all__ = ["Function", "deferred", "is_symbolic"]

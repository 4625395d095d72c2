"""What the calls under way in a thread share: training or inference, where they are in the model, and their losses."""

from __future__ import annotations

import threading
from typing import Any


class CallContext(threading.local):
    """State of the call that is running in this thread.

    Attributes:
        depth: How many layers deep the call is; 0 outside.
        training: The ``training`` argument in force, or ``None``.
        losses: What :meth:`Layer.add_loss` collected during the outermost call.
        path: Names of the enclosing layers and name scopes.
        inline: Symbolic calls of layers leave the ops inside them as the trace, not themselves.
        remat: The enclosing rematerialization scopes.
    """

    depth = 0
    training: Any = None
    losses: Any = None
    path: tuple[str, ...] = ()
    inline = False
    remat: tuple[Any, ...] = ()


context = CallContext()


def came_through(error: Any, name: str) -> None:
    """Note on an error that it leaves the call of a layer, so that whoever reports it can say where it was."""
    error.path = (name, *getattr(error, "path", ()))


class name_scope:
    """Context that puts a name before the paths of the variables and layers built in it.

    Args:
        name: The name.
        caller: Object that opens the scope; opened again by it at once, the scope doesn't repeat its name.
        deduplicate: Whether that is so.
        override_parent: Path that stands in for those of the enclosing scopes.

    Raises:
        ValueError: for a name that is no string or contains ``/``.

    Example:
        >>> import deepkit
        >>> with name_scope("encoder"):
        ...     deepkit.Variable(1.0, name="scale").path
        'encoder/scale'
    """

    _last_caller: Any = None

    def __init__(self, name: str, caller: Any = None, deduplicate: bool = True, override_parent: str | None = None):
        if not isinstance(name, str) or "/" in name:
            raise ValueError(f"The name of a scope should be a string without '/'. Received: {name!r}")
        self.name, self.caller, self.deduplicate, self.override_parent = name, caller, deduplicate, override_parent
        self._before: list[Any] = []

    def __enter__(self) -> name_scope:
        self._before.append((context.path, name_scope._last_caller))
        parent = context.path
        if self.override_parent is not None:
            parent = tuple(part for part in self.override_parent.split("/") if part)
        repeated = self.deduplicate and self.caller is not None and name_scope._last_caller is self.caller
        if not (repeated and parent[-1:] == (self.name,)):
            context.path = (*parent, self.name)
        name_scope._last_caller = self.caller
        return self

    def __exit__(self, *exc: Any) -> None:
        context.path, name_scope._last_caller = self._before.pop()


__all__ = ["CallContext", "came_through", "context", "name_scope"]

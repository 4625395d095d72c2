"""What the layers of one call share; see :mod:`deepkit.autograd.context`."""

from __future__ import annotations

from ..autograd.context import CallContext, came_through, context

__all__ = ["CallContext", "came_through", "context"]

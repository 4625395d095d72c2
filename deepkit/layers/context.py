"""What the layers of one call share: training or inference, where they are in the model, and the losses they add."""

from __future__ import annotations

import threading
from typing import Any


class CallContext(threading.local):
    """State of the call that is running in this thread.

    Attributes:
        depth: How many layers deep the call is; 0 outside.
        training: The ``training`` argument in force, or ``None``.
        losses: What :meth:`Layer.add_loss` collected during the outermost call.
        path: Names of the enclosing layers.
        inline: Symbolic calls of layers leave the ops inside them as the trace, not themselves.
    """

    depth = 0
    training: Any = None
    losses: Any = None
    path: tuple[str, ...] = ()
    inline = False


context = CallContext()

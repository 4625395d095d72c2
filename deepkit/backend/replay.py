"""What the host adds to a step that a device may replay.

A training step is a list of launches, and on a GPU it is recorded once and replayed from then on. Some of its numbers
are the host's, though: the learning rate, how many updates there were, which draw of a random stream comes next. A
step takes them from :func:`numbers`, and moves the host's state on with :func:`act`. Run eagerly, both do at once what
they are asked for. While a step is captured, nothing of the host's is touched: both are noted down, to be done before
each replay.
"""

from __future__ import annotations

import threading
from typing import Any, Callable, Sequence

__all__ = ["CaptureRefused", "act", "capturing", "local", "numbers", "refuse", "when"]


class CaptureRefused(RuntimeError):
    """A step does something that a replay would not repeat."""


class _Local(threading.local):
    capture: Any = None


#: The capture under way in this thread, of ``backend/cuda/graph.py``.
local = _Local()


def capturing() -> bool:
    """Whether a step is being captured."""
    return local.capture is not None


def numbers(work_out: Callable[[], Sequence[Any]], dtype: Any = "float64", now: Sequence[Any] | None = None) -> Any:
    """The numbers of this step.

    Args:
        work_out: Gives the numbers of the next step. Called before each replay.
        dtype: What they are on the device.
        now: This step's numbers, where they are known already or ``work_out`` moves the host's state on.

    Returns:
        The numbers; while a step is captured, a :class:`deepkit.backend.cuda.graph.Live`, whose items are arrays
        without dimensions.
    """
    now = work_out() if now is None else now
    return now if local.capture is None else local.capture.numbers(work_out, now, dtype)


def act(action: Callable[[], None]) -> None:
    """Change the host's state, now or before each replay."""
    if local.capture is None:
        action()
    else:
        local.capture.act(action)


def when(condition: Callable[[], bool], body: Callable[[], None]) -> None:
    """``if condition(): body()``, of every step.

    A replayed step waits for the device there, as the condition does.

    Args:
        condition: Looks at results of the step so far, and changes nothing.
        body: Launches; not called where the condition is false.
    """
    if local.capture is not None:
        local.capture.when(condition, body)
    elif condition():
        body()


def refuse(why: str) -> None:
    """Say that this step can't be replayed.

    Raises:
        CaptureRefused: while a step is captured; the step runs eagerly then.
    """
    if local.capture is not None:
        raise CaptureRefused(why)

"""The extension module with the compiled kernels, where it is built, and whether it is in use."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np
from numpy import ndarray

from .memory import SMALLEST, empty_reused

try:
    from . import _compiled
except ImportError:
    _compiled = None  # type: ignore[assignment]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


class _State:
    """``module`` is the extension while it is in use, else ``None``; ``kernels`` names its instruction set."""

    module: Any = None
    kernels: str | None = None


state = _State()


def available() -> bool:
    """Whether the extension was built."""
    return _compiled is not None


def enable(on: bool = True) -> None:
    """Use the compiled kernels, or NumPy's alone.

    Raises:
        RuntimeError: if they weren't built.
    """
    if on and _compiled is None:
        raise RuntimeError("The compiled kernels aren't there; install deepkit where a C++ compiler is.")
    state.module = _compiled if on else None


def set_threads(n: int) -> int:
    """Set the number of threads of the compiled kernels if ``n`` is positive; gives the number."""
    return _compiled.threads(n) if _compiled is not None else 1


def fits(*arrays: ndarray | None) -> bool:
    """Whether compiled kernels can have these arrays: contiguous float32, not empty."""
    for a in arrays:
        if a is not None and (a.dtype != np.float32 or not a.flags.c_contiguous or not a.size):
            return False
    return True


def target(need: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Where a gradient goes: the array that ``need`` is if it suits, else a new one; ``None`` if it isn't needed."""
    if need is False:
        return None
    return need if isinstance(need, ndarray) and fits(need) else empty_reused(shape, dtype)


if _compiled is not None:
    _compiled.makers(np.empty, empty_reused, np.dtype(np.float32), SMALLEST)
    state.kernels = _compiled.use(os.environ.get("DEEPKIT_ISA", ""))
    _compiled.threads(int(os.environ.get("DEEPKIT_NUM_THREADS") or _cores()))
    enable(os.environ.get("DEEPKIT_CPU_KERNELS", "compiled") != "numpy")

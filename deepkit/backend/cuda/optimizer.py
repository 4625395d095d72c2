"""Optimizer steps over the arena on the device, one launch a step, and clipping."""

from __future__ import annotations

from typing import Any, Callable, Sequence

import cupy
import numpy as np
from cupy import ndarray

from .derived import derived
from .graph import Live
from .layerwise import sum_of_squares
from .loader import function, is_float, launch_over
from .numbers import on_device

__all__ = ["OPTIMIZER_BLOCK", "blocked", "clip_in_place", "clip_together"]

#: Elements a piece: all of them, as there is no cache to stay in.
OPTIMIZER_BLOCK = 1 << 62

#: Rules with kernels of their name: the file each is in. RMSprop's has variants.
_FILES = {
    **dict.fromkeys(("sgd", "momentum", "rmsprop", "adagrad", "adam", "amsgrad"), "optimizer"),
    **dict.fromkeys(("adadelta", "adamax", "nadam", "lion", "ftrl", "schedule_free"), "optimizer_more"),
}

assert set(_FILES) == set(derived("optimizer").OPTIMIZER_RULES)


def blocked(
    rule: Callable[..., None], arrays: Sequence[ndarray], scratch: Sequence[ndarray], numbers: Any
) -> None:
    """Run ``rule`` over flat ``arrays``; ``numbers`` are Python's or, in a step that is captured, :class:`Live`."""
    name = rule.__name__
    if name not in _FILES or not is_float(*arrays):
        rule(*arrays, *(s[: arrays[0].size] for s in scratch), *numbers)
        return
    live = isinstance(numbers, Live)
    kernel = name
    if name == "rmsprop":
        _, _, mu, _, centered = numbers.now if live else numbers
        kernel += "_centered" * bool(centered) + "_momentum" * (mu > 0)
    n = arrays[0].size
    there = numbers.array if live else on_device(numbers)
    launch_over(function(_FILES[name], kernel, arrays[0].dtype), n, *arrays, n, there)


def clip_together(gradients: Sequence[ndarray], limit: float) -> None:
    """Scale arrays in place so that their Euclidean norm, taken over all of them, is at most ``limit``."""
    if not is_float(*gradients):
        kinds = {g.dtype for g in gradients}
        squared = sum((g.astype(np.float64) ** 2).sum() for g in gradients)
        factor = cupy.minimum(1.0, limit / cupy.maximum(cupy.sqrt(squared), limit))
        for g in gradients:
            g *= factor.astype(g.dtype) if len(kinds) > 1 else factor
        return
    squared = sum_of_squares(gradients)
    for g in gradients:
        launch_over(function("optimizer_more", "clip_by_norm", g.dtype), g.size, g, g.size, squared, float(limit))


def clip_in_place(g: ndarray, limit: float) -> None:
    """Cut the elements of ``g`` to [-limit, limit], in place."""
    if is_float(g):
        launch_over(function("optimizer_more", "clip", g.dtype), g.size, g, g.size, float(limit))
    else:
        cupy.clip(g, -limit, limit, out=g)

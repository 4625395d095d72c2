"""Optimizer steps over the arena on the device: one launch a step for the common rules, the others derived."""

from __future__ import annotations

from typing import Any, Callable, Sequence

import cupy
import numpy as np
from cupy import ndarray

from .derived import derived
from .loader import function, is_float, launch_over, sum_type

__all__ = ["OPTIMIZER_BLOCK", "blocked"]

#: Elements a piece: all of them, as there is no cache to stay in.
OPTIMIZER_BLOCK = 1 << 62

#: Steps after which Adam's corrections are 1: the learning rate comes corrected.
_CORRECTED = 1 << 40

_scalars: dict[tuple[str, str], ndarray] = {}


def _scalar(name: str, value: float, dtype: Any) -> ndarray:
    """A number on the device, written over in place."""
    key = name, np.dtype(dtype).name
    if key not in _scalars:
        _scalars[key] = cupy.empty((), dtype)
    _scalars[key][...] = np.dtype(dtype).type(value)
    return _scalars[key]


def blocked(
    rule: Callable[..., None], arrays: Sequence[ndarray], scratch: Sequence[ndarray], numbers: Sequence[Any]
) -> None:
    """Run ``rule`` over flat ``arrays``."""
    w, n, name = arrays[0], arrays[0].size, rule.__name__
    found = _KERNELS.get(name) if is_float(*arrays) else None
    if found is None:
        rule(*arrays, *(s[:n] for s in scratch), *numbers)
        return
    name, rate, rest = found(*numbers)
    kind = sum_type(w.dtype)
    steps = (_scalar("steps", _CORRECTED, np.int64),) if name.startswith("adam") else ()
    kernel = function("optimizer", name, w.dtype)
    launch_over(kernel, n, *arrays, n, _scalar("rate", rate, kind), *steps, *rest, 0.0)


def _rmsprop(lr: float, rho: float, mu: float, epsilon: float, centered: bool) -> tuple[str, float, tuple[Any, ...]]:
    name = "rmsprop" + "_centered" * centered + "_momentum" * (mu > 0)
    return name, lr, (float(rho), *((float(mu),) if mu > 0 else ()), float(epsilon))


#: By the rule's name: from its numbers to the kernel, the learning rate and what else the kernel takes.
_KERNELS: dict[str, Callable[..., tuple[str, float, tuple[Any, ...]]]] = {
    "sgd": lambda lr: ("sgd", lr, ()),
    "momentum": lambda lr, mu, nesterov: ("momentum", lr, (float(mu), int(nesterov))),
    "rmsprop": _rmsprop,
    "adagrad": lambda lr, epsilon: ("adagrad", lr, (float(epsilon),)),
    "adam": lambda alpha, b1, b2, epsilon: ("adam", alpha, (float(b1), float(b2), float(epsilon))),
    "amsgrad": lambda alpha, b1, b2, epsilon: ("adam_amsgrad", alpha, (float(b1), float(b2), float(epsilon))),
}

assert set(_KERNELS) <= set(derived("optimizer").OPTIMIZER_RULES)

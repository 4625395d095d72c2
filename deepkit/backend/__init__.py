"""The device layer: raw arrays in, raw arrays out.

A *kernel module* is a flat namespace of functions over raw arrays: ``backend.cpu`` over NumPy, ``backend.cuda`` over
CuPy. Nothing above this package knows which of the two it is running on; it asks :func:`kernels_of` for the
module that fits the arrays at hand, or :func:`active` for the one that new arrays are made with.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Iterator

import numpy as np

from . import cpu

#: Kernel module by array type; ``backend.cuda`` adds its own entry when it is loaded.
KERNELS: dict[type, ModuleType] = {np.ndarray: cpu}

_active: ModuleType | None = None


class BackendUnavailableError(RuntimeError):
    """The backend that was asked for can't run here; the message says what is missing and how to mend it."""


def _load_cuda() -> ModuleType:
    from . import cuda

    return cuda.load()


def set_backend(backend: str) -> None:
    """Choose where new tensors live: ``"numpy"``, ``"cupy"``, or ``"auto"`` (CuPy where a usable GPU is).

    Raises:
        ValueError: for another name.
        BackendUnavailableError: if ``"cupy"`` can't run here.
    """
    global _active
    if backend == "auto":
        from .cuda import device

        try:
            _active = _load_cuda() if device.usable() else cpu
        except BackendUnavailableError:
            _active = cpu
    elif backend == "numpy":
        _active = cpu
    elif backend == "cupy":
        _active = _load_cuda()
    else:
        raise ValueError(f"Unknown backend {backend!r}. Use 'auto', 'numpy' or 'cupy'.")


def active() -> ModuleType:
    """The kernel module that new arrays are made with; chosen on first use from ``DEEPKIT_BACKEND`` (default auto)."""
    if _active is None:
        set_backend(os.environ.get("DEEPKIT_BACKEND", "auto").strip().lower() or "auto")
    assert _active is not None
    return _active


def backend() -> str:
    """Name of the backend in use: ``"numpy"`` or ``"cupy"``."""
    return "numpy" if active() is cpu else "cupy"


@contextmanager
def device(device_name: str) -> Iterator[None]:
    """Make new tensors on ``"cpu"`` or ``"gpu:N"`` inside the block.

    Raises:
        ValueError: for another form of device_name.
        BackendUnavailableError: if the GPU isn't there.
    """
    global _active
    kind, _, index = str(device_name).lower().partition(":")
    if kind not in ("cpu", "gpu", "cuda") or (index and not index.isdigit()):
        raise ValueError(f"Unknown device {device_name!r}. Use 'cpu', 'gpu' or 'gpu:N'.")
    before = active()
    if kind == "cpu":
        _active = cpu
        scope: Any = None
    else:
        _active = _load_cuda()
        scope = _active.use_device(int(index or 0))
    try:
        if scope is None:
            yield
        else:
            with scope:
                yield
    finally:
        _active = before


def kernels_of(array: Any) -> ModuleType:
    """The kernel module of a raw array.

    Raises:
        TypeError: if no loaded backend knows the array's type.
    """
    try:
        return KERNELS[type(array)]
    except KeyError:
        if isinstance(array, np.generic):  # NumPy's arithmetic on 0-d arrays gives scalars
            return cpu
        for kind, module in KERNELS.items():
            if isinstance(array, kind):
                return module
        raise TypeError(f"No backend for arrays of type {type(array).__module__}.{type(array).__name__}.") from None


def to_numpy(array: Any) -> np.ndarray:
    """A NumPy view or copy of a raw array of any loaded backend."""
    return array if type(array) is np.ndarray else kernels_of(array).to_numpy(array)

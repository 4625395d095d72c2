"""The device layer: raw arrays in, raw arrays out.

A *kernel module* is a flat namespace of functions over raw arrays: ``backend.cpu`` over NumPy, ``backend.cuda`` over
CuPy. Nothing above this package knows which of the two it is running on; it asks :func:`kernels_of` for the
module that fits the arrays at hand, or :func:`active` for the one that new arrays are made with.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, nullcontext
from types import ModuleType
from typing import Any, Callable, Iterator

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
        name = os.environ.get("DEEPKIT_BACKEND", "auto").strip().lower() or "auto"
        (set_device if name.startswith("gpu") else set_backend)(name)
    assert _active is not None
    return _active


def backend() -> str:
    """Name of the backend in use: ``"numpy"`` or ``"cupy"``."""
    return "numpy" if active() is cpu else "cupy"


def _parsed(device_name: str) -> int | None:
    """The number of a GPU; ``None`` for the CPU."""
    kind, colon, index = str(device_name).lower().partition(":")
    if kind not in ("cpu", "gpu", "cuda") or (colon and not index.isdigit()) or (kind == "cpu" and int(index or 0)):
        raise ValueError(f"Unknown device {device_name!r}. Use 'cpu', 'gpu' or 'gpu:N'.")
    return None if kind == "cpu" else int(index or 0)


@contextmanager
def device(device_name: str) -> Iterator[None]:
    """Make new tensors on ``"cpu"`` or ``"gpu:N"`` inside the block.

    Raises:
        ValueError: for another form of device_name.
        BackendUnavailableError: if the GPU isn't there.
    """
    global _active
    index = _parsed(device_name)
    before = active()
    module: Any = cpu if index is None else _load_cuda()
    with nullcontext() if index is None else module.use_device(index):
        _active = module
        try:
            yield
        finally:
            _active = before


def set_device(device_name: str) -> None:
    """Make new tensors on ``"cpu"`` or ``"gpu:N"`` from now on.

    A GPU is chosen for the thread that calls this; other threads choose theirs. What was made before stays where it is.

    Args:
        device_name: ``"cpu"``, ``"gpu"`` for the first GPU, or ``"gpu:N"``.

    Raises:
        ValueError: for another form of it.
        BackendUnavailableError: if the GPU isn't there or can't be used; nothing has changed then.

    Example:
        >>> set_device("cpu")
        >>> current_device()
        'cpu'
    """
    global _active
    index = _parsed(device_name)
    module: Any = cpu if index is None else _load_cuda()
    if index is not None:
        module.select_device(index)
    _active = module


def current_device() -> str:
    """The device that new tensors are made on: ``"cpu"`` or ``"gpu:N"``."""
    return active().memory_stats()["device"]


def warmup(progress: Callable[[str, int, int], None] | None = None) -> int:
    """Compile every kernel for the device in use, so that no first step waits for it.

    On a GPU that takes a minute or so the first time; the results are kept on disk, where the next program finds them.
    On the CPU there is nothing to compile.

    Args:
        progress: Called before each file with its name, its number from 0, and their number.

    Returns:
        The number of files.

    Raises:
        BackendUnavailableError: if the compiler or its headers are missing.

    Example:
        >>> with device("cpu"):
        ...     warmup()
        0
    """
    return active().warmup(progress)


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
        raise TypeError(no_backend_for(array)) from None


def no_backend_for(array: Any) -> str:
    """What to say of an array that no loaded backend knows."""
    name = f"{type(array).__module__}.{type(array).__name__}"
    if name.startswith("cupy."):
        return (
            f"A {name} is on a GPU, and deepkit computes on the CPU. Switch with "
            "deepkit.config.set_backend('cupy'), or bring the array to the CPU with its get() method."
        )
    return f"No backend for arrays of type {name}."


def check_together(*arrays: Any) -> None:
    """Arrays that are computed with together have to be on one device.

    Raises:
        ValueError: if they aren't.
    """
    places: dict[str, Any] = {}
    for a in arrays:
        if type(a) in KERNELS:
            places.setdefault(KERNELS[type(a)].place_of(a), a)
    if len(places) > 1:
        first, second = list(places)[:2]
        raise ValueError(
            f"Arrays on several devices can't be computed with together: one of shape {places[first].shape} is on "
            f"{first}, one of shape {places[second].shape} on {second}. Move one of them: `with "
            f"deepkit.device({first!r}): x = deepkit.ops.convert_to_tensor(x.numpy())`."
        )
    other = current_device()
    if places and other not in places and "cpu" not in (first := next(iter(places)), other):
        raise ValueError(
            f"The array of shape {places[first].shape} is on {first}, and deepkit computes on {other}. Compute with it "
            f"inside `with deepkit.device({first!r}):`, or make it there."
        )


def to_numpy(array: Any) -> np.ndarray:
    """A NumPy view or copy of a raw array of any loaded backend."""
    return array if type(array) is np.ndarray else kernels_of(array).to_numpy(array)

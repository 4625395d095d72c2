"""On which of the GPUs arrays are, and which is in use."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import Any, Iterator

import cupy
from cupy import ndarray

from .. import BackendUnavailableError
from . import loader

__all__ = ["place_of", "select_device", "use_device", "warmup"]


def place_of(array: ndarray) -> str:
    """The device that an array is on, as :func:`deepkit.device` takes it."""
    return f"gpu:{array.device.id}"


def _checked(index: int) -> int:
    count = cupy.cuda.runtime.getDeviceCount()
    if index < count:
        return index
    numbers = "number 0" if count == 1 else f"numbers 0 to {count - 1}"
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    hint = f" CUDA_VISIBLE_DEVICES is {visible!r}, which hides the others and numbers anew." if visible else ""
    raise BackendUnavailableError(
        f"There is no 'gpu:{index}'; this machine has {count} GPU{'s' * (count > 1)}, {numbers}. Use 'gpu:0'.{hint}"
    )


@contextmanager
def use_device(index: int) -> Iterator[None]:
    """Make arrays on GPU number ``index`` inside the block.

    Raises:
        BackendUnavailableError: if there is no such GPU.
    """
    with cupy.cuda.Device(_checked(index)):
        yield


def select_device(index: int) -> None:
    """Make arrays on GPU number ``index`` from now on in this thread.

    Raises:
        BackendUnavailableError: if there is no such GPU.
    """
    cupy.cuda.Device(_checked(index)).use()


def warmup(progress: Any = None) -> int:
    """Compile every kernel for the device at hand."""
    return loader.warmup(progress)

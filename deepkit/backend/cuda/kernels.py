"""The kernel module over CuPy: the names of ``backend.cpu``, one flat namespace."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator

import cupy

from .derived import complete

#: Modules whose functions make up the namespace.
STEMS = (
    "adaptive_pool", "attention", "bessel", "blocks", "conv", "ctc", "elementwise", "fourier", "graph", "layerwise",
    "linear", "loss", "memory", "norm", "optimizer", "pool", "random", "recurrent",
)  # fmt: skip

__all__: list[str] = ["use_device"]
for _stem in STEMS:
    _module = complete(_stem)
    globals().update({name: getattr(_module, name) for name in _module.__all__})
    __all__ += _module.__all__


@contextmanager
def use_device(index: int) -> Iterator[None]:
    """Make arrays on GPU number ``index`` inside the block.

    Raises:
        BackendUnavailableError: if there is no such GPU.
    """
    from .. import BackendUnavailableError

    count = cupy.cuda.runtime.getDeviceCount()
    if index >= count:
        raise BackendUnavailableError(f"There is no 'gpu:{index}'; this machine has {count}, numbered from 0.")
    with cupy.cuda.Device(index):
        yield


def __getattr__(name: str) -> Any:
    raise AttributeError(f"The CUDA backend has no kernel {name!r}.")

"""A module that stands in for CuPy on machines without a GPU, in tests only.

It proves that the CUDA path runs and computes what it should: NumPy does the array functions, the emulator the kernels.
What CuPy refuses it refuses: conversions in passing, arrays of the host among those of the device, names and parameters
that CuPy lacks, cuBLAS and waiting while a graph is recorded. It says nothing about speed, and has no asynchrony.

>>> installed = install()
>>> import cupy
>>> float(cupy.arange(4).sum())
6.0
>>> uninstall()
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np

from . import cublaslt, memory, runtime, state
from .array import compute, ndarray
from .names import NAMES, namespace
from .state import counters, devices, no_synchronization

__all__ = ["counters", "devices", "install", "no_synchronization", "uninstall"]

_MODULES = ("cupy", "cupy.cuda", "cupy.cuda.memory", "cupy.linalg", "cupy.fft", "cupy.lib", "cupy.lib.stride_tricks",
            "cupyx", "cupyx.scipy", "cupyx.scipy.special", "cuda", "cuda.pathfinder")  # fmt: skip

_PACKAGES = ("cupy", "cupyx", "cuda")
_before: list[dict[str, ModuleType]] = []


def _creation(cupy: Any) -> None:
    """Functions that make arrays."""

    def asarray(a: Any, dtype: Any = None, order: Any = None, *, copy: Any = None, blocking: bool = False) -> ndarray:
        if isinstance(a, ndarray):
            return a if dtype is None or a.dtype == np.dtype(dtype) else a.astype(dtype)
        if isinstance(a, (list, tuple)) and any(isinstance(x, ndarray) for x in a):
            return compute(lambda *parts: np.array(parts, dtype), *a)
        state.copied_to_device("cupy.asarray() of the host's values")
        return ndarray(np.array(a, dtype))

    def array(a: Any, dtype: Any = None, copy: bool = True, order: Any = "K", subok: bool = False, ndmin: int = 0,
              *, blocking: bool = False) -> ndarray:  # fmt: skip
        out = asarray(a, dtype)
        return out.copy() if copy and out is a else out

    def empty(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
        return ndarray(state.poison(np.empty(shape, dtype)))

    def filled(make: Any) -> Any:
        def call(shape: Any, *args: Any, **params: Any) -> ndarray:
            out = ndarray(make(shape, *args, **params))
            if state.recorder.operations is not None:
                value = out._a.copy()
                state.run(lambda: np.copyto(out._a, value))
            return out

        return call

    cupy.asarray = cupy.asanyarray = asarray
    cupy.array, cupy.empty = array, empty
    cupy.ascontiguousarray = lambda a, dtype=None: compute(np.ascontiguousarray, asarray(a), dtype=dtype)
    cupy.empty_like = lambda a, dtype=None, order="K", subok=None, shape=None: empty(shape or a.shape, dtype or a.dtype)
    cupy.zeros, cupy.ones, cupy.full = filled(np.zeros), filled(np.ones), filled(np.full)
    cupy.arange, cupy.linspace, cupy.eye, cupy.tri = map(filled, (np.arange, np.linspace, np.eye, np.tri))
    cupy.asnumpy = lambda a, stream=None, order="C", out=None, *, blocking=True: a.get(out=out)


def install() -> ModuleType:
    """Put the simulated CuPy where ``import cupy`` finds it."""
    made = {name: ModuleType(name) for name in _MODULES}
    cupy: Any = made["cupy"]
    cupy.__path__, cupy.__version__ = [], "14.2.0"
    cupy.ndarray, cupy.ufunc = ndarray, type("ufunc", (), {})
    for name, module in made.items():
        parent, _, own = name.rpartition(".")
        if parent:
            setattr(made[parent], own, module)
            made[parent].__path__ = []
    _creation(cupy)
    for space in ("", "linalg", "fft", "lib.stride_tricks"):
        namespace(space, made[f"cupy.{space}" if space else "cupy"])
    cupy.RawModule, cupy.RawKernel = runtime.RawModule, runtime.RawKernel
    for name in ("ElementwiseKernel", "ReductionKernel", "fuse"):
        setattr(cupy, name, runtime.refused_kind(name))
    cupy.get_default_memory_pool = lambda: memory.DEFAULT_POOL
    cupy.get_default_pinned_memory_pool = lambda: memory.PINNED_POOL
    cuda: Any = made["cupy.cuda"]
    cuda.is_available = lambda: True
    cuda.runtime, cuda.Device, cuda.Stream, cuda.Event = runtime.runtime, runtime.Device, runtime.Stream, runtime.Event
    cuda.Graph, cuda.MemoryPool, cuda.using_allocator = runtime.Graph, memory.MemoryPool, memory.using_allocator
    cuda.get_current_stream = runtime.current_stream
    cuda.get_elapsed_time, cuda.alloc_pinned_memory = runtime.elapsed, memory.PinnedMemory
    cuda.set_allocator, cuda.get_allocator = memory.set_allocator, memory.get_allocator
    made["cupy.cuda.memory"].OutOfMemoryError = memory.OutOfMemoryError  # type: ignore[attr-defined]
    _special(made["cupyx.scipy.special"])
    made["cuda.pathfinder"].load_nvidia_dynamic_lib = cublaslt.load_nvidia_dynamic_lib  # type: ignore[attr-defined]
    _before.append({name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] in _PACKAGES})
    sys.modules.update(made)
    return cupy


def _special(module: Any) -> None:
    """The special functions that deepkit takes from CuPy."""
    import math

    for name, function in {"erf": math.erf, "gammaln": math.lgamma}.items():
        each = np.frompyfunc(function, 1, 1)
        setattr(module, name, lambda x, each=each: compute(lambda a: np.asarray(each(a), x.dtype), x))


def uninstall() -> None:
    """Take it away again; what was there before is back."""
    state.recorder.recorded = None
    for name in _MODULES:
        sys.modules.pop(name, None)
    sys.modules.update(_before.pop())

"""Streams, graphs, memory and kernels of the simulated device."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from . import state
from .array import ndarray

__all__ = ["CUDARuntimeError", "Device", "Event", "Graph", "RawKernel", "RawModule", "Stream", "elapsed",
           "runtime"]  # fmt: skip


class CUDARuntimeError(RuntimeError):
    """What the driver refuses."""


class Device:
    """A device, the current one by default; there is one, number 0, unless :func:`state.devices` says otherwise."""

    compute_capability = "90"
    mem_info = (60 << 30, 80 << 30)

    def __init__(self, id: int | None = None):
        self.id = state.current_device() if id is None else id
        self._before: list[int] = []

    def use(self) -> None:
        _check_ordinal(self.id)
        state.device[0] = self.id

    def synchronize(self) -> None:
        state.synchronize("Device.synchronize()")

    def __enter__(self) -> Device:
        self._before.append(state.current_device())
        self.use()
        return self

    def __exit__(self, *exc: Any) -> None:
        state.device[0] = self._before.pop()

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Device) and self.id == other.id

    def __hash__(self) -> int:
        return self.id

    def __int__(self) -> int:
        return self.id

    def __repr__(self) -> str:
        return f"<CUDA Device {self.id}>"


def _check_ordinal(number: int) -> None:
    if not 0 <= number < state.device_count[0]:
        raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")


class Graph:
    """Recorded operations."""

    def __init__(self, operations: list[Any], memory: list[Any]):
        self.operations, self.memory = operations, memory

    def launch(self, stream: Any = None) -> None:
        state.counters.graph_launches += 1
        for operation in self.operations:
            operation()

    def upload(self, stream: Any = None) -> None:
        """Nothing to prepare."""


class Stream:
    """A stream; work on it is done at once, or recorded.

    Copies that are put on another stream than the current one are done as late as CUDA may do them: when somebody waits
    for them. Until then what they read can be overwritten, and where they write to holds nothing.
    """

    current: list[Any] = []
    null: Any

    def __init__(self, null: bool = False, non_blocking: bool = False, ptds: bool = False, priority: Any = None):
        self.is_null, self.non_blocking, self.ptr = null, non_blocking, 0 if null else id(self)
        self.recording = False
        self.pending: list[Any] = []

    @property
    def is_current(self) -> bool:
        return current_stream() is self

    def finish(self, work: list[Any] | None = None) -> None:
        """Do what is pending, or that part of it."""
        for copy in list(self.pending if work is None else work):
            if copy in self.pending:
                self.pending.remove(copy)
                copy()

    def __enter__(self) -> Stream:
        Stream.current.append(self)
        state.recorder.here = self.recording
        return self

    def __exit__(self, *exc: Any) -> None:
        Stream.current.pop()
        state.recorder.here = current_stream().recording

    def use(self) -> Stream:
        Stream.current[:] = [self]
        state.recorder.here = self.recording
        return self

    def synchronize(self) -> None:
        state.synchronize("Stream.synchronize()")
        self.finish()

    def record(self, event: Any = None) -> Any:
        event = event or Event()
        event.record(self)
        return event

    def wait_event(self, event: Any) -> None:
        """What was recorded is done before anything else here; in time only if this stream is the one in use."""
        if self.is_current:
            event.finish()

    def is_capturing(self) -> bool:
        return self.recording

    def begin_capture(self, mode: Any = None) -> None:
        if self.is_null:
            raise RuntimeError("cannot capture on the default (legacy) stream")
        if current_stream() is not self:
            raise RuntimeError("the simulated device records the current stream only")
        if state.recorder.recorded is not None:
            raise CUDARuntimeError("cudaErrorIllegalState: a stream records already")
        state.recorder.recorded, state.recorder.memory, state.recorder.broken = [], [], None
        self.recording = state.recorder.here = True

    def end_capture(self) -> Graph:
        operations = state.recorder.recorded
        if operations is None or not self.recording:
            raise CUDARuntimeError("cudaErrorIllegalState: the stream doesn't record")
        state.recorder.recorded, self.recording, state.recorder.here = None, False, False
        if state.recorder.broken is not None:
            raise CUDARuntimeError(f"cudaErrorStreamCaptureInvalidated: {state.recorder.broken}")
        return Graph(operations, state.recorder.memory)


Stream.null = Stream(null=True)


def current_stream() -> Stream:
    return Stream.current[-1] if Stream.current else Stream.null


class Event:
    """A point in a stream's work."""

    def __init__(self, block: bool = False, disable_timing: bool = False, interprocess: bool = False):
        self.stream: Any = None
        self.work: list[Any] = []

    @property
    def done(self) -> bool:
        return self.stream is None or not any(copy in self.stream.pending for copy in self.work)

    def record(self, stream: Any = None) -> None:
        self.stream = stream or current_stream()
        self.work = list(self.stream.pending)

    def finish(self) -> None:
        """Do what comes before."""
        if self.stream is not None:
            self.stream.finish(self.work)

    def synchronize(self) -> None:
        state.synchronize("Event.synchronize()")
        self.finish()

    ptr = 0


def elapsed(start: Event, end: Event) -> float:
    """Milliseconds between two events, which nobody measures here."""
    return 0.0


class runtime:
    """The CUDA runtime's functions."""

    CUDARuntimeError = CUDARuntimeError
    streamCaptureModeGlobal, streamCaptureModeThreadLocal, streamCaptureModeRelaxed = 0, 1, 2

    @staticmethod
    def getDeviceCount() -> int:
        return state.device_count[0]

    @staticmethod
    def getDevice() -> int:
        return state.current_device()

    @staticmethod
    def setDevice(number: int) -> None:
        Device(number).use()

    @staticmethod
    def getDeviceProperties(device: int) -> dict[str, Any]:
        return {"name": b"simulated", "major": 9, "minor": 0, "totalGlobalMem": 80 << 30, "multiProcessorCount": 2}

    @staticmethod
    def memGetInfo() -> tuple[int, int]:
        return Device.mem_info

    @staticmethod
    def runtimeGetVersion() -> int:
        return 13000

    driverGetVersion = runtimeGetVersion

    @staticmethod
    def deviceSynchronize() -> None:
        state.synchronize("deviceSynchronize()")


class RawKernel:
    """A kernel, run by the emulator."""

    def __init__(self, module: RawModule, name: str):
        self.module, self.name, self.max_dynamic_shared_size_bytes = module, name, 48 << 10
        if name not in module.emulated.kernels:
            raise CUDARuntimeError(f"CUDA_ERROR_NOT_FOUND: named symbol not found: {name}")

    def __call__(
        self, grid: Sequence[int], block: Sequence[int], args: Sequence[Any], shared_mem: int = 0, stream: Any = None
    ) -> None:
        inner = []
        for i, a in enumerate(args):
            if type(a) in (int, float, bool):
                raise TypeError(
                    f"{self.name}: argument {i} is a Python {type(a).__name__}, which CuPy passes as 64 bits whatever "
                    "the kernel takes; pass a NumPy scalar."
                )
            if a is None:
                raise TypeError(
                    f"{self.name}: argument {i} is None, for which CuPy gives the driver no address to read it from; "
                    "pass numpy.uintp(0) for a null pointer."
                )
            if isinstance(a, ndarray):
                if not a._a.flags.c_contiguous:
                    raise TypeError(f"{self.name}: argument {i} isn't contiguous; kernels here take no strides.")
                if a._device != state.current_device():  # nothing looks at a pointer before the launch
                    raise CUDARuntimeError("cudaErrorIllegalAddress: an illegal memory access was encountered")
                a = a._a
            elif isinstance(a, np.ndarray):
                raise TypeError(f"{self.name}: argument {i} is an array of the host.")
            inner.append(a)
        emulated = self.module.emulated
        if shared_mem > 48 << 10:
            emulated.max_dynamic_shared_size_bytes[self.name] = self.max_dynamic_shared_size_bytes
        state.run(lambda: emulated.launch(self.name, grid, block, inner, shared_mem))


class RawModule:
    """A CUDA source, compiled for the emulator."""

    def __init__(self, code: str, options: tuple[str, ...] = (), backend: str = "nvrtc", name_expressions: Any = None,
                 jitify: bool = False, enable_cooperative_groups: bool = False):  # fmt: skip
        if not isinstance(options, tuple) or not all(isinstance(o, str) for o in options):
            raise TypeError("options should be a tuple of strings")
        self.code, self.options = code, options
        self._emulated: Any = None

    @property
    def emulated(self) -> Any:
        if self._emulated is None:
            from ..emulator import Module

            self._emulated = Module(self.code, self.options)
        return self._emulated

    def compile(self, log_stream: Any = None) -> None:
        assert self.emulated

    def get_function(self, name: str) -> RawKernel:
        return RawKernel(self, name)


def refused_kind(name: str) -> Any:
    """CuPy's other ways to write kernels, which the emulator doesn't run."""

    def refuse(*args: Any, **params: Any) -> Any:
        raise NotImplementedError(f"cupy.{name}: kernels are files in kernels/, launched by a RawModule.")

    return refuse

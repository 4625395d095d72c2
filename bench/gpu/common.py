"""What the parts share: the device, its clock, and how a figure is taken."""

from __future__ import annotations

import os
import statistics
from contextlib import contextmanager
from typing import Any, Callable, Iterator

__all__ = ["SIMULATED", "Setup", "captured", "setup"]

#: The variable that has the parts run on the simulated device: to see that they run, not to measure.
SIMULATED = "DEEPKIT_BENCH_SIMULATED"


class Setup:
    """CuPy and deepkit's kernels over it.

    Attributes:
        cupy: The module, real or simulated.
        k: deepkit's kernel module.
        tiny: Whether sizes are cut down, as they are in simulation.
    """

    def __init__(self, cupy: Any, k: Any, tiny: bool):
        self.cupy, self.k, self.tiny = cupy, k, tiny

    def time(self, *functions: Callable[[], Any], repeats: int = 20, rounds: int = 5) -> list[float]:
        """Seconds of one call of each function on the device, medians over rounds in which they take turns."""
        if self.tiny:
            repeats = rounds = 1
        for function in functions:  # compiles, and fills the pool
            function()
            function()
        found: list[list[float]] = [[] for _ in functions]
        for _ in range(rounds):
            for function, times in zip(functions, found):
                start, end = self.cupy.cuda.Event(), self.cupy.cuda.Event()
                start.record()
                for _ in range(repeats):
                    function()
                end.record()
                end.synchronize()
                times.append(max(self.cupy.cuda.get_elapsed_time(start, end) / 1e3 / repeats, 1e-9))
        return [statistics.median(times) for times in found]

    def finish(self) -> None:
        """Wait until the device has done everything."""
        self.cupy.cuda.runtime.deviceSynchronize()


_before: list[Any] = []


def setup() -> Setup:
    """The device to measure.

    Raises:
        BackendUnavailableError: if there is none; the message says what is missing.
    """
    simulated = bool(os.environ.get(SIMULATED))
    if simulated:
        use_simulated()
    import deepkit

    deepkit.config.set_backend("cupy")
    import cupy

    from deepkit.backend.cuda import kernels

    return Setup(cupy, kernels, simulated)


def use_simulated() -> None:
    """Put the simulated CuPy where ``import cupy`` finds it, unless it is there."""
    import sys

    from deepkit.backend import cuda
    from tests.cuda import fake_cupy

    if not hasattr(sys.modules.get("cupy"), "RawModule") or "cupy" not in sys.modules:
        fake_cupy.install()
    cuda.load = cuda.kernel_module


@contextmanager
def captured(cupy: Any) -> Iterator[Any]:
    """Capture what runs inside as a graph; the list that is given holds it afterwards, and keeps its pool."""
    cupy.cuda.runtime.deviceSynchronize()  # what goes in may still be under way on another stream
    pool, stream = cupy.cuda.MemoryPool(), cupy.cuda.Stream(non_blocking=True)
    out: list[Any] = []
    with stream, cupy.cuda.using_allocator(pool.malloc):
        stream.begin_capture()
        try:
            yield out
        except BaseException:
            try:
                stream.end_capture()
            except Exception:  # what was refused has been said
                pass
            raise
        out.append(stream.end_capture())
    out += [pool, stream]

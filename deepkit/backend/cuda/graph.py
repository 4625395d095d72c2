"""A step as CUDA graphs: recorded once for each kind of batch, replayed as one launch from then on.

A graph repeats launches with the addresses and numbers they were recorded with. So a batch is copied into arrays of the
graph's own first; memory of the step is from a pool that nobody else takes from, so that it stays the graph's; and
numbers that the host works out at each step (:mod:`deepkit.backend.replay`) lie in an array that is written before each
launch. What a step takes from the host besides, constants, is copied once and kept.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence

import cupy
import numpy as np
from cupy import ndarray

from .. import replay
from .memory import OWNERS
from .numbers import pieces, set_words

__all__ = ["Capture", "Graphs", "Live", "graphs"]

#: Runs of a kind of batch before it is captured: they compile its kernels and make what is made once.
WARMUP = 2

#: 64-bit words of numbers that a step may have.
WORDS = 4096


class Live:
    """Numbers of a captured step, written anew before each replay.

    Attributes:
        array: Where they are on the device.
        now: Numbers of their kind, for what does not change.
    """

    def __init__(self, array: ndarray, now: Sequence[Any]):
        self.array, self.now = array, now

    def __iter__(self) -> Any:
        return (self.array[i] for i in range(len(self.now)))


class Part:
    """A stretch of a captured step: what the host does first, and the launches.

    Attributes:
        condition: Whether the part runs, asked when the parts before it have been launched; ``None`` for always.
    """

    def __init__(self, condition: Callable[[], bool] | None = None):
        self.condition = condition
        self.work: list[Callable[[], None]] = []
        self.words: list[ndarray] = []
        self.host = np.zeros(0, np.uint64)
        self.graph: Any = None

    def __call__(self) -> None:
        if self.condition is not None and not self.condition():
            return
        for work in self.work:
            work()
        set_words(self.words, self.host)
        self.graph.launch()


class Capture:
    """A step that is being captured, and what it leaves to the host."""

    def __init__(self) -> None:
        self.words = cupy.zeros(WORDS, np.uint64)
        self.host = np.zeros(WORDS, np.uint64)
        self.start = self.used = 0  # words of the part under way
        self.parts: list[Part] = []
        self.constants: list[ndarray] = []
        self.stream = cupy.cuda.Stream(non_blocking=True)
        self.beside = cupy.cuda.Stream(non_blocking=True)

    def record(self, step: Callable[..., Any], *args: Any) -> Any:
        """Capture ``step(*args)``, and give what it returns."""
        replay.local.capture = self
        try:
            with self.stream:
                self._begin()
                try:
                    result = step(*args)
                except BaseException:
                    _abandon(self.stream)
                    raise
                self._end()
            if self.constants:
                cupy.cuda.get_current_stream().wait_event(self.beside.record())
            return result
        finally:
            replay.local.capture = None

    def _begin(self, condition: Callable[[], bool] | None = None) -> None:
        self.parts.append(Part(condition))
        self.stream.begin_capture()

    def _end(self) -> None:
        part = self.parts[-1]
        part.graph = self.stream.end_capture()
        part.words, part.host = pieces(self.words[self.start : self.used]), self.host[self.start : self.used]
        self.start = self.used

    def when(self, condition: Callable[[], bool], body: Callable[[], None]) -> None:
        """Capture ``body`` as a part of its own, which a replay leaves out where the host finds that it should."""
        self._end()
        self._begin(condition)
        body()
        self._end()
        self._begin()

    def numbers(self, work_out: Callable[[], Sequence[Any]], now: Sequence[Any], dtype: Any) -> Live:
        """Numbers that ``work_out`` gives before each replay."""
        count = -(-len(now) * np.dtype(dtype).itemsize // 8)
        place = slice(self.used, self.used + count)
        if place.stop > WORDS:
            raise replay.CaptureRefused(f"it has more than {WORDS} numbers that change from step to step")
        self.used = place.stop
        host = self.host[place].view(dtype)[: len(now)]

        def write() -> None:
            host[:] = work_out()

        self.parts[-1].work.append(write)
        return Live(self.words[place].view(dtype)[: len(now)], now)

    def act(self, action: Callable[[], None]) -> None:
        """Something to do before each replay."""
        self.parts[-1].work.append(action)

    def constant(self, value: np.ndarray) -> ndarray:
        """An array of the host on the device, where the graph finds it at each replay.

        It comes by another stream and from the default pool: as a part of the graph it would be copied from where it
        lay on the host, and memory of the graph's own pool is written to by other parts of the graph.
        """
        with self.beside, cupy.cuda.using_allocator(cupy.get_default_memory_pool().malloc):
            there = cupy.asarray(value)
        self.constants.append(there)
        return there


def _abandon(stream: Any) -> None:
    """End a capture that is void; what was refused has been said already."""
    try:
        stream.end_capture()
    except Exception:
        pass


class Graph:
    """A captured step.

    Args:
        step: The function, from arrays to arrays and anything else.
        batch: Arrays of the kind that it is for.
        pool: Where its memory is from.
    """

    def __init__(self, step: Callable[[list[Any]], tuple[list[ndarray], Any]], batch: Sequence[Any], pool: Any):
        self.inputs = [None if a is None else cupy.empty(a.shape, a.dtype) for a in batch]
        self.capture = Capture()
        with cupy.cuda.using_allocator(pool.malloc):
            self.outputs, self.form = self.capture.record(step, list(self.inputs))

    def __call__(self, batch: Sequence[Any]) -> tuple[list[ndarray], Any]:
        for place, value in zip(self.inputs, batch):
            if place is None:
                continue
            if isinstance(value, ndarray):
                place[...] = value
            else:
                place.set(np.ascontiguousarray(value))
        for part in self.capture.parts:
            part()
        return [a.copy() for a in self.outputs], self.form  # the next replay writes to the graph's own


class Graphs:
    """The graphs of one step function.

    Attributes:
        refused: Why the step can't be captured, once that is known.
        pools: Where the graphs' memory is from; counted by :func:`.memory.memory_stats`.
    """

    def __init__(self) -> None:
        self.refused: str | None = None
        self._runs: dict[Any, int] = {}
        self._graphs: dict[Any, Graph] = {}
        self.pools = [cupy.cuda.MemoryPool()]
        OWNERS.add(self)

    def __len__(self) -> int:
        return len(self._graphs)

    def run(
        self, key: Any, batch: Sequence[Any], step: Callable[[list[Any]], tuple[list[ndarray], Any]]
    ) -> tuple[list[ndarray], Any]:
        """One step on a batch.

        Args:
            key: What tells steps apart that launch different kernels, besides the arrays' shapes and dtypes.
            batch: Arrays of the device or the host, or ``None``.
            step: From such a list to the arrays that the step gives and whatever it gives besides.
        """
        if self.refused is not None:
            return step(list(batch))
        key = (key, *(a if a is None else (a.shape, a.dtype) for a in batch))
        graph = self._graphs.get(key)
        if graph is None:
            runs = self._runs[key] = self._runs.get(key, 0) + 1
            if runs <= WARMUP:
                return step(list(batch))
            try:
                graph = self._graphs[key] = Graph(step, batch, self.pools[0])
            except Exception as error:
                self.refused = f"{error}" or type(error).__name__
                self.forget()
                return step(list(batch))
        return graph(batch)

    def forget(self) -> None:
        """Give up the graphs that there are; new ones are captured when their batches come again."""
        self._graphs.clear()
        self._runs.clear()
        self.pools = [cupy.cuda.MemoryPool()]


def graphs() -> Graphs:
    """Graphs for a step."""
    return Graphs()

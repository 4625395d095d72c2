"""Loaders: one pass after the other over arrays, data sets and iterables, batch by batch.

All of them have ``num_batches`` (``None`` if unknown), ``peek()``, ``epoch(n)``, which yields
``(step, (x, y, sample_weight))``, the hooks ``on_epoch_begin`` and ``on_epoch_end``, and ``state()`` /
``set_state()``, with which an interrupted run goes on with the very batch that would have come next.
"""

from __future__ import annotations

import itertools
import warnings
from collections import deque
from typing import Any, Callable, Iterator

import numpy as np

from ..backend.cpu.memory import empty_reused
from ..random import draw_seed
from ..utils.nest import map_nest
from ..utils.py_dataset import PyDataset
from .data_arrays import SparseRows, named_leaves, standardize_batch

Batch = tuple[Any, Any, Any]


class Loader:
    """What all loaders share.

    Args:
        steps: Batches an epoch; all by default.
        batch_size: Samples a batch, ``None`` if the source decides.
    """

    def __init__(self, steps: int | None, batch_size: int | None):
        self.steps = steps
        self.batch_size = batch_size
        self.num_batches: int | None = steps
        self._resumed = False
        self._step = 0  # batches given in this epoch

    def peek(self) -> Batch:
        """A batch to build and check the model with; it isn't used up."""
        raise NotImplementedError

    def epoch(self, n: int = 0) -> Iterator[tuple[int, Batch]]:
        """The batches of epoch ``n`` with their numbers."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Batch]:
        for _, batch in self.epoch():
            yield batch

    def ready(self) -> bool:
        """Whether there is a batch for another epoch; warns if not."""
        return True

    def all_targets(self) -> Any:
        """All targets where they are in memory, else ``None``."""
        return None

    def on_epoch_begin(self, n: int) -> None:
        """Called before each epoch."""

    def on_epoch_end(self, n: int) -> None:
        """Called after each epoch."""

    def state(self) -> dict[str, Any]:
        """Where the loader stands, as plain numbers; ``"epoch_done"`` says whether the epoch's last batch is out."""
        raise NotImplementedError

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on, with the next epoch that is run, where :meth:`state` was taken."""
        raise NotImplementedError

    def _first_step(self) -> int:
        """Number of the first batch of an epoch: not 0 for one that is resumed in its middle."""
        step, self._resumed = (self._step if self._resumed else 0), False
        self._step = step
        return step


def _ran_out() -> None:
    warnings.warn(
        "The data ran out of batches, so the epoch ends early. A generator has to give steps_per_epoch * epochs "
        "batches "
        "in all, an array or a loader at least steps_per_epoch.",
        stacklevel=4,
    )


class IndexedLoader(Loader):
    """Batches that can be asked for by number, in an order drawn anew for each pass.

    The order of pass p is that of the Philox stream with the loader's seed and p as its key, so that it depends on
    nothing but these two.

    Args:
        size: Number of batches in a pass.
        shuffle: Whether there is an order to draw.
    """

    def __init__(self, size: int, steps: int | None, batch_size: int | None, shuffle: Any):
        super().__init__(steps, batch_size)
        self.size = size
        self.num_batches = steps or size
        self.shuffle = shuffle
        self._seed = draw_seed(None) if shuffle else (0, 0)
        self._pass = 0
        self._at = 0  # batches given in this pass

    def _generator(self) -> np.random.Generator:
        key, draw = self._seed
        return np.random.Generator(np.random.Philox(key=np.array([key | draw << 32, self._pass], np.uint64)))

    def batches(self, start: int) -> Iterator[Batch]:
        """The batches of the present pass from number ``start`` on."""
        raise NotImplementedError

    def epoch(self, n: int = 0) -> Iterator[tuple[int, Batch]]:
        resumed = self._resumed
        step = self._first_step()
        if self._at and not resumed and (self.steps is None or self._at >= self.size):
            self._pass, self._at = self._pass + 1, 0
        for i, batch in zip(range(step, self.num_batches or 0), self.batches(self._at)):
            self._at += 1
            self._step = i + 1
            yield i, batch
        if self._step < (self.num_batches or 0):
            _ran_out()
        self._step = 0
        if self._at >= self.size:
            self._pass, self._at = self._pass + 1, 0

    def state(self) -> dict[str, Any]:
        done = self._step >= (self.num_batches or 0) > 0
        ended = self._at >= self.size
        return {
            "seed": list(self._seed), "pass": self._pass + ended, "batch": 0 if ended else self._at,
            "step": 0 if done else self._step, "epoch_done": done,
        }  # fmt: skip

    def set_state(self, state: dict[str, Any]) -> None:
        key, draw = (int(v) for v in state["seed"])
        self._seed = (key, draw)
        self._pass, self._at, self._step = int(state["pass"]), int(state["batch"]), int(state["step"])
        self._resumed = True


class ArrayLoader(IndexedLoader):
    """Batches of arrays in memory: slices without a copy, or rows in a shuffled order.

    Args:
        x: Nest of arrays.
        y: The same, or ``None``.
        sample_weight: The same, or ``None``.
        samples: Number of samples.
        batch_size: Samples a batch.
        shuffle: ``True``, ``False``, or ``"batch"`` for samples that stay in their batch.
        steps: Batches an epoch; all by default.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        samples: int,
        batch_size: int,
        shuffle: Any,
        steps: int | None,
    ):
        super().__init__(-(-samples // batch_size), steps, batch_size, shuffle)
        self.arrays = (x, y, sample_weight)
        self.samples = samples
        # Rows of an array with gaps are gathered from a compact copy: `take` would make one at each call.
        self._fetch = [_fetcher(a, bool(shuffle)) for a in self.arrays]
        self._device: Any = None

    def keep_on_device(self, k: Any) -> None:
        """Copy the arrays to the device of a kernel module, where batches are made from now on."""
        there = map_nest(lambda a: None if a is None else k.from_numpy(a), self.arrays)
        self._fetch = [_fetcher(tree, bool(self.shuffle), k) for tree in there]
        self._device = k

    def peek(self) -> Batch:
        first = slice(0, self.batch_size)
        x, y, sample_weight = (_sliced(a, first) for a in self.arrays)
        return x, y, sample_weight

    def all_targets(self) -> Any:
        y = self.arrays[1]
        return None if any(isinstance(leaf, SparseRows) for _, leaf in named_leaves(y, "y")) else y

    def _order(self) -> np.ndarray:
        generator = self._generator()
        if self.shuffle != "batch":
            return generator.permutation(self.samples)
        order = np.arange(self.samples)
        for start in range(0, self.samples, self.batch_size or 1):
            generator.shuffle(order[start : start + (self.batch_size or 1)])
        return order

    def batches(self, start: int) -> Iterator[Batch]:
        x, y, sample_weight = self._fetch
        same = self.arrays[1] is self.arrays[0] and self._device is None  # an autoencoder's targets
        size = self.batch_size or 1
        order = self._order() if self.shuffle else None
        if order is not None and self._device is not None:
            order = self._device.from_numpy(order)
        for a in range(start * size, self.samples, size):
            rows: Any = slice(a, a + size) if order is None else order[a : a + size]
            yield (inputs := x(rows)), inputs if same else y(rows), sample_weight(rows)


def _fetcher(tree: Any, gather: bool, k: Any = None) -> Callable[[Any], Any]:
    """A function from rows to the batch of a nest, whose arrays are of the kernel module ``k`` if one is given."""
    if tree is None:
        return lambda rows: None
    if isinstance(tree, dict):
        parts = [(key, _fetcher(value, gather, k)) for key, value in tree.items()]
        return lambda rows: {key: part(rows) for key, part in parts}
    if isinstance(tree, (list, tuple)):
        items = [_fetcher(item, gather, k) for item in tree]
        return (lambda rows: [item(rows) for item in items]) if isinstance(tree, list) else (
            lambda rows: tuple(item(rows) for item in items)
        )  # fmt: skip
    if not gather:
        return tree.__getitem__
    if k is not None:
        return lambda rows: k.take(tree, rows, 0)
    if not isinstance(tree, np.ndarray) or tree.dtype.hasobject:
        take = tree.take
        return lambda rows: take(rows, 0)
    whole = np.ascontiguousarray(tree)
    # With mode="raise", take() would fill memory of its own first.
    return lambda rows: whole.take(rows, 0, empty_reused((len(rows), *whole.shape[1:]), whole.dtype), "clip")


def _sliced(tree: Any, rows: slice) -> Any:
    return _fetcher(tree, False)(rows)


class PyDatasetLoader(IndexedLoader):
    """Batches of a :class:`~deepkit.utils.PyDataset`, made by threads if it asks for several workers.

    Args:
        dataset: The data set.
        shuffle: Take the batches in a new order each epoch.
        steps: Batches an epoch; all by default.
        class_weight: Weight of each class.
    """

    def __init__(self, dataset: PyDataset, shuffle: Any, steps: int | None, class_weight: Any):
        count = dataset.num_batches
        if count is not None and count < 1:
            raise ValueError(f"The data is empty: {type(dataset).__name__} has {count} batches.")
        self.endless = count is None
        super().__init__(count or 0, steps, None, bool(shuffle) and count is not None)
        if self.endless:
            if steps is None:
                raise ValueError(
                    f"{type(dataset).__name__} is endless, `num_batches` is None: pass `steps_per_epoch`."
                )
            self.size = 2**63 - 1
        if dataset.use_multiprocessing:
            warnings.warn(
                "use_multiprocessing=True: batches are made by threads of this process.", stacklevel=4
            )
        self.dataset = dataset
        self.class_weight = class_weight

    def peek(self) -> Batch:
        return self._batch(0)

    def _batch(self, index: int) -> Batch:
        return standardize_batch(self.dataset[index], self.class_weight)

    def batches(self, start: int) -> Iterator[Batch]:
        numbers: Iterator[int]
        if self.endless:
            numbers = itertools.count(start)
        elif self.shuffle:
            numbers = iter(self._generator().permutation(self.size).tolist()[start:])
        else:
            numbers = iter(range(start, self.size))
        if self.dataset.workers <= 1:
            yield from map(self._batch, numbers)
            return
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(self.dataset.workers, "deepkit-data")
        ahead: deque = deque()
        try:
            for number in itertools.islice(numbers, max(self.dataset.max_queue_size, self.dataset.workers)):
                ahead.append(pool.submit(self._batch, number))
            while ahead:
                batch = ahead.popleft().result()
                for number in itertools.islice(numbers, 1):
                    ahead.append(pool.submit(self._batch, number))
                yield batch
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def on_epoch_begin(self, n: int) -> None:
        self.dataset.on_epoch_begin()

    def on_epoch_end(self, n: int) -> None:
        self.dataset.on_epoch_end()
        count = self.dataset.num_batches
        if count is not None and count != self.size:  # a data set may grow or shrink between epochs
            self.size = count
            self.num_batches = self.steps or count


class IterableLoader(Loader):
    """Batches of a generator, or of anything that can be iterated over again each epoch.

    Args:
        source: The iterable.
        steps: Batches an epoch; as many as there are by default.
        class_weight: Weight of each class.
    """

    def __init__(self, source: Any, steps: int | None, class_weight: Any):
        super().__init__(steps, None)
        self.source = source
        self.once = iter(source) is source
        self.class_weight = class_weight
        self._iterator: Iterator[Any] | None = None
        self._held: list[Any] = []  # a batch looked at in advance
        self._seen = 0  # batches taken from the present iterator
        self._warned = False
        if steps is None:
            try:
                self.num_batches = len(source)
            except (TypeError, NotImplementedError):
                self.num_batches = None

    def _next(self) -> Any:
        """The next raw batch; raises StopIteration."""
        if self._held:
            return self._held.pop()
        if self._iterator is None:
            self._iterator = iter(self.source)
        return next(self._iterator)

    def _look(self) -> bool:
        if not self._held:
            try:
                self._held.append(self._next())
            except StopIteration:
                return False
        return True

    def peek(self) -> Batch:
        if not self._look():
            raise ValueError(f"The data is empty: {type(self.source).__name__} gives no batches.")
        return standardize_batch(self._held[0], self.class_weight)

    def ready(self) -> bool:
        if not self.once or self._look():
            return True
        if not self._warned:
            self._warned = True
            _ran_out()
        return False

    def epoch(self, n: int = 0) -> Iterator[tuple[int, Batch]]:
        resumed = self._resumed
        step = self._first_step()
        if resumed:
            skip, self._seen = self._seen, 0
            for _ in range(skip):
                self._next()
                self._seen += 1
        elif not self.once and self.steps is None and self._seen:
            self._iterator, self._held, self._seen = None, [], 0
        while self.steps is None or step < self.steps:
            try:
                batch = self._next()
            except StopIteration:
                self._ended(step)
                break
            self._seen += 1
            self._step = step = step + 1
            yield step - 1, standardize_batch(batch, self.class_weight)
        self._step = 0

    def _ended(self, step: int) -> None:
        if self.steps is not None:
            self._warned = True
            _ran_out()
        elif self.num_batches is None:
            self.num_batches = step
        if not self.once:
            self._iterator, self._seen = None, 0

    def state(self) -> dict[str, Any]:
        done = self._step > 0 and self._step == self.num_batches
        return {"seen": self._seen, "step": 0 if done else self._step, "epoch_done": done}

    def set_state(self, state: dict[str, Any]) -> None:
        self._seen, self._step, self._resumed = int(state["seen"]), int(state["step"]), True

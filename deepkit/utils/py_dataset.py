"""``PyDataset``: batches from a user's own ``__getitem__``."""

from __future__ import annotations

import itertools
import warnings
from typing import Any, Iterator


class PyDataset:
    """Base of data sets that make batch ``i`` on demand, several at once if wanted.

    A subclass defines ``__getitem__(index)``, which returns a whole batch ``(x,)``, ``(x, y)`` or
    ``(x, y, sample_weight)``, and ``__len__()``, the number of batches (or ``num_batches``, ``None`` for endless data).
    It may define ``on_epoch_begin()`` and ``on_epoch_end()``.

    Args:
        workers: Number of threads that make batches. Batches come in order all the same.
        use_multiprocessing: Accepted for compatibility; batches are made by threads, with a warning.
        max_queue_size: Number of batches made ahead.

    Example:
        >>> import numpy as np
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, i):
        ...         x = np.array([[2.0 * i], [2.0 * i + 1]])
        ...         return x, x**2
        >>> [y.ravel().tolist() for _, y in Squares()]
        [[0.0, 1.0], [4.0, 9.0], [16.0, 25.0]]
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        self._workers = workers
        self._use_multiprocessing = use_multiprocessing
        self._max_queue_size = max_queue_size

    def _setting(self, name: str, default: Any) -> Any:
        if name not in self.__dict__:
            warnings.warn(
                f"{type(self).__name__} should call super().__init__(**kwargs) in its constructor; `workers`, "
                "`use_multiprocessing` and `max_queue_size` have their defaults.",
                stacklevel=3,
            )
            self.__dict__[name] = default
        return self.__dict__[name]

    @property
    def workers(self) -> int:
        return self._setting("_workers", 1)

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = value

    @property
    def use_multiprocessing(self) -> bool:
        return self._setting("_use_multiprocessing", False)

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = value

    @property
    def max_queue_size(self) -> int:
        return self._setting("_max_queue_size", 10)

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = value

    def __getitem__(self, index: int) -> Any:
        """Batch number ``index``."""
        raise NotImplementedError(
            f"{type(self).__name__} must define __getitem__(index), which returns a batch."
        )

    def __iter__(self) -> Iterator[Any]:
        count = self.num_batches
        for i in itertools.count() if count is None else range(count):
            yield self[i]

    @property
    def num_batches(self) -> int | None:
        """Number of batches, ``None`` for endless data."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(
            f"{type(self).__name__} must define __len__() or `num_batches`: the number of batches."
        )

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


Sequence = PyDataset

__all__ = ["PyDataset", "Sequence"]

"""Windows of a time series as a data set."""

from __future__ import annotations

from typing import Any

import numpy as np

from .py_dataset import PyDataset


class TimeseriesDataset(PyDataset):
    """Batches of windows of a series, gathered when they are asked for; what
    :func:`timeseries_dataset_from_array` makes.

    Args:
        data: Array of steps.
        targets: Array of targets, or ``None``.
        starts: First step of each window.
        offsets: Steps of a window, counted from its first.
        batch_size: Windows a batch; ``None`` to give them one by one.
        rng: Generator that draws a new order of the windows for each epoch, or ``None`` to keep it.
    """

    def __init__(
        self,
        data: np.ndarray,
        targets: np.ndarray | None,
        starts: np.ndarray,
        offsets: np.ndarray,
        batch_size: int | None,
        rng: np.random.Generator | None,
    ):
        super().__init__()
        self._data, self._targets, self._starts, self._offsets = data, targets, starts, offsets
        self._batch_size, self._rng = batch_size, rng
        self.on_epoch_begin()

    def on_epoch_begin(self) -> None:
        """Shuffle the windows, if they are to be shuffled."""
        if self._rng is not None:
            self._starts = self._rng.permutation(self._starts)

    def __len__(self) -> int:
        size = self._batch_size or 1
        return (len(self._starts) + size - 1) // size

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"Batch {index} of {len(self)}.")
        size = self._batch_size
        starts = self._starts[index] if size is None else self._starts[index * size : (index + 1) * size]
        windows = self._data[np.add.outer(starts, self._offsets)]
        return windows if self._targets is None else (windows, self._targets[starts])

    def __iter__(self) -> Any:
        self.on_epoch_begin()
        return super().__iter__()


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> TimeseriesDataset:
    """Windows of a time series, with targets.

    With b = ``start_index`` + i · ``sequence_stride``, window i holds the steps b, b + r, b + 2r, ... for the rate r =
    ``sampling_rate``, ``sequence_length`` of them, and its target is ``targets[b]``. Targets are therefore given
    already shifted: to predict the step after the window, pass ``targets=data[sequence_length * sampling_rate:]``.

    Args:
        data: Array of steps, (time, ...).
        targets: Array of targets by the first step of their window, or ``None``.
        sequence_length: Steps in a window.
        sequence_stride: Steps from the start of a window to that of the next.
        sampling_rate: Steps from one element of a window to the next.
        batch_size: Windows a batch; ``None`` for windows one by one.
        shuffle: Draw a new order of the windows for each epoch.
        seed: Seed of the order.
        start_index: First step that is used.
        end_index: Step before which the windows end.
        format: Accepted for compatibility.

    Returns:
        A :class:`~deepkit.utils.PyDataset` that gives batches ``windows`` of shape (batch, sequence_length, ...), or
        ``(windows, targets)``.

    Raises:
        ValueError: for indices, strides or rates outside the data.

    Example:
        >>> import numpy as np
        >>> data = np.arange(8)
        >>> windows = timeseries_dataset_from_array(data, data[3:], sequence_length=3, sequence_stride=2, batch_size=2)
        >>> for x, y in windows:
        ...     print(x.tolist(), y.tolist())
        [[0, 1, 2], [2, 3, 4]] [3, 5]
        [[4, 5, 6]] [7]
    """
    data = np.asarray(data)
    targets = None if targets is None else np.asarray(targets)
    _check(len(data), sequence_stride, sampling_rate, start_index, end_index, format)
    if sequence_length < 1:
        raise ValueError(f"`sequence_length` should be at least 1. Received: sequence_length={sequence_length}")
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"`batch_size` should be positive or None. Received: batch_size={batch_size}")
    data = data[start_index or 0 : end_index]
    windows = len(data) - (sequence_length - 1) * sampling_rate
    if targets is not None:
        targets = targets[start_index or 0 : end_index]
        windows = min(windows, len(targets))
    starts = np.arange(0, max(windows, 0), sequence_stride)
    offsets = np.arange(sequence_length) * sampling_rate
    rng = np.random.default_rng(seed) if shuffle else None
    return TimeseriesDataset(data, targets, starts, offsets, batch_size, rng)


def _check(n: int, stride: int, rate: int, start: int | None, end: int | None, format: str) -> None:
    if start is not None and not 0 <= start < n:
        raise ValueError(f"`start_index` should be between 0 and {n - 1}, the last step. Received: {start}")
    if end is not None and not (start or 0) < end <= n:
        raise ValueError(f"`end_index` should be between {(start or 0) + 1} and {n}. Received: end_index={end}")
    for name, value in (("sampling_rate", rate), ("sequence_stride", stride)):
        if not 0 < value < n:
            raise ValueError(f"`{name}` should be between 1 and {n - 1}. Received: {name}={value}")
    if format not in ("tf", "grain"):
        raise ValueError(f"`format` should be 'tf' or 'grain'. Received: format={format!r}")


__all__ = ["TimeseriesDataset", "timeseries_dataset_from_array"]

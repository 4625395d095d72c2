"""A data set in two parts."""

from __future__ import annotations

import random
from typing import Any, Iterator

import numpy as np

from .nest import children, flatten, is_nest, map_nest, pack, rebuild
from .py_dataset import PyDataset


class Samples:
    """Samples of a data set, one by one; what :func:`split_dataset` gives.

    ``len(samples)`` is their number, ``samples[i]`` one of them, and :meth:`batch` what ``fit`` takes.

    Args:
        arrays: Nest of arrays, whose first axis counts the samples.
    """

    def __init__(self, arrays: Any):
        self.arrays = arrays

    def __len__(self) -> int:
        return len(flatten(self.arrays)[0])

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice) and not -len(self) <= index < len(self):
            raise IndexError(f"Sample {index} of {len(self)}.")
        return map_nest(lambda a: a[index], self.arrays)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def batch(self, batch_size: int) -> Batches:
        """The samples in batches.

        Args:
            batch_size: Samples a batch; the last may have fewer.

        Raises:
            ValueError: for a size below 1.
        """
        return Batches(self, batch_size)


class Batches(PyDataset):
    """Consecutive batches of :class:`Samples`.

    Args:
        samples: The samples.
        batch_size: Samples a batch; the last may have fewer.
    """

    def __init__(self, samples: Samples, batch_size: int):
        super().__init__()
        if batch_size < 1:
            raise ValueError(f"`batch_size` should be positive. Received: {batch_size}")
        self.samples, self.batch_size = samples, int(batch_size)

    def __len__(self) -> int:
        return (len(self.samples) + self.batch_size - 1) // self.batch_size

    def __getitem__(self, index: int) -> Any:
        batch = self.samples[index * self.batch_size : (index + 1) * self.batch_size]
        return tuple(batch) if isinstance(batch, list) else batch


def split_dataset(
    dataset: Any,
    left_size: float | int | None = None,
    right_size: float | int | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Any, Any]:
    """Split samples into those of a left and a right data set, such as one to train and one to test on.

    Args:
        dataset: Array, or a nest of arrays of one length; a :class:`~deepkit.utils.PyDataset`, whose batches are
            taken apart and put together in the same size; or an object with ``len()`` and ``[i]`` that gives samples,
            such as a torch data set.
        left_size: Number of samples on the left, or their share as a float between 0 and 1.
        right_size: The same for the right. What is not given is the rest.
        shuffle: Whether to shuffle the samples first.
        seed: Seed of the shuffle.
        preferred_backend: Accepted for compatibility.

    Returns:
        Two :class:`Samples`, or two PyDatasets for a PyDataset.

    Raises:
        TypeError: for another kind of data, or a size that is no number.
        ValueError: for sizes that don't fit the data, or leave a side empty.

    Example:
        >>> import numpy as np
        >>> left, right = split_dataset(np.arange(10), left_size=0.8)
        >>> len(left), len(right), int(right[0])
        (8, 2, 8)
    """
    if left_size is None and right_size is None:
        raise ValueError("Pass at least one of `left_size` and `right_size`.")
    arrays, batch_size = _as_arrays(dataset)
    total = len(flatten(arrays)[0])
    left, right = _sizes(left_size, right_size, total)
    order = np.arange(total)
    if shuffle:
        shuffled = order.tolist()
        random.Random(random.randrange(10**6) if seed is None else seed).shuffle(shuffled)
        order = np.array(shuffled)
    sides = (Samples(map_nest(lambda a, rows=rows: a[rows], arrays)) for rows in (order[:left], order[total - right :]))
    first, second = sides
    return (first, second) if batch_size is None else (first.batch(batch_size), second.batch(batch_size))


def _as_arrays(dataset: Any) -> tuple[Any, int | None]:
    """The data as a nest of arrays, and the size of its batches if it comes in batches."""
    if isinstance(dataset, PyDataset):
        batches = list(dataset)
        return _joined(batches, np.concatenate), len(flatten(batches[0])[0]) if batches else 0
    if hasattr(dataset, "shape") or is_nest(dataset):
        arrays = _arrays_of(dataset)
        leaves = flatten(arrays)
        if not leaves or any(a.ndim == 0 for a in leaves):
            raise TypeError(f"`dataset` should hold arrays of samples. Received: {type(dataset).__name__}")
        lengths = {len(a) for a in leaves}
        if len(lengths) > 1:
            raise ValueError(f"The arrays of `dataset` should have one length. Received: {sorted(lengths)}")
        return arrays, None
    if hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__") and not isinstance(dataset, (str, bytes)):
        return _joined([dataset[i] for i in range(len(dataset))], np.stack), None
    raise TypeError(
        "`dataset` should be an array, a nest of arrays, a PyDataset, or have len() and [i]. Received: "
        f"{type(dataset).__name__}"
    )


def _arrays_of(tree: Any) -> Any:
    """The nest with arrays for leaves; a list of numbers is one array, not a nest of numbers."""
    if not is_nest(tree) or (isinstance(tree, (list, tuple)) and tree and not any(map(_has_length, tree))):
        return np.asarray(tree)
    return rebuild(tree, [_arrays_of(child) for _, child in children(tree)])


def _has_length(x: Any) -> bool:
    return is_nest(x) or np.ndim(x) > 0


def _joined(parts: list[Any], join: Any) -> Any:
    if not parts:
        raise ValueError("`dataset` is empty.")
    columns = zip(*(map(np.asarray, flatten(part)) for part in parts))
    return pack(parts[0], [join(column) for column in columns])


def _sizes(left: Any, right: Any, total: int) -> tuple[int, int]:
    for name, size in (("left_size", left), ("right_size", right)):
        if size is None:
            continue
        if isinstance(size, bool) or not isinstance(size, (int, float)):
            raise TypeError(f"`{name}` should be an int, a float or None. Received: {name}={size!r}")
        if not 0 < size < (1 if isinstance(size, float) else total):
            raise ValueError(
                f"`{name}` should be an integer between 1 and {total - 1}, or a float between 0 and 1. Received: "
                f"{name}={size}"
            )
    if isinstance(left, float) and isinstance(right, float) and left + right > 1:
        raise ValueError(f"The sum of `left_size` and `right_size` is more than 1: {left} + {right}.")
    n_left, n_right = (round(size * total) if isinstance(size, float) else size for size in (left, right))
    n_left = total - n_right if n_left is None else n_left
    n_right = total - n_left if n_right is None else n_right
    if n_left + n_right > total:
        raise ValueError(f"`left_size` and `right_size` are {n_left + n_right} samples together, of {total}.")
    if n_left == 0 or n_right == 0:
        raise ValueError(f"left_size={left} and right_size={right} leave a side of the {total} samples empty.")
    return n_left, n_right


__all__ = ["Batches", "Samples", "split_dataset"]

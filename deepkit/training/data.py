"""From what users pass to ``fit``, ``evaluate`` and ``predict`` to a loader of batches."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .. import backend, config
from ..utils.nest import map_nest
from ..utils.py_dataset import PyDataset
from ..utils.sample_weight import unpack_x_y_sample_weight
from .data_arrays import (
    check_finite,
    check_lengths,
    class_weights,
    is_array_like,
    is_nest,
    to_array,
    to_arrays,
    to_weights,
)
from .data_loaders import ArrayLoader, IterableLoader, Loader, PyDatasetLoader


def make_loader(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    shuffle: Any = False,
    steps: int | None = None,
    class_weight: dict[int, float] | None = None,
    predicting: bool = False,
) -> Loader:
    """The loader for a kind of data.

    Args:
        x: Arrays, tensors, data frames, lists of numbers, or nests of those; a generator, a
            :class:`~deepkit.utils.PyDataset`, a torch-style loader or another iterable of batches.
        y: Targets, for arrays only.
        sample_weight: Weights of the samples, for arrays only.
        batch_size: Samples a batch, 32 by default; with ``steps``, all samples in so many batches.
        shuffle: Draw a new order of the samples (of a PyDataset's batches) for each epoch; ``"batch"`` keeps samples in
            their batch.
        steps: Batches an epoch.
        class_weight: Weight of each class, from which those of the samples are made.
        predicting: Whether only ``x`` counts; NaN in it is then let through.

    Raises:
        ValueError: for data that is empty, of unequal lengths, ragged, not numeric, has NaN in ``x``, or of an unknown
            kind.
    """
    steps = _positive(steps, "steps_per_epoch")
    if x is None:
        raise ValueError("There is no data: `x` is None. Pass arrays, a PyDataset, a generator or a loader.")
    if is_array_like(x) or is_nest(x):
        x, y, sample_weight = to_arrays(x, "x"), to_arrays(y, "y"), to_weights(sample_weight)
        samples = check_lengths(x, y, sample_weight)
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError("Pass either `class_weight` or `sample_weight`, not both.")
            sample_weight = class_weights(y, class_weight)
        if not predicting:
            check_finite(x)
        size = _positive(batch_size, "batch_size")
        if size is None:
            size = -(-samples // steps) if steps else 32
        return ArrayLoader(x, y, sample_weight, samples, size, shuffle, steps)
    kind = type(x).__name__
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"`{name}` can't be passed beside a {kind}, whose batches are to hold it: (x, y, sample_weight)."
            )
    if isinstance(x, PyDataset):
        return PyDatasetLoader(x, shuffle, steps, class_weight)
    if hasattr(x, "__iter__") and not isinstance(x, (str, bytes, set, frozenset)):
        return IterableLoader(x, steps, class_weight)
    raise ValueError(
        f"Data of type {type(x)} isn't known. Pass arrays (or lists or dictionaries of them), data frames, a "
        f"PyDataset, "
        "a generator, or an iterable of batches."
    )


def only_batch(x: Any, batch_size: Any) -> np.ndarray | None:
    """The one batch that ``predict`` would make of an array, if it makes one: a loader takes longer than a small model.

    Args:
        x: What the user passed.
        batch_size: The same.
    """
    if type(x) is not np.ndarray or not x.ndim or len(backend.KERNELS) > 1 or config.max_steps_per_epoch() is not None:
        return None
    if batch_size is not None and type(batch_size) is not int:
        return None
    return to_array(x, "x") if 0 < len(x) <= (32 if batch_size is None else batch_size) else None


def _positive(value: Any, name: str) -> int | None:
    if value is None:
        return None
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, bool):
        raise ValueError(f"`{name}` should be a positive integer or None. Received: {name}={value!r}")
    return number


def split_validation(arrays: tuple[Any, Any, Any], validation_split: float) -> tuple[tuple, tuple]:
    """Split arrays into those to train on and, from the end, those to validate on; nothing is shuffled before.

    Args:
        arrays: ``(x, y, sample_weight)``.
        validation_split: Share of the samples to validate on.

    Raises:
        ValueError: for a share that isn't between 0 and 1, data that isn't in arrays, or too few samples.
    """
    x, y, sample_weight = arrays
    if not isinstance(validation_split, (int, float)) or not 0 < validation_split < 1:
        raise ValueError(f"`validation_split` should be between 0 and 1. Received: {validation_split!r}")
    if not (is_array_like(x) or is_nest(x)):
        raise ValueError(
            f"`validation_split` needs arrays to split, and `x` is a {type(x).__name__}. Pass `validation_data`."
        )
    x, y, sample_weight = to_arrays(x, "x"), to_arrays(y, "y"), to_weights(sample_weight)
    samples = check_lengths(x, y, sample_weight)
    at = int(samples * (1.0 - validation_split))
    if at in (0, samples):
        raise ValueError(
            f"{samples} samples are too few to be split with validation_split={validation_split}. Pass more data, "
            "another share, or `validation_data`."
        )
    parts = []
    for rows in (slice(0, at), slice(at, samples)):
        cut = lambda a, rows=rows: None if a is None else a[rows]
        parts.append(tuple(map_nest(cut, tree) for tree in (x, y, sample_weight)))
    return parts[0], parts[1]


__all__ = ["Loader", "make_loader", "only_batch", "split_validation", "unpack_x_y_sample_weight"]

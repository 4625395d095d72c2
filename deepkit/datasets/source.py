"""Where the files of :mod:`deepkit.datasets` come from, and the split that several of them share."""

from __future__ import annotations

import numpy as np

from ..utils.file_utils import get_file

__all__ = ["Split", "check_fraction", "fetch", "shuffled"]

#: ``((x_train, y_train), (x_test, y_test))``
Split = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def fetch(path: str, name: str, file_hash: str, cache_subdir: str = "datasets") -> str:
    """The cached file ``path``, downloaded as ``name`` from the place where Keras keeps its data sets."""
    return get_file(path, _ORIGIN + name, file_hash=file_hash, cache_subdir=cache_subdir)


def check_fraction(test_split: float) -> None:
    """Raise unless ``0 <= test_split < 1``."""
    if not 0 <= test_split < 1:
        raise ValueError(f"`test_split` must be at least 0 and below 1. Received: test_split={test_split}")


def shuffled(
    x: np.ndarray, y: np.ndarray, seed: int | np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays in the order that Keras's loaders use for ``seed``, which may be a generator in mid-stream."""
    generator = seed if isinstance(seed, np.random.RandomState) else np.random.RandomState(seed)
    order = np.arange(len(x))
    generator.shuffle(order)
    return x[order], y[order]

"""CIFAR-10: 32x32 colour photographs of ten kinds of things."""

from __future__ import annotations

import os

import numpy as np

from ..utils.file_utils import get_file
from .cifar import as_images, load_batch
from .source import Split

__all__ = ["CLASS_NAMES", "load_data"]

#: What the labels 0 to 9 mean.
CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def load_data() -> Split:
    """50,000 training and 10,000 test photographs, named in :data:`CLASS_NAMES`.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images (n, 32, 32, 3), or (n, 3, 32, 32) with channels first, and
        labels (n, 1), all uint8.
    """
    folder = get_file(
        "cifar-10-batches-py-target",
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        extract=True,
        file_hash="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    )
    folder = os.path.join(folder, "cifar-10-batches-py")
    batches = [load_batch(os.path.join(folder, f"data_batch_{i}")) for i in range(1, 6)]
    x_train, y_train = (np.concatenate(parts) for parts in zip(*batches))
    x_test, y_test = load_batch(os.path.join(folder, "test_batch"))
    return (as_images(x_train), y_train), (as_images(x_test), y_test)

"""CIFAR-100: 32x32 colour photographs of a hundred kinds of things in twenty groups."""

from __future__ import annotations

import os

from ..utils.file_utils import get_file
from .cifar import as_images, load_batch
from .source import Split

__all__ = ["load_data"]


def load_data(label_mode: str = "fine") -> Split:
    """50,000 training and 10,000 test photographs.

    Args:
        label_mode: ``"fine"`` for the 100 classes, ``"coarse"`` for their 20 groups.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images (n, 32, 32, 3), or (n, 3, 32, 32) with channels first, and
        labels (n, 1), all uint8.

    Raises:
        ValueError: for another ``label_mode``.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f"`label_mode` must be 'fine' or 'coarse'. Received: label_mode={label_mode!r}")
    folder = get_file(
        "cifar-100-python-target",
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        extract=True,
        file_hash="85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    )
    folder, key = os.path.join(folder, "cifar-100-python"), f"{label_mode}_labels"
    x_train, y_train = load_batch(os.path.join(folder, "train"), key)
    x_test, y_test = load_batch(os.path.join(folder, "test"), key)
    return (as_images(x_train), y_train), (as_images(x_test), y_test)

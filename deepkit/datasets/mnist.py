"""MNIST: 28x28 images of handwritten digits."""

from __future__ import annotations

from .npz import load_npz
from .source import Split, fetch

__all__ = ["load_data"]


def load_data(path: str = "mnist.npz") -> Split:
    """60,000 training and 10,000 test images of the digits 0 to 9.

    Args:
        path: name of the file in the cache.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images (n, 28, 28) and labels (n,), all uint8.

    Licence: Yann LeCun and Corinna Cortes, CC BY-SA 3.0.
    """
    file = fetch(path, "mnist.npz", "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1")
    x_train, y_train, x_test, y_test = load_npz(file, "x_train", "y_train", "x_test", "y_test")
    return (x_train, y_train), (x_test, y_test)

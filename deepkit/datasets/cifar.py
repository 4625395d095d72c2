"""What CIFAR-10 and CIFAR-100 share (Krizhevsky, "Learning multiple layers of features from tiny images", 2009)."""

from __future__ import annotations

import os

import numpy as np

from .. import config
from .plain_pickle import load_plain

__all__ = ["as_images", "load_batch"]

#: A batch file of 50,000 images takes 155 MB.
_MAX_FILE = 256 << 20


def load_batch(path: str, label_key: str = "labels") -> tuple[np.ndarray, np.ndarray]:
    """Images (n, 3, 32, 32) and labels (n, 1), uint8, of one batch file.

    Raises:
        ValueError: if the file is not such a batch.
    """
    if os.path.getsize(path) > _MAX_FILE:
        raise ValueError(f"{path} is too large for a CIFAR batch.")
    with open(path, "rb") as file:
        batch = load_plain(file, encoding="bytes")
    try:
        data, labels = batch[b"data"], np.asarray(batch[label_key.encode()], np.uint8)
        return data.reshape(len(data), 3, 32, 32).astype(np.uint8, copy=False), labels.reshape(len(data), 1)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{path} is no CIFAR batch with b'data' and {label_key!r}.") from error


def as_images(x: np.ndarray) -> np.ndarray:
    """Channels where :func:`deepkit.config.image_data_format` wants them."""
    return x.transpose(0, 2, 3, 1) if config.image_data_format() == "channels_last" else x

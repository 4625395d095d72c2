"""Numbers of the host on the device, as arguments of a launch: it copies them when it is queued, so nobody waits."""

from __future__ import annotations

from typing import Any, Sequence

import cupy
import numpy as np
from cupy import ndarray

from .loader import function

__all__ = ["on_device", "pieces", "set_words"]

#: 64-bit words that one launch brings.
WORDS = 8


def pieces(words: ndarray) -> list[ndarray]:
    """An array cut into what one launch writes."""
    return [words[start : start + WORDS] for start in range(0, words.size, WORDS)]


def set_words(out: Sequence[ndarray], words: np.ndarray) -> None:
    """Write words of the host into ``out``, the :func:`pieces` of an array of the device."""
    kernel = function("numbers", "set_words")
    for i, piece in enumerate(out):
        part = words[i * WORDS : i * WORDS + piece.size]
        kernel((1,), (1,), (piece, np.int64(piece.size), *part, *(np.uint64(0),) * (WORDS - piece.size)))


def on_device(numbers: Sequence[Any]) -> ndarray:
    """Numbers as an array of float64."""
    out = cupy.empty(len(numbers), np.float64)
    set_words(pieces(out.view(np.uint64)), np.array(numbers, np.float64).view(np.uint64))
    return out

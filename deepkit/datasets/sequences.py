"""What IMDB and Reuters share: texts as lists of word ranks, and the ways to cut them."""

from __future__ import annotations

import json
from typing import Iterable

import numpy as np

__all__ = ["as_ragged", "drop_long", "limit_words", "load_word_index", "mark"]


def mark(texts: Iterable[list[int]], start_char: int | None, index_from: int | None) -> list[list[int]]:
    """Each text with ranks shifted up by ``index_from`` and ``start_char`` in front (``None``: neither)."""
    shift = index_from or 0
    start = [] if start_char is None else [start_char]
    return [start + [word + shift for word in text] for text in texts]


def drop_long(
    texts: list[list[int]], labels: np.ndarray, maxlen: int | None
) -> tuple[list[list[int]], np.ndarray]:
    """Only the texts shorter than ``maxlen`` (all if it is ``None``), and their labels.

    Raises:
        ValueError: if none is.
    """
    if not maxlen:
        return texts, labels
    kept = [i for i, text in enumerate(texts) if len(text) < maxlen]
    if not kept:
        raise ValueError(f"No text is shorter than maxlen={maxlen}. Increase `maxlen`.")
    return [texts[i] for i in kept], labels[kept]


def limit_words(
    texts: list[list[int]], num_words: int | None, skip_top: int, oov_char: int | None
) -> list[list[int]]:
    """Words outside ``[skip_top, num_words)`` replaced by ``oov_char``, or left out if it is ``None``.

    ``num_words=None`` means the largest rank that occurs, which is then outside: so it is in Keras.
    """
    end = num_words or max((max(text) for text in texts if text), default=0)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < end] for text in texts]
    return [[word if skip_top <= word < end else oov_char for word in text] for text in texts]


def as_ragged(texts: list[list[int]]) -> np.ndarray:
    """An array of lists, also where all lists have one length."""
    return np.fromiter(texts, object, len(texts))


def load_word_index(path: str) -> dict[str, int]:
    """Rank by word."""
    with open(path, encoding="utf-8") as file:
        return dict(json.load(file))

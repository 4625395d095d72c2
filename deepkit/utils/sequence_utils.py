"""Sequences of several lengths as one array."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences cut or padded to one length.

    Args:
        sequences: List of sequences; their elements may be numbers, strings or arrays of one shape.
        maxlen: The length; that of the longest sequence by default.
        dtype: Dtype of the result; ``object`` for strings of several lengths.
        padding: ``"pre"`` or ``"post"``: where a short sequence is padded.
        truncating: ``"pre"`` or ``"post"``: where a long sequence is cut.
        value: What short sequences are padded with.

    Returns:
        Array of shape ``(len(sequences), maxlen, ...)``.

    Raises:
        ValueError: for something that is no sequence of sequences, elements of several shapes, an unknown ``padding``
            or ``truncating``, or a string ``value`` beside a numeric ``dtype``.

    Example:
        >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
        array([[0, 1],
               [2, 3],
               [5, 6]], dtype=int32)
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"`sequences` should be a list of sequences. Received: {type(sequences).__name__}")
    for name, choice in (("padding", padding), ("truncating", truncating)):
        if choice not in ("pre", "post"):
            raise ValueError(f"`{name}` should be 'pre' or 'post'. Received: {name}={choice!r}")
    kind = np.dtype(dtype).kind
    if isinstance(value, str) and kind not in "OUST":
        raise ValueError(f"`value` is a string, but dtype={dtype!r} is not: pass dtype=object for strings.")
    lengths = np.fromiter(map(_length, sequences), np.int64, len(sequences))
    if maxlen is None:
        maxlen = int(lengths.max()) if len(lengths) else 0
    # With maxlen=0 Python's s[-0:] would keep everything.
    kept = np.minimum(lengths, maxlen)
    cut = [
        s if n <= maxlen else (s[n - maxlen :] if truncating == "pre" else s[:maxlen])
        for s, n in zip(sequences, lengths.tolist())
    ]
    flat, element = _joined([s for s, n in zip(cut, kept.tolist()) if n], dtype)
    out = np.full((len(cut), maxlen, *element), value, dtype=dtype)
    # Row i holds its kept[i] elements from column start[i] on; one boolean mask places those of all rows.
    start = maxlen - kept if padding == "pre" else np.zeros_like(kept)
    columns = np.arange(maxlen)
    out[(columns >= start[:, None]) & (columns < (start + kept)[:, None])] = flat
    return out


def _length(sequence: Any) -> int:
    try:
        return len(sequence)
    except TypeError:
        raise ValueError(f"`sequences` should be a list of sequences; one of them is {sequence!r}.") from None


def _joined(sequences: list[Any], dtype: Any) -> tuple[np.ndarray, tuple[int, ...]]:
    """All elements one after the other, and the shape of an element."""
    if not sequences:
        return np.empty(0, dtype), ()
    first = sequences[0][0]
    if np.ndim(first) == 0 and not any(isinstance(s, np.ndarray) for s in sequences):
        elements = list(chain.from_iterable(sequences))
        try:
            flat = np.array(elements, dtype=dtype)
        except (TypeError, ValueError):
            flat = None
        if flat is not None and flat.ndim == 1:
            return flat, ()
    arrays = [np.asarray(s, dtype=dtype) for s in sequences]
    shape = arrays[0].shape[1:]
    for i, a in enumerate(arrays):
        if a.shape[1:] != shape:
            raise ValueError(f"Elements should have one shape: sequence {i} has elements of shape {a.shape[1:]}, the "
                             f"first one {shape}.")  # fmt: skip
    return np.concatenate(arrays), shape


__all__ = ["pad_sequences"]

"""Sequences, under the name of ``keras.preprocessing.sequence``."""

from __future__ import annotations

from ..utils.sequence_utils import pad_sequences

__all__ = ["pad_sequences"]

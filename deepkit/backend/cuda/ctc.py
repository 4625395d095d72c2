"""The beam search of CTC, which grows lists of prefixes: the host's work, on one copy of the logits."""

from __future__ import annotations

import cupy
from cupy import ndarray

from .. import cpu

__all__ = ["ctc_beam_search"]


def ctc_beam_search(logits: ndarray, lengths: ndarray, width: int, top: int, blank: int) -> tuple[ndarray, ndarray]:
    """The most probable label sequences (top, n, t) and their log-probabilities (n, top); see ``backend.cpu.ctc``."""
    paths, scores = cpu.ctc_beam_search(cupy.asnumpy(logits), cupy.asnumpy(lengths), width, top, blank)
    return cupy.asarray(paths), cupy.asarray(scores)

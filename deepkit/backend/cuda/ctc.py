"""CTC on the device: loss and gradient by kernels; the beam search, which grows lists of prefixes, by the host."""

from __future__ import annotations

from typing import Any

import cupy
import numpy as np
from cupy import ndarray

from .. import cpu
from .arrays import asarray
from .derived import derived
from .loader import function, launch_rows, numbers

__all__ = ["ctc_beam_search", "ctc_grad", "ctc_loss"]


def _launch(name: str, grid: int, block: tuple[int, ...], logits: ndarray, *args: Any) -> None:
    if grid:
        function("ctc", name, logits.dtype)((min(grid, 1 << 16),), block, numbers(args))


def _threads(length: int) -> tuple[int]:
    """A block for the states of a sequence of labels."""
    return (min(-(-(2 * length + 1) // 32) * 32, 1024),)


def ctc_loss(
    labels: ndarray, logits: ndarray, label_lengths: ndarray, logit_lengths: ndarray, blank: int
) -> tuple[ndarray, Any]:
    """-log of the probability of all alignments of each sequence; see ``backend.cpu.ctc``."""
    if not logits.size or logits.dtype.name not in ("float32", "float64"):
        return derived("ctc").ctc_loss(labels, logits, label_lengths, logit_lengths, blank)
    (n, steps, classes), length = logits.shape, labels.shape[1]
    logits = cupy.ascontiguousarray(logits)
    whole = [cupy.ascontiguousarray(a, np.int32) for a in (labels, label_lengths, logit_lengths)]
    normalizer = cupy.empty((n, steps), np.float64)
    kernel = function("ctc", "ctc_normalizers", logits.dtype)
    launch_rows(kernel, n * steps, classes, logits, normalizer, n * steps, classes)
    given = (logits, normalizer, *whole, n, steps, length, classes, blank % classes)
    alpha, total = cupy.empty((n, steps, 2 * length + 1), np.float64), cupy.empty(n, np.float64)
    loss = cupy.empty(n, logits.dtype)
    _launch("ctc_alpha", n, _threads(length), logits, *given, alpha, loss, total)
    return loss, (given, alpha, total)


def ctc_grad(saved: Any, g: ndarray) -> ndarray:
    """Gradient of :func:`ctc_loss` by the logits: softmax minus the posterior probability of each class and step."""
    if len(saved) != 3:
        return derived("ctc").ctc_grad(saved, g)
    given, alpha, total = saved
    logits, (n, steps, states) = given[0], alpha.shape
    posterior, beta = alpha.copy(), cupy.empty((n, 2, states), np.float64)
    _launch("ctc_posterior", n, _threads(states // 2), logits, *given, posterior, beta, total)
    gx = cupy.empty(logits.shape, logits.dtype)
    g = cupy.ascontiguousarray(cupy.broadcast_to(g, n), logits.dtype)
    _launch("ctc_grad", -(-n * steps // 8), (32, 8), logits, *given, posterior, total, g, gx)
    return gx


def ctc_beam_search(logits: ndarray, lengths: ndarray, width: int, top: int, blank: int) -> tuple[ndarray, ndarray]:
    """The most probable label sequences (top, n, t) and their log-probabilities (n, top); see ``backend.cpu.ctc``."""
    paths, scores = cpu.ctc_beam_search(cupy.asnumpy(logits), cupy.asnumpy(lengths), width, top, blank)
    return asarray(paths), asarray(scores)

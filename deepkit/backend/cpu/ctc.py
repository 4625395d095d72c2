"""Connectionist temporal classification in NumPy: the forward-backward algorithm, and beam search.

An alignment walks through the states blank, l₁, blank, l₂, ..., blank, one emission a step: it stays, goes to the next
state, or skips a blank between two different labels. Scores are natural logarithms in float64, as sums over long
signals in float32 would leave the posteriors few digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .loss import class_counts

__all__ = ["ctc_beam_search", "ctc_grad", "ctc_loss"]

#: The logarithm of zero, finite so that differences of two stay numbers.
LOW = -1e30

#: The loss of labels that the steps are too few for.
IMPOSSIBLE = 1e5


def ctc_loss(
    labels: ndarray, logits: ndarray, label_lengths: ndarray, logit_lengths: ndarray, blank: int
) -> tuple[ndarray, Any]:
    """-log of the probability of all alignments of each sequence.

    Args:
        labels: (n, l) integers.
        logits: (n, t, classes).
        label_lengths: How many labels count, (n,).
        logit_lengths: How many steps count, (n,).
        blank: The class between labels.

    Returns:
        The losses (n,), and what :func:`ctc_grad` takes.
    """
    n, steps, _ = logits.shape
    length = labels.shape[1]
    labels = np.where(np.arange(length) < label_lengths[:, None], labels, blank)
    states = np.full((n, 2 * length + 1), blank, "int64")
    states[:, 1::2] = labels
    skips = np.full(states.shape, LOW)
    skips[:, 3::2] = np.where(labels[:, 1:] != labels[:, :-1], 0.0, LOW)
    scores = _log_softmax(logits)
    emitted = np.ascontiguousarray(np.take_along_axis(scores, states[:, None], axis=2).transpose(1, 0, 2))
    alpha = np.full((steps, *states.shape), LOW)
    alpha[:1, :, :2] = emitted[:1, :, :2]
    for t in range(1, steps):
        before = alpha[t - 1]
        next_, skipped = np.full_like(before, LOW), np.full_like(before, LOW)
        next_[:, 1:] = before[:, :-1]
        skipped[:, 2:] = before[:, :-2]
        alpha[t] = _log_sum(before, next_, skipped + skips) + emitted[t]
    rows = np.arange(n)
    end = alpha[np.maximum(logit_lengths - 1, 0), rows]
    last = 2 * label_lengths
    total = np.logaddexp(end[rows, last], np.where(last > 0, end[rows, np.maximum(last - 1, 0)], LOW))
    loss = np.where(total > LOW / 2, -total, IMPOSSIBLE).astype(logits.dtype)
    return loss, (scores, states, skips, emitted, alpha, total, last, logit_lengths)


def ctc_grad(saved: Any, g: ndarray) -> ndarray:
    """Gradient of :func:`ctc_loss` by the logits: softmax minus the posterior probability of each class and step."""
    scores, states, skips, emitted, alpha, total, last, logit_lengths = saved
    steps, n, size = alpha.shape
    place = np.arange(size)
    final = np.where((place == last[:, None]) | (place == last[:, None] - 1), 0.0, LOW)
    posterior = np.empty_like(alpha)
    beta = np.full((n, size), LOW)
    for t in reversed(range(steps)):
        if t + 1 < steps:
            ahead = beta + emitted[t + 1]
            next_, skipped = np.full_like(ahead, LOW), np.full_like(ahead, LOW)
            next_[:, :-1] = ahead[:, 1:]
            skipped[:, :-2] = (ahead + skips)[:, 2:]
            beta = _log_sum(ahead, next_, skipped)
        beta = np.where((logit_lengths == t + 1)[:, None], final, beta)
        posterior[t] = np.exp(np.minimum(alpha[t] + beta - total[:, None], 0.0))
    classes = scores.shape[2]
    # Sum the states of each class: one histogram over (sequence, step, class).
    cells = (np.arange(n)[:, None] * steps + np.arange(steps))[:, :, None] * classes + states[:, None]
    counted = class_counts(cells.ravel(), posterior.transpose(1, 0, 2).ravel(), n * steps * classes)
    out = np.exp(scores) - counted.reshape(scores.shape)
    active = (np.arange(steps) < logit_lengths[:, None]) & (total > LOW / 2)[:, None]
    return (out * active[:, :, None] * g.astype("float64")[:, None, None]).astype(g.dtype)


def _log_softmax(x: ndarray) -> ndarray:
    x = x.astype("float64")
    x = x - x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def _log_sum(a: ndarray, b: ndarray, c: ndarray) -> ndarray:
    """log(e^a + e^b + e^c)."""
    top = np.maximum(np.maximum(a, b), c)
    return top + np.log(np.exp(a - top) + np.exp(b - top) + np.exp(c - top))


def ctc_beam_search(logits: ndarray, lengths: ndarray, width: int, top: int, blank: int) -> tuple[ndarray, ndarray]:
    """The most probable label sequences found by keeping ``width`` prefixes at each step (Graves 2012, ch. 7.5).

    Args:
        logits: (n, t, classes).
        lengths: How many steps count, (n,).
        width: Prefixes to keep.
        top: Sequences to give.
        blank: The class between labels.

    Returns:
        Sequences (top, n, t), filled up with -1, and the logarithms of their probabilities (n, top).
    """
    n, steps, _ = logits.shape
    paths = np.full((top, n, steps), -1, "int32")
    scores = np.full((n, top), -np.inf)
    for i, (row, length) in enumerate(zip(_log_softmax(logits), lengths)):
        for j, (path, score) in enumerate(_search(row[: max(int(length), 1)], width, blank)[:top]):
            paths[j, i, : len(path)] = path
            scores[i, j] = score
    return paths, scores.astype(logits.dtype)


def _search(scores: ndarray, width: int, blank: int) -> list[tuple[tuple[int, ...], float]]:
    """Prefixes with the logarithms of their probabilities, the best first."""
    paths: list[tuple[int, ...]] = [()]
    # The probability of each prefix, by whether its alignment ended in a label or a blank.
    in_label, in_blank = np.array([-np.inf]), np.array([0.0])
    for step in scores:
        total = np.logaddexp(in_label, in_blank)
        last = np.array([path[-1] if path else blank for path in paths])
        some = np.array([bool(path) for path in paths])
        longer = total[:, None] + step
        longer[some, last[some]] = (in_blank + step[last])[some]  # a label once more needs a blank in between
        longer[:, blank] = -np.inf
        stay_blank = total + step[blank]
        stay_label = np.where(some, in_label + step[last], -np.inf)
        place = {path: i for i, path in enumerate(paths)}
        for j, path in enumerate(paths):
            parent = place.get(path[:-1]) if path else None
            if parent is not None:  # grows into a prefix that is there already
                stay_label[j] = np.logaddexp(stay_label[j], longer[parent, path[-1]])
                longer[parent, path[-1]] = -np.inf
        candidates = np.concatenate([np.logaddexp(stay_label, stay_blank), longer.ravel()])
        best = np.argsort(-candidates, kind="stable")[:width]
        best = best[candidates[best] > -np.inf]
        kept, count, classes = [], len(paths), scores.shape[1]
        labels, blanks = np.full(len(best), -np.inf), np.full(len(best), -np.inf)
        for i, at in enumerate(best):
            if at < count:
                kept.append(paths[at])
                labels[i], blanks[i] = stay_label[at], stay_blank[at]
            else:
                parent, label = divmod(int(at) - count, classes)
                kept.append((*paths[parent], label))
                labels[i] = candidates[at]
        paths, in_label, in_blank = kept, labels, blanks
    return list(zip(paths, np.logaddexp(in_label, in_blank)))

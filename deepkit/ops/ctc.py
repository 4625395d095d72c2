"""Connectionist temporal classification: labels of a sequence without knowing where they are in it."""

from __future__ import annotations

from typing import Any

from ..autograd.dtypes import np_dtype, result_type
from ..autograd.op import Op, to_tensor
from ..autograd.spec import Spec
from . import elementwise as e
from .arrange import take_along_axis
from .creation import arange, cast, full, full_like
from .index import where
from .logistic import log_softmax
from .shape import concatenate, expand_dims, reshape, stack
from .sorting import Plain

_LOW = -1e30


class CTC(Op):
    """-log of the probability of all alignments, by the forward-backward algorithm."""

    def infer(self, labels: Spec, logits: Spec, label_lengths: Spec, logit_lengths: Spec, blank: int) -> Spec:
        return Spec(labels.shape[:1], logits.dtype)

    def forward(
        self, k: Any, labels: Any, logits: Any, label_lengths: Any, logit_lengths: Any, blank: int
    ) -> tuple[Any, Any]:
        return k.ctc_loss(labels, logits, label_lengths, logit_lengths, blank)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        return None, k.ctc_grad(saved, g), None, None

    def reference(self, labels: Any, logits: Any, label_lengths: Any, logit_lengths: Any, blank: int) -> Any:
        labels, label_lengths, logit_lengths = (to_tensor(x) for x in (labels, label_lengths, logit_lengths))
        n, length = labels.shape
        scores = log_softmax(logits)
        labels = where(arange(length) < expand_dims(label_lengths, 1), labels, full_like(labels, blank))
        blanks = full((n, length), blank, labels.dtype)
        states = concatenate([reshape(stack([blanks, labels], axis=2), (n, -1)), full((n, 1), blank, labels.dtype)], 1)
        rows, size = reshape(arange(n), (-1, 1)), 2 * length + 1
        place = arange(size)
        skips = e.logical_and(place % 2 == 1, e.not_equal(states, _shifted(states, 2, -1)))
        emitted = scores[:, 0][rows, states]
        alpha = where(place < 2, emitted, full_like(emitted, _LOW))
        for t in range(1, logits.shape[1]):
            skipped = where(skips, _shifted(alpha, 2, _LOW), full_like(alpha, _LOW))
            step = e.logaddexp(e.logaddexp(alpha, _shifted(alpha, 1, _LOW)), skipped) + scores[:, t][rows, states]
            alpha = where(expand_dims(logit_lengths > t, 1), step, alpha)
        last = expand_dims(label_lengths * 2, 1)
        end = take_along_axis(alpha, last, 1)[:, 0]
        before = take_along_axis(alpha, e.maximum(last - 1, 0), 1)[:, 0]
        total = where(label_lengths > 0, e.logaddexp(end, before), end)
        return where(total > _LOW / 2, -total, 1e5)


def _shifted(x: Any, by: int, fill: Any) -> Any:
    """The columns moved to the right, ``fill`` in front."""
    by = min(by, x.shape[1])
    return concatenate([full((x.shape[0], by), fill, x.dtype), x[:, : x.shape[1] - by]], axis=1)


_ctc = CTC()


def _tensor(x: Any, dtype: str) -> Any:
    return cast(x if isinstance(x, Spec) else to_tensor(x), dtype)


def ctc_loss(
    target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0
) -> Any:
    """-log of the probability that a network's outputs spell the targets (Graves et al. 2006).

    The probability is summed over all alignments: ways to assign a label or the blank to each step that give the
    targets when repetitions are merged and blanks removed.

    Args:
        target: Labels (batch, labels), integers.
        output: Logits (batch, steps, classes).
        target_length: How many labels of each row count, (batch,).
        output_length: How many steps of each row count, (batch,).
        mask_index: The blank class.

    Returns:
        Losses (batch,), float32 or float64. Where no alignment exists, 1e5 and no gradient.

    Raises:
        ValueError: for other ranks or batches that differ.

    Example:
        >>> ctc_loss([[1, 2]], [[[0.0, 0.0, 0.0]] * 4], [2], [4])
        Tensor([1.68639...], dtype=float32)
    """
    labels, logits = _tensor(target, "int32"), output if isinstance(output, Spec) else to_tensor(output)
    logits = cast(logits, result_type(np_dtype(logits.dtype).name, "float32"))
    lengths = [_tensor(x, "int32") for x in (target_length, output_length)]
    shapes = [tuple(x.shape) for x in (labels, logits, *lengths)]
    if [len(shape) for shape in shapes] != [2, 3, 1, 1]:
        raise ValueError(f"ctc_loss takes labels (batch, labels), logits (batch, steps, classes) and two vectors of "
                         f"lengths. Received: shapes {', '.join(map(str, shapes))}.")  # fmt: skip
    if len({shape[0] for shape in shapes} - {None}) > 1:
        raise ValueError(f"ctc_loss takes batches of one size. Received: shapes {', '.join(map(str, shapes))}.")
    return _ctc(labels, logits, *lengths, blank=int(mask_index))


def _greedy_kernel(k: Any, logits: Any, lengths: Any, merge: bool, blank: int) -> tuple[Any, Any]:
    steps = logits.shape[1]
    beyond = k.arange(steps) >= lengths[:, None]
    best = k.where(beyond, blank, k.argmax(logits, axis=-1))
    score = -k.sum(k.where(beyond, 0, k.max(logits, axis=-1)), axis=1, keepdims=True)
    dropped = best == blank
    if merge:
        dropped[:, 1:] |= best[:, 1:] == best[:, :-1]
    best = k.where(dropped, -1, best)
    order = k.argsort(dropped, axis=-1, kind="stable")  # labels first, as they come
    return k.take_along_axis(best, order, -1)[None].astype("int32"), score.astype(logits.dtype)


def _decoded(x: Spec, top: int) -> tuple[Spec, Spec]:
    return Spec((top, *x.shape[:2]), "int32"), Spec((x.shape[0], top), x.dtype)


_greedy = Plain("ctc_greedy", lambda x, lengths, **_: _decoded(x, 1), _greedy_kernel, 2)
_beam = Plain(
    "ctc_beam_search",
    lambda x, lengths, width, top, blank: _decoded(x, top),
    lambda k, x, lengths, **params: k.ctc_beam_search(x, lengths, **params),
    2,
)


def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int | None = 0,
) -> tuple[Any, Any]:
    """The label sequences that a network's outputs spell; not differentiable.

    Args:
        inputs: Logits (batch, steps, classes).
        sequence_lengths: How many steps of each row count, (batch,).
        strategy: ``"greedy"`` takes the largest logit of each step, ``"beam_search"`` keeps the most probable prefixes,
            summed over their alignments.
        beam_width: Prefixes that beam search keeps.
        top_paths: Sequences that beam search gives; greedy decoding gives one.
        merge_repeated: Whether greedy decoding merges equal neighbours. Beam search always does.
        mask_index: The blank class; ``None`` for the last one.

    Returns:
        The sequences (paths, batch, steps), int32, filled up with -1, the best first; and their scores (batch, paths):
        the negative sum of the largest logits for ``"greedy"``, log probabilities for ``"beam_search"``.

    Raises:
        ValueError: for another strategy or rank.

    Example:
        >>> ctc_decode([[[0.0, 9.0, 0.0], [0.0, 9.0, 0.0], [9.0, 0.0, 0.0], [0.0, 0.0, 9.0]]], [4])[0]
        Tensor([[[ 1,  2, -1, -1]]], dtype=int32)
    """
    logits = inputs if isinstance(inputs, Spec) else to_tensor(inputs)
    if len(logits.shape) != 3:
        raise ValueError(f"ctc_decode takes logits (batch, steps, classes), not shape {tuple(logits.shape)}.")
    logits = cast(logits, result_type(np_dtype(logits.dtype).name, "float32"))
    lengths = _tensor(sequence_lengths, "int32")
    blank = logits.shape[2] - 1 if mask_index is None else int(mask_index)
    if strategy == "greedy":
        return _greedy(logits, lengths, merge=bool(merge_repeated), blank=blank)
    if strategy != "beam_search":
        raise ValueError(f"ctc_decode: strategy must be 'greedy' or 'beam_search', not {strategy!r}.")
    return _beam(logits, lengths, width=int(beam_width), top=int(top_paths), blank=blank)


__all__ = ["ctc_decode", "ctc_loss"]

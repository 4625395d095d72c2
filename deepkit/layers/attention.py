"""Attention of queries to values by dot products, or by a sum (Luong et al. 2015; Bahdanau et al. 2015)."""

from __future__ import annotations

from typing import Any

from .. import ops, random
from ..autograd.spec import Spec
from ..registry import export
from .layer import Layer


@export("keras.layers.Attention")
class Attention(Layer):
    """softmax(query · keyᵀ) · value, for inputs ``[query, value]`` or ``[query, value, key]``.

    Query (batch, T, dim), value (batch, S, dim), key like value; the output is (batch, T, dim).

    Args:
        use_scale: Multiply the scores by a trained scalar.
        score_mode: ``"dot"``, or ``"concat"`` for a trained multiple of Σ tanh(query + key).
        dropout: Share of the weights to drop in training.
        seed: Integer for repeatable dropout.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if ``score_mode`` is unknown, or the inputs or masks aren't lists of two or three.

    Call arguments: ``mask``, the list ``[query mask, value mask]``; ``return_attention_scores``; ``use_causal_mask``,
    so that a position doesn't see later ones; ``training``.

    Example:
        >>> import deepkit
        >>> query, value = deepkit.ops.ones((2, 4, 3)), deepkit.ops.ones((2, 5, 3))
        >>> deepkit.layers.Attention()([query, value]).shape
        (2, 4, 3)
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                f"{type(self).__name__}: `score_mode` should be 'dot' or 'concat'. Received: score_mode={score_mode!r}"
            )
        self.use_scale, self.score_mode, self.dropout, self.seed = use_scale, score_mode, dropout, seed
        if dropout > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self._check(input_shape, None)
        self.scale = self.add_weight((), "ones", name="scale") if self.use_scale else None
        self.concat_score_weight = None
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def _scores(self, query: Any, key: Any) -> Any:
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return scores if self.scale is None else scores * self.scale
        both = ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
        both = both if self.scale is None else both * self.scale
        return self.concat_score_weight * ops.sum(ops.tanh(both), axis=-1)

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: Any = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        self._check(inputs, mask)
        query, value = inputs[:2]
        key = inputs[2] if len(inputs) > 2 else value
        self._check_sizes(tuple(query.shape), tuple(key.shape), tuple(value.shape))
        of_query, of_value = mask[:2] if mask is not None else (None, None)
        for held, x, label in ((of_query, query, "query"), (of_value, value, "value")):
            if held is not None and len(held.shape) == 2 and _differ(held.shape, x.shape[:2]):
                raise ValueError(f"{type(self).__name__} {self.name!r}: the {label} mask should have shape "
                                 f"{tuple(x.shape[:2])}. Received: {tuple(held.shape)}")  # fmt: skip
        scores = self._scores(query, key)
        seen = (
            None
            if of_value is None
            else ops.expand_dims(of_value, -2)
            if len(of_value.shape) == 2
            else of_value
        )
        if use_causal_mask:
            row, column = (ops.arange(n, dtype="int32") for n in scores.shape[-2:])
            earlier = ops.expand_dims(row, 1) >= column
            seen = earlier if seen is None else ops.logical_and(seen, earlier)
        if seen is not None:
            far = 65504.0 if str(scores.dtype) == "float16" else 1e9
            scores = ops.where(ops.logical_not(seen), scores - far, scores)
        weights = ops.softmax(scores, axis=-1)
        if training and self.dropout > 0 and not isinstance(weights, Spec):
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        y = ops.matmul(weights, value)
        if of_query is not None:
            y = ops.where(ops.expand_dims(of_query, -1), y, 0.0)
        return (y, weights) if return_attention_scores else y

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None if mask is None else mask[0]

    def _check(self, inputs: Any, mask: Any) -> None:
        for given, label in ((inputs, "inputs"), (mask, "mask")):
            if given is None and label == "mask":
                continue
            if not isinstance(given, (list, tuple)) or not 2 <= len(given) <= 3:
                raise ValueError(
                    f"{type(self).__name__} {self.name!r}: `{label}` should be a list [query, value] or "
                    f"[query, value, key]. Received: {given!r}"
                )

    def _check_sizes(self, query: Any, key: Any, value: Any) -> None:
        for what, first, second in (
            ("`query` and `key` should have one last size", query[-1:], key[-1:]),
            ("`value` and `key` should have one length", value[-2:-1], key[-2:-1]),
        ):
            if _differ(first, second):
                raise ValueError(f"{type(self).__name__} {self.name!r}: {what}. Received: query {query}, "
                                 f"value {value}, key {key}")  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "use_scale": self.use_scale,
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "seed": self.seed,
        }


def _differ(a: Any, b: Any) -> bool:
    return len(a) != len(b) or any(m is not None and n is not None and m != n for m, n in zip(a, b))


@export("keras.layers.AdditiveAttention")
class AdditiveAttention(Attention):
    """Attention with the scores Σ scale · tanh(query + key) (Bahdanau et al. 2015, arXiv:1409.0473).

    Args:
        use_scale: Whether the terms of the sum have trained factors (dim,).
        dropout: Share of the weights to drop in training.
        **kwargs: Those of :class:`Layer`, and ``seed``.

    Example:
        >>> import deepkit
        >>> query, value = deepkit.ops.ones((2, 4, 3)), deepkit.ops.ones((2, 5, 3))
        >>> deepkit.layers.AdditiveAttention()([query, value]).shape
        (2, 4, 3)
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any):
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        self._check(input_shape, None)
        self.scale = None
        if self.use_scale:
            self.scale = self.add_weight((input_shape[0][-1],), "glorot_uniform", name="scale")

    def _scores(self, query: Any, key: Any) -> Any:
        terms = ops.tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3))
        return ops.sum(terms if self.scale is None else terms * self.scale, axis=-1)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["score_mode"]
        return config

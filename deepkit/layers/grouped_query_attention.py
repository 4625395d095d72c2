"""Attention in which several query heads share a key and a value head."""

from __future__ import annotations

import math
from typing import Any

from .. import ops
from ..registry import export
from .activation import Softmax
from .core import positive_int
from .multi_head_attention import ProjectedAttention, causal_mask
from .regularization import Dropout


@export("keras.layers.GroupQueryAttention")
class GroupedQueryAttention(ProjectedAttention):
    """Multi-head attention with fewer key and value heads than query heads (Ainslie et al. 2023, arXiv:2305.13245).

    Shapes and call arguments are those of :class:`MultiHeadAttention`.

    Args:
        head_dim: Size of each head.
        num_query_heads: Number of query heads, a multiple of the next.
        num_key_value_heads: Number of key and value heads.
        dropout: Share of the weights to drop in training.
        use_bias: Whether the projections have biases.
        sliding_window: Attend only to positions nearer than this.
        flash_attention: Accepted for compatibility; excludes dropout and scores.
        kernel_initializer: Initializer of the projections' kernels.
        bias_initializer: Initializer of their biases.
        kernel_regularizer: Regularizer of the kernels.
        bias_regularizer: Regularizer of the biases.
        activity_regularizer: Regularizer of the projections' outputs.
        kernel_constraint: Constraint on the kernels.
        bias_constraint: Constraint on the biases.
        use_gate: Multiply the heads' output by a sigmoid projection of the query.
        seed: Integer for repeatable dropout.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if a number isn't positive or the heads can't be shared evenly.

    Example:
        >>> import deepkit
        >>> x = deepkit.ops.ones((2, 5, 8))
        >>> deepkit.layers.GroupQueryAttention(4, num_query_heads=4, num_key_value_heads=2)(x, x).shape
        (2, 5, 8)
    """

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            dropout, use_bias, sliding_window, flash_attention, kernel_initializer, bias_initializer,
            kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, use_gate,
            seed, **kwargs,
        )  # fmt: skip
        label = "GroupQueryAttention"
        self.head_dim = positive_int(head_dim, "head_dim", label)
        self.num_query_heads = positive_int(num_query_heads, "num_query_heads", label)
        self.num_key_value_heads = positive_int(num_key_value_heads, "num_key_value_heads", label)
        if self.num_query_heads % self.num_key_value_heads:
            raise ValueError(
                f"{label}: `num_query_heads` should be a multiple of `num_key_value_heads`. Received: "
                f"num_query_heads={num_query_heads}, num_key_value_heads={num_key_value_heads}"
            )

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(query_shape, value_shape, key_shape)
        if len(query_shape) != 3:
            raise ValueError(f"GroupQueryAttention {self.name!r}: `query` should have the shape (batch, T, dim). "
                             f"Received: {tuple(query_shape)}")  # fmt: skip
        n, m, size = self.num_query_heads, self.num_key_value_heads, self.head_dim
        self._query_dense = self._project("bqm,muh->bquh", (None, n, size), "uh", "query")
        self._query_dense.build(query_shape)
        self._key_dense = self._project("bkm,mvh->bkvh", (None, m, size), "vh", "key")
        self._key_dense.build(key_shape)
        if self.use_gate:
            self._gate_dense = self._project("bqm,muh->bquh", (None, n, size), "uh", "gate", "sigmoid")
            self._gate_dense.build(query_shape)
        self._value_dense = self._project("bkm,mvh->bkvh", (None, m, size), "vh", "value")
        self._value_dense.build(value_shape)
        self._softmax = Softmax(axis=-1, dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)
        self._output_dense = self._project("bquh,uhm->bqm", (None, query_shape[-1]), "m", "attention_output")
        self._output_dense.build((*query_shape[:2], n, size))

    def _attend(
        self, q: Any, k: Any, v: Any, mask: Any, training: Any, scores: bool, causal: bool
    ) -> tuple[Any, Any]:
        scale = 1 / math.sqrt(self.head_dim)
        if not scores and not (self.dropout and training):
            return self._without_scores(q, k, v, mask, scale, causal), None
        shared = self.num_query_heads // self.num_key_value_heads
        k, v = ops.repeat(k, shared, axis=2), ops.repeat(v, shared, axis=2)
        if causal:
            earlier = causal_mask(q, k)
            mask = earlier if mask is None else ops.logical_and(mask, earlier)
        if mask is not None and len(mask.shape) == 3:
            mask = ops.expand_dims(mask, 1)
        weights = self._softmax(ops.einsum("btnh,bsnh->bnts", q * scale, k), mask=mask)
        dropped = self._dropout_layer(weights, training=training) if self.dropout else weights
        return ops.einsum("bnts,bsnh->btnh", dropped, v), weights

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **self._settings(),
            "head_dim": self.head_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
        }

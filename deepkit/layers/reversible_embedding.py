"""An embedding that also maps vectors back to logits over its rows."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..registry import export
from .core import Embedding


@export("keras.layers.ReversibleEmbedding")
class ReversibleEmbedding(Embedding):
    """Embedding whose table, turned, is a language model's output projection (Press & Wolf 2016, arXiv:1608.05859).

    ``layer(ids)`` gives (..., output_dim), ``layer(x, reverse=True)`` takes that to logits (..., input_dim).

    Args:
        input_dim: Number of rows.
        output_dim: Size of the vectors.
        tie_weights: Whether both directions share the table.
        embeddings_initializer: Initializer of the table.
        embeddings_regularizer: Regularizer of the table.
        embeddings_constraint: Constraint on the table.
        mask_zero: Whether id 0 is padding, to be masked.
        reverse_dtype: Dtype of the way back.
        logit_soft_cap: c for logits c · tanh(logits / c).
        **kwargs: Those of :class:`Layer`.

    Example:
        >>> import deepkit
        >>> layer = deepkit.layers.ReversibleEmbedding(10, 4)
        >>> layer(layer([[1, 2, 3]]), reverse=True).shape
        (1, 3, 10)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ):
        super().__init__(input_dim, output_dim, embeddings_initializer, embeddings_regularizer, embeddings_constraint,
                         mask_zero, **kwargs)  # fmt: skip
        self.tie_weights, self.reverse_dtype, self.logit_soft_cap = tie_weights, reverse_dtype, logit_soft_cap

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                (self.output_dim, self.input_dim), self.embeddings_initializer, name="reverse_embeddings"
            )

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        if not reverse:
            y = super().call(inputs)
            if self.mask_zero:
                y._keras_mask = super().compute_mask(inputs)
            return y
        kernel = ops.transpose(self.embeddings) if self.tie_weights else self.reverse_embeddings
        dtype = self.reverse_dtype or self.compute_dtype
        logits = ops.matmul(ops.cast(inputs, dtype), ops.cast(kernel, dtype))
        if self.logit_soft_cap is not None:
            logits = ops.tanh(logits / self.logit_soft_cap) * self.logit_soft_cap
        return logits

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None  # set in call, for only one direction has one

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "tie_weights": self.tie_weights,
            "reverse_dtype": self.reverse_dtype,
            "logit_soft_cap": self.logit_soft_cap,
        }

"""Category numbers as vectors."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..autograd.spec import Spec
from ..registry import export
from .data_layer import DataLayer, encode, integers


@export("keras.layers.CategoryEncoding")
class CategoryEncoding(DataLayer):
    """Category numbers in [0, num_tokens) as vectors of length ``num_tokens``.

    Args:
        num_tokens: Number of categories.
        output_mode: ``"one_hot"``: a vector for every number, on the last axis if it has size 1 and on a new one if
            not; ``"multi_hot"``: one vector for each sample (the last axis), with ones for the numbers that occur;
            ``"count"``: how often they occur.
        sparse: Not supported.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: for an unknown mode, a missing ``num_tokens``, and, when called, for numbers out of range.

    Example:
        >>> CategoryEncoding(num_tokens=4, output_mode="count")([[0, 1, 1]])
        Tensor([[1., 2., 0., 0.]], dtype=float32)
    """

    def __init__(self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False,
                 **kwargs: Any):  # fmt: skip
        super().__init__(**kwargs)
        output_mode = "multi_hot" if output_mode == "binary" else output_mode
        self._check_mode(output_mode, ("count", "one_hot", "multi_hot"))
        if num_tokens is None or num_tokens < 1:
            raise self._fail("`num_tokens` should be the number of categories, at least 1; where it isn't known, use "
                             f"IntegerLookup. Received: num_tokens={num_tokens}")  # fmt: skip
        self._check_dense(sparse)
        self.num_tokens, self.output_mode, self.sparse = int(num_tokens), output_mode, sparse

    def compute_output_spec(self, inputs: Any, count_weights: Any = None) -> Any:
        return encode(Spec(inputs.shape, "int32"), self.output_mode, self.num_tokens, self.compute_dtype)

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        if count_weights is not None:
            if self.output_mode != "count":
                raise self._fail("`count_weights` is for output_mode='count'. "
                                 f"Received: output_mode={self.output_mode!r}")  # fmt: skip
            count_weights = ops.cast(count_weights, self.compute_dtype)
        x = integers(self, inputs)
        if x.size:
            low, high = int(ops.min(x).numpy()), int(ops.max(x).numpy())
            if low < 0 or high >= self.num_tokens:
                raise self._fail(f"numbers should lie in 0 <= number < num_tokens={self.num_tokens}. Received some "
                                 f"from {low} to {high}; give the layer more `num_tokens`.")  # fmt: skip
        return encode(x, self.output_mode, self.num_tokens, self.compute_dtype, count_weights)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_tokens": self.num_tokens, "output_mode": self.output_mode}

"""Attention with several heads."""

from __future__ import annotations

import math
import string
from typing import Any

from .. import constraints, initializers, ops, regularizers
from ..registry import export
from .activation import Softmax
from .core import positive_int
from .einsum_dense import EinsumDense
from .layer import Layer, makes_no_mask
from .regularization import Dropout


class ProjectedAttention(Layer):
    """What attention layers with projections of query, key and value share: settings, masks and the call."""

    _query_dense: EinsumDense
    _key_dense: EinsumDense
    _value_dense: EinsumDense
    _gate_dense: EinsumDense
    _output_dense: EinsumDense
    attention_axes: Any = None

    def __init__(
        self,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
        kernel_constraint: Any,
        bias_constraint: Any,
        use_gate: bool,
        seed: int | None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.dropout, self.use_bias, self.use_gate, self.seed = dropout, use_bias, use_gate, seed
        if sliding_window is not None:
            positive_int(sliding_window, "sliding_window", type(self).__name__)
        self.sliding_window = sliding_window
        if flash_attention and dropout > 0:
            raise ValueError(f"{type(self).__name__}: flash attention has no dropout; set `dropout` to 0.")
        self._flash_attention = flash_attention
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self._activity = regularizers.get(activity_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def _project(
        self, equation: str, shape: Any, bias_axes: str, name: str, activation: Any = None
    ) -> EinsumDense:
        again = [
            type(i).from_config(i.get_config()) for i in (self.kernel_initializer, self.bias_initializer)
        ]
        return EinsumDense(
            equation, output_shape=shape, bias_axes=bias_axes if self.use_bias else None, activation=activation,
            name=name,
            kernel_initializer=again[0], bias_initializer=again[1], kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer, activity_regularizer=self._activity,
            kernel_constraint=self.kernel_constraint, bias_constraint=self.bias_constraint, dtype=self.dtype_policy,
        )  # fmt: skip

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that :meth:`build` was given, by name, as Keras writes them."""
        return {"shapes_dict": {name: list(shape) for name, shape in self._shapes.items()}} if self.built else None

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build with the shapes of :meth:`get_build_config`."""
        shapes = (config or {}).get("shapes_dict")
        if shapes and not self.built:
            self.build(**{name: tuple(shape) for name, shape in shapes.items() if shape is not None})

    def _check_shapes(self, query: Any, value: Any, key: Any) -> None:
        if tuple(value[1:-1]) != tuple(key[1:-1]):
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: `value` and `key` should have the same shape but for the last "
                f"axis. Received: value {tuple(value)}, key {tuple(key)}"
            )
        if len(query) < 3 or len(query) != len(value):
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: `query` and `value` should have the shapes (batch, T, dim) and "
                f"(batch, S, dim). Received: {tuple(query)} and {tuple(value)}"
            )
        if any(_unlike(query[:1], shape[:1]) for shape in (value, key)):
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: `query`, `value` and `key` should have one batch size. "
                f"Received: query {tuple(query)}, value {tuple(value)}, key {tuple(key)}"
            )
        self._shapes = {"query_shape": tuple(query), "value_shape": tuple(value)}
        if tuple(key) != tuple(value):
            self._shapes["key_shape"] = tuple(key)

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: Any = None,
        use_causal_mask: bool = False,
    ) -> Any:
        if return_attention_scores and self._flash_attention:
            raise ValueError(f"{type(self).__name__} {self.name!r}: flash attention doesn't make the scores; leave "
                             "`flash_attention` out to have them.")  # fmt: skip
        key = value if key is None else key
        mask = self._mask(query, value, query_mask, value_mask, key_mask, attention_mask)
        gate = self._gate_dense(query) if self.use_gate else None
        q, k, v = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        y, scores = self._attend(q, k, v, mask, training, return_attention_scores, use_causal_mask)
        y = self._output_dense(y if gate is None else y * gate)
        return (y, scores) if return_attention_scores else y

    def _mask(
        self, query: Any, value: Any, query_mask: Any, value_mask: Any, key_mask: Any, given: Any
    ) -> Any:
        """All masks in one, (batch or 1, T or 1, S); the causal one is the op's own."""
        rank = len(query.shape) - 2
        masks = []
        for mask, place, x, label in (
            (query_mask, -1, query, "query_mask"), (value_mask, -2, value, "value_mask"),
            (key_mask, -2, value, "key_mask"),
        ):  # fmt: skip
            if mask is not None:
                if rank == 1 and _unlike(mask.shape, x.shape[:2]):
                    self._refuse(label, tuple(x.shape[:2]), mask)
                masks.append(ops.expand_dims(ops.cast(mask, "bool"), place))
        if self.sliding_window is not None:
            rows, columns = (ops.arange(x.shape[1], dtype="int32") for x in (query, value))
            near = ops.abs(ops.expand_dims(rows, 1) - columns) < self.sliding_window
            masks.append(ops.expand_dims(near, 0))
        if given is not None:
            shape = (query.shape[1], value.shape[1])
            if rank == 1 and (len(given.shape) < 2 or _unlike(given.shape[-2:], shape, broadcast=True)):
                self._refuse("attention_mask", ("batch", *shape), given)
            if rank == 1 and len(given.shape) > 2 and _unlike(given.shape[:1], query.shape[:1], broadcast=True):
                self._refuse("attention_mask", (query.shape[0], *shape), given)
            masks.append(ops.cast(given, "bool"))
        found = None
        for mask in masks:
            found = mask if found is None else ops.logical_and(found, mask)
        return found

    def _refuse(self, label: str, wanted: Any, mask: Any) -> None:
        raise ValueError(f"{type(self).__name__} {self.name!r}: `{label}` should have shape {wanted}. Received: "
                         f"{tuple(mask.shape)}")  # fmt: skip

    def _attend(
        self, q: Any, k: Any, v: Any, mask: Any, training: Any, scores: bool, causal: bool
    ) -> tuple[Any, Any]:
        raise NotImplementedError

    def _without_scores(self, q: Any, k: Any, v: Any, mask: Any, scale: float, causal: bool) -> Any:
        if mask is not None and len(mask.shape) == 3:
            mask = ops.expand_dims(mask, 1)
        y = ops.dot_product_attention(q, k, v, mask=mask, scale=scale, is_causal=causal)
        if mask is None or not self.dropout:
            return y
        # A query that sees no key: evenly weighted keys above, nothing where there is dropout, as in Keras.
        sees = ops.any(mask, axis=-1, keepdims=True)
        return ops.where(ops.swapaxes(sees, 1, 2), y, 0.0)

    @makes_no_mask
    def compute_mask(self, query: Any, mask: Any = None) -> Any:
        return getattr(query, "_keras_mask", None)

    def _settings(self) -> dict[str, Any]:
        return {
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "use_gate": self.use_gate,
            "sliding_window": self.sliding_window,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self._activity),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "seed": self.seed,
        }


def causal_mask(query: Any, key: Any) -> Any:
    """(1, T, S): whether each position of the key isn't later than that of the query."""
    rows, columns = (ops.arange(x.shape[1], dtype="int32") for x in (query, key))
    return ops.expand_dims(ops.expand_dims(rows, 1) >= columns, 0)


def _unlike(a: Any, b: Any, broadcast: bool = False) -> bool:
    """Whether two shapes with unknown sizes can't be equal (or broadcast)."""
    if len(a) != len(b):
        return True
    return any(None not in (m, n) and m != n and not (broadcast and m == 1) for m, n in zip(a, b))


@export("keras.layers.MultiHeadAttention")
class MultiHeadAttention(ProjectedAttention):
    """Dot-product attention in ``num_heads`` projected spaces (Vaswani et al. 2017, arXiv:1706.03762).

    Query (batch, T, dim), value and key (batch, S, dim); the output is (batch, T, dim of the query). Where neither
    scores nor dropout are asked for, memory is linear in the lengths.

    Args:
        num_heads: Number of heads.
        key_dim: Size of each head for query and key.
        value_dim: Size of each head for value; ``key_dim`` by default.
        dropout: Share of the weights to drop in training.
        use_bias: Whether the projections have biases.
        output_shape: Last sizes of the output; those of the query by default.
        attention_axes: Axes over which attention goes; all but batch, heads and features by default.
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
        ValueError: for a size that isn't positive, or masks, keys and values that don't fit together.

    Call arguments: ``query``, ``value``, ``key`` (the value by default), ``query_mask``, ``value_mask``, ``key_mask``
    (batch, length), ``attention_mask`` (batch, T, S), ``return_attention_scores``, ``use_causal_mask``, ``training``.

    Example:
        >>> import deepkit
        >>> x = deepkit.ops.ones((2, 5, 8))
        >>> deepkit.layers.MultiHeadAttention(num_heads=2, key_dim=4)(x, x, use_causal_mask=True).shape
        (2, 5, 8)
    """

    # Sublayers have the names of Keras's files: public here, private in GroupQueryAttention.
    _query_dense = property(lambda self: self.query_dense)  # type: ignore[assignment]
    _key_dense = property(lambda self: self.key_dense)  # type: ignore[assignment]
    _value_dense = property(lambda self: self.value_dense)  # type: ignore[assignment]
    _output_dense = property(lambda self: self.output_dense)  # type: ignore[assignment]

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
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
        self.num_heads = positive_int(num_heads, "num_heads", "MultiHeadAttention")
        self.key_dim = positive_int(key_dim, "key_dim", "MultiHeadAttention")
        self.value_dim = (
            self.key_dim if value_dim is None else positive_int(value_dim, "value_dim", "MultiHeadAttention")
        )
        self._output_shape = (
            (output_shape,) if isinstance(output_shape, int) else tuple(output_shape or ()) or None
        )
        axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        self.attention_axes = None if axes is None else tuple(axes)

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(query_shape, value_shape, key_shape)
        free = len(query_shape) - 2
        places = string.ascii_lowercase[: free + 1]  # batch and positions
        head = f"{places}x,xyz->{places}yz"
        lengths = (None,) * free

        def built(name: str, shape: Any, size: int, activation: Any = None) -> EinsumDense:
            layer = self._project(head, (*lengths, self.num_heads, size), "yz", name, activation)
            layer.build(shape)
            return layer

        self.query_dense = built("query", query_shape, self.key_dim)
        self.key_dense = built("key", key_shape, self.key_dim)
        if self.use_gate:
            self._gate_dense = built("gate", query_shape, self.value_dim, "sigmoid")
        self.value_dense = built("value", value_shape, self.value_dim)
        rank = free + 3
        axes = tuple(range(1, rank - 2)) if self.attention_axes is None else self.attention_axes
        if any(not 1 <= (a if a >= 0 else rank - 1 + a) < rank - 2 for a in axes):
            raise ValueError(
                f"MultiHeadAttention {self.name!r}: `attention_axes` should be axes between batch and features of a "
                f"query of shape {tuple(query_shape)}. Received: attention_axes={self.attention_axes}"
            )
        self.attention_axes = tuple(a if a >= 0 else rank - 1 + a for a in axes)
        self._equations(rank)
        self._softmax = Softmax(axis=tuple(range(-len(self.attention_axes), 0)), dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)
        out = self._output_shape or (query_shape[-1],)
        letters = string.ascii_lowercase[15 : 15 + len(out)]
        self.output_dense = self._project(f"{places}yz,yz{letters}->{places}{letters}", (*lengths, *out), letters,
                                           "attention_output")  # fmt: skip
        self.output_dense.build((*query_shape[:-1], self.num_heads, self.value_dim))

    def _equations(self, rank: int) -> None:
        """Scores (batch..., heads, attended axes of the query, of the key) as an einsum, and the values by them."""
        query = string.ascii_lowercase[:rank]
        key = "".join(query[i].upper() if i in self.attention_axes else query[i] for i in range(rank))
        kept = [i for i in range(rank - 2) if i not in self.attention_axes]
        head = query[rank - 2]
        scores = "".join(query[i] for i in kept) + head + "".join(query[i] for i in self.attention_axes)
        scores += "".join(key[i] for i in self.attention_axes)
        self._dot, self._combine = f"{query},{key}->{scores}", f"{scores},{key}->{query}"


    def _attend(
        self, q: Any, k: Any, v: Any, mask: Any, training: Any, scores: bool, causal: bool
    ) -> tuple[Any, Any]:
        scale = 1 / math.sqrt(self.key_dim)
        if (
            len(q.shape) == 4
            and self.attention_axes == (1,)
            and not scores
            and not (self.dropout and training)
        ):
            return self._without_scores(q, k, v, mask, scale, causal), None
        if causal:
            earlier = causal_mask(q, k)
            mask = earlier if mask is None else ops.logical_and(mask, earlier)
        weights = ops.einsum(self._dot, q * scale, k)
        if mask is not None:
            for _ in range(len(weights.shape) - len(mask.shape)):
                mask = ops.expand_dims(mask, -2 * len(self.attention_axes) - 1)
        weights = self._softmax(weights, mask=mask)
        dropped = self._dropout_layer(weights, training=training) if self.dropout else weights
        return ops.einsum(self._combine, dropped, v), weights

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **self._settings(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "output_shape": self._output_shape,
            "attention_axes": self.attention_axes,
        }

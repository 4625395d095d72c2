"""Attention: the fused op, and ``dot_product_attention`` on top of it."""

from __future__ import annotations

import math
from typing import Any

from ..autograd.dtypes import join, np_dtype
from ..autograd.op import Op, cast, to_tensor
from ..autograd.spec import Spec
from . import elementwise as e
from .arrange import repeat, tril
from .creation import ones
from .index import where
from .logistic import softmax
from .products import einsum
from .reduce import _floating
from .symbolic import one_node


class Attention(Op):
    """softmax(scale · q kᵀ + bias) v by head, memory linear in the lengths.

    q (batch, T, heads, size), k and v (batch, S, heads, size), bias and boolean mask broadcast to (batch, heads, T, S).
    """

    def infer(
        self, q: Spec, k: Spec, v: Spec, bias: Any, mask: Any, scale: float | None = None, causal: bool = False
    ) -> Spec:
        return Spec((*q.shape[:3], v.shape[-1]), q.dtype)

    def forward(
        self, k: Any, q: Any, key: Any, v: Any, bias: Any, mask: Any, scale: float | None = None, causal: bool = False
    ) -> tuple[Any, Any]:
        return k.attention(q, key, v, bias, mask, _scale(q, scale), causal)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        return *k.attention_grad(saved, g, needs), None

    def reference(
        self, q: Any, k: Any, v: Any, bias: Any, mask: Any, scale: float | None = None, causal: bool = False
    ) -> Any:
        return einsum("bnts,bsnh->btnh", attention_weights(q, k, bias, mask, scale, causal), v)


attention = Attention()


def attention_weights(
    q: Any,
    k: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    causal: bool = False,
    soft_cap: Any = None,
) -> Any:
    """softmax(scale · q kᵀ + bias), (batch, heads, T, S), in basic ops; arguments as for :class:`Attention`."""
    logits = einsum("btnh,bsnh->bnts", q, k) * _scale(q, scale)
    if soft_cap is not None:
        logits = e.tanh(logits / soft_cap) * soft_cap
    if bias is not None:
        logits = logits + bias
    if causal:
        ahead = _causal(q.shape[1], k.shape[1])
        mask = ahead if mask is None else e.logical_and(mask, ahead)
    if mask is not None:
        low = -0.7 * float(_LARGEST.get(np_dtype(logits.dtype).name, 3.4028235e38))
        logits = where(mask, logits, low)
    return softmax(logits, axis=-1)


_LARGEST = {"float16": 65504.0, "float64": 1.7976931348623157e308}


def _scale(q: Any, scale: float | None) -> float:
    if scale is not None:
        return scale
    size = q.shape[-1]
    return 1.0 if size is None else 1 / math.sqrt(size)  # unknown: only the shape matters


def _causal(queries: Any, keys: Any) -> Any:
    return Spec((queries, keys), "bool") if None in (queries, keys) else tril(ones((queries, keys), "bool"))


def _check(query: Any, key: Any, value: Any, bias: Any, mask: Any) -> None:
    """That shapes fit together as far as they are known; :func:`dot_product_attention` checks the number of heads."""
    shapes = {"query": tuple(query.shape), "key": tuple(key.shape), "value": tuple(value.shape)}
    for name, shape in shapes.items():
        if len(shape) != 4:
            raise ValueError(f"dot_product_attention: {name} needs shape (batch, length, heads, size), not {shape}.")
    q, k, v = shapes.values()
    for what, sizes in (
        ("one batch size", (q[0], k[0], v[0])),
        ("one length of key and value", (k[1], v[1])),
        ("as many key as value heads", (k[2], v[2])),
        ("one size of query and key heads", (q[3], k[3])),
    ):
        if len({n for n in sizes if n is not None}) > 1:
            raise ValueError(f"dot_product_attention needs {what}. Received: query {q}, key {k}, value {v}")
    full = (q[0], q[2], q[1], k[1])
    for name, given in (("bias", bias), ("mask", mask)):
        if given is None:
            continue
        shape = tuple(given.shape) if hasattr(given, "shape") else tuple(to_tensor(given).shape)
        pairs = zip(shape[::-1], full[::-1])
        if len(shape) > 4 or any(m != 1 and None not in (m, n) and m != n for m, n in pairs):
            raise ValueError(
                f"dot_product_attention: {name} needs a shape that broadcasts to (batch, heads, T, S) = {full}, "
                f"not {shape}."
            )


@one_node
def dot_product_attention(query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None,
                          scale: float | None = None, is_causal: bool = False, flash_attention: bool | None = None,
                          attn_logits_soft_cap: float | None = None) -> Any:  # fmt: skip
    """softmax(scale · Q Kᵀ + bias) V by head (Vaswani et al. 2017, arXiv:1706.03762).

    Args:
        query: (batch, T, heads, size).
        key: (batch, S, key heads, size); heads are a multiple of the key heads.
        value: (batch, S, key heads, size).
        bias: Added to the logits, broadcast to (batch, heads, T, S).
        mask: Boolean; attention only where it holds.
        scale: 1 / √size by default.
        is_causal: Let a position attend to itself and earlier ones only.
        flash_attention: Accepted for compatibility.
        attn_logits_soft_cap: c for c · tanh(logits / c).

    Returns:
        (batch, T, heads, size).
    """
    query, key, value = _floating(query), _floating(key), _floating(value)
    _check(query, key, value, bias, mask)
    heads, groups = query.shape[2], key.shape[2]
    if heads != groups:
        if not groups or heads % groups:
            raise ValueError(
                f"dot_product_attention: {heads} query heads are no multiple of {groups} key heads."
            )
        key, value = (repeat(t, heads // groups, axis=2) for t in (key, value))
    scale = None if scale is None else float(scale)
    if attn_logits_soft_cap is not None:
        weights = attention_weights(query, key, bias, mask, scale, is_causal, attn_logits_soft_cap)
        return einsum("bnts,bsnh->btnh", weights, value)
    dtype = np_dtype(query.dtype)
    for t in (key, value):
        dtype = join(dtype, np_dtype(t.dtype))
    query, key, value = (
        t if np_dtype(t.dtype) == dtype else cast(t, dtype=dtype) for t in (query, key, value)
    )
    if bias is not None:
        bias = bias if isinstance(bias, Spec) else to_tensor(bias)
        bias = bias if np_dtype(bias.dtype) == dtype else cast(bias, dtype=dtype)
    if mask is not None:
        mask = mask if isinstance(mask, Spec) else to_tensor(mask)
        mask = mask if np_dtype(mask.dtype).kind == "b" else cast(mask, dtype=np_dtype("bool"))
    return attention(query, key, value, bias, mask, scale=scale, causal=is_causal)


__all__ = ["Attention", "attention", "attention_weights", "dot_product_attention"]

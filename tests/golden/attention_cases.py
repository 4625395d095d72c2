"""Attention layers whose outputs are compared with real Keras.

A case is ``(make(layers), input shapes, call)``, the call one of the names in :func:`arguments`.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

Case = tuple[Callable[[Any], Any], list[tuple[int, ...]], str]
Q, V = (2, 4, 6), (2, 5, 6)


def _mha(**kwargs: Any) -> Callable[[Any], Any]:
    return lambda L: L.MultiHeadAttention(**{"num_heads": 3, "key_dim": 2, **kwargs})


def _gqa(**kwargs: Any) -> Callable[[Any], Any]:
    return lambda L: L.GroupQueryAttention(**{"head_dim": 2, "num_query_heads": 4, "num_key_value_heads": 2, **kwargs})


def _einsum(*args: Any, **kwargs: Any) -> Callable[[Any], Any]:
    return lambda L: L.EinsumDense(*args, **kwargs)


CASES: dict[str, Case] = {}
for _name, _make in (("mha", _mha), ("gqa", _gqa)):
    CASES.update({
        f"{_name}": (_make(), [Q, V], ""),
        f"{_name}_key": (_make(), [Q, V, V], ""),
        f"{_name}_causal": (_make(), [Q, Q], "causal"),
        f"{_name}_masks": (_make(), [Q, V], "masks"),
        f"{_name}_attention_mask": (_make(), [Q, V], "attention_mask"),
        f"{_name}_both_masks": (_make(), [Q, Q], "attention_mask causal"),
        f"{_name}_scores": (_make(), [Q, V], "scores masks"),
        f"{_name}_causal_scores": (_make(), [Q, Q], "scores causal"),
        f"{_name}_window": (_make(sliding_window=2), [Q, Q], "causal"),
        f"{_name}_gate": (_make(use_gate=True, use_bias=False), [Q, V], ""),
        f"{_name}_dropout_in_inference": (_make(dropout=0.3), [Q, V], "masks"),
    })  # fmt: skip
CASES.update({
    "mha_value_dim": (_mha(value_dim=5, output_shape=7), [Q, V], ""),
    "mha_output_shape": (_mha(output_shape=(2, 3)), [Q, V], ""),
    "mha_axes": (_mha(attention_axes=(1, 2)), [(2, 3, 2, 6), (2, 3, 2, 6)], ""),
    "mha_axis": (_mha(attention_axes=2), [(2, 3, 4, 6), (2, 3, 4, 6)], "scores"),
    "attention": (lambda L: L.Attention(), [Q, V], ""),
    "attention_scaled": (lambda L: L.Attention(use_scale=True), [Q, V, V], "scores"),
    "attention_concat": (lambda L: L.Attention(use_scale=True, score_mode="concat"), [Q, V], ""),
    "attention_masked": (lambda L: L.Attention(), [Q, V], "mask_list scores"),
    "attention_causal": (lambda L: L.Attention(), [Q, Q], "mask_list causal"),
    "additive": (lambda L: L.AdditiveAttention(), [Q, V], "scores"),
    "additive_plain": (lambda L: L.AdditiveAttention(use_scale=False), [Q, V], "mask_list"),
    "einsum_dense": (_einsum("ab,bc->ac", 4, bias_axes="c"), [(3, 5)], ""),
    "einsum_heads": (_einsum("abc,cde->abde", (None, 3, 2), bias_axes="de", activation="relu"), [(2, 4, 5)], ""),
    "einsum_join": (_einsum("abde,dec->abc", (4, 5), bias_axes="c", activation="softmax"), [(2, 4, 3, 2)], ""),
    "einsum_some_bias": (_einsum("abc,cde->abde", (None, 3, 2), bias_axes="d"), [(2, 4, 5)], ""),
    "einsum_left": (_einsum("...x,xy->...y", 4, bias_axes="y", activation="gelu"), [(2, 3, 4, 5)], ""),
    "einsum_right": (_einsum("ab...,bc->ac...", 4, bias_axes="c"), [(2, 3, 4, 5)], ""),
    "einsum_each": (_einsum("abc,bcd->abd", (5, 4), bias_axes="bd"), [(2, 5, 3)], ""),
    "reversible": (lambda L: L.ReversibleEmbedding(9, 4), [(2, 3, 4)], "reverse"),
    "reversible_own": (
        lambda L: L.ReversibleEmbedding(9, 4, tie_weights=False, logit_soft_cap=2.0), [(2, 3, 4)], "reverse"),
})  # fmt: skip


def arguments(
    case: Case, xs: list[Any], tensor: Callable[[Any], Any] = lambda x: x
) -> tuple[list[Any], dict[str, Any]]:
    """Positional and keyword arguments of the call."""
    make, shapes, words = case
    kwargs: dict[str, Any] = {}
    listed = make.__qualname__ == "<lambda>" and len(shapes) > 1  # Attention and AdditiveAttention
    rng = np.random.default_rng(5)
    for word in words.split():
        if word == "causal":
            kwargs["use_causal_mask"] = True
        if word == "scores":
            kwargs["return_attention_scores"] = True
        if word == "reverse":
            kwargs["reverse"] = True
        if word == "masks" and make.__qualname__.startswith("_gqa"):  # Keras's MHA has it from the query
            kwargs["query_mask"] = np.array([[1, 1, 1, 0], [1, 0, 1, 1]], bool)
        if word == "masks":
            kwargs["value_mask"] = np.array([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1]], bool)
        if word == "mask_list":
            n = shapes[1][1]
            of_value = np.array([[1] * (n - 1) + [0], [1] * n], bool)
            kwargs["mask"] = [np.array([[1, 1, 1, 0], [1, 0, 1, 1]], bool), of_value]
        if word == "attention_mask":
            mask = rng.integers(0, 2, (2, shapes[0][1], shapes[1][1])).astype(bool)
            mask[..., 0] = True
            kwargs["attention_mask"] = mask
    if "mask" in kwargs:
        kwargs["mask"] = [tensor(m) for m in kwargs["mask"]]
    tensors = [tensor(x) for x in xs]
    return ([tensors] if listed else tensors), kwargs

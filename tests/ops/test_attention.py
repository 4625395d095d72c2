"""The attention op against what it means in basic ops, its gradients, and its memory."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from deepkit import ops
from deepkit.backend.cpu import attention as kernel
from deepkit.ops.attention import attention
from tests.helpers import check_gradient, check_infer, check_second_order

RNG = np.random.default_rng(0)


def _case(bias: Any = None, mask: Any = None, queries: int = 5, keys: int = 7) -> list[Any]:
    rng = np.random.default_rng(1)
    q, k, v = rng.normal(size=(2, queries, 3, 4)), rng.normal(size=(2, keys, 3, 4)), rng.normal(size=(2, keys, 3, 2))
    made = None if bias is None else rng.normal(size=bias)
    held = None if mask is None else rng.integers(0, 2, mask).astype(bool)
    return [q, k, v, made, held]


CASES = [
    (None, None, False),
    ((2, 3, 5, 7), None, False),
    ((3, 1, 7), (2, 1, 5, 7), False),
    (None, (2, 1, 1, 7), True),
    ((1, 1, 5, 7), (5, 7), True),
    (None, None, True),
]


@pytest.mark.parametrize(("bias", "mask", "causal"), CASES)
@pytest.mark.parametrize("piece", [1 << 18, 21, 70])
def test_values_and_gradients(
    device: Any, bias: Any, mask: Any, causal: bool, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setattr(sys.modules["deepkit.backend.cpu.attention"], "PIECE", piece)
    inputs = _case(bias, mask)
    tensors = [None if x is None else ops.convert_to_tensor(x) for x in inputs]
    how = {"scale": 0.7, "causal": causal}
    np.testing.assert_allclose(
        attention(*tensors, **how).numpy(), attention.reference(*tensors, **how).numpy(), rtol=1e-12, atol=1e-12
    )
    moving = [x for x in inputs[:4] if x is not None]

    def run(*values: Any) -> Any:
        full = [*values, *[None] * (4 - len(values)), tensors[4]]
        return attention(*full, **how)

    check_gradient(run, *moving)


def test_second_order_and_shapes(device: Any) -> None:
    q, k, v, *_ = _case(queries=2, keys=3)
    check_second_order(lambda q, k, v: attention(q, k, v, None, None, scale=0.5, causal=True), q, k, v)
    check_infer(lambda q, k, v: ops.dot_product_attention(q, k, v), q, k, v)


def test_rows_without_a_key_are_even(device: Any) -> None:
    q, k, v, *_ = [None if x is None else x.astype("float32") for x in _case()]
    mask = np.ones((5, 7), bool)
    mask[2] = False
    y = ops.dot_product_attention(q, k, v, mask=mask).numpy()
    np.testing.assert_allclose(y[:, 2], v.mean(axis=1), rtol=1e-5)


def test_key_heads_are_shared(device: Any) -> None:
    q = RNG.normal(size=(2, 3, 4, 2)).astype("float32")
    k, v = RNG.normal(size=(2, 2, 5, 2, 2)).astype("float32")
    y = ops.dot_product_attention(q, k, v).numpy()
    for head in range(4):
        one = ops.dot_product_attention(q[:, :, [head]], k[:, :, [head // 2]], v[:, :, [head // 2]]).numpy()
        np.testing.assert_allclose(y[:, :, [head]], one, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="4 query heads are no multiple of 3"):
        ops.dot_product_attention(q, np.ones((2, 5, 3, 2)), np.ones((2, 5, 3, 2)))


def test_memory_is_linear_in_the_length() -> None:
    """4,096 positions: all scores of the 4 heads would be 268 MB, forward and back."""
    q = RNG.normal(size=(1, 4096, 4, 8)).astype("float32")
    tracemalloc.start()
    y, saved = kernel(q, q, q, None, None, 0.3, True)
    from deepkit.backend.cpu import attention_grad

    attention_grad(saved, y, (True, True, True, False))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24e6


Q, K = np.ones((2, 4, 4, 3), "float32"), np.ones((2, 6, 4, 3), "float32")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"mask": np.ones((2, 4, 5, 6), bool)}, r"mask.*\(2, 4, 4, 6\), not \(2, 4, 5, 6\)"),
        ({"mask": np.ones((1, 2, 4, 4, 6), bool)}, "mask"),
        ({"bias": np.ones((9, 6))}, "bias"),
        ({"value": K[:, :5]}, "one length of key and value"),
        ({"value": K[:, :, :2]}, "as many key as value heads"),
        ({"key": K[0]}, "key needs shape"),
        ({"key": K[..., :2]}, "one size of query and key heads"),
        ({"key": K[:1], "value": K[:1]}, "one batch size"),
    ],
)
def test_bad_input(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ops.dot_product_attention(**{"query": Q, "key": K, "value": K, **arguments})


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_summed_in_float32(device: Any, dtype: str) -> None:
    q, k, v, bias, _ = _case(bias=(3, 1, 7))
    narrow = [ops.cast(ops.convert_to_tensor(x), dtype) for x in (q, k, v, bias)]
    y = attention(*narrow, None)
    wanted = attention(*[ops.cast(x, "float32") for x in narrow], None)
    assert y.dtype == dtype
    np.testing.assert_allclose(y.numpy().astype("float32"), wanted.numpy(), rtol=8e-3, atol=8e-3)

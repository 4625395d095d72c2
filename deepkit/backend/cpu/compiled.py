"""The kernels of this package by the same names, run by the compiled ones where those have them.

A compiled kernel takes contiguous float32 arrays; for any other, and for what it doesn't do, the NumPy function runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .attention import attention as numpy_attention
from .attention import attention_grad as numpy_attention_grad
from .elementwise import activate as numpy_activate
from .elementwise import activate_grad as numpy_activate_grad
from .elementwise import add as numpy_add  # type: ignore[attr-defined]
from .elementwise import relu as numpy_relu
from .elementwise import relu_grad as numpy_relu_grad
from .elementwise import take_grad as numpy_take_grad
from .linear import dense as numpy_dense
from .linear import dense_grad as numpy_dense_grad
from .linear import matmul as numpy_matmul
from .loss import cross_entropy as numpy_cross_entropy
from .loss import cross_entropy_grad as numpy_cross_entropy_grad
from .loss import squared_error as numpy_squared_error
from .loss import squared_error_grad as numpy_squared_error_grad
from .memory import empty_reused
from .memory import total as numpy_total
from .native import fits, state, target
from .norm import batch_norm as numpy_batch_norm
from .norm import batch_norm_grad as numpy_batch_norm_grad
from .norm import fixed_norm as numpy_fixed_norm
from .norm import fixed_scale
from .norm import layer_norm as numpy_layer_norm
from .norm import layer_norm_grad as numpy_layer_norm_grad
from .optimizer import blocked as numpy_blocked

__all__ = [
    "activate", "activate_grad", "add", "attention", "attention_grad", "batch_norm", "batch_norm_grad", "blocked",
    "cross_entropy", "cross_entropy_grad", "dense", "dense_grad", "fixed_norm", "layer_norm", "layer_norm_grad",
    "matmul", "relu", "relu_grad", "squared_error", "squared_error_grad", "take_grad", "total",
]  # fmt: skip


# -- elementwise -------------------------------------------------------------------------------------------------------

#: Sums below this are left to NumPy: they gain nothing from threads or from memory used again.
_LARGE_SUM = 1 << 16
#: The same for relu, which takes NumPy more than one pass.
_LARGE_RELU = 1 << 12
#: The same for what takes NumPy several passes; activations that are compiled.
_LARGE = 1 << 10
_SQUASHING = {"sigmoid", "tanh"}


def _alike(a: ndarray, b: ndarray, smallest: int) -> bool:
    return a.size >= smallest and a.shape == b.shape and fits(a, b)


def add(a: Any, b: Any) -> Any:
    native = state.module
    if native is None or type(a) is not ndarray or type(b) is not ndarray or not _alike(a, b, _LARGE_SUM):
        return numpy_add(a, b)
    return _sum(native, a, b)


def total(a: ndarray, b: ndarray) -> ndarray:
    native = state.module
    return numpy_total(a, b) if native is None or not _alike(a, b, _LARGE_SUM) else _sum(native, a, b)


def _sum(native: Any, a: ndarray, b: ndarray) -> ndarray:
    y = empty_reused(a.shape, a.dtype)
    native.add(a, b, y)
    return y


def relu(x: ndarray, out: ndarray | None = None) -> ndarray:
    native = state.module
    if native is None or x.size < _LARGE_RELU or not fits(x, out):
        return numpy_relu(x, out)
    if out is None:
        out = empty_reused(x.shape, x.dtype)
    native.relu(x, out)
    return out


def relu_grad(gy: ndarray, y: ndarray) -> ndarray:
    native = state.module
    if native is None or not _alike(gy, y, _LARGE_RELU):
        return numpy_relu_grad(gy, y)
    g = empty_reused(y.shape, y.dtype)
    native.relu_pass(gy, y, g)
    return g


def activate(y: ndarray, act: str | None) -> ndarray:
    native = state.module
    if native is None or act not in _SQUASHING or y.size < _LARGE or not fits(y):
        return numpy_activate(y, act)
    getattr(native, act)(y, y)
    return y


def activate_grad(gy: ndarray, y: ndarray, act: str | None) -> ndarray:
    native = state.module
    if native is None or act not in _SQUASHING or not _alike(gy, y, _LARGE):
        return numpy_activate_grad(gy, y, act)
    g = empty_reused(y.shape, y.dtype)
    getattr(native, f"{act}_pass")(gy, y, g)
    return g


# -- normalization and dense -------------------------------------------------------------------------------------------


def batch_norm(
    x: ndarray, gamma: ndarray | None, beta: ndarray | None, epsilon: float
) -> tuple[ndarray, ndarray, ndarray, Any]:
    native = state.module
    if native is None or not fits(x, gamma, beta):
        return numpy_batch_norm(x, gamma, beta, epsilon)
    y = empty_reused(x.shape, x.dtype)
    mean, variance, inverse = np.empty((3, x.shape[-1]), x.dtype)
    native.batch_norm(x, gamma, beta, epsilon, y, mean, variance, inverse)
    return y, mean, variance, (native, x, mean, inverse, gamma)


def batch_norm_grad(
    saved: Any, g: ndarray, needs: Any
) -> tuple[ndarray | None, ndarray | None, ndarray | None]:
    if len(saved) == 3:
        return numpy_batch_norm_grad(saved, g, needs)
    native, x, mean, inverse, gamma = saved
    g = np.ascontiguousarray(g, np.float32)
    gx = None if needs[0] is False else empty_reused(x.shape, x.dtype)
    g_gamma, g_beta = np.empty((2, x.shape[-1]), x.dtype)
    native.batch_norm_grad(x, mean, inverse, gamma, g, gx, g_gamma, g_beta)
    return gx, g_gamma, g_beta


def fixed_norm(
    x: ndarray, mean: ndarray, variance: ndarray, gamma: ndarray | None, beta: ndarray | None, epsilon: float
) -> tuple[ndarray, Any]:
    native = state.module
    if native is None or not fits(x, mean, variance, gamma, beta):
        return numpy_fixed_norm(x, mean, variance, gamma, beta, epsilon)
    inverse, scale, shift = fixed_scale(mean, variance, gamma, beta, epsilon)
    y = empty_reused(x.shape, x.dtype)
    native.affine(x, scale, shift, y)
    return y, (x, mean, inverse, scale)


def layer_norm(
    x: ndarray, gamma: ndarray | None, beta: ndarray | None, epsilon: float, centre: bool
) -> tuple[ndarray, Any]:
    native = state.module
    if native is None or not fits(x, gamma, beta):
        return numpy_layer_norm(x, gamma, beta, epsilon, centre)
    y = empty_reused(x.shape, x.dtype)
    mean, inverse = np.empty((2, x.size // x.shape[-1]), x.dtype)
    native.layer_norm(x, gamma, beta, epsilon, centre, y, mean, inverse)
    return y, (native, x, mean, inverse, gamma, centre)


def layer_norm_grad(saved: Any, g: ndarray, needs: Any) -> tuple[ndarray | None, ndarray | None, ndarray | None]:
    if len(saved) == 4:
        return numpy_layer_norm_grad(saved, g, needs)
    native, x, mean, inverse, gamma, centre = saved
    g = np.ascontiguousarray(g, np.float32)
    gx = None if needs[0] is False else empty_reused(x.shape, x.dtype)
    g_gamma, g_beta = (target(need, x.shape[-1:], x.dtype) for need in needs[1:])
    native.layer_norm_grad(x, mean, inverse, gamma, centre, g, gx, g_gamma, g_beta)
    return gx, g_gamma, g_beta


def matmul(a: ndarray, b: ndarray, out: ndarray | None = None) -> ndarray:
    native = state.module
    if native is None or a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0] or not fits(a, b, out):
        return numpy_matmul(a, b, out)
    if out is None:
        out = empty_reused((a.shape[0], b.shape[1]), a.dtype)
    native.gemm(a, False, b, False, None, False, False, out)
    return out


def dense(x: ndarray, w: ndarray, b: ndarray | None, act: str | None) -> ndarray:
    native = state.module
    y = None if native is None else native.dense(x, w, b, act == "relu")
    if y is None:
        return numpy_dense(x, w, b, act)
    return y if act is None or act == "relu" else activate(y, act)


def dense_grad(
    x: ndarray,
    w: ndarray,
    b: ndarray | None,
    y: ndarray,
    act: str | None,
    gy: ndarray,
    needs: tuple[Any, ...],
) -> tuple[ndarray | None, ndarray | None, ndarray | None]:
    native = state.module
    if native is None:
        return numpy_dense_grad(x, w, b, y, act, gy, needs)
    if act is not None and act != "relu":
        gy, act = activate_grad(gy, y, act), None
    found = native.dense_grad(x, w, y if act else None, gy, *needs)
    return numpy_dense_grad(x, w, b, y, act, gy, needs) if found is None else found


# -- attention ---------------------------------------------------------------------------------------------------------


def attention(
    q: ndarray, k: ndarray, v: ndarray, bias: ndarray | None, mask: ndarray | None, scale: float, causal: bool
) -> tuple[ndarray, Any]:
    native = state.module
    q_, k_, v_ = (np.ascontiguousarray(a) for a in (q, k, v))
    if native is None or not fits(q_, k_, v_) or (bias is not None and bias.dtype != np.float32):
        return numpy_attention(q, k, v, bias, mask, scale, causal)
    batch, queries, heads, size = q.shape
    full = (batch, heads, queries, k.shape[1])
    inputs = (
        (*full, size, v.shape[-1]), q_, k_, v_, None if bias is None else np.broadcast_to(bias, full),
        None if mask is None else np.broadcast_to(mask, full), scale, _HIDDEN, causal,
    )  # fmt: skip
    out = empty_reused((batch, queries, heads, v.shape[-1]), q.dtype)
    tops, totals = np.empty((2, *full[:3]), q.dtype)
    native.attention(*inputs, out, tops, totals)
    return out, (native, inputs, out, tops, totals, bias)


#: The score of a hidden key, as in NumPy's kernel.
_HIDDEN = float(np.float32(np.finfo(np.float32).min * 0.7))


def attention_grad(saved: Any, g: ndarray, needs: Any) -> tuple[Any, Any, Any, Any]:
    if len(saved) == 7:
        return numpy_attention_grad(saved, g, needs)
    native, inputs, out, tops, totals, bias = saved
    _, q, k, v, _, mask, scale, _, causal = inputs
    if bias is not None and needs[3] is not False:
        return numpy_attention_grad(numpy_attention(q, k, v, bias, mask, scale, causal)[1], g, needs)
    gq, gk, gv = (empty_reused(a.shape, a.dtype) for a in (q, k, v))
    native.attention_grad(*inputs, out, tops, totals, np.ascontiguousarray(g, np.float32), gq, gk, gv)
    return gq, gk, gv, None


# -- embedding, loss, optimizers --------------------------------------------------------------------------------------


def take_grad(g: ndarray, indices: ndarray, axis: int | None, shape: tuple[int, ...], out: Any = None) -> ndarray:
    native = state.module
    if native is None or axis != 0 or not fits(g) or indices.dtype.kind not in "iu" or shape[0] > 2**31 - 1:
        return numpy_take_grad(g, indices, axis, shape, out)
    out = target(True if out is None else out, shape, g.dtype)
    out[...] = 0
    rows = indices.astype(np.int32).reshape(-1)
    native.add_rows_at(np.where(rows < 0, rows + shape[0], rows), g, out)
    return out


def cross_entropy(
    t: ndarray, p: ndarray, from_logits: bool, sparse: bool, epsilon: float
) -> tuple[ndarray, Any]:
    native = state.module
    if (
        native is not None
        and from_logits
        and sparse
        and fits(p)
        and t.dtype.kind in "iu"
    ):
        labels = np.ascontiguousarray(t, np.int32)
        loss, probabilities = np.empty(t.shape, p.dtype), empty_reused(p.shape, p.dtype)
        try:
            native.softmax_cross_entropy(p, labels, loss, probabilities)
            return loss, probabilities
        except IndexError:
            pass  # labels out of range: NumPy's rules for them
    return numpy_cross_entropy(t, p, from_logits, sparse, epsilon)


def cross_entropy_grad(t: ndarray, saved: Any, g: ndarray, from_logits: bool, sparse: bool, epsilon: float) -> ndarray:
    native = state.module
    if native is None or not from_logits or not sparse or not fits(saved) or t.dtype.kind not in "iu":
        return numpy_cross_entropy_grad(t, saved, g, from_logits, sparse, epsilon)
    out = empty_reused(saved.shape, saved.dtype)
    try:
        native.cross_entropy_grad(saved, np.ascontiguousarray(t, np.int32), np.ascontiguousarray(g, np.float32), out)
    except IndexError:
        return numpy_cross_entropy_grad(t, saved, g, from_logits, sparse, epsilon)
    return out


def squared_error(t: ndarray, p: ndarray) -> tuple[ndarray, ndarray]:
    native = state.module
    if native is None or p.ndim < 2 or not _alike(t, p, _LARGE):
        return numpy_squared_error(t, p)
    loss, d = np.empty(p.shape[:-1], p.dtype), empty_reused(p.shape, p.dtype)
    native.squared_error(t, p, d, loss)
    return loss, d


def squared_error_grad(d: ndarray, g: ndarray) -> ndarray:
    native = state.module
    if native is None or d.ndim < 2 or d.size < _LARGE or g.shape != d.shape[:-1] or not fits(d):
        return numpy_squared_error_grad(d, g)
    out = empty_reused(d.shape, d.dtype)
    native.scale_rows(d, np.multiply(g, 2 / d.shape[-1], dtype=d.dtype), out)
    return out


def blocked(rule: Any, arrays: Any, scratch: Any, numbers: Any) -> None:
    native = state.module
    name = rule.__name__
    if native is None or name not in _RULES or not fits(*arrays):
        numpy_blocked(rule, arrays, scratch, numbers)
    elif name != "rmsprop":
        getattr(native, name)(*arrays, *numbers)
    elif numbers[-1]:  # centred
        numpy_blocked(rule, arrays, scratch, numbers)
    else:
        native.rmsprop(*arrays, *([None] if len(arrays) == 3 else []), *numbers[:-1])


#: Optimizer rules that are compiled; they take what NumPy's take, without the scratch arrays.
_RULES = {"adagrad", "adam", "momentum", "rmsprop", "sgd"}

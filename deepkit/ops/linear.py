"""Products of matrices: matmul and the fused dense layer."""

from __future__ import annotations

from math import prod
from typing import Any

from ..autograd.dtypes import join, np_dtype
from ..autograd.op import Op
from ..autograd.spec import Spec, broadcast_shapes
from . import elementwise


def _joined(a: Spec, b: Spec) -> str:
    return summed_products(join(np_dtype(a.dtype), np_dtype(b.dtype))).name


def summed_products(dtype: Any) -> Any:
    """The dtype of sums of products: int8 overflows at once and becomes int32."""
    return np_dtype("int32") if dtype.name == "int8" else dtype


class MatMul(Op):
    """x1 @ x2 with NumPy's rules: vectors are rows on the left and columns on the right, leading axes broadcast."""

    weak = True

    def infer(self, a: Spec, b: Spec) -> Spec:
        if not a.shape or not b.shape:
            raise ValueError("matmul takes no scalars; use multiply.")
        inner_a, inner_b = a.shape[-1], b.shape[-2] if len(b.shape) > 1 else b.shape[0]
        if inner_a is not None and inner_b is not None and inner_a != inner_b:
            raise ValueError(f"matmul: inner sizes differ, {a.shape} @ {b.shape}.")
        rows = a.shape[-2:-1]
        columns = b.shape[-1:] if len(b.shape) > 1 else ()
        return Spec(broadcast_shapes(a.shape[:-2], b.shape[:-2]) + rows + columns, _joined(a, b))

    def forward(self, k: Any, a: Any, b: Any) -> tuple[Any, Any]:
        if a.dtype.char == b.dtype.char == "b":  # int8
            a, b = a.astype("int32"), b.astype("int32")
        return k.matmul(a, b), (a, b)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        return _matmul_grad(k, *saved, g, needs)

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        from .. import ops

        return _matmul_grad(ops, *inputs, g, needs)


def _matmul_grad(k: Any, a: Any, b: Any, g: Any, needs: Any) -> tuple[Any, Any]:
    from ..autograd.op import unbroadcast

    vector_a, vector_b = a.ndim == 1, b.ndim == 1
    if vector_a:
        a = k.expand_dims(a, 0)
        g = k.expand_dims(g, -1 if vector_b else -2)
    if vector_b:
        b = k.expand_dims(b, -1)
        g = k.expand_dims(g, -1)
    ga = gb = None
    if needs[0] is not False:
        ga = unbroadcast(k, k.matmul(g, k.swapaxes(b, -1, -2)), a.shape)
        ga = ga[0] if vector_a else ga
    if needs[1] is not False:
        if b.ndim == 2 and a.ndim > 2:  # one product instead of a batch of them and a sum
            gb = k.matmul(k.swapaxes(k.reshape(a, (-1, a.shape[-1])), 0, 1), k.reshape(g, (-1, g.shape[-1])))
        else:
            gb = unbroadcast(k, k.matmul(k.swapaxes(a, -1, -2), g), b.shape)
        gb = gb[..., 0] if vector_b else gb
    return ga, gb


_matmul = MatMul()


def matmul(x1: Any, x2: Any) -> Any:
    """Matrix product of two tensors.

    Args:
        x1: Tensor (..., m, n), or (n,).
        x2: Tensor (..., n, p), or (n,).

    Returns:
        Tensor (..., m, p).

    Raises:
        ValueError: if the inner sizes differ.

    Example:
        >>> matmul([[1.0, 2.0]], [[3.0], [4.0]])
        Tensor([[11.]], dtype=float32)
    """
    return _matmul(x1, x2)


class Dense(Op):
    """act(x @ w + b); x (..., n_in), w (n_in, n_out), b (n_out,) or None."""

    def infer(self, x: Spec, w: Spec, b: Spec | None, act: str | None = None) -> Spec:
        return Spec(x.shape[:-1] + w.shape[-1:], _joined(x, w))

    def forward(self, k: Any, x: Any, w: Any, b: Any, act: str | None = None) -> tuple[Any, Any]:
        y = k.dense(x, w, b, act)
        return y, (x, w, b, y, act)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        return k.dense_grad(*saved, g, needs)

    def reference(self, x: Any, w: Any, b: Any, act: str | None = None) -> Any:
        y = matmul(x, w)
        if b is not None:
            y = elementwise.add(y, b)
        return apply_activation(y, act)


class DenseOver(Op):
    """act(x · w + b), summed over the last ``axes`` axes of x, which are the first of w; b has the others of w.

    The arrays are seen as matrices here, which takes no ops of their own.
    """

    name = "dense_over"

    def infer(self, x: Spec, w: Spec, b: Spec | None, axes: int, act: str | None = None) -> Spec:
        return Spec(x.shape[: len(x.shape) - axes] + w.shape[axes:], _joined(x, w))

    def forward(self, k: Any, x: Any, w: Any, b: Any, axes: int, act: str | None = None) -> tuple[Any, Any]:
        free, made = x.shape[: x.ndim - axes], w.shape[axes:]
        rows, columns = prod(w.shape[:axes]), prod(made)
        flat = x.reshape(prod(free), rows), w.reshape(rows, columns), None if b is None else b.reshape(columns)
        y = k.dense(*flat, act)
        return y.reshape(free + made), (*flat, y, act, (x.shape, w.shape, made))

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        *flat, shapes = saved
        x, w, b, y, _ = flat
        places = [need if need is True or need is False else need.reshape(a.shape)
                  for need, a in zip(needs, (x, w, b))]  # fmt: skip
        found = k.dense_grad(*flat, g.reshape(y.shape), places)
        return [None if a is None else need if a is place else a.reshape(shape)
                for a, need, place, shape in zip(found, needs, places, shapes)]  # fmt: skip

    def reference(self, x: Any, w: Any, b: Any, axes: int, act: str | None = None) -> Any:
        from .shape import reshape

        free, made = x.shape[: x.ndim - axes], w.shape[axes:]
        rows, columns = prod(w.shape[:axes]), prod(made)
        flat = None if b is None else reshape(b, (columns,))
        y = dense(reshape(x, (*free, rows)), reshape(w, (rows, columns)), flat, act=act)
        return reshape(y, (*free, *made))


def apply_activation(y: Any, act: str | None) -> Any:
    """The activation called ``act`` in basic ops, for the references of fused ops."""
    if act is None:
        return y
    from .. import ops

    return getattr(ops, "exp" if act == "exponential" else act)(y)


dense = Dense()
dense_over = DenseOver()

__all__ = ["Dense", "DenseOver", "MatMul", "apply_activation", "dense", "dense_over", "matmul"]

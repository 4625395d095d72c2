"""The singular value decomposition and what it gives: pseudo-inverses, ranks and least squares."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.dtypes import np_dtype
from ..autograd.op import Op
from ..autograd.spec import Spec
from .linear import matmul
from .precision import in_single_precision
from .reduce import _floating
from .shape import expand_dims
from .sorting import Plain


def _svd_infer(x: Spec, full: bool) -> tuple[Spec, Spec, Spec]:
    m, n = x.shape[-2:]
    least = None if m is None or n is None else min(m, n)
    return (Spec((*x.shape[:-1], m if full else least), x.dtype), Spec((*x.shape[:-2], least), x.dtype),
            Spec((*x.shape[:-2], n if full else least, n), x.dtype))  # fmt: skip


class SVD(Op):
    """x = U diag(s) Vᵀ with as many columns of U and V as singular values.

    The gradient is that of J. Townsend, "Differentiating the singular value decomposition" (2016). It is infinite
    where two singular values are equal and U or V is used.
    """

    outputs = 3

    def infer(self, x: Spec) -> tuple[Spec, Spec, Spec]:
        return _svd_infer(x, False)

    def forward(self, k: Any, x: Any) -> tuple[Any, Any]:
        u, s, vt = k.linalg.svd(x, full_matrices=False)
        return (u, s, vt), (u, s, vt)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        u, s, vt = saved
        gu, gs, gvt = g
        v, ut = k.swapaxes(vt, -1, -2), k.swapaxes(u, -1, -2)
        eye = k.eye(s.shape[-1], dtype=s.dtype)
        across, down = k.expand_dims(s, -2), k.expand_dims(s, -1)
        inner = eye * 0 if gs is None else k.expand_dims(gs, -1) * eye
        outer: Any = 0.0
        # 1 / (s_j² - s_i²), nothing on the diagonal
        gaps = (1 - eye) / ((across - down) * (across + down) + eye)
        if gu is not None:
            turn = gaps * k.matmul(ut, gu)
            inner = inner + (turn + k.swapaxes(turn, -1, -2)) * across
            if u.shape[-2] > u.shape[-1]:
                beside = gu - k.matmul(u, k.matmul(ut, gu))
                outer = outer + k.matmul(beside / across, vt)
        if gvt is not None:
            gv = k.swapaxes(gvt, -1, -2)
            turn = gaps * k.matmul(vt, gv)
            inner = inner + (turn + k.swapaxes(turn, -1, -2)) * down
            if v.shape[-2] > v.shape[-1]:
                beside = gv - k.matmul(v, k.matmul(vt, gv))
                outer = outer + k.matmul(u / across, k.swapaxes(beside, -1, -2))
        return (k.matmul(u, k.matmul(inner, vt)) + outer,)

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        from .. import ops

        return self.backward(ops, outs, g, needs)


_svd = SVD()
_full_svd = Plain("svd", lambda x: _svd_infer(x, True), lambda k, x: k.linalg.svd(x, full_matrices=True), 3)


@in_single_precision
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Singular value decomposition x = U diag(s) Vᵀ.

    Args:
        x: (..., m, n).
        full_matrices: Square U and V. Unless x is square, that is not differentiable: their last columns are arbitrary.
        compute_uv: Give U and Vᵀ too.

    Returns:
        ``(U, s, Vᵀ)`` or ``s``, descending.

    Example:
        >>> svd([[3.0, 0.0], [0.0, 2.0]], compute_uv=False)
        Tensor([3., 2.], dtype=float32)
    """
    x = _floating(x)
    if compute_uv and full_matrices and x.shape[-1] != x.shape[-2]:
        return _full_svd(x)
    parts = _svd(x)
    return parts if compute_uv else parts[1]


class _PseudoInverse(Op):
    """P with x P x = x and P x P = P; the gradient by Golub & Pereyra (1973), where the rank does not change."""

    def infer(self, x: Spec, rcond: float | None) -> Spec:
        return Spec((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)

    def forward(self, k: Any, x: Any, rcond: float | None) -> tuple[Any, Any]:
        y = k.linalg.pinv(x) if rcond is None else k.linalg.pinv(x, rcond)
        return y, (x, y)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        x, p = saved
        pt, gt = k.swapaxes(p, -1, -2), k.swapaxes(g, -1, -2)
        left, right = k.matmul(gt, k.matmul(p, pt)), k.matmul(k.matmul(pt, p), gt)
        left = left - k.matmul(x, k.matmul(p, left))
        right = right - k.matmul(k.matmul(right, p), x)
        return (left + right - k.matmul(pt, k.matmul(g, pt)),)

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        from .. import ops

        return self.backward(ops, (inputs[0], outs), g, needs)


_pinv = _PseudoInverse()


@in_single_precision
def pinv(x: Any, rcond: float | None = None) -> Any:
    """Pseudo-inverse (Moore-Penrose) of matrices.

    Args:
        x: (..., m, n).
        rcond: Singular values below rcond · the largest are taken as 0.

    Returns:
        A tensor (..., n, m).

    Example:
        >>> pinv([[2.0, 0.0], [0.0, 0.0]])
        Tensor([[0.5, 0. ],
               [0. , 0. ]], dtype=float32)
    """
    return _pinv(_floating(x), rcond=rcond)


@in_single_precision
def matrix_rank(x: Any, tol: float | None = None) -> Any:
    """Number of singular values above a tolerance, int32.

    Example:
        >>> matrix_rank([[1.0, 2.0], [2.0, 4.0]])
        Tensor(1, dtype=int32)
    """
    return _matrix_rank(_floating(x), tol=tol)


_matrix_rank = Plain("matrix_rank", lambda x, tol: Spec(x.shape[:-2], "int32"),
                     lambda k, x, tol: k.asarray(k.linalg.matrix_rank(x, tol)).astype("int32"))  # fmt: skip


@in_single_precision
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """The x of least norm that minimises \\|a x - b\\|².

    Args:
        a: Matrix (m, n).
        b: (m,) or (m, p).
        rcond: Singular values below rcond · the largest are taken as 0; by default max(m, n) times the precision.

    Returns:
        A tensor (n,) or (n, p).

    Example:
        >>> from deepkit import ops
        >>> ops.round(lstsq([[1.0], [1.0]], [1.0, 3.0]), 5)
        Tensor([2.], dtype=float32)
    """
    a, b = _floating(a), _floating(b)
    if rcond is None and None not in a.shape:
        rcond = float(np.finfo(np_dtype(a.dtype)).eps) * max(a.shape[-2:])
    inverse = _pinv(a, rcond=rcond)
    return matmul(inverse, expand_dims(b, -1))[..., 0] if len(b.shape) == 1 else matmul(inverse, b)


__all__ = ["lstsq", "matrix_rank", "pinv", "svd"]

"""Linear algebra: factorizations, inverses, determinants and their gradients.

Each takes stacks of matrices (..., m, n). Gradients follow M. B. Giles, "Collected matrix derivative results for
forward and reverse mode algorithmic differentiation" (2008).
"""

from __future__ import annotations

from typing import Any

from ..autograd.dtypes import np_dtype
from ..autograd.op import Op
from ..autograd.spec import Spec
from . import elementwise as e
from .linear import matmul
from .precision import in_single_precision
from .reduce import _floating
from .shape import expand_dims, swapaxes
from .sorting import Plain


def _square(name: str, x: Any) -> Any:
    x = _floating(x)
    if len(x.shape) < 2 or (x.shape[-1] != x.shape[-2] and None not in x.shape[-2:]):
        raise ValueError(f"{name} takes square matrices (..., n, n), not shape {tuple(x.shape)}.")
    return x


class Inverse(Op):
    """x⁻¹; the gradient is -x⁻ᵀ g x⁻ᵀ."""

    def infer(self, x: Spec) -> Spec:
        return Spec(x.shape, x.dtype)

    def forward(self, k: Any, x: Any) -> tuple[Any, Any]:
        y = k.linalg.inv(x)
        return y, y

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        t = k.swapaxes(saved, -1, -2)
        return (-k.matmul(t, k.matmul(g, t)),)

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        from .. import ops

        return self.backward(ops, outs, g, needs)


class Solve(Op):
    """The solution X of A X = B; the gradients are G = A⁻ᵀ g for B and -G Xᵀ for A."""

    def infer(self, a: Spec, b: Spec) -> Spec:
        return Spec(b.shape, a.dtype)

    def forward(self, k: Any, a: Any, b: Any) -> tuple[Any, Any]:
        y = k.linalg.solve(a, b)
        return y, (a, y)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        a, y = saved
        gb = k.linalg.solve(k.swapaxes(a, -1, -2), g)
        return (-k.matmul(gb, k.swapaxes(y, -1, -2)) if needs[0] is not False else None), gb

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        from .. import ops

        return self.backward(ops, (inputs[0], outs), g, needs)


class Cholesky(Op):
    """The lower triangular L with L Lᵀ = x."""

    def infer(self, x: Spec) -> Spec:
        return Spec(x.shape, x.dtype)

    def forward(self, k: Any, x: Any) -> tuple[Any, Any]:
        y = k.linalg.cholesky(x)
        return y, y

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        inverse = k.linalg.inv(saved)
        p = k.tril(k.matmul(k.swapaxes(saved, -1, -2), k.tril(g)))
        p = p - k.eye(p.shape[-1], dtype=p.dtype) * p * 0.5
        s = k.matmul(k.swapaxes(inverse, -1, -2), k.matmul(p, inverse))
        return ((s + k.swapaxes(s, -1, -2)) * 0.5,)

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        from .. import ops

        return self.backward(ops, outs, g, needs)


class SlogDet(Op):
    """Sign and logarithm of the determinant; the gradient of the logarithm is x⁻ᵀ."""

    outputs = 2

    def infer(self, x: Spec) -> tuple[Spec, Spec]:
        return Spec(x.shape[:-2], x.dtype), Spec(x.shape[:-2], x.dtype)

    def forward(self, k: Any, x: Any) -> tuple[Any, Any]:
        sign, value = k.linalg.slogdet(x)
        return (k.asarray(sign), k.asarray(value)), x

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        if g[1] is None:
            return (None,)
        inverse = k.linalg.inv(saved)
        return (k.swapaxes(inverse, -1, -2) * k.expand_dims(k.expand_dims(g[1], -1), -1),)

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        from .. import ops

        return self.backward(ops, inputs[0], g, needs)


class Eigh(Op):
    """Eigenvalues in ascending order and orthonormal eigenvectors of symmetric matrices."""

    outputs = 2

    def infer(self, x: Spec) -> tuple[Spec, Spec]:
        return Spec(x.shape[:-1], x.dtype), Spec(x.shape, x.dtype)

    def forward(self, k: Any, x: Any) -> tuple[Any, Any]:
        values, vectors = k.linalg.eigh(x)
        return (values, vectors), (values, vectors)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        values, v = saved
        vt = k.swapaxes(v, -1, -2)
        eye = k.eye(values.shape[-1], dtype=values.dtype)
        inner = 0.0
        if g[0] is not None:
            inner = k.expand_dims(g[0], -1) * eye
        if g[1] is not None:
            gaps = k.expand_dims(values, -2) - k.expand_dims(values, -1)
            inner = inner + k.matmul(vt, g[1]) * (1 - eye) / (gaps + eye)
        out = k.matmul(v, k.matmul(inner, vt))
        return ((out + k.swapaxes(out, -1, -2)) * 0.5,)

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        from .. import ops

        return self.backward(ops, outs, g, needs)


_inverse, _solve, _cholesky, _slogdet, _eigh = Inverse(), Solve(), Cholesky(), SlogDet(), Eigh()


@in_single_precision
def inv(x: Any) -> Any:
    """Inverse of square matrices (..., n, n).

    Raises:
        ValueError: if they aren't square.

    Example:
        >>> inv([[2.0, 0.0], [0.0, 4.0]])
        Tensor([[0.5 , 0.  ],
               [0.  , 0.25]], dtype=float32)
    """
    return _inverse(_square("inv", x))


@in_single_precision
def solve(a: Any, b: Any) -> Any:
    """The solution x of a x = b.

    Args:
        a: Square matrices (..., n, n).
        b: (..., n, m), or vectors (..., n) of one rank less than ``a``.

    Example:
        >>> solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 4.0])
        Tensor([1., 1.], dtype=float32)
    """
    a, b = _square("solve", a), _floating(b)
    if len(b.shape) == len(a.shape) - 1:
        return _solve(a, expand_dims(b, -1))[..., 0]
    return _solve(a, b)


@in_single_precision
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    """As :func:`solve`, reading the upper (or lower) triangle of ``a`` alone."""
    from .arrange import tril, triu

    return solve((tril if lower else triu)(_square("solve_triangular", a)), b)


@in_single_precision
def cholesky(x: Any, upper: bool = False) -> Any:
    """The lower triangular L with L Lᵀ = x, for positive definite x; ``upper`` gives Lᵀ.

    Example:
        >>> cholesky([[4.0, 0.0], [0.0, 9.0]])
        Tensor([[2., 0.],
               [0., 3.]], dtype=float32)
    """
    x = _square("cholesky", x)
    y = _cholesky((x + swapaxes(x, -1, -2)) * 0.5)
    return swapaxes(y, -1, -2) if upper else y


@in_single_precision
def cholesky_inverse(x: Any, upper: bool = False) -> Any:
    """The inverse of the matrix whose Cholesky factor is ``x``."""
    inverse = inv(x)
    t = swapaxes(inverse, -1, -2)
    return matmul(inverse, t) if upper else matmul(t, inverse)


@in_single_precision
def slogdet(x: Any) -> tuple[Any, Any]:
    """Sign and logarithm of the absolute value of the determinant."""
    return _slogdet(_square("slogdet", x))


@in_single_precision
def logdet(x: Any) -> Any:
    """Logarithm of the determinant of positive definite matrices."""
    return _slogdet(_square("logdet", x))[1]


@in_single_precision
def det(x: Any) -> Any:
    """Determinant; its gradient det(x) x⁻ᵀ needs an invertible x.

    Example:
        >>> det([[2.0, 0.0], [0.0, 3.0]])
        Tensor(6., dtype=float32)
    """
    from .math import nan_to_num

    sign, value = _slogdet(_square("det", x))
    return sign * e.exp(nan_to_num(value, neginf=-float("inf")))


@in_single_precision
def eigh(x: Any) -> tuple[Any, Any]:
    """Eigenvalues in ascending order and eigenvectors (columns) of symmetric matrices."""
    x = _square("eigh", x)
    return _eigh((x + swapaxes(x, -1, -2)) * 0.5)


def _complex_of(dtype: Any) -> str:
    return "complex128" if np_dtype(dtype).itemsize == 8 else "complex64"


def eig(x: Any) -> tuple[Any, Any]:
    """Complex eigenvalues and eigenvectors (columns) of square matrices; not differentiable."""
    return _eig(_square("eig", x))


_eig = Plain("eig", lambda x: (Spec(x.shape[:-1], _complex_of(x.dtype)), Spec(x.shape, _complex_of(x.dtype))),
             lambda k, x: tuple(part.astype(_complex_of(x.dtype)) for part in k.linalg.eig(x)), 2)  # fmt: skip


class _Qr(Op):
    """Q with orthonormal columns and upper triangular R, Q R = x."""

    outputs = 2

    def infer(self, x: Spec, mode: str = "reduced") -> tuple[Spec, Spec]:
        m, n = x.shape[-2:]
        least = m if mode == "complete" else None if m is None or n is None else min(m, n)
        return Spec((*x.shape[:-1], least), x.dtype), Spec((*x.shape[:-2], least, n), x.dtype)

    def forward(self, k: Any, x: Any, mode: str = "reduced") -> tuple[Any, Any]:
        q, r = k.linalg.qr(x, mode=mode)
        return (q, r), (q, r)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        # X̄ = (Q̄ + Q copyltu(M)) R⁻ᵀ, M = R R̄ᵀ - Q̄ᵀ Q (Walter & Lehmann 2018, arXiv:1009.6112), for m ≥ n.
        q, r = saved
        if q.shape[-1] != r.shape[-1]:
            raise NotImplementedError("qr: the gradient needs mode='reduced' and at least as many rows as columns.")
        gq = k.zeros_like(q) if g[0] is None else g[0]
        gr = k.zeros_like(r) if g[1] is None else g[1]
        middle = k.matmul(r, k.swapaxes(gr, -1, -2)) - k.matmul(k.swapaxes(gq, -1, -2), q)
        low = k.tril(middle)
        both = low + k.swapaxes(k.tril(middle, -1), -1, -2)
        inverse = k.linalg.inv(r)
        return (k.matmul(gq + k.matmul(q, both), k.swapaxes(inverse, -1, -2)),)

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        from .. import ops

        return self.backward(ops, outs, g, needs)


_qr = _Qr()


@in_single_precision
def qr(x: Any, mode: str = "reduced") -> tuple[Any, Any]:
    """Q with orthonormal columns and an upper triangular R, Q R = x.

    Args:
        x: (..., m, n).
        mode: ``"reduced"`` for Q (..., m, min(m, n)), or ``"complete"`` for Q (..., m, m).
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode must be 'reduced' or 'complete', not {mode!r}.")
    return _qr(_floating(x), mode=mode)


__all__ = ["cholesky", "cholesky_inverse", "det", "eig", "eigh", "inv", "logdet", "qr", "slogdet", "solve",
           "solve_triangular"]  # fmt: skip

"""LU factorization."""

from __future__ import annotations

from typing import Any

from ..autograd.spec import Spec
from .factorization import _square
from .precision import in_single_precision
from .sorting import Plain


@in_single_precision
def lu_factor(x: Any) -> tuple[Any, Any]:
    """LU factorization with partial pivoting: L and U in one matrix, and the rows exchanged at each step (int32)."""
    return _lu(_square("lu_factor", x))


def _lu_kernel(k: Any, x: Any) -> tuple[Any, Any]:
    lu = x.copy().reshape(-1, *x.shape[-2:])
    n = x.shape[-1]
    pivots = k.zeros(lu.shape[:2], dtype="int32")
    for matrix, exchanged in zip(lu, pivots):
        for j in range(n):
            p = j + int(k.argmax(k.abs(matrix[j:, j])))
            exchanged[j] = p
            if p != j:
                matrix[[j, p]] = matrix[[p, j]]
            if matrix[j, j] != 0:
                matrix[j + 1 :, j] /= matrix[j, j]
                matrix[j + 1 :, j + 1 :] -= k.outer(matrix[j + 1 :, j], matrix[j, j + 1 :])
    return lu.reshape(x.shape), pivots.reshape(x.shape[:-1])


_lu = Plain("lu_factor", lambda x: (Spec(x.shape, x.dtype), Spec(x.shape[:-1], "int32")), _lu_kernel, 2)


__all__ = ["lu_factor"]

"""The functions of :mod:`deepkit.ops` on matrices, as ``keras.ops.linalg`` groups them."""

from __future__ import annotations

# fmt: off
from . import (
    cholesky, cholesky_inverse, det, eig, eigh, inv, jvp, lstsq, lu_factor, matrix_rank, norm, pinv, qr,
    solve, solve_triangular, svd,
)

__all__ = [name for name in dir() if name[0] != "_" and name != "annotations"]

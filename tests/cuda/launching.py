"""Launch deepkit's CUDA kernels in the emulator, as the tests of all kernel files need it."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy import ndarray

from . import emulator
from .emulator import Module
from .emulator.emulator import KERNELS, ORDERS, SANITIZE

__all__ = ["DTYPES", "ORDERS_HERE", "SUFFIX", "blank", "close", "columns", "elements", "module", "needs_emulator",
           "rows", "run"]  # fmt: skip

needs_emulator = pytest.mark.skipif(emulator.missing() is not None, reason=str(emulator.missing()))

SUFFIX = {"float32": "f32", "float64": "f64", "float16": "f16", "bfloat16": "bf16", "int32": "i32", "int64": "i64"}

#: Under a sanitizer one order is enough: it sees what another order would do wrong; and two dtypes, as it is slow.
ORDERS_HERE = ("shuffled",) if os.environ.get(SANITIZE) else ORDERS

try:
    import ml_dtypes

    DTYPES = [np.dtype(t) for t in ("float32", "float64", "float16", ml_dtypes.bfloat16)]
except ImportError:
    DTYPES = [np.dtype(t) for t in ("float32", "float64", "float16")]

if os.environ.get(SANITIZE):
    DTYPES = DTYPES[::2]

#: Relative tolerances: a few units in the last place, as sums come in another order.
_TOLERANCE = {"float32": 2e-5, "float64": 1e-12, "float16": 4e-3, "bfloat16": 3e-2}


@cache
def module(stem: str, order: str = "forward") -> Module:
    """``kernels/<stem>.cu`` in the emulator."""
    return Module(KERNELS / f"{stem}.cu", order=order)


def blank(shape: Any, dtype: Any) -> ndarray:
    """An array for results that holds none: what a kernel leaves out is seen."""
    out = np.empty(shape, dtype)
    out.reshape(-1).view(np.uint8)[...] = 1 if out.dtype.kind == "b" else 0xDB
    return out


def elements(n: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Grid and block of elementwise kernels: few threads, so that each goes round several times."""
    return (min(max(-(-n // 64), 1), 3),), (64,)


def rows(count: int, n: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Grid and block of kernels over rows of ``n``."""
    block = (32, 4) if n <= 64 else (128, 1)
    return (min(max(-(-count // block[1]), 1), 3),), block


def columns(n: int, parts: int = 1) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Grid and block of kernels over columns."""
    return (max(-(-n // 32), 1), parts), (32, 8)


def run(stem: str, name: str, shape: Any, *args: Any, order: str = "forward", dtype: Any = None) -> None:
    """Launch a kernel; Python's whole numbers go as 64-bit integers, floats as float64.

    Args:
        stem: The file.
        name: The kernel without its suffix.
        shape: Grid and block.
        *args: The kernel's arguments.
        order: The order of the threads.
        dtype: What the suffix is for; that of the first array by default.
    """
    dtype = dtype or next(a.dtype for a in args if isinstance(a, ndarray))
    whole = lambda a: np.int64(a) if type(a) is int else np.float64(a) if type(a) is float else a
    module(stem, order).launch(f"{name}_{SUFFIX[np.dtype(dtype).name]}", *shape, [whole(a) for a in args])


def close(found: ndarray, expected: ndarray, scale: float = 1.0) -> None:
    """Assert that a kernel's result in its dtype is near the one computed in float64."""
    tolerance = _TOLERANCE[found.dtype.name] * scale
    np.testing.assert_allclose(found.astype(np.float64), expected.astype(np.float64), rtol=tolerance, atol=tolerance)

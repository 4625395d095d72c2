"""Matrix products on the device, through cuBLASLt.

The library's matrices have their columns one after the other, ours their rows. A matrix of ours is the transpose of
what the library sees, so it is asked for Dᵀ = Bᵀ Aᵀ: the operands change places, and nothing is copied.
"""

from __future__ import annotations

from math import prod
from typing import Any

import cupy
import numpy as np
from cupy import ndarray

from .. import settings
from .cublaslt import DATA_TYPE, Operand, Plan, library, workspace

__all__ = ["matmul", "product"]

_plans: dict[Any, Plan] = {}


def matmul(a: ndarray, b: ndarray, out: ndarray | None = None) -> ndarray:
    """a @ b as NumPy has it, batches included. Float dtypes go to cuBLASLt, others to CuPy."""
    kind = a.dtype if a.dtype == b.dtype else np.result_type(a.dtype, b.dtype)
    if kind.name not in DATA_TYPE or not a.ndim or not b.ndim:
        return cupy.matmul(a, b, out=out)
    a, b = a.astype(kind, copy=False), b.astype(kind, copy=False)
    left, right = (a[None] if a.ndim == 1 else a), (b[:, None] if b.ndim == 1 else b)
    if left.shape[-1] != right.shape[-2]:
        raise ValueError(f"matmul: matrices of shapes {a.shape} and {b.shape} don't fit: the first one's columns "
                         "should be as many as the second one's rows.")  # fmt: skip
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    shape = (*batch, left.shape[-2], right.shape[-1])
    if a.ndim > 1 and b.ndim > 1 and out is not None and out.dtype == kind and out.flags.c_contiguous:
        return product(left, right, out)
    result = product(left, right, cupy.empty(shape, kind))
    if a.ndim == 1:
        result = result[..., 0, :]
    if b.ndim == 1:
        result = result[..., 0]
    if out is None:
        return result
    out[...] = result
    return out


def product(a: ndarray, b: ndarray, out: ndarray, bias: ndarray | None = None, act: str | None = None) -> ndarray:
    """out = act(a @ b + bias), all of one dtype that cuBLASLt has; of 16-bit matrices ``out`` may be float32.

    Args:
        a: (..., m, k).
        b: (..., k, n).
        out: (..., m, n), contiguous.
        bias: (n,), or ``None``.
        act: ``None`` or ``"relu"``.
    """
    m, k, n = a.shape[-2], a.shape[-1], b.shape[-1]
    if not out.size:
        return out
    if not k:
        out[...] = 0
        if bias is not None:
            out += bias
        return cupy.maximum(out, 0, out=out) if act else out
    if b.ndim == 2 and a.ndim > 2:  # one product over all rows
        rows = cupy.ascontiguousarray(a).reshape(-1, k)
        product(rows, b, out.reshape(-1, n), bias, act)
        return out
    count = prod(out.shape[:-2])
    a, left = _operand(a, out.shape[:-2])
    b, right = _operand(b, out.shape[:-2])
    device = cupy.cuda.runtime.getDevice()
    if not a.data.device_id == b.data.device_id == out.data.device_id == device:
        raise ValueError("matmul: the arrays should be on the current device.")  # the op says which is where
    lt, scratch = library(device), workspace(device)
    target = Operand(n, m, n, False, m * n)
    alignments = _alignment(b), _alignment(a), _alignment(out)
    tf32 = a.dtype.itemsize == 4 and settings.matmul_precision == "high"
    key = device, a.dtype, out.dtype, left, right, count, alignments, tf32, bias is not None, act
    plan = _plans.get(key)
    if plan is None:
        plan = _plans[key] = Plan(lt, a.dtype.name, out.dtype.name, right, left, target, count, alignments,
                                  scratch.nbytes, tf32, bias is not None, act)  # fmt: skip
    stream = cupy.cuda.get_current_stream().ptr
    plan(b.data.ptr, a.data.ptr, out.data.ptr, 0 if bias is None else bias.data.ptr, scratch.data.ptr, stream)
    return out


def _alignment(a: ndarray) -> int:
    """The power of two that the address is a multiple of, at most 256."""
    return min(256, a.data.ptr & -a.data.ptr)


def _operand(x: ndarray, batch: tuple[int, ...]) -> tuple[ndarray, Operand]:
    """Matrices (..., rows, columns) as the library sees them, copied only if their strides aren't of its kind."""
    rows, columns = x.shape[-2:]
    size, (down, right) = x.itemsize, x.strides[-2:]
    stride = _batch_stride(x, batch)
    if stride is not None:
        if (right == size or columns == 1) and (rows == 1 or (down >= columns * size and down % size == 0)):
            ld = columns if rows == 1 else down // size
            return x, Operand(columns, rows, ld, False, stride)
        if (down == size or rows == 1) and (columns == 1 or (right >= rows * size and right % size == 0)):
            ld = rows if columns == 1 else right // size
            return x, Operand(rows, columns, ld, True, stride)
    x = cupy.ascontiguousarray(cupy.broadcast_to(x, (*batch, rows, columns)) if stride is None else x)
    return _operand(x, batch)


def _batch_stride(x: ndarray, batch: tuple[int, ...]) -> int | None:
    """Elements from one matrix to the next, if that is one number."""
    dims = (1,) * (len(batch) - x.ndim + 2) + x.shape[:-2]
    steps = (0,) * (len(batch) - x.ndim + 2) + x.strides[:-2]
    stride, span = 0, 1  # of the innermost axis so far, and matrices that the axes so far count
    for length, own, step in zip(reversed(batch), reversed(dims), reversed(steps)):
        step = 0 if own == 1 else step
        if length == 1:
            continue
        if span == 1:
            stride = step
        elif step != stride * span:
            return None
        span *= length
    return stride // x.itemsize if stride % x.itemsize == 0 and stride >= 0 else None

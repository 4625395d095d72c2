"""Sums of products over any axes, as elementwise products or as matrix products of :mod:`.gemm`."""

from __future__ import annotations

from math import prod
from typing import Any

import cupy
import numpy as np
from cupy import ndarray

from .gemm import matmul

__all__ = ["dot", "einsum", "tensordot"]


def dot(a: ndarray, b: ndarray, out: ndarray | None = None) -> ndarray:
    """NumPy's ``dot`` of vectors and matrices."""
    if a.ndim == b.ndim == 1:
        return cupy.sum(a * b, out=out)
    if not a.ndim or not b.ndim:
        return cupy.multiply(a, b, out=out)
    if b.ndim > 2:
        product = tensordot(a, b, ((a.ndim - 1,), (b.ndim - 2,)))
        if out is not None:
            out[...] = product
        return product
    return matmul(a, b, out=out)


def tensordot(a: ndarray, b: ndarray, axes: Any = 2) -> ndarray:
    """NumPy's ``tensordot``: the sum of products over ``axes``."""
    if isinstance(axes, (int, np.integer)):
        first, second = list(range(a.ndim - int(axes), a.ndim)), list(range(int(axes)))
    else:
        first, second = (list(np.atleast_1d(x) % v.ndim) for x, v in zip(axes, (a, b)))
    if [a.shape[i] for i in first] != [b.shape[i] for i in second]:
        raise ValueError(f"tensordot: shapes {a.shape} and {b.shape} don't fit along the axes {axes}.")
    rows, columns = ([i for i in range(v.ndim) if i not in s] for v, s in ((a, first), (b, second)))
    size = prod(a.shape[i] for i in first)
    shape = [a.shape[i] for i in rows] + [b.shape[i] for i in columns]
    left = a.transpose(rows + first).reshape(prod(a.shape[i] for i in rows), size)
    right = b.transpose(second + columns).reshape(size, prod(b.shape[i] for i in columns))
    return matmul(left, right).reshape(shape)


def einsum(subscripts: str, *operands: ndarray, optimize: Any = True) -> ndarray:
    """NumPy's ``einsum``, two operands at a time from the left."""
    if len(operands) == 1:
        return cupy.einsum(subscripts, *operands)
    terms, result = _explicit(subscripts, operands)
    names, value = terms[0], operands[0]
    for i in range(1, len(operands)):
        later = set("".join(terms[i + 1 :])) | set(result)
        kept = result if i == len(operands) - 1 else "".join(sorted((set(names) | set(terms[i])) & later))
        names, value = kept, _pair(names, value, terms[i], operands[i], kept)
    return value


def _explicit(subscripts: str, operands: Any) -> tuple[list[str], str]:
    """The names of each operand's axes and the result's, an ellipsis spelled out in characters of its own."""
    subscripts = subscripts.replace(" ", "")
    inputs, arrow, result = subscripts.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(operands):
        raise ValueError(f"einsum: {subscripts!r} is for {len(terms)} operands. Received: {len(operands)}")
    hidden = [v.ndim - len(t.replace("...", "")) if "..." in t else 0 for t, v in zip(terms, operands)]
    spare = "".join(chr(0x3B1 + i) for i in range(max(hidden)))  # Greek letters
    if not arrow:
        letters = sorted(set(inputs) - set(",."))
        result = ("..." if spare else "") + "".join(c for c in letters if inputs.count(c) == 1)
    terms = [t.replace("...", spare[len(spare) - n :]) for t, n in zip(terms, hidden)]
    return terms, result.replace("...", spare)


def _pair(first: str, a: ndarray, second: str, b: ndarray, result: str) -> ndarray:
    """Sum of products of two operands with named axes, in the order of ``result``."""
    (first, a), (second, b) = _once(first, a, second + result), _once(second, b, first + result)
    shared = [c for c in first if c in second]
    summed = [c for c in shared if c not in result]
    batch = [c for c in shared if c in result]
    rows, columns = [c for c in first if c not in shared], [c for c in second if c not in shared]
    sizes: dict[str, int] = {}
    for c, n in zip(first + second, a.shape + b.shape):  # a size of 1 is spread
        sizes[c] = n if sizes.get(c, 1) == 1 else sizes[c]
    if 0 in sizes.values():
        return cupy.zeros([sizes[c] for c in result], np.result_type(a.dtype, b.dtype))
    a, b = _spread(first, a, [*batch, *rows, *summed], sizes), _spread(second, b, [*batch, *summed, *columns], sizes)
    if not rows and not columns:  # nothing that a matrix product would gain from
        out = (a * b).sum(axis=tuple(range(len(batch), a.ndim))) if summed else a * b
        return _ordered(batch, out, result)
    count = len(batch)
    lead = a.shape[:count]
    size = prod(sizes[c] for c in summed)
    out = matmul(a.reshape(*lead, -1, size), b.reshape(*lead, size, -1))
    shape = (*lead, *(sizes[c] for c in rows), *(sizes[c] for c in columns))
    return _ordered([*batch, *rows, *columns], out.reshape(shape), result)


def _once(names: str, x: ndarray, wanted: str) -> tuple[str, ndarray]:
    """Axes that no one else has summed up, and repeated names reduced to their diagonal."""
    keep = "".join(c for c in dict.fromkeys(names) if c in wanted)
    return (names, x) if keep == names else (keep, cupy.einsum(_latin(names, keep), x))


def _latin(names: str, keep: str) -> str:
    letters = {c: chr(ord("a") + i) for i, c in enumerate(dict.fromkeys(names))}
    return "".join(letters[c] for c in names) + "->" + "".join(letters[c] for c in keep)


def _spread(names: str, x: ndarray, order: list[str], sizes: dict[str, int]) -> ndarray:
    x = x.transpose([names.index(c) for c in order])
    return cupy.broadcast_to(x, [sizes[c] for c in order])


def _ordered(names: list[str], x: ndarray, result: str) -> ndarray:
    return x.transpose([names.index(c) for c in result])

"""Reductions of the rows that have one segment number."""

from __future__ import annotations

import math
from typing import Any

from ..autograd.dtypes import np_dtype
from ..autograd.op import Op, to_array, to_tensor
from ..autograd.spec import Spec
from . import elementwise as e
from .creation import cast, stop_gradient
from .index import getitem_grad, take
from .reduce import max as _max
from .symbolic import deferred, is_symbolic


class _SegmentExtreme(Op):
    """Largest or smallest elements of the rows with one number."""

    def __init__(self, name: str, worst: float, ufunc: str):
        self.name, self.worst, self.ufunc = name, worst, ufunc

    def forward(self, k: Any, data: Any, ids: Any, count: int) -> tuple[Any, Any]:
        fill = self.worst if data.dtype.kind == "f" else _whole(data.dtype, self.worst)
        y = k.full((count, *data.shape[1:]), fill, dtype=data.dtype)
        getattr(k, self.ufunc).at(y, ids, data)
        return y, (data, ids, y)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        data, ids, y = saved
        hit = (data == y[ids]).astype(g.dtype)
        share = k.getitem_grad(hit, ids, y.shape, False)
        return hit * (g / k.maximum(share, 1))[ids], None

    def reference(self, data: Any, ids: Any, count: int) -> Any:
        chosen = stop_gradient(self(data, ids, count=count))
        hit = cast(e.equal(data, take(chosen, ids, 0)), data.dtype)
        share = getitem_grad(hit, to_tensor(ids).data, tuple(chosen.shape), False)
        total = getitem_grad(data * hit, to_tensor(ids).data, tuple(chosen.shape), False)
        return total / e.maximum(share, 1)


def _whole(dtype: Any, worst: float) -> int:
    """The smallest or largest integer of a dtype."""
    if dtype.kind == "b":
        return int(worst > 0)
    bits = 8 * dtype.itemsize - (dtype.kind == "i")
    return 2**bits - 1 if worst > 0 else -(2**bits) * (dtype.kind == "i")


class _SegmentProd(Op):
    """Products of the rows with one number."""

    def forward(self, k: Any, data: Any, ids: Any, count: int) -> tuple[Any, Any]:
        return k.segment_prod(data, ids, count), (data, ids, count)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        # The product of the others is the whole divided by the element; where an element is 0, that of the rest.
        data, ids, count = saved
        zero = k.equal(data, 0)
        filled = k.where(zero, k.ones_like(data), data)
        product = k.segment_prod(filled, ids, count)
        zeros = k.getitem_grad(k.cast(zero, data.dtype), to_array(ids), tuple(product.shape), False)
        alone, none = (k.cast(k.equal(zeros, n), data.dtype) * product * g for n in (1, 0))
        return k.where(zero, k.take(alone, ids, 0), k.take(none, ids, 0) / filled), None

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        from .. import ops

        return self.backward(ops, (inputs[0], to_tensor(inputs[1]), params["count"]), g, needs)


_segment_max = _SegmentExtreme("segment_max", -math.inf, "maximum")
_segment_min = _SegmentExtreme("segment_min", math.inf, "minimum")
_segment_prod = _SegmentProd()


def _reduce(fn: Any, op: Any, data: Any, ids: Any, num: int | None, sorted: bool) -> Any:
    if is_symbolic(data, ids):
        spec = Spec((num, *data.shape[1:]), np_dtype(data.dtype).name)
        return deferred(fn, (data, ids, num, sorted), {}, spec)
    data, ids = to_tensor(data), to_tensor(ids)
    if num is None:
        num = int(_max(ids)) + 1 if ids.shape[0] else 0
    return op(data, ids, count=int(num))


def _sum(data: Any, ids: Any, count: int) -> Any:
    return getitem_grad(data, ids.data, (count, *data.shape[1:]), False)


def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Sums of the rows that have one segment number.

    Args:
        data: Tensor (n, ...).
        segment_ids: Integers (n,) in [0, num_segments).
        num_segments: How many segments; one more than the largest number by default.
        sorted: Accepted for compatibility.

    Example:
        >>> segment_sum([1, 2, 3], [0, 0, 1])
        Tensor([3, 3], dtype=int32)
    """
    return _reduce(segment_sum, _sum, data, segment_ids, num_segments, sorted)


def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Largest elements of the rows that have one segment number; -inf for an empty segment.

    Example:
        >>> segment_max([1, 2, 3], [0, 0, 1])
        Tensor([2, 3], dtype=int32)
    """
    return _reduce(segment_max, _segment_max, data, segment_ids, num_segments, sorted)


def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Smallest elements of the rows that have one segment number; inf for an empty segment.

    Example:
        >>> segment_min([1, 2, 3], [0, 0, 1])
        Tensor([1, 3], dtype=int32)
    """
    return _reduce(segment_min, _segment_min, data, segment_ids, num_segments, sorted)


def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """Products of the rows that have one segment number; 1 for an empty segment.

    Args:
        data: Tensor (n, ...).
        segment_ids: Integers (n,) in [0, num_segments).
        num_segments: How many segments; one more than the largest number by default.
        sorted: Accepted for compatibility.

    Example:
        >>> segment_prod([2, 3, 4], [0, 0, 1])
        Tensor([6, 4], dtype=int32)
    """
    return _reduce(segment_prod, _segment_prod, data, segment_ids, num_segments, sorted)


__all__ = ["segment_max", "segment_min", "segment_prod", "segment_sum"]

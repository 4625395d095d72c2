"""Searching and counting: where elements are, which there are, and how often."""

from __future__ import annotations

from typing import Any

from ..autograd.dtypes import np_dtype
from ..autograd.op import to_tensor
from ..autograd.spec import Spec
from ..autograd.tensor import Tensor
from .reduce import reduced
from .sorting import Plain
from .symbolic import one_node


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    """Positions at which ``values`` go into a sorted sequence (n,), int32.

    Example:
        >>> searchsorted([1, 3, 5], [3, 4])
        Tensor([1, 2], dtype=int32)
    """
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right', not {side!r}.")
    return _searchsorted(sorted_sequence, values, side=side)


_searchsorted = Plain(
    "searchsorted",
    lambda s, v, side: Spec(v.shape, "int32"),
    lambda k, s, v, side: k.asarray(k.searchsorted(s, v, side=side)).astype("int32"),
)


def digitize(x: Any, bins: Any) -> Any:
    """The number of the bin that each element falls into, for ascending edges ``bins``, int32.

    Example:
        >>> digitize([0.5, 1.5], [0.0, 1.0, 2.0])
        Tensor([1, 2], dtype=int32)
    """
    return _searchsorted(bins, x, side="right")


@one_node
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """How often each number 0, 1, ... occurs in ``x`` (n,) or in each row of (m, n), or the sum of its weights.

    Args:
        x: Non-negative integers.
        weights: What each occurrence counts, shaped like ``x``.
        minlength: Smallest length of the result.
        sparse: Accepted for compatibility.

    Example:
        >>> bincount([1, 1, 3])
        Tensor([0, 2, 0, 1], dtype=int32)
    """
    if isinstance(x, Spec):
        dtype = "int32" if weights is None else weights.dtype
        return Spec((*x.shape[:-1], None), dtype)
    x = to_tensor(x)
    return _bincount(x, None if weights is None else to_tensor(weights), minlength=int(minlength or 0))


def _bincount_kernel(k: Any, x: Any, weights: Any, minlength: int) -> Any:
    length = max(minlength, int(x.max()) + 1 if x.size else 0)
    rows = x.reshape(-1, x.shape[-1])
    start = (k.arange(rows.shape[0]) * length)[:, None]
    flat = None if weights is None else weights.reshape(-1)
    out = k.bincount((rows + start).reshape(-1), flat, minlength=rows.shape[0] * length)
    return out.reshape(*x.shape[:-1], length).astype("int32" if weights is None else weights.dtype)


_bincount = Plain("bincount", None, _bincount_kernel)


def histogram(x: Any, bins: int = 10, range: Any = None) -> tuple[Any, Any]:
    """Counts in equal bins, and the bins' edges.

    Example:
        >>> histogram([0.0, 1.0, 1.0], bins=2)[0]
        Tensor([1., 2.], dtype=float32)
    """
    if not isinstance(bins, int) or bins <= 0:
        raise ValueError(f"histogram: bins must be a positive integer, not {bins!r}.")
    if range is not None and (len(range) != 2 or range[0] > range[1]):
        raise ValueError(f"histogram: range must be (low, high), not {range!r}.")
    return _histogram(x, bins=bins, range=range)


def _histogram_kernel(k: Any, x: Any, bins: int, range: Any) -> Any:
    counts, edges = k.histogram(x, bins=bins, range=range)
    dtype = x.dtype if x.dtype.kind == "f" else np_dtype(None)
    return counts.astype(dtype), edges.astype(dtype)


def _histogram_infer(x: Spec, bins: int) -> tuple[Spec, Spec]:
    dtype = x.dtype if np_dtype(x.dtype).kind == "f" else np_dtype(None).name
    return Spec((bins,), dtype), Spec((bins + 1,), dtype)


_histogram = Plain("histogram", lambda x, bins, range: _histogram_infer(x, bins), _histogram_kernel, 2)


@one_node
def nonzero(x: Any) -> Any:
    """The indices of the nonzero elements, a tensor (int32) an axis.

    Example:
        >>> nonzero([0, 5, 7])
        (Tensor([1, 2], dtype=int32),)
    """
    if isinstance(x, Spec):
        return tuple(Spec((None,), "int32") for _ in x.shape)
    x = to_tensor(x)
    flat = _flat_nonzero(x)
    return unravel_index(flat, x.shape)


_flat_nonzero = Plain("nonzero", None, lambda k, x: k.nonzero(x.reshape(-1))[0].astype("int32"))


def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """Positions in a flattened tensor as an index an axis.

    Example:
        >>> unravel_index([3], (2, 2))
        (Tensor([1], dtype=int32), Tensor([1], dtype=int32))
    """
    rest = indices if isinstance(indices, Spec) else to_tensor(indices)
    out: list[Any] = []
    for n in reversed(tuple(shape)):
        out.append(rest % n)
        rest = rest // n
    return tuple(reversed(out))


def count_nonzero(x: Any, axis: Any = None) -> Any:
    """Number of nonzero elements over axes, int32.

    Example:
        >>> count_nonzero([0, 5, 7])
        Tensor(2, dtype=int32)
    """
    return _count_nonzero(x, axis=tuple(axis) if isinstance(axis, list) else axis)


_count_nonzero = Plain(
    "count_nonzero",
    lambda x, axis: Spec(reduced(x.shape, axis, False), "int32"),
    lambda k, x, axis: k.asarray(k.count_nonzero(x, axis=axis)).astype("int32"),
)


_isin = Plain(
    "isin",
    lambda a, b, invert=False: Spec(a.shape, "bool"),
    lambda k, a, b, invert=False: k.isin(a, b, invert=invert),
)


def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Where an element of ``x1`` is among those of ``x2``.

    Args:
        x1: Tensor.
        x2: Tensor.
        assume_unique: Accepted for compatibility.
        invert: Where it is not.

    Example:
        >>> isin([1, 2, 3], [2, 5])
        Tensor([False,  True, False], dtype=bool)
    """
    return _isin(x1, x2, invert=invert)


@one_node
def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The different elements (or slices along an axis), in ascending order.

    Args:
        x: Tensor.
        sorted: Accepted for compatibility; the result is sorted.
        return_index: Also give where each comes first.
        return_inverse: Also give which one each element is.
        return_counts: Also give how often each comes.
        axis: Axis of the slices; the elements of the flattened ``x`` by default.
        size: Cut or fill up to so many.
        fill_value: What to fill with; the smallest by default.

    Returns:
        A tensor, or a tuple of tensors.

    Example:
        >>> unique([3, 1, 3], return_counts=True)
        (Tensor([1, 3], dtype=int32), Tensor([1, 2], dtype=int32))
    """
    from .. import backend

    if isinstance(x, Spec):
        return _unique_specs(x, (return_index, return_inverse, return_counts), axis, size)
    x = to_tensor(x)
    k = backend.kernels_of(x.data)
    flags = (return_index, return_inverse, return_counts)
    found = k.unique(x.data, *flags, axis=axis)
    parts = list(found) if any(flags) else [found]
    if size is not None:
        along = 0 if axis is None else axis
        n = parts[0].shape[along]
        for i, part in enumerate(parts):
            inverse = return_inverse and i == 1 + return_index
            at = along if i == 0 else 0
            if inverse or part.shape[at] == size:
                continue
            if n > size:
                parts[i] = k.take(part, k.arange(size), axis=at)
            else:
                shape = list(part.shape)
                shape[at] = size - n
                filler = (part.min() if fill_value is None else fill_value) if i == 0 else 0
                parts[i] = k.concatenate([part, k.full(shape, filler, part.dtype)], axis=at)
    outs = [Tensor(parts[0])] + [Tensor(part.astype("int32")) for part in parts[1:]]
    return outs[0] if len(outs) == 1 else tuple(outs)


def _unique_specs(x: Spec, flags: tuple[bool, bool, bool], axis: int | None, size: int | None) -> Any:
    """Symbolically: how many differ is unknown unless ``size`` says."""
    values = (size,) if axis is None else tuple(size if i == axis % len(x.shape) else n for i, n in enumerate(x.shape))
    inverse = x.shape if axis is None else (x.shape[axis],)
    shapes = [(size,), inverse, (size,)]
    outs = [Spec(values, x.dtype)] + [Spec(shape, "int32") for shape, on in zip(shapes, flags) if on]
    return outs[0] if len(outs) == 1 else tuple(outs)


__all__ = ["bincount", "count_nonzero", "digitize", "histogram", "isin", "nonzero", "searchsorted", "unique",
           "unravel_index"]  # fmt: skip

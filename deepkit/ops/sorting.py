"""Order along an axis: sorting, largest elements, running sums, searching, counting."""

from __future__ import annotations

from typing import Any

from ..autograd.dtypes import np_dtype
from ..autograd.op import Basic, Op, to_tensor
from ..autograd.spec import Spec
from ..autograd.tensor import Tensor
from .arrange import take_along_axis
from .creation import cast
from .reduce import reduced
from .shape import reshape


def _like(x: Spec, **params: Any) -> Spec:
    return Spec(x.shape, x.dtype)


def _line(x: Spec, axis: int | None) -> tuple[int | None, ...]:
    return x.shape if axis is not None else reshape(x, (-1,)).shape


class Plain(Op):
    """An op without a gradient: a rule for shapes and a function of the kernel module and arrays."""

    differentiable = False

    def __init__(self, name: str, infer: Any, kernel: Any, outputs: int = 1):
        self.name, self.infer, self.kernel, self.outputs = name, infer, kernel, outputs  # type: ignore[method-assign]

    def forward(self, k: Any, *arrays: Any, **params: Any) -> tuple[Any, Any]:
        return self.kernel(k, *arrays, **params), None


def _stable_order(k: Any, x: Any, axis: int | None = -1) -> Any:
    return k.argsort(x, axis=axis, kind="stable").astype("int32")


_argsort = Plain("argsort", lambda x, axis=-1: Spec(_line(x, axis), "int32"), _stable_order)


def argsort(x: Any, axis: int | None = -1) -> Any:
    """Positions that sort ``x`` along an axis, equal elements in their order, int32.

    Args:
        x: Tensor.
        axis: The axis; ``None`` sorts all elements.

    Example:
        >>> argsort([3, 1, 2])
        Tensor([1, 2, 0], dtype=int32)
    """
    return _argsort(x, axis=axis)


def sort(x: Any, axis: int | None = -1) -> Any:
    """Elements in ascending order along an axis; gradients go to where the elements came from.

    Args:
        x: Tensor.
        axis: The axis; ``None`` sorts all elements.

    Example:
        >>> sort([3, 1, 2])
        Tensor([1, 2, 3], dtype=int32)
    """
    x = x if isinstance(x, Spec) else to_tensor(x)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    return take_along_axis(x, argsort(x, axis), axis)


def argpartition(x: Any, kth: int, axis: int = -1) -> Any:
    """Positions by which the element at ``kth`` is where sorting puts it, smaller ones before it, int32.

    Example:
        >>> int(argpartition([3, 1, 2], 0)[0])
        1
    """
    return _argpartition(x, kth=kth, axis=axis)


_argpartition = Plain(
    "argpartition",
    lambda x, kth, axis: Spec(_line(x, axis), "int32"),
    lambda k, x, kth, axis: k.argpartition(x, kth, axis).astype("int32"),
)


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Any, Any]:
    """The k largest elements of the last axis in descending order, and their positions (int32).

    Example:
        >>> top_k([1, 5, 3], 2)
        (Tensor([5, 3], dtype=int32), Tensor([1, 2], dtype=int32))
    """
    x = x if isinstance(x, Spec) else to_tensor(x)
    n = x.shape[-1]
    if n is not None and not 0 <= k <= n:
        raise ValueError(f"top_k: k={k} must be between 0 and the size of the last axis, {n}.")
    index = _top_positions(x, count=int(k))
    return take_along_axis(x, index, -1), index


def _top_kernel(kernels: Any, x: Any, count: int) -> Any:
    # A stable ascending sort of the reversed rows, read backwards, gives the first of equal elements first.
    order = kernels.argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1]
    return (x.shape[-1] - 1 - order[..., :count]).astype("int32")


_top_positions = Plain("top_k", lambda x, count: Spec((*x.shape[:-1], count), "int32"), _top_kernel)


def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Whether each target's prediction is among the k largest of its row; ties count.

    Args:
        targets: Class numbers (n,).
        predictions: Scores (n, classes).
        k: How many.

    Returns:
        A boolean tensor (n,).

    Example:
        >>> in_top_k([0, 1], [[0.9, 0.1], [0.9, 0.1]], 1)
        Tensor([ True, False], dtype=bool)
    """
    return _in_top_k(targets, predictions, count=int(k))


def _in_top_kernel(kernels: Any, targets: Any, predictions: Any, count: int) -> Any:
    inside = (targets >= 0) & (targets < predictions.shape[-1])
    safe = kernels.where(inside, targets, 0).astype("int64")
    own = kernels.take_along_axis(predictions, safe[..., None], axis=-1)
    larger = kernels.sum(predictions > own, axis=-1)
    return inside & (larger < count) & kernels.isfinite(own[..., 0])


_in_top_k = Plain("in_top_k", lambda t, p, count: Spec(t.shape, "bool"), _in_top_kernel)


# -- running sums and products -----------------------------------------------------------------------------------------
def _running_infer(x: Spec, axis: int = 0) -> Spec:
    return Spec(x.shape, "int32" if x.dtype == "bool" else x.dtype)


def _reverse_cumsum(k: Any, g: Any, y: Any, x: Any, axis: int = 0) -> Any:
    return k.flip(k.cumsum(k.flip(g, axis), axis), axis)


def _cumprod_vjp(k: Any, g: Any, y: Any, x: Any, axis: int = 0) -> Any:
    # d y_j / d x_i is the product of the others up to j. Dividing by x_i is wrong at 0, so where the line has zeros
    # the products before and after the first zero are taken apart.
    zero = k.cast(k.equal(x, 0), x.dtype)
    seen = k.cumsum(zero, axis)
    first = zero * k.cast(k.equal(seen, 1), x.dtype)
    filled = k.cumprod(x + first, axis)
    plain = _reverse_cumsum(k, g * y, y, x, axis) / (x + zero)
    at_zero = _reverse_cumsum(k, g * filled, y, x, axis) * first
    return plain * (1 - zero) + at_zero


def _running(name: str) -> Any:
    return lambda k, x, axis=0: getattr(k, name)(
        x, axis=axis, dtype="int32" if x.dtype.kind == "b" else x.dtype
    )


_cumsum = Basic("cumsum", _running_infer, _reverse_cumsum, _running("cumsum"))
_cumprod = Basic("cumprod", _running_infer, _cumprod_vjp, _running("cumprod"))


def _along(op: Basic, x: Any, axis: int | None, dtype: Any) -> Any:
    x = x if isinstance(x, Spec) else to_tensor(x)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    return op(x if dtype is None else cast(x, dtype), axis=axis)


def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running sum along an axis, of all elements in a row by default.

    Example:
        >>> cumsum([1, 2, 3])
        Tensor([1, 3, 6], dtype=int32)
    """
    return _along(_cumsum, x, axis, dtype)


def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Running product along an axis, of all elements in a row by default.

    Example:
        >>> cumprod([1, 2, 3])
        Tensor([1, 2, 6], dtype=int32)
    """
    return _along(_cumprod, x, axis, dtype)


# -- searching and counting --------------------------------------------------------------------------------------------
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


__all__ = [
    "isin",
    "unique",
    "argpartition",
    "argsort",
    "bincount",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "digitize",
    "histogram",
    "in_top_k",
    "nonzero",
    "searchsorted",
    "sort",
    "top_k",
    "unravel_index",
]

"""What the convolution and pooling functions share: layouts, checks of arguments, and windows in basic ops."""

from __future__ import annotations

from typing import Any

from ..autograd.dtypes import join, np_dtype
from ..autograd.op import cast, to_tensor
from ..autograd.spec import Spec
from ..utils.windows import Pairs
from .creation import full
from .shape import concatenate, transpose


def under(tap: Any, out: Any, strides: Any, dilation: Any) -> tuple[slice, ...]:
    """The elements that the windows have at position ``tap``, in a padded input."""
    along = zip(tap, out, strides, dilation)
    return (slice(None),) + tuple(slice(t * d, t * d + (m - 1) * s + 1, s) for t, m, s, d in along)


def padded(x: Any, pads: Pairs, value: float = 0.0) -> Any:
    """``x`` with ``value`` before and after its second axis, its third, and so on."""
    for axis, pair in enumerate(pads, 1):
        if any(pair):
            lo, hi = (full((*x.shape[:axis], n, *x.shape[axis + 1 :]), value, dtype=x.dtype) for n in pair)
            x = concatenate([lo, x, hi], axis)
    return x


def channels_last(x: Any) -> Any:
    """(n, c, *spatial) to (n, *spatial, c)."""
    return transpose(x, (0, *range(2, len(x.shape)), 1))


def channels_first(x: Any) -> Any:
    """(n, *spatial, c) to (n, c, *spatial)."""
    rank = len(x.shape)
    return transpose(x, (0, rank - 1, *range(1, rank - 1)))


def promoted(*xs: Any) -> list[Any]:
    """Tensors (or symbolic ones) of one dtype, a floating one."""
    xs = tuple(x if isinstance(x, Spec) else to_tensor(x) for x in xs)
    dtype = np_dtype(xs[0].dtype)
    for x in xs[1:]:
        dtype = join(dtype, np_dtype(x.dtype))
    if dtype.kind in "biu":
        dtype = np_dtype(None)
    return [x if np_dtype(x.dtype) == dtype else cast(x, dtype=dtype) for x in xs]


def spatial_rank(name: str, x: Any) -> int:
    """Number of spatial axes of an input (batch, spatial, channels).

    Raises:
        ValueError: if it has none.
    """
    rank = len(x.shape) - 2
    if rank < 1:
        raise ValueError(f"{name}: the input needs a batch, a channel and at least one spatial axis. "
                         f"Received an input of shape {tuple(x.shape)}.")  # fmt: skip
    return rank


def check_padding(name: str, padding: Any, allowed: tuple[str, ...] = ("valid", "same")) -> str:
    """A padding's name in lower case.

    Raises:
        ValueError: if it isn't one of ``allowed``.
    """
    found = padding.lower() if isinstance(padding, str) else padding
    if found not in allowed:
        raise ValueError(
            f"{name}: `padding` must be one of {', '.join(allowed)}. Received: padding={padding!r}"
        )
    return found


def check_steps(name: str, strides: tuple[int, ...], dilation: tuple[int, ...]) -> None:
    """Refuse strides and dilation that are both above 1.

    Raises:
        ValueError: naming both.
    """
    if max(strides) > 1 and max(dilation) > 1:
        raise ValueError(f"{name}: `strides` > 1 can't be combined with `dilation_rate` > 1. "
                         f"Received: strides={strides}, dilation_rate={dilation}")  # fmt: skip

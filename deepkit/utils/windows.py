"""Sizes of sliding windows: what convolution and pooling make of a spatial shape.

One spatial dimension of size n, a window of size k with dilation d and stride s, and ``lo`` + ``hi`` elements of
padding give ``(n + lo + hi - ((k - 1) d + 1)) // s + 1`` windows.
"""

from __future__ import annotations

import operator
from functools import lru_cache
from typing import Any

Pairs = tuple[tuple[int, int], ...]


def size_tuple(value: Any, rank: int, name: str, owner: str, least: int = 1) -> tuple[int, ...]:
    """An integer, or a sequence of ``rank`` integers, as a tuple of ``rank`` integers.

    Args:
        value: What the user gave; NumPy integers will do.
        rank: Number of spatial dimensions.
        name: The argument's name, for the error.
        owner: The layer's or function's name, for the error.
        least: Smallest size allowed.

    Raises:
        ValueError: for another length, or a size that is too small or no integer.

    Example:
        >>> size_tuple(3, 2, "kernel_size", "Conv2D")
        (3, 3)
    """
    try:
        values = tuple(value) if hasattr(value, "__iter__") else (value,) * rank
        sizes = tuple(map(operator.index, values))
    except TypeError:
        sizes = ()
    if len(sizes) != rank or min(sizes, default=least) < least:
        raise ValueError(
            f"{owner}: `{name}` must be an integer or a tuple of {rank} integers, each at least {least}. "
            f"Received: {name}={value!r}"
        )
    return sizes


def window_count(n: int | None, k: int, s: int, d: int, padding: str | tuple[int, int]) -> int | None:
    """Number of windows along one dimension; ``None`` where its size is unknown, below 1 if no window fits.

    Example:
        >>> window_count(28, 3, 1, 1, "valid"), window_count(28, 3, 2, 1, "same"), window_count(28, 3, 1, 1, (2, 0))
        (26, 14, 28)
    """
    if n is None:
        return None
    if padding == "valid":
        return (n - (k - 1) * d - 1) // s + 1
    if padding in ("same", "causal"):
        return -(-n // s)
    assert not isinstance(padding, str)
    lo, hi = padding
    return (n + lo + hi - (k - 1) * d - 1) // s + 1


@lru_cache(maxsize=4096)
def resolve_padding(
    spatial: tuple[int, ...],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    dilation: tuple[int, ...],
    padding: str | Pairs,
    owner: str,
) -> Pairs:
    """Elements of padding before and after each dimension, for an input that at least one window fits into.

    ``"valid"`` adds none. ``"same"`` adds what gives ceil(n / s) windows, the odd element after. ``"causal"`` adds all
    of it before, so that no window looks ahead.

    Raises:
        ValueError: if the window is larger than the padded input.

    Example:
        >>> resolve_padding((5, 5), (3, 2), (1, 1), (1, 1), "same", "conv")
        ((1, 1), (0, 1))
    """
    output_sizes(spatial, kernel, strides, dilation, padding, owner)
    if not isinstance(padding, str):
        return padding
    if padding == "valid":
        return ((0, 0),) * len(spatial)
    if padding == "causal":
        return tuple(((k - 1) * d, 0) for k, d in zip(kernel, dilation))
    pairs = []
    for n, k, s, d in zip(spatial, kernel, strides, dilation):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        pairs.append((total // 2, total - total // 2))
    return tuple(pairs)


@lru_cache(maxsize=4096)
def output_sizes(
    spatial: tuple[int | None, ...],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    dilation: tuple[int, ...],
    padding: str | Pairs,
    owner: str,
) -> tuple[int | None, ...]:
    """Spatial shape of the result of sliding a window over ``spatial``.

    Raises:
        ValueError: if the window is larger than the padded input.

    Example:
        >>> output_sizes((28, None), (3, 3), (1, 1), (1, 1), "valid", "conv")
        (26, None)
    """
    pads = (padding,) * len(spatial) if isinstance(padding, str) else padding
    out = tuple(map(window_count, spatial, kernel, strides, dilation, pads))
    if any(n is not None and n < 1 for n in out):
        span = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation))
        raise ValueError(
            f"{owner}: a window of size {span} doesn't fit into a spatial input of shape {tuple(spatial)} with "
            f"padding={padding!r}: the output shape would be {out}. Use padding='same', a smaller window, fewer "
            "strides or pooling layers before, or a larger input."
        )
    return out


def transposed_sizes(
    spatial: tuple[int | None, ...],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    dilation: tuple[int, ...],
    padding: str,
    output_padding: tuple[int | None, ...],
) -> tuple[int | None, ...]:
    """Spatial shape of a transposed convolution's result, the input shape of the convolution that it undoes.

    With ``"valid"`` it is (n - 1) s + (k - 1) d + 1 (at least n s where no ``output_padding`` is given), with
    ``"same"`` n s; ``output_padding`` adds to the smallest shape that the convolution takes to n.

    Example:
        >>> transposed_sizes((4, None), (3, 3), (2, 2), (1, 1), "same", (None, None))
        (8, None)
    """
    out: list[int | None] = []
    for n, k, s, d, extra in zip(spatial, kernel, strides, dilation, output_padding):
        span = (k - 1) * d + 1
        if n is None:
            out.append(None)
        elif extra is None:
            out.append(n * s + (max(span - s, 0) if padding == "valid" else 0))
        else:
            out.append((n - 1) * s + span + extra - (0 if padding == "valid" else 2 * (span // 2)))
    return tuple(out)


__all__ = ["Pairs", "output_sizes", "resolve_padding", "size_tuple", "transposed_sizes", "window_count"]

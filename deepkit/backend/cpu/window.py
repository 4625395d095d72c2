"""How sliding windows are walked over a batch in NumPy, in pieces that stay in the cache.

A *piece* is a range of images, or a range of output rows (positions along the first spatial dimension) of one image,
small enough that its temporaries stay in the cache. A *tap* is one position inside the window: the input elements that
all windows have there form a strided slice.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Iterator

import numpy as np
from numpy import ndarray
from numpy.lib.stride_tricks import as_strided

from .memory import empty_reused

_ALL = slice(None)

Sizes = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]

#: Bytes that the temporaries of one piece may take, chosen by measurement: smaller pieces leave BLAS too little to do,
#: larger ones fall out of the cache, and from 4 MiB an array on NumPy asks for huge pages, which have to be cleared.
PIECE_BYTES = 2**22

#: Windows with fewer neighbouring elements in memory than this are gathered tap by tap, in the transposed layout.
SHORT_RUN = 24


def window_shape(spatial: Sizes, kernel: Sizes, strides: Sizes, padding: Pairs, dilation: Sizes) -> Sizes:
    """Number of windows along each dimension."""
    return tuple(
        (n + lo + hi - (k - 1) * d - 1) // s + 1
        for n, k, s, (lo, hi), d in zip(spatial, kernel, strides, padding, dilation)
    )


def pieces(
    images: int, out: Sizes, window_bytes: int, limit: int = PIECE_BYTES
) -> Iterator[tuple[slice, slice]]:
    """Cut a batch into ``(images, output rows)`` whose windows take at most about ``limit`` bytes.

    Args:
        images: Size of the batch.
        out: Windows along each spatial dimension.
        window_bytes: Bytes of temporaries a window.
        limit: Bytes of temporaries a piece.
    """
    row = max(1, window_bytes * prod(out[1:]))
    if row * out[0] <= limit:
        step = max(1, limit // max(1, row * out[0]))
        rows = slice(0, out[0])
        for start in range(0, images, step):
            yield slice(start, min(start + step, images)), rows
        return
    step = max(1, limit // row)
    for image in range(images):
        for start in range(0, out[0], step):
            yield slice(image, image + 1), slice(start, min(start + step, out[0]))


def taps(
    spatial: Sizes, kernel: Sizes, strides: Sizes, padding: Pairs, dilation: Sizes, rows: slice, out: Sizes
) -> Iterator[tuple[Sizes, tuple[slice, ...], tuple[slice, ...]]]:
    """For each position in the window: the windows that have an input element there, and those elements.

    Yields:
        ``(tap, windows, elements)``: the position, an index into the piece (images, *windows, channels) of the result,
        whose first spatial dimension is cut to ``rows``, and one into the same images of the input. Padding is left
        out, so that both give the same shape.
    """
    ranges = []
    for axis, (n, k, s, (lo, _), d, m) in enumerate(zip(spatial, kernel, strides, padding, dilation, out)):
        first, stop = (rows.start, rows.stop) if axis == 0 else (0, m)
        along = []
        for t in range(k):
            shift = t * d - lo
            a = max(first, -(shift // s))  # the first window whose element here isn't padding
            b = min(stop, (n - 1 - shift) // s + 1)
            if a < b:
                along.append(
                    (t, slice(a - first, b - first), slice(a * s + shift, (b - 1) * s + shift + 1, s))
                )
        ranges.append(along)
    for choice in product(*ranges):
        tap, windows, elements = zip(*choice)
        yield tap, (_ALL,) + windows, (_ALL,) + elements


def patches(
    x: ndarray,
    kernel: Sizes,
    strides: Sizes,
    padding: Pairs,
    dilation: Sizes,
    cuts: list[tuple[slice, slice]],
) -> Iterator[ndarray]:
    """The windows of each piece as the rows of a matrix (windows, prod(kernel) * channels).

    The matrices share one buffer: each is valid until the next is asked for. They may be transposed views, which BLAS
    multiplies as fast.

    Args:
        x: Input (images, *spatial, channels).
        kernel: Window size.
        strides: Steps between windows.
        padding: Zeros before and after each spatial dimension.
        dilation: Steps between the elements of a window.
        cuts: Pieces as :func:`pieces` makes them, the first one the largest.
    """
    channels = x.shape[-1]
    spatial = x.shape[1:-1]
    out = window_shape(spatial, kernel, strides, padding, dilation)
    run = channels * (kernel[-1] if dilation[-1] == 1 else 1)
    transposed = run <= SHORT_RUN
    padded = any(lo or hi for lo, hi in padding)
    if not cuts:
        return
    images, rows = cuts[0][0].stop - cuts[0][0].start, cuts[0][1].stop - cuts[0][1].start
    buffer = empty_reused((images * rows * prod(out[1:]) * prod(kernel) * channels,), x.dtype)
    source = x
    if padded or transposed:
        # Here each piece of the input is copied first: into a frame of zeros, with the channels in front if transposed.
        span = (rows - 1) * strides[0] + (kernel[0] - 1) * dilation[0] + 1
        rest = tuple(n + lo + hi for n, (lo, hi) in zip(spatial[1:], padding[1:]))
        if transposed:
            source = np.zeros((channels, images, span, *rest), x.dtype).transpose(*range(1, x.ndim), 0)
        else:
            source = np.zeros((images, span, *rest, channels), x.dtype)
        interior = tuple(slice(lo, lo + n) for n, (lo, _) in zip(spatial[1:], padding[1:]))
    windows = _windows(source, kernel, strides, dilation)
    rank = len(spatial)
    order = (
        *range(1 + rank, 2 + 2 * rank),
        *range(1 + rank),
    )  # window positions and channels before the windows
    for part, row in cuts:
        m, height = part.stop - part.start, row.stop - row.start
        if source is x:
            view = windows[part, row]
        else:
            _fill(
                source[:m], x[part], row, height, kernel[0], strides[0], padding[0][0], dilation[0], interior
            )
            view = windows[:m, :height]
        if transposed:
            view = view.transpose(order)
        flat = buffer[: view.size]
        flat.reshape(view.shape)[...] = view
        if transposed:
            yield flat.reshape(-1, m * height * prod(out[1:])).T
        else:
            yield flat.reshape(m * height * prod(out[1:]), -1)


def _fill(
    frame: ndarray,
    x: ndarray,
    row: slice,
    height: int,
    k: int,
    s: int,
    lo: int,
    d: int,
    interior: tuple[slice, ...],
) -> None:
    """Copy the input rows that the output rows ``row`` look at into ``frame``, zeros where they are padding."""
    start = row.start * s - lo
    stop = start + (height - 1) * s + (k - 1) * d + 1
    a, b = max(start, 0), min(stop, x.shape[1])
    b = max(a, b)
    frame[:, : a - start] = 0
    inside = (_ALL, slice(a - start, b - start)) + interior
    frame[inside] = x[:, a:b]
    frame[:, b - start : stop - start] = 0


def _windows(x: ndarray, kernel: Sizes, strides: Sizes, dilation: Sizes) -> ndarray:
    """View (images, *windows, *kernel, channels) of ``x`` (images, *spatial, channels)."""
    counts = tuple(
        (n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(x.shape[1:-1], kernel, strides, dilation)
    )
    steps = x.strides[1:-1]
    return as_strided(
        x,
        (x.shape[0], *counts, *kernel, x.shape[-1]),
        (
            x.strides[0],
            *(a * s for a, s in zip(steps, strides)),
            *(a * d for a, d in zip(steps, dilation)),
            x.strides[-1],
        ),
        writeable=False,
    )

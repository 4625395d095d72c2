"""Depthwise convolution in NumPy: each input channel has filters of its own, so there is no matrix product in it.

x (n, *spatial, c), w (*kernel, 1, c * m): output channel c * m + j is filter j of input channel c. Tap by tap, the
elements under the tap times its weights are summed up, in pieces of the batch that stay in the cache.
"""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from .window import Pairs, Sizes, pieces, taps

# Three arrays of a piece are in use at once.
_BYTES = 2**18


def _spread(w: ndarray, channels: int, cuts: list[tuple[slice, slice]], out: Sizes) -> ndarray:
    """Weights (*kernel, width, c, m): repeated along the pieces' last dimension, for long runs in the inner loop."""
    width = out[-1] if len(out) > 1 else max((row.stop - row.start for _, row in cuts), default=0)
    w = w.reshape(*w.shape[:-2], 1, channels, w.shape[-1] // channels)
    return np.ascontiguousarray(np.broadcast_to(w, (*w.shape[:-3], width, *w.shape[-2:])))


def depthwise(x: ndarray, w: ndarray, y: ndarray, strides: Sizes, padding: Pairs, dilation: Sizes) -> None:
    """Convolve each channel of ``x`` with its own filters into ``y`` (n, *out, c * m)."""
    channels, out = x.shape[-1], y.shape[1:-1]
    cuts = list(pieces(y.shape[0], out, y.shape[-1] * y.itemsize, _BYTES))
    weights = _spread(w, channels, cuts, out)
    x = x[..., None]
    result = y.reshape(*y.shape[:-1], channels, y.shape[-1] // channels)
    for part, row in cuts:
        total = result[part, row]
        total[...] = 0
        product = np.empty_like(total)
        for tap, windows, elements in taps(x.shape[1:-2], w.shape[:-2], strides, padding, dilation, row, out):
            term = product[windows]
            np.multiply(x[part][elements], weights[tap][windows[-1]], out=term)
            sums = total[windows]
            sums += term


def depthwise_grad(
    x: ndarray,
    w: ndarray,
    gy: ndarray,
    gx: ndarray | None,
    gw: ndarray | None,
    strides: Sizes,
    padding: Pairs,
    dilation: Sizes,
) -> None:
    """Add the gradients of :func:`depthwise` to ``gx`` and ``gw``, those that aren't ``None``."""
    channels, out = x.shape[-1], gy.shape[1:-1]
    cuts = list(pieces(gy.shape[0], out, gy.shape[-1] * gy.itemsize, _BYTES))
    weights = _spread(w, channels, cuts, out)
    gy = gy.reshape(*gy.shape[:-1], channels, gy.shape[-1] // channels)
    sums = None if gw is None else np.zeros((*w.shape[:-2], *gy.shape[-2:]), w.dtype)
    for part, row in cuts:
        g = gy[part, row]
        for tap, windows, elements in taps(x.shape[1:-1], w.shape[:-2], strides, padding, dilation, row, out):
            under = g[windows]
            if sums is not None:
                sums[tap] += _channel_sums(x[part][elements], under)
            if gx is not None:
                terms = under * weights[tap][windows[-1]]
                into = gx[part][elements]
                into += terms[..., 0] if terms.shape[-1] == 1 else terms.sum(axis=-1)
    if sums is not None:
        gw += sums.reshape(w.shape)  # type: ignore[operator]


def _channel_sums(x: ndarray, g: ndarray) -> ndarray:
    """Σ x g over images and positions; x (n, *out, c), g (n, *out, c, m) to (c, m)."""
    products = x[..., None] * g
    width, rest = products.shape[-3], products.shape[-2:]
    lines = np.add.reduce(products.reshape(-1, width * rest[0] * rest[1]), axis=0)
    return np.add.reduce(lines.reshape(width, *rest), axis=0)

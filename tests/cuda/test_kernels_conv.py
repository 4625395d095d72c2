"""The kernels of convolution against a sum over taps in float64: every tile, type and kind of window."""

from __future__ import annotations

import os

import numpy as np
import pytest

from .emulator.emulator import SANITIZE
from .launching import DTYPES, ORDERS_HERE, SUFFIX, blank, close, module, needs_emulator

pytestmark = needs_emulator

#: images, height, width, channels; kernel height, width, filters; strides; dilations; padding before and after.
CASES = {
    "one vector": ((2, 5, 6, 8), (3, 3, 8), (1, 1), (1, 1), ((1, 1), (1, 1))),
    "odd": ((1, 7, 5, 3), (3, 2, 5), (2, 1), (1, 2), ((0, 1), (1, 0))),
    "pointwise": ((3, 4, 4, 16), (1, 1, 72), (1, 1), (1, 1), ((0, 0), (0, 0))),
    "several tiles": ((2, 9, 9, 8), (2, 2, 136), (1, 1), (1, 1), ((0, 1), (0, 1))),
    "strides and dilation": ((1, 9, 10, 8), (3, 3, 8), (2, 3), (2, 2), ((2, 1), (0, 3))),
    "taps that some pixels miss": ((1, 7, 9, 8), (2, 1, 8), (3, 4), (3, 1), ((1, 0), (0, 0))),
}
FEW = ["odd", "several tiles"]
if os.environ.get(SANITIZE):  # which takes its time, and needs each line once
    CASES, FEW = {name: CASES[name] for name in ("one vector", "odd")}, []


def arrays(case, dtype):
    shape, (kh, kw, f), strides, dilation, padding = CASES[case]
    rng = np.random.default_rng(0)
    span = [(k - 1) * d + 1 for k, d in zip((kh, kw), dilation)]
    out = [(s + sum(p) - n) // by + 1 for s, p, n, by in zip(shape[1:3], padding, span, strides)]
    x, w, g = (rng.standard_normal(s) for s in (shape, (kh, kw, shape[3], f), (shape[0], *out, f)))
    return x.astype(dtype), (w / 3).astype(dtype), g.astype(dtype), rng.standard_normal(f).astype(dtype)


def expected(case, x, w, g):
    """y, gx and gw by the definition."""
    _, _, strides, dilation, padding = CASES[case]
    x, w, g = (a.astype(np.float64) for a in (x, w, g))
    wide = np.pad(x, ((0, 0), *padding, (0, 0)))
    y, back, gw = np.zeros(g.shape), np.zeros(wide.shape), np.zeros(w.shape)
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            rows, columns = (
                slice(t * d, t * d + by * (n - 1) + 1, by)
                for t, d, by, n in zip((i, j), dilation, strides, g.shape[1:3])
            )
            y += wide[:, rows, columns] @ w[i, j]
            back[:, rows, columns] += g @ w[i, j].T
            gw[i, j] = np.einsum("nhwc,nhwf->cf", wide[:, rows, columns], g)
    (top, _), (left, _) = padding
    return y, back[:, top : top + x.shape[1], left : left + x.shape[2]], gw


def windows(case, g):
    shape, (kh, kw, _), strides, dilation, ((top, _), (left, _)) = CASES[case]
    return (*shape, *g.shape[1:3], kh, kw, *strides, -top, -left, *dilation)


def launch(stem, name, order, rows, columns, dim, arrays, numbers, parts=1):
    grid = (-(-rows // dim), -(-columns // dim), parts)
    numbers = [np.int64(n) for n in numbers]
    module(stem, order).launch(name, grid, (256,), [*arrays, *numbers])


def variants(case, dtype):
    """Stems, suffixes and sizes of tiles that take the case, and the factor of the tolerance."""
    shape, (_, _, f), *_ = CASES[case]
    kinds = [("conv", SUFFIX[dtype.name], 1)] if dtype.itemsize > 2 else [("conv_mma", SUFFIX[dtype.name], 4)]
    kinds += [("conv_mma", "tf32", 500)] if dtype == np.float32 else []
    vector = shape[3] * dtype.itemsize % 16 == f * dtype.itemsize % 16 == 0
    for stem, kind, factor in kinds:
        yield stem, f"{kind}_64", 64, factor
        if vector:
            yield stem, f"{kind}_64v", 64, factor
            if kind != "f64":
                yield stem, f"{kind}_128v", 128, factor


EVERY = [(case, dtype, order) for case in CASES for dtype in DTYPES for order in ORDERS_HERE
         if case in FEW or (order == ORDERS_HERE[-1] and dtype.itemsize < 8)]  # fmt: skip


@pytest.mark.parametrize("case, dtype, order", EVERY, ids=lambda v: str(v))
def test_forward(case, dtype, order):
    x, w, g, b = arrays(case, dtype)
    y, _, _ = expected(case, x, w, g)
    for stem, suffix, dim, factor in variants(case, dtype):
        for bias, relu in ((b, 1), (None, 0)):
            out = blank(g.shape, dtype)
            numbers = (*windows(case, g), w.shape[3], relu)
            launch(stem, f"conv_{suffix}", order, g.size // w.shape[3], w.shape[3], dim, (x, w, bias, out), numbers)
            close(out, np.maximum(y + b.astype(np.float64), 0) if relu else y, factor)


@pytest.mark.parametrize("case, dtype, order", EVERY, ids=lambda v: str(v))
def test_data_gradient(case, dtype, order):
    x, w, g, _ = arrays(case, dtype)
    _, gx, _ = expected(case, x, w, g)
    (images, h, wide, c), _, strides, dilation, padding = CASES[case]
    for stem, suffix, dim, factor in variants(case, dtype):
        out = blank(x.shape, dtype)
        for phase in np.ndindex(*strides):
            axes = []
            for remainder, size, taps, by, d, (before, _) in zip(phase, (h, wide), w.shape, strides, dilation, padding):
                reaching = [t for t in range(taps) if (remainder + before - t * d) % by == 0] or [0]
                step = reaching[1] - reaching[0] if len(reaching) > 1 else 1
                none = (remainder + before - reaching[0] * d) % by != 0
                start = (remainder + before - reaching[0] * d) // by
                axes.append((-(-(size - remainder) // by), 0 if none else len(reaching), start, -(step * d) // by,
                             reaching[0], step))  # fmt: skip
            (p, ni, from_i, by_i, i0, di), (q, nj, from_j, by_j, j0, dj) = axes
            ni, nj = (ni, nj) if ni and nj else (0, 1)
            numbers = (images, *g.shape[1:3], g.shape[3], p, q, ni, nj, 1, 1, from_i, from_j, by_i, by_j)
            numbers += (c, w.shape[1], i0, di, j0, dj, h, wide, *strides, *phase)
            launch(stem, f"conv_data_grad_{suffix}", order, images * p * q, c, dim, (g, w, out), numbers)
        close(out, gx, factor * 2)


@pytest.mark.parametrize("case, dtype, order", EVERY, ids=lambda v: str(v))
def test_weight_gradient(case, dtype, order):
    x, w, g, _ = arrays(case, dtype)
    _, _, gw = expected(case, x, w, g)
    pixels = g.size // w.shape[3]
    sums = np.float64 if dtype == np.float64 else np.float32
    for stem, suffix, dim, factor in variants(case, dtype):
        for share in (pixels, 32):
            parts = blank((-(-pixels // share), *w.shape), sums)
            numbers = (*windows(case, g), w.shape[3], share)
            launch(stem, f"conv_weight_grad_{suffix}", order, gw.size // w.shape[3], w.shape[3], dim, (x, g, parts),
                   numbers, len(parts))  # fmt: skip
            close(parts.sum(0), gw, factor if "tf32" in suffix else 4)  # float sums, however short the factors are

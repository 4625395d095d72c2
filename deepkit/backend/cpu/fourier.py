"""Fourier transforms of numbers kept as a real and an imaginary array, and the frames of signals, in NumPy."""

from __future__ import annotations

from math import prod
from typing import Any, Iterator

import numpy as np
from numpy import ndarray

__all__ = ["extract_sequences", "fit", "fourier", "overlap_add", "real_fourier", "real_fourier_inverse",
           "view_as_complex", "view_as_real"]  # fmt: skip

#: Complex elements of a piece, half a megabyte of them: measured on 64 images of 256 by 256, twice as fast as at once.
_ELEMENTS = 2**16


def fourier(real: ndarray, imag: ndarray, axes: tuple[int, ...], inverse: bool, norm: Any) -> tuple[ndarray, ndarray]:
    """Discrete Fourier transform along axes.

    Args:
        real: Real part.
        imag: Imaginary part.
        axes: The axes to transform.
        inverse: With e^(+2πi...) instead of e^(-2πi...).
        norm: ``"backward"`` divides the inverse by the number of elements, ``"forward"`` the other one.
    """
    transform = np.fft.ifftn if inverse else np.fft.fftn
    shape, block = real.shape, real.shape[-len(axes) :]
    count = prod(shape[: -len(axes)])
    re, im = real.reshape(count, *block), imag.reshape(count, *block)
    out = np.empty(re.shape, real.dtype), np.empty(re.shape, real.dtype)
    for piece in _pieces(len(re), prod(block)):
        y = transform(_joined(re[piece], im[piece]), axes=axes, norm=norm)
        out[0][piece], out[1][piece] = y.real, y.imag
    return out[0].reshape(shape), out[1].reshape(shape)


def real_fourier(x: ndarray, length: int, norm: Any) -> tuple[ndarray, ndarray]:
    """The first length // 2 + 1 elements of the transform of the last axis, cut or zero-padded to ``length``."""
    rows = x.reshape(prod(x.shape[:-1]), x.shape[-1])
    shape = (len(rows), length // 2 + 1)
    out = np.empty(shape, x.dtype), np.empty(shape, x.dtype)
    for piece in _pieces(len(rows), length):
        y = np.fft.rfft(_single(rows[piece]), length, norm=norm)
        out[0][piece], out[1][piece] = y.real, y.imag
    shape = (*x.shape[:-1], shape[1])
    return out[0].reshape(shape), out[1].reshape(shape)


def real_fourier_inverse(real: ndarray, imag: ndarray, length: int, norm: Any) -> ndarray:
    """The real signal of ``length`` whose transform begins with these elements."""
    return np.fft.irfft(_joined(real, imag), length, norm=norm).astype(real.dtype, copy=False)


def _single(x: ndarray) -> ndarray:
    """NumPy has no transforms of half precision."""
    return x.astype("float32") if x.dtype.itemsize < 4 else x


def _joined(real: ndarray, imag: ndarray) -> ndarray:
    out = np.empty(np.broadcast_shapes(real.shape, imag.shape), np.result_type(_single(real), np.complex64))
    out.real, out.imag = real, imag
    return out


def _pieces(count: int, size: int) -> Iterator[slice]:
    """Ranges of transforms of ``size`` elements each whose complex arrays stay in the cache."""
    step = max(1, _ELEMENTS // max(1, size))
    for start in range(0, count, step):
        yield slice(start, start + step)


def view_as_complex(x: ndarray) -> ndarray:
    """x[..., 0] + i x[..., 1]."""
    return _joined(x[..., 0], x[..., 1])


def view_as_real(x: ndarray) -> ndarray:
    """The real and imaginary parts along a new last axis."""
    out = np.empty((*x.shape, 2), x.real.dtype)
    out[..., 0], out[..., 1] = x.real, x.imag
    return out


def fit(x: ndarray, length: int) -> ndarray:
    """``x`` with its last axis cut or zero-padded at the end to ``length``."""
    n = x.shape[-1]
    if n >= length:
        return x[..., :length]
    out = np.zeros((*x.shape[:-1], length), x.dtype)
    out[..., :n] = x
    return out


def extract_sequences(x: ndarray, sequence_length: int, sequence_stride: int) -> ndarray:
    """Frames (..., count, sequence_length) of the last axis, which start ``sequence_stride`` apart."""
    count = max(0, 1 + (x.shape[-1] - sequence_length) // sequence_stride)
    if not count:
        return np.empty((*x.shape[:-1], 0, sequence_length), x.dtype)
    windows = np.lib.stride_tricks.sliding_window_view(x, sequence_length, axis=-1)
    return np.ascontiguousarray(windows[..., ::sequence_stride, :])


def overlap_add(frames: ndarray, stride: int, length: int) -> ndarray:
    """The sum (..., length) of frames (..., count, size) laid ``stride`` apart: the transpose of the above.

    The output is seen as rows of ``stride`` elements. The frames' elements from j·stride to (j + 1)·stride fall into
    row j behind each frame's own, so that size / stride additions of whole arrays do.
    """
    count, size = frames.shape[-2:]
    parts = -(-size // stride)
    out = np.zeros((*frames.shape[:-2], count + parts, stride), frames.dtype)
    for j in range(parts):
        chunk = frames[..., j * stride : (j + 1) * stride]
        out[..., j : j + count, : chunk.shape[-1]] += chunk
    return fit(out.reshape(*frames.shape[:-2], (count + parts) * stride), length)

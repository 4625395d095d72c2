"""Random arrays from the Philox 4x64-10 stream (Salmon et al., SC 2011), the same words on every device.

A stream is named by a ``key`` (the seed) and a ``draw`` (how many draws came before). Its words are NumPy's Philox
stream with counter ``draw << 64``; :func:`words` gives them, everything else here is arithmetic on them that a CUDA
kernel can repeat word for word.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
from numpy import ndarray

from .elementwise import erfinv
from .memory import empty_reused
from .native import fits
from .native import state as compiled

__all__ = ["dropout", "random_words", "random_uniform", "random_normal", "random_truncated_normal", "random_keep",
           "random_order", "random_generator"]  # fmt: skip


class _Source:
    """The bit generator of a thread; setting its state costs a fraction of making a new one."""

    def __init__(self) -> None:
        self.philox = np.random.Philox(0)
        self.state: Any = self.philox.state
        self.state["buffer_pos"] = 4
        self.state["has_uint32"] = 0


_threads = threading.local()


def _start(key: int, draw: int) -> np.random.Philox:
    try:
        local = _threads.source
    except AttributeError:  # made on first use: importing numpy.random takes a tenth of importing NumPy
        local = _threads.source = _Source()
    inner = local.state["state"]
    inner["key"][0], inner["key"][1] = key, 0
    inner["counter"][:] = 0
    inner["counter"][1] = draw
    local.philox.state = local.state
    return local.philox


def random_words(key: int, draw: int, n: int) -> ndarray:
    """``n`` 64-bit words."""
    if compiled.module is not None:
        out = np.empty(n, np.uint64)
        compiled.module.random_words(key, draw, out)
        return out
    return _start(key, draw).random_raw(n)


def random_generator(key: int, draw: int) -> np.random.Generator:
    """A NumPy generator at the start of the stream, for distributions by rejection."""
    return np.random.Generator(np.random.Philox(key=key, counter=draw << 64))


def _unit32(key: int, draw: int, n: int) -> ndarray:
    """``n`` float32 in [0, 1): the upper 24 bits of 32-bit halves, low half first."""
    halves = random_words(key, draw, (n + 1) // 2).view(np.uint32)[:n]
    return (halves >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def _unit64(key: int, draw: int, n: int) -> ndarray:
    """``n`` float64 in [0, 1): the upper 53 bits of the words."""
    return (random_words(key, draw, n) >> np.uint64(11)) * 2.0**-53


def random_uniform(key: int, draw: int, shape: tuple[int, ...], dtype: np.dtype) -> ndarray:
    """Uniform on [0, 1) in ``dtype``; float16 and bfloat16 are rounded from float32."""
    n = math.prod(shape)
    if dtype == np.float64:
        return _unit64(key, draw, n).reshape(shape)
    return _unit32(key, draw, n).reshape(shape).astype(dtype, copy=False)


def random_normal(key: int, draw: int, shape: tuple[int, ...], dtype: np.dtype) -> ndarray:
    """Standard normal by Box and Muller (1958): √(-2 ln u₁) · (cos 2πu₂, sin 2πu₂), cosines first."""
    n = math.prod(shape)
    half = (n + 1) // 2
    u = _unit64(key, draw, 2 * half) if dtype == np.float64 else _unit32(key, draw, 2 * half)
    radius = np.sqrt(-2 * np.log1p(-u[:half]))
    angle = u[half:] * u.dtype.type(2 * np.pi)
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:n].reshape(shape).astype(dtype, copy=False)


def random_truncated_normal(key: int, draw: int, shape: tuple[int, ...], dtype: np.dtype) -> ndarray:
    """Standard normal cut to two standard deviations, by the inverse of its distribution function."""
    low, high = 0.022750131948179195, 0.9772498680518208  # Φ(-2), Φ(2)
    u = _unit64(key, draw, math.prod(shape))
    z = np.sqrt(2) * erfinv(2 * (low + u * (high - low)) - 1)
    return np.clip(z, -2, 2).reshape(shape).astype(dtype, copy=False)


def random_keep(key: int, draw: int, shape: tuple[int, ...], rate: float) -> ndarray:
    """Boolean mask that is false with probability ``rate``, from 16 bits an element."""
    n = math.prod(shape)
    bits = random_words(key, draw, (n + 3) // 4).view(np.uint16)[:n]
    return (bits >= np.uint16(_threshold(rate))).reshape(shape)


def _threshold(rate: float) -> int:
    return min(round(rate * 65536), 65535)


def dropout(
    x: ndarray, rate: float, key: int, draw: int, noise_shape: tuple[int, ...] | None, scale: float
) -> ndarray:
    """x · scale where :func:`random_keep` is true, else 0. The mask can be made again, so nobody keeps it."""
    if compiled.module is not None and noise_shape is None and fits(x):
        y = empty_reused(x.shape, x.dtype)
        compiled.module.dropout(key, draw, _threshold(rate), scale, x, y)
        return y
    y = x * x.dtype.type(scale)
    y *= random_keep(key, draw, x.shape if noise_shape is None else noise_shape, rate)
    return y


def random_order(key: int, draw: int, n: int) -> ndarray:
    """A permutation of 0..n-1: the order of ``n`` words."""
    return np.argsort(random_words(key, draw, n), kind="stable")

"""Random arrays from the Philox stream; the kernels give NumPy's words.

A ``key`` is a number, or in a step that is captured an array on the device with the state of a seed generator, from
where ``draw`` counts on.
"""

from __future__ import annotations

import math
from typing import Any

import cupy
import numpy as np
from cupy import ndarray

from ..cpu.random import _threshold
from ..cpu.random import random_generator as _host_generator
from ..replay import CaptureRefused
from .loader import function, launch_over

__all__ = ["dropout", "random_generator", "random_keep", "random_normal", "random_truncated_normal",
           "random_uniform", "random_words"]  # fmt: skip

_OF_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def _stream(key: Any, draw: int) -> tuple[Any, ...]:
    """What kernels take for a stream: key, draw and the state that these count from, if there is one."""
    return (0, draw, key) if isinstance(key, ndarray) else (key, draw, None)


def random_generator(key: Any, draw: int) -> np.random.Generator:
    """A NumPy generator at the start of the stream, on the host.

    Raises:
        CaptureRefused: in a step that is captured.
    """
    if isinstance(key, ndarray):
        raise CaptureRefused("it draws from a distribution that is computed on the host")
    return _host_generator(key, draw)


def random_words(key: Any, draw: int, n: int) -> ndarray:
    """``n`` 64-bit words."""
    out = cupy.empty(n, np.uint64)
    launch_over(function("random", "random_words"), -(-n // 4), out, n, *_stream(key, draw))
    return out


def _filled(name: str, key: Any, draw: int, shape: tuple[int, ...], dtype: Any) -> ndarray:
    kind = np.dtype(dtype)
    out = cupy.empty(shape, kind if kind in _OF_FLOATS else np.float32)
    words = out.size if kind == np.float64 or name == "random_truncated_normal" else -(-out.size // 2)
    launch_over(function("random", name, out.dtype), -(-words // 4), out, out.size, *_stream(key, draw))
    return out.astype(kind, copy=False)


def random_uniform(key: Any, draw: int, shape: tuple[int, ...], dtype: Any) -> ndarray:
    """Uniform on [0, 1) in ``dtype``; float16 and bfloat16 are rounded from float32."""
    return _filled("random_uniform", key, draw, shape, dtype)


def random_normal(key: Any, draw: int, shape: tuple[int, ...], dtype: Any) -> ndarray:
    """Standard normal by Box and Muller (1958)."""
    return _filled("random_normal", key, draw, shape, dtype)


def random_truncated_normal(key: Any, draw: int, shape: tuple[int, ...], dtype: Any) -> ndarray:
    """Standard normal cut to two standard deviations, by the inverse of its distribution function."""
    return _filled("random_truncated_normal", key, draw, shape, dtype)


def random_keep(key: Any, draw: int, shape: tuple[int, ...], rate: float) -> ndarray:
    """Boolean mask that is false with probability ``rate``, from 16 bits an element."""
    out = cupy.empty(shape, bool)
    numbers = (out.size, _threshold(rate), *_stream(key, draw))
    launch_over(function("random", "random_keep"), -(-out.size // 16), out, *numbers)
    return out


def dropout(
    x: ndarray, rate: float, key: Any, draw: int, noise_shape: tuple[int, ...] | None, scale: float
) -> ndarray:
    """x · scale where :func:`random_keep` is true, else 0; the mask is stored nowhere."""
    if noise_shape is not None and tuple(noise_shape) != x.shape:
        y = x * x.dtype.type(scale)
        y *= random_keep(key, draw, noise_shape, rate)
        return y
    x = cupy.ascontiguousarray(x)
    y = cupy.empty(x.shape, x.dtype)
    numbers = (math.prod(x.shape), _threshold(rate), float(scale), *_stream(key, draw))
    launch_over(function("random", "dropout", x.dtype), -(-x.size // 16), x, y, *numbers)
    return y

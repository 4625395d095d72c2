"""Blocks of images in NumPy: sliding ones as columns and back, and blocks of pixels as channels and back."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
from numpy import ndarray
from numpy.lib.stride_tricks import as_strided

from .window import window_shape

__all__ = ["depth_to_space", "fold", "space_to_depth", "unfold"]

Pair = tuple[int, int]


def unfold(x: ndarray, kernel_size: Pair, dilation: Pair, padding: Pair, stride: Pair) -> ndarray:
    """Sliding blocks of images (n, c, h, w) as columns (n, c · kh · kw, blocks)."""
    sides = tuple((p, p) for p in padding)
    counts = window_shape(x.shape[2:], kernel_size, stride, sides, dilation)
    if any(padding):
        x = np.pad(x, ((0, 0), (0, 0), *sides))
    n, c, row, column = x.strides
    windows = as_strided(
        x,
        (*x.shape[:2], *kernel_size, *counts),
        (n, c, row * dilation[0], column * dilation[1], row * stride[0], column * stride[1]),
        writeable=False,
    )
    return windows.reshape(x.shape[0], x.shape[1] * prod(kernel_size), prod(counts))


def fold(
    x: ndarray, output_size: Pair, kernel_size: Pair, dilation: Pair, padding: Pair, stride: Pair
) -> ndarray:
    """Images (n, c, h, w) in which overlapping blocks add up: the transpose of :func:`unfold`."""
    counts = window_shape(output_size, kernel_size, stride, tuple((p, p) for p in padding), dilation)
    height, width = (size + 2 * p for size, p in zip(output_size, padding))
    blocks = x.reshape(x.shape[0], x.shape[1] // prod(kernel_size), *kernel_size, *counts)
    out = np.zeros((*blocks.shape[:2], height, width), x.dtype)
    for i, j in product(*map(range, kernel_size)):
        top, left = i * dilation[0], j * dilation[1]
        rows = slice(top, top + (counts[0] - 1) * stride[0] + 1, stride[0])
        columns = slice(left, left + (counts[1] - 1) * stride[1] + 1, stride[1])
        out[:, :, rows, columns] += blocks[:, :, i, j]
    return out[:, :, padding[0] : height - padding[0], padding[1] : width - padding[1]]


def depth_to_space(x: ndarray, block_size: int, data_format: str) -> ndarray:
    """Groups of block_size² channels laid out as squares of pixels."""
    b = block_size
    if data_format == "channels_last":
        n, h, w, c = x.shape
        x = x.reshape(n, h, w, b, b, c // b**2).transpose(0, 1, 3, 2, 4, 5)
        return x.reshape(n, h * b, w * b, c // b**2)
    n, c, h, w = x.shape
    x = x.reshape(n, c // b**2, b, b, h, w).transpose(0, 1, 4, 2, 5, 3)
    return x.reshape(n, c // b**2, h * b, w * b)


def space_to_depth(x: ndarray, block_size: int, data_format: str) -> ndarray:
    """Squares of pixels as groups of channels: the inverse of :func:`depth_to_space`."""
    b = block_size
    if data_format == "channels_last":
        n, h, w, c = x.shape
        x = x.reshape(n, h // b, b, w // b, b, c).transpose(0, 1, 3, 2, 4, 5)
        return x.reshape(n, h // b, w // b, c * b**2)
    n, c, h, w = x.shape
    x = x.reshape(n, c, h // b, b, w // b, b).transpose(0, 1, 3, 5, 2, 4)
    return x.reshape(n, c * b**2, h // b, w // b)

"""Convolution in 1, 2 and 3 dimensions in NumPy, and its gradients.

Arrays are channels-last: x (n, *spatial, c_in), w (*kernel, c_in / groups, c_out), y (n, *out, c_out). The windows of a
piece of the batch are gathered into the rows of a matrix (im2col) that fits into the second-level cache, multiplied by
the kernel in one BLAS call, and given bias and activation while they are still there. The gradient of the kernel is
the product of the same matrix with the gradient of y; the gradient of x is summed up tap by tap, a BLAS call each.
"""

from __future__ import annotations

from functools import wraps
from math import prod
from typing import Any, Callable, Iterator

import numpy as np
from numpy import ndarray

from .depthwise import depthwise, depthwise_grad
from .elementwise import activate, activate_grad
from .memory import empty_reused
from .window import Pairs, Sizes, patches, pieces, taps, window_shape

__all__ = ["conv", "conv_grad", "conv_transpose", "conv_transpose_grad"]

# Lines longer than this gain nothing from a bias laid out as long as they are.
_LONGEST_LINE = 512

Gradients = tuple["ndarray | None", "ndarray | None", "ndarray | None"]


def _in_float32(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Run a kernel on 16-bit floats in float32: BLAS has no 16-bit products, and 16-bit sums lose too much."""

    @wraps(kernel)
    def run(x: ndarray, *args: Any) -> Any:
        if x.dtype.itemsize > 2:
            return kernel(x, *args)
        if isinstance(args[-1], (tuple, list)):  # `needs`: its destination arrays are 16-bit too
            args = (*args[:-1], [need is not False for need in args[-1]])
        wide = [a.astype(np.float32) if isinstance(a, ndarray) else a for a in (x, *args)]
        out = kernel(*wide)
        if isinstance(out, tuple):  # gradients of x, w and b; the weights may be kept in float32
            dtypes = (x.dtype, args[0].dtype, args[0].dtype)
            return tuple(None if a is None else a.astype(t) for a, t in zip(out, dtypes))
        return out.astype(x.dtype)

    return run


@_in_float32
def conv(
    x: ndarray,
    w: ndarray,
    b: ndarray | None,
    strides: Sizes,
    padding: Pairs,
    dilation: Sizes,
    groups: int,
    act: str | None,
) -> ndarray:
    """act(x * w + b), where ``*`` is the cross-correlation that deep learning calls convolution.

    Args:
        x: Input (n, *spatial, c_in).
        w: Kernel (*kernel, c_in / groups, c_out).
        b: Bias (c_out,) or ``None``.
        strides: Steps between windows.
        padding: Zeros before and after each spatial dimension.
        dilation: Steps between the elements of a window.
        groups: Number of groups into which the channels are cut.
        act: Name of a fusible activation, or ``None``.
    """
    kernel = w.shape[:-2]
    out = window_shape(x.shape[1:-1], kernel, strides, padding, dilation)
    y = empty_reused((x.shape[0], *out, w.shape[-1]), x.dtype)
    if groups == 1:
        _convolve(x, w, b, y, strides, padding, dilation, act)
        return y
    if w.shape[-2] == 1:
        depthwise(x, w, y, strides, padding, dilation)
    else:
        for inputs, outputs in _groups(w, groups):
            _convolve(
                x[..., inputs], w[..., outputs], None, y[..., outputs], strides, padding, dilation, None
            )
    if b is not None:
        y += b
    return activate(y, act)


def destination(need: Any, shape: Sizes, dtype: Any) -> ndarray | None:
    """Where a gradient goes, zeroed: the array that ``need`` is, a new one if it is ``True``, else ``None``."""
    if need is False:
        return None
    target = empty_reused(shape, dtype) if need is True else need
    target[...] = 0
    return target


def _groups(w: ndarray, groups: int) -> list[tuple[slice, slice]]:
    """The input and output channels of each group."""
    i, o = w.shape[-2], w.shape[-1] // groups
    return [(slice(g * i, (g + 1) * i), slice(g * o, (g + 1) * o)) for g in range(groups)]


def _windows(
    x: ndarray, w_shape: Sizes, out: Sizes, strides: Sizes, padding: Pairs, dilation: Sizes
) -> tuple[list[tuple[slice, slice]], Iterator[ndarray]]:
    """Pieces of the batch, and for each of them the matrix with a window in each row."""
    *kernel, inputs, channels = w_shape
    size = prod(kernel)
    if size == 1 and prod(strides) == 1 and not any(lo or hi for lo, hi in padding):
        cuts = list(pieces(x.shape[0], out, channels * x.itemsize))
        return cuts, (x[part, row].reshape(-1, inputs) for part, row in cuts)
    cuts = list(pieces(x.shape[0], out, (size * inputs + channels) * x.itemsize))
    return cuts, patches(x, tuple(kernel), strides, padding, dilation, cuts)


def _convolve(
    x: ndarray,
    w: ndarray,
    b: ndarray | None,
    y: ndarray,
    strides: Sizes,
    padding: Pairs,
    dilation: Sizes,
    act: str | None,
) -> None:
    """Ungrouped convolution into ``y``."""
    channels, out = w.shape[-1], y.shape[1:-1]
    matrix = w.reshape(-1, channels)
    # A line of results is a longer run than one pixel's channels, so the bias is laid out to match.
    in_lines = out[-1] <= _LONGEST_LINE
    bias = np.concatenate((b,) * out[-1]) if b is not None and in_lines else b
    cuts, rows = _windows(x, w.shape, out, strides, padding, dilation)
    for (part, row), columns in zip(cuts, rows):
        piece = y[part, row]
        if piece.flags.c_contiguous:
            np.dot(columns, matrix, out=piece.reshape(-1, channels))
        else:
            piece[...] = np.dot(columns, matrix).reshape(piece.shape)
        if bias is not None:
            line = channels * (piece.shape[-2] if in_lines else 1)
            lines = piece.reshape(-1, line)
            lines += bias[:line]
        if act is not None:
            done = activate(piece, act)
            if done is not piece:
                piece[...] = done


@_in_float32
def conv_grad(
    x: ndarray,
    w: ndarray,
    y: ndarray | None,
    gy: ndarray,
    strides: Sizes,
    padding: Pairs,
    dilation: Sizes,
    groups: int,
    act: str | None,
    needs: Any,
) -> Gradients:
    """Gradients of :func:`conv` with respect to x, w and b.

    Args:
        x: Input.
        w: Kernel.
        y: Result; only read if there is an activation.
        gy: Gradient of the result.
        strides: As in :func:`conv`, like the following.
        padding: Zeros before and after.
        dilation: Steps within a window.
        groups: Number of groups.
        act: Activation.
        needs: For each of x, w, b: ``False``, ``True``, or the array to write the gradient into.

    Returns:
        The gradients, ``None`` where not needed.
    """
    gx = destination(needs[0], x.shape, x.dtype)
    gw = destination(needs[1], w.shape, w.dtype)
    gb = destination(needs[2], w.shape[-1:], w.dtype)
    gy = activate_grad(gy, y, act)  # type: ignore[arg-type]
    if gb is not None:
        channel_sums(gy, gb)
    if groups > 1 and w.shape[-2] == 1:
        depthwise_grad(x, w, gy, gx, gw, strides, padding, dilation)
        return gx, gw, gb
    for inputs, outputs in _groups(w, groups):
        if gx is not None:
            _input_gradient(w[..., outputs], gy[..., outputs], gx[..., inputs], strides, padding, dilation)
        if gw is not None:
            _kernel_gradient(x[..., inputs], gy[..., outputs], gw[..., outputs], strides, padding, dilation)
    return gx, gw, gb


def channel_sums(g: ndarray, out: ndarray) -> None:
    """Add Σ g over all axes but the last to ``out``; BLAS is faster at it than a reduction along a short axis."""
    flat = g.reshape(-1, g.shape[-1])
    if len(flat):
        out += np.dot(np.ones(len(flat), g.dtype), flat)


def _kernel_gradient(
    x: ndarray, gy: ndarray, gw: ndarray, strides: Sizes, padding: Pairs, dilation: Sizes
) -> None:
    """Add the gradient of the ungrouped convolution's kernel to ``gw``: the transposed windows times gy."""
    channels = gw.shape[-1]
    cuts, rows = _windows(x, gw.shape, gy.shape[1:-1], strides, padding, dilation)
    for (part, row), columns in zip(cuts, rows):
        gw += np.dot(columns.T, gy[part, row].reshape(-1, channels)).reshape(gw.shape)


def _input_gradient(
    w: ndarray, gy: ndarray, gx: ndarray, strides: Sizes, padding: Pairs, dilation: Sizes
) -> None:
    """Add the gradient of the ungrouped convolution's input to ``gx``: tap by tap, gy times the tap's matrix."""
    kernel, (inputs, channels) = w.shape[:-2], w.shape[-2:]
    out = gy.shape[1:-1]
    back = np.ascontiguousarray(np.swapaxes(w, -1, -2))  # each tap's matrix, from output to input channels
    product: ndarray | None = None
    for part, row in pieces(gy.shape[0], out, (inputs + channels) * gy.itemsize):
        g = gy[part, row]
        flat = g.reshape(-1, channels)
        if product is None:  # the first piece is the largest
            product = empty_reused((len(flat), inputs), gy.dtype)
        terms, into = product[: len(flat)], gx[part]
        view = terms.reshape(*g.shape[:-1], inputs)
        for tap, windows, elements in taps(gx.shape[1:-1], kernel, strides, padding, dilation, row, out):
            np.dot(flat, back[tap], out=terms)
            into[elements] += view[windows]


@_in_float32
def conv_transpose(
    x: ndarray,
    w: ndarray,
    b: ndarray | None,
    spatial: Sizes,
    strides: Sizes,
    padding: Pairs,
    dilation: Sizes,
    act: str | None,
) -> ndarray:
    """act(x *ᵀ w + b): the transpose of the convolution that takes ``spatial`` to the spatial shape of x.

    Args:
        x: Input (n, *windows, c_in).
        w: Kernel (*kernel, c_out, c_in): that of the convolution that is transposed.
        b: Bias (c_out,) or ``None``.
        spatial: Spatial shape of the result.
        strides: Strides of the convolution that is transposed, like the following.
        padding: Its padding.
        dilation: Its dilation.
        act: Name of a fusible activation, or ``None``.
    """
    y = destination(True, (x.shape[0], *spatial, w.shape[-2]), x.dtype)
    assert y is not None
    _input_gradient(w, x, y, strides, padding, dilation)
    if b is not None:
        y += b
    return activate(y, act)


@_in_float32
def conv_transpose_grad(
    x: ndarray,
    w: ndarray,
    y: ndarray,
    gy: ndarray,
    strides: Sizes,
    padding: Pairs,
    dilation: Sizes,
    act: str | None,
    needs: Any,
) -> Gradients:
    """Gradients of :func:`conv_transpose` with respect to x, w and b; ``needs`` as in :func:`conv_grad`."""
    gy = activate_grad(gy, y, act)
    gx = destination(needs[0], x.shape, x.dtype)
    gw = destination(needs[1], w.shape, w.dtype)
    gb = destination(needs[2], w.shape[-2:-1], w.dtype)
    if gx is not None:
        _convolve(gy, w, None, gx, strides, padding, dilation, None)
    if gw is not None:
        _kernel_gradient(gy, x, gw, strides, padding, dilation)
    if gb is not None:
        channel_sums(gy, gb)
    return gx, gw, gb

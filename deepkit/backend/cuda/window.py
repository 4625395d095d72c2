"""What convolution and pooling kernels need to know about their windows."""

from __future__ import annotations

from typing import Any

from ..cpu.window import Pairs, Sizes, window_shape

__all__ = ["in_two", "window_shape"]


def in_two(*values: Any, fill: int = 1) -> Sizes:
    """Sizes of one or two dimensions as two, a line being an image of height 1."""
    return (fill,) * (2 - len(values)) + tuple(int(v) for v in values)


def geometry(x: Sizes, out: Sizes, kernel: Sizes, strides: Sizes, dilation: Sizes | None, padding: Pairs) -> Sizes:
    """The numbers h, w, c, oh, ow, kh, kw, strides, dilations (unless ``None``) and padding before."""
    spread = () if dilation is None else in_two(*dilation)
    lo = in_two(*(p for p, _ in padding), fill=0)
    return (*in_two(*x[1:-1]), x[-1], *in_two(*out), *in_two(*kernel), *in_two(*strides), *spread, *lo)

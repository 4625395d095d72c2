"""Blocks of images: sliding ones as columns and back, and blocks of pixels as channels and back."""

from __future__ import annotations

import operator
from typing import Any

from ..autograd.op import Basic, to_tensor
from ..autograd.spec import Spec
from ..config import standardize_data_format


def _pair(name: str, value: Any, least: int = 1) -> tuple[int, int]:
    pair = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2 or any(operator.index(n) < least for n in pair):
        raise ValueError(f"{name} must be an int of at least {least} or a pair of them, not {value!r}.")
    return operator.index(pair[0]), operator.index(pair[1])


def _rank(name: str, x: Any, rank: int) -> Any:
    x = x if isinstance(x, Spec) else to_tensor(x)
    if len(x.shape) != rank:
        raise ValueError(f"{name} takes a tensor of rank {rank}, not shape {tuple(x.shape)}.")
    return x


def _counts(spatial: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> tuple[int, int]:
    """Blocks along each axis."""
    down, across = (
        (n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, d, p, s in zip(spatial, kernel_size, dilation, padding, stride)
    )
    return down, across


def _unfold_infer(x: Spec, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Spec:
    n, c, *spatial = x.shape
    blocks = None
    if None not in spatial:
        down, across = _counts(spatial, kernel_size, dilation, padding, stride)
        blocks = down * across
    return Spec((n, None if c is None else c * kernel_size[0] * kernel_size[1], blocks), x.dtype)


def _fold_infer(x: Spec, output_size: Any, kernel_size: Any, **_: Any) -> Spec:
    n, depth, _blocks = x.shape
    return Spec((n, None if depth is None else depth // (kernel_size[0] * kernel_size[1]), *output_size), x.dtype)


# Each is the other's transpose.
_unfold = Basic("unfold", _unfold_infer, lambda k, g, y, x, **params: k.fold(g, tuple(x.shape[2:]), **params))
_fold = Basic("fold", _fold_infer, lambda k, g, y, x, output_size, **params: k.unfold(g, **params))


def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Sliding blocks of images as columns (also known as im2col).

    Args:
        x: Images (n, c, h, w), channels first whatever the configuration says.
        kernel_size: Size of a block: an int, or height and width.
        dilation: Steps between the elements of a block.
        padding: Zeros around the images.
        stride: Steps between blocks.

    Returns:
        A tensor (n, c · kh · kw, blocks).

    Raises:
        ValueError: for another rank, or sizes that aren't positive.

    Example:
        >>> unfold([[[[1, 2, 3], [4, 5, 6]]]], kernel_size=2)
        Tensor([[[1, 2],
                [2, 3],
                [4, 5],
                [5, 6]]], dtype=int32)
    """
    return _unfold(_rank("unfold", x, 4), **_window("unfold", kernel_size, dilation, padding, stride))


def _window(name: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> dict[str, tuple[int, int]]:
    return {
        "kernel_size": _pair(f"{name}: kernel_size", kernel_size),
        "dilation": _pair(f"{name}: dilation", dilation),
        "padding": _pair(f"{name}: padding", padding, 0),
        "stride": _pair(f"{name}: stride", stride),
    }


def fold(
    x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """Images put together from sliding blocks, which add up where they overlap (also known as col2im).

    Args:
        x: Columns (n, c · kh · kw, blocks), as :func:`unfold` gives them.
        output_size: Height and width of the images, or an int.
        kernel_size: Size of a block: an int, or height and width.
        dilation: Steps between the elements of a block.
        padding: Zeros around the images that the blocks were taken from.
        stride: Steps between blocks.

    Returns:
        Images (n, c, *output_size).

    Raises:
        ValueError: if the sizes don't fit together.

    Example:
        >>> fold(unfold([[[[1, 2, 3], [4, 5, 6]]]], 2), (2, 3), 2)
        Tensor([[[[ 1,  4,  3],
                 [ 4, 10,  6]]]], dtype=int32)
    """
    x = _rank("fold", x, 3)
    size = _pair("fold: output_size", output_size)
    window = _window("fold", kernel_size, dilation, padding, stride)
    area = window["kernel_size"][0] * window["kernel_size"][1]
    if x.shape[1] is not None and x.shape[1] % area:
        raise ValueError(f"fold: axis 1 of shape {tuple(x.shape)} should be a multiple of the block's {area} elements.")
    down, across = _counts(size, **window)
    if x.shape[2] not in (None, down * across):
        raise ValueError(
            f"fold: an image of {size[0]} by {size[1]} has {down} by {across} blocks, but axis 2 of shape "
            f"{tuple(x.shape)} has {x.shape[2]}."
        )
    return _fold(x, output_size=size, **window)


def _scaled(x: Spec, data_format: str, space: Any, depth: Any) -> Spec:
    last = data_format == "channels_last"
    n, *rest = x.shape
    h, w, c = rest if last else (rest[1], rest[2], rest[0])
    h, w, c = (f(size) if size is not None else None for f, size in ((space, h), (space, w), (depth, c)))
    return Spec((n, h, w, c) if last else (n, c, h, w), x.dtype)


_depth_to_space = Basic(
    "depth_to_space",
    lambda x, block_size, data_format: _scaled(
        x, data_format, lambda n: n * block_size, lambda c: c // block_size**2
    ),
    lambda k, g, y, x, **params: k.space_to_depth(g, **params),
)
_space_to_depth = Basic(
    "space_to_depth",
    lambda x, block_size, data_format: _scaled(
        x, data_format, lambda n: n // block_size, lambda c: c * block_size**2
    ),
    lambda k, g, y, x, **params: k.depth_to_space(g, **params),
)


def _layout(name: str, block_size: Any, data_format: Any) -> str:
    if operator.index(block_size) < 1:
        raise ValueError(f"{name}: block_size must be positive, not {block_size!r}.")
    return standardize_data_format(data_format)


def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Groups of channels laid out as squares of pixels (Shi et al. 2016, arXiv:1609.05158).

    Args:
        x: Images (n, h, w, c), or (n, c, h, w) with ``"channels_first"``.
        block_size: Side b of the squares; c is a multiple of b².
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Returns:
        Images (n, h · b, w · b, c / b²), or with the channels first.

    Raises:
        ValueError: for another rank or number of channels.

    Example:
        >>> depth_to_space([[[[1, 2, 3, 4]]]], 2)[0, :, :, 0]
        Tensor([[1, 2],
               [3, 4]], dtype=int32)
    """
    data_format = _layout("depth_to_space", block_size, data_format)
    x = _rank("depth_to_space", x, 4)
    channels = x.shape[-1 if data_format == "channels_last" else 1]
    if channels is not None and channels % block_size**2:
        raise ValueError(f"depth_to_space: {channels} channels are no multiple of block_size² = {block_size**2}.")
    return _depth_to_space(x, block_size=int(block_size), data_format=data_format)


def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """Squares of pixels as groups of channels, the inverse of :func:`depth_to_space`.

    Args:
        x: Images (n, h, w, c), or (n, c, h, w) with ``"channels_first"``.
        block_size: Side b of the squares; h and w are multiples of b.
        data_format: ``"channels_last"`` or ``"channels_first"``.

    Returns:
        Images (n, h / b, w / b, c · b²), or with the channels first.

    Raises:
        ValueError: for another rank, height or width.

    Example:
        >>> space_to_depth([[[[1], [2]], [[3], [4]]]], 2)
        Tensor([[[[1, 2, 3, 4]]]], dtype=int32)
    """
    data_format = _layout("space_to_depth", block_size, data_format)
    x = _rank("space_to_depth", x, 4)
    spatial = x.shape[1:3] if data_format == "channels_last" else x.shape[2:]
    for name, n in zip(("height", "width"), spatial):
        if n is not None and n % block_size:
            raise ValueError(f"space_to_depth: the {name} {n} is no multiple of block_size = {block_size}.")
    return _space_to_depth(x, block_size=int(block_size), data_format=data_format)


__all__ = ["depth_to_space", "fold", "space_to_depth", "unfold"]

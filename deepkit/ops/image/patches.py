"""Patches of images and volumes, as vectors."""

from __future__ import annotations

from typing import Any, Sequence

from ...autograd.spec import Spec
from ...config import standardize_data_format
from ..creation import convert_to_tensor
from ..padding import pad
from ..shape import concatenate, moveaxis, reshape, transpose
from .layout import symbolic


def _many(name: str, value: Any, d: int) -> tuple[int, ...]:
    out = (value,) * d if isinstance(value, int) else value
    if not isinstance(out, (tuple, list)):
        raise TypeError(f"Argument {name!r} must be an integer or a tuple; received {value!r}.")
    if len(out) != d or min(out) < 1:
        raise ValueError(f"Argument {name!r} must be {d} positive integers; received {value!r}.")
    return tuple(int(n) for n in out)


class _Windows:
    """Where patches lie: their size, strides and dilation, and the margins of the images."""

    def __init__(self, images: Any, size: Any, strides: Any, dilation: Any, padding: str, data_format: Any, d: int):
        self.size = _many("size", size, d)
        self.strides = _many("strides", strides or size, d)
        self.dilation = _many("dilation_rate", dilation, d)
        if len(images.shape) not in (d + 1, d + 2):
            raise ValueError(f"Patches of {d} sizes are taken from tensors of rank {d + 1} or {d + 2}; "
                             f"received shape {tuple(images.shape)}.")  # fmt: skip
        if str(padding).lower() not in ("valid", "same"):
            raise ValueError(f"Argument 'padding' must be 'valid' or 'same'; received {padding!r}.")
        first = standardize_data_format(data_format) == "channels_first"
        self.channels = -d - 1 if first else -1
        spatial = images.shape[-d:] if first else images.shape[-d - 1 : -1]
        spans = [(k - 1) * r + 1 for k, r in zip(self.size, self.dilation)]
        self.margins: list[tuple[int, int]] = [(0, 0)] * d
        self.counts: list[int | None] = []
        for i, (n, span, s) in enumerate(zip(spatial, spans, self.strides)):
            if n is not None and str(padding).lower() == "same":
                missing = max((-(-n // s) - 1) * s + span - n, 0)
                self.margins[i] = (missing // 2, missing - missing // 2)
            total = None if n is None else n + sum(self.margins[i])
            self.counts.append(None if total is None else max((total - span) // s + 1, 0))

    def spec(self, images: Any) -> Spec:
        depth = images.shape[self.channels]
        for k in self.size:
            depth = depth * k
        batch = images.shape[: len(images.shape) - len(self.size) - 1]
        vectors = (*self.counts, depth) if self.channels == -1 else (depth, *self.counts)
        return Spec((*batch, *vectors), images.dtype)


def _extract(images: Any, window: _Windows) -> Any:
    d = len(window.size)
    x = images if window.channels == -1 else moveaxis(images, window.channels, -1)
    lead = len(x.shape) - d - 1
    if any(m != (0, 0) for m in window.margins):
        x = pad(x, [(0, 0)] * lead + window.margins + [(0, 0)])
    counts, channels = [n or 0 for n in window.counts], x.shape[-1]
    if window.size == window.strides and max(window.dilation) == 1:  # tiles: only the order of the axes changes
        x = x[(slice(None),) * lead + tuple(slice(0, n * k) for n, k in zip(counts, window.size))]
        split = [part for n, k in zip(counts, window.size) for part in (n, k)]
        x = reshape(x, (*x.shape[:lead], *split, channels))
        outer, inner = range(lead, lead + 2 * d, 2), range(lead + 1, lead + 2 * d, 2)
        x = transpose(x, (*range(lead), *outer, *inner, lead + 2 * d))
        depth = channels
        for k in window.size:
            depth *= k
        y = reshape(x, (*x.shape[:lead], *counts, depth))
    else:
        offsets: list[tuple[int, ...]] = [()]
        for k, r in zip(window.size, window.dilation):
            offsets = [(*o, i * r) for o in offsets for i in range(k)]
        y = concatenate(
            [
                x[(slice(None),) * lead + tuple(slice(o, o + (n - 1) * s + 1 if n else o, s)
                                                for o, n, s in zip(offset, counts, window.strides))]
                for offset in offsets
            ],
            axis=-1,
        )  # fmt: skip
    return y if window.channels == -1 else moveaxis(y, -1, window.channels)


def _infer(images: Any, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid",
           data_format: str | None = None) -> Spec:  # fmt: skip
    d = 3 if not isinstance(size, int) and len(size) == 3 else 2
    return _Windows(images, size, strides, dilation_rate, padding, data_format, d).spec(images)


@symbolic(_infer)
def extract_patches(
    images: Any,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    dilation_rate: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The patches of images, the pixels of each as one vector.

    Args:
        images: Image or batch of images; volumes if ``size`` is three numbers.
        size: Height and width of a patch, or one number for both.
        strides: Distance between neighbors; the size by default, so that patches tile the image.
        dilation_rate: Distance between the pixels of a patch.
        padding: ``"valid"``: patches within the image only; ``"same"``: zeros around it, a patch for each stride.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Returns:
        Tensor (batch, rows, columns, height · width · channels), channels varying fastest; with
        ``"channels_first"`` the vectors lie along axis 1.

    Raises:
        TypeError: if ``size`` is neither an integer nor a tuple.
        ValueError: for a wrong rank, number of sizes or padding.

    Example:
        >>> extract_patches([[[1.0], [2.0]], [[3.0], [4.0]]], 2)
        Tensor([[[1., 2., 3., 4.]]], dtype=float32)
    """
    if not isinstance(size, (int, tuple, list)):
        raise TypeError(f"Argument 'size' must be an integer or a tuple; received {size!r}.")
    images = convert_to_tensor(images)
    d = 3 if not isinstance(size, int) and len(size) == 3 else 2
    return _extract(images, _Windows(images, size, strides, dilation_rate, padding, data_format, d))


def _infer_3d(volumes: Any, size: Any, *args: Any, **kwargs: Any) -> Spec:
    return _infer(volumes, (size,) * 3 if isinstance(size, int) else size, *args, **kwargs)


@symbolic(_infer_3d)
def extract_patches_3d(
    volumes: Any,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    dilation_rate: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """The patches of volumes, the voxels of each as one vector.

    Args:
        volumes: (batch, depth, height, width, channels), or one volume without the batch.
        size: Depth, height and width of a patch, or one number for all.
        strides: Distance between neighbors; the size by default.
        dilation_rate: Distance between the voxels of a patch.
        padding: ``"valid"`` or ``"same"``.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Returns:
        Tensor (batch, planes, rows, columns, depth · height · width · channels).

    Raises:
        TypeError: if ``size`` is neither an integer nor a tuple.
        ValueError: for a wrong rank, number of sizes or padding.

    Example:
        >>> extract_patches_3d([[[[1.0], [2.0]]]], (1, 1, 2))
        Tensor([[[[1., 2.]]]], dtype=float32)
    """
    volumes = convert_to_tensor(volumes)
    return _extract(volumes, _Windows(volumes, size, strides, dilation_rate, padding, data_format, 3))


__all__ = ["extract_patches", "extract_patches_3d"]

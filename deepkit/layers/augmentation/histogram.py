"""Histogram equalization: of whole images, and of their tiles with limited contrast."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...registry import export
from .base import ImageAugmentation, rescale, value_range_of


def _histograms(bins: Any, groups: Any, n_groups: int, n_bins: int) -> Any:
    """Counts (n_groups, n_bins) of the entries of ``bins``, each counted for its group."""
    index = ops.reshape(groups * n_bins + bins, (-1,))
    return ops.reshape(ops.bincount(index, minlength=n_groups * n_bins), (n_groups, n_bins))


class _Histogram(ImageAugmentation):
    draws = False

    def _channels_last(self, images: Any) -> Any:
        return images if self.data_format == "channels_last" else ops.transpose(images, (0, 2, 3, 1))

    def _back(self, images: Any) -> Any:
        return images if self.data_format == "channels_last" else ops.transpose(images, (0, 3, 1, 2))

    def augment_images(self, images: Any, transformation: Any) -> Any:
        if 0 in images.shape:
            return images
        images = rescale(ops.cast(self._channels_last(images), "float32"), self.value_range, (0, 255))
        return self._back(rescale(self._equalized(images), (0, 255), self.value_range))

    def _equalized(self, images: Any) -> Any:
        """Images (batch, height, width, channels) of values in [0, 255], equalized."""
        raise NotImplementedError

    value_range: Any


@export("keras.layers.Equalization")
class Equalization(_Histogram):
    """Equalizes the histogram of each channel of each image: pixel x becomes 255 · cdf(x), rounded.

    The cumulative distribution is (c(x) - c₀) / (n - c₀) with c(x) the number of pixels up to the bin of x, c₀ that of
    the lowest bin in use and n all. Channels within one bin stay as they are. It is applied in training.

    Args:
        value_range: Lowest and highest value of a pixel.
        bins: Number of bins.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``value_range`` is no two numbers.

    Example:
        >>> Equalization()(ops.reshape([100.0, 101.0, 102.0], (1, 3, 1, 1))).ravel().tolist()
        [0.0, 128.0, 255.0]
    """

    def __init__(self, value_range: Any = (0, 255), bins: int = 256, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format=data_format, **kwargs)
        self.bins, self.value_range = bins, value_range_of(value_range, "Equalization")

    def _equalized(self, images: Any) -> Any:
        batch, _, _, channels = images.shape
        bins = ops.cast(ops.clip(images / 255 * (self.bins - 1), 0, self.bins - 1), "int32")
        group = ops.reshape(ops.arange(batch * channels), (batch, 1, 1, channels))
        counts = _histograms(bins, group, batch * channels, self.bins)
        cdf = ops.cumsum(ops.cast(counts, "float32"), axis=1)
        lowest = ops.min(ops.where(cdf > 0, cdf, cdf[:, -1:]), axis=1, keepdims=True)
        span = cdf[:, -1:] - lowest
        table = ops.clip(ops.round((cdf - lowest) * 255 / ops.where(span == 0, 1.0, span)), 0, 255)
        equalized = ops.take(ops.reshape(table, (-1,)), group * self.bins + bins)
        flat = ops.reshape(span == 0, (batch, 1, 1, channels))
        return ops.where(flat, images, equalized)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bins": self.bins, "value_range": self.value_range}


@export("keras.layers.ContrastLimitedAdaptiveHistogramEqualization")
class ContrastLimitedAdaptiveHistogramEqualization(_Histogram):
    """Equalizes the histograms of tiles of the image, with limited contrast (CLAHE; Zuiderveld 1994).

    Counts of a tile's 256 bins above ``clip_limit`` times their mean are cut and spread over all bins. The maps of the
    four nearest tiles are interpolated at each pixel, so that no borders show. It is applied in training and
    inference, and images keep their dtype.

    Args:
        value_range: Lowest and highest value of a pixel.
        clip_limit: The limit; 0 or less for none.
        tile_grid_size: Number of tiles along height and width.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``bounding_box_format``, and those of :class:`Layer`.

    Raises:
        ValueError: if ``value_range`` or ``tile_grid_size`` is out of range.

    Example:
        >>> layer = ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2))
        >>> layer(ops.ones((1, 8, 8, 3), dtype="uint8")).dtype
        dtype('uint8')
    """

    keeps_dtype = True
    always = True

    def __init__(
        self,
        value_range: Any = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: Any = (8, 8),
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        value_range_of(value_range, type(self).__name__)
        if len(tile_grid_size) != 2 or any(n < 1 for n in tile_grid_size):
            raise ValueError(f"{type(self).__name__}: `tile_grid_size` should be two positive integers. "
                             f"Received: tile_grid_size={tile_grid_size!r}")  # fmt: skip
        self.value_range, self.clip_limit, self.tile_grid_size = value_range, clip_limit, tile_grid_size

    def _equalized(self, images: Any) -> Any:
        batch, height, width, channels = images.shape
        rows, columns = self.tile_grid_size
        tile_height, tile_width = -(-height // rows), -(-width // columns)
        padding = ((0, 0), (0, tile_height * rows - height), (0, tile_width * columns - width), (0, 0))
        pixels = ops.cast(ops.clip(ops.pad(images, padding, mode="symmetric"), 0, 255), "int32")

        of_image = ops.reshape(ops.arange(batch), (-1, 1, 1, 1))
        of_channel = ops.arange(channels)

        def group(row: Any, column: Any) -> Any:
            row, column = ops.reshape(row, (1, -1, 1, 1)), ops.reshape(column, (1, 1, -1, 1))
            return ((of_image * rows + row) * columns + column) * channels + of_channel

        y, x = ops.arange(pixels.shape[1]), ops.arange(pixels.shape[2])
        tile = group(y // tile_height, x // tile_width)
        counts = _histograms(pixels, tile, batch * rows * columns * channels, 256)
        table = ops.reshape(self._table(ops.cast(counts, "float32"), tile_height * tile_width), (-1,))

        pixels = pixels[:, :height, :width]
        out: Any = 0.0
        for row, row_weight in _neighbors(height, tile_height, rows):
            for column, column_weight in _neighbors(width, tile_width, columns):
                weight = ops.reshape(row_weight, (1, -1, 1, 1)) * ops.reshape(column_weight, (1, 1, -1, 1))
                out = out + weight * ops.take(table, group(row, column) * 256 + pixels)
        return out

    def _table(self, counts: Any, area: int) -> Any:
        """What each value becomes, per histogram, from the counts (histograms, 256)."""
        if self.clip_limit > 0:
            clipped = ops.minimum(counts, self.clip_limit * area / 256)
            counts = clipped + ops.sum(counts - clipped, axis=-1, keepdims=True) / 256
        cdf = ops.cumsum(counts, axis=-1)
        span = area - cdf[:, :1]
        return ops.clip((cdf - cdf[:, :1]) * 255 / ops.where(span == 0, 1.0, span), 0, 255)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "value_range": self.value_range, "clip_limit": self.clip_limit,
                "tile_grid_size": self.tile_grid_size}  # fmt: skip


def _neighbors(size: int, tile: int, tiles: int) -> list[tuple[Any, Any]]:
    """The tiles whose centers lie before and behind each pixel, and their weights there."""
    at = ops.arange(size, dtype="float32") / tile - 0.5
    before = ops.floor(at)
    weight = at - before
    index = ops.cast(before, "int32")
    return [(ops.clip(index, 0, tiles - 1), 1 - weight), (ops.clip(index + 1, 0, tiles - 1), weight)]

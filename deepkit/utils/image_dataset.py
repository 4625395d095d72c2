"""Image files as a data set."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from ..config import device, standardize_data_format
from .directory import dataset_from_directory
from .image_utils import img_to_array, load_img

_FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: int | Sequence[int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Batches of the images in a directory, whose subdirectories are the classes.

    Files end with ``.bmp``, ``.gif``, ``.jpeg``, ``.jpg`` or ``.png``, and are read when their batch is asked for. Of
    an animation the first picture is taken.

    Args:
        directory: The directory.
        labels: ``"inferred"`` from the subdirectories, ``None``, or a list of integers for the sorted files.
        label_mode: ``"int"``, ``"binary"`` (float32 of shape (batch, 1)), ``"categorical"`` (one-hot) or ``None``.
        class_names: Subdirectories in the order of their labels.
        color_mode: ``"grayscale"`` (1 channel), ``"rgb"`` (3) or ``"rgba"`` (4).
        batch_size: Images a batch; ``None`` for images one by one.
        image_size: (height, width) that all images are resized to, or one number for both.
        shuffle: Shuffle the files, and anew for each epoch; otherwise they are sorted.
        seed: Seed of the shuffle.
        validation_split: Share of the files, from the end, to validate on.
        subset: ``"training"``, ``"validation"``, or ``"both"`` for a pair.
        interpolation: ``"bilinear"``, ``"nearest"``, ``"bicubic"``, ``"lanczos3"`` or ``"lanczos5"`` as in
            :func:`deepkit.ops.image.resize`, ``"area"`` (the mean of the covered pixels), ``"gaussian"`` or
            ``"mitchellcubic"``.
        follow_links: Look into linked directories.
        crop_to_aspect_ratio: Cut the middle of the new aspect ratio instead of distorting.
        pad_to_aspect_ratio: Pad with zeros to the new aspect ratio instead of distorting.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.
        format: ``"tf"`` or ``"grain"``, accepted for compatibility.
        verbose: Print the number of files.

    Returns:
        A :class:`~deepkit.utils.PyDataset` of float32 batches with values from 0 to 255, with labels if there are
        any, and its ``class_names`` and ``file_paths``; or a pair of them.

    Raises:
        ImportError: if Pillow isn't installed, when the first image is read.
        ValueError: for arguments that don't fit together, no files, or, when it is read, a file that isn't an image
            or has too many pixels.

    Example:
        >>> train, held_out = image_dataset_from_directory(  # doctest: +SKIP
        ...     "photos", image_size=64, validation_split=0.2, subset="both", seed=1
        ... )
        >>> model.fit(train, validation_data=held_out)  # doctest: +SKIP
    """
    if color_mode not in ("grayscale", "rgb", "rgba"):
        raise ValueError(f"`color_mode` should be 'grayscale', 'rgb' or 'rgba'. Received: color_mode={color_mode!r}")
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    if not isinstance(size, (list, tuple)) or len(size) != 2 or min(size) < 1:
        raise ValueError(f"`image_size` should be (height, width). Received: image_size={image_size!r}")
    interpolation = interpolation.lower()
    if interpolation not in _INTERPOLATIONS:
        raise ValueError(f"`interpolation` should be one of {_INTERPOLATIONS}. Received: {interpolation!r}")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("Only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio` can be True.")
    if format not in ("tf", "grain"):
        raise ValueError(f"`format` should be 'tf' or 'grain'. Received: format={format!r}")
    from ..ops.image.resize import resampled

    height, width = (int(n) for n in size)
    first = standardize_data_format(data_format) == "channels_first"

    def one(path: str) -> np.ndarray:
        x = img_to_array(load_img(path, color_mode), "channels_last", "float32")
        with device("cpu"):  # a batch goes to an accelerator as a whole
            x = resampled(x, (height, width), interpolation, crop=crop_to_aspect_ratio, pad_=pad_to_aspect_ratio,
                          data_format="channels_last").numpy()  # fmt: skip
        return x.transpose(2, 0, 1) if first else x

    return dataset_from_directory(
        directory, lambda paths: np.stack([one(path) for path in paths]), _FORMATS, labels=labels,
        label_mode=label_mode, class_names=class_names, batch_size=batch_size, shuffle=shuffle, seed=seed,
        validation_split=validation_split, subset=subset, follow_links=follow_links, verbose=verbose,
    )  # fmt: skip


__all__ = ["image_dataset_from_directory"]

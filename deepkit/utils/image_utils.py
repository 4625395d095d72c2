"""Image files and arrays; Pillow reads and writes them."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any, Sequence

import numpy as np

from ..config import floatx, standardize_data_format
from .atomic import atomic_write

_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_RESAMPLING = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def pillow() -> Any:
    """The module ``PIL.Image``.

    Raises:
        ImportError: if Pillow isn't installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(
            "Reading and writing images needs Pillow. Install it with: pip install deepkit[image]"
        ) from None
    return Image


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: Sequence[int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """An image file as a Pillow image.

    Args:
        path: Path, or a ``BytesIO`` of the file.
        color_mode: ``"grayscale"``, ``"rgb"`` or ``"rgba"``.
        target_size: (height, width) to resize to.
        interpolation: ``"nearest"``, ``"bilinear"``, ``"bicubic"``, ``"hamming"``, ``"box"`` or ``"lanczos"``.
        keep_aspect_ratio: Cut the middle of the target's aspect ratio instead of distorting.

    Raises:
        ImportError: if Pillow isn't installed.
        ValueError: for an unknown color mode or interpolation, a file that isn't an image, or one of so many pixels
            that Pillow takes it for a decompression bomb.
        TypeError: if ``path`` is neither a path nor a ``BytesIO``.

    Example:
        >>> load_img("photo.jpg", target_size=(32, 48)).size  # doctest: +SKIP
        (48, 32)
    """
    Image = pillow()
    if color_mode not in _MODES:
        raise ValueError(f"`color_mode` should be 'grayscale', 'rgb' or 'rgba'. Received: color_mode={color_mode!r}")
    if interpolation not in _RESAMPLING:
        raise ValueError(f"`interpolation` should be one of {_RESAMPLING}. Received: interpolation={interpolation!r}")
    image = _opened(path, Image)
    mode = _MODES[color_mode]
    if image.mode != mode and not (mode == "L" and image.mode in ("I;16", "I")):  # 16 bits stay 16 bits
        image = image.convert(mode)
    if target_size is None:
        return image
    size = (int(target_size[1]), int(target_size[0]))
    if image.size == size:
        return image
    resample = getattr(Image.Resampling, interpolation.upper())
    if not keep_aspect_ratio:
        return image.resize(size, resample)
    width, height = image.size
    kept_width, kept_height = min(width, height * size[0] // size[1]), min(height, width * size[1] // size[0])
    left, top = (width - kept_width) // 2, (height - kept_height) // 2
    return image.resize(size, resample, box=(left, top, left + kept_width, top + kept_height))


def _opened(path: Any, Image: Any) -> Any:
    """The image with its pixels read, so that no file stays open."""
    if isinstance(path, io.BytesIO):
        source, name = path, "the given bytes"
    elif isinstance(path, (str, bytes, os.PathLike)):
        name = os.fsdecode(path)
        source = io.BytesIO(Path(name).read_bytes())
    else:
        raise TypeError(f"`path` should be a path or a BytesIO. Received: path={path!r} of type {type(path).__name__}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(source)
            image.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(
            f"{name} has more pixels than the limit of {Image.MAX_IMAGE_PIXELS}, as a decompression bomb has. If "
            "you trust it, raise PIL.Image.MAX_IMAGE_PIXELS."
        ) from error
    except (OSError, SyntaxError) as error:  # Pillow's way of saying that a file is broken
        raise ValueError(f"{name} can't be read as an image: {error}") from error
    return image


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """A Pillow image as a NumPy array of rank 3.

    Args:
        img: Pillow image, or an array of rank 2 or 3.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.
        dtype: Dtype of the result, ``floatx()`` by default.

    Raises:
        ValueError: for another rank.

    Example:
        >>> img_to_array(np.zeros((4, 5), "uint8")).shape
        (4, 5, 1)
    """
    data_format = standardize_data_format(data_format)
    x = np.asarray(img, dtype=dtype or floatx())
    if x.ndim == 2:
        x = x[:, :, None]
    if x.ndim != 3:
        raise ValueError(f"Unsupported image shape: {x.shape}; images have rank 2 or 3.")
    return x.transpose(2, 0, 1) if data_format == "channels_first" else x


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """An array of rank 3 as a Pillow image.

    Args:
        x: Array (height, width, channels) with 1, 3 or 4 channels.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.
        scale: Stretch the values to 0 ... 255.
        dtype: Dtype to compute in, ``floatx()`` by default.

    Raises:
        ImportError: if Pillow isn't installed.
        ValueError: for another rank or number of channels.

    Example:
        >>> array_to_img(np.ones((4, 5, 3))).size  # doctest: +SKIP
        (5, 4)
    """
    Image = pillow()
    data_format = standardize_data_format(data_format)
    x = np.asarray(x, dtype=dtype or floatx())
    if x.ndim != 3:
        raise ValueError(f"Expected an image array of rank 3. Received one of shape {x.shape}")
    if data_format == "channels_first":
        x = x.transpose(1, 2, 0)
    if x.shape[2] not in (1, 3, 4):
        raise ValueError(f"Unsupported number of channels: {x.shape[2]}; images have 1, 3 or 4.")
    if scale and x.size:
        x = x - np.min(x)
        top = np.max(x)
        x = (x / top if top != 0 else x) * 255
    if x.shape[2] == 1 and x.size and np.max(x) > 255:  # more than 8 bits
        return Image.fromarray(np.ascontiguousarray(x[:, :, 0].astype("int32")))
    return Image.fromarray(np.ascontiguousarray(x.astype("uint8")[:, :, 0] if x.shape[2] == 1 else x.astype("uint8")))


def save_img(
    path: Any, x: Any, data_format: str | None = None, file_format: str | None = None, scale: bool = True, **kwargs: Any
) -> None:
    """Write an array as an image file.

    Args:
        path: Path, or an open file.
        x: Array (height, width, channels).
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.
        file_format: Format such as ``"png"``; that of the path's ending by default.
        scale: Stretch the values to 0 ... 255.
        **kwargs: Options for ``PIL.Image.Image.save``.

    Raises:
        ImportError: if Pillow isn't installed.
        ValueError: for another rank or number of channels, or an unknown format.

    Example:
        >>> save_img("gray.png", np.zeros((4, 5, 1)))  # doctest: +SKIP
    """
    if file_format is None and isinstance(path, (str, os.PathLike)):
        file_format = Path(path).suffix[1:].lower() or None
    if file_format is not None and file_format.lower() == "jpg":
        file_format = "jpeg"
    image = array_to_img(x, data_format=data_format, scale=scale)
    if image.mode == "RGBA" and file_format == "jpeg":
        warnings.warn("JPEG has no transparency: the image is saved as RGB.", stacklevel=2)
        image = image.convert("RGB")
    if not isinstance(path, (str, os.PathLike)):
        image.save(path, format=file_format, **kwargs)
        return
    buffer = io.BytesIO()
    image.save(buffer, format=file_format, **kwargs)
    with atomic_write(path) as file:
        file.write(buffer.getbuffer())


def smart_resize(
    x: Any, size: Sequence[int], interpolation: str = "bilinear", data_format: str = "channels_last", **kwargs: Any
) -> Any:
    """Images at another size without distortion: the middle of the new aspect ratio is cut out first.

    Args:
        x: Image or batch of images.
        size: (height, width).
        interpolation: As in :func:`deepkit.ops.image.resize`.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: ``backend_module``, accepted for compatibility.

    Returns:
        A NumPy array for a NumPy array, else a tensor.

    Raises:
        ValueError: for a size that isn't two numbers, or another rank.

    Example:
        >>> smart_resize(np.zeros((4, 8, 3), "float32"), (2, 2)).shape
        (2, 2, 3)
    """
    from ..ops.image import resize

    if set(kwargs) - {"backend_module"}:
        raise TypeError(f"smart_resize() got unexpected keyword arguments: {sorted(kwargs)}")
    resized = resize(x, size, interpolation, crop_to_aspect_ratio=True, data_format=data_format)
    return resized.numpy() if isinstance(x, np.ndarray) else resized


__all__ = ["array_to_img", "img_to_array", "load_img", "pillow", "save_img", "smart_resize"]

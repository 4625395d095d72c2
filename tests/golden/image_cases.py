"""Image functions whose values are compared with real Keras: ``(fn(ops.image, *inputs), inputs)``."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

Case = tuple[Callable[..., Any], list[np.ndarray]]


def _images(*shape: int, dtype: str = "float32", seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).uniform(size=shape)
    return (x * 255).astype(dtype) if dtype == "uint8" else x.astype(dtype)


X = _images(2, 5, 7, 3)
FIRST = np.ascontiguousarray(X.transpose(0, 3, 1, 2))
BYTES = _images(2, 5, 7, 3, dtype="uint8")
SHARE = _images(1, 2, 9, 3, seed=4)[0]
AFFINE = np.array(
    [[1, 0.2, -1.3, 0.1, 0.9, 0.6, 0, 0], [0.8, -0.3, 2.5, 0.4, 1.2, -3.1, 0, 0]], "float32"
)
START = np.array([[[0, 0], [6, 0], [0, 4], [6, 4]], [[1, 0], [6, 1], [0, 3], [5, 4]]], "float32")
END = START + np.random.default_rng(1).uniform(-1, 1, START.shape).astype("float32")
AT = np.random.default_rng(2).uniform(-9, 12, (2, 4, 6)).astype("float32")
VOLUME = _images(2, 4, 5, 6, 2, seed=3)
MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
METHODS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


def _with(name: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
    return lambda image, *inputs: getattr(image, name)(*inputs, *args, **kwargs)


CASES: dict[str, Case] = {}
for method in METHODS:
    for size in ((5, 7), (3, 4), (9, 12), (8, 2)):
        label = f"resize_{method}_{size[0]}x{size[1]}"
        CASES[label] = (_with("resize", size, interpolation=method), [X])
        CASES[f"{label}_antialias"] = (_with("resize", size, interpolation=method, antialias=True), [X])
        CASES[f"{label}_uint8"] = (_with("resize", size, interpolation=method), [BYTES])
    CASES[f"resize_{method}_first"] = (
        _with("resize", (4, 9), interpolation=method, data_format="channels_first"),
        [FIRST],
    )
for size in ((4, 4), (6, 3), (3, 11), (10, 14)):
    label = f"{size[0]}x{size[1]}"
    CASES[f"resize_crop_{label}"] = (_with("resize", size, crop_to_aspect_ratio=True), [X])
    CASES[f"resize_crop_first_{label}"] = (
        _with("resize", size, crop_to_aspect_ratio=True, data_format="channels_first"),
        [FIRST],
    )
    CASES[f"resize_pad_{label}"] = (_with("resize", size, pad_to_aspect_ratio=True, fill_value=0.5), [X])
    CASES[f"resize_pad_one_{label}"] = (_with("resize", size, pad_to_aspect_ratio=True), [X[0]])
for method in ("linear", "cubic", "lanczos3", "lanczos5"):
    for antialias in (True, False):
        CASES[f"scale_{method}_{antialias}"] = (
            _with("scale_and_translate", spatial_dims=(1, 2), method=method, antialias=antialias),
            [X, np.array([1.4, 0.6], "float32"), np.array([-1.1, 0.7], "float32")],
        )
for mode in MODES:
    for method in ("nearest", "bilinear"):
        CASES[f"affine_{mode}_{method}"] = (
            _with("affine_transform", interpolation=method, fill_mode=mode, fill_value=0.3),
            [X, AFFINE],
        )
        CASES[f"coordinates_{mode}_{method}"] = (
            _with("map_coordinates", order=int(method == "bilinear"), fill_mode=mode, fill_value=0.3),
            [X[0, :, :, 0], AT],
        )
    CASES[f"affine_{mode}_uint8"] = (_with("affine_transform", fill_mode=mode, fill_value=9), [BYTES, AFFINE])
    CASES[f"affine_{mode}_first"] = (
        _with("affine_transform", fill_mode=mode, data_format="channels_first"),
        [FIRST, AFFINE],
    )
CASES |= {
    "affine_one": (_with("affine_transform"), [X[0], AFFINE[1]]),
    "coordinates_3d": (_with("map_coordinates", order=1, fill_mode="reflect"), [X[0], np.stack([*AT, AT[0]])]),
    "coordinates_ints": (_with("map_coordinates", order=1, fill_mode="wrap"), [BYTES[0, :, :, 0], AT]),
    "perspective": (_with("perspective_transform"), [X, START, END]),
    "perspective_nearest": (_with("perspective_transform", interpolation="nearest", fill_value=0.7), [X, START, END]),
    "perspective_first": (_with("perspective_transform", data_format="channels_first"), [FIRST, START, END]),
    "perspective_one": (_with("perspective_transform"), [X[0], START[1], END[1]]),
    "blur": (_with("gaussian_blur", data_format="channels_last"), [X]),
    "blur_sizes": (_with("gaussian_blur", (5, 2), (0.7, 2.0), data_format="channels_last"), [X]),
    "blur_first": (_with("gaussian_blur", (3, 5), (1.5, 0.5), data_format="channels_first"), [FIRST]),
    "blur_one": (_with("gaussian_blur", (9, 9), (2.0, 2.0), data_format="channels_last"), [X[0]]),
    "sobel": (_with("sobel_edges"), [X]),
    "sobel_first": (_with("sobel_edges", data_format="channels_first"), [FIRST]),
    "ssim": (_with("ssim", filter_size=3), [X, X + 0.1 * X**2]),
    "ssim_options": (_with("ssim", 2.0, 5, 1.0, 0.1, 0.2), [X, X[::-1].copy()]),
    "ssim_first": (_with("ssim", filter_size=4, data_format="channels_first"), [FIRST, FIRST[::-1].copy()]),
    "ssim_one": (_with("ssim", filter_size=3), [X[0], X[1]]),
    "gray": (_with("rgb_to_grayscale"), [X]),
    "gray_uint8": (_with("rgb_to_grayscale"), [BYTES]),
    "gray_first": (_with("rgb_to_grayscale", data_format="channels_first"), [FIRST]),
    "gray_already": (_with("rgb_to_grayscale"), [X[..., :1]]),
    "hsv": (_with("rgb_to_hsv"), [np.concatenate([X[0], SHARE[0, :7][None].round()])]),
    "hsv_first": (_with("rgb_to_hsv", data_format="channels_first"), [FIRST]),
    "rgb": (_with("hsv_to_rgb"), [X]),
    "rgb_first": (_with("hsv_to_rgb", data_format="channels_first"), [FIRST]),
    "pad": (_with("pad_images", 1, 2, 3, 4), [X]),
    "pad_target": (_with("pad_images", 1, None, None, 2, 9, 10), [X]),
    "pad_first": (_with("pad_images", 1, 2, 3, 4, data_format="channels_first"), [FIRST[0]]),
    "crop": (_with("crop_images", 1, 2, 1, 1), [X]),
    "crop_target": (_with("crop_images", 1, None, None, 2, 3, 4), [X]),
    "crop_first": (_with("crop_images", 1, 2, 1, 1, data_format="channels_first"), [FIRST[0]]),
    "patches": (_with("extract_patches", 2), [X]),
    "patches_tiles_same": (_with("extract_patches", (2, 3), padding="same"), [X]),
    "patches_strides": (_with("extract_patches", (3, 2), 1), [X]),
    "patches_strides_same": (_with("extract_patches", 3, (2, 3), padding="same"), [X]),
    "patches_dilated": (_with("extract_patches", 2, 1, 2), [X[0]]),
    "patches_first": (_with("extract_patches", 3, 2, data_format="channels_first"), [FIRST]),
    "patches_3d": (_with("extract_patches", (2, 2, 3)), [VOLUME]),
    "patches_3d_strides": (_with("extract_patches_3d", 2, 1, padding="same"), [VOLUME[:, :3, :3, :3]]),
}  # fmt: skip
#: scale_and_translate takes its shape between the tensors.
for name in [n for n in CASES if n.startswith("scale_")]:
    inner, xs = CASES[name]
    CASES[name] = (
        lambda image, x, s, t, n=name: image.scale_and_translate(
            x, (2, 6, 5, 3), s, t, spatial_dims=(1, 2), method=n.split("_")[1], antialias=n.endswith("True")
        ),
        xs,
    )

#: Cases whose gradient for every floating input is compared too.
GRADIENTS = [
    "resize_bilinear_3x4", "resize_lanczos3_9x12", "resize_bicubic_8x2_antialias", "resize_nearest_9x12",
    "resize_crop_6x3", "resize_pad_6x3", "scale_cubic_True", "affine_reflect_bilinear", "affine_constant_bilinear",
    "coordinates_mirror_bilinear", "perspective", "blur_sizes", "sobel", "ssim", "gray", "hsv", "rgb", "pad", "crop",
    "patches", "patches_strides_same",
]  # fmt: skip

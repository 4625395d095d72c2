"""Augmentation layers compared with real Keras, which draws their transformations: name -> (make, settings).

``make`` is given the ``layers`` of either library. Settings: ``scale`` of the images, ``n`` of them, ``first`` for
channels first, ``boxes`` to move boxes too, ``masks`` to move masks too.
"""

from __future__ import annotations

import numpy as np

MOVES = {"boxes": True, "masks": True}

CASES = {
    "brightness": (lambda L: L.RandomBrightness((-0.2, 0.5)), {}),
    "contrast": (lambda L: L.RandomContrast((0.9, 0.5)), {}),
    "contrast_first": (lambda L: L.RandomContrast(0.7, data_format="channels_first"), {"first": True}),
    "degeneration": (lambda L: L.RandomColorDegeneration((0.2, 0.9)), {}),
    "saturation": (lambda L: L.RandomSaturation((0.1, 0.9), value_range=(0, 1)), {"scale": 1 / 255}),
    "saturation_first": (
        lambda L: L.RandomSaturation((0.1, 0.4), value_range=(0, 1), data_format="channels_first"),
        {"scale": 1 / 255, "first": True},
    ),
    "hue": (lambda L: L.RandomHue((0.3, 0.9)), {}),
    "hue_unit": (
        lambda L: L.RandomHue(0.9, value_range=(0, 1), data_format="channels_first"),
        {"scale": 1 / 255, "first": True},
    ),
    "grayscale": (lambda L: L.RandomGrayscale(0.5, seed=3), {}),
    "invert": (lambda L: L.RandomInvert((0.5, 0.5), seed=3), {}),
    "posterization": (lambda L: L.RandomPosterization((2, 6)), {}),
    "posterization_unit": (lambda L: L.RandomPosterization(3, value_range=(0, 1)), {"scale": 1 / 255}),
    "solarization": (lambda L: L.Solarization(0.3, (0.4, 0.6)), {}),
    "solarization_unit": (lambda L: L.Solarization(0.3, 0.5, value_range=(0, 1)), {"scale": 1 / 255}),
    "auto_contrast": (lambda L: L.AutoContrast(), {}),
    "auto_contrast_unit": (lambda L: L.AutoContrast((0, 1)), {"scale": 1 / 255}),
    # Keras takes one histogram for the whole batch.
    "equalization": (lambda L: L.Equalization(), {"n": 1}),
    "equalization_bins": (
        lambda L: L.Equalization(bins=64, data_format="channels_first"),
        {"n": 1, "first": True},
    ),
    "equalization_unit": (lambda L: L.Equalization((0, 1)), {"n": 1, "scale": 1 / 255}),
    "clahe": (lambda L: L.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 3)), {}),
    "clahe_limit": (
        lambda L: L.ContrastLimitedAdaptiveHistogramEqualization(
            (0, 1), clip_limit=1.5, tile_grid_size=(3, 3), data_format="channels_first"
        ),
        {"scale": 1 / 255, "first": True},
    ),
    "sharpness": (lambda L: L.RandomSharpness(1.0), {}),
    "sharpness_first": (lambda L: L.RandomSharpness(1.0, data_format="channels_first"), {"first": True}),
    "blur": (lambda L: L.RandomGaussianBlur((0.7, 0.7), kernel_size=(3, 5), seed=1), {}),
    "erasing": (lambda L: L.RandomErasing((0.8, 0.8), seed=1), {}),
    "erasing_constant": (lambda L: L.RandomErasing(scale=(0.1, 0.4), fill_value=9.0), {}),
    "mix_up": (lambda L: L.MixUp(0.5), {}),
    "cut_mix": (lambda L: L.CutMix(), {}),
    "flip": (lambda L: L.RandomFlip("horizontal", seed=2, bounding_box_format="xyxy"), MOVES),
    "flip_vertical": (lambda L: L.RandomFlip("vertical", seed=2, bounding_box_format="xywh"), MOVES),
    "flip_both": (
        lambda L: L.RandomFlip(seed=2, data_format="channels_first", bounding_box_format="rel_yxyx"),
        {**MOVES, "first": True},
    ),
    "rotation": (lambda L: L.RandomRotation(0.3, bounding_box_format="xyxy"), MOVES),
    "rotation_constant": (
        lambda L: L.RandomRotation(
            0.3, fill_mode="constant", fill_value=3.0, data_format="channels_first", bounding_box_format="xyxy"
        ),
        {**MOVES, "first": True},
    ),
    "translation": (lambda L: L.RandomTranslation(0.3, (0.1, 0.4), bounding_box_format="xyxy"), MOVES),
    "translation_wrap": (
        lambda L: L.RandomTranslation(0.3, 0.2, fill_mode="wrap", interpolation="nearest", bounding_box_format="xywh"),
        MOVES,
    ),
    "zoom": (lambda L: L.RandomZoom(0.4, bounding_box_format="xyxy"), MOVES),
    "zoom_width": (
        lambda L: L.RandomZoom(
            (-0.3, -0.1), 0.5, fill_mode="nearest", data_format="channels_first", bounding_box_format="xyxy"
        ),
        {**MOVES, "first": True},
    ),
    "shear": (lambda L: L.RandomShear(0.3, 0.2), {"masks": True}),
    "shear_constant": (lambda L: L.RandomShear((0.1, 0.2), fill_mode="constant"), {"masks": True}),
    "perspective": (lambda L: L.RandomPerspective((0.7, 0.7), 0.6, seed=1, bounding_box_format="xyxy"), MOVES),
}

#: Layers made with some of their arguments, whose configurations are compared.
CONFIGURATIONS = {
    "AugMix": [{}, {"value_range": (0, 1), "num_chains": 2, "factor": 0.4, "all_ops": False, "seed": 1}],
    "AutoContrast": [{}, {"value_range": (0, 1)}],
    "ContrastLimitedAdaptiveHistogramEqualization": [{}, {"clip_limit": 2.0, "tile_grid_size": (4, 4)}],
    "CutMix": [{}, {"factor": 0.5, "seed": 1, "data_format": "channels_first"}],
    "Equalization": [{}, {"bins": 64, "value_range": (0, 1)}],
    "MaxNumBoundingBoxes": [{"max_number": 3}],
    "MixUp": [{}, {"alpha": 0.5, "seed": 1}],
    "RandAugment": [{}, {"num_ops": 3, "factor": (0.1, 0.2), "interpolation": "nearest"}],
    "RandomBrightness": [{"factor": 0.2}, {"factor": (-0.1, 0.5), "value_range": [0, 1], "seed": 1}],
    "RandomColorDegeneration": [{"factor": 0.2}],
    "RandomColorJitter": [{}, {"brightness_factor": 0.1, "contrast_factor": 0.2, "hue_factor": 0.3}],
    "RandomContrast": [{"factor": 0.2}, {"factor": (0.1, 0.5), "value_range": (0, 1)}],
    "RandomCrop": [{"height": 3, "width": 4, "seed": 1, "name": "crop"}],
    "RandomElasticTransform": [{}, {"factor": 0.5, "scale": (0.1, 0.2), "fill_mode": "mirror"}],
    "RandomErasing": [{}, {"fill_value": 3.0, "scale": (0.1, 0.2)}],
    "RandomFlip": [{}, {"mode": "vertical", "bounding_box_format": "xyxy"}],
    "RandomGaussianBlur": [{}, {"kernel_size": 5, "sigma": (0.1, 0.5)}],
    "RandomGrayscale": [{}, {"factor": 0.2}],
    "RandomHue": [{"factor": 0.2}, {"factor": (0.1, 0.5), "data_format": "channels_first"}],
    "RandomInvert": [{}, {"factor": (0.1, 0.5)}],
    "RandomPerspective": [{}, {"factor": 0.5, "scale": 0.3}],
    "RandomPosterization": [{"factor": 3}, {"factor": (2, 5)}],
    "RandomRotation": [{"factor": 0.2}, {"factor": (-0.1, 0.3), "fill_mode": "constant"}],
    "RandomSaturation": [{"factor": 0.2}, {"factor": (0.2, 0.7)}],
    "RandomSharpness": [{"factor": 0.2}, {"factor": (0.2, 0.7)}],
    "RandomShear": [{}, {"x_factor": (0.1, 0.2), "fill_mode": "wrap"}],
    "RandomTranslation": [{"height_factor": 0.1, "width_factor": (-0.1, 0.2)}],
    "RandomZoom": [{"height_factor": 0.1}, {"height_factor": (-0.1, 0.2), "width_factor": 0.3}],
    "Solarization": [{}, {"addition_factor": 0.2, "threshold_factor": (0.1, 0.3)}],
}


def data(settings):
    """Images, masks and boxes of a case."""
    rng = np.random.default_rng(1)
    n = settings.get("n", 3)
    images = rng.integers(0, 256, (n, 9, 12, 3)).astype("float32")
    images[:, 2:6, 3:9] = (images[:, 2:6, 3:9] / 8).round()
    masks = rng.integers(0, 5, (n, 9, 12, 1)).astype("float32")
    boxes = np.array([[[1, 2, 7, 6], [5, 3, 11, 8]]] * n, "float32")
    if settings.get("first"):
        images, masks = images.transpose(0, 3, 1, 2), masks.transpose(0, 3, 1, 2)
    return images * np.float32(settings.get("scale", 1)), masks, boxes

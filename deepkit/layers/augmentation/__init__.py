"""Layers that augment images, with the labels, boxes and masks that belong to them."""

from .color import (
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
    RandomGrayscale,
    RandomHue,
    RandomInvert,
    RandomSaturation,
)
from .mixing import CutMix, MixUp, RandomErasing
from .tone import AutoContrast, RandomPosterization, Solarization

__all__ = [
    "AutoContrast",
    "CutMix",
    "MixUp",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomContrast",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPosterization",
    "RandomSaturation",
    "Solarization",
]

"""Layers that augment images, with the labels, boxes and masks that belong to them."""

from .affine import RandomRotation, RandomShear, RandomTranslation, RandomZoom
from .bounding_boxes import MaxNumBoundingBoxes
from .color import (
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
    RandomGrayscale,
    RandomHue,
    RandomInvert,
    RandomSaturation,
)
from .filters import RandomGaussianBlur, RandomSharpness
from .geometry import RandomCrop, RandomFlip
from .histogram import ContrastLimitedAdaptiveHistogramEqualization, Equalization
from .mixing import CutMix, MixUp, RandomErasing
from .pipeline import Pipeline
from .policies import AugMix, RandAugment, RandomColorJitter
from .tone import AutoContrast, RandomPosterization, Solarization
from .warp import RandomElasticTransform, RandomPerspective

__all__ = [
    "AugMix",
    "AutoContrast",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "CutMix",
    "Equalization",
    "MaxNumBoundingBoxes",
    "MixUp",
    "Pipeline",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Solarization",
]

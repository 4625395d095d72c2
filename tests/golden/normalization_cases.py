"""Batch renormalization and spectral normalization for real Keras (make_normalization.py) and the tests."""

from __future__ import annotations

from typing import Any

STEPS = 3
CLIPPING = {"rmin": 0.5, "rmax": 2.0, "dmax": 0.3}
#: Label, what makes the layer out of ``keras.layers``, shape of the input.
CASES: list[tuple[str, Any, tuple[int, ...]]] = [
    ("renorm", lambda k: k.BatchNormalization(renorm=True), (6, 4)),
    ("renorm-clipped", lambda k: k.BatchNormalization(renorm=True, renorm_clipping=CLIPPING, momentum=0.8), (6, 4)),
    ("renorm-plain", lambda k: k.BatchNormalization(renorm=True, center=False, scale=False, momentum=0.5), (6, 4)),
    ("renorm-axis", lambda k: k.BatchNormalization(axis=1, renorm=True, renorm_clipping={"rmax": 3.0}), (3, 2, 4, 2)),
    ("spectral-dense", lambda k: k.SpectralNormalization(k.Dense(3)), (5, 4)),
    ("spectral-more", lambda k: k.SpectralNormalization(k.Dense(3, "relu"), power_iterations=4), (5, 4)),
    ("spectral-conv", lambda k: k.SpectralNormalization(k.Conv2D(3, 2)), (2, 4, 4, 2)),
    ("spectral-zeros", lambda k: k.SpectralNormalization(k.Dense(3, kernel_initializer="zeros")), (5, 4)),
]

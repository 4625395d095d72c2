"""Handwritten digits: 8x8 images, shipped with deepkit (Alpaydin and Kaynak, 1998)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .npz import load_npz
from .source import Split

__all__ = ["load_data"]

_FILE = Path(__file__).parent / "data" / "digits.npz"


def load_data(test_split: float = 0.2, seed: int = 113) -> Split:
    """1,797 images of the digits 0 to 9, about 180 of each; no download.

    Each digit gives the same fraction to the test part, so both parts are balanced. The split depends on nothing but
    ``seed``.

    Args:
        test_split: fraction kept for testing.
        seed: of the shuffle before the split.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images (n, 8, 8) with values 0 to 16, and labels (n,), all uint8.

    Raises:
        ValueError: unless ``0 < test_split < 1``.

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository,
    https://doi.org/10.24432/C50P49, CC BY 4.0 (see ``data/ATTRIBUTION.md``).

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()
        >>> x_test.shape, int(x_test.max()), y_test[:5].tolist()
        ((359, 8, 8), 16, [1, 0, 9, 1, 1])
    """
    if not 0 < test_split < 1:
        raise ValueError(f"`test_split` must be between 0 and 1. Received: test_split={test_split}")
    x, y = load_npz(_FILE, "x", "y")
    order = np.random.RandomState(seed).permutation(len(x))
    rank = np.empty(len(x))  # of each image among those of its digit, as a fraction
    for digit in range(10):
        members = order[y[order] == digit]
        rank[members] = (np.arange(len(members)) + 0.5) / len(members)
    in_test = rank[order] < test_split
    train, test = order[~in_test], order[in_test]
    return (x[train], y[train]), (x[test], y[test])

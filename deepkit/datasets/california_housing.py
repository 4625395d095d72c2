"""California housing: prices of homes by block group, census of 1990 (Pace and Barry, 1997)."""

from __future__ import annotations

from .npz import load_npz
from .source import Split, check_fraction, fetch, shuffled

__all__ = ["load_data"]


def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> Split:
    """20,640 block groups with eight attributes each, and the median value of a home.

    The attributes: median income, median age of the houses, mean rooms and mean bedrooms a household, population, mean
    household size, latitude, longitude.

    Args:
        version: ``"large"``, or ``"small"`` for the first 600 only.
        path: name of the file in the cache.
        test_split: fraction kept for testing.
        seed: of the shuffle before the split.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: attributes (n, 8) and values (n,) in dollars, floating point.

    Raises:
        ValueError: for another ``version``, or unless ``0 <= test_split < 1``.
    """
    check_fraction(test_split)
    if version not in ("small", "large"):
        raise ValueError(f"`version` must be 'small' or 'large'. Received: version={version!r}")
    name = "california_housing.npz"
    x, y = load_npz(
        fetch(path, name, "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"), "x", "y"
    )
    count = 600 if version == "small" else len(x)
    x, y = shuffled(x[:count], y[:count], seed)
    cut = int(len(x) * (1 - test_split))
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])

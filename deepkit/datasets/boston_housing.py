"""Boston housing: prices of 506 homes around 1978 (Harrison and Rubinfeld, 1978)."""

from __future__ import annotations

from .npz import load_npz
from .source import Split, check_fraction, fetch, shuffled

__all__ = ["load_data"]


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Split:
    """506 census tracts with 13 attributes each, and the median value of a home.

    One attribute, "B", encodes the share of Black residents on the assumption that segregation raises prices. Use these
    data to discuss that, and :mod:`~deepkit.datasets.california_housing` otherwise.

    Args:
        path: name of the file in the cache.
        test_split: fraction kept for testing.
        seed: of the shuffle before the split.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: attributes (n, 13) and values (n,) in thousands of dollars, float64.

    Raises:
        ValueError: unless ``0 <= test_split < 1``.
    """
    check_fraction(test_split)
    file = fetch(
        path, "boston_housing.npz", "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"
    )
    x, y = load_npz(file, "x", "y")
    x, y = shuffled(x, y, seed)
    cut = int(len(x) * (1 - test_split))
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])

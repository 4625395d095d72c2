"""Small data sets, each with a ``load_data`` that gives ``(x_train, y_train), (x_test, y_test)``.

``digits`` ships with deepkit. The others are downloaded on first use, to the folder that
:func:`~deepkit.utils.file_utils.keras_home` names, checked against their published hashes, and read without ever
unpickling an object that could run code.

Example:
    >>> from deepkit.datasets import digits
    >>> (x_train, y_train), (x_test, y_test) = digits.load_data()
    >>> x_train.shape, x_test.shape
    ((1438, 8, 8), (359, 8, 8))
"""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = [
    "boston_housing", "california_housing", "cifar10", "cifar100", "digits", "fashion_mnist", "imdb", "mnist",
    "reuters",
]  # fmt: skip


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Models as estimators of scikit-learn."""

from __future__ import annotations

from typing import Any

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import sklearn_wrapper  # imports scikit-learn

    return getattr(sklearn_wrapper, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Models as classifiers, regressors and transformers of scikit-learn."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from ..models import Model, clone_model
from ..registry import export

try:
    import sklearn.base as _sklearn
except ImportError:
    _sklearn = None
installed = _sklearn is not None


def _base(name: str) -> Any:
    """A base class of scikit-learn's; without it one that does nothing, so that the names here can be looked at."""
    return getattr(_sklearn, name) if installed else type(name, (), {})


BaseEstimator: Any = _base("BaseEstimator")
ClassifierMixin: Any = _base("ClassifierMixin")
RegressorMixin: Any = _base("RegressorMixin")
TransformerMixin: Any = _base("TransformerMixin")


class SKLBase(BaseEstimator):
    """What the three wrappers share.

    Args:
        model: A compiled model, which is cloned for each fit; or a function ``(X, y, **model_kwargs)`` that makes one,
            with ``y`` as it will be trained on.
        warm_start: Go on with the weights of the last fit, and train a given model itself, not a clone.
        model_kwargs: Further arguments of the function.
        fit_kwargs: Arguments of ``model.fit``; those given to :meth:`fit` go before.

    Attributes:
        model_: The fitted model.
        history_: What ``model.fit`` returned.

    Raises:
        ImportError: without scikit-learn.
    """

    def __init__(
        self, model: Any, warm_start: bool = False, model_kwargs: Any = None, fit_kwargs: Any = None
    ):
        if not installed:
            raise ImportError(f"{type(self).__name__} needs scikit-learn: pip install 'scikit-learn>=1.6'")
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags

    def __sklearn_clone__(self) -> Any:
        """An estimator that isn't fitted, with a copy of the model."""
        model = copy.deepcopy(self.model) if isinstance(self.model, Model) else self.model
        return type(self)(model, self.warm_start, self.model_kwargs, self.fit_kwargs)

    @property
    def epoch_(self) -> int:
        """Number of epochs of the last fit."""
        return len(self.history_.epoch) if hasattr(self, "history_") else 0

    def set_fit_request(self, **kwargs: Any) -> Any:
        """Say which metadata :meth:`fit` takes, for the metadata routing of scikit-learn.

        Args:
            **kwargs: ``True``, ``False``, ``None`` or an alias, by the name of the metadata.

        Raises:
            RuntimeError: unless metadata routing is enabled.
        """
        import sklearn
        from sklearn.utils.metadata_routing import MetadataRequest

        if not sklearn.get_config().get("enable_metadata_routing"):
            raise RuntimeError("set_fit_request needs sklearn.set_config(enable_metadata_routing=True).")
        self._metadata_request = MetadataRequest(owner=self)
        for param, alias in kwargs.items():
            self._metadata_request.fit.add_request(param=param, alias=alias)
        return self

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        """Make and fit the model.

        Args:
            X: Samples, (n_samples, n_features).
            y: Targets, (n_samples,) or (n_samples, n_outputs).
            **kwargs: Arguments of ``model.fit``.

        Raises:
            RuntimeError: for a model that isn't compiled.
        """
        from sklearn.utils.validation import validate_data

        X, y = validate_data(self, X, y, **self._checks())
        y = self._encoded(y)
        model = self._made(X, y)
        if not model.compiled or not model.loss or not model.optimizer:
            raise RuntimeError("The model should be compiled, with a loss and an optimizer.")
        self.history_ = model.fit(X, y, **{**(self.fit_kwargs or {}), **kwargs})
        self.model_ = model
        return self

    def _checks(self) -> dict[str, Any]:
        return {"multi_output": True}

    def _made(self, X: Any, y: Any) -> Any:
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if not isinstance(self.model, Model):
            return self.model(X=X, y=y, **(self.model_kwargs or {}))
        if self.warm_start:
            return self.model
        model = clone_model(self.model)
        if self.model.compiled and not model.compiled:
            model.compile_from_config(self.model.get_compile_config())
        return model

    def _raw(self, X: Any) -> np.ndarray:
        """The model's outputs."""
        from sklearn.utils.validation import check_is_fitted, validate_data

        check_is_fitted(self, "model_")
        return self.model_.predict(validate_data(self, X, reset=False), verbose=0)

    def predict(self, X: Any) -> np.ndarray:
        """Predictions for samples, in the form of the targets."""
        return self._decoded(self._raw(X))

    def _encoded(self, y: np.ndarray) -> np.ndarray:
        """The targets as the model is trained on them."""
        self._ndim = y.ndim
        return y[:, None] if y.ndim == 1 else y

    def _decoded(self, y: np.ndarray) -> np.ndarray:
        return y[:, 0] if self._ndim == 1 and y.ndim == 2 and y.shape[1] == 1 else y


@export("keras.wrappers.SKLearnClassifier")
class SKLearnClassifier(ClassifierMixin, SKLBase):
    """A model as a classifier. It is trained on one-hot targets: its outputs are one number a class.

    Args:
        model: A compiled model, which is cloned for each fit; or a function ``(X, y, **model_kwargs)`` that makes one,
            with one-hot ``y``.
        warm_start: Go on with the weights of the last fit, and train a given model itself, not a clone.
        model_kwargs: Further arguments of the function.
        fit_kwargs: Arguments of ``model.fit``; those given to :meth:`fit` go before.

    Attributes:
        model_: The fitted model.
        history_: What ``model.fit`` returned.
        classes_: The classes, sorted.

    Raises:
        ImportError: without scikit-learn.
    """

    def _checks(self) -> dict[str, Any]:
        return {}

    def decision_function(self, X: Any) -> np.ndarray:
        """The model's outputs, (n_samples, n_classes)."""
        return self._raw(X)

    def _encoded(self, y: np.ndarray) -> np.ndarray:
        from sklearn.utils.multiclass import check_classification_targets

        check_classification_targets(y)
        self.classes_, index = np.unique(y, return_inverse=True)
        if len(self.classes_) == 1:
            raise ValueError("Classifier can't train when only one class is present.")
        return (index[:, None] == np.arange(len(self.classes_))).astype(np.float32)

    def _decoded(self, y: np.ndarray) -> np.ndarray:
        return self.classes_[y.argmax(axis=-1)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


@export("keras.wrappers.SKLearnRegressor")
class SKLearnRegressor(RegressorMixin, SKLBase):
    """A model as a regressor.

    Args:
        model: A compiled model, which is cloned for each fit; or a function ``(X, y, **model_kwargs)`` that makes one,
            with ``y`` of shape (n_samples, n_outputs).
        warm_start: Go on with the weights of the last fit, and train a given model itself, not a clone.
        model_kwargs: Further arguments of the function.
        fit_kwargs: Arguments of ``model.fit``; those given to :meth:`fit` go before.

    Attributes:
        model_: The fitted model.
        history_: What ``model.fit`` returned.

    Raises:
        ImportError: without scikit-learn.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


@export("keras.wrappers.SKLearnTransformer")
class SKLearnTransformer(TransformerMixin, SKLBase):
    """A model as a transformer in the sense of scikit-learn: what it makes of samples goes to the next step.

    Args:
        model: A compiled model, which is cloned for each fit; or a function ``(X, y, **model_kwargs)`` that makes one,
            with ``y`` of shape (n_samples, n_outputs).
        warm_start: Go on with the weights of the last fit, and train a given model itself, not a clone.
        model_kwargs: Further arguments of the function.
        fit_kwargs: Arguments of ``model.fit``; those given to :meth:`fit` go before.

    Attributes:
        model_: The fitted model.
        history_: What ``model.fit`` returned.

    Raises:
        ImportError: without scikit-learn.
    """

    def transform(self, X: Any) -> np.ndarray:
        """The model's outputs for samples."""
        return self._raw(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]

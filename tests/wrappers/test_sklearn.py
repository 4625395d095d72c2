"""Models as estimators of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers, wrappers
from deepkit.wrappers import sklearn_wrapper

NAMES = ("SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer")


def dynamic_model(X, y, loss="mse", units=(8,), activation=None):
    model = deepkit.Sequential([deepkit.Input((X.shape[1],))])
    for n in units:
        model.add(layers.Dense(n, "relu"))
    model.add(layers.Dense(y.shape[1] if y.ndim > 1 else 1, activation))
    model.compile(deepkit.optimizers.Adam(0.02), loss)
    return model


@pytest.mark.parametrize("name", NAMES)
def test_without_scikit_learn(monkeypatch, name):
    monkeypatch.setattr(sklearn_wrapper, "installed", False)
    with pytest.raises(ImportError, match=f"{name}.*pip install"):
        getattr(wrappers, name)(dynamic_model)


def test_names():
    assert set(NAMES) <= set(dir(wrappers))
    with pytest.raises(AttributeError, match="no_such"):
        _ = wrappers.no_such


@pytest.fixture
def data():
    pytest.importorskip("sklearn")
    deepkit.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(120, 4)).astype("float32")
    return x, x @ np.array([1.0, -2.0, 0.5, 0.0], "float32")


@pytest.mark.parametrize("labels", [np.array(["no", "yes"]), np.array([5, 9])])
def test_classifier(data, labels):
    x, z = data
    y = labels[(z > 0).astype(int)]
    kwargs = {"loss": "categorical_crossentropy", "activation": "softmax"}
    estimator = wrappers.SKLearnClassifier(dynamic_model, model_kwargs=kwargs, fit_kwargs={"epochs": 1})
    estimator.fit(x, y, epochs=30, verbose=0)
    assert estimator.epoch_ == 30 and estimator.fit_kwargs == {"epochs": 1}
    assert estimator.score(x, y) > 0.9 and estimator.classes_.tolist() == labels.tolist()
    assert estimator.predict(x).dtype == y.dtype and estimator.decision_function(x).shape == (120, 2)


def test_classifier_errors(data):
    x, z = data
    estimator = wrappers.SKLearnClassifier(dynamic_model)
    with pytest.raises(ValueError, match="one class"):
        estimator.fit(x, np.zeros(120, int))
    with pytest.raises(ValueError, match="label type"):
        estimator.fit(x, z)


def test_regressor(data):
    x, z = data
    estimator = wrappers.SKLearnRegressor(dynamic_model, fit_kwargs={"epochs": 40, "verbose": 0}).fit(x, z)
    assert estimator.predict(x).shape == z.shape and estimator.score(x, z) > 0.8
    two = wrappers.SKLearnRegressor(dynamic_model).fit(x, np.stack([z, -z], 1), verbose=0)
    assert two.predict(x[:3]).shape == (3, 2)
    with pytest.raises(ValueError, match="features"):
        two.predict(x[:, :2])


def test_transformer_in_a_pipeline(data):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    x, z = data
    transformer = wrappers.SKLearnTransformer(dynamic_model, fit_kwargs={"epochs": 5, "verbose": 0})
    pipeline = make_pipeline(transformer, LogisticRegression()).fit(x, (z > 0).astype(int))
    assert pipeline.score(x, z > 0) > 0.7 and transformer.transform(x).shape == (120, 1)


def test_given_models_are_cloned(data):
    x, z = data
    model = dynamic_model(x, z)
    before = model.get_weights()
    estimator = wrappers.SKLearnRegressor(model).fit(x, z, verbose=0)
    assert estimator.model_ is not model
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


def test_warm_start(data):
    x, z = data
    model = dynamic_model(x, z)
    estimator = wrappers.SKLearnRegressor(model, warm_start=True).fit(x, z, verbose=0)
    first = estimator.history_.history["loss"][-1]
    assert estimator.model_ is model
    assert estimator.fit(x, z, epochs=5, verbose=0).history_.history["loss"][-1] < first


def test_clone_and_search(data):
    from sklearn.base import clone
    from sklearn.exceptions import NotFittedError
    from sklearn.model_selection import cross_val_score

    x, z = data
    estimator = wrappers.SKLearnRegressor(dynamic_model(x, z), fit_kwargs={"epochs": 20, "verbose": 0})
    again = clone(estimator)
    assert again.model is not estimator.model and again.fit_kwargs == estimator.fit_kwargs
    with pytest.raises(NotFittedError):
        again.predict(x)
    assert cross_val_score(estimator, x, z, cv=3).shape == (3,)
    assert set(estimator.get_params(deep=False)) == {"model", "warm_start", "model_kwargs", "fit_kwargs"}


def test_models_must_be_compiled(data):
    x, z = data
    with pytest.raises(RuntimeError, match="compiled"):
        wrappers.SKLearnRegressor(deepkit.Sequential([deepkit.Input((4,)), layers.Dense(1)])).fit(x, z)


def test_metadata_routing(data):
    import sklearn

    estimator = wrappers.SKLearnRegressor(dynamic_model)
    with pytest.raises(RuntimeError, match="enable_metadata_routing"):
        estimator.set_fit_request(sample_weight=True)
    with sklearn.config_context(enable_metadata_routing=True):
        assert estimator.set_fit_request(sample_weight=True) is estimator

"""Metrics against real Keras (golden/metrics_cases.py), their configurations, names, resetting and errors."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit import metrics, ops
from tests.golden import metrics_cases as c

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics.npz"
NUMBERED = [pytest.param(i, *case, id=f"{i}-{case[0]}") for i, case in enumerate(c.CASES)]


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN, allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def described(golden):
    return json.loads(str(golden["json"]))


def feed(metric, batches):
    for *args, options in batches:
        options = dict(options)
        if "mask" in options:
            args[-1] = ops.convert_to_tensor(args[-1])
            args[-1]._keras_mask = ops.convert_to_tensor(options.pop("mask"))
        metric.update_state(*args, **options)
    return metric.result()


def make(name):
    return getattr(metrics, name)(**c.NEEDED.get(name, {}))


@pytest.mark.parametrize("number,name,config,batches", NUMBERED)
def test_result(device, golden, number, name, config, batches):
    metric = getattr(metrics, name)(**config)
    expected = golden[str(number)]
    for _ in range(2):  # the second time after a reset
        result = feed(metric, batches)
        assert result.shape == expected.shape
        np.testing.assert_allclose(result.numpy(), expected, rtol=3e-5, atol=3e-6)
        metric.reset_state()
        assert all((v.numpy() == 0).all() for v in metric.variables)


@pytest.mark.parametrize("number,name,config,batches", NUMBERED)
def test_configuration_makes_an_equal_metric(device, golden, number, name, config, batches):
    metric = metrics.deserialize(metrics.serialize(getattr(metrics, name)(**config)))
    np.testing.assert_allclose(feed(metric, batches).numpy(), golden[str(number)], rtol=3e-5, atol=3e-6)


@pytest.mark.parametrize("name", c.CLASSES)
def test_configuration(described, name):
    cls, expected = getattr(metrics, name), described["classes"][name]
    assert [p for p in inspect.signature(cls.__init__).parameters if p != "self"] == expected["parameters"]
    deepkit.utils.clear_session()
    config = make(name).get_config()
    assert expected["config"].items() <= config.items()
    # What Keras leaves out (the axis of CosineSimilarity, say) comes back to it as an argument.
    assert set(config) <= {*expected["config"], *expected["parameters"]}


@pytest.mark.parametrize("name", c.CLASSES)
def test_state(described, name):
    assert [v.name for v in make(name).variables] == described["classes"][name]["variables"]


@pytest.mark.parametrize("name", c.NAMES)
def test_names(described, name):
    assert type(metrics.get(name)).__name__ == described["names"][name]


@pytest.mark.parametrize("name", ["mse", "BCE", "precision", "Recall", "AUC", "KLDivergence", "MeanSquaredError"])
def test_a_compiled_metric_is_reported_under_its_given_name(name):
    deepkit.metrics.Precision(), deepkit.metrics.AUC()  # names of their own don't count on
    model = deepkit.Sequential([deepkit.Input((2,)), deepkit.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "mse", metrics=[name])
    history = model.fit(np.zeros((4, 2)), np.zeros((4, 1)), verbose=0).history
    assert set(history) == {name, "loss"}


def test_half_precision_does_not_stall():
    metric = metrics.Mean()
    for _ in range(40):
        metric.update_state(np.full((100,), 1.0, "float16"))
    assert float(metric.result()) == 1.0 and float(metric.count) == 4000


def test_scores_far_from_the_user_s_arrays(device):
    """Channels first, which Keras's reduction over ``axis`` refuses."""
    metric = metrics.MeanIoU(3, sparse_y_pred=False, axis=1)
    last = metrics.MeanIoU(3, sparse_y_pred=False)
    metric.update_state(c.MAP, np.moveaxis(c.MAP_SCORES, -1, 1))
    last.update_state(c.MAP, c.MAP_SCORES)
    assert float(metric.result()) == float(last.result())


def test_own_functions():
    metric = metrics.MeanMetricWrapper(lambda t, p: ops.max(ops.abs(t - p), axis=-1), name="worst")
    metric.update_state(c.REAL, c.PRED)
    np.testing.assert_allclose(float(metric.result()), np.abs(c.REAL - c.PRED).max(-1).mean(), rtol=1e-6)


@pytest.mark.parametrize(
    "make_it,message",
    [
        (lambda: metrics.get("mean_square_error"), "mean_squared_error"),
        (lambda: metrics.Precision(thresholds=1.5), "thresholds"),
        (lambda: metrics.AUC(curve="DET"), "curve"),
        (lambda: metrics.AUC(summation_method="trapezoid"), "summation_method"),
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds"),
        (lambda: metrics.FBetaScore(beta=-1.0), "beta"),
        (lambda: metrics.F1Score(average="mean"), "average"),
        (lambda: metrics.BinaryAccuracy(threshold=2), "threshold"),
        (lambda: metrics.R2Score(class_aggregation="median"), "class_aggregation"),
        (lambda: metrics.MeanIoU(1), "num_classes"),
        (lambda: metrics.IoU(2, [2]), "target_class_ids"),
        (lambda: metrics.RecallAtPrecision(1.5), "precision=1.5"),
        (lambda: metrics.SensitivityAtSpecificity(0.5, num_thresholds=0), "num_thresholds"),
        (lambda: metrics.MeanIoU(2)([0, 2], [0, 1]), "target is out of range for num_classes=2"),
        (lambda: metrics.MeanIoU(2)([0, 1], [0, 1, 1]), "2 targets and 3 predictions"),
        (lambda: metrics.Precision()([0.0, 1.0], [0.5, 1.5]), "sigmoid"),
        (lambda: metrics.Precision()([0.0, 1.0, 1.0], [0.5, 0.5]), r"\(3,\).*\(2,\)"),
    ],
)
def test_errors(make_it, message):
    with pytest.raises(ValueError, match=message):
        make_it()

"""Losses and metrics against golden values of real Keras; gradients, weights, masks, configurations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit import losses, metrics, ops
from tests.golden.loss_cases import DATA, LOSSES, METRICS, NO_WEIGHTS, WEIGHTS, N, label
from tests.helpers import check_gradient, check_second_order

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "losses.npz")
LOSS_IDS, METRIC_IDS = [label(c) for c in LOSSES], [label(c) for c in METRICS]


@pytest.mark.parametrize("i", range(len(LOSSES)), ids=LOSS_IDS)
def test_loss_values(i, device):
    name, kwargs, kind = LOSSES[i]
    loss = getattr(losses, name)(**kwargs)
    t, p = DATA[kind]
    np.testing.assert_allclose(loss(t, p).numpy(), GOLDEN[f"loss{i}"], rtol=2e-5, atol=1e-6)
    if name not in NO_WEIGHTS:
        np.testing.assert_allclose(
            loss(t, p, sample_weight=WEIGHTS).numpy(), GOLDEN[f"loss{i}/weighted"], rtol=2e-5, atol=1e-6
        )


@pytest.mark.parametrize("i", range(len(LOSSES)), ids=LOSS_IDS)
def test_loss_gradients(i, device):
    name, kwargs, kind = LOSSES[i]
    if name == "Circle":
        pytest.skip("its weights are constants to the gradient, but not to differences")
    loss = getattr(losses, name)(**kwargs, dtype="float64")
    t, p = DATA[kind]
    check_gradient(lambda y: loss(t, y), p)


@pytest.mark.parametrize(
    "kind", ["onehot", "onehot_logits", "sparse", "sparse_logits", "binary", "binary_logits", "real"]
)
def test_fused_losses_twice(kind, device):
    t, p = DATA[kind]
    name = (
        "MeanSquaredError"
        if kind == "real"
        else ("Sparse" if "sparse" in kind else "")
        + ("BinaryCrossentropy" if "binary" in kind else "CategoricalCrossentropy")
    )
    kwargs = {} if kind == "real" else {"from_logits": "logits" in kind}
    loss = getattr(losses, name)(**kwargs, dtype="float64")
    check_second_order(lambda y: loss(t, y), p)


@pytest.mark.parametrize("i", range(len(LOSSES)), ids=LOSS_IDS)
def test_loss_configurations(i):
    name, kwargs, _ = LOSSES[i]
    loss = getattr(losses, name)(**kwargs)
    expected = json.loads(str(GOLDEN[f"loss{i}/config"]))
    found = json.loads(json.dumps(loss.get_config()))
    # Keras leaves the arguments of some losses out; nothing that it writes may differ.
    assert all(found[k] == v for k, v in expected.items() if k != "dtype")
    again = losses.deserialize(losses.serialize(loss))
    assert type(again) is type(loss) and again.get_config() == loss.get_config()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("i", range(len(METRICS)), ids=METRIC_IDS)
def test_metric_values(i, weighted, device):
    name, kwargs, kind = METRICS[i]
    metric = getattr(metrics, name)(**kwargs)
    t, p = DATA[kind]
    for _ in range(2):  # the second time after a reset
        for part in (slice(0, 5), slice(5, 9), slice(9, N)):
            metric.update_state(t[part], p[part], sample_weight=WEIGHTS[part] if weighted else None)
        np.testing.assert_allclose(
            metric.result().numpy(), GOLDEN[f"metric{i}/{int(weighted)}"], rtol=3e-5, atol=1e-6
        )
        metric.reset_state()


@pytest.mark.parametrize("i", range(len(METRICS)), ids=METRIC_IDS)
def test_metric_configurations(i):
    name, kwargs, _ = METRICS[i]
    metric = getattr(metrics, name)(**kwargs)
    found = json.loads(
        json.dumps({k: v for k, v in metric.get_config().items() if k not in ("dtype", "name")})
    )
    expected = json.loads(str(GOLDEN[f"metric{i}/config"]))
    assert all(found[k] == v for k, v in expected.items() if k != "thresholds" or name != "AUC")
    again = metrics.deserialize(metrics.serialize(metric))
    assert type(again) is type(metric) and again.get_config() == metric.get_config()


def test_masked_predictions(device):
    t, p = (
        np.zeros((2, 3, 1), "float32"),
        ops.convert_to_tensor(np.arange(6, dtype="float32").reshape(2, 3, 1)),
    )
    p._keras_mask = ops.convert_to_tensor([[True, False, True], [True, True, False]])
    kept = np.array([0.0, 2.0, 3.0, 4.0])
    assert float(losses.MeanSquaredError()(t, p)) == pytest.approx(np.mean(kept**2), rel=1e-5)
    metric = metrics.MeanAbsoluteError()
    metric.update_state(t, p)
    assert float(metric.result()) == pytest.approx(np.mean(kept), rel=1e-5)


def test_means_and_sums(device):
    mean, total = metrics.Mean(), metrics.Sum()
    for values, weight in (([1.0, 2.0], None), ([[4.0, 6.0]], [0.5]), (3.0, 2)):
        mean.update_state(values, weight)
        total.update_state(values, weight)
    assert float(mean.result()) == pytest.approx((1 + 2 + 2.5 + 6) / (2 + 0.5 + 2))
    assert float(total.result()) == pytest.approx(1 + 2 + 5 + 6)  # a sample's values are summed, not averaged
    assert float(metrics.Mean().result()) == 0


def test_names(device):
    for short, name in (
        ("mse", "mean_squared_error"),
        ("MAE", "mean_absolute_error"),
        ("bce", "binary_crossentropy"),
    ):
        assert losses.get(short) is getattr(losses, name)
    assert losses.get("SparseCategoricalCrossentropy").get_config()["from_logits"] is False
    assert metrics.get("mse").name == "mean_squared_error" and metrics.get("auc").num_thresholds == 200
    with pytest.raises(ValueError, match="mean_squared_error"):
        losses.get("mean_square_error")
    with pytest.raises(ValueError, match="precision"):
        metrics.get("presicion")
    with pytest.raises(ValueError, match="reduction"):
        losses.MeanSquaredError(reduction="average")
    for make in (
        lambda: metrics.AUC(curve="X"),
        lambda: metrics.Precision(thresholds=2),
        lambda: metrics.F1Score(average="x"),
        lambda: metrics.BinaryAccuracy(threshold=3),
        lambda: losses.CategoricalGeneralizedCrossEntropy(q=2),
    ):
        with pytest.raises(ValueError, match="Received"):
            make()


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="to_categorical"):
        losses.categorical_crossentropy(np.array([0, 1]), np.ones((2, 3), "float32"))
    with pytest.raises(ValueError, match="one-hot"):
        losses.sparse_categorical_crossentropy(np.eye(3), np.ones((3, 3), "float32"))
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        metrics.AUC().update_state([0.0, 1.0], [-1.0, 2.0])


def test_functions_and_accuracy_by_name(device):
    def cubic(y_true, y_pred):
        return ops.mean(abs(y_pred - y_true) ** 3, axis=-1)

    model = deepkit.Sequential([deepkit.Input((2,)), deepkit.layers.Dense(1)])
    model.compile("sgd", cubic, metrics=[cubic, "accuracy", metrics.MeanAbsoluteError(name="error")])
    logs = model.evaluate(np.ones((4, 2)), np.ones((4, 1)), verbose=0, return_dict=True)
    assert list(logs) == ["loss", "cubic", "accuracy", "error"]
    assert logs["loss"] == pytest.approx(logs["cubic"], rel=1e-6)
    for outputs, y, kind in (
        (1, np.ones((4, 1)), "BinaryAccuracy"),
        (3, np.ones(4), "SparseCategoricalAccuracy"),
        (3, np.eye(3)[[0, 1, 2, 0]], "CategoricalAccuracy"),
    ):
        from deepkit.training.compiled import accuracy_for

        assert accuracy_for("accuracy", y, np.ones((4, outputs))).__name__ == kind

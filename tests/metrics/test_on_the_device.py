"""Metrics of a step that a CUDA graph holds: nothing waits or is refused, and they count what they count on the CPU."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import backend, metrics, ops
from deepkit.autograd.tensor import Tensor

from ..cuda.fake_cupy import counters

BATCH, STEPS = 16, 5
RNG = np.random.default_rng(0)

#: Batches of targets and predictions by kind.
DATA = {
    "binary": [(RNG.integers(0, 2, (BATCH, 1)).astype("float32"), RNG.random((BATCH, 1), "float32"))
               for _ in range(STEPS)],
    "one-hot": [(np.eye(4, dtype="float32")[RNG.integers(0, 4, BATCH)], RNG.random((BATCH, 4), "float32"))
                for _ in range(STEPS)],
    "labels": [(RNG.integers(0, 4, BATCH), RNG.random((BATCH, 4), "float32")) for _ in range(STEPS)],
    "numbers": [tuple(RNG.random((2, BATCH, 3), "float32") + np.float32(0.1)) for _ in range(STEPS)],
    "classes": [tuple(RNG.integers(0, 3, (2, BATCH))) for _ in range(STEPS)],
}  # fmt: skip

CASES = {
    "binary": [
        ("AUC", {}), ("AUC", {"curve": "PR", "from_logits": True}), ("Precision", {}), ("Recall", {}),
        ("TruePositives", {}), ("FalsePositives", {}), ("TrueNegatives", {}), ("FalseNegatives", {}),
        ("BinaryAccuracy", {}), ("BinaryIoU", {}), ("SensitivityAtSpecificity", {"specificity": 0.5}),
        ("PrecisionAtRecall", {"recall": 0.5}), ("RecallAtPrecision", {"precision": 0.5}),
        ("SpecificityAtSensitivity", {"sensitivity": 0.5}), ("BinaryCrossentropy", {}), ("Hinge", {}),
        ("SquaredHinge", {}),
    ],
    "one-hot": [
        ("AUC", {"multi_label": True, "num_labels": 4}), ("Precision", {"top_k": 2}), ("CategoricalAccuracy", {}),
        ("Recall", {"class_id": 1, "thresholds": [0.7, 0.2, 0.5]}), ("TopKCategoricalAccuracy", {"k": 2}),
        ("F1Score", {"threshold": 0.5}), ("FBetaScore", {"average": "micro"}), ("OneHotIoU", {"num_classes": 4,
         "target_class_ids": [1]}), ("OneHotMeanIoU", {"num_classes": 4}), ("CategoricalCrossentropy", {}),
        ("KLDivergence", {}), ("CategoricalHinge", {}),
    ],
    "labels": [("SparseCategoricalAccuracy", {}), ("SparseTopKCategoricalAccuracy", {"k": 2}),
               ("SparseCategoricalCrossentropy", {})],
    "numbers": [("MeanSquaredError", {}), ("MeanAbsoluteError", {}), ("RootMeanSquaredError", {}), ("R2Score", {}),
                ("MeanAbsolutePercentageError", {}), ("MeanSquaredLogarithmicError", {}), ("CosineSimilarity", {}),
                ("LogCoshError", {}), ("Poisson", {}), ("PearsonCorrelation", {}), ("ConcordanceCorrelation", {})],
    "classes": [("Accuracy", {}), ("MeanIoU", {"num_classes": 3}),
                ("IoU", {"num_classes": 3, "target_class_ids": [0]})],
}  # fmt: skip


def updated(metric, batches, weights):
    for batch in batches:
        metric.update_state(*batch, **({} if weights is None else {"sample_weight": weights}))
    return np.asarray(metric.result())


def replayed(metric, batches, weights):
    """The result of updates as a step runs them: two eagerly, the others as a graph."""
    import cupy

    on_device = None if weights is None else cupy.asarray(weights)

    def step(arrays):
        more = {} if on_device is None else {"sample_weight": Tensor(on_device)}
        metric.update_state(*map(Tensor, arrays), **more)
        return [], None

    graphs, waits = backend.active().graphs(), []
    for batch in batches:
        arrays = [cupy.asarray(a) for a in batch]
        counters.reset()
        graphs.run("step", arrays, step)
        waits.append(counters.synchronizations)
    assert graphs.refused is None and waits[1] == 0
    return np.asarray(metric.result())


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind, name, params", [(kind, *case) for kind in CASES for case in CASES[kind]])
def test_a_graph_holds_the_update(simulated, kind, name, params, weighted):
    weights = np.linspace(0, 1, BATCH, dtype="float32") if weighted else None
    make = getattr(metrics, name)
    with deepkit.device("cpu"):
        expected = updated(make(**params), DATA[kind], weights)
    np.testing.assert_allclose(replayed(make(**params), DATA[kind], weights), expected, rtol=1e-4, atol=1e-6)


def test_means_and_functions(simulated):
    numbers = [batch[:1] for batch in DATA["numbers"]]
    for name in ("Mean", "Sum"):
        expected = updated(getattr(metrics, name)(), numbers, None)
        np.testing.assert_allclose(replayed(getattr(metrics, name)(), numbers, None), expected, rtol=1e-5)
    distance = lambda t, p: ops.mean(ops.abs(t - p), axis=-1)
    expected = updated(metrics.MeanMetricWrapper(distance), DATA["numbers"], None)
    found = replayed(metrics.MeanMetricWrapper(distance), DATA["numbers"], None)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_what_is_an_error_on_the_processor(simulated):
    """Nobody on the device can raise one: NaN, or left out of counts that have no NaN."""
    outside = metrics.Precision()
    outside.update_state([1.0, 0.0], [0.7, 1.5])
    assert np.isnan(float(outside.result()))
    classes = metrics.MeanIoU(2)
    classes.update_state([0, 1, 5, -1], [0, 1, 1, 0])
    assert float(classes.result()) == 1
    floats = metrics.MeanIoU(2, dtype="float32")
    floats.update_state([0, 1, 5], [0, 1, 1])
    assert np.isnan(floats.matrix.numpy()).any()

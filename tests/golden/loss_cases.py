"""Losses and metrics whose values are compared with real Keras: ``(name, arguments, kind of data)``."""

from __future__ import annotations

from typing import Any

import numpy as np

_rng = np.random.default_rng(21)


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x)
    return (e / e.sum(-1, keepdims=True)).astype("float32")


N = 12
_labels = _rng.integers(0, 4, N)
_logits = _rng.normal(size=(N, 4)).astype("float32")
_binary = _rng.integers(0, 2, (N, 3)).astype("float32")
#: Targets and predictions by kind.
DATA: dict[str, tuple[np.ndarray, np.ndarray]] = {
    "real": (_rng.normal(size=(N, 3)).astype("float32"), _rng.normal(size=(N, 3)).astype("float32")),
    "positive": (_rng.random((N, 3)).astype("float32") + 0.1, _rng.random((N, 3)).astype("float32") + 0.1),
    "binary": (_binary, _softmax(_rng.normal(size=(N, 3)))),
    "binary_logits": (_binary, _rng.normal(size=(N, 3)).astype("float32") * 3),
    "signs": (_binary * 2 - 1, _rng.normal(size=(N, 3)).astype("float32")),
    "onehot": (np.eye(4, dtype="float32")[_labels], _softmax(_logits)),
    "onehot_logits": (np.eye(4, dtype="float32")[_labels], _logits),
    "sparse": (_labels.astype("int32"), _softmax(_logits)),
    "sparse_column": (_labels.astype("int32")[:, None], _softmax(_logits)),
    "sparse_logits": (_labels.astype("int32"), _logits),
    "column": (_rng.integers(0, 2, (N, 1)).astype("float32"), _rng.random((N, 1)).astype("float32")),
    "embeddings": (
        _labels.astype("int32"),
        (lambda x: x / np.linalg.norm(x, axis=1, keepdims=True))(_rng.normal(size=(N, 5))).astype("float32"),
    ),
    "ctc": (np.array([[1, 2, 0], [3, 3, 1]], "int32"), _rng.normal(size=(2, 8, 5)).astype("float32")),
}
WEIGHTS = _rng.random(N).astype("float32")

LOSSES: list[tuple[str, dict[str, Any], str]] = [
    ("MeanSquaredError", {}, "real"),
    ("MeanSquaredError", {"reduction": "sum"}, "real"),
    ("MeanSquaredError", {"reduction": "none"}, "real"),
    ("MeanSquaredError", {"reduction": "mean_with_sample_weight"}, "real"),
    ("MeanAbsoluteError", {}, "real"),
    ("MeanAbsolutePercentageError", {}, "real"),
    ("MeanSquaredLogarithmicError", {}, "positive"),
    ("CosineSimilarity", {}, "real"),
    ("Huber", {}, "real"),
    ("Huber", {"delta": 0.3}, "real"),
    ("LogCosh", {}, "real"),
    ("Hinge", {}, "signs"),
    ("Hinge", {}, "binary"),
    ("SquaredHinge", {}, "signs"),
    ("CategoricalHinge", {}, "onehot"),
    ("KLDivergence", {}, "onehot"),
    ("KLDivergence", {}, "positive"),
    ("Poisson", {}, "positive"),
    ("BinaryCrossentropy", {}, "binary"),
    ("BinaryCrossentropy", {"from_logits": True}, "binary_logits"),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, "binary"),
    ("BinaryFocalCrossentropy", {}, "binary"),
    (
        "BinaryFocalCrossentropy",
        {"apply_class_balancing": True, "gamma": 1.0, "from_logits": True},
        "binary_logits",
    ),
    ("CategoricalCrossentropy", {}, "onehot"),
    ("CategoricalCrossentropy", {"from_logits": True}, "onehot_logits"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1, "from_logits": True}, "onehot_logits"),
    ("CategoricalFocalCrossentropy", {}, "onehot"),
    ("CategoricalFocalCrossentropy", {"from_logits": True}, "onehot_logits"),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.7}, "sparse"),
    ("SparseCategoricalCrossentropy", {}, "sparse"),
    ("SparseCategoricalCrossentropy", {}, "sparse_column"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "sparse_logits"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, "sparse"),
    ("Dice", {}, "binary"),
    ("Dice", {"axis": [1]}, "binary"),
    ("Tversky", {"alpha": 0.3, "beta": 0.7}, "binary"),
    ("Circle", {}, "embeddings"),
    ("Circle", {"gamma": 10.0, "margin": 0.2, "remove_diagonal": False}, "embeddings"),
    ("CTC", {}, "ctc"),
]

METRICS: list[tuple[str, dict[str, Any], str]] = [
    ("MeanSquaredError", {}, "real"),
    ("RootMeanSquaredError", {}, "real"),
    ("MeanAbsoluteError", {}, "real"),
    ("MeanAbsolutePercentageError", {}, "real"),
    ("MeanSquaredLogarithmicError", {}, "positive"),
    ("CosineSimilarity", {}, "real"),
    ("LogCoshError", {}, "real"),
    ("KLDivergence", {}, "onehot"),
    ("Poisson", {}, "positive"),
    ("Hinge", {}, "signs"),
    ("SquaredHinge", {}, "signs"),
    ("CategoricalHinge", {}, "onehot"),
    ("BinaryCrossentropy", {}, "binary"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "binary_logits"),
    ("CategoricalCrossentropy", {}, "onehot"),
    ("SparseCategoricalCrossentropy", {}, "sparse"),
    ("Accuracy", {}, "sparse_pairs"),
    ("BinaryAccuracy", {}, "binary"),
    ("BinaryAccuracy", {"threshold": 0.2}, "binary"),
    ("CategoricalAccuracy", {}, "onehot"),
    ("SparseCategoricalAccuracy", {}, "sparse"),
    ("SparseCategoricalAccuracy", {}, "sparse_column"),
    ("TopKCategoricalAccuracy", {"k": 2}, "onehot"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "sparse"),
    ("TruePositives", {}, "column"),
    ("FalsePositives", {"thresholds": [0.2, 0.5, 0.8]}, "column"),
    ("TrueNegatives", {}, "binary"),
    ("FalseNegatives", {"thresholds": [0.1, 0.9]}, "column"),
    ("Precision", {}, "column"),
    ("Precision", {"thresholds": [0.2, 0.7]}, "binary"),
    ("Precision", {"top_k": 2}, "binary"),
    ("Precision", {"class_id": 1, "thresholds": 0.3}, "binary"),
    ("Recall", {}, "column"),
    ("Recall", {"top_k": 1}, "binary"),
    ("Recall", {"thresholds": [0.2, 0.7], "class_id": 2}, "binary"),
    ("AUC", {}, "column"),
    ("AUC", {"curve": "PR"}, "column"),
    ("AUC", {"num_thresholds": 20, "summation_method": "minoring"}, "column"),
    ("AUC", {"curve": "PR", "summation_method": "majoring", "num_thresholds": 30}, "column"),
    ("AUC", {"thresholds": [0.2, 0.4, 0.9]}, "column"),
    ("AUC", {"multi_label": True, "num_labels": 3}, "binary"),
    ("AUC", {"multi_label": True, "num_labels": 3, "label_weights": [0.5, 1.0, 2.0]}, "binary"),
    ("AUC", {"from_logits": True}, "binary_logits"),
    ("F1Score", {}, "onehot"),
    ("F1Score", {"average": "micro"}, "onehot"),
    ("F1Score", {"average": "macro", "threshold": 0.3}, "onehot"),
    ("FBetaScore", {"beta": 2.0, "average": "weighted"}, "onehot"),
    ("R2Score", {}, "real"),
    ("R2Score", {"class_aggregation": None}, "real"),
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 2}, "real"),
]
DATA["sparse_pairs"] = (_labels.astype("int32")[:, None], _rng.integers(0, 4, (N, 1)).astype("int32"))
NO_WEIGHTS = {"Circle", "CTC", "Dice", "Tversky"}


def label(case: tuple) -> str:
    return "-".join([case[0], *[f"{k}={v}" for k, v in case[1].items()], case[2]])

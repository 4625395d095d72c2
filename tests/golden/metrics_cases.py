"""Metrics with batches, run by real Keras (make_metrics.py) and by the tests: (class, config, batches).

A batch is the arguments of ``update_state`` and an optional dictionary with ``sample_weight`` and a ``mask`` that the
predictions carry.
"""

from __future__ import annotations

import numpy as np

_rng = np.random.default_rng(5)
REAL, PRED = (_rng.normal(size=(6, 4)).astype("float32") for _ in range(2))
POSITIVE, POSITIVE_PRED = np.abs(REAL) + 0.1, np.abs(PRED) + 0.1
PROBABILITIES = _rng.dirichlet(np.ones(4), 6).astype("float32")
LABELS = np.array([0, 3, 1, 2, 3, 1], "int32")
ONE_HOT = np.eye(4, dtype="float32")[LABELS]
MULTI = _rng.integers(0, 2, (6, 4)).astype("float32")
SCORES = _rng.random((6, 4)).round(2).astype("float32")
BINARY, SCORE = MULTI[:, 0], SCORES[:, 0]
SIGNS = MULTI * 2 - 1
WEIGHT = np.array([0.5, 2.0, 0.0, 1.0, 3.0, 0.25], "float32")
WEIGHTS = _rng.random((6, 4)).astype("float32")
MASK = np.array([True, False, True, True, False, True])
MAP, MAP_PRED = (_rng.integers(0, 3, (2, 4, 4)).astype("int32") for _ in range(2))
MAP_SCORES = _rng.random((2, 4, 4, 3)).astype("float32")
SEQUENCE, SEQUENCE_PRED = (_rng.normal(size=(2, 5, 3)).astype("float32") for _ in range(2))
TOKENS = _rng.integers(0, 3, (2, 5)).astype("int32")
STEP_MASK = np.array([[1, 1, 0, 0, 1], [1, 1, 1, 0, 0]], bool)
STEP_WEIGHT = _rng.random((2, 5)).astype("float32")


def _halves(*arrays, **options):
    """The batch in two parts, so that state accumulates."""
    cut = lambda x, part: x[part] if isinstance(x, np.ndarray) else x
    return [
        (*[a[part] for a in arrays], {k: cut(v, part) for k, v in options.items()})
        for part in (slice(0, 4), slice(4, None))
    ]


#: Class, targets and predictions of each mean of a function.
MEANS = [
    ("MeanSquaredError", REAL, PRED),
    ("RootMeanSquaredError", REAL, PRED),
    ("MeanAbsoluteError", REAL, PRED),
    ("MeanAbsolutePercentageError", REAL, PRED),
    ("MeanSquaredLogarithmicError", POSITIVE, POSITIVE_PRED),
    ("CosineSimilarity", REAL, PRED),
    ("LogCoshError", REAL, PRED),
    ("Poisson", POSITIVE, POSITIVE_PRED),
    ("KLDivergence", PROBABILITIES[::-1].copy(), PROBABILITIES),
    ("Hinge", SIGNS, PRED),
    ("SquaredHinge", SIGNS, PRED),
    ("CategoricalHinge", ONE_HOT, PRED),
    ("BinaryCrossentropy", MULTI, SCORES),
    ("CategoricalCrossentropy", ONE_HOT, PROBABILITIES),
    ("SparseCategoricalCrossentropy", LABELS, PROBABILITIES),
    ("Accuracy", LABELS[:, None], np.array([0, 3, 2, 2, 1, 1])[:, None]),
    ("BinaryAccuracy", MULTI, SCORES),
    ("CategoricalAccuracy", ONE_HOT, PROBABILITIES),
    ("SparseCategoricalAccuracy", LABELS, PROBABILITIES),
    ("PearsonCorrelation", REAL, PRED),
    ("ConcordanceCorrelation", REAL, PRED),
]
CASES: list[tuple] = []
for _name, _t, _p in MEANS:
    CASES += [(_name, {}, _halves(_t, _p)), (_name, {}, _halves(_t, _p, sample_weight=WEIGHT)),
              (_name, {}, _halves(_t, _p, mask=MASK))]  # fmt: skip
for _name in ("MeanSquaredError", "RootMeanSquaredError", "SparseCategoricalAccuracy"):
    _t = TOKENS if _name.startswith("Sparse") else SEQUENCE
    for _options in ({}, {"sample_weight": STEP_WEIGHT}, {"mask": STEP_MASK},
                     {"mask": STEP_MASK, "sample_weight": STEP_WEIGHT}):  # fmt: skip
        CASES.append((_name, {}, [(_t, SEQUENCE_PRED, _options)]))
CASES += [
    ("Mean", {}, [(REAL, {}), (PRED, {})]),
    ("Mean", {}, [(REAL, {"sample_weight": WEIGHT})]),
    ("Mean", {}, [(REAL, {"sample_weight": WEIGHTS})]),
    ("Mean", {}, [(REAL, {"sample_weight": 2.0}), (1.5, {})]),
    ("Mean", {}, [(np.float32(3.0), {"sample_weight": 2}), (np.float32(5.0), {"sample_weight": 3})]),
    ("Mean", {}, []),
    ("Sum", {}, [(REAL, {}), (1.5, {})]),
    ("Sum", {}, [(REAL, {"sample_weight": WEIGHT})]),
    ("Sum", {}, [(SEQUENCE, {"sample_weight": STEP_WEIGHT})]),
    ("Sum", {}, [(SEQUENCE, {"sample_weight": 0.5})]),
    ("Mean", {}, [(SEQUENCE, {"sample_weight": STEP_WEIGHT})]),
    ("Mean", {}, [(SEQUENCE, {"mask": STEP_MASK})]),
    ("MeanSquaredError", {}, _halves(REAL[:, 0], PRED[:, :1])),
    ("MeanSquaredError", {}, _halves(REAL, PRED, sample_weight=0.3)),
    ("CosineSimilarity", {"axis": 0}, [(REAL, PRED, {})]),
    ("PearsonCorrelation", {"axis": 0}, [(REAL, PRED, {})]),
    ("ConcordanceCorrelation", {"axis": 0}, [(REAL, PRED, {})]),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, _halves(MULTI, PRED)),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, _halves(ONE_HOT, PRED)),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, _halves(LABELS, PRED)),
    ("SparseCategoricalCrossentropy", {"ignore_class": 3}, [(LABELS, PROBABILITIES, {})]),
    ("Accuracy", {}, _halves(LABELS, LABELS[::-1].copy())),
    ("BinaryAccuracy", {"threshold": 0.3}, _halves(BINARY, SCORE)),
    ("BinaryAccuracy", {}, _halves(BINARY[:, None], SCORES[:, :1], sample_weight=WEIGHT)),
    ("SparseCategoricalAccuracy", {}, _halves(LABELS[:, None], PROBABILITIES)),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, _halves(LABELS, PROBABILITIES)),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, _halves(LABELS, PROBABILITIES, sample_weight=WEIGHT)),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, [(LABELS, np.argsort(-PROBABILITIES), {})]),
    ("TopKCategoricalAccuracy", {"k": 2}, _halves(ONE_HOT, PROBABILITIES)),
    ("TopKCategoricalAccuracy", {}, _halves(ONE_HOT, PROBABILITIES)),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, [(TOKENS, SEQUENCE_PRED, {})]),
]
for _name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives", "Precision", "Recall"):
    CASES += [
        (_name, {}, _halves(BINARY, SCORE)),
        (_name, {}, _halves(MULTI, SCORES, sample_weight=WEIGHT)),
        (_name, {"thresholds": [0.8, 0.0, 0.3, 1.0]}, _halves(BINARY, SCORE, sample_weight=WEIGHT)),
        (_name, {"thresholds": 0.37}, [(BINARY[:, None], SCORES[:, :1], {"sample_weight": WEIGHT[:, None]})]),
    ]
for _name in ("Precision", "Recall"):
    CASES += [
        (_name, {"top_k": 2}, _halves(MULTI, SCORES)),
        (_name, {"top_k": 2, "thresholds": 0.6}, _halves(MULTI, SCORES)),
        (_name, {"class_id": 1}, _halves(MULTI, SCORES)),
        (_name, {"class_id": 1, "top_k": 2}, _halves(MULTI, SCORES, sample_weight=WEIGHT)),
        (_name, {}, [(BINARY * 0, SCORE * 0, {})]),
    ]
for _curve in ("ROC", "PR"):
    for _method in ("interpolation", "minoring", "majoring"):
        _config = {"curve": _curve, "summation_method": _method}
        CASES += [
            ("AUC", _config, _halves(BINARY, SCORE)),
            ("AUC", {**_config, "num_thresholds": 5}, _halves(BINARY, SCORE, sample_weight=WEIGHT)),
            ("AUC", {**_config, "thresholds": [0.3, 0.6]}, _halves(MULTI, SCORES)),
            ("AUC", {**_config, "multi_label": True, "num_labels": 4}, _halves(MULTI, SCORES)),
        ]
CASES += [
    ("AUC", {}, [(BINARY * 0, SCORE, {})]),
    ("AUC", {"curve": "PR"}, [(BINARY * 0 + 1, SCORE, {})]),
    ("AUC", {"from_logits": True}, _halves(BINARY, PRED[:, 0])),
    ("AUC", {"multi_label": True, "label_weights": [1.0, 2.0, 0.0, 0.5]}, _halves(MULTI, SCORES)),
    ("AUC", {"multi_label": True, "num_labels": 4, "from_logits": True}, _halves(MULTI, PRED, sample_weight=WEIGHT)),
]
for _name in ("F1Score", "FBetaScore"):
    for _average in (None, "micro", "macro", "weighted"):
        CASES += [
            (_name, {"average": _average}, _halves(ONE_HOT, PROBABILITIES)),
            (_name, {"average": _average, "threshold": 0.4}, _halves(MULTI, SCORES, sample_weight=WEIGHT)),
        ]
CASES += [("FBetaScore", {"beta": 2.0, "threshold": 0.5}, _halves(MULTI, SCORES))]
for _average in (None, "uniform_average", "variance_weighted_average"):
    CASES += [
        ("R2Score", {"class_aggregation": _average}, _halves(REAL, PRED)),
        ("R2Score", {"class_aggregation": _average}, _halves(REAL, PRED, sample_weight=WEIGHT)),
    ]
CASES += [("R2Score", {"num_regressors": 2}, _halves(REAL[:, :1], PRED[:, :1]))]
for _name, _bound in (("SensitivityAtSpecificity", "specificity"), ("SpecificityAtSensitivity", "sensitivity"),
                      ("PrecisionAtRecall", "recall"), ("RecallAtPrecision", "precision")):  # fmt: skip
    for _value in (0.0, 0.3, 0.6, 1.0):
        CASES += [
            (_name, {_bound: _value}, _halves(BINARY, SCORE)),
            (_name, {_bound: _value, "num_thresholds": 4}, _halves(MULTI, SCORES, sample_weight=WEIGHT)),
        ]
    CASES += [
        (_name, {_bound: 0.4, "class_id": 2}, _halves(MULTI, SCORES)),
        (_name, {_bound: 0.4, "num_thresholds": 1}, _halves(BINARY, SCORE)),
    ]
CASES += [
    ("MeanIoU", {"num_classes": 3}, [(MAP[:1], MAP_PRED[:1], {}), (MAP[1:], MAP_PRED[1:], {})]),
    ("MeanIoU", {"num_classes": 5}, [(MAP, MAP_PRED, {})]),
    ("MeanIoU", {"num_classes": 3, "ignore_class": 1}, [(MAP, MAP_PRED, {})]),
    ("MeanIoU", {"num_classes": 3, "dtype": "float32"}, [(LABELS % 3, LABELS[::-1] % 3, {"sample_weight": WEIGHT})]),
    ("MeanIoU", {"num_classes": 3}, [(LABELS % 3, LABELS[::-1] % 3, {"sample_weight": WEIGHT})]),
    ("MeanIoU", {"num_classes": 3, "sparse_y_pred": False}, [(MAP, MAP_SCORES, {})]),
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, [(MAP, MAP_PRED, {})]),
    ("IoU", {"num_classes": 4, "target_class_ids": [3]}, [(MAP, MAP_PRED, {})]),
    ("IoU", {"num_classes": 3, "target_class_ids": [1], "ignore_class": 0}, [(MAP, MAP_PRED, {})]),
    ("OneHotIoU", {"num_classes": 3, "target_class_ids": [0, 1]}, [(np.eye(3, dtype="f4")[MAP], MAP_SCORES, {})]),
    ("OneHotMeanIoU", {"num_classes": 3, "sparse_y_pred": True}, [(np.eye(3, dtype="f4")[MAP], MAP_PRED, {})]),
    ("BinaryIoU", {}, _halves(BINARY, SCORE)),
    ("BinaryIoU", {"target_class_ids": (1,), "threshold": 0.3}, _halves(BINARY, SCORE, sample_weight=WEIGHT)),
]

#: What the classes need besides defaults, for their configurations.
NEEDED: dict[str, dict] = {
    "IoU": {"num_classes": 3, "target_class_ids": [0]}, "MeanIoU": {"num_classes": 3},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0]}, "OneHotMeanIoU": {"num_classes": 3},
    "SensitivityAtSpecificity": {"specificity": 0.5}, "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "PrecisionAtRecall": {"recall": 0.5}, "RecallAtPrecision": {"precision": 0.5},
}  # fmt: skip
CLASSES = sorted({case[0] for case in CASES})
NAMES = """mse MSE mae MAE mape MAPE msle MSLE bce BCE auc f1_score cosine_similarity hinge squared_hinge
categorical_hinge poisson kl_divergence accuracy binary_accuracy categorical_accuracy sparse_categorical_accuracy
top_k_categorical_accuracy precision recall true_positives r2_score pearson_correlation concordance_correlation
MeanSquaredError AUC Precision""".split()

"""Losses with inputs for real Keras (make_loss_options.py) and the tests: (class, config, y_true, y_pred, options).

The options are those of a loss's call (``sample_weight``) and a ``mask`` that the predictions carry.
"""

from __future__ import annotations

import numpy as np

_rng = np.random.default_rng(11)
REAL = _rng.normal(size=(5, 4)).astype("float32")
PRED = _rng.normal(size=(5, 4)).astype("float32")
POSITIVE, POSITIVE_PRED = np.abs(REAL) + 0.1, np.abs(PRED) + 0.1
SEQUENCE, SEQUENCE_PRED = (_rng.normal(size=(3, 4, 2)).astype("float32") for _ in range(2))
LOGITS = (_rng.normal(size=(5, 4)) * 1.5).astype("float32")
PROBABILITIES = (np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)).astype("float32")
UNNORMALISED = (PROBABILITIES * 0.7).astype("float32")
LABELS = np.array([0, 3, 1, 2, 3], "int32")
ONE_HOT = np.eye(4, dtype="float32")[LABELS]
SOFT = _rng.dirichlet(np.ones(4), 5).astype("float32")
BINARY = np.array([[1, 0, 0, 1], [0, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 0, 1]], "float32")
SIGMOID = (1 / (1 + np.exp(-LOGITS))).astype("float32")
SIGNS = BINARY * 2 - 1
IMAGE_LABELS = _rng.integers(0, 4, (2, 3, 3)).astype("int32")
IMAGE_LOGITS = _rng.normal(size=(2, 3, 3, 4)).astype("float32")
UNIT = (PRED / np.linalg.norm(PRED, axis=-1, keepdims=True)).astype("float32")
GROUPS = np.array([0, 1, 0, 1, 1], "int32")
WEIGHT = np.array([0.5, 2.0, 0.0, 1.0, 3.0], "float32")
MASK = np.array([True, False, True, True, False])
STEP_WEIGHT = _rng.random((3, 4)).astype("float32")
STEP_MASK = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0]], bool)
CTC_LABELS = np.array([[1, 2, 2], [3, 1, 0], [1, 1, 1]], "int32")
CTC_LOGITS = _rng.normal(size=(3, 8, 4)).astype("float32")

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)

#: Class, y_true, y_pred of each loss with its defaults.
PLAIN = [
    ("MeanSquaredError", REAL, PRED),
    ("MeanAbsoluteError", REAL, PRED),
    ("MeanAbsolutePercentageError", REAL, PRED),
    ("MeanSquaredLogarithmicError", POSITIVE, POSITIVE_PRED),
    ("CosineSimilarity", REAL, PRED),
    ("LogCosh", REAL, PRED),
    ("Huber", REAL, PRED),
    ("Poisson", POSITIVE, POSITIVE_PRED),
    ("KLDivergence", SOFT, PROBABILITIES),
    ("Hinge", SIGNS, PRED),
    ("SquaredHinge", SIGNS, PRED),
    ("CategoricalHinge", ONE_HOT, PRED),
    ("BinaryCrossentropy", BINARY, SIGMOID),
    ("BinaryFocalCrossentropy", BINARY, SIGMOID),
    ("CategoricalCrossentropy", ONE_HOT, PROBABILITIES),
    ("CategoricalFocalCrossentropy", ONE_HOT, PROBABILITIES),
    ("CategoricalGeneralizedCrossEntropy", LABELS, PROBABILITIES),
    ("SparseCategoricalCrossentropy", LABELS, PROBABILITIES),
    ("Dice", BINARY, SIGMOID),
    ("Tversky", BINARY, SIGMOID),
    ("Circle", GROUPS, UNIT),
    ("CTC", CTC_LABELS, CTC_LOGITS),
]

CASES: list[tuple] = [(name, {}, t, p, {}) for name, t, p in PLAIN]
CASES += [
    (name, {"reduction": "none"}, t, p, {}) for name, t, p in PLAIN if name not in ("Dice", "Tversky")
]
CASES += [
    (name, {}, t, p, {"sample_weight": WEIGHT}) for name, t, p in PLAIN if name not in ("Dice", "Tversky", "CTC")
]
for _name, _t, _p in (("MeanSquaredError", REAL, PRED), ("SparseCategoricalCrossentropy", LABELS, PROBABILITIES)):
    for _reduction in REDUCTIONS:
        for _options in (
            {"sample_weight": WEIGHT},
            {"mask": MASK},
            {"mask": MASK, "sample_weight": WEIGHT},
            {"sample_weight": WEIGHT[:, None]},
        ):
            CASES.append((_name, {"reduction": _reduction}, _t, _p, _options))
CASES += [
    # Weights and masks of sequences, and of a single number.
    ("MeanSquaredError", {}, SEQUENCE, SEQUENCE_PRED, {"sample_weight": STEP_WEIGHT}),
    ("MeanSquaredError", {}, SEQUENCE, SEQUENCE_PRED, {"sample_weight": STEP_WEIGHT[:, :1]}),
    ("MeanSquaredError", {}, SEQUENCE, SEQUENCE_PRED, {"mask": STEP_MASK}),
    ("MeanSquaredError", {}, SEQUENCE, SEQUENCE_PRED, {"mask": STEP_MASK, "sample_weight": STEP_WEIGHT}),
    ("MeanSquaredError", {"reduction": "mean_with_sample_weight"}, SEQUENCE, SEQUENCE_PRED, {"mask": STEP_MASK}),
    ("MeanSquaredError", {}, REAL, PRED, {"sample_weight": 0.25}),
    ("MeanSquaredError", {}, REAL, PRED, {"mask": np.zeros(5, bool)}),
    ("MeanSquaredError", {"reduction": "mean_with_sample_weight"}, REAL, PRED, {"sample_weight": np.zeros(5, "f4")}),
    # Targets of another rank or dtype.
    ("MeanSquaredError", {}, REAL[:, 0], PRED[:, :1], {}),
    ("MeanAbsoluteError", {}, REAL[:, :1], PRED[:, 0], {}),
    ("MeanAbsoluteError", {}, REAL[:, :1], PRED, {}),
    ("MeanSquaredError", {}, LABELS[:, None], PRED[:, :1], {}),
    ("MeanAbsoluteError", {"dtype": "float64"}, REAL, PRED, {}),
    ("BinaryCrossentropy", {}, BINARY[:, 0].astype(bool), SIGMOID[:, :1], {}),
    # Arguments of each family.
    ("Huber", {"delta": 0.5}, REAL, PRED, {}),
    ("CosineSimilarity", {"axis": 0}, REAL, PRED, {}),
    ("Hinge", {}, BINARY, PRED, {}),
    ("SquaredHinge", {}, BINARY, PRED, {}),
    ("CategoricalHinge", {}, ONE_HOT, -POSITIVE_PRED, {}),
    ("KLDivergence", {}, ONE_HOT, ONE_HOT[::-1].copy(), {}),
    ("BinaryCrossentropy", {"from_logits": True}, BINARY, LOGITS, {}),
    ("BinaryCrossentropy", {"from_logits": True}, BINARY, LOGITS * 100, {}),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, BINARY, SIGMOID, {}),
    ("BinaryCrossentropy", {"axis": 0, "reduction": None}, BINARY, SIGMOID, {}),
    ("BinaryCrossentropy", {}, BINARY, 1 - BINARY, {}),
    ("BinaryFocalCrossentropy", {"from_logits": True, "gamma": 1.5}, BINARY, LOGITS, {}),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.3, "label_smoothing": 0.1}, BINARY,
     SIGMOID, {}),
    ("CategoricalCrossentropy", {"from_logits": True}, ONE_HOT, LOGITS, {}),
    ("CategoricalCrossentropy", {"from_logits": True}, ONE_HOT, LOGITS * 100, {}),
    ("CategoricalCrossentropy", {"label_smoothing": 0.3}, ONE_HOT, PROBABILITIES, {}),
    ("CategoricalCrossentropy", {}, SOFT, UNNORMALISED, {}),
    ("CategoricalCrossentropy", {}, ONE_HOT, ONE_HOT[::-1].copy(), {}),
    ("CategoricalCrossentropy", {"axis": 1, "from_logits": True},
     np.moveaxis(np.eye(4, dtype="f4")[IMAGE_LABELS], -1, 1), np.moveaxis(IMAGE_LOGITS, -1, 1), {}),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "alpha": 0.5, "gamma": 1.0}, ONE_HOT, LOGITS, {}),
    ("CategoricalFocalCrossentropy", {"label_smoothing": 0.1}, ONE_HOT, UNNORMALISED, {}),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.8}, LABELS, PROBABILITIES, {}),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS, LOGITS, {}),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS[:, None], LOGITS, {}),
    ("SparseCategoricalCrossentropy", {}, LABELS.astype("float32"), UNNORMALISED, {}),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, IMAGE_LABELS, IMAGE_LOGITS, {}),
    ("SparseCategoricalCrossentropy", {"ignore_class": 3}, LABELS, PROBABILITIES, {}),
    ("SparseCategoricalCrossentropy", {"ignore_class": -1, "from_logits": True, "reduction": None},
     np.array([0, -1, 2, -1, 1]), LOGITS, {}),
    ("SparseCategoricalCrossentropy", {"ignore_class": 3}, LABELS, PROBABILITIES, {"sample_weight": WEIGHT}),
    ("Dice", {"axis": (1,), "reduction": None}, BINARY, SIGMOID, {}),
    ("Tversky", {"alpha": 0.3, "beta": 0.7, "axis": (1,), "reduction": None}, BINARY, SIGMOID, {}),
    ("Circle", {"gamma": 10.0, "margin": 0.2}, GROUPS[:, None], UNIT, {}),
    ("Circle", {"remove_diagonal": False}, GROUPS, UNIT, {}),
    ("Circle", {}, LABELS, UNIT, {}),  # classes of one sample
    ("CTC", {"reduction": "sum"}, CTC_LABELS[:, :2], CTC_LOGITS[:, :5], {}),
]  # fmt: skip

#: Names that get() knows.
NAMES = """mse MSE mae MAE mape MAPE msle MSLE kld KLD bce BCE huber poisson hinge squared_hinge
categorical_hinge mean_squared_error mean_absolute_error cosine_similarity kl_divergence log_cosh dice tversky circle
ctc binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy binary_focal_crossentropy
categorical_focal_crossentropy MeanSquaredError Huber KLDivergence LogCosh""".split()

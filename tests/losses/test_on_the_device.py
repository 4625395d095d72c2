"""Training steps with each of the losses, replayed as a CUDA graph, beside those of the CPU."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import deepkit
from deepkit import backend, layers, losses

BATCH, STEPS = 8, 5
RNG = np.random.default_rng(0)
X = RNG.random((BATCH * STEPS, 3), "float32")
LABELS = RNG.integers(0, 3, BATCH * STEPS)
ONE_HOT, BINARY = np.eye(3, dtype="float32")[LABELS], (RNG.random(X.shape) < 0.5).astype("float32")
SEQUENCES, WORDS = RNG.random((BATCH * STEPS, 9, 3), "float32"), RNG.integers(1, 5, (BATCH * STEPS, 3))

NUMBERS = ["MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError",
           "Huber", "LogCosh", "CosineSimilarity", "Poisson", "KLDivergence"]  # fmt: skip
CASES = {
    **{name: (name, {}, np.flip(X, 0)) for name in NUMBERS},
    **{name: (name, {}, BINARY) for name in ("Hinge", "SquaredHinge", "Dice", "Tversky")},
    **{f"{name} {logits}": (name, {"from_logits": logits}, BINARY)
       for name in ("BinaryCrossentropy", "BinaryFocalCrossentropy") for logits in (False, True)},
    **{f"{name} {logits}": (name, {"from_logits": logits}, ONE_HOT)
       for name in ("CategoricalCrossentropy", "CategoricalFocalCrossentropy") for logits in (False, True)},
    "CategoricalHinge": ("CategoricalHinge", {}, ONE_HOT),
    "SparseCategoricalCrossentropy False": ("SparseCategoricalCrossentropy", {}, LABELS),
    "SparseCategoricalCrossentropy True": ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS),
    "CategoricalGeneralizedCrossEntropy": ("CategoricalGeneralizedCrossEntropy", {}, LABELS),
    "Circle": ("Circle", {}, LABELS),
    "CTC": ("CTC", {}, WORDS),
}  # fmt: skip


def trained(case):
    """The weights and mean loss after an epoch, and what was said about the graph."""
    name, params, y = CASES[case]
    deepkit.utils.set_random_seed(1)
    x, logits = (SEQUENCES, True) if name == "CTC" else (X, params.get("from_logits"))
    model = deepkit.Sequential([layers.Dense(5 if name == "CTC" else 3, activation=None if logits else "sigmoid")])
    model.compile("sgd", getattr(losses, name)(**params))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = model.fit(x, y, batch_size=BATCH, verbose=0, shuffle=False)
    return model.get_weights(), history.history["loss"], [str(w.message) for w in caught if "graph" in str(w.message)]


@pytest.mark.parametrize("case", CASES)
def test_a_graph_holds_the_step(gpu, case):
    with deepkit.device("cpu"):
        expected, loss, _ = trained(case)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend.cuda, "load", backend.cuda.kernel_module)
        with deepkit.device("gpu"):
            found, its_loss, said = trained(case)
    assert said == []
    np.testing.assert_allclose(its_loss, loss, rtol=1e-4)
    for a, b in zip(found, expected):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)

"""The same weights and batches give the losses that real Keras gives (golden values of Keras 3.15 on JAX)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deepkit
from tests.golden.training_cases import BATCH, MODELS, OPTIMIZERS, STEPS

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "training.npz")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", MODELS)
def test_twenty_steps(name, optimizer, device):
    model = deepkit.Sequential(MODELS[name](deepkit))
    model.set_weights([GOLDEN[f"{name}/weight{i}"] for i in range(len(model.weights))])
    model.compile(OPTIMIZERS[optimizer](deepkit), "sparse_categorical_crossentropy")
    losses = []
    for i in range(STEPS):
        part = slice(i * BATCH, (i + 1) * BATCH)
        model.reset_metrics()
        losses.append(model.train_on_batch(GOLDEN[f"{name}/x"][part], GOLDEN[f"{name}/y"][part]))
    np.testing.assert_allclose(losses, GOLDEN[f"{name}/{optimizer}/losses"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_fit_equals_the_steps_one_by_one(name, device):
    def losses(run):
        model = deepkit.Sequential(MODELS[name](deepkit))
        model.set_weights([GOLDEN[f"{name}/weight{i}"] for i in range(len(model.weights))])
        model.compile(OPTIMIZERS["adam"](deepkit), "sparse_categorical_crossentropy")
        run(model)
        return model.get_weights()

    x, y = GOLDEN[f"{name}/x"], GOLDEN[f"{name}/y"]

    def by_hand(model):
        for i in range(STEPS):
            model.train_on_batch(x[i * BATCH : (i + 1) * BATCH], y[i * BATCH : (i + 1) * BATCH])

    fitted = losses(lambda model: model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0))
    for a, b in zip(fitted, losses(by_hand)):
        np.testing.assert_array_equal(a, b)

"""Makes training.npz with real Keras: ``KERAS_BACKEND=jax python tests/golden/make_training.py``."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from training_cases import BATCH, MODELS, OPTIMIZERS, STEPS

out = {}
for name, layers in MODELS.items():
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(5)
    first = keras.Sequential(layers(keras))
    labels = rng.integers(0, 3, STEPS * BATCH)
    x = rng.normal(size=(STEPS * BATCH, *first.input_shape[1:])) + labels.reshape(
        -1, *[1] * (len(first.input_shape) - 1)
    )
    x = x.astype("float32")
    weights = first.get_weights()
    out[f"{name}/x"], out[f"{name}/y"] = x.astype("float16").astype("float32"), labels
    for i, w in enumerate(weights):
        out[f"{name}/weight{i}"] = w
    for kind, make in OPTIMIZERS.items():
        model = keras.Sequential(layers(keras))
        model.set_weights(weights)
        model.compile(make(keras), "sparse_categorical_crossentropy")
        losses = []
        for i in range(STEPS):
            part = slice(i * BATCH, (i + 1) * BATCH)
            model.reset_metrics()
            losses.append(model.train_on_batch(out[f"{name}/x"][part], labels[part]))
        out[f"{name}/{kind}/losses"] = np.array(losses, "float32")
np.savez_compressed(Path(__file__).with_name("training.npz"), **out)

"""Makes mixed.npz with real Keras: ``KERAS_BACKEND=jax python tests/golden/make_mixed.py``."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from mixed_cases import MODELS, POLICIES, STEPS

out = {}
for policy in POLICIES:
    keras.config.set_dtype_policy(policy)
    for name, make in MODELS.items():
        rng = np.random.default_rng(len(name))
        model = make(keras)
        shape = (8, *model.input_shape[1:])
        x = rng.integers(0, 7, shape) if name == "sequence" else rng.normal(size=shape).astype("float32")
        y = rng.uniform(size=(8, 2)).astype("float32")
        weights = [rng.normal(size=v.shape, scale=0.5).astype("float32") for v in model.weights]
        weights = [abs(w) if "variance" in v.name else w for v, w in zip(model.weights, weights)]
        model.set_weights(weights)
        key = f"{policy}/{name}"
        prediction = model(x)
        dtype = keras.backend.standardize_dtype(prediction.dtype)
        out |= {f"{key}/x": x, f"{key}/y": y, f"{key}/dtype": np.array(dtype)}
        out[f"{key}/prediction"] = np.asarray(prediction, "float32")
        for i, w in enumerate(weights):
            out[f"{key}/weight{i}"] = w
        model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "mse")
        out[f"{key}/optimizer"] = np.array(type(model.optimizer).__name__)
        out[f"{key}/losses"] = np.array([float(model.train_on_batch(x, y)) for _ in range(STEPS)])
        for i, v in enumerate(model.weights):
            out[f"{key}/trained{i}"] = np.asarray(v)
np.savez_compressed(Path(__file__).with_name("mixed.npz"), **out)

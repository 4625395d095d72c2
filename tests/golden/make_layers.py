"""Makes layers.npz with real Keras: ``KERAS_BACKEND=jax python tests/golden/make_layers.py``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from layer_cases import CASES

out = {}
for name, (make, shapes, training) in CASES.items():
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(len(name))
    xs = [rng.normal(size=s).astype("float32") for s in shapes]
    layer = make(keras)
    y = (
        layer(xs if len(xs) > 1 else xs[0], training=training)
        if training
        else layer(xs if len(xs) > 1 else xs[0])
    )
    for i, w in enumerate(layer.get_weights()):  # in training, the moving averages as they stand afterwards
        out[f"{name}/{'after' if training else 'weight'}{i}"] = w
    for i, x in enumerate(xs):
        out[f"{name}/x{i}"] = x
    out[f"{name}/y"] = np.asarray(y)
    config = {k: v for k, v in layer.get_config().items() if k not in ("name", "dtype")}
    out[f"{name}/config"] = np.array(
        json.dumps(
            keras.saving.serialize_keras_object(config),
            sort_keys=True,
            default=lambda v: np.asarray(v).tolist(),
        )
    )
np.savez_compressed(Path(__file__).with_name("layers.npz"), **out)

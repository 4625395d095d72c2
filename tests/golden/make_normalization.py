"""Makes normalization.npz with real Keras: ``KERAS_BACKEND=torch python tests/golden/make_normalization.py``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from normalization_cases import CASES, STEPS

out = {}


def values(x):
    return x.detach().numpy() if hasattr(x, "detach") else np.asarray(x)


for label, make, shape in CASES:
    rng = np.random.default_rng(len(label))
    layer = make(keras.layers)
    layer.build(shape)
    kept = "kernel" if label.endswith("zeros") else "nothing"
    weights = [v.numpy() if kept in v.name else rng.uniform(0.5, 1.5, v.shape) for v in layer.weights]
    layer.set_weights(weights)
    xs = rng.normal(size=(STEPS, *shape), loc=0.5).astype("float32")
    out[f"{label}/x"] = xs
    out[f"{label}/names"] = np.array(json.dumps([v.name for v in layer.weights]))
    for i, w in enumerate(weights):
        out[f"{label}/weight{i}"] = np.asarray(w, "float32")
    for s, x in enumerate(xs):
        for v in layer.trainable_variables:
            v.value.grad = None
        x = keras.ops.convert_to_tensor(x).requires_grad_()
        y = layer(x, training=True)
        keras.ops.sum(keras.ops.sin(y)).backward()
        out[f"{label}/y{s}"] = values(y)
    out[f"{label}/gradient"] = values(x.grad)
    for i, v in enumerate(layer.trainable_variables):
        out[f"{label}/gradient{i}"] = values(v.value.grad)
    for i, v in enumerate(layer.weights):
        out[f"{label}/after{i}"] = values(v.value)
    out[f"{label}/inference"] = values(layer(keras.ops.convert_to_tensor(xs[0])))
    config = {key: value for key, value in layer.get_config().items() if key not in ("name", "layer", "dtype")}
    out[f"{label}/config"] = np.array(json.dumps(config, sort_keys=True))
np.savez_compressed(Path(__file__).with_name("normalization.npz"), **out)

"""Makes attention.npz with real Keras: ``KERAS_BACKEND=torch python tests/golden/make_attention.py``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from attention_cases import CASES, arguments

out = {}
for name, case in CASES.items():
    make, shapes, _ = case
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(len(name))
    xs = [rng.normal(size=shape).astype("float32") for shape in shapes]
    layer = make(keras.layers)
    config = {k: v for k, v in layer.get_config().items() if k not in ("name", "dtype")}
    args, kwargs = arguments(case, xs, keras.ops.convert_to_tensor)
    layer(*args, **kwargs)
    weights = [rng.normal(size=w.shape).astype("float32") for w in layer.get_weights()]
    layer.set_weights(weights)
    for i, x in enumerate(xs):
        out[f"{name}/x{i}"] = x
    for i, w in enumerate(weights):
        out[f"{name}/weight{i}"] = w
    for i, y in enumerate(keras.tree.flatten(layer(*args, **kwargs))):
        out[f"{name}/y{i}"] = keras.ops.convert_to_numpy(y)
    out[f"{name}/paths"] = np.array([w.path.split("/", 1)[1] for w in layer.weights])
    out[f"{name}/config"] = np.array(json.dumps(keras.saving.serialize_keras_object(config), sort_keys=True))
np.savez_compressed(Path(__file__).with_name("attention.npz"), **out)

"""Makes recurrent.npz with real Keras: ``KERAS_BACKEND=jax python tests/golden/make_recurrent.py``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from recurrent_cases import CASES, MASK

out = {}
for name, (make, shape, options) in CASES.items():
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(len(name))
    x = rng.normal(size=shape).astype("float32")
    kwargs = {}
    if options.get("mask"):
        kwargs["mask"] = np.array(MASK, bool)
    if "states" in options:
        states = [rng.normal(size=(shape[0], n)).astype("float32") for n in options["states"]]
        kwargs["initial_state"] = [keras.ops.convert_to_tensor(s) for s in states]
        for i, s in enumerate(states):
            out[f"{name}/state{i}"] = s
    layer = make(keras.layers)
    layer.build(shape)
    weights = [rng.normal(size=w.shape, scale=0.5).astype("float32") for w in layer.get_weights()]
    layer.set_weights(weights)
    ys = keras.tree.flatten(layer(x, **kwargs))
    out[f"{name}/x"] = x
    for i, w in enumerate(weights):
        out[f"{name}/weight{i}"] = w
    for i, y in enumerate(ys):
        out[f"{name}/y{i}"] = np.asarray(y)
    config = {k: v for k, v in make(keras.layers).get_config().items() if k not in ("name", "dtype")}
    out[f"{name}/config"] = np.array(
        json.dumps(
            keras.saving.serialize_keras_object(config),
            sort_keys=True,
            default=lambda v: np.asarray(v).tolist(),
        )
    )
np.savez_compressed(Path(__file__).with_name("recurrent.npz"), **out)

"""Makes more_ops.npz with real Keras: ``KERAS_BACKEND=jax python tests/golden/make_more_ops.py``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from more_ops_cases import CASES, LAYERS, layer_input

if __name__ == "__main__":
    import keras

    found = {}
    for i, (name, args, kwargs) in enumerate(CASES):
        out = getattr(keras.ops, name)(*args, **kwargs)
        outs = out if isinstance(out, (tuple, list)) else [out]
        for j, part in enumerate(outs):
            found[f"{i}.{j}"] = np.asarray(part)
    for i, (name, kwargs, shape) in enumerate(LAYERS):
        layer = getattr(keras.layers, name)(**kwargs)
        found[f"layer.{i}"] = np.asarray(layer(layer_input(shape)))
        own = {key: value for key, value in layer.get_config().items() if key not in ("name", "dtype", "trainable")}
        found[f"config.{i}"] = np.array(json.dumps({**own, "weights": [w.path.split("/")[-1] for w in layer.weights]}))
    np.savez_compressed(Path(__file__).with_name("more_ops.npz"), **found)

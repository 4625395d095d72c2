"""Makes optimizers2.npz with real Keras: run with ``KERAS_BACKEND=jax`` first, then with ``KERAS_BACKEND=torch``.

Loss scaling can't run outside of a compiled step with JAX, so the second run adds its cases; everything else is JAX's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from optimizers2_cases import CASES, OVERFLOW, STEPS, VARIABLES

PATH = Path(__file__).with_name("optimizers2.npz")
second = keras.backend.backend() == "torch"
rng = np.random.default_rng(1)
weights = [rng.normal(size=shape).astype("float32") for shape, _ in VARIABLES]
gradients = [rng.normal(size=(STEPS, *shape)).astype("float32") for shape, _ in VARIABLES]
out = {f"weight{i}": w for i, w in enumerate(weights)} | {f"gradient{i}": g for i, g in enumerate(gradients)}
if second:
    out = dict(np.load(PATH))
for label, make in CASES:
    if label.startswith("LossScale") != second:
        continue
    variables = [keras.Variable(w, name=name) for w, (_, name) in zip(weights, VARIABLES)]
    optimizer = make(keras.optimizers)
    for s in range(STEPS):
        grads = [g[s].copy() for g in gradients]
        if s == OVERFLOW and label.startswith("LossScale"):
            grads[0][0, 0] = np.inf
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in grads], variables)
    out[f"{label}/values"] = np.concatenate([np.asarray(v).ravel() for v in variables])
    out[f"{label}/state"] = np.concatenate([np.asarray(v, "float64").ravel() for v in optimizer.variables])
    out[f"{label}/shapes"] = np.array(json.dumps([list(v.shape) for v in optimizer.variables]))
    config = {k: v for k, v in optimizer.get_config().items() if k not in ("name", "inner_optimizer", "optimizer_map")}
    out[f"{label}/config"] = np.array(json.dumps(config, sort_keys=True))
np.savez_compressed(PATH, **out)

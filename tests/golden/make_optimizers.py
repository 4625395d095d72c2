"""Makes optimizers.npz with real Keras: ``KERAS_BACKEND=jax python tests/golden/make_optimizers.py``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from optimizer_cases import CONSTRAINTS, OPTIMIZERS, REGULARIZERS, SCHEDULES, SHAPES, STEPS, label

rng = np.random.default_rng(0)
out = {}
weights = [rng.normal(size=s).astype("float32") for s in SHAPES]
gradients = [[rng.normal(size=s).astype("float32") for s in SHAPES] for _ in range(STEPS)]
for i, w in enumerate(weights):
    out[f"weight{i}"] = w
    out[f"gradient{i}"] = np.stack([g[i] for g in gradients])


def config(obj):
    return json.dumps({k: v for k, v in obj.get_config().items() if k != "name"}, sort_keys=True)


for name, kwargs in OPTIMIZERS:
    variables = [keras.Variable(w, name=f"v{i}") for i, w in enumerate(weights)]
    optimizer = getattr(keras.optimizers, name)(**kwargs)
    for g in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(x) for x in g], variables)
    key = label(name, kwargs)
    out[f"{key}/values"] = np.concatenate([np.asarray(v).ravel() for v in variables])
    out[f"{key}/state"] = np.concatenate([np.asarray(v, "float64").ravel() for v in optimizer.variables])
    out[f"{key}/config"] = np.array(config(optimizer))
for i, (name, args) in enumerate(SCHEDULES):
    schedule = getattr(keras.optimizers.schedules, name)(*args)
    out[f"schedule{i}"] = np.array([float(schedule(s)) for s in range(40)])
    out[f"schedule{i}/config"] = np.array(json.dumps(schedule.get_config(), sort_keys=True))
for name, kwargs in REGULARIZERS:
    regularizer = getattr(keras.regularizers, name)(**kwargs)
    out[f"{label(name, kwargs)}/value"] = np.asarray(regularizer(keras.ops.convert_to_tensor(weights[0])))
    out[f"{label(name, kwargs)}/config"] = np.array(config(regularizer))
for name, kwargs in CONSTRAINTS:
    constraint = getattr(keras.constraints, name)(**kwargs)
    out[f"{label(name, kwargs)}/value"] = np.asarray(constraint(keras.ops.convert_to_tensor(weights[0])))
    out[f"{label(name, kwargs)}/config"] = np.array(config(constraint))
np.savez_compressed(Path(__file__).with_name("optimizers.npz"), **out)

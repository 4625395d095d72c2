"""Makes losses.npz with real Keras: ``KERAS_BACKEND=jax python tests/golden/make_losses.py``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from loss_cases import DATA, LOSSES, METRICS, NO_WEIGHTS, WEIGHTS, N

out = {}
for i, (name, kwargs, kind) in enumerate(LOSSES):
    loss = getattr(keras.losses, name)(**kwargs)
    t, p = DATA[kind]
    out[f"loss{i}"] = np.asarray(loss(t, p))
    out[f"loss{i}/config"] = np.array(json.dumps(loss.get_config(), sort_keys=True))
    if name not in NO_WEIGHTS:
        out[f"loss{i}/weighted"] = np.asarray(loss(t, p, sample_weight=WEIGHTS))
for i, (name, kwargs, kind) in enumerate(METRICS):
    t, p = DATA[kind]
    for weighted in (False, True):
        metric = getattr(keras.metrics, name)(**kwargs)
        for part in (slice(0, 5), slice(5, 9), slice(9, N)):
            metric.update_state(t[part], p[part], sample_weight=WEIGHTS[part] if weighted else None)
        out[f"metric{i}/{int(weighted)}"] = np.asarray(metric.result())
    config = metric.get_config()
    config.pop("dtype", None)
    config.pop("name", None)
    out[f"metric{i}/config"] = np.array(json.dumps(config, sort_keys=True, default=lambda x: np.asarray(x).tolist()))
np.savez_compressed(Path(__file__).with_name("losses.npz"), **out)

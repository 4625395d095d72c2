"""Makes metrics.npz with real Keras: ``KERAS_BACKEND=jax python tests/golden/make_metrics.py``.

Results by case number; what get_config gives and what get() finds, as JSON.
"""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from metrics_cases import CASES, CLASSES, NAMES, NEEDED

if __name__ == "__main__":
    from keras import metrics, ops, src, utils

    found = {}
    for i, (name, config, batches) in enumerate(CASES):
        metric = getattr(metrics, name)(**config)
        for *args, options in batches:
            options = dict(options)
            if "mask" in options:
                args[-1] = ops.convert_to_tensor(args[-1])
                src.backend.set_keras_mask(args[-1], ops.convert_to_tensor(options.pop("mask")))
            metric.update_state(*args, **options)
        found[str(i)] = np.asarray(metric.result())
    described = {}
    for name in CLASSES:
        utils.clear_session()
        cls = getattr(metrics, name)
        metric = cls(**NEEDED.get(name, {}))
        described[name] = {
            "config": metric.get_config(),
            "parameters": [p for p in inspect.signature(cls.__init__).parameters if p != "self"],
            "variables": [v.name for v in metric.variables],
        }
    names = {n: type(metrics.get(n)).__name__ for n in NAMES}
    found["json"] = np.asarray(json.dumps({"classes": described, "names": names}))
    np.savez_compressed(Path(__file__).with_name("metrics.npz"), **found)

"""Makes loss_options.npz with real Keras: ``KERAS_BACKEND=jax python tests/golden/make_loss_options.py``.

Values by case number; what get_config gives and what get() finds, as JSON.
"""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from loss_options_cases import CASES, NAMES, PLAIN

if __name__ == "__main__":
    from keras import losses, ops, src

    found = {}
    for i, (name, config, y_true, y_pred, options) in enumerate(CASES):
        options = dict(options)
        y_pred = ops.convert_to_tensor(y_pred)
        if "mask" in options:
            src.backend.set_keras_mask(y_pred, ops.convert_to_tensor(options.pop("mask")))
        found[str(i)] = np.asarray(getattr(losses, name)(**config)(y_true, y_pred, **options))
    described = {}
    for name, _, _ in PLAIN:
        cls = getattr(losses, name)
        described[name] = {
            "config": cls().get_config(),
            "parameters": [p for p in inspect.signature(cls.__init__).parameters if p != "self"],
        }
    names = {}
    for n in NAMES:
        loss = losses.get(n)
        names[n] = getattr(loss, "__name__", type(loss).__name__)
    found["json"] = np.asarray(json.dumps({"classes": described, "names": names}))
    np.savez_compressed(Path(__file__).with_name("loss_options.npz"), **found)

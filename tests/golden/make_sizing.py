"""Makes sizing.npz with real Keras: ``KERAS_BACKEND=jax python tests/golden/make_sizing.py``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from sizing_cases import CASES, data

out = {}
for name, (cls, arguments) in CASES.items():
    layer = getattr(keras.layers, cls)(**arguments)
    y = layer(data(arguments.get("data_format") == "channels_first"))
    out[f"{name}/images"] = np.asarray(y["images"])
    out[f"{name}/masks"] = np.asarray(y["segmentation_masks"])
    out[f"{name}/boxes"] = np.asarray(y["bounding_boxes"]["boxes"])
    out[f"{name}/box_labels"] = np.asarray(y["bounding_boxes"]["labels"])
    config = {k: v for k, v in layer.get_config().items() if k not in ("name", "dtype")}
    out[f"{name}/config"] = np.array(json.dumps(config, sort_keys=True))
np.savez_compressed(Path(__file__).with_name("sizing.npz"), **out)

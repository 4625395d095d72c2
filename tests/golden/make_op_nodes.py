"""Makes op_nodes.json and op_nodes.npz with real Keras: ``KERAS_BACKEND=jax python tests/golden/make_op_nodes.py``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from op_node_cases import CASES

x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
configs, out = {}, {"x": x}
for name, make in CASES.items():
    inputs = keras.Input((4, 3))
    model = keras.Model(inputs, make(keras.ops, inputs))
    configs[name] = json.loads(model.to_json())
    out[name] = np.asarray(model(x))
folder = Path(__file__).parent
(folder / "op_nodes.json").write_text(json.dumps({"keras": keras.__version__, "models": configs}) + "\n")
np.savez_compressed(folder / "op_nodes.npz", **out)

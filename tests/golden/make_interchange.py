"""Writes interchange/keras-<version>.tar.xz with real Keras: ``KERAS_BACKEND=torch python make_interchange.py``.

The archive is added to: the cases ``WITH_JAX`` come from ``KERAS_BACKEND=jax``, those ``WITH_TENSORFLOW`` from an
environment with TensorFlow, and the others from torch. Earlier versions of Keras write the cases ``EARLIER``.
"""

from __future__ import annotations

import io
import sys
import tempfile
import traceback
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import interchange_cases as cases

folder = Path(__file__).parent / "interchange"
path = folder / f"keras-{keras.__version__}.tar.xz"
newest = tuple(map(int, keras.__version__.split(".")[:2])) >= (3, 15)
backend = keras.backend.backend()
names = sys.argv[1:] or (cases.names(backend == "tensorflow", backend == "jax") if newest else cases.EARLIER)
members = cases.members(path) if path.exists() else {}
for name in names:
    keras.utils.set_random_seed(0)
    keras.backend.clear_session()
    try:
        model = cases.model(keras, name)
        x = cases.data(name)
        with tempfile.TemporaryDirectory() as scratch:
            file = cases.store(name, model, scratch)
            members[f"{name}.keras"] = Path(file).read_bytes()
            if not cases.continues(name):
                model = cases.whole.read(keras, name, file)
        out = {"y": cases.predictions(keras, model, x)}
        if cases.trains(name):
            out["losses"] = np.array(cases.losses(model, x, cases.STEPS_AFTER))
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **out)
        members[f"{name}.npz"] = buffer.getvalue()
    except Exception:
        print("FAILED", name)
        traceback.print_exc(limit=-2)
cases.pack(path, members)
print(path, path.stat().st_size, len(members) // 2)

"""Makes dtypes.npz with real Keras: ``KERAS_BACKEND=numpy python tests/golden/make_dtypes.py``."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

NAMES = ["bool", "uint8", "uint16", "uint32", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "int",
         "float"]  # fmt: skip
python = {"int": int, "float": float}
table = [[keras.backend.result_type(python.get(a, a), python.get(b, b)) for b in NAMES] for a in NAMES]
np.savez_compressed(Path(__file__).with_name("dtypes.npz"), names=np.array(NAMES), table=np.array(table))

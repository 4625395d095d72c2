"""Makes boxes.npz with real Keras: ``KERAS_BACKEND=jax python tests/golden/make_boxes.py``."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from boxes_cases import CASES

out = {name: np.asarray(case(keras.utils.bounding_boxes)) for name, case in CASES.items()}
np.savez_compressed(Path(__file__).with_name("boxes.npz"), **out)

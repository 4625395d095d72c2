"""Makes image.npz with real Keras: ``KERAS_BACKEND=jax python tests/golden/make_image.py``."""

from __future__ import annotations

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from image_cases import CASES, GRADIENTS

out = {}
for name, (fn, inputs) in CASES.items():
    out[name] = np.asarray(fn(keras.ops.image, *(jnp.asarray(x) for x in inputs)))
for name in GRADIENTS:
    fn, inputs = CASES[name]
    weights = np.random.default_rng(5).normal(size=out[name].shape).astype("float32")
    grads = jax.grad(
        lambda *xs, fn=fn, w=weights: jnp.sum(fn(keras.ops.image, *xs) * w), argnums=tuple(range(len(inputs)))
    )(*(jnp.asarray(x) for x in inputs))
    for i, g in enumerate(grads):
        out[f"{name}/grad{i}"] = np.asarray(g)
np.savez_compressed(Path(__file__).with_name("image.npz"), **out)

"""Makes conv.npz with real Keras: ``KERAS_BACKEND=jax python tests/golden/make_conv.py``."""

from __future__ import annotations

import sys
from pathlib import Path

import jax
import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from conv_cases import CONV, Case, name_of


def record(out: dict, case: Case) -> None:
    """The layer's input, weights, output, and the gradients of its output's product with random numbers."""
    kind, arguments, shape = case
    rng = np.random.default_rng(11)
    layer = getattr(keras.layers, kind)(**arguments)
    x = rng.normal(size=shape).astype("float32")
    layer.build(shape)
    weights = [rng.normal(size=v.shape).astype("float32") / 2 for v in layer.trainable_variables]
    y, _ = layer.stateless_call(weights, [], x)
    seed = rng.normal(size=y.shape).astype("float32")

    def scalar(weights: list, x: np.ndarray) -> jax.Array:
        return (layer.stateless_call(weights, [], x)[0] * seed).sum()

    by_weights, by_x = jax.grad(scalar, (0, 1))(weights, x)
    name = name_of(case)
    out[f"{name}/x"], out[f"{name}/y"], out[f"{name}/seed"], out[f"{name}/dx"] = x, y, seed, by_x
    for i, (w, g) in enumerate(zip(weights, by_weights)):
        out[f"{name}/w{i}"], out[f"{name}/dw{i}"] = w, g


def write(file: str, cases: list[Case]) -> None:
    """Record the cases in a file beside this one."""
    jax.config.update("jax_default_matmul_precision", "highest")
    out: dict = {}
    for case in cases:
        record(out, case)
    np.savez_compressed(Path(__file__).with_name(file), **{k: np.asarray(v) for k, v in out.items()})


if __name__ == "__main__":
    write("conv.npz", CONV)

"""A model whose weights are exchanged, and arrays of all dtypes; for real Keras, for its packages, and for this one."""

from __future__ import annotations

from typing import Any

import numpy as np

#: GB: small enough that the variables of single layers are in several files.
SHARD = 200 / 1024**3


def model(keras: Any, seed: int = 0, **kwargs: Any) -> Any:
    """Trained for a step, so that there is a state of the optimizer."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((3,))
    x = keras.layers.Dense(4, **kwargs)(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dropout(0.5, seed=1)(x)
    found = keras.Model(inputs, keras.layers.Dense(5)(x))
    found.compile("adam", "mse")
    found.fit(np.ones((4, 3), "float32"), np.ones((4, 5), "float32"), verbose=0)
    return found


def state(found: Any) -> dict[str, np.ndarray]:
    """All that Keras saves (no generators of random numbers), as float64, which holds each of them exactly."""
    variables = [*found.weights, *found.optimizer.variables]
    return {str(i): np.asarray(v.numpy()).astype("float64") for i, v in enumerate(variables)}


def named(found: Any) -> dict[str, np.ndarray]:
    """The same under their paths in a weights file."""
    dense, norm, _, last = found.layers[1:]
    out = {}
    for path, layer in (("dense", dense), ("batch_normalization", norm), ("dense_1", last)):
        for i, v in enumerate(layer.weights):
            out[f"layers/{path}/vars/{i}"] = np.asarray(v.numpy())
    for i, v in enumerate(found.optimizer.variables):
        out[f"optimizer/vars/{i}"] = np.asarray(v.numpy())
    return out


def arrays() -> dict[str, np.ndarray]:
    """Every dtype of .safetensors files that has a counterpart here, with a scalar and an empty array among them."""
    found = {
        dtype: np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype)
        for dtype in "bool uint8 int8 int16 uint16 float16 int32 uint32 float32 complex64 float64 int64 uint64".split()
    }
    found["int8"] = -found["int8"]
    found["a/b/ü"] = np.array(1.5, "float32")
    found["empty"] = np.zeros((0, 3), "float64")
    return found


METADATA = {"format": "np", "title": "ä\n\"quoted\""}

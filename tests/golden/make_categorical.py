"""Makes categorical.npz, text_model.keras and feature_space.keras with real Keras on TensorFlow.

``KERAS_BACKEND=tensorflow python tests/golden/make_categorical.py``
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

sys.path.insert(0, str(Path(__file__).parent))
from categorical_cases import CASES, SPACES, TABLE

out = {}
for name, (make, data, inputs) in CASES.items():
    layer = make(keras)
    if data is not None:
        layer.adapt((batch for batch in data) if isinstance(data, list) and not isinstance(data[0], str) else data)
    y = layer(inputs)
    y = np.asarray(y)
    if y.dtype == object:
        y = np.array([v.decode() if isinstance(v, bytes) else str(v) for v in y.ravel()]).reshape(y.shape)
    out[f"{name}/y"] = y
    if hasattr(layer, "get_vocabulary"):
        out[f"{name}/vocabulary"] = np.array(layer.get_vocabulary())
        out[f"{name}/plain"] = np.array(layer.get_vocabulary(include_special_tokens=False))
    if hasattr(layer, "bin_boundaries"):
        out[f"{name}/bins"] = np.array(layer.bin_boundaries)
    config = {k: v for k, v in layer.get_config().items() if k not in ("name", "dtype")}
    config = keras.saving.serialize_keras_object(config)
    out[f"{name}/config"] = np.array(json.dumps(config, sort_keys=True))

docs = np.array(["the cat sat", "the dog", "a cat"], dtype=object)
keras.utils.set_random_seed(0)
text = keras.Input((1,), dtype="string")
weighted, numbered = keras.layers.TextVectorization(output_mode="tf_idf"), keras.layers.StringLookup()
weighted.adapt(docs)
numbered.adapt(docs)
embedded = keras.layers.Flatten()(keras.layers.Embedding(5, 2)(numbered(text)))
model = keras.Model(text, keras.layers.Concatenate()([keras.layers.Flatten()(weighted(text)), embedded]))
model.save(Path(__file__).with_name("text_model.keras"))
out["model/y"] = np.asarray(model(tf.constant(docs)[:, None]))
out["model/x"] = docs.astype(str)
for name, make in SPACES.items():
    space = make(keras)
    space.adapt(TABLE)
    if name == "space_concat":
        space.save(Path(__file__).with_name("feature_space.keras"))
    y = space({key: values[:9] for key, values in TABLE.items() if key in space.features})
    for key, value in y.items() if isinstance(y, dict) else [("y", y)]:
        out[f"{name}/{key}"] = np.asarray(value)
np.savez_compressed(Path(__file__).with_name("categorical.npz"), **out)

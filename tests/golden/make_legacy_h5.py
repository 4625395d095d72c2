"""Makes legacy/*.h5, with predictions and next losses, by real Keras 3 or by tf-keras (Keras 2):

KERAS_BACKEND=jax python tests/golden/make_legacy_h5.py keras3
python tests/golden/make_legacy_h5.py keras2
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).with_name("legacy")
which = sys.argv[1]
if which == "keras2":
    import tf_keras as keras
else:
    import keras
layers = keras.layers


def models():
    yield "mlp", keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="relu"), layers.BatchNormalization(),
                                   layers.Dense(1)]), [(4,)]  # fmt: skip
    yield "cnn", keras.Sequential([keras.Input((6, 6, 2)), layers.Conv2D(2, 3, activation="relu"),
                                   layers.MaxPooling2D(2), layers.DepthwiseConv2D(2), layers.Flatten(),
                                   layers.Dense(1)]), [(6, 6, 2)]  # fmt: skip
    x = keras.Input((5, 2))
    h = layers.Bidirectional(layers.LSTM(2, return_sequences=True))(x)
    yield "rnn", keras.Model(x, layers.Dense(1)(layers.GRU(2)(h))), [(5, 2)]
    a, b = keras.Input((3,), name="left"), keras.Input((2,), name="right")
    inner = keras.Sequential(
        [keras.Input((3,)), layers.Dense(2, name="first"), layers.BatchNormalization(name="second")]
    )
    out = layers.Dense(1, name="out")(layers.Concatenate()([inner(a), layers.Dense(2, name="b")(b)]))
    yield "two_inputs", keras.Model([a, b], out), [(3,), (2,)]


for name, model, shapes in models():
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    xs = [rng.normal(size=(16, *shape)).astype("float32") for shape in shapes]
    y = rng.normal(size=(16, 1)).astype("float32")
    x = xs if len(xs) > 1 else xs[0]
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(x, y, epochs=2, shuffle=False, verbose=0)
    model.save(FOLDER / f"{which}_{name}.h5")
    predictions = np.asarray(model.predict(x, verbose=0))
    losses = model.fit(x, y, epochs=3, shuffle=False, verbose=0).history["loss"]
    inputs = {f"x{i}": a for i, a in enumerate(xs)}
    np.savez_compressed(FOLDER / f"{which}_{name}.npz", y=y, predictions=predictions, losses=losses, **inputs)

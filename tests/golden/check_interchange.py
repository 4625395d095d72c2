"""The other way: models of this package in real Keras. ``KERAS_BACKEND=torch python tests/golden/check_interchange.py``

Run from the repository's root, in an environment that has both packages: with torch, with jax for the stateful layers,
and with TensorFlow for strings. Writes interchange/check-<version>.json: for each case the backend that read it, and
what went wrong (``null`` for nothing). ``KERAS_BACKEND=jax``, names and ``--dry`` compare some with another backend.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
import interchange_cases as cases  # noqa: E402

import deepkit  # noqa: E402

path = Path(__file__).parent / "interchange" / f"check-{keras.__version__}.json"
backend = keras.backend.backend()
given = [a for a in sys.argv[1:] if a != "--dry"]
names = given or cases.names(backend == "tensorflow", backend == "jax")
results = json.loads(path.read_text()) if path.exists() else {}
for name in names:
    try:
        deepkit.utils.set_random_seed(0)
        mine = cases.model(deepkit, name)
        x = cases.data(name)
        with tempfile.TemporaryDirectory() as scratch:
            file = cases.store(name, mine, scratch)
            theirs = cases.whole.read(keras, name, file)
            if not cases.continues(name):
                mine = cases.whole.read(deepkit, name, file)
        near, near_losses = cases.tolerances(name)
        wanted, got = cases.predictions(deepkit, mine, x), cases.predictions(keras, theirs, x)
        np.testing.assert_allclose(got, wanted, rtol=near, atol=near)
        if cases.trains(name):
            wanted, got = (cases.losses(m, x, cases.STEPS_AFTER) for m in (mine, theirs))
            np.testing.assert_allclose(got, wanted, rtol=near_losses, atol=near_losses)
        results[name] = [backend, None]
    except Exception as error:
        results[name] = [backend, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"]
        print(name, results[name])
if "--dry" not in sys.argv:
    lines = [f"{json.dumps(name)}: {json.dumps(results[name])}" for name in sorted(results)]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(backend, sum(results[n][1] is None for n in names), "of", len(names))

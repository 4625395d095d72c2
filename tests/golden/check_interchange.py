"""The other way: models of this package in real Keras. ``KERAS_BACKEND=jax python tests/golden/check_interchange.py``

Run from the repository's root, in an environment that has both packages. Writes interchange/check-<version>.json, the
cases and what went wrong with each (``null`` for nothing).
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
try:
    import tensorflow  # noqa: F401

    names = cases.WITH_TENSORFLOW
except ImportError:
    names = [n for n in cases.CASES if n not in cases.WITH_TENSORFLOW]
names = sys.argv[1:] or names
results = json.loads(path.read_text()) if path.exists() else {}
for name in names:
    try:
        deepkit.utils.set_random_seed(0)
        mine = cases.model(deepkit, name)
        x = cases.data(name)
        with tempfile.TemporaryDirectory() as scratch:
            mine.save(f"{scratch}/m.keras")
            theirs = keras.saving.load_model(f"{scratch}/m.keras")
        wanted, got = cases.predictions(deepkit, mine, x), cases.predictions(keras, theirs, x)
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)
        if mine.compiled and not cases.CASES[name].random:
            wanted, got = (cases.losses(m, x, cases.STEPS_AFTER) for m in (mine, theirs))
            np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)
        results[name] = None
    except Exception as error:
        results[name] = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        print(name, results[name])
path.write_text(json.dumps(results, indent=0, sort_keys=True) + "\n")
print(path, sum(v is None for v in results.values()), "of", len(results))

"""Makes ops.npz with real Keras: ``KERAS_BACKEND=jax python tests/golden/make_ops.py``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from ops_cases import CASES

if __name__ == "__main__":
    from keras import ops

    found = {}
    for i, (name, args, kwargs) in enumerate(CASES):
        out = getattr(ops, name)(*args, **kwargs)
        outs = out if isinstance(out, (tuple, list)) else [out]
        for j, part in enumerate(outs):
            found[f"{i}.{j}"] = np.asarray(part)
    np.savez_compressed(Path(__file__).with_name("ops.npz"), **found)

"""Makes pool.npz with real Keras: ``KERAS_BACKEND=jax python tests/golden/make_pool.py``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from conv_cases import POOL
from make_conv import write

if __name__ == "__main__":
    write("pool.npz", POOL)

"""Seeding everything at once."""

from __future__ import annotations

import random


def set_random_seed(seed: int) -> None:
    """Seed Python's, NumPy's and deepkit's generators; then weights, shuffles and dropout repeat.

    Raises:
        ValueError: if ``seed`` is no non-negative integer.

    Example:
        >>> import deepkit
        >>> set_random_seed(3)
        >>> a = deepkit.random.uniform((2,))
        >>> set_random_seed(3)
        >>> bool((a == deepkit.random.uniform((2,))).all())
        True
    """
    import numpy as np

    from ..random import set_global_seed

    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"set_random_seed: `seed` should be a non-negative integer. Received: seed={seed!r}")
    random.seed(int(seed))
    np.random.seed(int(seed) & 0xFFFFFFFF)
    set_global_seed(int(seed))

"""Computing in 16 bits with variables in 32, under the names of ``keras.mixed_precision``.

``set_global_policy("mixed_float16")`` makes layers created from then on compute in float16. ``compile`` scales the loss
by itself; a training loop of one's own wraps its optimizer in :class:`LossScaleOptimizer`.
"""

from __future__ import annotations

from .dtype_policies import DTypePolicy, dtype_policy, set_dtype_policy
from .optimizers import LossScaleOptimizer

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy

__all__ = ["DTypePolicy", "LossScaleOptimizer", "Policy", "dtype_policy", "global_policy", "set_dtype_policy",
           "set_global_policy"]  # fmt: skip

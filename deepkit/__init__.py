"""deepkit: neural networks behind the Keras 3 API, on NumPy and on NVIDIA GPUs through CuPy."""

from __future__ import annotations

import importlib
from typing import Any

from . import (
    activations,
    backend,
    config,
    constraints,
    dtype_policies,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    random,
    regularizers,
    utils,
)
from .autograd import GradientTape, KerasTensor, Tensor, Variable, grad
from .autograd.context import name_scope
from .autograd.remat import remat
from .autograd.scopes import StatelessScope, SymbolicScope
from .config import device, warmup
from .constraints import Constraint
from .dtype_policies import DTypePolicy, FloatDTypePolicy
from .initializers import Initializer
from .layers import Input, InputSpec, Layer
from .layers.operation import Operation
from .layers.remat_scope import RematScope
from .losses import Loss
from .metrics import Metric
from .models import Functional, Model, Sequential
from .models.function import Function
from .optimizers import Optimizer
from .regularizers import Regularizer

__version__ = "0.1.0"

# Modules that a program may never touch are imported when it first does.
_LATER = (
    "callbacks", "datasets", "distillation", "legacy", "memory", "mixed_precision", "preprocessing", "saving", "tree",
    "visualization", "wrappers",
)  # fmt: skip

__all__ = [
    "Constraint", "DTypePolicy", "FloatDTypePolicy", "Function", "Functional", "GradientTape", "Initializer", "Input",
    "InputSpec",
    "KerasTensor", "Layer",
    "Loss", "Metric", "Model", "Operation", "Optimizer", "Regularizer", "RematScope",
    "Sequential", "StatelessScope", "SymbolicScope", "Tensor", "Variable", "activations", "backend",
    "callbacks", "config", "constraints", "datasets", "device", "distillation", "dtype_policies", "grad",
    "initializers", "layers", "legacy", "losses",
    "memory", "metrics", "mixed_precision", "models", "name_scope", "ops", "optimizers", "preprocessing", "random",
    "regularizers", "remat", "saving", "tree", "utils", "visualization", "warmup", "wrappers",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module 'deepkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})


def version() -> str:
    """The version of deepkit.

    Example:
        >>> version() == __version__
        True
    """
    return __version__


def _keras_backend() -> None:
    """Put the functions of ``keras.backend`` beside deepkit's own in :mod:`deepkit.backend`."""
    from .autograd.dtypes import is_float, np_dtype, result_type, standardize_dtype
    from .autograd.spec import is_keras_tensor
    from .utils.naming import get_uid, reset_names

    def clear_session(free_memory: bool = True) -> None:
        """Start counting automatic names anew."""
        reset_names()

    def is_float_dtype(dtype: Any) -> bool:
        """Whether a dtype is a floating one."""
        return is_float(np_dtype(dtype))

    def is_int_dtype(dtype: Any) -> bool:
        """Whether a dtype is one of integers."""
        return np_dtype(dtype).kind in "iu"

    for name in ("epsilon", "floatx", "image_data_format", "set_epsilon", "set_floatx", "set_image_data_format"):
        setattr(backend, name, getattr(config, name))
    for fn in (clear_session, is_keras_tensor, get_uid, is_float_dtype, is_int_dtype, result_type, standardize_dtype):
        setattr(backend, fn.__name__, fn)
    utils.clear_session = clear_session  # type: ignore[attr-defined]


_keras_backend()

"""Process-wide settings: backend switch, default float type, epsilon and image layout."""

from __future__ import annotations

import os
from typing import Any

from .backend import BackendUnavailableError, backend, current_device, device, set_backend, set_device, warmup

__all__ = [
    "BackendUnavailableError", "backend", "current_device", "device", "disable_flash_attention",
    "disable_interactive_logging",
    "disable_traceback_filtering", "dtype_policy", "enable_flash_attention", "enable_interactive_logging",
    "enable_traceback_filtering", "enable_unsafe_deserialization", "epsilon", "floatx", "image_data_format",
    "is_flash_attention_enabled", "is_interactive_logging_enabled", "is_nnx_enabled", "is_traceback_filtering_enabled",
    "matmul_precision", "max_epochs", "max_steps_per_epoch", "set_backend", "set_device", "set_dtype_policy",
    "set_epsilon", "set_floatx", "set_image_data_format", "set_matmul_precision", "set_max_epochs",
    "set_max_steps_per_epoch", "set_num_threads", "standardize_data_format", "warmup",
]  # fmt: skip

_floatx = "float32"
_epsilon = 1e-7
_image_data_format = "channels_last"
_interactive_logging = True
_traceback_filtering = True
_flash_attention: bool | None = None


def _limit(value: Any, name: str) -> int | None:
    """Check a limit; ``None``, 0 and the empty string stand for no limit."""
    if value in (None, "", 0, "0"):
        return None
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if number < 1:
        raise ValueError(f"{name} should be a positive integer or None. Received: {value!r}")
    return number


_max_epochs = _limit(os.environ.get("KERAS_MAX_EPOCHS"), "KERAS_MAX_EPOCHS")
_max_steps_per_epoch = _limit(os.environ.get("KERAS_MAX_STEPS_PER_EPOCH"), "KERAS_MAX_STEPS_PER_EPOCH")


def floatx() -> str:
    """The default floating dtype, ``"float32"`` unless changed.

    Example:
        >>> floatx()
        'float32'
    """
    return _floatx


def set_floatx(value: str) -> None:
    """Set the default floating dtype: ``"float16"``, ``"bfloat16"``, ``"float32"`` or ``"float64"``.

    Raises:
        ValueError: for another dtype.
    """
    global _floatx
    if value not in ("float16", "bfloat16", "float32", "float64"):
        raise ValueError(f"Unknown floatx {value!r}. Use 'float16', 'bfloat16', 'float32' or 'float64'.")
    _floatx = str(value)


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite, 1e-7 unless changed."""
    return _epsilon


def set_epsilon(value: float) -> None:
    """Set the number that :func:`epsilon` gives."""
    global _epsilon
    _epsilon = float(value)


def image_data_format() -> str:
    """``"channels_last"`` (the default) or ``"channels_first"``."""
    return _image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set the default image layout.

    Raises:
        ValueError: unless it is ``"channels_last"`` or ``"channels_first"``.
    """
    global _image_data_format
    _image_data_format = standardize_data_format(data_format)


def standardize_data_format(data_format: Any) -> str:
    """Check a ``data_format`` argument; ``None`` means the configured one."""
    if data_format is None:
        return _image_data_format
    name = str(data_format).lower()
    if name not in ("channels_last", "channels_first"):
        raise ValueError(f"Unknown data_format {data_format!r}. Use 'channels_last' or 'channels_first'.")
    return name


def enable_interactive_logging() -> None:
    """Show progress on standard output, as a bar; the default."""
    global _interactive_logging
    _interactive_logging = True


def disable_interactive_logging() -> None:
    """Send progress to the logger ``"deepkit"`` (level INFO) in place of standard output, as lines rather than bars."""
    global _interactive_logging
    _interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress is shown on standard output.

    Example:
        >>> is_interactive_logging_enabled()
        True
    """
    return _interactive_logging


def dtype_policy() -> Any:
    """The :class:`deepkit.DTypePolicy` of layers that are given none: that of ``floatx()`` unless set.

    Example:
        >>> dtype_policy()
        <DTypePolicy "float32">
    """
    from . import dtype_policies

    return dtype_policies.dtype_policy()


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers that are given none.

    Args:
        policy: A :class:`deepkit.DTypePolicy` or its name, such as ``"mixed_float16"``.
    """
    from . import dtype_policies

    dtype_policies.set_dtype_policy(policy)


def max_epochs() -> int | None:
    """The most epochs that ``fit`` runs, or ``None``; at the start, what the variable KERAS_MAX_EPOCHS says."""
    return _max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Limit the epochs of every ``fit``, to try a program out quickly.

    Args:
        max_epochs: The limit, ``None`` for none.

    Raises:
        ValueError: unless it is a positive integer or ``None``.
    """
    global _max_epochs
    _max_epochs = _limit(max_epochs, "max_epochs")


def max_steps_per_epoch() -> int | None:
    """The most steps of an epoch in ``fit``, ``evaluate`` and ``predict``, or ``None``; at the start, what the variable
    KERAS_MAX_STEPS_PER_EPOCH says."""
    return _max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limit the steps of every epoch, to try a program out quickly.

    Args:
        max_steps_per_epoch: The limit, ``None`` for none.

    Raises:
        ValueError: unless it is a positive integer or ``None``.
    """
    global _max_steps_per_epoch
    _max_steps_per_epoch = _limit(max_steps_per_epoch, "max_steps_per_epoch")


def enable_unsafe_deserialization() -> None:
    """Load from now on in this process as if every load said ``safe_mode=False``.

    Configurations may then name files to read, such as vocabularies. Bytecode of functions is refused even so.
    """
    from .registry import disable_safe_mode

    disable_safe_mode()


def set_num_threads(n: int) -> None:
    """Set how many threads the compiled CPU kernels share their work among; all cores by default.

    The BLAS library behind NumPy has threads of its own, which its own variables limit (``OPENBLAS_NUM_THREADS``).
    ``DEEPKIT_NUM_THREADS`` sets the number at the start.

    Args:
        n: The number, at least 1.

    Raises:
        ValueError: if it is smaller.

    Example:
        >>> set_num_threads(2)
    """
    if not isinstance(n, int) or n < 1:
        raise ValueError(f"set_num_threads: the number of threads should be a positive integer. Received: {n!r}")
    from .backend.cpu import native

    native.set_threads(n)


def set_matmul_precision(precision: str) -> None:
    """Choose how float32 is multiplied on a GPU, in matrix products and convolutions.

    Args:
        precision: ``"highest"``, as float32, which is the default; or ``"high"``, with factors rounded to TF32 (10 bits
            of mantissa) on the tensor cores of Ampere and later, several times as fast. Sums are float32 in both.

    Raises:
        ValueError: for another name.

    Example:
        >>> set_matmul_precision("highest")
    """
    if precision not in ("highest", "high"):
        raise ValueError(f"set_matmul_precision: use 'highest' or 'high'. Received: {precision!r}")
    from .backend import settings

    settings.matmul_precision = precision


def matmul_precision() -> str:
    """How float32 is multiplied on a GPU: see :func:`set_matmul_precision`.

    Example:
        >>> matmul_precision()
        'highest'
    """
    from .backend import settings

    return settings.matmul_precision


def enable_flash_attention() -> None:
    """Ask attention layers for fused attention.

    The setting is kept for programs that ask for it: deepkit has one implementation of attention, which it doesn't
    change.
    """
    global _flash_attention
    _flash_attention = True


def disable_flash_attention() -> None:
    """Take :func:`enable_flash_attention` back."""
    global _flash_attention
    _flash_attention = False


def is_flash_attention_enabled() -> bool | None:
    """What was asked for last, ``None`` if nothing was."""
    return _flash_attention


def enable_traceback_filtering() -> None:
    """Ask for tracebacks without a library's own frames.

    The setting is kept for programs that ask for it: deepkit's calls are few frames deep, and it filters none.
    """
    global _traceback_filtering
    _traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Take :func:`enable_traceback_filtering` back."""
    global _traceback_filtering
    _traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """What was asked for last; true at the start."""
    return _traceback_filtering


def is_nnx_enabled() -> bool:
    """Whether variables are those of Flax's NNX, which there is not in deepkit.

    Example:
        >>> is_nnx_enabled()
        False
    """
    return False

"""Process-wide settings: backend switch, default float type, epsilon and image layout."""

from __future__ import annotations

from typing import Any

from .backend import BackendUnavailableError, backend, device, set_backend

__all__ = [
    "BackendUnavailableError", "backend", "device", "set_backend", "floatx", "set_floatx", "epsilon", "set_epsilon",
    "image_data_format", "set_image_data_format", "standardize_data_format", "disable_interactive_logging",
    "enable_interactive_logging", "is_interactive_logging_enabled",
]  # fmt: skip

_floatx = "float32"
_epsilon = 1e-7
_image_data_format = "channels_last"
_interactive_logging = True


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

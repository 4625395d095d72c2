"""Where the CUDA sources are: inside the installed package, or at the top of a checkout."""

from __future__ import annotations

from pathlib import Path

__all__ = ["kernel_folder"]

_PACKAGE = Path(__file__).resolve().parents[2]


def kernel_folder() -> Path:
    """The folder ``kernels``, wherever deepkit runs from.

    Raises:
        FileNotFoundError: if the installation is incomplete.

    Example:
        >>> kernel_folder().name
        'kernels'
    """
    for folder in (_PACKAGE / "kernels", _PACKAGE.parent / "kernels"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"The CUDA sources are missing from {_PACKAGE}. Install deepkit again.")

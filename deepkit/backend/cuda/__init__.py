"""The CUDA device: the kernel module over CuPy, loaded when it is asked for and never at import."""

from __future__ import annotations

from types import ModuleType


def load() -> ModuleType:
    """The kernel module.

    Raises:
        BackendUnavailableError: if the device can't be used; the message says what is missing and how to mend it.
    """
    from .. import BackendUnavailableError
    from . import device

    diagnosis = device.diagnose()
    if diagnosis.problems:
        raise BackendUnavailableError("The GPU can't be used:\n" + "\n".join(f"- {p}" for p in diagnosis.problems))
    return kernel_module()


def kernel_module() -> ModuleType:
    """The kernel module over the CuPy that is installed, without a look at the machine."""
    import cupy

    from .. import KERNELS
    from . import kernels

    KERNELS[cupy.ndarray] = kernels
    return kernels

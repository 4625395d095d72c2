"""Can the GPU be used here, and if not, what is missing and which line mends it.

The path has four parts, each needing the one before: the NVIDIA driver, a device it shows, CuPy built for the
driver's CUDA version, and the CUDA headers and NVRTC that CuPy compiles kernels with. :func:`diagnose` looks at all of
them without importing CuPy, so it also works where CuPy is broken.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Diagnosis", "diagnose", "usable"]

#: The CUDA major versions that CuPy's wheels exist for, newest first.
SUPPORTED_CUDA = (13, 12)

_CUDA_ERROR_NO_DEVICE = 100


@dataclass(frozen=True)
class Diagnosis:
    """What :func:`diagnose` found.

    Attributes:
        driver: version of the NVIDIA driver, ``None`` without one (``"unknown"`` if it won't say).
        driver_cuda_version: newest CUDA the driver runs, as ``(major, minor)``.
        cupy_version: installed CuPy, ``None`` without one.
        cupy_package: the distribution it came in, such as ``"cupy-cuda12x"``.
        toolkit: the folder that holds the CUDA headers, ``None`` if there is none.
        device_count: devices the driver shows.
        problems: one text for each missing thing, ending with the line that mends it; empty if all is well.
    """

    driver: str | None = None
    driver_cuda_version: tuple[int, int] | None = None
    cupy_version: str | None = None
    cupy_package: str | None = None
    toolkit: str | None = None
    device_count: int = 0
    problems: list[str] = field(default_factory=list)


def diagnose() -> Diagnosis:
    """Look at every part of the GPU path.

    Returns:
        A :class:`Diagnosis`; its ``problems`` are empty exactly if the CUDA backend can be loaded.

    Example:
        >>> isinstance(diagnose().problems, list)
        True
    """
    driver = _driver_version()
    cuda_version, count, error = _query_driver()
    package, version = _find_cupy()
    major = _cupy_cuda_major(package) or (cuda_version or (SUPPORTED_CUDA[-1],))[0]
    toolkit = _find_toolkit(major)
    problems = [
        *_driver_problems(cuda_version, count, error),
        *_cupy_problems(package, cuda_version, toolkit, _has_nvrtc(major)),
    ]
    if cuda_version is not None and driver is None:
        driver = "unknown"
    return Diagnosis(driver, cuda_version, version, package, toolkit, count, problems)


#: Whether the CUDA backend has passed its tests on a GPU. Until then nobody gets it who doesn't ask for it by name.
PROVEN = False


def usable() -> bool:
    """Whether ``"auto"`` should take the GPU. Cheap where there is none, and never raises.

    Example:
        >>> usable() in (True, False)
        True
    """
    try:
        if not PROVEN or importlib.util.find_spec("cupy") is None:
            return False
        return not diagnose().problems
    except Exception:  # a broken installation is one without a GPU
        return False


# ---------------------------------------------------------------------------------------------------- driver


def _load_driver() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return None


def _query_driver() -> tuple[tuple[int, int] | None, int, int]:
    """``((major, minor) or None without a driver, device count, error code of cuInit)``."""
    library = _load_driver()
    if library is None:
        return None, 0, 0
    number = ctypes.c_int(0)
    library.cuDriverGetVersion(ctypes.byref(number))
    version = (number.value // 1000, number.value % 1000 // 10)
    error = int(library.cuInit(0))
    if error:
        return version, 0, error
    count = ctypes.c_int(0)
    error = int(library.cuDeviceGetCount(ctypes.byref(count)))
    return version, 0 if error else count.value, error


def _driver_version() -> str | None:
    """The kernel module's version, such as ``"570.86.15"``."""
    try:
        text = Path("/proc/driver/nvidia/version").read_text()
    except OSError:
        return None
    found = re.search(r"\b(\d{3,}\.\d+(?:\.\d+)?)\b", text)
    return found.group(1) if found else "unknown"


def _driver_problems(version: tuple[int, int] | None, count: int, error: int) -> list[str]:
    if version is None:
        return [
            "No NVIDIA driver: the library libcuda.so.1 can't be loaded. Install the driver of your card from "
            "https://www.nvidia.com/drivers (on Ubuntu: sudo ubuntu-drivers install; in a container: start it with "
            "--gpus all)."
        ]
    problems = []
    if version[0] < SUPPORTED_CUDA[-1]:
        problems.append(
            f"The NVIDIA driver runs CUDA {version[0]}.{version[1]}; CUDA {SUPPORTED_CUDA[-1]}.0 or newer is needed. "
            "Update the driver: https://www.nvidia.com/drivers."
        )
    if count == 0 and error in (0, _CUDA_ERROR_NO_DEVICE):
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        hint = (
            f"CUDA_VISIBLE_DEVICES is {visible!r}, which may hide it: unset CUDA_VISIBLE_DEVICES."
            if visible is not None
            else "Check that nvidia-smi lists it; in a container, start it with --gpus all."
        )
        problems.append(f"The NVIDIA driver shows no device. {hint}")
    elif count == 0:
        problems.append(
            f"The NVIDIA driver can't start (CUDA error {error}). Run nvidia-smi: it says why; after a driver update, "
            "restart the machine."
        )
    return problems


# ------------------------------------------------------------------------------------------------------ CuPy


def _find_cupy() -> tuple[str | None, str | None]:
    """``(distribution, version)`` of the installed CuPy, ``(None, None)`` without one."""
    for name in [*(f"cupy-cuda{major}x" for major in SUPPORTED_CUDA), "cupy-cuda11x", "cupy"]:
        try:
            return name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None, None


def _cupy_cuda_major(package: str | None) -> int | None:
    """The CUDA major version in the name of a CuPy wheel; ``None`` for a build of one's own."""
    found = re.fullmatch(r"cupy-cuda(\d+)x", package or "")
    return int(found.group(1)) if found else None


def _pip_line(major: int) -> str:
    return f'pip install "cupy-cuda{major}x[ctk]"'


def _cupy_problems(
    package: str | None, version: tuple[int, int] | None, toolkit: str | None, nvrtc: bool
) -> list[str]:
    runs = version[0] if version else SUPPORTED_CUDA[-1]
    wanted = next((major for major in SUPPORTED_CUDA if major <= runs), SUPPORTED_CUDA[-1])
    if package is None:
        return [f"CuPy is not installed. Install it: {_pip_line(wanted)}"]
    built_for = _cupy_cuda_major(package)
    if built_for is not None and (built_for not in SUPPORTED_CUDA or (version and built_for > version[0])):
        reason = f"the driver runs CUDA {version[0]}.{version[1]}" if version else "it is no longer supported"
        return [
            f"{package} is built for CUDA {built_for}, but {reason}. "
            f"Replace it: pip uninstall -y {package} && {_pip_line(wanted)}"
        ]
    missing = []
    if toolkit is None:
        missing.append("the CUDA headers (cuda_fp16.h)")
    if not nvrtc:
        missing.append("NVRTC (libnvrtc)")
    if not missing:
        return []
    return [
        f"CuPy compiles kernels with {' and '.join(missing)}, not found here. "
        f"Install them: {_pip_line(built_for or wanted)}"
    ]


# --------------------------------------------------------------------------------------------------- toolkit


def _toolkit_roots(major: int) -> list[Path]:
    """Folders that may hold a CUDA toolkit or a part of it, those named by the user first."""
    roots = [Path(os.environ[name]) for name in ("CUDA_PATH", "CUDA_HOME") if os.environ.get(name)]
    for folder in map(Path, filter(None, sys.path)):  # the wheels that CuPy's [ctk] extra brings
        roots += [folder / "nvidia" / part for part in (f"cu{major}", "cuda_runtime", "cuda_nvrtc")]
    roots += [Path("/usr/local/cuda"), Path(f"/usr/local/cuda-{major}"), Path("/opt/cuda"), Path("/usr")]
    return roots


def _find_toolkit(major: int) -> str | None:
    """The folder of the CUDA headers."""
    for root in _toolkit_roots(major):
        if (root / "include" / "cuda_fp16.h").is_file():
            return str(root / "include")
    return None


def _has_nvrtc(major: int) -> bool:
    """Whether there is an NVRTC library of this CUDA major version."""
    names = (f"lib*/libnvrtc.so.{major}*", f"lib/*/libnvrtc.so.{major}*", f"bin/nvrtc64_{major}*.dll")
    return any(next(root.glob(name), None) is not None for root in _toolkit_roots(major) for name in names)

"""``python -m deepkit doctor``: what deepkit runs on here, and what is missing for the GPU."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from typing import Any

import numpy as np

from .. import __version__, config
from ..backend.cpu import native
from ..backend.cuda import device

__all__ = ["add_parser", "report", "run"]


def add_parser(commands: Any) -> None:
    """Add the subcommand to a parser's ``commands``."""
    parser = commands.add_parser(
        "doctor", help="report what deepkit runs on, and what is missing for the GPU"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the report; the status is 0 also without a GPU, as the NumPy backend needs none."""
    print(report())
    return 0


def report() -> str:
    """The report as a text of a few lines."""
    lines = [
        ("deepkit", f"{__version__} ({os.path.dirname(os.path.dirname(os.path.abspath(__file__)))})"),
        ("Python", f"{platform.python_version()} on {platform.platform(terse=True)} ({platform.machine()})"),
        ("NumPy", f"{np.__version__}, {_blas()}"),
        ("CPU cores", f"{_cores()}{_thread_limits()}"),
        ("backend", _backend()),
        ("kernels", _kernels()),
        *_gpu_lines(device.diagnose()),
    ]
    return "\n".join(f"{name + ':' if name else '':<11} {text}" for name, text in lines)


def _gpu_lines(found: device.Diagnosis) -> list[tuple[str, str]]:
    cuda = ".".join(map(str, found.driver_cuda_version or ()))
    lines = [
        (
            "driver",
            f"NVIDIA {found.driver}, runs CUDA {cuda}, devices: {found.device_count}" if cuda else "none",
        ),
        ("CuPy", f"{found.cupy_version} ({found.cupy_package})" if found.cupy_version else "none"),
        ("toolkit", found.toolkit or "none"),
        ("GPU", "not usable" if found.problems else "usable"),
    ]
    return lines + [("", f"- {problem}") for problem in found.problems]


def _backend() -> str:
    asked = os.environ.get("DEEPKIT_BACKEND")
    how = f"DEEPKIT_BACKEND={asked}" if asked else "chosen automatically"
    try:
        return f"{config.backend()} ({how})"
    except (config.BackendUnavailableError, ValueError):
        return f"none: {asked!r} can't be had here"


def _kernels() -> str:
    if not native.available():
        return "NumPy's (the compiled ones aren't built: install deepkit where a C++ compiler is)"
    in_use = f"compiled for {native.state.kernels}, {native.set_threads(0)} threads"
    return in_use if native.state.module else f"NumPy's (DEEPKIT_CPU_KERNELS; {in_use} are there)"


def _blas() -> str:
    try:
        blas: Any = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[call-overload, index]
        return f"BLAS {blas['name']} {blas['version']}"
    except (KeyError, TypeError):
        return "BLAS unknown"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _thread_limits() -> str:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    limits = [f"{name}={os.environ[name]}" for name in names if os.environ.get(name)]
    return f" ({', '.join(limits)})" if limits else ""

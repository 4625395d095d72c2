"""The machine: card, driver, and versions of everything that has a part in a figure."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import subprocess
from typing import Any

from .common import Setup, setup

__all__ = ["run"]


def run() -> dict[str, Any]:
    """What goes above every figure."""
    found = about(setup())
    print("\n".join(f"{name}: {value}" for name, value in found.items()))
    return found


def about(device: Setup) -> dict[str, Any]:
    """Card, driver and versions by name."""
    import numpy

    import deepkit
    from deepkit.backend.cuda.device import diagnose

    runtime = device.cupy.cuda.runtime
    card = runtime.getDeviceProperties(runtime.getDevice())
    diagnosis = diagnose()
    return {
        "card": _text(card["name"]),
        "architecture": f"{card['major']}.{card['minor']}",
        "multiprocessors": card["multiProcessorCount"],
        "memory GiB": round(card["totalGlobalMem"] / 2**30, 1),
        "simulated": device.tiny,
        "driver": diagnosis.driver,
        "CUDA of the driver": _version(runtime.driverGetVersion()),
        "CUDA of the runtime": _version(runtime.runtimeGetVersion()),
        "CuPy": device.cupy.__version__,
        "deepkit": deepkit.__version__,
        "commit": _commit(),
        "NumPy": numpy.__version__,
        "Python": platform.python_version(),
        **{name: _installed(name) for name in ("torch", "jax", "keras")},
        "clocks": _clocks(),
    }


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _said(*command: str) -> str | None:
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    return done.stdout.strip() or None


def _commit() -> str | None:
    return _said("git", "describe", "--always", "--dirty")


def _clocks() -> str | None:
    asked = "clocks.sm,clocks.mem,temperature.gpu,utilization.gpu"
    return _said("nvidia-smi", f"--query-gpu={asked}", "--format=csv,noheader")

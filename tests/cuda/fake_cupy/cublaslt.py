"""The simulated cuBLASLt: ``cublaslt.cpp``, found where CuPy's own search finds the real one."""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ..emulator.emulator import cache_folder
from . import state

__all__ = ["load_nvidia_dynamic_lib"]

_SOURCE = Path(__file__).with_name("cublaslt.cpp")


@cache
def _built() -> tuple[str, Any]:
    """The path of the library, and what keeps its hook alive."""
    key = hashlib.sha256(_SOURCE.read_bytes()).hexdigest()[:16]
    path = cache_folder() / f"cublaslt-{key}.so"
    if not path.exists():
        made = path.with_suffix(f".{os.getpid()}.tmp")
        subprocess.run(["g++", "-std=c++17", "-O3", "-shared", "-fPIC", str(_SOURCE), "-o", str(made)], check=True)
        os.replace(made, path)
    library = ctypes.CDLL(str(path))
    library.run_call.argtypes, library.run_call.restype = (ctypes.c_longlong,), None
    hook = ctypes.CFUNCTYPE(None, ctypes.c_longlong)(lambda call: state.run(lambda: library.run_call(call)))
    library.set_hook(hook)
    return str(path), hook


def load_nvidia_dynamic_lib(name: str) -> Any:
    """What ``cuda.pathfinder`` has under this name."""
    if name != "cublasLt":
        raise RuntimeError(f"the simulated device has no library {name!r}")
    return SimpleNamespace(abs_path=_built()[0])

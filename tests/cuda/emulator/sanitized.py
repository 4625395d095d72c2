"""Run Python with GCC's sanitizers loaded, so that :class:`Module` can compile kernels for them.

``address,undefined`` finds accesses outside arrays and shared memory, shifts and indices that C++ leaves undefined, and
misaligned vectors; ``thread`` finds races, such as a missing ``__syncthreads`` or a sum that should be atomic.

``python -m tests.cuda.emulator.sanitized address,undefined -m pytest tests/cuda/test_kernels_pool.py``
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from .emulator import SANITIZE, _compiler, missing

__all__ = ["KINDS", "run_sanitized", "sanitizers_missing"]

ROOT = Path(__file__).parents[3]
KINDS = {"address,undefined": ("libasan.so", "libubsan.so"), "thread": ("libtsan.so",)}
_OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=0:exitcode=66",
    "UBSAN_OPTIONS": "print_stacktrace=0",
    "TSAN_OPTIONS": "exitcode=66:halt_on_error=1",
}


@lru_cache
def _libraries(kind: str) -> list[str] | None:
    found = []
    for name in KINDS[kind]:
        command = [str(_compiler()), f"-print-file-name={name}"]
        path = subprocess.run(command, capture_output=True, text=True).stdout.strip()
        if not os.path.isabs(path):  # the compiler repeats the name of what it doesn't have
            return None
        found.append(path)
    return found


@lru_cache
def sanitizers_missing(kind: str) -> str | None:
    """Why this kind can't run here, or ``None``."""
    if reason := missing():
        return reason
    if _libraries(kind) is None:
        return f"g++ has no library for -fsanitize={kind}"
    done = run_sanitized(kind, ["-c", "print(1)"])  # ThreadSanitizer doesn't start under some kernels
    return None if done.returncode == 0 else f"-fsanitize={kind} doesn't work here: {done.stderr[:200]}"


def run_sanitized(kind: str, arguments: list[str], timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments under a sanitizer.

    Args:
        kind: A key of :data:`KINDS`.
        arguments: Python's command line, such as ``["-m", "pytest", ...]``.
        timeout: Seconds.

    Returns:
        The finished process; its status isn't 0 if the sanitizer found something, and ``stderr`` has its report.
    """
    libraries = _libraries(kind)
    if libraries is None:
        raise RuntimeError(f"g++ has no library for -fsanitize={kind}")
    environment = {**os.environ, **_OPTIONS, SANITIZE: kind, "LD_PRELOAD": " ".join(libraries),
                   "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONMALLOC": "malloc"}  # fmt: skip
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout)


if __name__ == "__main__":
    if reason := sanitizers_missing(sys.argv[1]):
        sys.exit(reason)
    result = run_sanitized(sys.argv[1], sys.argv[2:])
    sys.stdout.write(result.stdout)
    sys.stderr.write(result.stderr)
    sys.exit(result.returncode)

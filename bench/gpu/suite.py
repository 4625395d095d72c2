"""deepkit's tests on the device, and the kernels' tests under compute-sanitizer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from .common import SIMULATED

__all__ = ["run_sanitizer", "run_tests"]

ROOT = Path(__file__).parents[2]

#: Tests that launch every kernel file on a device.
KERNELS = ("tests/backend/test_cuda.py", "tests/backend/test_cuda_embedding.py", "tests/backend/test_cuda_recurrent.py",
           "tests/ops/test_conv.py", "tests/ops/test_pool.py", "tests/optimizers/test_optimizers.py")  # fmt: skip

TOOLS = ("memcheck", "racecheck")

_SUMMARY = re.compile(r"(\d+) (passed|failed|skipped|errors?|deselected)")


def _pytest(prefix: list[str], arguments: list[str]) -> dict[str, Any]:
    """Run pytest on the device; how many passed, failed and so on."""
    env = {**os.environ, "DEEPKIT_TEST_GPU": "simulated" if os.environ.get(SIMULATED) else "real"}
    command = [*prefix, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rf", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout[-6000:], flush=True)
    counts = {kind: int(n) for n, kind in _SUMMARY.findall(done.stdout[-400:])}
    failed = re.findall(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    return {"holds": done.returncode == 0, "status": done.returncode, **counts, "failures": failed[:50]}


def run_tests() -> dict[str, Any]:
    """Everything that takes a device, on the GPU."""
    if os.environ.get(SIMULATED):
        return _pytest([], ["tests/cuda/test_devices.py", "-k", "test_no_such_name"])
    return _pytest([], ["tests", "-k", "cuda or gpu", "-m", "not slow", "--ignore=tests/fuzz"])


def run_sanitizer() -> dict[str, Any]:
    """memcheck and racecheck over the kernels' tests; compiled without our own checks, as users run them."""
    tool = shutil.which("compute-sanitizer") or "/usr/local/cuda/bin/compute-sanitizer"
    if not Path(tool).exists():
        return {"holds": None, "why": "compute-sanitizer is not installed (it comes with the CUDA toolkit)"}
    out: dict[str, Any] = {}
    for kind in TOOLS:
        prefix = [tool, "--tool", kind, "--error-exitcode", "99", "--target-processes", "all",
                  "--print-limit", "20"]  # fmt: skip
        out[kind] = _pytest(prefix, ["-k", "cuda", "-x", *KERNELS])
    return {"holds": all(part["holds"] for part in out.values()), **out}

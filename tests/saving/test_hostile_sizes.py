"""Huge numbers as arguments of everything that a configuration may name: no time and no memory for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="limits need a POSIX system")

PROGRAM = """
import resource
from tests.saving import sizes
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
sizes.main()
print("taken", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base)
"""


def test_huge_arguments() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=root, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    tried, taken = done.stdout.splitlines()
    assert tried.startswith("tried") and int(tried.split()[1]) > 10_000
    assert taken.startswith("taken") and int(taken.split()[1]) * 1024 < 200 << 20

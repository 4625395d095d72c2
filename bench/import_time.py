"""How long ``import deepkit`` takes beside ``import numpy``, each in a fresh process.

    python bench/import_time.py [--rounds 15]

The two take turns, so that whatever else the machine does falls on both; the figure is the ratio of the medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

_PROGRAM = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def import_seconds(module: str, bytecode: str) -> float:
    """Seconds that importing ``module`` takes in a fresh process, without the start of Python itself.

    Args:
        module: what to import.
        bytecode: folder for compiled modules; an installed package has them too.
    """
    env = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", _PROGRAM.format(module)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout)


def measure(rounds: int = 15) -> dict[str, float]:
    """Median seconds by module, and their ``"ratio"``.

    Args:
        rounds: how often each is imported, after one round that compiles and warms the disk's cache.
    """
    times: dict[str, list[float]] = {"numpy": [], "deepkit": []}
    with tempfile.TemporaryDirectory() as bytecode:
        for i in range(rounds + 1):
            for module, seconds in times.items():
                elapsed = import_seconds(module, bytecode)
                if i:
                    seconds.append(elapsed)
    medians = {module: statistics.median(seconds) for module, seconds in times.items()}
    return {**medians, "ratio": medians["deepkit"] / medians["numpy"]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    result = measure(parser.parse_args().rounds)
    for module in ("numpy", "deepkit"):
        print(f"import {module:<8} {1000 * result[module]:7.1f} ms")
    print(f"ratio           {result['ratio']:7.2f}")


if __name__ == "__main__":
    main()

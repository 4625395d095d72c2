"""``python -m bench``: all CPU benchmarks with their defaults."""

from __future__ import annotations

import subprocess
import sys

for module in ("bench.import_time", "bench.op_overhead", "bench.compare"):
    print(f"== python -m {module}", flush=True)
    extra = ["--frameworks", "deepkit"] if module == "bench.compare" and "--alone" in sys.argv else []
    subprocess.run([sys.executable, "-m", module, *extra], check=True)

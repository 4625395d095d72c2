"""Training steps and single-row predictions beside PyTorch and Keras on JAX, in one interleaved run.

    python -m bench.compare [--frameworks deepkit torch keras-jax ...] [--rounds 9] [--peer-python PATH] [--out FILE]
    python -m bench.compare --growth    # the step's time over batch sizes and depths

Each framework runs in a process of its own and they take turns round by round, so that a noisy machine disturbs all
alike; between turns there is a pause in which the threads of the last one stop waiting for work. Compared are medians
over the rounds; what counts is the ratio, not the milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

from .jobs import GROWTH, JOBS

ROOT = Path(__file__).parents[1]

#: Seconds between turns.
PAUSE = 0.2


class Worker:
    """A framework's process."""

    def __init__(self, framework: str, python: str = sys.executable):
        env = {**os.environ, "PYTHONPATH": str(ROOT), "DEEPKIT_BACKEND": os.environ.get("DEEPKIT_BACKEND", "numpy")}
        self.process = subprocess.Popen(
            [python, str(ROOT / "bench" / "worker.py"), framework],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env,
        )  # fmt: skip
        self.about = self._read()

    def _read(self) -> dict:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError("The worker ended without an answer; run it by hand to see why.")

    def run(self, job: str) -> dict:
        time.sleep(PAUSE)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return self._read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frameworks", nargs="+", default=["deepkit", "torch", "keras-jax"],
                        help="deepkit, torch, keras-jax, keras-torch, keras-tensorflow, and NAME=PYTHON for one with "
                        "an interpreter of its own")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--jobs", nargs="+", help="names; all of bench/jobs.py by default")
    parser.add_argument("--growth", action="store_true", help="batch sizes and depths instead")
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has the other frameworks")
    parser.add_argument("--out", help="write the results as JSON here too")
    args = parser.parse_args()
    workers = {}
    for given in args.frameworks:
        name, _, python = given.partition("=")
        workers[name] = Worker(name, python or (sys.executable if name == "deepkit" else args.peer_python))
    results: dict[str, dict[str, dict[str, list[float]]]] = {}
    for job in args.jobs or (GROWTH if args.growth else JOBS):
        results[job] = {f: {"step": [], "predict": []} for f in workers}
        for worker in workers.values():
            worker.run(job)  # compilation and warm-up
        for _ in range(args.rounds):
            for name, worker in workers.items():
                answer = worker.run(job)
                for kind in ("step", "predict"):
                    results[job][name][kind].append(answer[kind])
    peers = [f for f in workers if f != "deepkit"]
    print(
        f"{platform.machine()}, {os.cpu_count()} cores; "
        + ", ".join(f"{f} {w.about['version']}" for f, w in workers.items())
    )
    header = ["job", *[f"{f} ms" for f in workers], "deepkit / fastest peer"]
    print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    for job, by_framework in results.items():
        for kind in ("step", "predict"):
            medians = {f: statistics.median(v[kind]) * 1e3 for f, v in by_framework.items()}
            ratio = (
                medians["deepkit"] / min(medians[p] for p in peers)
                if peers and "deepkit" in medians
                else float("nan")
            )
            cells = [f"{job}: {kind if kind == 'step' else 'predict one row'}", *[f"{m:.3f}" for m in medians.values()]]
            print("| " + " | ".join([*cells, f"{ratio:.2f}"]) + " |")
    if args.out:
        about = {f: w.about for f, w in workers.items()}
        Path(args.out).write_text(json.dumps({"versions": about, "machine": platform.machine(), "cores": os.cpu_count(),
                                              "python": platform.python_version(), "seconds": results},
                                              indent=1))  # fmt: skip
    for worker in workers.values():
        worker.process.stdin.close()  # type: ignore[union-attr]
        worker.process.wait()


if __name__ == "__main__":
    main()

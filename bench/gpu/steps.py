"""Training steps of ``bench/jobs.py`` beside PyTorch, eager and under CUDA graphs, and Keras on JAX, in one run."""

from __future__ import annotations

import importlib.util
import os
import statistics
from typing import Any

from ..compare import Worker
from ..jobs import JOBS
from .common import SIMULATED

__all__ = ["run"]


def peers() -> list[str]:
    """The frameworks that are installed here."""
    found = []
    if importlib.util.find_spec("torch") is not None:
        found += ["torch-cuda", "torch-graphs"]
    if importlib.util.find_spec("keras") is not None and importlib.util.find_spec("jax") is not None:
        found.append("keras-jax")
    return found


def run(rounds: int = 7) -> dict[str, Any]:
    """Medians of the rounds in which the frameworks take turns; a framework that fails at a job is left out of it."""
    simulated = bool(os.environ.get(SIMULATED))
    os.environ["DEEPKIT_BACKEND"] = "cupy"
    workers: dict[str, Worker] = {}
    out: dict[str, Any] = {}
    for name in ["deepkit", *([] if simulated else peers())]:
        try:
            workers[name] = Worker(name)
            out[f"version of {name}"] = workers[name].about["version"]
        except Exception as error:
            out[f"version of {name}"] = f"doesn't start: {error}"
    for job in list(JOBS)[:1] if simulated else JOBS:
        times: dict[str, list[float]] = {}
        for name in list(workers):
            try:
                workers[name].run(job)  # compiles, warms up, captures
                times[name] = []
            except Exception as error:
                print(f"{job}: {name} fails: {error}", flush=True)
                workers.pop(name).process.kill()
                try:
                    workers[name] = Worker(name)
                except Exception:
                    pass
        for _ in range(1 if simulated else rounds):
            for name, found in times.items():
                if name in workers:
                    found.append(workers[name].run(job)["step"])
        row: dict[str, Any] = {f"{name} ms": round(statistics.median(t) * 1e3, 4) for name, t in times.items() if t}
        ours = row.get("deepkit ms")
        for name in times:
            if name != "deepkit" and ours and row.get(f"{name} ms"):
                row[f"deepkit / {name}"] = round(ours / row[f"{name} ms"], 3)
        out[job] = row
        print(f"{job}: {row}", flush=True)
    for worker in workers.values():
        worker.process.kill()
    return out

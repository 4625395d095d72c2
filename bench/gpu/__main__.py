"""Everything that a machine with a GPU has to show, in one command.

    python -m bench.gpu [--only probes tests ...] [--out FILE] [--simulated]

The parts, in order: ``header`` (card and versions), ``probes`` (what captured steps rest on), ``tests``, ``sanitizer``
(compute-sanitizer, where it is found), ``gemm``, ``convolution``, ``attention``, ``bandwidth``, ``steps`` (training
steps beside other frameworks). Each runs in a process of its own with a time limit: one that fails, hangs or brings the
device down is reported, and the others run. The results go to ``bench/results/gpu-<card>.json``; a table of
them is printed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from . import report
from .common import SIMULATED

ROOT = Path(__file__).parents[2]

#: Name: module, function, and the minutes it may take.
PARTS = {
    "header": ("header", "run", 2),
    "probes": ("probes", "run", 10),
    "tests": ("suite", "run_tests", 45),
    "sanitizer": ("suite", "run_sanitizer", 60),
    "gemm": ("kernels", "run_gemm", 10),
    "convolution": ("kernels", "run_convolution", 15),
    "attention": ("attention", "run", 15),
    "bandwidth": ("kernels", "run_bandwidth", 10),
    "steps": ("steps", "run", 30),
}


def run_part(name: str) -> Any:
    """A part, in this process."""
    module, function, _ = PARTS[name]
    return getattr(importlib.import_module(f"{__package__}.{module}"), function)()


def _child(name: str, out: str) -> None:
    """A part for the process that asked for it: the result goes into a file."""
    try:
        answer = {"state": "done", "result": run_part(name)}
    except Exception:
        traceback.print_exc()
        answer = {"state": "failed", "why": traceback.format_exc()}
    Path(out).write_text(json.dumps(answer))


def in_a_process(name: str, minutes: float) -> dict[str, Any]:
    """A part in a process of its own; what became of it, whatever that is."""
    print(f"\n== {name}", flush=True)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "answer.json"
        command = [sys.executable, "-m", "bench.gpu", "--part", name, "--answer", str(out)]
        process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
        try:
            status = process.wait(minutes * 60)
            answer = {"state": "failed", "why": f"the process ended with status {status}"}
        except (subprocess.TimeoutExpired, KeyboardInterrupt) as error:
            # Its children, too: pytest, the sanitizer, other frameworks.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            late = isinstance(error, subprocess.TimeoutExpired)
            answer = {"state": "failed", "why": f"not done after {minutes} minutes" if late else "interrupted"}
        if out.exists():
            answer = json.loads(out.read_text())
    answer["seconds"] = round(time.perf_counter() - start, 1)
    if answer["state"] != "done":
        print(f"{name}: {answer['why'].strip().splitlines()[-1]}", flush=True)
    return answer


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--only", nargs="+", choices=list(PARTS), help="these parts, and the header")
    parser.add_argument("--minutes", type=float, help="the time limit of each part, in place of its own")
    parser.add_argument("--out", type=Path, help="where to write the results")
    parser.add_argument("--simulated", action="store_true",
                        help="tiny sizes in simulation: shows that the parts run, measures nothing")  # fmt: skip
    parser.add_argument("--part", choices=list(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--answer", help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.part:
        _child(args.part, args.answer)
        return 0
    if args.simulated:
        os.environ[SIMULATED] = "1"
    results = {}
    for name, (_, _, minutes) in PARTS.items():
        if name == "header" or args.only is None or name in args.only:
            results[name] = in_a_process(name, args.minutes or minutes)
            if name == "header" and results[name]["state"] != "done":
                print("There is no device to measure; see above what is missing.")
                return 1
    path = args.out or report.file_name(results)
    if args.out or not args.simulated:
        report.write(results, path)
        print(f"\nWritten to {path}.")
    given = " ".join(sys.argv[1:] if arguments is None else arguments)
    print("\n" + report.table(results, f"python -m bench.gpu {given}".strip()))
    return 0 if all(part["state"] == "done" and report.holds(part["result"]) for part in results.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())

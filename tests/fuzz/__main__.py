"""Long runs: ``python -m tests.fuzz TARGET --seconds 600``, guided by coverage if atheris is there."""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parent / "corpus"
#: Seconds for one input.
LATE = 5
#: What the process may take beyond what it has at the start, in bytes.
MEMORY = 1 << 30


def limit_memory() -> None:
    """End with a MemoryError what takes more than :data:`MEMORY`."""
    import resource

    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
    except FileNotFoundError:
        return  # only Linux tells, and keeps to the limit
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))


def with_mutator(name: str, runs: int, seconds: float, seed: int) -> None:
    """Run until the first finding, which is left in a file beside."""
    from tests.fuzz import targets
    from tests.fuzz.mutate import mutations

    def late(*_: Any) -> None:
        raise AssertionError(f"more than {LATE} seconds")

    signal.signal(signal.SIGALRM, late)
    limit_memory()
    seeds = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
    began, taken, done = time.monotonic(), 0, 0
    for done, data in enumerate(mutations(seeds, runs, seed), 1):
        signal.alarm(LATE)
        try:
            taken += targets.run(name, data)
        except BaseException:
            found = f"crash-{name}-{hashlib.sha1(data).hexdigest()[:12]}"
            Path(found).write_bytes(data)
            print(f"{name}: input {done} fails; it is in {found}", file=sys.stderr)
            raise
        finally:
            signal.alarm(0)
        if seconds and time.monotonic() - began > seconds:
            break
    print(f"{name}: {done} inputs, {taken} of them taken, {time.monotonic() - began:.0f} s")


def with_coverage(name: str, runs: int, seconds: float, seed: int, keep: str | None) -> None:
    """Run libFuzzer, which looks for inputs that reach new code."""
    import tempfile

    import atheris

    with atheris.instrument_imports(include=["deepkit"], enable_loader_override=False):
        from tests.fuzz import targets

    def one(data: bytes) -> None:
        targets.run(name, data)

    limit_memory()
    keep = keep or tempfile.mkdtemp(prefix=f"fuzz-{name}-")
    options = [f"-runs={runs}", f"-seed={seed + 1}", f"-timeout={LATE}", "-rss_limit_mb=0", "-max_len=65536",
               f"-artifact_prefix=crash-{name}-", "-print_final_stats=1"]  # fmt: skip
    if seconds:
        options.append(f"-max_total_time={seconds:.0f}")
    atheris.Setup([sys.argv[0], *options, keep, str(CORPUS / name)], one)
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=sorted(path.name for path in CORPUS.iterdir()))
    parser.add_argument("--seconds", type=float, default=0.0, help="end after so many")
    parser.add_argument("--runs", type=int, default=0, help="end after so many inputs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", help="folder for the inputs that reach new code, to go on from")
    parser.add_argument("--plain", action="store_true", help="the mutator, even if atheris is there")
    parser.add_argument("--replay", help="give this one input to the target")
    options = parser.parse_args()
    if options.replay:
        from tests.fuzz import targets

        print("taken" if targets.run(options.target, Path(options.replay).read_bytes()) else "refused")
        return
    runs = options.runs or (10**12 if options.seconds else 10_000)
    try:
        import atheris  # noqa: F401
    except ImportError:
        options.plain = True
    if options.plain:
        with_mutator(options.target, runs, options.seconds, options.seed)
    else:
        with_coverage(options.target, options.runs or -1 if options.seconds else runs, options.seconds, options.seed,
                      options.keep)  # fmt: skip


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()

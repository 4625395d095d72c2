"""A short run of every fuzz target, the same inputs each time; long ones are for ``python -m tests.fuzz``."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.mutate import mutations

pytest.importorskip("resource", reason="limits need a POSIX system")

ROOT = Path(__file__).parents[2]
TARGETS = sorted(path.name for path in (Path(__file__).parent / "corpus").iterdir())


def run(*arguments: str) -> str:
    command = [sys.executable, "-m", "tests.fuzz", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", TARGETS)
def test_with_the_mutator(name: str) -> None:
    runs = {"config_edits": 400, "archive": 600}.get(name, 1500)
    assert f"{runs} inputs" in run(name, "--plain", "--runs", str(runs), "--seed", "3")


@pytest.mark.slow  # to prepare the code for it takes longer than the run
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris isn't there")
def test_guided_by_coverage() -> None:
    assert "number_of_executed_units" in run("safetensors", "--runs", "3000")


def test_the_corpus_is_valid_and_small() -> None:
    from tests.fuzz.targets import TARGETS as found
    from tests.fuzz.targets import run as give

    assert sorted(found) == TARGETS
    files = [path for name in TARGETS for path in (Path(__file__).parent / "corpus" / name).iterdir()]
    assert sum(path.stat().st_size for path in files) < 200_000
    taken = {path.parent.name for path in files if give(path.parent.name, path.read_bytes())}
    assert taken == {*TARGETS} - {"config_edits", "sharded_index"}


def test_a_seed_makes_the_same_inputs_everywhere() -> None:
    made = list(mutations([b"abc", b"def"], 50, seed=1))
    assert made == list(mutations([b"abc", b"def"], 50, seed=1)) and made[:2] == [b"abc", b"def"]
    assert len(set(made)) > 40 and made != list(mutations([b"abc", b"def"], 50, seed=2))

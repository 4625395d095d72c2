"""A short version of :mod:`tests.saving.kill_while_saving`, in a process of its own, as it forks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.saving import kill_while_saving as kills


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system can't fork")
def test_ten_kills() -> None:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.saving.kill_while_saving", "--kills", "10", "--no-flush"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 kills" in done.stdout


def test_the_test_sees_mixtures(tmp_path: Path) -> None:
    """What isn't one version is found: a shard of another save, a file that is cut off."""
    states = [[v.numpy() for v in kills.variables(kills.build(i))] for i in range(3)]
    for name, (save, _) in kills.FILES.items():
        for version in (2, 0):
            (tmp_path / str(version)).mkdir(exist_ok=True)
            save(kills.build(version), tmp_path / str(version) / name)
            assert kills.version_in(tmp_path / str(version) / name, states) == version
        path = tmp_path / "0" / name
        if name == "s.weights.json":
            os.replace(tmp_path / "2" / "s_00001.weights.h5", tmp_path / "0" / "s_00001.weights.h5")
        else:
            path.write_bytes(path.read_bytes()[:-5000])
        with pytest.raises(ValueError, match="mixture" if name == "s.weights.json" else None):
            kills.version_in(path, states)

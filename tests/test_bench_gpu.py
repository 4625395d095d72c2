"""``python -m bench.gpu`` runs through in simulation, on tiny sizes; what it measures there means nothing."""

from __future__ import annotations

import json

import pytest

from deepkit import backend
from deepkit.backend import cuda

runner = pytest.importorskip("bench.gpu.__main__")
from bench.gpu import report  # noqa: E402
from bench.gpu.common import SIMULATED  # noqa: E402


@pytest.fixture
def simulated(gpu, monkeypatch):
    if gpu != "simulated":
        pytest.skip("python -m bench.gpu is there for real devices")
    monkeypatch.setenv(SIMULATED, "1")
    monkeypatch.setattr(backend, "_active", backend.cpu)
    monkeypatch.setattr(cuda, "load", cuda.kernel_module)


@pytest.mark.parametrize("part", ["header", "probes", "gemm", "convolution", "attention", "bandwidth", "sanitizer"])
def test_parts(simulated, part, capsys, monkeypatch):
    if part == "sanitizer":
        monkeypatch.setattr("shutil.which", lambda name: None)
        monkeypatch.setattr("bench.gpu.suite.Path.exists", lambda path: False)
    result = runner.run_part(part)
    assert json.loads(json.dumps(result)) and report.holds(result)
    if part == "probes":
        assert result["calls that a graph holds"]["add(out=)"] == "yes"
        assert result["calls that a graph holds"]["item"].startswith("no: CaptureError")
        assert result["a pool survives replays"]["wrong after"] == []
    if part == "bandwidth":
        assert {"softmax", "Adam", "layer norm, gradient"} <= set(result)
    if part == "sanitizer":
        assert "not installed" in result["why"]


@pytest.mark.slow
def test_processes(simulated, tmp_path, capfd):
    out = tmp_path / "out.json"
    assert runner.main(["--simulated", "--only", "tests", "steps", "--out", str(out)]) == 0
    written = json.loads(out.read_text())
    assert list(written) == ["header", "tests", "steps"]
    assert written["tests"]["result"]["passed"] and all(part["state"] == "done" for part in written.values())
    assert "deepkit ms" in written["steps"]["result"]["regression 8-5-5-1, batch 32"]
    said = capfd.readouterr().out
    assert "### steps: done" in said and "card simulated" in said


def test_a_part_that_hangs_or_fails_is_told(simulated, monkeypatch, capfd):
    late = runner.in_a_process("header", 1e-4)
    assert late["state"] == "failed" and "not done after" in late["why"]
    monkeypatch.setitem(runner.PARTS, "header", ("header", "no_such_function", 1))
    path_of_nothing = {"header": {"state": "failed", "why": "line one\nthe reason", "seconds": 1.0},
                       "probes": {"state": "failed", "why": "the reason", "seconds": 1.0}}  # fmt: skip
    assert "the reason" in report.table(path_of_nothing, "command")


def test_a_suite_that_fails_is_an_answer():
    assert not report.holds({"memcheck": {"holds": False}}) and report.holds({"why": "no tool", "holds": None})
    found = {"header": {"state": "done", "result": {"card": "NVIDIA H100 80GB"}, "seconds": 1.0},
             "tests": {"state": "done", "result": {"holds": False, "failed": 3}, "seconds": 2.0}}  # fmt: skip
    assert report.file_name(found).name == "gpu-nvidia-h100-80gb.json"
    assert "### tests: done, and something doesn't hold, 2.0 s" in report.table(found, "command")


def test_parts_of_an_earlier_run_stay(tmp_path):
    path = tmp_path / "results" / "gpu.json"
    report.write({"gemm": {"seconds": 1}}, path)
    report.write({"steps": {"seconds": 2}}, path)
    assert json.loads(path.read_text()) == {"gemm": {"seconds": 1}, "steps": {"seconds": 2}}

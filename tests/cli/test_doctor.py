"""The report of ``python -m deepkit doctor``."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit.__main__ import main
from deepkit.backend.cuda import device
from deepkit.cli import doctor


def test_report_names_the_parts(capsys):
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    for part in (
        deepkit.__version__,
        f"NumPy:      {np.__version__}",
        "BLAS",
        "backend:",
        "driver:",
        "CuPy:",
        "GPU:",
    ):
        assert part in text


def test_report_shows_each_problem(monkeypatch):
    found = device.Diagnosis("550.54", (12, 4), "14.0", "cupy-cuda12x", "/include", 2, ["first", "second"])
    monkeypatch.setattr(device, "diagnose", lambda: found)
    text = doctor.report()
    assert "NVIDIA 550.54, runs CUDA 12.4, devices: 2" in text and "14.0 (cupy-cuda12x)" in text
    assert "not usable" in text and "- first" in text and "- second" in text


def test_command_line(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0 and deepkit.__version__ in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([])

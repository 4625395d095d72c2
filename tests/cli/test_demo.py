"""``python -m deepkit demo`` learns to read digits."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest

import deepkit
from deepkit.__main__ import main
from deepkit.cli import demo


@pytest.fixture(autouse=True)
def numpy_backend():
    """The command line may switch the backend: the default is back afterwards."""
    yield
    deepkit.config.set_backend("auto")


@pytest.mark.slow
def test_digits_reach_98_percent_within_a_minute(capsys):
    start = time.perf_counter()
    assert main(["demo", "--backend", "numpy"]) == 0
    elapsed = time.perf_counter() - start
    text = capsys.readouterr().out
    assert float(re.search(r"Held-out accuracy ([\d.]+) %", text).group(1)) >= 98
    assert "359 held out" in text and "misread" in text
    assert elapsed < 60


def test_same_seed_same_run(capsys):
    def final_line(seed):
        assert main(["demo", "--epochs", "1", "--batch-size", "256", "--seed", seed]) == 0
        return re.search(r"Held-out.*loss [\d.]+", capsys.readouterr().out).group()

    assert final_line("3") == final_line("3") != final_line("4")


def test_mnist_takes_larger_images():
    assert demo.build_model("mnist", steps=10).output_shape == (None, 10)


def test_missing_gpu(capsys, monkeypatch):
    monkeypatch.setattr("deepkit.backend.cuda.device._find_cupy", lambda: (None, None))
    assert main(["demo", "--backend", "cupy"]) == 1
    assert "pip install" in capsys.readouterr().out


def test_bad_arguments():
    for arguments in (["--epochs", "0"], ["--data", "cats"], ["--backend", "jax"]):
        with pytest.raises(SystemExit):
            main(["demo", *arguments])


def test_images_as_text():
    gradient = np.linspace(0, 1, 4).reshape(1, 4)
    assert demo.image_lines(gradient) == ["  --**@@"]
    assert len(demo.image_lines(np.zeros((28, 28)))) == 14


def test_misread_images_come_first(capsys):
    x, y = np.zeros((4, 8, 8, 1)), np.array([0, 1, 2, 3])
    probabilities = np.eye(4)[[0, 1, 3, 3]]
    demo.show(x, y, probabilities, count=3)
    lines = capsys.readouterr().out.splitlines()
    assert "3 (100 %)" in lines[-3][:17]
    assert "is a 2" in lines[-2] and lines[-1] == "1 of 4 misread."

"""The progress bar in a terminal and elsewhere."""

from __future__ import annotations

import io
import os
import shutil
import sys

import pytest

from deepkit.utils import Progbar
from deepkit.utils import progbar as module


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def a_terminal(monkeypatch):
    """Made within the test: between fixtures and test, pytest puts its own standard output in place."""
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("NO_COLOR", "1")
    return out


def test_drawn_in_place(monkeypatch):
    terminal = a_terminal(monkeypatch)
    bar = Progbar(10, interval=0)
    for i in range(1, 11):
        bar.update(i, [("loss", 1.0 / i)])
    drawn = terminal.getvalue()
    assert drawn.count("\r") == 10 and drawn.count("\n") == 1 and drawn.endswith("\n")
    assert "10/10 ━━━━━━━━━━━━━━━━━━━━ 0s" in drawn and "loss: 0.1000" in drawn


def test_limited_rate(monkeypatch):
    terminal = a_terminal(monkeypatch)
    bar = Progbar(1000)
    for i in range(1, 1001):
        if bar.due():
            bar.update(i)
    assert 0 < terminal.getvalue().count("\r") < 20


def test_narrow_terminal(monkeypatch):
    terminal = a_terminal(monkeypatch)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((40, 20)))
    bar = Progbar(100, interval=0)
    bar.update(50, [(f"metric_{i}", 0.5) for i in range(9)])
    assert 30 < len(terminal.getvalue().strip("\r\n")) <= 40


def test_averages(monkeypatch):
    terminal = a_terminal(monkeypatch)
    bar = Progbar(None, interval=0, stateful_metrics=["now"])
    bar.update(1, [("mean", 1.0), ("now", 1.0)])
    bar.update(3, [("mean", 4.0), ("now", 4.0)])
    last = terminal.getvalue().split("\r")[-1]
    assert "3/Unknown" in last and "mean: 3.0000" in last and "now: 4.0000" in last
    with pytest.raises(ValueError, match="not both"):
        Progbar(1, stateful_metrics=[], stateless_metrics=[])


def test_one_line_elsewhere(capsys):
    for verbose in (1, 2):
        bar = Progbar(3, verbose=verbose)
        for _ in range(3):
            bar.add(1, [("loss", 1e-5)])
        out = capsys.readouterr().out
        assert out.count("\n") == 1 and "\r" not in out and "loss: 1.0000e-05" in out


def test_output_that_knows_no_bars(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    module.print_message("━ done")
    assert raw.getvalue() == b"= done\n"
    monkeypatch.setattr(sys, "stdout", None)
    module.print_message("nobody listens")

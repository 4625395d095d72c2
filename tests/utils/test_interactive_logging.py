"""Where progress is shown."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import deepkit
from deepkit import config


@pytest.fixture
def silent():
    config.disable_interactive_logging()
    yield
    config.enable_interactive_logging()


def fit(**kwargs):
    model = deepkit.Sequential([deepkit.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=2, **kwargs)


def test_on_standard_output(capsys):
    assert deepkit.utils.is_interactive_logging_enabled()
    fit()
    assert "Epoch 2/2" in capsys.readouterr().out


def test_in_the_log(silent, capsys, caplog):
    assert not config.is_interactive_logging_enabled()
    with caplog.at_level(logging.INFO, "deepkit"):
        fit()
    assert capsys.readouterr().out == ""
    assert caplog.messages[0] == "Epoch 1/2" and caplog.messages[-1].startswith("1/1 - 0s")
    assert all(record.name == "deepkit" for record in caplog.records)

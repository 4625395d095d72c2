"""Fixtures that the whole suite shares."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

import deepkit
from deepkit.backend.cpu import native


@pytest.fixture(params=["cpu", "cpu-compiled"])
def device(request):
    """One body for every device: a test that takes this fixture runs once on each.

    ``cpu`` is NumPy alone, ``cpu-compiled`` NumPy with the compiled kernels.
    """
    compiled = request.param == "cpu-compiled"
    if compiled and not native.available():
        pytest.skip("the compiled kernels aren't built")
    before = native.state.module
    native.enable(compiled)
    try:
        with deepkit.device("cpu"):
            yield request.param
    finally:
        native.state.module = before

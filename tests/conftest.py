"""Fixtures that the whole suite shares."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

import deepkit


@pytest.fixture(params=["cpu"])
def device(request):
    """One body for every device: a test that takes this fixture runs once on each."""
    with deepkit.device(request.param):
        yield request.param

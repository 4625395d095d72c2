"""A cache of its own for each test, and what makes a made-up file pass for the real one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepkit.datasets import source


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache; the folder in it where files go."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    folder = tmp_path / "datasets"
    folder.mkdir()
    return folder


@pytest.fixture
def any_hash(monkeypatch):
    """Files of the tests' own making don't have the published hashes."""
    get_file = source.get_file
    monkeypatch.setattr(source, "get_file", lambda *args, file_hash, **kwargs: get_file(*args, **kwargs))


@pytest.fixture
def real_data():
    """The folder with real files: ``$DEEPKIT_DATA``, or ``shared/data`` beside the checkout."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("DEEPKIT_DATA", beside))
    if not folder.is_dir():
        pytest.skip("no folder with real data: set DEEPKIT_DATA")
    return folder

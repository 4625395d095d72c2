"""``deepkit.utils`` has the names it promises, and imports none of them before it is asked."""

from __future__ import annotations

import subprocess
import sys

import pytest

import deepkit.utils


@pytest.mark.parametrize("name", deepkit.utils.__all__)
def test_name(name):
    assert callable(getattr(deepkit.utils, name)) and name in dir(deepkit.utils)


def test_unknown_name():
    with pytest.raises(AttributeError, match="no_such_name"):
        deepkit.utils.no_such_name


def test_nothing_heavy_is_imported():
    program = "import sys, deepkit; print([m for m in ('urllib.request', 'tarfile', 'zipfile') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"

"""What the wheel holds, and that it works away from the checkout."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import deepkit
from deepkit.backend.cuda.sources import kernel_folder

ROOT = Path(__file__).parents[1]


def test_versions_agree():
    assert re.fullmatch(r"\d+\.\d+\.\d+", deepkit.__version__)


def test_licence_and_attribution_are_there():
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert "CC BY 4.0" in (ROOT / "deepkit/datasets/data/ATTRIBUTION.md").read_text()


def test_every_folder_is_a_package():
    folders = {path.parent for path in (ROOT / "deepkit").rglob("*.py")}
    assert not [str(folder) for folder in folders if not (folder / "__init__.py").is_file()]


def test_kernel_folder_of_a_checkout():
    assert kernel_folder() == ROOT / "kernels"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("build")
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and "No matching distribution" in done.stdout + done.stderr:
        pytest.skip("the build backend can't be had: no package index")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(out.glob("*.tar.gz"))) == 1
    return next(out.glob("*.whl"))


@pytest.mark.slow
def test_wheel_holds_everything(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "deepkit").rglob("*.py")}
    sources |= {
        f"deepkit/{path.relative_to(ROOT)}" for path in (ROOT / "kernels").rglob("*") if path.is_file()
    }
    sources |= {
        "deepkit/datasets/data/digits.npz",
        "deepkit/datasets/data/ATTRIBUTION.md",
        "deepkit/py.typed",
    }
    assert sources <= names
    assert not [
        name for name in names if name.startswith(("tests", "bench", "kernels")) or "__pycache__" in name
    ]


@pytest.mark.slow
def test_wheel_works_outside_the_checkout(wheel, tmp_path):
    target = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(target)
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import deepkit; from deepkit.datasets import digits;"
        "from deepkit.backend.cuda.sources import kernel_folder;"
        "assert str(kernel_folder()) == sys.argv[1] + '/deepkit/kernels', kernel_folder();"
        "assert deepkit.__file__.startswith(sys.argv[1]), deepkit.__file__; print(len(digits.load_data()[0][0]))"
    )
    command = [sys.executable, "-I", "-c", program, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == "1438", done.stderr

"""Files of real Keras: the same predictions, and the same losses in the training steps that follow."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

import deepkit
from tests.golden import interchange_cases as cases

ARCHIVES = sorted((Path(__file__).parents[1] / "golden" / "interchange").glob("keras-*.zip"))


def _entries() -> list[tuple[Path, str]]:
    found = []
    for path in ARCHIVES:
        with zipfile.ZipFile(path) as archive:
            found += [(path, name[:-6]) for name in archive.namelist() if name.endswith(".keras")]
    return found


@pytest.mark.parametrize(("path", "name"), _entries(), ids=lambda v: v.stem if isinstance(v, Path) else v)
def test_file_of_keras(path: Path, name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        (tmp_path / "m.keras").write_bytes(archive.read(f"{name}.keras"))
        wanted = np.load(io.BytesIO(archive.read(f"{name}.npz")))
    model = deepkit.saving.load_model(tmp_path / "m.keras")
    x = cases.data(name)
    near = 2e-4 if name == "MelSpectrogram" else 1e-5  # decibels: far larger than what the other layers give
    np.testing.assert_allclose(cases.predictions(deepkit, model, x), wanted["y"], rtol=1e-5, atol=near)
    if "losses" in wanted:
        got = cases.losses(model, x, cases.STEPS_AFTER)
        np.testing.assert_allclose(got, wanted["losses"], rtol=1e-4, atol=1e-4)

"""Files of real Keras: the same predictions, and the same losses in the training steps that follow."""

from __future__ import annotations

import functools
import io
from pathlib import Path

import numpy as np
import pytest

import deepkit
from tests.golden import interchange_cases as cases

ARCHIVES = sorted((Path(__file__).parents[1] / "golden" / "interchange").glob("keras-*.tar.xz"))
members = functools.lru_cache(cases.members)


def _entries() -> list[tuple[Path, str]]:
    return [(p, name[:-6]) for p in ARCHIVES for name in members(p) if name.endswith(".keras")]


@pytest.mark.parametrize(("path", "name"), _entries(), ids=lambda v: v.name[:-7] if isinstance(v, Path) else v)
def test_file_of_keras(path: Path, name: str, tmp_path: Path) -> None:
    files = members(path)
    wanted = np.load(io.BytesIO(files[f"{name}.npz"]))
    model = cases.whole.read(deepkit, name, cases.place(name, files, str(tmp_path)))
    x, (near, near_losses) = cases.data(name), cases.tolerances(name)
    np.testing.assert_allclose(cases.predictions(deepkit, model, x), wanted["y"], rtol=near, atol=near)
    if "losses" in wanted:
        got = cases.losses(model, x, cases.STEPS_AFTER)
        if wanted["losses"].ndim == 1:  # of earlier versions: without the metrics
            got = [step[0] for step in got]
        np.testing.assert_allclose(got, wanted["losses"], rtol=near_losses, atol=near_losses)

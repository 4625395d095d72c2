"""Writes interchange/keras-<version>.zip with real Keras: ``KERAS_BACKEND=torch python make_interchange.py``.

The archive is added to, so that the cases that need TensorFlow can come from another environment. Earlier versions of
Keras write the cases ``EARLIER``.
"""

from __future__ import annotations

import io
import sys
import tempfile
import traceback
import zipfile
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import interchange_cases as cases

folder = Path(__file__).parent / "interchange"
path = folder / f"keras-{keras.__version__}.zip"
try:
    import tensorflow  # noqa: F401

    names = cases.WITH_TENSORFLOW
except ImportError:
    newest = tuple(map(int, keras.__version__.split(".")[:2])) >= (3, 15)
    names = [n for n in (cases.CASES if newest else cases.EARLIER) if n not in cases.WITH_TENSORFLOW]
names = sys.argv[1:] or names

members: dict[str, bytes] = {}
if path.exists():
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
for name in names:
    keras.utils.set_random_seed(0)
    keras.backend.clear_session()
    try:
        model = cases.model(keras, name)
        x = cases.data(name)
        with tempfile.TemporaryDirectory() as scratch:
            model.save(f"{scratch}/m.keras")
            members[f"{name}.keras"] = Path(scratch, "m.keras").read_bytes()
        out = {"y": cases.predictions(keras, model, x)}
        if model.compiled and not cases.CASES[name].random:
            out["losses"] = np.array(cases.losses(model, x, cases.STEPS_AFTER))
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **out)
        members[f"{name}.npz"] = buffer.getvalue()
    except Exception:
        print("FAILED", name)
        traceback.print_exc(limit=-2)
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for name in sorted(members):
        archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), members[name], zipfile.ZIP_DEFLATED, 9)
print(path, path.stat().st_size, len(members) // 2)

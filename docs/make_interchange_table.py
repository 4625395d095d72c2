"""Writes docs/interchange.md from the exchanged files: ``python docs/make_interchange_table.py``, from the root."""

from __future__ import annotations

import io
import json
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
FILES = ROOT / "tests" / "golden" / "interchange"

HEAD = """# Files exchanged with Keras

Each row is a compiled model around a layer, trained for two steps with Adam, written to a `.keras` file and read by the
other side. **yes** says that the predictions agree to 1e-5 and the losses of the next three training steps to 1e-4;
*predictions* that only these were compared, as training draws random numbers or the model is not trained. The files of
Keras lie in `tests/golden/interchange` and are read by `tests/saving/test_interchange.py`; the other way is checked by
`tests/golden/check_interchange.py`. This table is written by `docs/make_interchange_table.py`.

| Layer | deepkit loads Keras's file | Keras loads deepkit's |
|---|---|---|
"""


def reads(path: Path, name: str) -> str:
    """What becomes of one file of Keras here."""
    import deepkit
    from tests.golden import interchange_cases as cases

    with zipfile.ZipFile(path) as archive:
        if f"{name}.keras" not in archive.namelist():
            return "not checked"
        wanted = np.load(io.BytesIO(archive.read(f"{name}.npz")))
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch, "m.keras")
            file.write_bytes(archive.read(f"{name}.keras"))
            try:
                model = deepkit.saving.load_model(file)
            except (ValueError, TypeError) as error:
                return f"no: {type(error).__name__}"
    x = cases.data(name)
    if not np.allclose(cases.predictions(deepkit, model, x), wanted["y"], rtol=1e-5, atol=1e-5):
        return "no: predictions differ"
    if "losses" not in wanted:
        return "predictions"
    got = cases.losses(model, x, cases.STEPS_AFTER)
    return "yes" if np.allclose(got, wanted["losses"], rtol=1e-4, atol=1e-4) else "no: losses differ"


def main() -> None:
    from tests.golden import interchange_cases as cases

    archives = {p.stem.partition("-")[2]: p for p in FILES.glob("keras-*.zip")}
    newest = max(archives, key=lambda v: tuple(map(int, v.split("."))))
    checks = json.loads((FILES / f"check-{newest}.json").read_text())
    rows = []
    for name, case in cases.CASES.items():
        here = reads(archives[newest], name)
        there = "not checked"
        if name in checks:
            compared = "predictions" if case.random or not case.head else "yes"
            there = compared if checks[name] is None else f"no: {checks[name].partition(':')[0]}"
        rows.append(f"| {name} | {here} | {there} |")
    text = HEAD.replace("of\nKeras lie", f"of\nKeras {newest} lie") + "\n".join(rows) + "\n\n## Earlier versions\n\n"
    text += "| Keras | " + " | ".join(cases.EARLIER) + " |\n|---" * 1 + "|---" * len(cases.EARLIER) + "|\n"
    for version, path in sorted(archives.items(), key=lambda item: tuple(map(int, item[0].split(".")))):
        if version != newest:
            text += f"| {version} | " + " | ".join(reads(path, name) for name in cases.EARLIER) + " |\n"
    (ROOT / "docs" / "interchange.md").write_text(text)


if __name__ == "__main__":
    main()

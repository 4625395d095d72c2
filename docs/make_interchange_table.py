"""Writes docs/interchange.md from the exchanged files: ``python docs/make_interchange_table.py``, from the root."""

from __future__ import annotations

import io
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
FILES = ROOT / "tests" / "golden" / "interchange"

HEAD = """# Files exchanged with Keras

Each row is a compiled model around a layer, trained for two steps with Adam, written to a `.keras` file and read by the
other side. **yes** says that the predictions agree to 1e-5 and the losses and metrics of the next three training steps
to 1e-4; *predictions* that only these were compared, as training draws random numbers or the model is not trained. The
files of Keras VERSION lie in `tests/golden/interchange` and are read by `tests/saving/test_interchange.py`; the other
way is checked by `tests/golden/check_interchange.py`, with Keras on the backend named. This table is written by
`docs/make_interchange_table.py`.

- MelSpectrogram agrees to 2e-4: Keras's weights of the frequencies are rounded in float32, by up to 7e-6 and
  differently in each of its backends; with Keras's weights, this package is within 4e-6 of Keras.
- mixed_float16 agrees to 4e-3, the rounding of float16.
- Models of which only the weights are read are compiled anew: `load_weights` of Keras leaves an unused optimizer as it
  is, this package's gives it the state in the file.
- A stateful layer's states are in no file, neither of Keras nor of this package: a model begins from zeros where it is
  read. Predictions are compared after `reset_states()`. Keras on TensorFlow carries states through training as this
  package does, with the same losses to 1e-5 (tried by hand on SimpleRNN); on JAX they stay zero, and on torch training
  fails.

| Layer | deepkit loads Keras's file | Keras loads deepkit's | with |
|---|---|---|---|
"""

#: Names of ``keras.layers`` that no row can be about, and what "no" in a row is due to.
NONE = {
    "InputSpec": "no layer",
    "Input": "makes an InputLayer",
    "Layer": "a base class; see *A registered layer and function*",
    "Wrapper": "a base class",
    "LSTMCell": "see RNN",
    "GRUCell": "see *RNN, GRUCell*",
    "SimpleRNNCell": "see *RNN, SimpleRNNCell*",
    "MaxNumBoundingBoxes": "takes dictionaries of boxes, no tensor that a model could be made of",
    "TFSMLayer": "needs TensorFlow's runtime",
    "TorchModuleWrapper": "needs torch",
    "JaxLayer": "needs jax",
    "FlaxLayer": "needs flax",
    "NNXLayer": "needs flax",
}
_H5 = "Keras can't train on after loading an .h5, its own included"
WHY = {
    "ContrastLimitedAdaptiveHistogramEqualization": (
        "Keras on torch cuts the contrast's limit to a whole number; on JAX it agrees (augmentation's golden cases)"
    ),
    **{f"Legacy .h5{kind}": _H5 for kind in ("", ", models in models", ", Bidirectional", ", two outputs")},
    "Equalization": "real Keras builds and saves a model with it, but can't load that again",
    "TextVectorization, padded TF-IDF": "nor does it load its own: it compares padded weights with the vocabulary",
}


def reads(name: str, files: dict[str, bytes]) -> str:
    """What becomes of one file of Keras here."""
    import deepkit
    from tests.golden import interchange_cases as cases

    if f"{name}.keras" not in files:
        return "not checked"
    wanted = np.load(io.BytesIO(files[f"{name}.npz"]))
    with tempfile.TemporaryDirectory() as scratch:
        try:
            model = cases.whole.read(deepkit, name, cases.place(name, files, scratch))
        except (ValueError, TypeError) as error:
            return f"no: {type(error).__name__}"
    x, (near, near_losses) = cases.data(name), cases.tolerances(name)
    if not np.allclose(cases.predictions(deepkit, model, x), wanted["y"], rtol=near, atol=near):
        return "no: predictions differ"
    if "losses" not in wanted:
        return "predictions"
    got = cases.losses(model, x, cases.STEPS_AFTER)
    if wanted["losses"].ndim == 1:  # of an earlier version of the cases: without the metrics
        got = [step[0] for step in got]
    return "yes" if np.allclose(got, wanted["losses"], rtol=near_losses, atol=near_losses) else "no: losses differ"


def rest(rows: set[str]) -> list[str]:
    """The exported names that have no row: aliases and what is no layer of a model."""
    import deepkit

    exported = json.loads((FILES.parent / "api.json").read_text())["names"]
    names = sorted(n[13:] for n in exported if n.startswith("keras.layers.") and n[13:14].isupper())
    found = []
    for name in names:
        if name in rows:
            continue
        real = getattr(getattr(deepkit.layers, name, None), "__name__", name)
        found.append(f"| {name} | {f'the same as {real}' if real in rows else NONE[name]} |")
    return found


def main() -> None:
    from tests.golden import interchange_cases as cases

    archives = {p.name[6:-7]: p for p in FILES.glob("keras-*.tar.xz")}
    contents = {version: cases.members(path) for version, path in archives.items()}
    newest = max(archives, key=lambda v: tuple(map(int, v.split("."))))
    checks = json.loads((FILES / f"check-{newest}.json").read_text())
    lines = []
    for names in (cases.CASES, cases.whole.WHOLE):
        rows = []
        for name in names:
            here = reads(name, contents[newest])
            backend, there = checks.get(name, ["–", "not checked"])
            if there is None:
                there = "yes" if cases.trains(name) else "predictions"
            elif there != "not checked":
                there = f"no: {WHY.get(name, there.partition(':')[0])}"
            rows.append(f"| {name} | {here} | {there} | {backend} |")
        lines.append("\n".join(rows))
    text = HEAD.replace("VERSION", newest) + lines[0]
    text += "\n\n## Other names of `keras.layers`\n\n| Name | |\n|---|---|\n"
    text += "\n".join(rest({n.partition(",")[0].partition(" ")[0] for n in cases.CASES}))
    text += "\n\n## Whole models\n\n| Model | deepkit loads Keras's file | Keras loads deepkit's | with |\n"
    text += "|---|---|---|---|\n"
    text += lines[1] + "\n\n## Earlier versions\n\n"
    text += "| Keras | " + " | ".join(cases.EARLIER) + " |\n|---" + "|---" * len(cases.EARLIER) + "|\n"
    for version in sorted(archives, key=lambda v: tuple(map(int, v.split(".")))):
        if version != newest:
            found = [reads(name, contents[version]) for name in cases.EARLIER]
            text += f"| {version} | " + " | ".join(found) + " |\n"
    (ROOT / "docs" / "interchange.md").write_text(text)


if __name__ == "__main__":
    main()

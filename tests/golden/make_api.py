"""Makes api.json, Keras's public names and signatures: ``KERAS_BACKEND=jax python tests/golden/make_api.py``."""

from __future__ import annotations

import importlib
import json
import sys
import types
from pathlib import Path

import keras

sys.path.insert(0, str(Path(__file__).parents[2]))
from docs.make_api_table import signature


def namespaces(name: str, folder: Path) -> dict[str, dict[str, str | None]]:
    """Public names by public module; keras.src and the mirror of TensorFlow's namespace aren't public."""
    module = importlib.import_module(name)
    values = {n: getattr(module, n) for n in dir(module) if not n.startswith("_")}
    found = {name: {n: signature(v) for n, v in values.items() if not isinstance(v, types.ModuleType)}}
    for path in sorted(folder.iterdir()):
        if (path / "__init__.py").exists() and path.name not in ("src", "_tf_keras"):
            found.update(namespaces(f"{name}.{path.name}", path))
    return found


names = namespaces("keras", Path(keras.__file__).parent)
text = json.dumps({"version": keras.__version__, "names": names}, indent=0, sort_keys=True)
Path(__file__).with_name("api.json").write_text(text + "\n")

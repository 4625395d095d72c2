"""Write down which names CuPy has: ``python -m tests.cuda.dump_cupy_names`` where it is installed (no GPU needed)."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent / "fake_cupy" / "names.json"
SPACES = ("", "linalg", "fft", "random", "lib.stride_tricks")


def parameters(function: Any) -> list[str] | None:
    """Names of a function's parameters; ``None`` where Python can't tell, or any are taken."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return None if any(p.kind is p.VAR_KEYWORD for p in found) else [p.name for p in found]


def names() -> dict[str, dict[str, list[str] | None]]:
    """Public names of each namespace, with their parameters; ``ndarray`` are the attributes of arrays."""
    import cupy

    out: dict[str, dict[str, list[str] | None]] = {}
    for space in SPACES:
        module = cupy
        for part in filter(None, space.split(".")):
            module = getattr(module, part)
        public = [n for n in dir(module) if not n.startswith("_")]
        out[space] = {
            n: parameters(getattr(module, n)) if inspect.isfunction(getattr(module, n)) else None for n in public
        }
    out["ndarray"] = {n: None for n in dir(cupy.ndarray) if not n.startswith("_")}
    out["ufuncs"] = {n: None for n in out[""] if isinstance(getattr(cupy, n), cupy.ufunc)}
    return out


if __name__ == "__main__":
    lines = []
    for space, found in names().items():
        inner = ",\n".join(f"  {json.dumps(n)}: {json.dumps(p)}" for n, p in sorted(found.items()))
        lines.append(f"{json.dumps(space)}: {{\n{inner}\n}}")
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n")

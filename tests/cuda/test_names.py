"""NumPy's kernels ask CuPy for nothing that it lacks, as far as the source shows: every line, run by a test or not."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from deepkit.backend import cpu

from .fake_cupy.names import NAMES, SCATTERED

FOLDER = Path(cpu.__file__).parent
CUDA = FOLDER.parent / "cuda"

#: Modules that nothing is derived of.
OWN = {"__init__", "compiled", "memory", "native"}

#: Functions over what CuPy lacks that ``backend/cuda`` has its own of (or that run on the host), by module.
REPLACED = {"elementwise": {"lgamma", "segment_prod"}, "random": {"_Source", "_start", "random_generator"}}

#: Methods of universal functions, and the functions that CuPy has them of.
METHODS = {"reduce": {"add", "multiply"}, "accumulate": {"add", "multiply"}, "reduceat": {"add"}, "at": SCATTERED}


def shim() -> set[str]:
    """The names that ``backend/cuda/arrays.py`` has in the place of CuPy's."""
    tree = ast.parse((CUDA / "arrays.py").read_text(encoding="utf-8"))
    names = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    return names | {t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}


def dotted(node: ast.AST) -> str:
    """``exp`` of ``np.exp``, ``add.reduce`` of ``np.add.reduce``; nothing for anything else."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed(parts)) if isinstance(node, ast.Name) and node.id == "np" else ""


def problems(tree: ast.AST, own: set[str]) -> list[str]:
    """Uses of ``np`` in a source that CuPy would refuse."""
    found = set()
    for node in ast.walk(tree):
        name = dotted(node.func if isinstance(node, ast.Call) else node)
        first, _, rest = name.partition(".")
        if not name or first in own:
            continue
        if first not in NAMES[""] or (rest and first in NAMES and rest not in NAMES[first]):
            found.add(name)
        elif rest in METHODS and first not in METHODS[rest]:
            found.add(name)
        known = NAMES[""].get(name)
        if isinstance(node, ast.Call) and known is not None:
            found |= {f"{name}({k.arg}=)" for k in node.keywords if k.arg and k.arg not in known}
    return sorted(found)


STEMS = sorted({path.stem for path in FOLDER.glob("*.py")} - OWN)


@pytest.mark.parametrize("stem", STEMS)
def test_no_call_that_cupy_lacks(stem):
    tree = ast.parse((FOLDER / f"{stem}.py").read_text(encoding="utf-8"))
    left = REPLACED.get(stem, set())
    tree.body = [n for n in tree.body if getattr(n, "name", None) not in left]
    assert problems(tree, shim()) == []


def test_such_calls_are_found():
    lacking = ("np.block(x)", "np.subtract.reduce(x)", "np.divide.at(x, 0)", "np.sum(x, where=m)", "np.fft.nothing")
    found = problems(ast.parse("\n".join((*lacking, "np.exp(x)", "np.add.at", "np.sum(x, axis=0)"))), {"add"})
    assert found == ["block", "divide.at", "fft.nothing", "subtract.reduce", "sum(where=)"]

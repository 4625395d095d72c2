"""Imports point one way, and ``import deepkit`` stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "deepkit"

#: From the bottom up. A module imports from its own layer and those below; leaves are open to all.
LAYERS = [
    {"backend", "memory"},
    {"autograd"},
    {"ops"},
    {"activations", "initializers", "losses", "metrics", "optimizers", "layers", "regularizers", "constraints",
     "random", "dtype_policies", "mixed_precision", "distribution"},
    {"training", "callbacks"},
    {"models"},
    {"saving"},
    {"applications", "distillation", "wrappers", "tree", "visualization"},
]  # fmt: skip
LEAVES = {"config", "registry", "utils", "preprocessing", "datasets", "legacy"}
#: Above everything: the command line and the packages' faces.
TOP = {"__init__", "__main__", "cli"}
HEIGHT = {name: height for height, names in enumerate(LAYERS) for name in names}
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def part(path):
    """The first name under ``deepkit`` of a module's path."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_parts(path, tree, at_import_only):
    """Parts of deepkit that a module imports; those in functions only with ``at_import_only=False``."""
    package = ("deepkit", *path.relative_to(PACKAGE).parent.parts)
    for node in walk(tree, at_import_only):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names = alias.name.split(".")
                if names[0] == "deepkit":
                    yield names[1] if len(names) > 1 else "__init__"
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            full = (*base, *(node.module.split(".") if node.module else ()))
            if full == ("deepkit",):  # from deepkit import x: x is the part
                yield from (alias.name for alias in node.names)
            elif full[:1] == ("deepkit",):
                yield full[1]


def walk(tree, at_import_only):
    """Nodes that run at import: not those in functions, nor under ``if TYPE_CHECKING``."""
    if not at_import_only:
        yield from ast.walk(tree)
        return
    waiting = list(ast.iter_child_nodes(tree))
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    own = part(path)
    if own in TOP:
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert own in HEIGHT or own in LEAVES, f"{own} has no place in the order: add it to LAYERS or LEAVES"
    for other in set(imported_parts(path, tree, at_import_only=True)) - {own}:
        assert other not in TOP, f"{path} imports {other}, which is above everything"
        if other in LEAVES or other not in HEIGHT:
            continue
        limit = HEIGHT[own] if own in HEIGHT else -1
        if own == "config":
            limit = HEIGHT["backend"]  # config re-exports the backend switch
        assert HEIGHT[other] <= limit, f"{path} imports {other}, which is above it"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_cuda_backend_imports_cupy(path):
    if path.is_relative_to(PACKAGE / "backend" / "cuda"):
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        assert not any(name.split(".")[0] == "cupy" for name in names), f"{path} imports cupy"


def test_import_is_light():
    program = (
        "import sys, deepkit; heavy = {'cupy', 'h5py', 'pandas', 'matplotlib', 'torch', 'pydot', 'scipy', 'PIL'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"

"""NumPy's kernels read once more with CuPy in NumPy's place.

Whatever has no CUDA kernel of its own runs as the same source over CuPy, so that both devices have every function and
there is one text of each. A module of ``backend.cpu`` is compiled anew under a name of its own, and what it imports is
looked up here: ``numpy`` is :mod:`.arrays`, and a neighbour is that module over CuPy, with the functions of the module
of that name in ``backend.cuda``, where there is one, in the place of its own.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from .. import cpu
from . import arrays

_SOURCES = Path(cpu.__file__).parent

#: Modules that are about the processor; the ones of the same name here have nothing of them.
_REPLACED = {"memory", "native", "place", "staging"}

_modules: dict[str, ModuleType] = {}
_originals: dict[str, SimpleNamespace] = {}


def _read(stem: str) -> ModuleType:
    """The module ``stem`` of ``backend.cpu``, compiled over CuPy once."""
    if stem not in _modules:
        path = _SOURCES / f"{stem}.py"
        module = ModuleType(f"{__package__}.derived.{stem}")
        module.__dict__.update(__file__=str(path), __package__=cpu.__name__)
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": _import}
        sys.modules[module.__name__] = _modules[stem] = module  # classes look their module up
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
        _originals[stem] = SimpleNamespace(**{n: v for n, v in vars(module).items() if not n.startswith("__")})
    return _modules[stem]


def derived(stem: str) -> SimpleNamespace:
    """What the module ``stem`` of ``backend.cpu`` defines, over CuPy; nothing of it is replaced.

    Args:
        stem: Its name, such as ``"pool"``.
    """
    _read(stem)
    return _originals[stem]


def complete(stem: str) -> ModuleType:
    """The module ``stem`` over CuPy, the CUDA kernels that there are in the place of derived functions."""
    own = None
    if importlib.util.find_spec(f"{__package__}.{stem}") is not None:
        own = importlib.import_module(f"{__package__}.{stem}")
        if stem in _REPLACED:
            return own
    module = _read(stem)
    if own is not None:
        module.__dict__.update({name: getattr(own, name) for name in own.__all__})
    return module


def _import(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
    """What an import statement of a derived module gives."""
    if level == 1:
        return complete(name)
    if level == 0 and name in ("numpy", "numpy.lib.stride_tricks"):
        return arrays
    return builtins.__import__(name, globals, locals, fromlist, level)

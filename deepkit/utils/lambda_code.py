"""Lambda functions as data: their bytecode, as Keras's files hold it.

Loading one is running code from a file. Only :mod:`deepkit.registry` does so, and only for callers that said
``safe_mode=False`` or called :func:`deepkit.config.enable_unsafe_deserialization`. Bytecode fits the version of Python
that wrote it and no other.
"""

from __future__ import annotations

import base64
import binascii
import builtins
import marshal
import types
from typing import Any


def is_lambda(fn: Any) -> bool:
    """Whether ``fn`` is a function without a name."""
    return isinstance(fn, types.FunctionType) and fn.__name__ == "<lambda>"


def dump_lambda(fn: Any) -> tuple[str, Any, Any]:
    """The bytecode (base64), the defaults of the arguments, and the values of the variables around a function."""
    code = base64.encodebytes(marshal.dumps(fn.__code__)).decode("ascii")
    closure = [cell.cell_contents for cell in fn.__closure__] if fn.__closure__ else None
    return code, None if fn.__defaults__ is None else list(fn.__defaults__), closure


def load_lambda(code: Any, defaults: Any = None, closure: Any = None) -> types.FunctionType:
    """The function that :func:`dump_lambda` wrote.

    The names around it that it sees are ``keras`` and ``deepkit`` (both this package), ``ops`` and ``np``.

    Raises:
        ValueError: for something that isn't bytecode of this version of Python.
    """
    import numpy as np

    import deepkit

    try:
        loaded = marshal.loads(base64.b64decode(code))
    except (ValueError, EOFError, TypeError, binascii.Error) as error:
        raise ValueError(f"The bytecode of a lambda function can't be read: {error}. Another version of Python may "
                         "have written it.") from error  # fmt: skip
    if not isinstance(loaded, types.CodeType):
        raise ValueError(f"The bytecode of a lambda function is a {type(loaded).__name__}.")
    names = {"__builtins__": builtins, "deepkit": deepkit, "keras": deepkit, "ops": deepkit.ops, "np": np}
    cells = None if closure is None else tuple(map(types.CellType, closure))
    defaults = None if defaults is None else tuple(defaults)
    return types.FunctionType(loaded, names, "<lambda>", defaults, cells)


__all__ = ["dump_lambda", "is_lambda", "load_lambda"]

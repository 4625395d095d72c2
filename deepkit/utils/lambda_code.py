"""Lambda functions as Keras's files hold them: as bytecode, which deepkit writes for others and never runs."""

from __future__ import annotations

import base64
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


__all__ = ["dump_lambda", "is_lambda"]

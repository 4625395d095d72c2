"""Dtype names and Keras 3's promotion rules.

Promotion follows the lattice bool < integers < floats, where an integer of any width joined with a float gives that
float (NumPy would widen int64 + float32 to float64), and Python scalars take the dtype of the array beside them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import config

ALLOWED = frozenset(
    "bool uint8 uint16 uint32 uint64 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128 "
    "string".split()
)
_PYTHON = {bool: "bool", int: "int32", float: None, str: "string"}
_BY_NAME = {name: np.dtype(name) for name in ALLOWED - {"bfloat16", "string"}}
_cache: dict[tuple[Any, Any, str], np.dtype] = {}


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype given as a name, a NumPy or torch dtype, or a Python type; ``None`` means ``floatx()``.

    Raises:
        ValueError: for something that is no dtype of deepkit's.
    """
    if dtype is None:
        return config.floatx()
    if dtype in _PYTHON:
        return _PYTHON[dtype] or config.floatx()
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None)
    if name is None and "torch" in str(dtype):
        name = str(dtype).split(".")[-1]
    if name is None:
        try:
            name = np.dtype(dtype).name
        except TypeError:
            name = None
    if name not in ALLOWED:
        raise ValueError(f"Invalid dtype: {dtype!r}. Use one of {', '.join(sorted(ALLOWED))}.")
    return name


def np_dtype(dtype: Any) -> np.dtype:
    """The NumPy dtype of anything that :func:`standardize_dtype` takes (bfloat16 needs the ml_dtypes package)."""
    found = _BY_NAME.get(dtype) if type(dtype) is str else None
    if found is not None:
        return found
    if isinstance(dtype, np.dtype):
        return dtype
    name = standardize_dtype(dtype)
    if name == "bfloat16":
        try:
            import ml_dtypes
        except ImportError:
            raise ImportError("bfloat16 on NumPy needs ml_dtypes: pip install 'deepkit[bfloat16]'") from None
        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(object if name == "string" else name)


def is_float(dtype: np.dtype) -> bool:
    """Whether a NumPy dtype is a real floating one, bfloat16 included."""
    return dtype.kind == "f" or dtype.name == "bfloat16"


def join(a: np.dtype, b: np.dtype) -> np.dtype:
    """The dtype of an elementwise result of two arrays."""
    key = (a, b, config.floatx())
    found = _cache.get(key)
    if found is None:
        found = _cache[key] = _join(a, b)
    return found


def _join(a: np.dtype, b: np.dtype) -> np.dtype:
    if a == b:
        return a
    if a.kind == "c" or b.kind == "c":
        return np.promote_types(a, b) if a.kind == b.kind else (a if a.kind == "c" else b)
    if is_float(a) and is_float(b):
        if "bfloat16" in (a.name, b.name) and a.itemsize == b.itemsize:
            return np.dtype("float32")
        return a if a.itemsize > b.itemsize else b
    if is_float(a):
        return a
    if is_float(b):
        return b
    both = np.promote_types(a, b)
    return np_dtype(None) if both.kind == "f" else both


def join_scalar(a: np.dtype, scalar: bool | int | float | complex) -> np.dtype:
    """The dtype of an elementwise result of an array and a Python scalar."""
    if isinstance(scalar, bool) or a.kind in "fc" or a.name == "bfloat16":
        return np.dtype("complex64") if isinstance(scalar, complex) and a.kind != "c" else a
    if isinstance(scalar, float):
        return np_dtype(None)
    if isinstance(scalar, complex):
        return np.dtype("complex64")
    return np.dtype("int32") if a.kind == "b" else a


def result_type(*dtypes: Any) -> str:
    """The name of the dtype that values of these dtypes (or Python types, weakly) are promoted to.

    Example:
        >>> result_type("int64", "float32")
        'float32'
        >>> result_type("int8", float)
        'float32'
    """
    # By identity: NumPy's float64 equals Python's float.
    strong = [np_dtype(d) for d in dtypes if d is not int and d is not float and d is not None]
    weak = [d for d in dtypes if d is int or d is float] + [float for d in dtypes if d is None]
    if not strong:
        return config.floatx() if float in weak or not dtypes else "int32"
    out = strong[0]
    for d in strong[1:]:
        out = join(out, d)
    for kind in weak:
        out = join_scalar(out, kind(0))
    return out.name

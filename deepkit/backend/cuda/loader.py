"""CUDA sources compiled on first use.

A stem is one file ``kernels/<stem>.cu``. NVRTC makes code for the device at hand; CuPy keeps the result on disk under a
key of source, options, architecture and compiler. That key doesn't see included files, so headers are put into the
source here.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import cupy
import numpy as np

from .sources import kernel_folder

__all__ = ["OPTIONS", "function", "grid_of", "is_float", "launch_columns", "launch_over", "launch_rows", "numbers",
           "row_parts", "source", "sum_type", "warmup"]  # fmt: skip

#: Options of the compiler. Nothing that trades exactness for speed: kernels ask for fast functions by name.
OPTIONS = ("--std=c++17",)

_INCLUDE = re.compile(r'^[ \t]*#include[ \t]+"([\w./]+)"[^\n]*$', re.MULTILINE)

#: Suffix of a kernel's name by dtype.
SUFFIX = {"float32": "f32", "float64": "f64", "float16": "f16", "bfloat16": "bf16", "int32": "i32", "int64": "i64"}

_modules: dict[str, Any] = {}


@cache
def source(stem: str) -> str:
    """The text of ``kernels/<stem>.cu`` with its own headers in the place of their first ``#include``."""
    folder, seen = kernel_folder(), set()

    def included(found: re.Match) -> str:
        name = found.group(1)
        if name in seen:
            return ""
        seen.add(name)
        return _INCLUDE.sub(included, (folder / name).read_text(encoding="utf-8").replace("#pragma once", ""))

    return _INCLUDE.sub(included, (folder / f"{stem}.cu").read_text(encoding="utf-8"))


def module(stem: str) -> Any:
    """The compiled module of a stem."""
    if stem not in _modules:
        _modules[stem] = cupy.RawModule(code=source(stem), options=OPTIONS, backend="nvrtc")
    return _modules[stem]


@cache
def function(stem: str, name: str, dtype: Any = None) -> Any:
    """A kernel, looked up once.

    Args:
        stem: The file it is in.
        name: Its name, without the suffix of the dtype.
        dtype: The dtype that it is for, if there are several.
    """
    return module(stem).get_function(name if dtype is None else f"{name}_{SUFFIX[np.dtype(dtype).name]}")


def grid_of(n: int, block: int = 256, most: int = 1 << 16) -> tuple[tuple[int], tuple[int]]:
    """Grid and block for ``n`` elements of a kernel that strides over the grid."""
    return (max(1, min(-(-n // block), most)),), (block,)


def numbers(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arguments as kernels take them: whole numbers as 64-bit integers, others as doubles."""
    convert = {int: np.int64, float: np.float64, bool: np.bool_}
    return tuple(convert[type(a)](a) if type(a) in convert else a for a in args)


def launch_over(kernel: Any, n: int, *args: Any) -> None:
    """Run a kernel that strides over the grid, with a thread for each of ``n`` elements; none for none."""
    if n:
        kernel(*grid_of(n), numbers(args))


def launch_rows(kernel: Any, rows: int, n: int, *args: Any) -> None:
    """Run a kernel that has a team of threads a row of ``n`` elements (``device.cuh``)."""
    if rows:
        block = (32, 8) if n <= 1024 else (256, 1)
        kernel((min(-(-rows // block[1]), 1 << 16),), block, numbers(args))


def row_parts(rows: int, n: int) -> int:
    """Into how many parts to cut the rows of a reduction over them: enough to fill the device, 32 rows each or more."""
    return max(1, min(rows // 32, 2048 // max(1, -(-n // 32))))


def launch_columns(kernel: Any, n: int, parts: int, *args: Any) -> None:
    """Run a kernel that has a thread a column, 8 rows at a time, and ``parts`` parts of the rows."""
    if n:
        kernel((-(-n // 32), parts), (32, 8), numbers(args))


def sum_type(dtype: Any) -> np.dtype:
    """What kernels add up numbers of ``dtype`` in."""
    return np.dtype(np.float32) if np.dtype(dtype).itemsize == 2 else np.dtype(dtype)


def is_float(*arrays: Any) -> bool:
    """Whether there are kernels for the dtype of these arrays, which is the same for all."""
    kinds = {a.dtype for a in arrays if a is not None}
    return len(kinds) == 1 and kinds.pop().name in ("float32", "float64", "float16", "bfloat16")


def warmup() -> int:
    """Compile every kernel for the device at hand, so that no first step waits for it.

    Returns:
        The number of files.
    """
    stems = sorted(path.stem for path in kernel_folder().glob("*.cu"))
    for stem in stems:
        module(stem).compile()
    return len(stems)

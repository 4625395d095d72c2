"""CUDA sources compiled on first use.

A stem is one file ``kernels/<stem>.cu``. NVRTC makes code for the device at hand; CuPy keeps the result on disk under a
key of source, options, architecture and compiler. That key doesn't see included files, so headers are put into the
source here.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Callable

import cupy
import numpy as np

from .. import BackendUnavailableError, check_together
from . import device
from .sources import kernel_folder

__all__ = ["OPTIONS", "function", "grid_of", "is_float", "launch_columns", "launch_over", "launch_rows", "numbers",
           "row_parts", "several", "source", "sum_type", "warmup"]  # fmt: skip

#: Options of the compiler. Nothing that trades exactness for speed: kernels ask for fast functions by name.
OPTIONS = ("--std=c++17",)

_INCLUDE = re.compile(r'^[ \t]*#include[ \t]+"([\w./]+)"[^\n]*$', re.MULTILINE)

#: Suffix of a kernel's name by dtype.
SUFFIX = {"float32": "f32", "float64": "f64", "float16": "f16", "bfloat16": "bf16", "int32": "i32", "int64": "i64"}

_modules: dict[str, Any] = {}

#: What a compiler says that lacks a header or a library of the toolkit.
_LACKING = ("cannot open source file", "could not open source file", "libnvrtc", "nvrtc64", "file not found")


@cache
def several() -> bool:
    """Whether there are several GPUs, so that arrays can be on another than the one in use."""
    return cupy.cuda.runtime.getDeviceCount() > 1


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
    if dtype is not None:
        name = f"{name}_{SUFFIX[np.dtype(dtype).name]}"
    return _compiled(stem, lambda: module(stem).get_function(name))


def _compiled(stem: str, compile: Callable[[], Any]) -> Any:
    """What ``compile`` gives; if it fails because something is missing, that is said.

    Raises:
        BackendUnavailableError: for a missing compiler or header.
    """
    try:
        return compile()
    except Exception as error:
        text = str(error)
        lacking = next((sign for sign in _LACKING if sign in text), None)
        if lacking is None and not isinstance(error, (ImportError, OSError)):
            raise
        problems = device.diagnose().problems or [
            "Install the CUDA headers and NVRTC of CuPy's own CUDA version: pip install \"cupy-cuda12x[ctk]\" (or "
            "cupy-cuda13x), and unset CUDA_PATH if it names another toolkit."
        ]
        _modules.pop(stem, None)
        raise BackendUnavailableError(
            f"The kernels in {stem}.cu can't be compiled: {text.strip().splitlines()[0] if text.strip() else error!r}\n"
            + "\n".join(f"- {problem}" for problem in problems)
        ) from error


def grid_of(n: int, block: int = 256, most: int = 1 << 16) -> tuple[tuple[int], tuple[int]]:
    """Grid and block for ``n`` elements of a kernel that strides over the grid."""
    return (max(1, min(-(-n // block), most)),), (block,)


_CONVERT: dict[type, Any] = {int: np.int64, float: np.float64, bool: np.bool_, type(None): lambda _: np.uintp(0)}


def numbers(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arguments as kernels take them: whole numbers as 64-bit integers, others as doubles, ``None`` as a null pointer.

    CuPy would hand ``None`` on as an argument that lies nowhere, which the driver reads.
    """
    if several():
        check_together(*(a for a in args if type(a) is cupy.ndarray))
    return tuple(_CONVERT[type(a)](a) if type(a) in _CONVERT else a for a in args)


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


def warmup(progress: Any = None) -> int:
    """Compile every kernel for the device at hand, so that no first step waits for it.

    Args:
        progress: Called before each file with its name, its number from 0, and their number.

    Returns:
        The number of files.

    Raises:
        BackendUnavailableError: for a missing compiler or header.
    """
    stems = sorted(path.stem for path in kernel_folder().glob("*.cu"))
    for i, stem in enumerate(stems):
        if progress is not None:
            progress(f"{stem}.cu", i, len(stems))
        _compiled(stem, module(stem).compile)
    return len(stems)

"""cuBLASLt by ctypes: matrix products under a handle and a workspace of our own, which a CUDA graph can hold.

CuPy refuses its own cuBLAS calls while a graph is captured. Names, numbers and layouts are those of ``cublasLt.h`` and
``cublas_api.h`` of CUDA 13.1 and 12.9, which have the same.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
from ctypes import (
    POINTER,
    byref,
    c_float,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
    sizeof,
)
from functools import cache
from typing import Any, NamedTuple

import cupy

__all__ = ["CublasError", "Operand", "Plan", "find_library", "library", "workspace"]

#: ``cudaDataType`` by the name of the dtype.
DATA_TYPE = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 14}

#: ``cublasComputeType_t``
COMPUTE_32F, COMPUTE_64F, COMPUTE_32F_FAST_TF32 = 68, 70, 77

#: ``cublasLtMatmulDescAttributes_t``
DESC_TRANSA, DESC_TRANSB, DESC_EPILOGUE, DESC_BIAS_POINTER = 3, 4, 7, 8

#: ``cublasLtMatrixLayoutAttribute_t``
LAYOUT_BATCH_COUNT, LAYOUT_STRIDED_BATCH_OFFSET = 5, 6

#: ``cublasLtMatmulPreferenceAttributes_t``; the alignments of A, B, C and D follow each other.
PREF_MAX_WORKSPACE_BYTES, PREF_MIN_ALIGNMENT_A_BYTES = 1, 5

#: ``cublasLtEpilogue_t``
EPILOGUE = {(False, None): 1, (False, "relu"): 2, (True, None): 4, (True, "relu"): 6}

_STATUS = {1: "NOT_INITIALIZED", 3: "ALLOC_FAILED", 7: "INVALID_VALUE", 8: "ARCH_MISMATCH", 11: "MAPPING_ERROR",
           13: "EXECUTION_FAILED", 14: "INTERNAL_ERROR", 15: "NOT_SUPPORTED", 16: "LICENSE_ERROR"}  # fmt: skip


class CublasError(RuntimeError):
    """What cuBLASLt refuses."""


class Algo(ctypes.Structure):
    """``cublasLtMatmulAlgo_t``"""

    _fields_ = [("data", c_uint64 * 8)]


class HeuristicResult(ctypes.Structure):
    """``cublasLtMatmulHeuristicResult_t``"""

    _fields_ = [("algo", Algo), ("workspace_size", c_size_t), ("state", c_int), ("waves", c_float),
                ("reserved", c_int * 4)]  # fmt: skip


_POINTER = c_void_p
_SIGNATURES: dict[str, tuple[Any, ...]] = {
    "cublasLtCreate": (POINTER(_POINTER),),
    "cublasLtMatmulDescCreate": (POINTER(_POINTER), c_int, c_int),
    "cublasLtMatmulDescSetAttribute": (_POINTER, c_int, _POINTER, c_size_t),
    "cublasLtMatrixLayoutCreate": (POINTER(_POINTER), c_int, c_uint64, c_uint64, c_int64),
    "cublasLtMatrixLayoutSetAttribute": (_POINTER, c_int, _POINTER, c_size_t),
    "cublasLtMatmulPreferenceCreate": (POINTER(_POINTER),),
    "cublasLtMatmulPreferenceSetAttribute": (_POINTER, c_int, _POINTER, c_size_t),
    "cublasLtMatmulPreferenceDestroy": (_POINTER,),
    "cublasLtMatmulAlgoGetHeuristic": (
        _POINTER, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER, c_int, POINTER(HeuristicResult),
        POINTER(c_int),
    ),
    "cublasLtMatmul": (
        _POINTER, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER,
        _POINTER, _POINTER, _POINTER, c_size_t, _POINTER,
    ),
}  # fmt: skip


def find_library() -> Any:
    """cuBLASLt of the toolkit that CuPy takes: by CuPy's own search, else by that of the system.

    Raises:
        ImportError: if there is none; it says what to install.
    """
    major = cupy.cuda.runtime.runtimeGetVersion() // 1000
    try:
        from cuda.pathfinder import load_nvidia_dynamic_lib

        path = load_nvidia_dynamic_lib("cublasLt").abs_path
        if path:  # it isn't told of a library that was loaded from elsewhere
            return ctypes.CDLL(path)
    except Exception:  # pathfinder is absent, or has errors of its own for a library that it can't find
        pass
    names = [f"cublasLt64_{major}.dll"] if sys.platform == "win32" else [f"libcublasLt.so.{major}", "libcublasLt.so"]
    home = os.environ.get("CUDA_PATH") or os.environ.get("CUDA_HOME")
    for name in [*names, *(os.path.join(home, part, n) for part in ("lib64", "lib", "bin") for n in names if home)]:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise ImportError(
        f"deepkit's matrix products on a GPU need cuBLASLt ({names[0]}), not found here. Install it: "
        f"pip install 'cupy-cuda{major}x[ctk]'"
    )


class Library:
    """cuBLASLt with a handle."""

    def __init__(self, functions: Any):
        for name, arguments in _SIGNATURES.items():
            function = getattr(functions, name)
            function.argtypes, function.restype = arguments, c_int
            setattr(self, name.removeprefix("cublasLt"), function)
        self.handle = _POINTER()
        check(self.Create(byref(self.handle)), "cublasLtCreate")  # type: ignore[attr-defined]


def check(status: int, what: str) -> None:
    """Raise for a status that isn't success."""
    if status:
        raise CublasError(f"{what}: CUBLAS_STATUS_{_STATUS.get(status, status)}")


@cache
def library(device: int) -> Any:
    """The library with a handle for a device; the handle belongs to the device that is current when it is made."""
    return Library(find_library())


@cache
def workspace(device: int) -> Any:
    """Scratch memory for products: 32 MiB from Hopper on, 4 MiB before, as NVIDIA recommends.

    All products of a device share it, as they follow one another on one stream.
    """
    newer = int(cupy.cuda.Device(device).compute_capability) >= 90
    with cupy.cuda.using_allocator(cupy.get_default_memory_pool().malloc):
        return cupy.empty((32 << 20) if newer else (4 << 20), "uint8")


class Operand(NamedTuple):
    """A matrix as cuBLASLt takes it, columns one after the other.

    Attributes:
        rows: Of the matrix in memory.
        columns: Of the matrix in memory.
        ld: Elements from a column to the next.
        transposed: Whether the product takes the transpose.
        stride: Elements from one matrix of a batch to the next.
    """

    rows: int
    columns: int
    ld: int
    transposed: bool = False
    stride: int = 0


class Plan:
    """A kind of product D = epilogue(op(A) op(B)), with the algorithm that the library recommends for it.

    Args:
        lt: The library.
        kind: Name of the dtype of A and B. Sums are float32, or float64 for float64.
        result: Name of the dtype of D: that of A and B or, where those have 16 bits, float32.
        a, b, d: The matrices.
        batch: How many products.
        alignments: Of the addresses of A, B and D, in bytes.
        room: Bytes of the workspace.
        tf32: Whether float32 may be multiplied in TF32.
        bias: Whether a vector, an element for each row of D, is added.
        act: Activation behind it, ``None`` or ``"relu"``.

    Raises:
        CublasError: if there is no algorithm for it.
    """

    def __init__(
        self, lt: Any, kind: str, result: str, a: Operand, b: Operand, d: Operand, batch: int,
        alignments: tuple[int, int, int], room: int, tf32: bool, bias: bool, act: str | None,
    ):  # fmt: skip
        self.lt = lt
        what = f"{result} product of {kind} matrices {a} and {b} (a batch of {batch})"
        compute = COMPUTE_64F if kind == "float64" else COMPUTE_32F_FAST_TF32 if tf32 else COMPUTE_32F
        self.desc = _POINTER()
        scale = DATA_TYPE["float64" if kind == "float64" else "float32"]
        check(lt.MatmulDescCreate(byref(self.desc), compute, scale), what)
        for attribute, value in ((DESC_TRANSA, int(a.transposed)), (DESC_TRANSB, int(b.transposed)),
                                 (DESC_EPILOGUE, EPILOGUE[bias, act])):  # fmt: skip
            self._set(lt.MatmulDescSetAttribute, self.desc, attribute, c_int32(value), what)
        types = (DATA_TYPE[kind], DATA_TYPE[kind], DATA_TYPE[result])
        self.layouts = [self._layout(data, m, batch, what) for data, m in zip(types, (a, b, d))]
        self.one, self.zero = (c_float if kind != "float64" else ctypes.c_double)(1), c_uint64(0)
        preference, found, count = _POINTER(), HeuristicResult(), c_int(0)
        check(lt.MatmulPreferenceCreate(byref(preference)), what)
        try:
            self._set(lt.MatmulPreferenceSetAttribute, preference, PREF_MAX_WORKSPACE_BYTES, c_uint64(room), what)
            for i, bytes_ in enumerate((*alignments, alignments[-1])):
                attribute = PREF_MIN_ALIGNMENT_A_BYTES + i
                self._set(lt.MatmulPreferenceSetAttribute, preference, attribute, c_uint32(bytes_), what)
            left, right, out = self.layouts
            check(lt.MatmulAlgoGetHeuristic(lt.handle, self.desc, left, right, out, out, preference, 1, byref(found),
                                            byref(count)), what)  # fmt: skip
        finally:
            lt.MatmulPreferenceDestroy(preference)
        if not count.value or found.state:
            raise CublasError(f"{what}: cuBLASLt has no algorithm for it")
        self.algo, self.room, self.what = found.algo, found.workspace_size, what

    def _set(self, function: Any, object_: Any, attribute: int, value: Any, what: str) -> None:
        check(function(object_, attribute, byref(value), sizeof(value)), what)

    def _layout(self, data: int, m: Operand, batch: int, what: str) -> Any:
        out = _POINTER()
        check(self.lt.MatrixLayoutCreate(byref(out), data, m.rows, m.columns, m.ld), what)
        if batch > 1:
            self._set(self.lt.MatrixLayoutSetAttribute, out, LAYOUT_BATCH_COUNT, c_int32(batch), what)
            self._set(self.lt.MatrixLayoutSetAttribute, out, LAYOUT_STRIDED_BATCH_OFFSET, c_int64(m.stride), what)
        return out

    def __call__(self, a: int, b: int, d: int, bias: int, scratch: int, stream: int) -> None:
        """Multiply matrices at these addresses."""
        if bias:
            self._set(self.lt.MatmulDescSetAttribute, self.desc, DESC_BIAS_POINTER, _POINTER(bias), self.what)
        left, right, out = self.layouts
        check(self.lt.Matmul(self.lt.handle, self.desc, byref(self.one), a, left, b, right, byref(self.zero), d, out, d,
                             out, byref(self.algo), scratch, self.room, stream), self.what)  # fmt: skip

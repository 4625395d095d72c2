"""CuPy's functions by name, run by NumPy: only those that the real one has, with the parameters that it takes."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from . import state

__all__ = ["NAMES", "namespace", "refuse_blas"]

#: Names and their parameters by namespace, as the real wheel has them (``python -m tests.cuda.dump_cupy_names``).
NAMES: dict[str, dict[str, list[str] | None]] = json.loads(Path(__file__).with_name("names.json").read_text())

#: What runs on cuBLAS or cuRAND, which CuPy doesn't let a stream record.
LIBRARY = {"matmul", "dot", "vdot", "inner", "tensordot", "einsum", "outer", "kron"}

#: Functions whose result has a size that depends on values: the host has to wait for it.
SYNCHRONIZING = {"nonzero", "flatnonzero", "argwhere", "unique", "isin", "in1d", "bincount", "extract", "compress",
                 "allclose", "array_equal", "histogram"}  # fmt: skip

#: Functions that have ``at``.
SCATTERED = {"add", "subtract", "maximum", "minimum", "bitwise_and", "bitwise_or", "bitwise_xor"}

#: Functions that take an array of the device first, and nothing that could be made one.
ARRAY_FIRST = {"all", "any", "argmax", "argmin", "argsort", "broadcast_to", "cumprod", "cumsum", "max", "mean", "min",
               "prod", "std", "sum", "transpose", "var"}  # fmt: skip

#: What numbers and dtypes are, not functions of arrays.
PLAIN = {"dtype", "iinfo", "finfo", "broadcast_shapes", "promote_types", "can_cast", "issubdtype", "isscalar"}


def refuse_blas(name: str) -> None:
    """What cuBLAS's and cuRAND's wrappers do while a graph is recorded."""
    if state.recorder.operations is not None:
        raise NotImplementedError(f"{name}: calling cuBLAS API during stream capture is currently unsupported")


class UFunc:
    """A universal function as CuPy has it: reductions of ``add`` and ``multiply`` alone."""

    def __init__(self, ufunc: np.ufunc):
        self.ufunc, self.__name__ = ufunc, ufunc.__name__

    def __call__(self, *args: Any, **params: Any) -> Any:
        from .array import compute, ndarray

        unknown = params.keys() - {"out", "dtype", "casting", "where"}
        if unknown:
            raise TypeError(f"Wrong arguments {unknown}")
        if not any(isinstance(a, ndarray) for a in args) and params.get("out") is None:
            if any(isinstance(a, (np.ndarray, list, tuple)) for a in args):
                raise TypeError(f"Unsupported type {type(args[0])}")
        if self.__name__ == "matmul":
            refuse_blas("matmul")
        if len(args) > self.ufunc.nin:
            *args, params["out"] = args  # type: ignore[assignment]
        if params.get("out") is None:
            params.pop("out", None)
        return compute(self.ufunc, *args, **params)

    def reduce(self, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        from .array import compute

        if self.__name__ not in ("add", "multiply"):
            raise NotImplementedError(f"`cupy.{self.__name__}.reduce` is not supported yet")
        return compute(self.ufunc.reduce, x, axis=axis, keepdims=keepdims)

    def accumulate(self, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
        from .array import compute

        if self.__name__ not in ("add", "multiply"):
            raise NotImplementedError(f"`cupy_{self.__name__}.accumulate` is not supported yet")
        return compute(self.ufunc.accumulate, x, axis=axis, dtype=dtype)

    def outer(self, a: Any, b: Any, **params: Any) -> Any:
        return self(a.reshape(*a.shape, *(1,) * b.ndim), b, **params)

    def at(self, x: Any, index: Any, values: Any) -> None:
        from .array import unwrap

        if self.__name__ not in SCATTERED:
            raise NotImplementedError(f"`cupy_{self.__name__}.at` is not supported yet")
        inner = unwrap((x, index, values))
        state.run(lambda: self.ufunc.at(*inner))

    def reduceat(self, x: Any, indices: Any, axis: int = 0) -> Any:
        from .array import compute

        if self.__name__ != "add":
            raise NotImplementedError(f"`cupy.{self.__name__}.reduceat` is not supported yet")
        return compute(self.ufunc.reduceat, x, indices, axis=axis)


def _function(space: str, name: str, known: list[str] | None) -> Any:
    from .array import compute, ndarray

    original = np
    for part in filter(None, space.split(".")):
        original = getattr(original, part)
    original = getattr(original, name)

    def call(*args: Any, **params: Any) -> Any:
        if known is not None and params.keys() - set(known):
            raise TypeError(f"{name}() got an unexpected keyword argument {sorted(params.keys() - set(known))[0]!r}")
        if name in ARRAY_FIRST and args and not isinstance(args[0], ndarray):
            raise TypeError(f"{name}() takes an array of the device. Received: {type(args[0])}")
        if params.get("subok") is not None:
            raise TypeError("subok is not supported yet")
        if name in LIBRARY or space == "linalg":
            refuse_blas(name)
        if name in SYNCHRONIZING or (name == "repeat" and any(isinstance(a, ndarray) for a in args[1:])):
            state.synchronize(f"cupy.{name}")
        if name == "clip" and "a_min" not in params and len(args) < 3:
            raise TypeError("clip() missing a required argument")
        if params.get("out") is None:
            params.pop("out", None)
        if name in ("result_type", "min_scalar_type"):
            return original(*(a.dtype if isinstance(a, ndarray) else a for a in args))
        return compute(original, *args, **params)

    call.__name__ = name
    return call


def namespace(space: str, module: ModuleType) -> None:
    """Put the functions of one of CuPy's namespaces into ``module``."""
    original: Any = np
    for part in filter(None, space.split(".")):
        original = getattr(original, part)
    for name, known in NAMES[space].items():
        found = getattr(original, name, None)
        if found is None or isinstance(found, ModuleType) or hasattr(module, name):
            continue
        if isinstance(found, type) or not callable(found) or name in PLAIN:
            setattr(module, name, found)
        elif isinstance(found, np.ufunc) and name in NAMES["ufuncs"]:
            setattr(module, name, UFunc(found))
        else:
            setattr(module, name, _function(space, name, known))

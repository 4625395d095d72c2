"""From NumPy values to a kernel's arguments, checked against its parameters."""

from __future__ import annotations

import ctypes
from typing import Any, Sequence

import numpy as np
from numpy import ndarray

__all__ = ["Arguments", "Parameter"]

#: Bytes of guarded memory on both sides of an array, and what they hold.
GUARD, FILLED = 256, 0xA5

_LIBC = ctypes.CDLL(None)
_LIBC.malloc.restype = ctypes.c_void_p
_LIBC.malloc.argtypes = [ctypes.c_size_t]
_LIBC.free.argtypes = [ctypes.c_void_p]


def _poison(address: int, on: bool) -> None:
    """Tell AddressSanitizer, where it is loaded, that guarded memory isn't to be touched."""
    change = getattr(_LIBC, "__asan_poison_memory_region" if on else "__asan_unpoison_memory_region", None)
    if change is not None:
        change(ctypes.c_void_p(address), ctypes.c_size_t(GUARD))


class Parameter:
    """A kernel's parameter, from the text that the compiled module gives: its kind, and the element's or its type."""

    def __init__(self, code: str):
        self.pointer = code[0] in "pc"
        self.const = code[0] == "c"
        self.size = int(code[1:]) if code[0] == "v" else 0
        self.type = code[1:]

    def __repr__(self) -> str:
        if self.pointer:
            return f"pointer to {'const ' if self.const else ''}{self.type}"
        return f"a structure of {self.size} bytes" if self.size else self.type

    def takes(self, dtype: np.dtype) -> bool:
        """Whether an array of this dtype, or a number, is what the kernel expects."""
        if self.type == "any":
            return True
        if dtype.name == "bfloat16":
            return self.type == "bf"
        code = f"{dtype.kind}{dtype.itemsize}"
        return code == self.type or (code, self.type) in (("b1", "u1"), ("u2", "bf"))


def _is_null(value: Any) -> bool:
    """Whether this is a null pointer: ``None``, or the address 0 as CuPy takes it."""
    return value is None or (type(value) is np.uint64 and not value)


class Arguments:
    """The arguments of one launch.

    With ``guard``, arrays are copied to memory of their own, with room on both sides that has to stay as it is. Arrays
    that overlap stay together, as in-place kernels expect.
    """

    def __init__(self, kernel: str, parameters: Sequence[Parameter], args: Sequence[Any], guard: bool):
        if len(args) != len(parameters):
            raise TypeError(f"{kernel} takes {len(parameters)} arguments. Received: {len(args)}")
        self._kept: list[Any] = []
        self._regions: list[_Region] = []
        for i, (parameter, value) in enumerate(zip(parameters, args)):
            self._check(f"{kernel}: argument {i}", parameter, value)
        if guard:
            self._regions = _regions([a for a in args if isinstance(a, ndarray)])
        self.pointers = (ctypes.c_void_p * len(args))()
        for i, (parameter, value) in enumerate(zip(parameters, args)):
            held = self._hold(parameter, value)
            self._kept.append(held)
            self.pointers[i] = ctypes.addressof(held)

    def _check(self, where: str, parameter: Parameter, value: Any) -> None:
        if parameter.pointer:
            if _is_null(value):
                return
            if not isinstance(value, ndarray):
                raise TypeError(f"{where} should be an array ({parameter}). Received: {value!r}")
            if not parameter.takes(value.dtype):
                raise TypeError(f"{where} should be a {parameter}. Received: an array of {value.dtype}")
            if value.size and not value.flags.c_contiguous:
                raise TypeError(f"{where} should be contiguous. Received: strides {value.strides} of {value.shape}")
            if not parameter.const and not value.flags.writeable:
                raise TypeError(f"{where} is written to ({parameter}). Received: a read-only array")
        elif isinstance(value, ctypes._SimpleCData):
            self._check(where, parameter, np.dtype(type(value)).type(value.value))
        elif not isinstance(value, np.generic):
            raise TypeError(f"{where} should be a NumPy number of {parameter}. Received: {value!r}")
        elif parameter.size != value.itemsize if parameter.size else not parameter.takes(value.dtype):
            raise TypeError(f"{where} should be {parameter}. Received: {value!r} of {value.dtype}")

    def _hold(self, parameter: Parameter, value: Any) -> Any:
        if isinstance(value, ctypes._SimpleCData):
            return value
        if not parameter.pointer:
            return ctypes.create_string_buffer(value.tobytes(), value.itemsize)
        if _is_null(value):
            return ctypes.c_void_p(None)
        for region in self._regions:
            if region.holds(value):
                return ctypes.c_void_p(region.address_of(value))
        return ctypes.c_void_p(value.ctypes.data)

    def finish(self) -> str | None:
        """Copy arrays back; the text of an error if the guarded memory has changed."""
        errors = [error for region in self._regions if (error := region.finish())]
        return errors[0] if errors else None


class _Region:
    """Memory that stands for the arrays in ``[start, stop)``."""

    def __init__(self, arrays: list[ndarray], start: int, stop: int):
        self._arrays, self._start, self._size = arrays, start, stop - start
        self._memory = _LIBC.malloc(self._size + 4 * GUARD)
        # As from cudaMalloc, which aligns to 256 bytes; but a view that NumPy has at an odd address stays at one.
        self._data = (self._memory + 2 * GUARD) // GUARD * GUARD + start % 16
        self._guards = (self._data - GUARD, self._data + self._size)
        for guard in self._guards:
            ctypes.memset(guard, FILLED, GUARD)
        ctypes.memmove(self._data, start, self._size)
        for guard in self._guards:
            _poison(guard, True)

    def holds(self, array: ndarray) -> bool:
        return any(array is a for a in self._arrays)

    def address_of(self, array: ndarray) -> int:
        return self._data + array.ctypes.data - self._start

    def finish(self) -> str | None:
        for guard in self._guards:
            _poison(guard, False)
        before, after = (ctypes.string_at(guard, GUARD) for guard in self._guards)
        for array in self._arrays:
            if array.flags.writeable:
                ctypes.memmove(array.ctypes.data, self.address_of(array), array.nbytes)
        _LIBC.free(self._memory)
        shape = self._arrays[0].shape
        if after != bytes([FILLED]) * GUARD:
            return f"writes behind the array of shape {shape}"
        return f"writes in front of the array of shape {shape}" if before != bytes([FILLED]) * GUARD else None


def _regions(arrays: list[ndarray]) -> list[_Region]:
    """One for each group of arrays that overlap."""
    found: list[tuple[list[ndarray], int, int]] = []
    for array in sorted((a for a in arrays if a.size), key=lambda a: a.ctypes.data):
        start, stop = array.ctypes.data, array.ctypes.data + array.nbytes
        if found and start < found[-1][2]:
            members, first, last = found[-1]
            found[-1] = ([*members, array], first, max(last, stop))
        else:
            found.append(([array], start, stop))
    return [_Region(*f) for f in found]

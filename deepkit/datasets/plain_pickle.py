"""Reading lists, numbers, strings and arrays from a pickle file that nobody vouches for.

CIFAR's batches and the ragged arrays of IMDB and Reuters are pickle streams. A pickle is a program: it may name any
function and call it. The reader here answers each name with a builder of its own from a table of five, so there is
nothing else a stream could call; the builders check what they are given before memory is taken.
"""

from __future__ import annotations

import pickle
from typing import Any, BinaryIO

import numpy as np

__all__ = ["load_plain"]

#: Kinds of numbers a stored array may have: bool, signed and unsigned integers, floats; "O" holds lists.
_KINDS = "biufO"


def load_plain(file: BinaryIO, encoding: str = "ASCII") -> Any:
    """The object in a pickle stream made of lists, tuples, dicts, numbers, strings and arrays.

    Args:
        file: the stream, positioned at the pickle.
        encoding: of Python 2's strings; ``"bytes"`` leaves them as bytes.

    Returns:
        The object, with arrays as NumPy arrays.

    Raises:
        ValueError: if the stream names anything else, or is damaged.

    Example:
        >>> import io, pickle
        >>> load_plain(io.BytesIO(pickle.dumps({"x": [1, 2.5]})))
        {'x': [1, 2.5]}
    """
    try:
        return _finish(_Reader(file, encoding=encoding).load())
    except ValueError:
        raise
    except Exception as error:  # a damaged stream may raise anything
        raise ValueError(f"This pickle stream can't be read as plain data: {error}") from error


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        builder = _BUILDERS.get((module, name))
        if builder is None:
            raise ValueError(f"A data file must not name {module}.{name}: it is damaged or forged.")
        return builder()  # a new one each time: a stream may try to change it


class _ArrayType:
    """Stands for the class ``numpy.ndarray``, which streams name but never call."""

    __slots__ = ()


class _Array:
    """An array under construction: it is filled by the state that follows in the stream."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: np.ndarray | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, data = state
        if not isinstance(dtype, _DType) or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError(f"A stored array has the odd shape {shape!r} or dtype.")
        count = 1
        for n in shape:
            count *= n
        kind = dtype.numpy()
        if kind.kind == "O":
            if type(data) is not list or len(data) != count or len(shape) != 1:
                raise ValueError("A stored ragged array must be one list, as long as its shape says.")
            self.value = np.fromiter(data, object, count)
            return
        if isinstance(data, str):  # bytes of Python 2, read as text
            data = data.encode("latin-1")
        if type(data) is not bytes or len(data) != count * kind.itemsize:
            raise ValueError(
                f"A stored array of shape {shape} and dtype {kind} has the wrong number of bytes."
            )
        self.value = np.frombuffer(data, kind).reshape(shape, order="F" if fortran else "C").copy()


class _DType:
    """A dtype under construction; the byte order is in the state that follows."""

    __slots__ = ("code", "order")

    def __init__(self, code: str) -> None:
        self.code, self.order = code, "="

    def __setstate__(self, state: Any) -> None:
        self.order = _text(state[1])

    def numpy(self) -> np.dtype:
        if self.code[:1] not in _KINDS or self.order not in "<>|=":
            raise ValueError(f"A stored array has the dtype {self.code!r}, which a data set has no use for.")
        return np.dtype(self.code).newbyteorder(self.order)  # type: ignore[arg-type]


class _MakeArray:
    __slots__ = ()

    def __call__(self, kind: Any, shape: Any, code: Any) -> _Array:
        return _Array()


class _MakeDType:
    __slots__ = ()

    def __call__(self, code: Any, *_: Any) -> _DType:
        return _DType(_text(code))


class _MakeBytes:
    """``_codecs.encode(text, "latin1")``, as Python 3 writes bytes in the old protocols."""

    __slots__ = ()

    def __call__(self, text: Any, encoding: Any) -> bytes:
        if encoding not in ("latin1", "latin-1"):
            raise ValueError(f"Bytes in a data file are encoded as latin1, not {encoding!r}.")
        return str(text).encode("latin-1")


_BUILDERS: dict[tuple[str, str], type] = {
    ("numpy", "ndarray"): _ArrayType,
    ("numpy", "dtype"): _MakeDType,
    ("numpy.core.multiarray", "_reconstruct"): _MakeArray,
    ("numpy._core.multiarray", "_reconstruct"): _MakeArray,
    ("_codecs", "encode"): _MakeBytes,
}


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _finish(value: Any) -> Any:
    """Arrays under construction as arrays, on the outer two levels, where data sets have them."""
    if isinstance(value, dict):
        return {key: _array_of(item) for key, item in value.items()}
    return _array_of(value)


def _array_of(value: Any) -> Any:
    if not isinstance(value, _Array):
        return value
    if value.value is None:
        raise ValueError("A stored array has no contents.")
    return value.value

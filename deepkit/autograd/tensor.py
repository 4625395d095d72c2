"""Eager tensors: a raw array, and its place on the tape."""

from __future__ import annotations

from typing import Any, Iterator

import numpy as np

from .. import backend

# Binary ufuncs with which NumPy asks for the right-hand operand of `array * tensor` and the like.
_OPERATOR_UFUNCS = frozenset(
    "add subtract multiply divide floor_divide remainder power matmul equal not_equal less less_equal greater "
    "greater_equal bitwise_and bitwise_or bitwise_xor left_shift right_shift".split()
)


class Tensor:
    """An immutable n-dimensional array on the active device, with NumPy's operators and indexing.

    Tensors are made by ops, by layers and by :func:`deepkit.ops.convert_to_tensor`. They take part in gradients
    when a :class:`deepkit.GradientTape` is watching.

    Example:
        >>> from deepkit import ops
        >>> x = ops.convert_to_tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> (x @ x)[0].numpy()
        array([ 7., 10.], dtype=float32)
    """

    # `node` is this tensor's number on the tape of the recording session it was made in (see tape.py); 0 is none.
    __slots__ = ("data", "node", "_keras_mask", "__weakref__")

    def __init__(self, data: Any, node: int = 0):
        self.data = data
        self.node = node
        self._keras_mask: Any = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def dtype(self) -> Any:
        return self.data.dtype

    @property
    def ndim(self) -> int:
        return self.data.ndim

    @property
    def size(self) -> int:
        return self.data.size

    @property
    def nbytes(self) -> int:
        return self.data.nbytes

    def numpy(self) -> np.ndarray:
        """The values as a NumPy array (shared memory on the CPU, a copy from a GPU)."""
        return backend.to_numpy(self.data)

    def item(self) -> Any:
        """The only element as a Python scalar.

        Raises:
            ValueError: if there is more than one.
        """
        return self.numpy().item()

    def tolist(self) -> Any:
        return self.numpy().tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        values = self.numpy()
        if dtype is not None and values.dtype != dtype:
            return values.astype(dtype)
        return values.copy() if copy else values

    # NumPy hands `array * tensor` to the tensor; its plain functions, np.exp(tensor), work on the values.
    __array_priority__ = 1000

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and len(inputs) == 2 and not kwargs and ufunc.__name__ in _OPERATOR_UFUNCS:
            from .. import ops

            return getattr(ops, {"remainder": "mod"}.get(ufunc.__name__, ufunc.__name__))(*inputs)
        inputs = tuple(x.numpy() if isinstance(x, Tensor) else x for x in inputs)
        return getattr(ufunc, method)(*inputs, **kwargs)

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.data.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.data.__dlpack_device__()

    def __len__(self) -> int:
        if not self.data.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self.data)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.data.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(len(self.data)))  # type: ignore[index]

    def __bool__(self) -> bool:
        return bool(self.data)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.data.dtype.kind not in "iu":
            raise TypeError("only integer scalar tensors can be used as an index")
        return int(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item() if self.data.ndim == 0 else self.numpy(), spec) if spec else str(self)

    def __repr__(self) -> str:
        return f"Tensor({self._values()}, dtype={self.data.dtype.name})"

    def __str__(self) -> str:
        return repr(self)

    def _values(self) -> str:
        return np.array2string(self.numpy(), separator=", ", prefix="Tensor(")

    # Tensors compare elementwise, so identity is what they can be hashed by.
    __hash__ = object.__hash__

    def __copy__(self) -> Tensor:
        return Tensor(self.data)

    def __deepcopy__(self, memo: dict) -> Tensor:
        return Tensor(self.data.copy())

    def __reduce__(self) -> Any:
        return _restore, (self.numpy(),)


def _restore(values: np.ndarray) -> Tensor:
    return Tensor(backend.active().from_numpy(values))

"""Symbolic tensors: a shape and a dtype without values."""

from __future__ import annotations

from typing import Any, Sequence

from .dtypes import standardize_dtype

_counter = 0


class Spec:
    """Shape and dtype of a tensor that has no values yet; Keras calls it ``KerasTensor``.

    Calling an op or a layer on a Spec gives the Spec of its result, computed by the op's ``infer`` alone. A Spec
    that an op or layer made carries the call in ``node``, from which functional models are built.

    Args:
        shape: Sizes; ``None`` stands for a dimension known only at run time.
        dtype: Dtype name.
        name: Optional name.

    Example:
        >>> from deepkit import ops
        >>> ops.matmul(Spec((None, 3)), Spec((3, 5))).shape
        (None, 5)
    """

    __slots__ = ("shape", "dtype", "name", "node", "output_index", "sparse", "ragged", "_keras_mask", "__weakref__")

    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        self.shape: tuple[int | None, ...] = tuple(shape)
        self.dtype: str = dtype if type(dtype) is str else standardize_dtype(dtype)
        self._name(name)
        self.node: Any = None
        self.output_index = 0
        self.sparse = sparse
        self.ragged = ragged
        self._keras_mask: Any = None

    def _name(self, name: str | None) -> None:
        global _counter
        if name is None:
            _counter += 1
            name = f"keras_tensor_{_counter}"
        self.name = name

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int | None:
        total = 1
        for n in self.shape:
            if n is None:
                return None
            total *= n
        return total

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    __hash__ = object.__hash__

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise ValueError(
            f"A symbolic tensor has no values: {self!r}. NumPy functions can't be applied to it; use deepkit.ops, "
            "or call the model on data."
        )

    def __bool__(self) -> bool:
        raise TypeError(f"A symbolic tensor has no truth value: {self!r}. Use deepkit.ops.where or ops.cond.")

    def __len__(self) -> int:
        if not self.shape or self.shape[0] is None:
            raise TypeError(f"The length of {self!r} is not known. Use deepkit.ops.shape(x)[0].")
        return self.shape[0]

    def __iter__(self) -> Any:
        n = len(self)
        return (self[i] for i in range(n))  # type: ignore[index]


KerasTensor = Spec


def is_keras_tensor(x: Any) -> bool:
    """Whether ``x`` is a symbolic tensor.

    Example:
        >>> is_keras_tensor(Spec((None, 3))), is_keras_tensor([1.0])
        (True, False)
    """
    return isinstance(x, Spec)


def broadcast_shapes(*shapes: Sequence[int | None]) -> tuple[int | None, ...]:
    """NumPy's broadcasting over shapes with unknown (``None``) sizes.

    Raises:
        ValueError: if two known sizes differ and neither is 1.

    Example:
        >>> broadcast_shapes((None, 1, 3), (4, 1))
        (None, 4, 3)
    """
    rank = max(map(len, shapes), default=0)
    out: list[int | None] = [1] * rank
    for shape in shapes:
        for i, n in enumerate(shape, rank - len(shape)):
            if n == 1 or n == out[i]:
                continue
            if out[i] == 1:
                out[i] = n
            elif out[i] is None:
                out[i] = n
            elif n is not None:
                raise ValueError(f"Shapes {' and '.join(map(str, map(tuple, shapes)))} can't be broadcast together.")
    return tuple(out)

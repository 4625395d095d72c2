"""The entrance of a functional model."""

from __future__ import annotations

from typing import Any, Sequence

from ..autograd.op import Node
from ..autograd.spec import Spec
from ..registry import export
from .layer import Layer


@export("keras.layers.InputLayer")
class InputLayer(Layer):
    """Layer that stands for one input of a model.

    Args:
        shape: Shape without the batch dimension.
        batch_size: Size of the batch, if it is fixed.
        dtype: Dtype; ``floatx()`` by default.
        batch_shape: Shape with the batch dimension, instead of ``shape``.
        input_tensor: Symbolic tensor to wrap.
        name: Name.

    Raises:
        ValueError: if both or neither of ``shape`` and ``batch_shape`` are given.
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Sequence[int | None] | None = None,
        input_tensor: Spec | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ):
        if "input_shape" in kwargs:
            shape = kwargs.pop("input_shape")
        if "batch_input_shape" in kwargs:
            batch_shape = kwargs.pop("batch_input_shape")
        if input_tensor is not None:
            batch_shape, shape = input_tensor.shape, None
            dtype = dtype or input_tensor.dtype
        if shape is not None and batch_shape is not None:
            raise ValueError("Give Input either `shape` or `batch_shape`, not both.")
        if shape is None and batch_shape is None:
            raise ValueError("Input needs `shape` (without the batch dimension) or `batch_shape`.")
        if shape is not None:
            if isinstance(shape, int) or not hasattr(shape, "__iter__"):
                raise ValueError(f"`shape` should be a tuple of ints, like ({shape},), not {shape!r}.")
            batch_shape = (batch_size, *shape)
        super().__init__(name=name, **kwargs)
        assert batch_shape is not None
        self.batch_shape = tuple(None if n is None else int(n) for n in batch_shape)
        for n in self.batch_shape:
            if n is not None and n < 0:
                raise ValueError(f"Sizes in an input shape are positive or None: {self.batch_shape}.")
        self._input_dtype = Spec((), dtype or self.dtype).dtype
        self.sparse, self.ragged, self.optional = bool(sparse), bool(ragged), optional
        self.built = True
        output = input_tensor
        if output is None:
            output = Spec(self.batch_shape, self._input_dtype, name=self.name)
        output.node = Node(self, (), {}, output)
        self._inbound_nodes.append(output.node)

    def call(self) -> None:
        return None

    @property
    def dtype(self) -> str:
        return getattr(self, "_input_dtype", None) or super().dtype

    def get_config(self) -> dict[str, Any]:
        return {"batch_shape": self.batch_shape, "dtype": self.dtype, "sparse": self.sparse, "ragged": self.ragged,
                "name": self.name, "optional": self.optional}  # fmt: skip


def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: Spec | None = None,
    optional: bool = False,
) -> Spec:
    """A symbolic tensor from which a functional model starts.

    Args:
        shape: Shape without the batch dimension; ``None`` for sizes that vary.
        batch_size: Size of the batch, if it is fixed.
        dtype: Dtype; ``floatx()`` by default.
        batch_shape: Shape with the batch dimension, instead of ``shape``.
        name: Name of the input, by which data may be given in a dictionary.
        tensor: Symbolic tensor to wrap instead.

    Example:
        >>> Input((28, 28, 1)).shape
        (None, 28, 28, 1)
    """
    layer = InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name)
    return layer.output

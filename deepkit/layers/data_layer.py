"""What the layers for raw data (categories, text) share: taking strings and lists, and encoding indices."""

from __future__ import annotations

from itertools import islice
from typing import Any, Iterable, Sequence

import numpy as np

from .. import ops
from ..autograd.dtypes import is_float, np_dtype
from ..autograd.op import to_tensor
from ..autograd.spec import Spec
from ..autograd.tensor import Tensor
from .layer import Layer

OUTPUT_MODES = ("int", "one_hot", "multi_hot", "count")


class DataLayer(Layer):
    """Layer whose inputs may be strings and nested lists, and are not cast before ``call`` sees them."""

    #: Whether the layer is called with a list of several inputs.
    _several_inputs = False
    #: Whether strings may come; models and their training ask for it.
    takes_strings = False
    #: Dtype of the input of a model that the layer begins, where nothing else tells.
    entrance_dtype: str | None = None

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.autocast = False

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if self._several_inputs and isinstance(inputs, (list, tuple)):
            inputs = [as_data(x) for x in inputs]
        elif not self._several_inputs:
            inputs = as_data(inputs)
        return super().__call__(inputs, *args, **kwargs)

    def _fail(self, message: str, kind: type[Exception] = ValueError) -> Exception:
        return kind(f"{type(self).__name__} {self.name!r}: {message}")

    def _check_mode(self, output_mode: Any, allowed: Sequence[str]) -> None:
        if output_mode not in allowed:
            raise self._fail(f"`output_mode` should be one of {', '.join(map(repr, allowed))}. "
                             f"Received: output_mode={output_mode!r}")  # fmt: skip

    def _check_dense(self, sparse: Any) -> None:
        if sparse:
            raise self._fail("sparse tensors are not supported: leave `sparse` at False for a dense result. "
                             f"Received: sparse={sparse!r}")  # fmt: skip


def as_data(x: Any) -> Any:
    """Lists, strings and numbers as NumPy arrays; arrays and tensors as they are."""
    if isinstance(x, (list, tuple)):
        try:
            return np.asarray([v.numpy() for v in x] if x and isinstance(x[0], Tensor) else x)
        except ValueError as error:
            raise ValueError(f"The rows of the data differ in length, which makes no array: {error}") from None
    if isinstance(x, (str, bytes, int, float, np.generic)) or type(x).__module__.split(".")[0] == "pandas":
        return np.asarray(x)
    return x


def host(x: Any) -> np.ndarray:
    """The values as a NumPy array, strings of a numeric-free object array included."""
    x = as_data(x)
    return x.numpy() if hasattr(x, "numpy") and not isinstance(x, np.ndarray) else np.asarray(x)


def batches(data: Any, steps: int | None) -> Iterable[Any]:
    """What a layer adapts to, batch by batch: a list or array is one, its elements documents if it has one dimension.

    Args:
        data: List, array, or iterable of batches.
        steps: Number of batches to read of an iterable.

    Raises:
        ValueError: if batches come with targets.
    """
    if isinstance(data, (list, tuple)) or hasattr(data, "shape"):
        data = host(data)
        return [data[:, None] if data.ndim == 1 else data]
    return map(inputs_only, islice(data, steps))


def inputs_only(batch: Any) -> Any:
    """A batch to adapt to.

    Raises:
        ValueError: if it comes with targets.
    """
    if isinstance(batch, tuple) and any(getattr(part, "ndim", 0) for part in batch):
        raise ValueError("adapt() takes inputs alone, but the data gives tuples, as of inputs and targets. Take them "
                         "apart: layer.adapt(x for x, y in data).")  # fmt: skip
    return batch


def is_strings(x: np.ndarray) -> bool:
    """Whether an array holds strings (an object array is taken to hold nothing else)."""
    return x.dtype.kind in "OUST"


def to_bytes(x: np.ndarray) -> list[bytes]:
    """All elements as byte strings: text in UTF-8, numbers in decimal, in the order they lie."""
    values = x.ravel().tolist()
    if x.dtype.kind == "S":
        return values
    if x.dtype.kind == "O":
        return [v if isinstance(v, bytes) else str(v).encode("utf-8", "surrogateescape") for v in values]
    if x.dtype.kind in "UT":
        return [v.encode("utf-8", "surrogateescape") for v in values]
    if x.dtype.kind == "b":
        return [b"true" if v else b"false" for v in values]
    return [b"%d" % int(v) for v in values]


def distinct(values: Iterable[bytes]) -> tuple[list[bytes], np.ndarray]:
    """The distinct strings in order of appearance, and which of them stands at each place."""
    numbers: dict[bytes, int] = {}
    where = np.fromiter([numbers.setdefault(v, len(numbers)) for v in values], np.int64)
    return list(numbers), where


def encode(indices: Any, output_mode: str, depth: int, dtype: Any, weights: Any = None) -> Any:
    """Category numbers in one of the forms that the layers give.

    Args:
        indices: Integers: tensor, array or symbolic tensor. Those outside of [0, depth) count for nothing.
        output_mode: ``"int"``: as they are; ``"one_hot"``: a vector for each, on a last axis of size 1 if there is one,
            on a new last axis if not; ``"multi_hot"``: a vector of zeros and ones for each sample; ``"count"``: how
            often each number occurs in a sample, or the sum of its ``weights``.
        depth: Length of the vectors.
        dtype: Dtype of the result.
        weights: What each index counts, shaped like ``indices``.
    """
    x = indices if isinstance(indices, Spec) else to_tensor(indices)
    if output_mode == "int":
        return ops.cast(x, dtype)
    shape = tuple(x.shape)
    if not shape:
        x, shape = ops.reshape(x, (1,)), (1,)
        weights = None if weights is None else ops.reshape(weights, (1,))
    if output_mode == "one_hot":
        if len(shape) > 1 and shape[-1] == 1:
            x = ops.squeeze(x, -1)
        return ops.one_hot(x, depth, dtype=dtype)
    if isinstance(x, Spec):
        return Spec((*shape[:1], *shape[2:], depth) if len(shape) > 1 else (depth,), np_dtype(dtype).name)
    if len(shape) <= 2:  # a table of counts instead of a vector for every element
        inside = ops.logical_and(x >= 0, x < depth)
        counts = ops.bincount(ops.where(inside, x, depth), weights, minlength=depth + 1)[..., :depth]
    else:
        vectors = ops.one_hot(x, depth, dtype=dtype if weights is None else weights.dtype)
        counts = ops.sum(vectors if weights is None else vectors * ops.expand_dims(weights, -1), axis=1)
    return ops.cast(counts > 0 if output_mode == "multi_hot" else counts, dtype)


def integers(layer: DataLayer, x: Any) -> Any:
    """Check that values are whole numbers.

    Raises:
        ValueError: if they are strings, or have fractions.
    """
    if isinstance(x, np.ndarray) and is_strings(x):
        raise layer._fail("integers are needed, but strings were given; index them with StringLookup first.")
    x = to_tensor(x)
    if is_float(x.data.dtype):
        if x.size and bool((ops.floor(x) != x).numpy().any()):
            raise layer._fail(f"integers are needed, but values with fractions were given (dtype {x.dtype}). Round "
                              "them, or put them in bins with Discretization.")  # fmt: skip
        x = ops.cast(x, "int64")
    return x

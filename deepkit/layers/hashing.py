"""Categories numbered by hashing: no vocabulary to keep, at the price of collisions."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import config as _config
from ..autograd.spec import Spec
from ..registry import export
from ..utils.fingerprint import buckets, fingerprint64, fingerprint_cat
from .data_layer import OUTPUT_MODES, DataLayer, distinct, encode, host, is_strings, to_bytes

#: What the hash of a cross starts from.
_CROSS_KEY = np.uint64(0xDECAFCAFFE)


@export("keras.layers.Hashing")
class Hashing(DataLayer):
    """hash(value) mod num_bins for strings and integers: the hashing trick (Weinberger et al. 2009, arXiv:0902.2206).

    The hash is FarmHash's Fingerprint64, or SipHash-2-4 with a key, of the string or the number in decimal; bins are
    those of TensorFlow.

    Args:
        num_bins: Number of bins, that of the mask included.
        mask_value: Value that goes to bin 0, which no other then goes to.
        salt: Key of SipHash-2-4: an integer, or a pair of integers.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"`` or ``"count"``.
        sparse: Not supported.
        **kwargs: Those of :class:`Layer`; ``dtype`` is int64 for ``"int"`` by default.

    Raises:
        ValueError: for a number of bins, a salt, a mode or a dtype that makes no sense.

    Example:
        >>> Hashing(num_bins=3)([["A"], ["B"], ["C"]]).ravel().tolist()
        [1, 0, 1]
    """

    takes_strings = True
    entrance_dtype = "int64"  # strings pass all the same

    def __init__(self, num_bins: int, mask_value: Any = None, salt: Any = None, output_mode: str = "int",
                 sparse: bool = False, **kwargs: Any):  # fmt: skip
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else _config.floatx()
        super().__init__(**kwargs)
        if num_bins is None or num_bins <= 0:
            raise self._fail(f"`num_bins` should be positive. Received: num_bins={num_bins}")
        if output_mode == "int" and self.dtype_policy.name not in ("int32", "int64"):
            raise self._fail("with output_mode='int', `dtype` should be 'int32' or 'int64'. "
                             f"Received: dtype={kwargs['dtype']}")  # fmt: skip
        self._check_mode(output_mode, OUTPUT_MODES)
        self._check_dense(sparse)
        self.num_bins, self.mask_value = int(num_bins), mask_value
        self.output_mode, self.sparse = output_mode, sparse
        self.salt = salt_pair(self, salt)
        self.strong_hash = self.salt is not None

    def compute_output_spec(self, inputs: Any) -> Any:
        return encode(Spec(inputs.shape, "int64"), self.output_mode, self.num_bins, self.compute_dtype)

    def call(self, inputs: Any) -> Any:
        return encode(self._bins(host(inputs)), self.output_mode, self.num_bins, self.compute_dtype)

    def _bins(self, values: np.ndarray) -> np.ndarray:
        masked = self.mask_value is not None and self.num_bins > 1
        if is_strings(values):
            keys, where = distinct(to_bytes(values))
        else:
            numbers, where = np.unique(values, return_inverse=True)
            keys = to_bytes(numbers)
        bins = buckets(keys, self.num_bins - masked, self.salt) + masked
        if masked:
            hidden = to_bytes(np.asarray([self.mask_value]))[0]
            bins[[i for i, key in enumerate(keys) if key == hidden]] = 0
        return bins[where.reshape(values.shape)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_bins": self.num_bins, "salt": self.salt, "mask_value": self.mask_value,
                "output_mode": self.output_mode, "sparse": self.sparse}  # fmt: skip


def salt_pair(layer: DataLayer, salt: Any) -> list[int] | None:
    """A salt as the two halves of a key."""
    if salt is None:
        return None
    if isinstance(salt, (tuple, list)) and len(salt) == 2:
        return [int(s) for s in salt]
    if isinstance(salt, int):
        return [salt, salt]
    raise layer._fail(f"`salt` should be an integer, or a pair of integers. Received: salt={salt!r}")


@export("keras.layers.HashedCrossing")
class HashedCrossing(DataLayer):
    """hash(a, b, ...) mod num_bins for values of several features that occur together.

    The hashes of the parts (FarmHash's Fingerprint64 for a string, an integer itself) are combined in order; bins are
    those of TensorFlow's ``tf.sparse.cross_hashed``.

    Args:
        num_bins: Number of bins.
        output_mode: ``"int"`` or ``"one_hot"``.
        sparse: Not supported.
        name: Name.
        dtype: Dtype of the result; int64 for ``"int"`` by default.

    Raises:
        ValueError: for an unknown mode; when called, for fewer than two inputs, unequal shapes, shapes other than (),
            (batch,) and (batch, 1), and values that are neither strings nor integers.

    Example:
        >>> import numpy as np
        >>> layer = HashedCrossing(num_bins=5)
        >>> layer((np.array(["A", "B", "A"]), np.array([101, 101, 102]))).tolist()
        [1, 4, 3]
    """

    _several_inputs = True
    takes_strings = True

    def __init__(self, num_bins: int, output_mode: str = "int", sparse: bool = False, name: str | None = None,
                 dtype: Any = None, **kwargs: Any):  # fmt: skip
        if output_mode == "int" and dtype is None:
            dtype = "int64"
        super().__init__(name=name, dtype=dtype, **kwargs)
        self._check_dense(sparse)
        self._check_mode(output_mode, ("int", "one_hot"))
        if num_bins is None or num_bins <= 0:
            raise self._fail(f"`num_bins` should be positive. Received: num_bins={num_bins}")
        self.num_bins, self.output_mode, self.sparse = int(num_bins), output_mode, sparse

    def _check(self, inputs: Any) -> None:
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise self._fail(f"it takes a list of at least two inputs. Received: {inputs!r}")
        shapes = [tuple(x.shape) for x in inputs]
        if any(len(s) != len(shapes[0]) or s[1:] != shapes[0][1:] for s in shapes):
            raise self._fail(f"all inputs should have one shape. Received: shapes {shapes}")
        if len(shapes[0]) > 2 or (len(shapes[0]) == 2 and shapes[0][1] != 1):
            raise self._fail(f"inputs should have shape (), (batch,) or (batch, 1). Received: shapes {shapes}")

    def compute_output_spec(self, inputs: Any) -> Any:
        self._check(inputs)
        return encode(Spec(inputs[0].shape, "int64"), self.output_mode, self.num_bins, self.compute_dtype)

    def call(self, inputs: Any) -> Any:
        self._check(inputs)
        columns = [host(x) for x in inputs]
        if any(c.shape != columns[0].shape for c in columns):
            raise self._fail(f"all inputs should have one shape. Received: {[c.shape for c in columns]}")
        hashes: Any = _CROSS_KEY
        for column in columns:
            hashes = fingerprint_cat(hashes, self._parts(column))
        bins = (hashes % np.uint64(self.num_bins)).astype(np.int64).reshape(columns[0].shape)
        return encode(bins, self.output_mode, self.num_bins, self.compute_dtype)

    def _parts(self, column: np.ndarray) -> np.ndarray:
        if is_strings(column):
            keys, where = distinct(to_bytes(column))
            return fingerprint64(keys)[where]
        if column.dtype.kind not in "iu":
            raise self._fail(f"inputs should be strings or integers. Received: dtype {column.dtype}")
        return column.ravel().astype(np.int64).view(np.uint64)

    def get_config(self) -> dict[str, Any]:
        return {"num_bins": self.num_bins, "output_mode": self.output_mode, "sparse": self.sparse, "name": self.name,
                "dtype": self.dtype}  # fmt: skip

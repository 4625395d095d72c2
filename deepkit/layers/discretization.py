"""Numbers put into bins."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np

from .. import config, ops
from ..autograd.spec import Spec
from ..registry import export
from .data_layer import OUTPUT_MODES, DataLayer, encode, host, inputs_only, is_strings


@export("keras.layers.Discretization")
class Discretization(DataLayer):
    """The number of the bin that each value falls into; bin i holds the values in [b_(i-1), b_i).

    The first and the last bin reach to -∞ and ∞. The boundaries b are given, or :meth:`adapt` takes the quantiles of
    data: bins that hold about equally many values.

    Args:
        bin_boundaries: Ascending boundaries.
        num_bins: Number of bins to find in :meth:`adapt`, instead of ``bin_boundaries``.
        epsilon: Error of the quantiles allowed, as a fraction of the data: about 1 / epsilon values are kept.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"`` or ``"count"``.
        sparse: Not supported.
        dtype: Dtype of vectors; bin numbers are int32.
        name: Name.

    Raises:
        ValueError: if both or neither of ``bin_boundaries`` and ``num_bins`` are given, or ``sparse`` is true.

    Example:
        >>> Discretization(bin_boundaries=[0.0, 1.0])([[-1.5, 0.0, 3.0]])
        Tensor([[0, 1, 2]], dtype=int32)
    """

    def __init__(self, bin_boundaries: Any = None, num_bins: int | None = None, epsilon: float = 0.01,
                 output_mode: str = "int", sparse: bool = False, dtype: Any = None,
                 name: str | None = None):  # fmt: skip
        super().__init__(name=name, dtype=dtype)
        self._check_dense(sparse)
        self._check_mode(output_mode, OUTPUT_MODES)
        if num_bins is not None and num_bins < 0:
            raise self._fail(f"`num_bins` can't be negative. Received: num_bins={num_bins}")
        if (num_bins is None) == (bin_boundaries is None):
            raise self._fail("give either `num_bins` (and call adapt()) or `bin_boundaries`. "
                             f"Received: num_bins={num_bins}, bin_boundaries={bin_boundaries}")  # fmt: skip
        self.bin_boundaries = None if bin_boundaries is None else [float(b) for b in bin_boundaries]
        if self.bin_boundaries is not None and self.bin_boundaries != sorted(self.bin_boundaries):
            raise self._fail(f"`bin_boundaries` should ascend. Received: bin_boundaries={bin_boundaries}")
        self.num_bins, self.epsilon = num_bins, epsilon
        self.output_mode, self.sparse = output_mode, sparse
        self.summary: np.ndarray = np.zeros((2, 0), "float32")

    @property
    def input_dtype(self) -> str:
        return config.floatx()

    @property
    def output_dtype(self) -> str:
        return "int32" if self.output_mode == "int" else self.compute_dtype

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Take the boundaries from data.

        Args:
            data: Array, tensor, or an iterable of batches (a list counts as one).
            steps: Number of batches to read of an iterable.

        Raises:
            ValueError: if the boundaries were given, or there is no data.
        """
        if self.num_bins is None:
            raise self._fail("it was given its `bin_boundaries`; adapt() needs `num_bins` instead.")
        self.reset_state()
        if hasattr(data, "shape") or isinstance(data, (int, float)):
            self.update_state(data)
        else:
            for batch in islice(data, steps):
                self.update_state(inputs_only(batch))
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Take in a batch."""
        values = host(data)
        if is_strings(values):
            raise self._fail("numbers are needed, but strings were given.")
        self.summary = merge(summarize(values.astype("float32"), self.epsilon), self.summary, self.epsilon)

    def finalize_state(self) -> None:
        """Make boundaries of the batches taken in."""
        if self.num_bins is None:
            return
        if not self.summary.shape[1]:
            raise self._fail("adapt() needs data, but it is empty.")
        self.bin_boundaries = compress(self.summary, 1.0 / self.num_bins)[0, :-1].tolist()

    def reset_state(self) -> None:
        """Forget the batches taken in."""
        self.summary = np.zeros((2, 0), "float32")

    def compute_output_spec(self, inputs: Any) -> Any:
        depth = self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1
        return encode(Spec(inputs.shape, "int32"), self.output_mode, depth or 0, self.output_dtype)

    def call(self, inputs: Any) -> Any:
        if self.bin_boundaries is None:
            raise self._fail("it has no boundaries yet: call adapt(data) first, or pass `bin_boundaries`.")
        if isinstance(inputs, np.ndarray) and is_strings(inputs):
            raise self._fail("numbers are needed, but strings were given.")
        bins = ops.digitize(ops.cast(inputs, "float32"), np.asarray(self.bin_boundaries, "float32"))
        return encode(bins, self.output_mode, len(self.bin_boundaries) + 1, self.output_dtype)

    def load_own_variables(self, store: Any) -> None:
        """Nothing: the boundaries are in the configuration."""

    def get_config(self) -> dict[str, Any]:
        return {"bin_boundaries": self.bin_boundaries, "num_bins": self.num_bins, "epsilon": self.epsilon,
                "output_mode": self.output_mode, "sparse": self.sparse, "name": self.name,
                "dtype": self.dtype}  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        boundaries = config.get("bin_boundaries")
        if boundaries is None or config.get("num_bins") is None:
            return super().from_config(config)
        layer = super().from_config({**config, "bin_boundaries": None})
        layer.bin_boundaries = [float(b) for b in boundaries]
        return layer


def summarize(values: np.ndarray, epsilon: float) -> np.ndarray:
    """Evenly spaced order statistics of values (first row), and how many values each stands for (second row)."""
    values = np.sort(values.reshape(-1))
    step = max(values.size * epsilon, 1)
    kept = values[int(step - 1) :: int(step)]
    return np.stack([kept, np.full_like(kept, step)])


def merge(a: np.ndarray, b: np.ndarray, epsilon: float) -> np.ndarray:
    """The summary of the data of two summaries."""
    both = np.concatenate([a, b], axis=1)
    return compress(both[:, np.argsort(both[0])], epsilon)


def compress(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """A summary of 1 / ``epsilon`` values, interpolated at equal shares of the total weight."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    weights = summary[1].cumsum()
    portions = weights / weights[-1]
    values = np.interp(shares, portions, summary[0])
    weights = np.interp(shares, portions, weights)
    return np.stack([values, np.diff(weights, prepend=0)]).astype("float32")

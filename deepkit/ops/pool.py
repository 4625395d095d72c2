"""Max and average pooling."""

from __future__ import annotations

from itertools import product
from typing import Any

from ..autograd.op import Op, to_tensor
from ..autograd.spec import Spec
from ..config import standardize_data_format
from ..utils.windows import output_sizes, resolve_padding, size_tuple
from . import elementwise
from .spatial import channels_first, channels_last, check_padding, padded, promoted, spatial_rank, under


class _Pool(Op):
    """Base of the pooling ops; x (n, *spatial, c). Params: ``pool`` and ``strides`` tuples, ``padding``."""

    def infer(self, x: Spec, pool: Any, strides: Any, padding: str) -> Spec:
        out = output_sizes(x.shape[1:-1], pool, strides, (1,) * len(pool), padding, self.name)
        return Spec((x.shape[0], *out, x.shape[-1]), x.dtype)

    def _pads(self, x: Any, pool: Any, strides: Any, padding: str) -> Any:
        return resolve_padding(x.shape[1:-1], pool, strides, (1,) * len(pool), padding, self.name)

    def _elements(self, x: Any, pool: Any, strides: Any, padding: str, fill: float) -> list[Any]:
        """For each position in the window, what the windows have there; ``fill`` where that is padding."""
        ones = (1,) * len(pool)
        pads = self._pads(x, pool, strides, padding)
        out = output_sizes(x.shape[1:-1], pool, strides, ones, pads, self.name)
        x = padded(x, pads, fill)
        return [x[under(tap, out, strides, ones)] for tap in product(*map(range, pool))]


class MaxPool(_Pool):
    """Largest element of each window."""

    name = "max_pool"

    def forward(self, k: Any, x: Any, pool: Any, strides: Any, padding: str) -> tuple[Any, Any]:
        pads = self._pads(x, pool, strides, padding)
        y = k.max_pool(x, pool, strides, pads)
        return y, (x, y, pool, strides, pads)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        x, y, *how = saved
        return (None if needs[0] is False else k.max_pool_grad(x, y, g, *how, needs[0]),)

    def reference(self, x: Any, pool: Any, strides: Any, padding: str) -> Any:
        first, *rest = self._elements(x, pool, strides, padding, float("-inf"))
        for other in rest:
            first = elementwise.maximum(first, other)
        return first


class AvgPool(_Pool):
    """Mean of the elements of each window that aren't padding."""

    name = "average_pool"

    def forward(self, k: Any, x: Any, pool: Any, strides: Any, padding: str) -> tuple[Any, Any]:
        pads = self._pads(x, pool, strides, padding)
        return k.avg_pool(x, pool, strides, pads), (x.shape[1:-1], pool, strides, pads)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        return (None if needs[0] is False else k.avg_pool_grad(g, *saved, needs[0]),)

    def reference(self, x: Any, pool: Any, strides: Any, padding: str) -> Any:
        from .. import ops

        there = ops.ones((1, *x.shape[1:-1], 1), dtype=x.dtype)
        return sum(self._elements(x, pool, strides, padding, 0.0)) / sum(
            self._elements(there, pool, strides, padding, 0.0)
        )


max_pooling = MaxPool()
average_pooling = AvgPool()


def _pool(op: _Pool, x: Any, pool_size: Any, strides: Any, padding: str, data_format: str | None) -> Any:
    first = standardize_data_format(data_format) == "channels_first"
    rank = spatial_rank(op.name, x)
    pool = size_tuple(pool_size, rank, "pool_size", op.name)
    steps = pool if strides is None else size_tuple(strides, rank, "strides", op.name)
    y = op(
        channels_last(x) if first else x, pool=pool, strides=steps, padding=check_padding(op.name, padding)
    )
    return channels_first(y) if first else y


def max_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Any:
    """Largest element of each window.

    The gradient of a window goes to its largest element, the first of several equal ones.

    Args:
        inputs: Tensor (n, *spatial, c), or (n, c, *spatial) if channels come first.
        pool_size: Window size, one integer or one a dimension.
        strides: Step between windows; ``pool_size`` by default.
        padding: ``"valid"`` (windows that don't fit are left out) or ``"same"`` (ceil(size / stride) windows; padding
            takes no part in the maximum).
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Raises:
        ValueError: if the window is larger than the input or an argument is of the wrong kind.

    Example:
        >>> from deepkit import ops
        >>> ops.max_pool([[[1.0], [3.0], [2.0], [0.0]]], 2)[0, :, 0]
        Tensor([3., 2.], dtype=float32)
    """
    x = inputs if isinstance(inputs, Spec) else to_tensor(inputs)
    return _pool(max_pooling, x, pool_size, strides, padding, data_format)


def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Any:
    """Mean of the elements of each window, in which padding isn't counted; integers become ``floatx()``.

    Args:
        inputs: Tensor (n, *spatial, c), or (n, c, *spatial) if channels come first.
        pool_size: As in :func:`max_pool`, like the following.
        strides: Step between windows.
        padding: ``"valid"`` or ``"same"``.
        data_format: Layout.

    Raises:
        ValueError: as :func:`max_pool`.

    Example:
        >>> from deepkit import ops
        >>> ops.average_pool([[[1.0], [3.0], [2.0], [0.0]]], 2)[0, :, 0]
        Tensor([2., 1.], dtype=float32)
    """
    (x,) = promoted(inputs)
    return _pool(average_pooling, x, pool_size, strides, padding, data_format)


__all__ = ["average_pool", "max_pool"]

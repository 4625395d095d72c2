"""Upsampling of spatial axes by repetition or interpolation."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..registry import export
from ..utils.allowance import OBJECT, charge
from .core import positive_int
from .padding import SpatialLayer


class _UpSampling(SpatialLayer):
    def __init__(self, size: Any, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format, **kwargs)
        sizes = size if isinstance(size, (tuple, list)) else (size,) * self.rank
        if len(sizes) != self.rank:
            raise ValueError(
                f"{type(self).__name__}: `size` should be an int or {self.rank} of them. Received: size={size!r}"
            )
        self.size = tuple(positive_int(n, "size", type(self).__name__) for n in sizes)
        charge(sum(self.size) * OBJECT, f"the repetitions of {self.name}")

    def call(self, inputs: Any) -> Any:
        # Each element becomes a block: an axis of 1 behind each spatial axis, broadcast, and folded in.
        amounts = self.full(self.size, 1)
        x = inputs
        for axis, n in enumerate(amounts):
            if n > 1:
                shape = list(x.shape)
                x = ops.expand_dims(x, axis + 1)
                x = ops.concatenate([x] * n, axis + 1)
                shape[axis] = None if shape[axis] is None else shape[axis] * n
                x = ops.reshape(x, [-1 if s is None else s for s in shape])
        return x


@export("keras.layers.UpSampling1D")
class UpSampling1D(_UpSampling):
    """Each time step repeated.

    Args:
        size: Number of repetitions.
        **kwargs: Those of :class:`Layer`.

    Example:
        >>> UpSampling1D(2)(ops.convert_to_tensor([[[1.0], [2.0]]])).ravel().tolist()
        [1.0, 1.0, 2.0, 2.0]
    """

    def __init__(self, size: int = 2, **kwargs: Any):
        super().__init__(size, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size[0]}


@export("keras.layers.UpSampling2D")
class UpSampling2D(_UpSampling):
    """Each pixel repeated, or interpolated between its neighbours.

    Args:
        size: Number of repetitions along height and width.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        interpolation: ``"nearest"`` or ``"bilinear"``.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: for another interpolation.

    Example:
        >>> UpSampling2D(2)(ops.ones((1, 2, 3, 1))).shape
        (1, 4, 6, 1)
    """

    rank = 2

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ):
        super().__init__(size, data_format, **kwargs)
        if interpolation not in ("nearest", "bilinear"):
            raise ValueError(
                f"UpSampling2D: `interpolation` should be 'nearest' or 'bilinear'. Received: "
                f"interpolation={interpolation!r}"
            )
        self.interpolation = interpolation

    def call(self, inputs: Any) -> Any:
        if self.interpolation == "nearest":
            return super().call(inputs)
        x = inputs
        for axis, n in enumerate(self.full(self.size, 1)):
            x = _stretched(x, axis, n) if n > 1 else x
        return x

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "interpolation": self.interpolation}


def _stretched(x: Any, axis: int, n: int) -> Any:
    """Linear interpolation along an axis; output i looks at (i + 1/2) / n - 1/2, ends are repeated."""
    size = x.shape[axis]
    if size is None:
        raise ValueError("UpSampling2D with bilinear interpolation needs known sizes.")
    charge(size * n * OBJECT, "the places of an UpSampling2D")
    places = [min(max((i + 0.5) / n - 0.5, 0.0), size - 1.0) for i in range(size * n)]
    low = [min(int(p), max(size - 2, 0)) for p in places]
    shape = [1] * len(x.shape)
    shape[axis] = size * n
    share = ops.reshape(ops.cast([p - i for p, i in zip(places, low)], x.dtype), shape)
    below, above = ops.take(x, low, axis=axis), ops.take(x, [min(i + 1, size - 1) for i in low], axis=axis)
    return below + (above - below) * share


@export("keras.layers.UpSampling3D")
class UpSampling3D(_UpSampling):
    """Each voxel repeated.

    Args:
        size: Number of repetitions along the three spatial axes.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: Those of :class:`Layer`.
    """

    rank = 3

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any):
        super().__init__(size, data_format, **kwargs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}

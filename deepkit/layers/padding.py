"""Padding and cropping of spatial axes."""

from __future__ import annotations

import operator
from typing import Any

from .. import ops
from ..config import standardize_data_format
from ..registry import export
from ..utils.signatures import with_defaults
from .layer import InputSpec, Layer


def _pairs(value: Any, rank: int, argument: str, layer: str) -> tuple[tuple[int, int], ...]:
    """Amounts before and after along each spatial axis, from an int, an int an axis, or pairs."""
    try:
        if not isinstance(value, (tuple, list)):
            n = operator.index(value)
            pairs = ((n, n),) * rank
        elif rank == 1 and len(value) == 2 and not isinstance(value[0], (tuple, list)):
            pairs = ((operator.index(value[0]), operator.index(value[1])),)
        elif len(value) == rank:
            pairs = tuple(
                (operator.index(v[0]), operator.index(v[1]))
                if isinstance(v, (tuple, list))
                else (operator.index(v),) * 2
                for v in value
            )  # type: ignore[assignment]
        else:
            raise TypeError
    except (TypeError, IndexError):
        raise ValueError(
            f"{layer}: `{argument}` should be an int, {rank} int(s), or {rank} pair(s) of ints. Received: "
            f"{argument}={value!r}"
        ) from None
    if any(n < 0 for pair in pairs for n in pair):
        raise ValueError(f"{layer}: `{argument}` should not be negative. Received: {argument}={value!r}")
    return pairs


class SpatialLayer(Layer):
    """Base of layers over 1, 2 or 3 spatial axes."""

    rank = 1

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def full(self, parts: Any, fill: Any) -> list[Any]:
        """One entry an axis of the input."""
        first = self.data_format == "channels_first" and self.rank > 1
        return [fill, fill, *parts] if first else [fill, *parts, fill]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if self.rank > 1 or type(self).__name__ == "ZeroPadding1D":
            config["data_format"] = self.data_format
        return config


class ZeroPadding(SpatialLayer):
    """Zeros around the spatial axes.

    Args:
        padding: Amount on both sides; one an axis, or (before, after) pairs.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: for another number of amounts, or a negative one.
    """

    def __init__(self, padding: Any, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self.padding = _pairs(padding, self.rank, "padding", type(self).__name__)

    def call(self, inputs: Any) -> Any:
        return ops.pad(inputs, self.full(self.padding, (0, 0)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding[0] if self.rank == 1 else self.padding}


@export("keras.layers.ZeroPadding1D")
@with_defaults(padding=1)
class ZeroPadding1D(ZeroPadding):
    """Zeros before and after a sequence (n, steps, c); arguments as :class:`ZeroPadding`.

    Example:
        >>> ZeroPadding1D(2)(ops.ones((1, 3, 1))).shape
        (1, 7, 1)
    """

    rank = 1


@export("keras.layers.ZeroPadding2D")
@with_defaults(padding=(1, 1))
class ZeroPadding2D(ZeroPadding):
    """Zeros around images (n, height, width, c); arguments as :class:`ZeroPadding`.

    Example:
        >>> ZeroPadding2D((1, 2))(ops.ones((1, 3, 3, 1))).shape
        (1, 5, 7, 1)
    """

    rank = 2


@export("keras.layers.ZeroPadding3D")
@with_defaults(padding=((1, 1), (1, 1), (1, 1)))
class ZeroPadding3D(ZeroPadding):
    """Zeros around volumes (n, depth, height, width, c); arguments as :class:`ZeroPadding`.

    Example:
        >>> ZeroPadding3D()(ops.ones((1, 2, 2, 2, 1))).shape
        (1, 4, 4, 4, 1)
    """

    rank = 3


class Cropping(SpatialLayer):
    """The spatial axes without their ends.

    Args:
        cropping: Amount on both sides; one an axis, or (before, after) pairs.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: for another number of amounts, a negative one, or if nothing of the input is left.
    """

    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self.cropping = _pairs(cropping, self.rank, "cropping", type(self).__name__)

    def call(self, inputs: Any) -> Any:
        amounts = self.full(self.cropping, (0, 0))
        for n, (before, after) in zip(inputs.shape, amounts):
            if n is not None and before + after and before + after >= n:
                raise ValueError(
                    f"{type(self).__name__} {self.name!r}: cropping {self.cropping} leaves nothing of an input "
                    f"of shape "
                    f"{tuple(inputs.shape)}."
                )
        return inputs[tuple(slice(before, -after if after else None) for before, after in amounts)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cropping": self.cropping[0] if self.rank == 1 else self.cropping}


@export("keras.layers.Cropping1D")
class Cropping1D(Cropping):
    """A sequence (n, steps, c) without its ends.

    Args:
        cropping: Amount on both sides, or (before, after).
        **kwargs: Those of :class:`Layer`.

    Example:
        >>> Cropping1D((1, 2))(ops.ones((1, 8, 1))).shape
        (1, 5, 1)
    """

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any):
        super().__init__(cropping, **kwargs)


@export("keras.layers.Cropping2D")
@with_defaults(cropping=((0, 0), (0, 0)))
class Cropping2D(Cropping):
    """Images (n, height, width, c) without their edges; arguments as :class:`Cropping`.

    Example:
        >>> Cropping2D(((1, 0), (2, 2)))(ops.ones((1, 8, 8, 1))).shape
        (1, 7, 4, 1)
    """

    rank = 2


@export("keras.layers.Cropping3D")
@with_defaults(cropping=((1, 1), (1, 1), (1, 1)))
class Cropping3D(Cropping):
    """Volumes (n, depth, height, width, c) without their faces; arguments as :class:`Cropping`.

    Example:
        >>> Cropping3D()(ops.ones((1, 4, 4, 4, 1))).shape
        (1, 2, 2, 2, 1)
    """

    rank = 3

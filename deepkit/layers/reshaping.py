"""Layers that only move elements: reshaping, padding, cropping, repeating."""

from __future__ import annotations

import math
import operator
from typing import Any

from .. import ops
from ..config import standardize_data_format
from ..registry import export
from .core import positive_int
from .layer import InputSpec, Layer


@export("keras.layers.Flatten")
class Flatten(Layer):
    """All axes but the batch's in one.

    Args:
        data_format: ``"channels_first"`` moves the channels to the end first.
        **kwargs: Those of :class:`Layer`.

    Example:
        >>> Flatten()(ops.ones((2, 3, 4))).shape
        (2, 12)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)
        self.built = True

    def call(self, inputs: Any) -> Any:
        if self.data_format == "channels_first" and len(inputs.shape) > 2:
            inputs = ops.moveaxis(inputs, 1, -1)
        rest = inputs.shape[1:]
        batch = -1 if inputs.shape[0] is None else inputs.shape[0]
        return ops.reshape(inputs, (batch, -1 if None in rest else math.prod(rest)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


@export("keras.layers.Reshape")
class Reshape(Layer):
    """Each sample in another shape.

    Args:
        target_shape: Sizes without the batch; one may be -1.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if the sizes don't fit.

    Example:
        >>> Reshape((3, -1))(ops.ones((2, 12))).shape
        (2, 3, 4)
    """

    def __init__(self, target_shape: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.target_shape = tuple(operator.index(n) for n in target_shape)
        if self.target_shape.count(-1) > 1:
            raise ValueError(f"Reshape: at most one size can be -1. Received: target_shape={self.target_shape}")
        self.built = True

    def call(self, inputs: Any) -> Any:
        shape = self.target_shape
        rest = inputs.shape[1:]
        if None not in rest:
            size, known = math.prod(rest), math.prod(n for n in shape if n != -1)
            if (size != known) if -1 not in shape else (known == 0 or size % known):
                raise ValueError(f"Reshape {self.name!r}: samples of shape {tuple(rest)} can't be reshaped to {shape}.")
            if -1 in shape:
                shape = tuple(size // known if n == -1 else n for n in shape)
        return ops.reshape(inputs, (-1 if inputs.shape[0] is None else inputs.shape[0], *shape))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": self.target_shape}


@export("keras.layers.Permute")
class Permute(Layer):
    """The axes of each sample in another order.

    Args:
        dims: The axes, counted from 1.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if ``dims`` is no permutation of 1..n.

    Example:
        >>> Permute((2, 1))(ops.ones((5, 3, 4))).shape
        (5, 4, 3)
    """

    def __init__(self, dims: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"Permute: `dims` should be a permutation of 1..{len(self.dims)}. Received: dims={dims}")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return ops.transpose(inputs, (0, *self.dims))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dims": self.dims}


@export("keras.layers.RepeatVector")
class RepeatVector(Layer):
    """(batch, features) repeated to (batch, n, features).

    Args:
        n: Number of repetitions.
        **kwargs: Those of :class:`Layer`.

    Raises:
        TypeError: if ``n`` is no integer.
        ValueError: if ``n`` is not positive.

    Example:
        >>> RepeatVector(3)(ops.ones((2, 4))).shape
        (2, 3, 4)
    """

    def __init__(self, n: int, **kwargs: Any):
        super().__init__(**kwargs)
        try:
            self.n = operator.index(n)
        except TypeError:
            raise TypeError(f"RepeatVector: `n` should be an integer. Received: n={n!r}") from None
        if self.n < 1:
            raise ValueError(f"RepeatVector: `n` should be positive. Received: n={n!r}")
        self.input_spec = InputSpec(ndim=2)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return ops.broadcast_to(ops.expand_dims(inputs, 1), (inputs.shape[0], self.n, inputs.shape[1]))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n": self.n}


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


class _Spatial(Layer):
    """Base of layers over 1, 2 or 3 spatial axes."""

    rank = 1

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.built = True

    def _full(self, parts: Any, fill: Any) -> list[Any]:
        """One entry an axis of the input."""
        first = self.data_format == "channels_first" and self.rank > 1
        return [fill, fill, *parts] if first else [fill, *parts, fill]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if self.rank > 1 or type(self).__name__ == "ZeroPadding1D":
            config["data_format"] = self.data_format
        return config


class _ZeroPadding(_Spatial):
    def __init__(self, padding: Any, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self.padding = _pairs(padding, self.rank, "padding", type(self).__name__)

    def call(self, inputs: Any) -> Any:
        return ops.pad(inputs, self._full(self.padding, (0, 0)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding[0] if self.rank == 1 else self.padding}


class _Cropping(_Spatial):
    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format, **kwargs)
        self.cropping = _pairs(cropping, self.rank, "cropping", type(self).__name__)

    def call(self, inputs: Any) -> Any:
        amounts = self._full(self.cropping, (0, 0))
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


class _UpSampling(_Spatial):
    def __init__(self, size: Any, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format, **kwargs)
        sizes = size if isinstance(size, (tuple, list)) else (size,) * self.rank
        if len(sizes) != self.rank:
            raise ValueError(
                f"{type(self).__name__}: `size` should be an int or {self.rank} of them. Received: size={size!r}"
            )
        self.size = tuple(positive_int(n, "size", type(self).__name__) for n in sizes)

    def call(self, inputs: Any) -> Any:
        # Each element becomes a block: an axis of 1 behind each spatial axis, broadcast, and folded in.
        amounts = self._full(self.size, 1)
        x = inputs
        for axis, n in enumerate(amounts):
            if n > 1:
                shape = list(x.shape)
                x = ops.expand_dims(x, axis + 1)
                x = ops.concatenate([x] * n, axis + 1)
                shape[axis] = None if shape[axis] is None else shape[axis] * n
                x = ops.reshape(x, [-1 if s is None else s for s in shape])
        return x


_DOCS = {
    "ZeroPadding": (
        "Zeros around the spatial axes.",
        "padding",
        "Amount on both sides; one an axis, or (before, after) pairs.",
    ),
    "Cropping": (
        "The spatial axes without their ends.",
        "cropping",
        "Amount on both sides; one an axis, or (before, after) pairs.",
    ),
}


def _variants(base: type, family: str, defaults: dict[int, Any]) -> list[type]:
    summary, argument, meaning = _DOCS[family]
    made = []
    for rank, default in defaults.items():
        name = f"{family}{rank}D"

        def __init__(self: Any, amount: Any = default, data_format: Any = None, *, base: type = base,
                     argument: str = argument, **kwargs: Any) -> None:  # fmt: skip
            amount = kwargs.pop(argument, amount)
            base.__init__(self, amount, data_format, **kwargs)  # type: ignore[misc]

        doc = f"""{summary}

    Args:
        {argument}: {meaning}
        data_format: ``"channels_last"`` or ``"channels_first"``.
        **kwargs: Those of :class:`Layer`.
    """
        body = {"rank": rank, "__init__": __init__, "__doc__": doc, "__module__": __name__}
        made.append(export(f"keras.layers.{name}")(type(name, (base,), body)))
    return made


ZeroPadding1D, ZeroPadding2D, ZeroPadding3D = _variants(_ZeroPadding, "ZeroPadding", {1: 1, 2: (1, 1), 3: (1, 1, 1)})
Cropping1D, Cropping2D, Cropping3D = _variants(
    _Cropping, "Cropping", {1: (1, 1), 2: ((0, 0), (0, 0)), 3: ((1, 1), (1, 1), (1, 1))}
)


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
        for axis, n in enumerate(self._full(self.size, 1)):
            x = _stretched(x, axis, n) if n > 1 else x
        return x

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "interpolation": self.interpolation}


def _stretched(x: Any, axis: int, n: int) -> Any:
    """Linear interpolation along an axis; output i looks at (i + 1/2) / n - 1/2, ends are repeated."""
    size = x.shape[axis]
    if size is None:
        raise ValueError("UpSampling2D with bilinear interpolation needs known sizes.")
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

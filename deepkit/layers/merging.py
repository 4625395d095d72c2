"""Layers that combine several inputs into one."""

from __future__ import annotations

from typing import Any, Callable

from .. import ops
from ..autograd.spec import broadcast_shapes
from ..registry import export
from .layer import Layer


class Merge(Layer):
    """Base of the elementwise combinations of inputs, broadcast against each other.

    A step of the result is unmasked where it is in any input; an input without a mask has no masked step, so that
    the result has no mask either.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if not isinstance(input_shape, list) and not (
            isinstance(input_shape, tuple) and input_shape and isinstance(input_shape[0], (tuple, list))
        ):
            raise ValueError(
                f"{type(self).__name__} {self.name!r} takes a list of inputs. Received one of shape {input_shape}"
            )
        if not input_shape:
            raise ValueError(f"{type(self).__name__} {self.name!r} takes at least 1 input. Received none.")
        rank = max(map(len, input_shape))
        self._lifted = any(len(s) != rank for s in input_shape)
        try:
            broadcast_shapes(*[(*s[:1], *[1] * (rank - len(s)), *s[1:]) for s in input_shape])
        except ValueError:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: inputs of shapes {list(input_shape)} can't be broadcast "
                f"together."
            ) from None

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(f"{type(self).__name__} {self.name!r} takes a list of inputs.")
        if self._lifted:
            rank = max(len(x.shape) for x in inputs)
            inputs = [_lift(x, rank) for x in inputs]
        return self.merge(inputs)

    def merge(self, inputs: Any) -> Any:
        out = inputs[0]
        for x in inputs[1:]:
            out = self.pair(out, x)
        return out

    #: The combination of two inputs.
    pair: Callable[..., Any] = staticmethod(ops.add)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if not isinstance(mask, (list, tuple)) or any(m is None for m in mask):
            return None
        if len(mask) != len(inputs):
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: {len(inputs)} inputs need as many masks. Received {len(mask)}"
            )
        out = mask[0]
        for m in mask[1:]:
            out = ops.logical_or(out, m)
        return out


def _lift(x: Any, rank: int) -> Any:
    while len(x.shape) < rank:
        x = ops.expand_dims(x, 1)
    return x


def _merge(name: str, pair: Callable[..., Any], doc: str, merge: Callable[..., Any] | None = None) -> type:
    body: dict[str, Any] = {"__module__": __name__, "__doc__": doc, "pair": staticmethod(pair)}
    if merge is not None:
        body["merge"] = merge
    return export(f"keras.layers.{name}")(type(name, (Merge,), body))


def _mean(self: Merge, inputs: Any) -> Any:
    return Merge.merge(self, inputs) / len(inputs)


Add = _merge("Add", ops.add, "Sum of its inputs.\n\n    Example:\n        >>> Add()([ops.ones((1, 2)), "
                             "ops.ones((1, 2))])\n"
             "        Tensor([[2., 2.]], dtype=float32)\n    ")  # fmt: skip
Multiply = _merge("Multiply", ops.multiply, "Product of its inputs.")
Average = _merge("Average", ops.add, "Mean of its inputs.", _mean)
Maximum = _merge("Maximum", ops.maximum, "Elementwise largest of its inputs.")
Minimum = _merge("Minimum", ops.minimum, "Elementwise smallest of its inputs.")


@export("keras.layers.Subtract")
class Subtract(Merge):
    """The first of two inputs minus the second.

    Example:
        >>> Subtract()([ops.ones((1, 2)), ops.ones((1, 2))])
        Tensor([[0., 0.]], dtype=float32)
    """

    pair: Any = staticmethod(ops.subtract)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ValueError(f"Subtract {self.name!r} takes exactly 2 inputs. Received {len(input_shape)}")


@export("keras.layers.Concatenate")
class Concatenate(Merge):
    """Inputs joined along an axis.

    Args:
        axis: The axis.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if the shapes differ along another axis.

    Example:
        >>> Concatenate()([ops.ones((1, 2)), ops.zeros((1, 1))])
        Tensor([[1., 1., 0.]], dtype=float32)
    """

    def __init__(self, axis: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        self._lifted = False
        if (
            not isinstance(input_shape, (list, tuple))
            or len(input_shape) < 1
            or not isinstance(input_shape[0], (tuple, list))
        ):
            raise ValueError(f"Concatenate {self.name!r} takes a list of inputs. Received shape {input_shape}")
        first = input_shape[0]
        axis = self.axis % len(first)
        for shape in input_shape[1:]:
            if len(shape) != len(first) or any(
                i != axis and a is not None and b is not None and a != b for i, (a, b) in enumerate(zip(first, shape))
            ):
                raise ValueError(
                    f"Concatenate {self.name!r}: inputs should have the same shape but for axis {self.axis}. Received: "
                    f"{list(input_shape)}"
                )

    def merge(self, inputs: Any) -> Any:
        return ops.concatenate(inputs, axis=self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if not isinstance(mask, (list, tuple)) or all(m is None for m in mask):
            return None
        parts = []
        for x, m in zip(inputs, mask):
            if m is None:
                parts.append(ops.ones_like(x, dtype="bool"))
            else:
                while len(m.shape) < len(x.shape):
                    m = ops.expand_dims(m, -1)
                parts.append(ops.logical_and(ops.ones_like(x, dtype="bool"), m))
        return ops.any(ops.concatenate(parts, axis=self.axis), axis=-1, keepdims=False)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


@export("keras.layers.Dot")
class Dot(Merge):
    """Dot product of two inputs along one axis of each, sample by sample.

    Args:
        axes: Axis of both, or a pair of axes.
        normalize: Scale to unit norm first, which gives the cosine similarity.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if the sizes along the axes differ, or an axis is the batch's.

    Example:
        >>> Dot(axes=1)([ops.ones((1, 3)), ops.ones((1, 3))])
        Tensor([[3.]], dtype=float32)
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(axes, int) and (
            not isinstance(axes, (list, tuple)) or len(axes) != 2 or not all(isinstance(a, int) for a in axes)
        ):
            raise ValueError(f"Dot: `axes` should be an int or two of them. Received: axes={axes!r}")
        self.axes, self.normalize = axes if isinstance(axes, int) else tuple(axes), normalize

    def build(self, input_shape: Any) -> None:
        self._lifted = False
        if not isinstance(input_shape, (list, tuple)) or len(input_shape) != 2:
            raise ValueError(f"Dot {self.name!r} takes exactly 2 inputs. Received shape {input_shape}")
        a, b = input_shape
        axes = self._axes(len(a), len(b))
        if 0 in axes:
            raise ValueError(
                f"Dot {self.name!r}: axis 0 is the batch's; `axes` starts at 1. Received: axes={self.axes}"
            )
        if None not in (a[axes[0]], b[axes[1]]) and a[axes[0]] != b[axes[1]]:
            raise ValueError(f"Dot {self.name!r}: sizes along axes {axes} differ: inputs of shapes {a} and {b}.")

    def _axes(self, rank_a: int, rank_b: int) -> tuple[int, int]:
        pair = (self.axes, self.axes) if isinstance(self.axes, int) else tuple(self.axes)
        return pair[0] % rank_a, pair[1] % rank_b

    def merge(self, inputs: Any) -> Any:
        a, b = inputs
        axis_a, axis_b = self._axes(len(a.shape), len(b.shape))
        if self.normalize:
            a, b = (x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=i, keepdims=True), 1e-12))
                    for x, i in ((a, axis_a), (b, axis_b)))  # fmt: skip
        flat = len(a.shape) == 2 and len(b.shape) == 2
        a = ops.expand_dims(a, 1) if len(a.shape) == 2 else ops.moveaxis(a, axis_a, -1)
        b = ops.expand_dims(b, 2) if len(b.shape) == 2 else ops.moveaxis(b, axis_b, 1)
        lead, trail = a.shape[1:-1], b.shape[2:]
        left = ops.reshape(a, (-1, _product(lead), a.shape[-1]))
        right = ops.reshape(b, (-1, b.shape[1], _product(trail)))
        out = ops.matmul(left, right)
        if flat:
            return ops.reshape(out, (-1, 1))
        kept = [*(lead if len(inputs[0].shape) > 2 else ()), *(trail if len(inputs[1].shape) > 2 else ())]
        return ops.reshape(out, (-1, *kept))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def _product(sizes: Any) -> int:
    n = 1
    for size in sizes:
        n *= -1 if size is None else size
    return n if n >= 0 else -1


def _function(cls: Any, name: str) -> Callable[..., Any]:
    def fn(inputs: Any, **kwargs: Any) -> Any:
        return cls(**kwargs)(inputs)

    fn.__name__ = fn.__qualname__ = name
    fn.__doc__ = f"The functional form of :class:`{cls.__name__}`."
    return fn


add, subtract, multiply, average, maximum, minimum = (
    _function(cls, cls.__name__.lower()) for cls in (Add, Subtract, Multiply, Average, Maximum, Minimum)
)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """The functional form of :class:`Concatenate`."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """The functional form of :class:`Dot`."""
    return Dot(axes=axes, **kwargs)(inputs)

"""What all functions of images share: the checks of their layout, symbolic calls, and a matrix along an axis."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Callable, TypeVar

from ...autograd.op import Op
from ...autograd.spec import Spec
from ...config import standardize_data_format
from ..shape import moveaxis
from ..symbolic import deferred, is_symbolic

F = TypeVar("F", bound=Callable[..., Any])


def symbolic(infer: Callable[..., Spec]) -> Callable[[F], F]:
    """Give a function a rule for symbolic tensors: ``infer`` takes its arguments and makes the result's Spec."""

    def decorate(fn: F) -> F:
        signature = inspect.signature(fn)

        @functools.wraps(fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            if not (is_symbolic(*args) or (kwargs and is_symbolic(*kwargs.values()))):
                return fn(*args, **kwargs)
            bound = signature.bind(*args, **kwargs)
            return deferred(call, bound.args, bound.kwargs, infer(*bound.args, **bound.kwargs))

        return call  # type: ignore[return-value]

    return decorate


def same(images: Any, *args: Any, **kwargs: Any) -> Spec:
    """The Spec of a result like the images."""
    check_rank(images)
    return Spec(images.shape, images.dtype)


def check_rank(images: Any, name: str = "images") -> None:
    """Raise ``ValueError`` unless it is an image or a batch of them."""
    if len(images.shape) not in (3, 4):
        raise ValueError(
            f"Argument {name!r} must be one image (rank 3) or a batch of images (rank 4); "
            f"received shape {tuple(images.shape)}."
        )


def axes_of(images: Any, data_format: str | None) -> tuple[int, int, int]:
    """The axes of height, width and channels, counted from the end, once the rank is checked."""
    check_rank(images)
    return (-3, -2, -1) if standardize_data_format(data_format) == "channels_last" else (-2, -1, -3)


def choice(name: str, value: Any, allowed: Any) -> None:
    """Raise ``ValueError`` unless the value is an allowed one."""
    if value not in allowed:
        raise ValueError(f"Argument {name!r} must be one of {sorted(allowed)}; received {value!r}.")


def channels_last(images: Any, data_format: str | None) -> tuple[Any, Callable[[Any], Any]]:
    """A batch of images with the channels last, and the way back to the layout that they came in."""
    channels = axes_of(images, data_format)[2]
    batched = len(images.shape) == 4
    images = moveaxis(images, channels, -1) if channels != -1 else images

    def back(y: Any) -> Any:
        y = y if batched else y[0]
        return moveaxis(y, -1, channels) if channels != -1 else y

    return (images if batched else images[None]), back


class Along(Op):
    """Product of a matrix w (m, n) with one axis of x, of size m; the axis then has size n.

    Where w is nearly all zero, ``taps`` lists the rest as pairs (row of each column, value of each column): a few
    pixels are sooner fetched than multiplied by zeros. The gradient is a product with the transposed matrix.
    """

    def infer(self, x: Spec, w: Spec, axis: int, taps: Any = None) -> Spec:
        shape = list(x.shape)
        shape[axis] = w.shape[1]
        return Spec(shape, x.dtype)

    def forward(self, k: Any, x: Any, w: Any, axis: int, taps: Any = None) -> tuple[Any, Any]:
        return _fetched(k, x, taps, axis) if taps else _along(k, x, w, axis), (x, w, axis)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        return _along_grad(k, *saved, g, needs)

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        from ... import ops

        return _along_grad(ops, *inputs, params["axis"], g, needs)


def _fetched(k: Any, x: Any, taps: Any, axis: int) -> Any:
    after = (1,) * (len(x.shape) - 1 - axis % len(x.shape))
    out = None
    for rows, values in taps:
        part = k.take(x, k.asarray(rows), axis=axis)
        part = part * k.asarray(values, dtype=x.dtype).reshape(-1, *after)
        out = part if out is None else out + part
    return out


def _blocks(k: Any, x: Any, axis: int) -> Any:
    """x as (before, axis, after)."""
    before, after = 1, 1
    for n in x.shape[:axis]:
        before *= n
    for n in x.shape[axis:][1:] if axis != -1 else ():
        after *= n
    return k.reshape(x, (before, x.shape[axis], after))


def _along(k: Any, x: Any, w: Any, axis: int) -> Any:
    x3, shape = _blocks(k, x, axis), list(x.shape)
    shape[axis] = w.shape[1]
    # The last axis is one product of a tall matrix; any other one is a product for each block before it.
    y = k.matmul(x3[:, :, 0], w) if x3.shape[2] == 1 else k.matmul(k.swapaxes(w, 0, 1), x3)
    return k.reshape(y, tuple(shape))


def _along_grad(k: Any, x: Any, w: Any, axis: int, g: Any, needs: Any) -> tuple[Any, Any]:
    gx = gw = None
    if needs[0] is not False:
        gx = _along(k, g, k.swapaxes(w, 0, 1), axis)
    if needs[1] is not False:
        x3, g3 = _blocks(k, x, axis), _blocks(k, g, axis)
        gw = k.sum(k.matmul(x3, k.swapaxes(g3, 1, 2)), axis=0)
    return gx, gw


along = Along()

__all__ = ["Along", "along", "axes_of", "channels_last", "check_rank", "choice", "same", "symbolic"]

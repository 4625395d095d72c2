"""Elements around a tensor."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..autograd.op import Basic, to_tensor
from ..autograd.spec import Spec
from .index import take
from .symbolic import deferred


def _pad_infer(x: Spec, pad_width: Any, constant_values: Any = 0) -> Spec:
    return Spec([None if n is None else n + a + b for n, (a, b) in zip(x.shape, pad_width)], x.dtype)


def _pad_vjp(k: Any, g: Any, y: Any, x: Any, pad_width: Any, constant_values: Any = 0) -> Any:
    return g[tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, pad_width))]


_pad = Basic("pad", _pad_infer, _pad_vjp, lambda k, x, pad_width, constant_values=0: k.pad(
    x, pad_width, constant_values=constant_values))  # fmt: skip


def _copying_pad(x: Any, pad_width: Any, mode: str) -> Any:
    return pad(x, pad_width, mode)


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """``x`` with more elements around it.

    Args:
        x: Tensor.
        pad_width: Amount on each side: an int, a pair, or a pair an axis.
        mode: ``"constant"``, or a mode of ``numpy.pad`` that copies elements: ``"edge"``, ``"reflect"``,
            ``"symmetric"``, ``"wrap"``.
        constant_values: The value of ``"constant"``, 0 by default.

    Raises:
        ValueError: for another mode.

    Example:
        >>> pad([1, 2], 1)
        Tensor([0, 1, 2, 0], dtype=int32)
    """
    x = x if isinstance(x, Spec) else to_tensor(x)
    widths = pad_width if isinstance(pad_width, (tuple, list)) else (pad_width,)
    if not isinstance(widths[0], (tuple, list)):
        widths = [tuple(widths) if len(widths) == 2 else tuple(widths) * 2] * len(x.shape)
    widths = tuple(tuple(operator.index(n) for n in pair) for pair in widths)
    widths = widths * len(x.shape) if len(widths) == 1 else widths
    if mode == "constant":
        return _pad(x, pad_width=widths, constant_values=0 if constant_values is None else constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise ValueError(f"pad: unknown mode {mode!r}. Use 'constant', 'edge', 'reflect', 'symmetric' or 'wrap'.")
    if any(n is None and any(pair) for n, pair in zip(x.shape, widths)):
        sizes = [None if n is None else n + sum(pair) for n, pair in zip(x.shape, widths)]
        return deferred(_copying_pad, (x, widths, mode), {}, Spec(sizes, x.dtype))
    for axis, pair in enumerate(widths):
        if any(pair):
            x = take(x, np.pad(np.arange(x.shape[axis]), pair, mode=mode), axis=axis)  # type: ignore[call-overload]
    return x


__all__ = ["pad"]

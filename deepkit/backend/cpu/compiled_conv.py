"""Convolution and pooling by the compiled kernels; see :mod:`.compiled`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Iterator, NamedTuple

import numpy as np
from numpy import ndarray

from .conv import channel_sums
from .conv import conv as numpy_conv
from .conv import conv_grad as numpy_conv_grad
from .elementwise import activate, activate_grad
from .memory import empty_reused
from .native import fits, state, target
from .pool import avg_pool as numpy_avg_pool
from .pool import avg_pool_grad as numpy_avg_pool_grad
from .pool import max_pool as numpy_max_pool
from .pool import max_pool_grad as numpy_max_pool_grad
from .window import Pairs, Sizes, window_shape

__all__ = ["avg_pool", "avg_pool_grad", "conv", "conv_grad", "max_pool", "max_pool_grad"]


class _Plan(NamedTuple):
    """A convolution as the compiled kernels take it: (n, h, w, c_in, kh, kw, c_out, oh, ow, strides, dilations, padding
    before) with two spatial dimensions, and its gradient as such convolutions, each with the places of its results
    (size, first, step) and its taps; ``None`` where there are none."""

    shape: Sizes
    forward: Sizes
    phases: tuple[tuple[Sizes, Any, Sizes], ...] | None


@lru_cache(maxsize=1024)
def _conv_plan(x: Sizes, w: Sizes, strides: Sizes, padding: Pairs, dilation: Sizes) -> _Plan | None:
    """What the kernels need to know; ``None`` where there is none: volumes, windows larger than the input."""
    rank = len(x) - 2
    if rank > 2 or x[-1] % w[-2]:
        return None
    out = window_shape(x[1:-1], w[:-2], strides, padding, dilation)
    if min(out) < 1:
        return None
    one = (1,) * (2 - rank)
    size, kernel, result = one + x[1:-1], one + w[:-2], one + out
    steps, apart = one + strides, one + dilation
    lo = (0,) * (2 - rank) + tuple(p for p, _ in padding)
    groups = x[-1] // w[-2]
    inputs, outputs = w[-2], w[-1] // groups
    forward = (x[0], *size, inputs, *kernel, outputs, *result, *steps, *apart, *lo)
    along = [_phases(*each) for each in zip(size, kernel, steps, apart, lo)]
    phases = None
    if all(each is not None for each in along):
        phases = tuple(
            (
                (*size, a[0], b[0], *steps),
                (a[1], b[1]),
                (x[0], *result, outputs, a[2], b[2], inputs, a[3], b[3], 1, 1, *apart, a[4], b[4]),
            )
            for a in along[0]  # type: ignore[union-attr]
            for b in along[1]  # type: ignore[union-attr]
        )
    return _Plan((x[0], *out, w[-1]), forward, phases)


def _phases(n: int, k: int, s: int, d: int, lo: int) -> list[tuple[int, slice, int, int, int]] | None:
    """The gradient of the input along one dimension as convolutions of stride 1, one for each remainder by the stride.

    x[i] meets y[j] at tap t where i + lo = j s + t d. Elements i = p + s m meet every s-th tap, so with those taps, the
    last one first, they are a convolution over gy.

    Returns:
        ``(p, taps, number of taps, elements, zeros before)`` each; ``None`` if there is no such convolution.
    """
    if s > 1 and d > 1:
        return None
    out = []
    for p in range(min(s, n)):
        first = (p + lo) % s if d == 1 else 0
        taps = len(range(first, k, s)) if d == 1 else k
        before = (taps - 1) * d - (p + lo - first) // s
        if taps and before < 0:
            return None
        last = first + (taps - 1) * s
        turned = slice(last, first - s if first >= s else None, -s) if taps else slice(0, 0)
        out.append((p, turned, taps, len(range(p, n, s)), before))
    return out


def _parts(plan: _Plan, groups: int, *arrays: ndarray) -> Iterator[tuple[ndarray, ...]]:
    """The arrays' channels of each group, contiguous: x, w and what has the result's channels."""
    if groups == 1:
        yield arrays
        return
    inputs, outputs = plan.forward[3], plan.forward[6]
    for g in range(groups):
        ins, outs = slice(g * inputs, (g + 1) * inputs), slice(g * outputs, (g + 1) * outputs)
        yield tuple(np.ascontiguousarray(a[..., ins if i == 0 else outs]) for i, a in enumerate(arrays))


def conv(
    x: ndarray, w: ndarray, b: ndarray | None, strides: Sizes, padding: Pairs, dilation: Sizes, groups: int,
    act: str | None,
) -> ndarray:  # fmt: skip
    native = state.module
    plan = None
    if native is not None and fits(x, w, b):
        plan = _conv_plan(x.shape, w.shape, tuple(strides), tuple(padding), tuple(dilation))
    if plan is None:
        return numpy_conv(x, w, b, strides, padding, dilation, groups, act)
    y = empty_reused(plan.shape, x.dtype)
    if groups == 1:
        native.conv(plan.forward, x, w, b, act == "relu", y, None)
        return y if act in (None, "relu") else activate(y, act)
    if w.shape[-2] == 1:
        native.depthwise(plan.forward, x, w, y)
    else:
        outputs = plan.forward[6]
        for g, (part, kernel) in enumerate(_parts(plan, groups, x, w)):
            piece = empty_reused((*plan.shape[:-1], outputs), x.dtype)
            native.conv(plan.forward, part, kernel, None, False, piece, None)
            y[..., g * outputs : (g + 1) * outputs] = piece
    if b is not None:
        y += b
    return activate(y, act)


def conv_grad(
    x: ndarray, w: ndarray, y: ndarray | None, gy: ndarray, strides: Sizes, padding: Pairs, dilation: Sizes,
    groups: int, act: str | None, needs: Any,
) -> Any:  # fmt: skip
    native = state.module
    plan = None
    if native is not None and fits(x, w, gy):
        plan = _conv_plan(x.shape, w.shape, tuple(strides), tuple(padding), tuple(dilation))
    depthwise = groups > 1 and w.shape[-2] == 1
    if plan is None or (plan.phases is None and not depthwise):
        return numpy_conv_grad(x, w, y, gy, strides, padding, dilation, groups, act, needs)
    need_x, need_w, need_b = needs
    gx = gw = gb = None
    if act == "relu" and fits(y):
        g = empty_reused(gy.shape, gy.dtype)
        gb = target(need_b, w.shape[-1:], w.dtype)
        native.relu_grad(gy, y, g, np.empty(w.shape[-1], w.dtype) if gb is None else gb)
    else:
        g = np.ascontiguousarray(activate_grad(gy, y, act))  # type: ignore[arg-type]
        if need_b is not False:
            gb = target(need_b, w.shape[-1:], w.dtype)
            gb[...] = 0
            channel_sums(g, gb)
    if need_w is not False:
        gw = target(need_w, w.shape, w.dtype)
    if need_x is not False:
        gx = target(need_x, x.shape, x.dtype)
    if depthwise:
        native.depthwise_grad(plan.forward, x, w, g, gx, gw)
        return gx, gw, gb
    inputs, outputs = plan.forward[3], plan.forward[6]
    for i, (part, kernel, gradient) in enumerate(_parts(plan, groups, x, w, g)):
        if gw is not None:
            share = gw if groups == 1 else np.empty(kernel.shape, w.dtype)
            native.conv_kernel_grad(plan.forward, part, gradient, share)
            if groups > 1:
                gw[..., i * outputs : (i + 1) * outputs] = share
        if gx is not None:
            share = gx if groups == 1 else empty_reused((*x.shape[:-1], inputs), x.dtype)
            _input_gradient(plan, kernel, gradient, share)
            if groups > 1:
                gx[..., i * inputs : (i + 1) * inputs] = share
    return gx, gw, gb


def _input_gradient(plan: _Plan, w: ndarray, g: ndarray, gx: ndarray) -> None:
    """The gradient of an ungrouped convolution's input into ``gx``."""
    native = state.module
    assert plan.phases is not None
    one = 4 - gx.ndim  # dimensions that only the kernels see
    if not all(shape[4] and shape[5] for _, _, shape in plan.phases):  # elements that no window meets
        gx[...] = 0
    for place, taps, shape in plan.phases:
        if shape[4] and shape[5]:
            turned = np.ascontiguousarray(w[taps[one:]].swapaxes(-1, -2))
            native.conv(shape, g, turned, None, False, gx, place)


# -- pooling -----------------------------------------------------------------------------------------------------------


def _pool_plan(x: ndarray, pool: Sizes, strides: Sizes, padding: Pairs) -> tuple[Sizes, tuple[int, ...]]:
    rank = x.ndim - 2
    out = window_shape(x.shape[1:-1], pool, strides, padding, (1,) * rank)
    one, none = (1,) * (2 - rank), (0,) * (2 - rank)
    plan = (
        x.shape[0],
        *one,
        *x.shape[1:],
        *one,
        *pool,
        *one,
        *out,
        *one,
        *strides,
        *none,
        *(p for p, _ in padding),
    )
    return (x.shape[0], *out, x.shape[-1]), plan


def max_pool(x: ndarray, pool: Sizes, strides: Sizes, padding: Pairs) -> ndarray:
    native = state.module
    if native is None or x.ndim > 4 or not fits(x):
        return numpy_max_pool(x, pool, strides, padding)
    shape, plan = _pool_plan(x, pool, strides, padding)
    y = empty_reused(shape, x.dtype)
    native.max_pool(plan, x, y)
    return y


def max_pool_grad(
    x: ndarray, y: ndarray, gy: ndarray, pool: Sizes, strides: Sizes, padding: Pairs, need: Any = True
) -> ndarray:
    native = state.module
    if native is None or x.ndim > 4 or not fits(x, y, gy):
        return numpy_max_pool_grad(x, y, gy, pool, strides, padding, need)
    gx = target(need, x.shape, x.dtype)
    native.max_pool_grad(_pool_plan(x, pool, strides, padding)[1], x, y, gy, gx)
    return gx


def avg_pool(x: ndarray, pool: Sizes, strides: Sizes, padding: Pairs) -> ndarray:
    native = state.module
    if native is None or x.ndim > 4 or not fits(x):
        return numpy_avg_pool(x, pool, strides, padding)
    shape, plan = _pool_plan(x, pool, strides, padding)
    y = empty_reused(shape, x.dtype)
    native.avg_pool(plan, x, y)
    return y


def avg_pool_grad(
    gy: ndarray, spatial: Sizes, pool: Sizes, strides: Sizes, padding: Pairs, need: Any = True
) -> ndarray:
    native = state.module
    if native is None or gy.ndim > 4 or not fits(gy):
        return numpy_avg_pool_grad(gy, spatial, pool, strides, padding, need)
    gx = target(need, (gy.shape[0], *spatial, gy.shape[-1]), gy.dtype)
    native.avg_pool_grad(_pool_plan(gx, pool, strides, padding)[1], gy, gx)
    return gx

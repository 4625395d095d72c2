"""Recurrent networks through time in NumPy: simple, LSTM and GRU, forward and back.

The input's share of all steps comes in as one array ``z`` (batch, steps, gates · units), made by one matrix product
before; what is left for each step is the product of the state with the recurrent kernel and the gates. Everything that
the way back needs is kept by step, (steps, batch, ...), so that one step's arrays are contiguous and stay in cache.

A step ``s`` reads input ``s``, or ``steps - 1 - s`` when ``reverse``; its output goes to place ``s``. Where ``valid``
(batch, steps) is false the state stays as it was. ``drop`` (gates, batch, units) multiplies the state on its way into
each gate's product.
"""

from __future__ import annotations

from typing import Any, Iterator

import numpy as np
from numpy import ndarray

from .elementwise import activate, activate_grad
from .memory import empty_reused
from .native import fits
from .native import state as compiled

__all__ = ["gru", "gru_grad", "lstm", "lstm_grad", "simple_rnn", "simple_rnn_grad"]


class _Gates:
    """The activations of the gates that lie side by side in (batch, gates · units).

    Sigmoid and tanh are one function up to scales, sigmoid(x) = tanh(x / 2) / 2 + 1/2, so a row of scales does all
    gates in whole-row operations; the derivatives a (1 - a) and (1 + a)(1 - a) differ in one term.
    """

    def __init__(self, names: tuple[str | None, ...], units: int, dtype: Any):
        self.names, self.units = names, units
        self.plain = set(names) <= {"sigmoid", "tanh"}
        sigmoid = np.repeat([name == "sigmoid" for name in names], units)
        self.scale = np.where(sigmoid, 0.5, 1).astype(dtype)
        self.shift = np.where(sigmoid, 0.5, 0).astype(dtype)
        self.other = np.where(sigmoid, 0, 1).astype(dtype)

    def _blocks(self, *arrays: ndarray) -> Iterator[tuple[Any, ...]]:
        for i, name in enumerate(self.names):
            yield name, *(a[:, i * self.units : (i + 1) * self.units] for a in arrays)

    def apply(self, a: ndarray) -> None:
        """Put the activations of ``a`` in its place."""
        if self.plain:
            a *= self.scale
            np.tanh(a, out=a)
            a *= self.scale
            a += self.shift
            return
        for name, block in self._blocks(a):
            block[...] = activate(block, name)

    def grad(self, d: ndarray, a: ndarray, scratch: ndarray) -> None:
        """Turn ``d``, the gradient behind the activations ``a``, into that before them."""
        if self.plain:
            np.subtract(1, a, out=scratch)
            d *= scratch
            np.add(a, self.other, out=scratch)
            d *= scratch
            return
        for name, g, block in self._blocks(d, a):
            g[...] = activate_grad(g, block, name)


def _order(steps: int, reverse: bool) -> list[int]:
    return list(range(steps - 1, -1, -1) if reverse else range(steps))


def _start(state: ndarray | None, z: ndarray, units: int) -> ndarray:
    return np.zeros((z.shape[0], units), z.dtype) if state is None else state


def _product(h: ndarray, u: ndarray, drop: ndarray | None, out: ndarray) -> None:
    """h @ u into ``out``, the state masked for each gate."""
    if drop is None:
        np.matmul(h, u, out=out)
        return
    n = h.shape[-1]
    for k, mask in enumerate(drop[: u.shape[-1] // n]):
        out[:, k * n : (k + 1) * n] = (h * mask) @ u[:, k * n : (k + 1) * n]


def _product_grad(d: ndarray, u: ndarray, drop: ndarray | None) -> ndarray:
    """Gradient of :func:`_product` for h."""
    if drop is None:
        return d @ u.T
    n = u.shape[0]
    return sum(
        (d[:, k * n : (k + 1) * n] @ u[:, k * n : (k + 1) * n].T) * mask
        for k, mask in enumerate(drop[: u.shape[1] // n])
    )  # type: ignore[return-value]


def _kernel_grad(previous: ndarray, d: ndarray, drop: ndarray | None, out: Any) -> ndarray:
    """Gradient of :func:`_product` for u, over all steps at once; previous (batch, steps, units), d (..., gates)."""
    n = previous.shape[-1]
    out = out if isinstance(out, ndarray) else np.empty((n, d.shape[-1]), d.dtype)
    flat = d.reshape(-1, d.shape[-1])
    if drop is None:
        if compiled.module is not None and fits(previous, flat, out):
            compiled.module.gemm(previous.reshape(-1, n), True, flat, False, None, False, False, out)
            return out
        return np.matmul(previous.reshape(-1, n).T, flat, out=out)
    for k, mask in enumerate(drop[: d.shape[-1] // n]):
        block = slice(k * n, (k + 1) * n)
        out[:, block] = (previous * mask[:, None]).reshape(-1, n).T @ flat[:, block]
    return out


def _previous(hs: ndarray, h0: ndarray, reverse: bool) -> ndarray:
    """The state before the step that read each input, in the order of the inputs."""
    out = np.empty(hs.shape, hs.dtype)
    steps = hs.shape[1]
    order = _order(steps, reverse)
    if steps:
        out[:, order[0]] = h0
        if reverse:
            out[:, :-1] = hs[:, : steps - 1][:, ::-1]
        else:
            out[:, 1:] = hs[:, :-1]
    return out


def _hold(new: ndarray, old: ndarray, valid: ndarray | None, t: int) -> ndarray:
    return new if valid is None else np.where(valid[:, t, None], new, old)


def _split(g: ndarray, valid: ndarray | None, t: int) -> tuple[ndarray, ndarray | None]:
    """The parts of a state's gradient that go into the step and past it."""
    if valid is None:
        return g, None
    past = np.where(valid[:, t, None], 0, g).astype(g.dtype, copy=False)
    return g - past, past


def _gradient_of_state(g_last: ndarray | None, like: ndarray) -> ndarray:
    return np.zeros(like.shape, like.dtype) if g_last is None else g_last.copy()


# -- simple ------------------------------------------------------------------------------------------------------------


def simple_rnn(
    z: ndarray,
    u: ndarray,
    h0: ndarray | None,
    valid: ndarray | None,
    drop: ndarray | None,
    act: str | None,
    reverse: bool,
) -> tuple[ndarray, ndarray, Any]:
    """h_s = act(z_s + h_{s-1} @ u).

    Returns:
        The states (batch, steps, units), the last one, and what the gradient needs.
    """
    batch, steps, n = z.shape
    h = h0 = _start(h0, z, n)
    hs = empty_reused((batch, steps, n), z.dtype)
    ys = hs if valid is None else empty_reused((batch, steps, n), z.dtype)
    for s, t in enumerate(_order(steps, reverse)):
        y = np.empty((batch, n), z.dtype)
        _product(h, u, drop, y)
        y += z[:, t]
        y = activate(y, act)
        ys[:, s] = y
        h = _hold(y, h, valid, t)
        hs[:, s] = h
    return hs, h, (z.shape, u, h0, valid, drop, act, reverse, hs, ys)


def simple_rnn_grad(
    saved: Any, g_hs: ndarray | None, g_h: ndarray | None, needs: Any
) -> tuple[Any, Any, Any]:
    """Gradients of :func:`simple_rnn` for z, u and h0."""
    shape, u, h0, valid, drop, act, reverse, hs, ys = saved
    dz = empty_reused(shape, hs.dtype)
    dh = _gradient_of_state(g_h, h0)
    for s, t in reversed(list(enumerate(_order(shape[1], reverse)))):
        if g_hs is not None:
            dh = dh + g_hs[:, s]
        inner, past = _split(dh, valid, t)
        d = activate_grad(inner, ys[:, s], act)
        dz[:, t] = d
        dh = _product_grad(d, u, drop)
        if past is not None:
            dh += past
    du = _kernel_grad(_previous(hs, h0, reverse), dz, drop, needs[1]) if needs[1] is not False else None
    return dz, du, dh


def _whole(rule: _Gates, act: str | None, valid: Any, drop: Any, *arrays: ndarray | None) -> Any:
    """The compiled module if it runs the whole sequence: sigmoid and tanh, no mask, no dropout, float32."""
    usual = act == "tanh" and set(rule.names) <= {"sigmoid", "tanh"} and rule.names[0] == "sigmoid"
    return compiled.module if usual and valid is None and drop is None and fits(*arrays) else None


# -- LSTM --------------------------------------------------------------------------------------------------------------


def lstm(
    z: ndarray,
    u: ndarray,
    h0: ndarray | None,
    c0: ndarray | None,
    valid: ndarray | None,
    drop: ndarray | None,
    act: str | None,
    recurrent_act: str | None,
    reverse: bool,
) -> tuple[ndarray, ndarray, ndarray, Any]:
    """i, f, g, o = gates(z_s + h_{s-1} @ u);  c_s = f c_{s-1} + i g;  h_s = o act(c_s)  (Hochreiter & Schmidhuber).

    Returns:
        The states h (batch, steps, units), the last h and c, and what the gradient needs.
    """
    batch, steps, width = z.shape
    n = width // 4
    rule = _Gates((recurrent_act, recurrent_act, act, recurrent_act), n, z.dtype)
    h, c = h0, c0 = _start(h0, z, n), _start(c0, z, n)
    hs = empty_reused((batch, steps, n), z.dtype)
    gates = empty_reused((steps, batch, width), z.dtype)
    cells = empty_reused((steps + 1, batch, n), z.dtype)
    squashed = empty_reused((steps, batch, n), z.dtype)
    cells[0] = c0
    product = np.empty((batch, n), z.dtype)
    native = _whole(rule, act, valid, drop, z, u, h0, c0)
    if native is not None:
        native.lstm((batch, steps, n, reverse), z, u, h0, hs, gates, cells, squashed)
    for s, t in enumerate(_order(steps, reverse) if native is None else ()):
        a, c, new, y = gates[s], cells[s], cells[s + 1], squashed[s]
        _product(h, u, drop, a)
        a += z[:, t]
        rule.apply(a)
        np.multiply(a[:, n : 2 * n], c, out=new)
        new += np.multiply(a[:, :n], a[:, 2 * n : 3 * n], out=product)
        if act == "tanh":
            np.tanh(new, out=y)
        else:
            y[...] = new
            y[...] = activate(y, act)
        out = hs[:, s]
        np.multiply(a[:, 3 * n :], y, out=out)
        if valid is not None:
            out[...] = _hold(out, h, valid, t)
            new[...] = _hold(new, c, valid, t)
        h = out
    last = hs[:, -1].copy() if steps else h0
    return hs, last, cells[-1].copy(), (u, h0, valid, drop, act, rule, reverse, hs, gates, cells, squashed)


def lstm_grad(
    saved: Any, g_hs: ndarray | None, g_h: ndarray | None, g_c: ndarray | None, needs: Any
) -> tuple[Any, Any, Any, Any]:
    """Gradients of :func:`lstm` for z, u, h0 and c0."""
    u, h0, valid, drop, act, rule, reverse, hs, gates, cells, squashed = saved
    steps, batch, width = gates.shape
    n = width // 4
    dz = empty_reused((batch, steps, width), gates.dtype)
    dh, dc = _gradient_of_state(g_h, h0), _gradient_of_state(g_c, h0)
    d, scratch = np.empty((2, batch, width), gates.dtype)
    small = np.empty((batch, n), gates.dtype)
    turned = u if drop is not None else np.ascontiguousarray(u.T)
    native = _whole(rule, act, valid, drop, gates, turned, dh, dc)
    if native is not None:
        g_hs = None if g_hs is None else np.ascontiguousarray(g_hs, gates.dtype)
        native.lstm_grad((batch, steps, n, reverse), turned, gates, cells, squashed, g_hs, dh, dc, dz)
    for s, t in reversed(list(enumerate(_order(steps, reverse))) if native is None else []):
        if g_hs is not None:
            dh += g_hs[:, s]
        dh, past_h = _split(dh, valid, t)
        dc, past_c = _split(dc, valid, t)
        a, y = gates[s], squashed[s]
        np.multiply(dh, y, out=d[:, 3 * n :])
        np.multiply(dh, a[:, 3 * n :], out=dh)
        if act == "tanh":
            np.multiply(y, y, out=small)
            np.subtract(1, small, out=small)
            dh *= small
        else:
            dh = activate_grad(dh, y, act)
        dc += dh
        np.multiply(dc, a[:, 2 * n : 3 * n], out=d[:, :n])
        np.multiply(dc, cells[s], out=d[:, n : 2 * n])
        np.multiply(dc, a[:, :n], out=d[:, 2 * n : 3 * n])
        dc *= a[:, n : 2 * n]
        rule.grad(d, a, scratch)
        dz[:, t] = d
        dh = d @ turned if drop is None else _product_grad(d, u, drop)
        if past_h is not None:
            dh += past_h
            dc += past_c
    du = _kernel_grad(_previous(hs, h0, reverse), dz, drop, needs[1]) if needs[1] is not False else None
    return dz, du, dh, dc


# -- GRU ---------------------------------------------------------------------------------------------------------------


def gru(
    z: ndarray,
    u: ndarray,
    b: ndarray | None,
    h0: ndarray | None,
    valid: ndarray | None,
    drop: ndarray | None,
    act: str | None,
    recurrent_act: str | None,
    reset_after: bool,
    reverse: bool,
) -> tuple[ndarray, ndarray, Any]:
    """Update gate p, reset gate r, candidate q:  h_s = p h_{s-1} + (1 - p) q  (Cho et al. 2014).

    With ``reset_after`` q = act(z_q + r (h u_q + b_q)) (Chung et al. 2014, as in cuDNN), else q = act(z_q + (r h) u_q).

    Returns:
        The states (batch, steps, units), the last one, and what the gradient needs.
    """
    batch, steps, width = z.shape
    n = width // 3
    rule = _Gates((recurrent_act, recurrent_act), n, z.dtype)
    h = h0 = _start(h0, z, n)
    hs = empty_reused((batch, steps, n), z.dtype)
    gates = empty_reused((steps, batch, 2 * n), z.dtype)
    candidates = empty_reused((steps, batch, n), z.dtype)
    inners = empty_reused((steps, batch, n), z.dtype)  # what r multiplies: h u_q + b_q, or h
    inner = np.empty((batch, width if reset_after else 2 * n), z.dtype)
    native = _whole(rule, act, valid, drop, z, u, b, h0) if reset_after else None
    if native is not None:
        native.gru((batch, steps, n, reverse), z, u, b, h0, hs, gates, candidates, inners)
        h = hs[:, -1].copy()
    for s, t in enumerate(_order(steps, reverse) if native is None else ()):
        a, q, kept, zt = gates[s], candidates[s], inners[s], z[:, t]
        _product(h, u if reset_after else u[:, : 2 * n], drop, inner)
        if b is not None:
            inner += b
        np.add(inner[:, : 2 * n], zt[:, : 2 * n], out=a)
        rule.apply(a)
        r = a[:, n:]
        if reset_after:
            kept[...] = inner[:, 2 * n :]
            np.multiply(r, kept, out=q)
        else:
            kept[...] = h if drop is None else h * drop[2]
            np.matmul(r * kept, u[:, 2 * n :], out=q)
        q += zt[:, 2 * n :]
        q[...] = activate(q, act)
        new = h - q
        new *= a[:, :n]
        new += q
        hs[:, s] = h = _hold(new, h, valid, t)
    return (
        hs,
        h,
        (z.shape, u, b, h0, valid, drop, act, rule, reset_after, reverse, hs, gates, candidates, inners),
    )


def gru_grad(saved: Any, g_hs: ndarray | None, g_h: ndarray | None, needs: Any) -> tuple[Any, Any, Any, Any]:
    """Gradients of :func:`gru` for z, u, b and h0."""
    shape, u, b, h0, valid, drop, act, rule, reset_after, reverse, hs, gates, candidates, inners = saved
    batch, steps, width = shape
    n = width // 3
    dz = empty_reused(shape, hs.dtype)
    # The gradient of what the state's product gave: that of z but for the candidate's part, which passes r.
    d_inner = empty_reused(shape, hs.dtype) if reset_after else None
    dh = _gradient_of_state(g_h, h0)
    d, scratch = np.empty((2, batch, 2 * n), hs.dtype)
    resets = np.empty((batch, steps, n), hs.dtype)  # r h, which the candidate's kernel saw
    native = _whole(rule, act, valid, drop, hs, h0, dh) if reset_after else None
    if native is not None:
        g_hs = None if g_hs is None else np.ascontiguousarray(g_hs, hs.dtype)
        native.gru_grad(
            (batch, steps, n, reverse), np.ascontiguousarray(u.T), h0, hs, gates, candidates, inners, g_hs, dh, dz,
            d_inner,
        )  # fmt: skip
    for s, t in reversed(list(enumerate(_order(steps, reverse))) if native is None else []):
        if g_hs is not None:
            dh += g_hs[:, s]
        before = hs[:, s - 1] if s else h0
        dh, past = _split(dh, valid, t)
        a, q, kept = gates[s], candidates[s], inners[s]
        p, r = a[:, :n], a[:, n:]
        np.multiply(dh, before - q, out=d[:, :n])
        dq = dh - dh * p
        dq = activate_grad(dq, q, act)
        dz[:, t, 2 * n :] = dq
        dh = dh * p
        if d_inner is not None:
            np.multiply(dq, kept, out=d[:, n:])
            rule.grad(d, a, scratch)
            d_inner[:, t, : 2 * n] = d
            np.multiply(dq, r, out=d_inner[:, t, 2 * n :])
            dh += _product_grad(d_inner[:, t], u, drop)
        else:
            d_reset = dq @ u[:, 2 * n :].T
            np.multiply(d_reset, kept, out=d[:, n:])
            rule.grad(d, a, scratch)
            d_reset *= r
            dh += d_reset if drop is None else d_reset * drop[2]
            dh += _product_grad(d, u[:, : 2 * n], drop)
            resets[:, t] = r * kept
        dz[:, t, : 2 * n] = d
        if past is not None:
            dh += past
    du = db = None
    if needs[1] is not False:
        previous = _previous(hs, h0, reverse)
        if d_inner is not None:
            du = _kernel_grad(previous, d_inner, drop, needs[1])
        else:
            du = needs[1] if isinstance(needs[1], ndarray) else np.empty(u.shape, u.dtype)
            du[:, : 2 * n] = _kernel_grad(previous, np.ascontiguousarray(dz[..., : 2 * n]), drop, None)
            du[:, 2 * n :] = _kernel_grad(resets, np.ascontiguousarray(dz[..., 2 * n :]), None, None)
    if b is not None and needs[2] is not False:
        source = dz[..., : 2 * n] if d_inner is None else d_inner
        db = np.add.reduce(source.reshape(-1, source.shape[-1]), axis=0)
        if isinstance(needs[2], ndarray):
            needs[2][...] = db
            db = needs[2]
    return dz, du, db, dh

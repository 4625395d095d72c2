"""Recurrent networks through time on the device: a product and one kernel a step, or one launch for small networks.

What is kept for the way back is by step, (steps, batch, ...), the states with the first one in front: one step's
arrays are contiguous, the product over all steps that gives the recurrent kernel's gradient reads them as they are, and
what goes out, (batch, steps, ...), the kernels write besides. The loop depends on shapes alone, so that a CUDA graph
can hold it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cupy
import numpy as np
from cupy import ndarray

from .derived import derived
from .linear import column_sum, matmul
from .loader import function, is_float, launch_columns, numbers, sum_type

__all__ = ["gru", "gru_grad", "lstm", "lstm_grad", "simple_rnn", "simple_rnn_grad"]

#: The activations that the kernels know by number.
ACTIVATIONS = {None: 0, "relu": 1, "sigmoid": 2, "tanh": 3, "elu": 4, "exponential": 5, "hard_sigmoid": 6}

#: Units and sequences up to which all steps are one launch, if activations are the usual ones and there is no recurrent
#: dropout: the recurrent kernel stays in registers, and a step waits for no launch. More units don't fit there; with
#: more sequences a step's product has work for a whole GPU. Neither has been measured on one.
WHOLE, SEQUENCES = 64, 512


@dataclass
class Network:
    """A network over one batch of sequences: its sizes, and what the way back needs.

    Attributes:
        gates: How many.
        u: The recurrent kernel (n, gates · n).
        masks: The recurrent dropout's (gates, batch, n).
        valid: The steps that count (batch, steps).
        h: The states (steps + 1, batch, n), from the first on.
        kept: What kernels left by step.
    """

    batch: int
    steps: int
    n: int
    gates: int
    u: ndarray
    masks: ndarray | None
    valid: ndarray | None
    acts: tuple[str | None, str | None]
    reverse: bool
    h: ndarray
    kept: tuple[Any, ...] = ()

    def order(self) -> list[tuple[int, int]]:
        """Steps and the places in the input that they read."""
        return [(s, self.steps - 1 - s if self.reverse else s) for s in range(self.steps)]

    @property
    def usual(self) -> bool:
        """Whether the activations are those of Keras's networks by default."""
        return self.acts[0] == "tanh" and (self.gates == 1 or self.acts[1] == "sigmoid")

    @property
    def whole(self) -> bool:
        """Whether all steps are one launch."""
        fits = self.n <= WHOLE and self.batch <= SEQUENCES and self.h.dtype != np.float64
        return fits and self.usual and self.masks is None

    def launch_whole(self, name: str, *args: Any) -> None:
        """Run a kernel of ``recurrent_whole.cu``."""
        units = 32 if self.n <= 32 else 64
        function("recurrent_whole", f"{name}_{units}", self.h.dtype)(
            (min(self.batch, 65535),), (self.gates * units,),
            numbers((self.batch, self.steps, self.n, bool(self.reverse), self.u, *args)),
        )  # fmt: skip

    def launch(self, name: str, s: int, t: int, gates: int, *args: Any) -> None:
        """Run a kernel of ``recurrent.cu`` for step ``s``, with ``gates`` gates in one product."""
        kind = "_any" if not self.usual and name.removesuffix("_grad") in ("lstm", "gru") else ""
        kernel = function("recurrent", name + kind, self.h.dtype)
        gate, row = (self.n, gates * self.n) if self.masks is None else (self.batch * self.n, self.n)
        launch_columns(
            kernel, self.n, min(-(-self.batch // 8), 65535), self.batch, self.steps, self.n, t, s, gate, row,
            *(ACTIVATIONS[act] for act in self.acts), *args,
        )  # fmt: skip

    def empty(self, *shape: int) -> ndarray:
        """A new array of the network's dtype."""
        return cupy.empty(shape, self.h.dtype)

    def product_shape(self, gates: int) -> tuple[int, ...]:
        """The shape of a product with the kernel: by gate where each has a mask of its own."""
        return (self.batch, gates * self.n) if self.masks is None else (gates, self.batch, self.n)

    def kernel_of(self, gates: int, first: int = 0) -> ndarray:
        """The part of the recurrent kernel that makes ``gates`` gates, as :meth:`product` takes it."""
        u = self.u[:, first * self.n : (first + gates) * self.n]
        if self.masks is not None:
            u = u.reshape(self.n, gates, self.n).transpose(1, 0, 2)
        return cupy.ascontiguousarray(u)

    def product(self, h: ndarray, u: ndarray, out: ndarray) -> ndarray:
        """``h @ u``, the state masked for each gate."""
        return matmul(h if self.masks is None else self.masks[: len(u)] * h, u, out=out)

    def kernel_grad(self, d: ndarray, out: Any) -> ndarray:
        """The recurrent kernel's gradient from ``d`` (steps, *product_shape), over all steps at once."""
        before = self.h[:-1].reshape(-1, self.n)
        if self.masks is None:
            return matmul(before.T, d.reshape(len(before), -1), out=out if isinstance(out, ndarray) else None)
        gates = d.shape[1]
        out = out if isinstance(out, ndarray) else self.empty(self.n, gates * self.n)
        for k in range(gates):
            masked = (self.h[:-1] * self.masks[k]).reshape(-1, self.n)
            part = cupy.ascontiguousarray(d[:, k]).reshape(-1, self.n)
            out[:, k * self.n : (k + 1) * self.n] = matmul(masked.T, part)
        return out

    def first_state_grad(self, product: ndarray | None, past: ndarray | None) -> ndarray:
        """The gradient of the state before the first step: through its product, and past it."""
        total = product
        if product is not None and self.masks is not None:
            total = (product * self.masks[: len(product)]).sum(axis=0)
        if total is None:
            total = past
        elif past is not None:
            total = total + past
        return total.astype(self.h.dtype, copy=False)  # type: ignore[union-attr]


def _network(
    z: ndarray, gates: int, u: ndarray, h0: ndarray | None, valid: Any, drop: Any, act: Any, rec: Any, reverse: bool
) -> tuple[Network, ndarray, ndarray]:
    """The network, the input as kernels take it, and the place of the outputs."""
    batch, steps, width = z.shape
    n = width // gates
    h = cupy.empty((steps + 1, batch, n), z.dtype)
    h[0] = 0 if h0 is None else h0
    valid = None if valid is None else cupy.ascontiguousarray(valid, np.bool_)
    masks = None if drop is None else cupy.ascontiguousarray(drop, z.dtype)
    u = cupy.ascontiguousarray(u)
    net = Network(batch, steps, n, gates, u, masks, valid, (act, rec), reverse, h)
    return net, cupy.ascontiguousarray(z), cupy.empty((batch, steps, n), z.dtype)


def _fits(z: ndarray, acts: tuple[Any, ...], *others: ndarray | None) -> bool:
    """Whether the kernels can have it."""
    return bool(z.size) and is_float(z, *others) and all(act in ACTIVATIONS for act in acts)


def _to_sum(g: ndarray | None, net: Network) -> ndarray:
    """A state's gradient in what sums are kept in, to be written over."""
    out = cupy.empty((net.batch, net.n), sum_type(net.h.dtype))
    out[...] = 0 if g is None else g
    return out


def _contiguous(g: ndarray | None, net: Network) -> ndarray | None:
    return None if g is None else cupy.ascontiguousarray(g, net.h.dtype)


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
    if not _fits(z, (act,), u, h0, drop):
        return derived("recurrent").simple_rnn(z, u, h0, valid, drop, act, reverse)
    net, z, hs = _network(z, 1, u, h0, valid, drop, act, act, reverse)
    ys = net.h[1:] if valid is None else net.empty(net.steps, net.batch, net.n)
    net.kept = (ys, z.shape)
    if net.whole:
        net.launch_whole("simple", z, net.valid, net.h, ys, hs)
        return hs, net.h[-1].copy(), net
    kernel, product = net.kernel_of(1), net.empty(*net.product_shape(1))
    for s, t in net.order():
        p = None if s == 0 and h0 is None else net.product(net.h[s], kernel, product)
        net.launch("simple", s, t, 1, p, z, net.valid, net.h[s], ys[s], net.h[s + 1], hs)
    return hs, net.h[-1].copy(), net


def simple_rnn_grad(
    saved: Any, g_hs: ndarray | None, g_h: ndarray | None, needs: Any
) -> tuple[Any, Any, Any]:
    """Gradients of :func:`simple_rnn` for z, u and h0."""
    if not isinstance(saved, Network):
        return derived("recurrent").simple_rnn_grad(saved, g_hs, g_h, needs)
    net, (ys, shape) = saved, saved.kept
    g_hs, past = _contiguous(g_hs, net), _to_sum(g_h, net)
    dz, d = net.empty(*shape), net.empty(net.steps, *net.product_shape(1))
    if net.whole:
        dh = net.empty(net.batch, net.n)
        net.launch_whole("simple_grad", past, g_hs, net.valid, ys, d, dz, dh)
    else:
        turned, product, p = net.kernel_of(1).swapaxes(-1, -2), net.empty(*_back(net, 1)), None
        for s, t in reversed(net.order()):
            net.launch("simple_grad", s, t, 1, p, net.masks, past, g_hs, net.valid, ys[s], d[s], dz)
            p = matmul(d[s], turned, out=product)
        dh = net.first_state_grad(p, past)
    return dz, net.kernel_grad(d, needs[1]) if needs[1] is not False else None, dh


def _back(net: Network, gates: int) -> tuple[int, ...]:
    """The shape of the product of ``d`` with the turned kernel."""
    return (net.batch, net.n) if net.masks is None else (gates, net.batch, net.n)


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
    if not _fits(z, (act, recurrent_act), u, h0, c0, drop):
        return derived("recurrent").lstm(z, u, h0, c0, valid, drop, act, recurrent_act, reverse)
    net, z, hs = _network(z, 4, u, h0, valid, drop, act, recurrent_act, reverse)
    gates, cells = net.empty(net.steps, net.batch, 4 * net.n), net.empty(*net.h.shape)
    cells[0] = 0 if c0 is None else c0
    net.kept = (gates, cells, z.shape)
    if net.whole:
        net.launch_whole("lstm", z, net.valid, net.h, cells, gates, hs)
        return hs, net.h[-1].copy(), cells[-1].copy(), net
    kernel, product = net.kernel_of(4), net.empty(*net.product_shape(4))
    for s, t in net.order():
        p = None if s == 0 and h0 is None else net.product(net.h[s], kernel, product)
        net.launch("lstm", s, t, 4, p, z, net.valid, net.h[s], cells[s], gates[s], net.h[s + 1], cells[s + 1], hs)
    return hs, net.h[-1].copy(), cells[-1].copy(), net


def lstm_grad(
    saved: Any, g_hs: ndarray | None, g_h: ndarray | None, g_c: ndarray | None, needs: Any
) -> tuple[Any, Any, Any, Any]:
    """Gradients of :func:`lstm` for z, u, h0 and c0."""
    if not isinstance(saved, Network):
        return derived("recurrent").lstm_grad(saved, g_hs, g_h, g_c, needs)
    net, (gates, cells, shape) = saved, saved.kept
    g_hs, past, dc = _contiguous(g_hs, net), _to_sum(g_h, net), _to_sum(g_c, net)
    dz, d = net.empty(*shape), net.empty(net.steps, *net.product_shape(4))
    if net.whole:
        dh = net.empty(net.batch, net.n)
        net.launch_whole("lstm_grad", past, dc, g_hs, net.valid, gates, cells, d, dz, dh)
    else:
        turned, product, p = net.kernel_of(4).swapaxes(-1, -2), net.empty(*_back(net, 4)), None
        for s, t in reversed(net.order()):
            net.launch("lstm_grad", s, t, 4, p, net.masks, past, dc, g_hs, net.valid, gates[s], cells[s], cells[s + 1],
                       d[s], dz)  # fmt: skip
            p = matmul(d[s], turned, out=product)
        dh = net.first_state_grad(p, past)
    du = net.kernel_grad(d, needs[1]) if needs[1] is not False else None
    return dz, du, dh, dc.astype(net.h.dtype, copy=False)


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
    if not _fits(z, (act, recurrent_act), u, b, h0, drop) or (b is not None and not reset_after):
        return derived("recurrent").gru(z, u, b, h0, valid, drop, act, recurrent_act, reset_after, reverse)
    net, z, hs = _network(z, 3, u, h0, valid, drop, act, recurrent_act, reverse)
    gates, inner = net.empty(net.steps, net.batch, 3 * net.n), net.empty(net.steps, net.batch, net.n)
    ours, resets = 3 if reset_after else 2, None
    if net.whole and reset_after:
        net.launch_whole("gru", b, z, net.valid, net.h, gates, inner, hs)
        net.kept = (gates, inner, None, b, z.shape)
        return hs, net.h[-1].copy(), net
    kernel, product = net.kernel_of(ours), net.empty(*net.product_shape(ours))
    if not reset_after:
        resets, q_kernel = net.empty(*inner.shape), _candidate(net)
        q_mask = None if net.masks is None else net.masks[2]
        q_product = net.empty(net.batch, net.n)
    for s, t in net.order():
        p, h, after = None, net.h[s], net.h[s + 1]
        if s or h0 is not None:
            p = net.product(h, kernel, product)
        if resets is None:
            net.launch("gru", s, t, 3, p, b, z, net.valid, h, gates[s], inner[s], after, hs)
            continue
        net.launch("gru_gates", s, t, 2, p, q_mask, z, h, gates[s], inner[s], resets[s])
        p = matmul(resets[s], q_kernel, out=q_product)
        net.launch("gru_state", s, t, 1, p, z, net.valid, h, gates[s], after, hs)
    net.kept = (gates, inner, resets, b, z.shape)
    return hs, net.h[-1].copy(), net


def _candidate(net: Network) -> ndarray:
    """The part of the recurrent kernel that makes the candidate."""
    return cupy.ascontiguousarray(net.u[:, 2 * net.n :])


def gru_grad(saved: Any, g_hs: ndarray | None, g_h: ndarray | None, needs: Any) -> tuple[Any, Any, Any, Any]:
    """Gradients of :func:`gru` for z, u, b and h0."""
    if not isinstance(saved, Network):
        return derived("recurrent").gru_grad(saved, g_hs, g_h, needs)
    net, (gates, inner, resets, b, shape) = saved, saved.kept
    ours = 3 if resets is None else 2
    g_hs, past = _contiguous(g_hs, net), _to_sum(g_h, net)
    dz, d = net.empty(*shape), net.empty(net.steps, *net.product_shape(ours))
    dq = None if resets is None else net.empty(*inner.shape)
    if net.whole and dq is None:
        dh = net.empty(net.batch, net.n)
        net.launch_whole("gru_grad", past, g_hs, net.valid, gates, inner, net.h, d, dz, dh)
    else:
        dh = net.first_state_grad(_gru_steps_grad(net, ours, g_hs, past, d, dq, dz), past)
    du = db = None
    if needs[1] is not False:
        if dq is None:
            du = net.kernel_grad(d, needs[1])
        else:
            du = needs[1] if isinstance(needs[1], ndarray) else net.empty(*net.u.shape)
            du[:, : 2 * net.n] = net.kernel_grad(d, None)
            du[:, 2 * net.n :] = matmul(resets.reshape(-1, net.n).T, dq.reshape(-1, net.n))
    if b is not None and needs[2] is not False:
        rows = d if net.masks is None else d.transpose(0, 2, 1, 3)
        db = column_sum(rows.reshape(-1, 3 * net.n), needs[2] if isinstance(needs[2], ndarray) else None)
    return dz, du, db, dh


def _gru_steps_grad(
    net: Network, ours: int, g_hs: ndarray | None, past: ndarray, d: ndarray, dq: ndarray | None, dz: ndarray
) -> ndarray:
    """The way back step by step: writes ``past``, ``d``, ``dq`` and ``dz``, and gives the first step's product."""
    gates, inner = net.kept[:2]
    turned, product, p = net.kernel_of(ours).swapaxes(-1, -2), net.empty(*_back(net, ours)), None
    if dq is not None:
        q_turned, q_product = _candidate(net).T, net.empty(net.batch, net.n)
        q_mask = None if net.masks is None else net.masks[2]
    for s, t in reversed(net.order()):
        h = net.h[s]
        if dq is None:
            net.launch("gru_grad", s, t, 3, p, net.masks, past, g_hs, net.valid, gates[s], inner[s], h, d[s], dz)
        else:
            net.launch("gru_state_grad", s, t, 2, p, net.masks, past, g_hs, net.valid, gates[s], h, d[s], dq[s], dz)
            p = matmul(dq[s], q_turned, out=q_product)
            net.launch("gru_gates_grad", s, t, 2, p, q_mask, past, gates[s], inner[s], d[s], dz)
        p = matmul(d[s], turned, out=product)
    return p

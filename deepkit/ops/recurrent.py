"""Recurrent networks as ops: the whole sequence is one op, forward and back through time.

``z`` (batch, steps, gates · units) is the input's share of the gates, x @ kernel + bias, made for all steps by one
product. ``u`` (units, gates · units) is the recurrent kernel. ``valid`` (batch, steps) is the mask or ``None``, and
``drop`` (gates, batch, units) the recurrent dropout's or ``None``; neither has a gradient. Initial states may be
``None`` for zeros. The order of the gates is that of Keras's weights.
"""

from __future__ import annotations

from typing import Any, Callable

from ..autograd.op import Op
from ..autograd.spec import Spec
from ..utils.nest import flatten, pack
from .creation import zeros_like
from .index import where
from .linear import apply_activation, matmul
from .shape import concatenate, reshape, stack


def _specs(z: Spec, gates: int, states: int) -> tuple[Spec, ...]:
    batch, steps, width = z.shape
    units = width // gates  # type: ignore[operator]
    return Spec((batch, steps, units), z.dtype), *[Spec((batch, units), z.dtype) for _ in range(states)]


def _zeros(z: Any, gates: int, states: list[Any]) -> list[Any]:
    return [z[:, 0, : z.shape[-1] // gates] * 0 if h is None else h for h in states]


def through_time(
    step: Callable[..., Any],
    x: Any,
    states: Any,
    valid: Any = None,
    reverse: bool = False,
    zero_masked: bool = False,
    output_of: Callable[..., Any] = lambda states: states[0],
) -> tuple[Any, Any]:
    """Run ``step(x_t, states) -> (output, states)`` over the steps of a sequence, one recorded call after the other.

    Args:
        step: The function.
        x: Tensor (batch, steps, ...), or a nest of them.
        states: Initial states, a nest.
        valid: Mask (batch, steps); where it is false the states stay, and the output is that of the step before.
        reverse: From the last step to the first.
        zero_masked: The output of masked steps is 0 instead.
        output_of: Finds the output among the states; what masked steps give before the first other one.

    Returns:
        The outputs (batch, steps, ...) in the order in which they were made, and the last states.
    """
    leaves = [steps(leaf) for leaf in flatten(x)]
    masks = None if valid is None else steps(valid)
    outputs: list[Any] = []
    order = range(len(leaves[0]))
    for t in reversed(order) if reverse else order:
        y, new = step(pack(x, [leaf[t] for leaf in leaves]), states)
        if masks is not None:
            held = outputs[-1] if outputs else output_of(states)
            if zero_masked or held.shape != y.shape:
                held = zeros_like(y)
            y = _where(masks[t], y, held)
            new = pack(states, [_where(masks[t], a, b) for a, b in zip(flatten(new), flatten(states))])
        states = new
        outputs.append(y)
    return stack(outputs, axis=1), states


def _where(valid: Any, a: Any, b: Any) -> Any:
    """``a`` in the valid rows, ``b`` in the others."""
    return where(reshape(valid, (-1,) + (1,) * (len(a.shape) - 1)), a, b)


def _product(h: Any, u: Any, drop: Any) -> Any:
    """h @ u with the state masked for each gate."""
    if drop is None:
        return matmul(h, u)
    n = h.shape[-1]
    return concatenate([matmul(h * drop[k], u[:, k * n : (k + 1) * n]) for k in range(u.shape[-1] // n)], axis=-1)


def simple_rnn_step(z: Any, h: Any, u: Any, drop: Any, act: Callable[..., Any]) -> Any:
    """One step of :class:`SimpleRNN` in basic ops; the new h."""
    return act(z + _product(h, u, drop))


def lstm_step(
    z: Any, h: Any, c: Any, u: Any, drop: Any, act: Callable[..., Any], recurrent_act: Callable[..., Any]
) -> tuple[Any, Any]:
    """One step of :class:`LSTM` in basic ops; the new h and c."""
    n = u.shape[0]
    a = z + _product(h, u, drop)
    i, f, o = (recurrent_act(a[:, j * n : (j + 1) * n]) for j in (0, 1, 3))
    c = f * c + i * act(a[:, 2 * n : 3 * n])
    return o * act(c), c


def gru_step(
    z: Any, h: Any, u: Any, b: Any, drop: Any, act: Callable[..., Any], recurrent_act: Callable[..., Any],
    reset_after: bool,
) -> Any:  # fmt: skip
    """One step of :class:`GRU` in basic ops; the new h."""
    n = u.shape[0]
    inner = _product(h, u if reset_after else u[:, : 2 * n], drop)
    inner = inner if b is None else inner + b
    p = recurrent_act(z[:, :n] + inner[:, :n])
    r = recurrent_act(z[:, n : 2 * n] + inner[:, n : 2 * n])
    if reset_after:
        candidate = r * inner[:, 2 * n :]
    else:
        candidate = matmul(r * (h if drop is None else h * drop[2]), u[:, 2 * n :])
    q = act(z[:, 2 * n :] + candidate)
    return p * h + (1 - p) * q


def _named(act: str | None) -> Callable[..., Any]:
    return lambda y: apply_activation(y, act)


class SimpleRNN(Op):
    """h_s = act(z_s + h_{s-1} @ u); gives (batch, steps, units) and the last state."""

    outputs = 2

    def infer(self, z: Spec, u: Any, h0: Any, valid: Any, drop: Any, act: Any = "tanh", reverse: bool = False) -> Any:
        return _specs(z, 1, 1)

    def forward(self, k: Any, z: Any, u: Any, h0: Any, valid: Any, drop: Any, act: Any = "tanh",
                reverse: bool = False) -> tuple[Any, Any]:  # fmt: skip
        hs, h, saved = k.simple_rnn(z, u, h0, valid, drop, act, reverse)
        return (hs, h), saved

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        return *k.simple_rnn_grad(saved, *g, needs), None, None

    def reference(self, z: Any, u: Any, h0: Any, valid: Any, drop: Any, act: Any = "tanh",
                  reverse: bool = False) -> Any:  # fmt: skip
        def step(zt: Any, states: Any) -> Any:
            h = simple_rnn_step(zt, *states, u, drop, _named(act))
            return h, [h]

        hs, states = through_time(step, z, _zeros(z, 1, [h0]), valid, reverse)
        return hs, *states


class LSTM(Op):
    """Long short-term memory (Hochreiter & Schmidhuber 1997); gates i, f, g, o.

    i, f, o = rec_act(...), g = act(...) of z_s + h_{s-1} @ u;  c_s = f c_{s-1} + i g;  h_s = o act(c_s).
    Gives h (batch, steps, units), the last h and the last c.
    """

    outputs = 3

    def infer(self, z: Spec, u: Any, h0: Any, c0: Any, valid: Any, drop: Any, act: Any = "tanh",
              recurrent_act: Any = "sigmoid", reverse: bool = False) -> Any:  # fmt: skip
        return _specs(z, 4, 2)

    def forward(self, k: Any, z: Any, u: Any, h0: Any, c0: Any, valid: Any, drop: Any, act: Any = "tanh",
                recurrent_act: Any = "sigmoid", reverse: bool = False) -> tuple[Any, Any]:  # fmt: skip
        hs, h, c, saved = k.lstm(z, u, h0, c0, valid, drop, act, recurrent_act, reverse)
        return (hs, h, c), saved

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        return *k.lstm_grad(saved, *g, needs), None, None

    def reference(self, z: Any, u: Any, h0: Any, c0: Any, valid: Any, drop: Any, act: Any = "tanh",
                  recurrent_act: Any = "sigmoid", reverse: bool = False) -> Any:  # fmt: skip
        def step(zt: Any, states: Any) -> Any:
            new = lstm_step(zt, *states, u, drop, _named(act), _named(recurrent_act))
            return new[0], list(new)

        hs, states = through_time(step, z, _zeros(z, 4, [h0, c0]), valid, reverse)
        return hs, *states


class GRU(Op):
    """Gated recurrent unit (Cho et al. 2014); update gate p, reset gate r, candidate q.

    p, r = rec_act(...) of z_s + h @ u + b;  q = act(z_q + r (h @ u_q + b_q)) with ``reset_after``, as in cuDNN, else
    q = act(z_q + (r h) @ u_q);  h_s = p h_{s-1} + (1 - p) q. Gives h (batch, steps, units) and the last h.
    """

    outputs = 2

    def infer(self, z: Spec, u: Any, b: Any, h0: Any, valid: Any, drop: Any, act: Any = "tanh",
              recurrent_act: Any = "sigmoid", reset_after: bool = True, reverse: bool = False) -> Any:  # fmt: skip
        return _specs(z, 3, 1)

    def forward(self, k: Any, z: Any, u: Any, b: Any, h0: Any, valid: Any, drop: Any, act: Any = "tanh",
                recurrent_act: Any = "sigmoid", reset_after: bool = True,
                reverse: bool = False) -> tuple[Any, Any]:  # fmt: skip
        hs, h, saved = k.gru(z, u, b, h0, valid, drop, act, recurrent_act, reset_after, reverse)
        return (hs, h), saved

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        return *k.gru_grad(saved, *g, needs), None, None

    def reference(self, z: Any, u: Any, b: Any, h0: Any, valid: Any, drop: Any, act: Any = "tanh",
                  recurrent_act: Any = "sigmoid", reset_after: bool = True, reverse: bool = False) -> Any:  # fmt: skip
        def step(zt: Any, states: Any) -> Any:
            h = gru_step(zt, *states, u, b, drop, _named(act), _named(recurrent_act), reset_after)
            return h, [h]

        hs, states = through_time(step, z, _zeros(z, 3, [h0]), valid, reverse)
        return hs, *states


class Steps(Op):
    """The time steps of x (batch, steps, ...), each a tensor (batch, ...)."""

    outputs = 0  # as many as there are steps

    def infer(self, x: Spec) -> Any:
        if x.shape[1] is None:
            raise ValueError(f"The number of steps of a sequence of shape {x.shape} is unknown.")
        return tuple(Spec((x.shape[0], *x.shape[2:]), x.dtype) for _ in range(x.shape[1]))

    def forward(self, k: Any, x: Any) -> tuple[Any, Any]:
        return tuple(x[:, t] for t in range(x.shape[1])), (x.shape, x.dtype)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        shape, dtype = saved
        gx = k.zeros(shape, dtype)
        for t, part in enumerate(g):
            if part is not None:
                gx[:, t] = part
        return (gx,)

    def reference(self, x: Any) -> Any:
        return tuple(x[:, t] for t in range(x.shape[1]))


simple_rnn, lstm, gru, steps = SimpleRNN(), LSTM(), GRU(), Steps()

__all__ = [
    "GRU", "LSTM", "SimpleRNN", "Steps", "gru", "gru_step", "lstm", "lstm_step", "simple_rnn", "simple_rnn_step",
    "steps", "through_time",
]  # fmt: skip

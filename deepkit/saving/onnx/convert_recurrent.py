"""How recurrent ops are written in ONNX, which has operators for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd.op import to_array
from .convert import reversed_along
from .graph import Graph, converts, projection

_ACTIVATIONS = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}
#: Where ONNX has each gate among ours: i, f, g, o to i, o, f, c.
_ORDER = {"LSTM": [0, 3, 1, 2], "GRU": [0, 1, 2], "RNN": [0]}


def _gates(weight: np.ndarray, kind: str) -> np.ndarray:
    """Columns by gate in ONNX's order, as rows."""
    parts = np.split(weight, len(_ORDER[kind]), axis=-1)
    return np.ascontiguousarray(np.concatenate([parts[i] for i in _ORDER[kind]], axis=-1).T)


def _recurrent(
    g: Graph,
    node: Any,
    kind: str,
    u: Any,
    bias: Any,
    states: list[Any],
    acts: list[Any],
    reverse: bool,
    **attributes: Any,
) -> list[str] | None:
    """One of ONNX's recurrent operators: (all outputs, last states), batch first."""
    if not hasattr(u, "data") or any(act not in _ACTIVATIONS for act in acts):
        return None
    u = np.asarray(to_array(u))
    n = u.shape[0]
    dense = projection(node)
    if dense is not None and all(w is None or hasattr(w, "data") for w in dense.args[1:]):
        x, weight, own = dense.args
        w = np.asarray(to_array(weight))
        b = np.zeros(w.shape[1], w.dtype) if own is None else np.asarray(to_array(own))
    else:
        if dense is not None:
            g.write([node.args[0]])
        x, w, b = node.args[0], np.eye(u.shape[1], dtype=u.dtype), np.zeros(u.shape[1], u.dtype)
    inner = np.zeros_like(b) if bias is None else np.asarray(to_array(bias))
    both = np.concatenate([_gates(b[None], kind)[:, 0], _gates(inner[None], kind)[:, 0]])
    given = [g.add("Unsqueeze", g.value(h), g.ints([0])) if h is not None else "" for h in states]
    weights = [g.constant(weight[None], hint="weight") for weight in (_gates(w, kind), _gates(u, kind), both)]
    inputs = [g.transpose(g.value(x), (1, 0, 2)), *weights, "", *given]
    while inputs[-1] == "":
        inputs.pop()
    found = g.add(kind, *inputs, outputs=1 + len(states), hidden_size=n, direction="reverse" if reverse else "forward",
                  activations=[_ACTIVATIONS[act] for act in acts], **attributes)  # fmt: skip
    whole = g.transpose(g.add("Squeeze", found[0], g.ints([1])), (1, 0, 2))
    if reverse:  # ONNX keeps the order of the inputs
        whole = reversed_along(g, whole, [1])
    return [whole, *[g.add("Squeeze", h, g.ints([0])) for h in found[1:]]]


@converts("SimpleRNN")
def _simple_rnn(g: Graph, node: Any, z: Any, u: Any, h0: Any, valid: Any, drop: Any, act: Any = "tanh",
                reverse: bool = False) -> Any:  # fmt: skip
    return _recurrent(g, node, "RNN", u, None, [h0], [act], reverse) if valid is None else None


@converts("LSTM")
def _lstm(g: Graph, node: Any, z: Any, u: Any, h0: Any, c0: Any, valid: Any, drop: Any, act: Any = "tanh",
          recurrent_act: Any = "sigmoid", reverse: bool = False) -> Any:  # fmt: skip
    if valid is not None:
        return None
    return _recurrent(g, node, "LSTM", u, None, [h0, c0], [recurrent_act, act, act], reverse)


@converts("GRU")
def _gru(g: Graph, node: Any, z: Any, u: Any, b: Any, h0: Any, valid: Any, drop: Any, act: Any = "tanh",
         recurrent_act: Any = "sigmoid", reset_after: bool = True, reverse: bool = False) -> Any:  # fmt: skip
    if valid is not None:
        return None
    attributes = {"linear_before_reset": int(reset_after)}
    return _recurrent(g, node, "GRU", u, b, [h0], [recurrent_act, act], reverse, **attributes)

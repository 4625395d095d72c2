"""Recurrent ops: against what they mean in basic ops, with gradients of first and second order."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from deepkit import ops
from deepkit.ops import recurrent
from tests.helpers import check_gradient, check_infer, check_second_order

BATCH, STEPS, UNITS = 3, 5, 4


def _case(kind: str, masked: bool, dropped: bool, initial: bool, reset_after: bool = True) -> tuple[Any, Any, list]:
    """The op, its parameters, and its inputs in float64."""
    rng = np.random.default_rng(3)
    gates = {"simple_rnn": 1, "lstm": 4, "gru": 3}[kind]
    z = rng.normal(size=(BATCH, STEPS, gates * UNITS))
    u = rng.normal(size=(UNITS, gates * UNITS)) * 0.5
    states = [rng.normal(size=(BATCH, UNITS)) if initial else None for _ in range(2 if kind == "lstm" else 1)]
    valid = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool) if masked else None
    drop = rng.integers(0, 2, (gates, BATCH, UNITS)) * 2.0 if dropped else None
    bias = [rng.normal(size=gates * UNITS) if reset_after else None] if kind == "gru" else []
    params = {"reset_after": reset_after} if kind == "gru" else {}
    return getattr(recurrent, kind), params, [z, u, *bias, *states, valid, drop]


CASES = [
    (kind, masked, dropped, initial, reverse, after)
    for kind, masked, dropped, initial, reverse in product(
        ("simple_rnn", "lstm", "gru"), (False, True), (False, True), (False, True), (False, True)
    )
    for after in ((True, False) if kind == "gru" else (True,))
]


@pytest.mark.parametrize(("kind", "masked", "dropped", "initial", "reverse", "after"), CASES)
def test_values_and_gradients(
    device: Any, kind: str, masked: bool, dropped: bool, initial: bool, reverse: bool, after: bool
) -> None:
    op, params, inputs = _case(kind, masked, dropped, initial, after)
    params["reverse"] = reverse
    tensors = [None if x is None else ops.convert_to_tensor(x) for x in inputs]
    for got, expected in zip(op(*tensors, **params), op.reference(*tensors, **params)):
        np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-12, atol=1e-12)
    moving = [i for i, x in enumerate(inputs[:-2]) if x is not None]

    def run(*values: Any) -> Any:
        full = list(tensors)
        for i, v in zip(moving, values):
            full[i] = v
        return op(*full, **params)

    check_gradient(run, *[inputs[i] for i in moving])


@pytest.mark.parametrize("kind", ["simple_rnn", "lstm", "gru"])
@pytest.mark.parametrize("act", ["relu", "sigmoid", None])
def test_other_activations(device: Any, kind: str, act: str | None) -> None:
    op, params, inputs = _case(kind, True, False, True)
    params["act"] = act
    tensors = [None if x is None else ops.convert_to_tensor(x) for x in inputs]
    for got, expected in zip(op(*tensors, **params), op.reference(*tensors, **params)):
        np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-12, atol=1e-12)
    check_gradient(lambda z, u: op(z, u, *tensors[2:], **params), inputs[0], inputs[1])


@pytest.mark.parametrize("kind", ["simple_rnn", "lstm", "gru"])
def test_gradient_of_the_gradient(device: Any, kind: str) -> None:
    op, params, inputs = _case(kind, False, False, True)
    rest = [None if x is None else ops.convert_to_tensor(x) for x in inputs[2:]]
    check_second_order(lambda z, u: op(z[:, :2], u, *rest, **params)[0], inputs[0], inputs[1])


@pytest.mark.parametrize("kind", ["simple_rnn", "lstm", "gru"])
def test_symbolic_shapes(device: Any, kind: str) -> None:
    op, params, inputs = _case(kind, False, False, False)
    check_infer(lambda z, u: op(z, u, *inputs[2:], **params), inputs[0], inputs[1], batch=False)


def test_steps(device: Any) -> None:
    x = np.arange(12.0).reshape(2, 3, 2)
    parts = recurrent.steps(ops.convert_to_tensor(x))
    assert [p.shape for p in parts] == [(2, 2)] * 3
    check_gradient(lambda a: ops.add(recurrent.steps(a)[0] * 2, recurrent.steps(a)[2]), x)

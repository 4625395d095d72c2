"""Checks that ops, layers and losses share."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

import deepkit
from deepkit import ops


def check_gradient(
    fn: Callable[..., Any], *arrays: Any, argnums: Any = None, eps: float = 1e-6, tol: float = 1e-5
) -> None:
    """Compare autograd with central differences along a random direction, in float64.

    ``fn`` maps tensors to a tensor (or several); a fixed random projection makes it scalar.
    """
    rng = np.random.default_rng(7)
    arrays = tuple(np.asarray(a) for a in arrays)
    argnums = range(len(arrays)) if argnums is None else argnums
    argnums = [i for i in argnums if arrays[i].dtype.kind == "f"]
    arrays = tuple(a.astype("float64") if i in argnums else a for i, a in enumerate(arrays))
    weights: list[np.ndarray] = []

    def scalar(*values: Any) -> Any:
        out = fn(*values)
        outs = [o for o in (out if isinstance(out, (tuple, list)) else [out]) if str(o.dtype).startswith("float")]
        if not weights:
            weights.extend(rng.normal(size=o.shape) for o in outs)
        total = 0.0
        for o, w in zip(outs, weights):
            total = ops.sum(ops.multiply(o, w)) + total
        return total

    tensors = [ops.convert_to_tensor(a) for a in arrays]
    with deepkit.GradientTape() as tape:
        tape.watch([tensors[i] for i in argnums])
        loss = scalar(*tensors)
    grads = tape.gradient(loss, [tensors[i] for i in argnums], unconnected_gradients="zero")
    for i, g in zip(argnums, grads):
        direction = rng.normal(size=arrays[i].shape)
        shifted = [list(arrays), list(arrays)]
        shifted[0][i] = arrays[i] + eps * direction
        shifted[1][i] = arrays[i] - eps * direction
        expected = (float(scalar(*shifted[0])) - float(scalar(*shifted[1]))) / (2 * eps)
        assert g.shape == arrays[i].shape, (g.shape, arrays[i].shape)
        np.testing.assert_allclose(float(np.sum(g.numpy() * direction)), expected, rtol=tol, atol=tol)


def check_second_order(fn: Callable[..., Any], *arrays: Any, tol: float = 1e-4) -> None:
    """Compare the gradient of |gradient|² with central differences, in float64 and for every floating input."""
    picked = [i for i, a in enumerate(arrays) if np.asarray(a).dtype.kind == "f"]

    def penalty(*values: Any) -> Any:
        values = tuple(ops.convert_to_tensor(v) for v in values)
        with deepkit.GradientTape() as tape:
            tape.watch([values[i] for i in picked])
            y = ops.sum(ops.square(fn(*values)))
        grads = tape.gradient(y, [values[i] for i in picked], unconnected_gradients="zero")
        total = 0.0
        for g in grads:
            total = ops.sum(ops.square(g)) + total
        return total

    # The numerical side runs `penalty` without an outer tape, the analytic one through it.
    check_gradient(penalty, *arrays, argnums=picked, eps=1e-5, tol=tol)


def check_infer(fn: Callable[..., Any], *arrays: Any, batch: bool = True) -> None:
    """The symbolic shape and dtype equal the real ones, with the first dimension unknown and with it known."""
    arrays = tuple(np.asarray(a) for a in arrays)
    real = fn(*[ops.convert_to_tensor(a) for a in arrays])
    reals = list(real) if isinstance(real, (tuple, list)) else [real]
    for unknown in (False, True) if batch else (False,):
        specs = [
            deepkit.KerasTensor(((None, *a.shape[1:]) if unknown and a.ndim else a.shape), a.dtype.name)
            for a in arrays
        ]
        out = fn(*specs)
        outs = list(out) if isinstance(out, (tuple, list)) else [out]
        assert len(outs) == len(reals)
        for symbolic, value in zip(outs, reals):
            assert len(symbolic.shape) == len(value.shape), (symbolic.shape, value.shape)
            for s, n in zip(symbolic.shape, value.shape):
                assert s == n or (unknown and s is None), (symbolic.shape, value.shape)
            assert str(symbolic.dtype) == str(value.dtype), (symbolic.dtype, value.dtype)

"""Recurrent networks on the device beside those of the CPU, in all their kinds, and in a CUDA graph."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from deepkit.backend import cpu

from ..cuda.capturing import check_captured

BATCH, STEPS, N = 3, 5, 6
KINDS = {"simple_rnn": 1, "lstm": 4, "gru": 3, "gru_before": 3}
HOWS = ["plain", "masked", "dropped", "both"]


@pytest.fixture(params=["by step", "whole"])
def cuda(request, gpu, monkeypatch):
    from deepkit.backend import cuda

    module = cuda.kernel_module()
    if request.param == "by step":
        monkeypatch.setattr("deepkit.backend.cuda.recurrent.WHOLE", 0)
    return module


def arrays(kind, how, dtype, states=True):
    rng, gates = np.random.default_rng(0), KINDS[kind]
    some = lambda *shape: rng.standard_normal(shape).astype(dtype)
    z, u = some(BATCH, STEPS, gates * N), some(N, gates * N)
    first = [some(BATCH, N) if states else None for _ in range(2 if kind == "lstm" else 1)]
    bias = [some(gates * N) if kind == "gru" else None] if gates == 3 else []
    valid = rng.random((BATCH, STEPS)) < 0.6 if how in ("masked", "both") else None
    drop = (rng.random((gates, BATCH, N)) < 0.5).astype(dtype) * 2 if how in ("dropped", "both") else None
    grads = [some(BATCH, STEPS, N), *(some(BATCH, N) for _ in first)]
    return [z, u, *bias, *first, valid, drop], grads


def network(k, kind, given, grads, acts, reverse, needs=(True,) * 5):
    """Outputs and gradients of a network, from a kernel module's functions."""
    name = kind.removesuffix("_before")
    rest = (*acts[: 1 if name == "simple_rnn" else 2], *([kind == "gru"] if name == "gru" else []), reverse)
    *results, saved = getattr(k, name)(*given, *rest)
    return *results, *getattr(k, f"{name}_grad")(saved, *grads, needs)


def on(cupy, arrays):
    return [None if a is None else cupy.asarray(a) for a in arrays]


def check(cuda, kind, how, dtype, acts, reverse, states=True, last_only=False):
    import cupy

    given, grads = arrays(kind, how, dtype, states)
    if last_only:
        grads[0] = None
    found = network(cuda, kind, on(cupy, given), on(cupy, grads), acts, reverse)
    wide = [a if a is None or a.dtype == bool else a.astype("float64") for a in given]
    wide_grads = [None if g is None else g.astype("float64") for g in grads]
    exact = network(cpu.recurrent, kind, wide, wide_grads, acts, reverse)
    tolerance = {"float64": 1e-10, "float32": 1e-4, "float16": 5e-2}[dtype]
    assert len(found) == len(exact)
    for a, b in zip(found, exact):
        assert (a is None) == (b is None)
        if a is not None:
            assert a.shape == b.shape and a.dtype == np.dtype(dtype)
            np.testing.assert_allclose(cupy.asnumpy(a), b, rtol=tolerance, atol=tolerance * max(1, np.abs(b).max()))


@pytest.mark.parametrize("kind, how, reverse", [*itertools.product(KINDS, HOWS, [False, True])])
def test_networks(cuda, kind, how, reverse):
    check(cuda, kind, how, "float32", ("tanh", "sigmoid"), reverse)


@pytest.mark.parametrize("acts", [("relu", "tanh"), ("elu", None), (None, "sigmoid"), ("tanh", "hard_sigmoid")])
@pytest.mark.parametrize("kind", KINDS)
def test_other_activations(cuda, kind, acts):
    check(cuda, kind, "masked", "float64", acts, False)


@pytest.mark.parametrize("kind, dtype", [*itertools.product(KINDS, ["float16", "float64"])])
def test_other_dtypes(cuda, kind, dtype):
    check(cuda, kind, "both", dtype, ("tanh", "sigmoid"), False)


@pytest.mark.parametrize("kind", KINDS)
def test_without_states_and_with_the_last_output_alone(cuda, kind):
    check(cuda, kind, "plain", "float32", ("tanh", "sigmoid"), True, states=False, last_only=True)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_into_the_arena(cuda, kind):
    import cupy

    given, grads = arrays(kind, "plain", "float32")
    given, grads = on(cupy, given), on(cupy, grads)
    du, db = cupy.empty(given[1].shape, "float32"), cupy.empty(3 * N, "float32")
    expected = network(cuda, kind, given, grads, ("tanh", "sigmoid"), False)
    found = network(cuda, kind, given, grads, ("tanh", "sigmoid"), False, (True, du, db, True, True))
    at = len(expected) - (4 if kind != "simple_rnn" else 3) + 1
    np.testing.assert_array_equal(cupy.asnumpy(du), cupy.asnumpy(expected[at]))
    assert found[at] is du
    if kind == "gru":
        np.testing.assert_array_equal(cupy.asnumpy(db), cupy.asnumpy(expected[at + 1]))


@pytest.mark.parametrize("shape", [(0, 4, 12), (2, 0, 12)])
def test_nothing_to_do(cuda, shape):
    import cupy

    hs, h, c, saved = cuda.lstm(cupy.ones(shape), cupy.ones((3, 12)), None, None, None, None, "tanh", "sigmoid", False)
    assert hs.shape == (*shape[:2], 3) and h.shape == c.shape == (shape[0], 3)
    dz, du, dh, dc = cuda.lstm_grad(saved, cupy.ones(hs.shape), None, None, (True, True, True, True))
    assert dz.shape == shape and dh.shape == h.shape and not cupy.asnumpy(du).any()


@pytest.mark.parametrize("kind, how", [*itertools.product(KINDS, ["plain", "both"])])
def test_a_graph_holds_it(cuda, kind, how):
    given, grads = arrays(kind, how, "float32")
    present = [a for a in (*given, *grads) if a is not None]
    rng = np.random.default_rng(1)
    others = [a[::-1].copy() if a.dtype == bool else rng.standard_normal(a.shape).astype(a.dtype) for a in present]

    def run(*device):
        rest = iter(device)
        filled = [None if a is None else next(rest) for a in (*given, *grads)]
        results = network(cuda, kind, filled[: len(given)], filled[len(given) :], ("tanh", "sigmoid"), False)
        return tuple(a for a in results if a is not None)

    check_captured(run, present, others)

"""Optimizers whose step a CUDA graph holds: the host's numbers go on at each replay, and nothing waits for a norm."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import backend, optimizers
from deepkit.autograd.variable import Variable

from ..cuda import fake_cupy

SHAPES = [(7, 5), (5,), (3, 3, 4), (4, 4)]
STEPS = 6


@pytest.fixture
def simulated(gpu):
    if gpu != "simulated":
        pytest.skip("waits are counted in simulation only")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend.cuda, "load", backend.cuda.kernel_module)
        yield


def variables():
    rng = np.random.default_rng(0)
    made = [Variable(rng.standard_normal(shape).astype("float32"), name=f"v{i}") for i, shape in enumerate(SHAPES)]
    made[-1].assign(np.zeros(SHAPES[-1]))  # a norm of 0
    return made


def gradients():
    rng = np.random.default_rng(1)
    return [[rng.standard_normal(shape).astype("float32") for shape in SHAPES] for _ in range(STEPS)]


OPTIMIZERS = {
    "lamb": lambda: optimizers.Lamb(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
    "lamb with decay": lambda: optimizers.Lamb(0.01, weight_decay=0.1),
    "adafactor": lambda: optimizers.Adafactor(0.5),
    "muon": lambda: optimizers.Muon(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
    "nadam": lambda: optimizers.Nadam(0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_replays_give_what_the_processor_computes(simulated, name):
    import cupy

    with deepkit.device("cpu"):
        expected, optimizer = variables(), OPTIMIZERS[name]()
        for g in gradients():
            optimizer.apply(g, expected)
    with deepkit.device("gpu"):
        found, replayed = variables(), OPTIMIZERS[name]()
        replayed.build(found)

        def step(arrays):
            for place, g in zip(replayed.arena.grads, arrays):
                place[...] = g
            replayed.step_arena()
            return [], None

        graphs, waits = backend.active().graphs(), []
        for g in gradients():
            arrays = [cupy.asarray(a) for a in g]
            fake_cupy.counters.reset()
            graphs.run("step", arrays, step)
            waits.append(fake_cupy.counters.synchronizations)
        assert graphs.refused is None and waits[1] == 0
        for a, b in zip(found, expected):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-4, atol=1e-5)
        for a, b in zip(replayed.variables, optimizer.variables):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-4, atol=1e-5)

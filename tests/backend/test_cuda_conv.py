"""Convolution on the device: which kernels it goes to, and that its results repeat to the bit."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit.backend import cpu


@pytest.fixture
def implicit(gpu):
    from deepkit.backend import cuda

    cuda.kernel_module()
    from deepkit.backend.cuda import implicit

    return implicit


def case(dtype="float32", channels=8, filters=16):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((3, 9, 8, channels)), rng.standard_normal((3, 3, channels, filters)) / 5
    return x.astype(dtype), w.astype(dtype), rng.standard_normal((3, 5, 4, filters)).astype(dtype)


HOW = (2, 2), ((1, 1), (0, 1)), (1, 1), 1


@pytest.mark.parametrize("channels, filters", [(8, 16), (3, 5)])
def test_against_the_processor_and_itself(implicit, channels, filters):
    import cupy

    from deepkit.backend.cuda import kernels

    x, w, g = case("float32", channels, filters)
    there = [cupy.asarray(a) for a in (x, w, g)]
    needs = (True, True, False)
    for _ in range(2):
        y = kernels.conv(*there[:2], None, *HOW, "relu")
        found = [y, *kernels.conv_grad(*there[:2], y, there[2], *HOW, "relu", needs)[:2]]
    expected = cpu.conv(x, w, None, *HOW, "relu")
    wanted = [expected, *cpu.conv_grad(x, w, expected, g, *HOW, "relu", needs)[:2]]
    for a, b in zip(found, wanted):
        np.testing.assert_allclose(cupy.asnumpy(a), b, rtol=1e-4, atol=1e-4)
    again = [y, *kernels.conv_grad(*there[:2], y, there[2], *HOW, "relu", needs)[:2]]
    for a, b in zip(found, again):
        np.testing.assert_array_equal(cupy.asnumpy(a), cupy.asnumpy(b))


def test_which_kernels(implicit, gpu):
    import cupy

    if gpu != "simulated":
        pytest.skip("depends on the card")

    def stem(dtype):
        x, w, _ = case(dtype)
        plan = implicit.plan(cupy.asarray(x), cupy.asarray(w), (5, 4), *HOW[:3])
        return plan.stem, plan.kind

    assert stem("float32") == ("conv", "f32")
    assert stem("float64") == ("conv", "f64")
    assert stem("float16") == ("conv_mma", "f16")
    deepkit.config.set_matmul_precision("high")
    try:
        assert stem("float32") == ("conv_mma", "tf32")
    finally:
        deepkit.config.set_matmul_precision("highest")


def test_cards_without_those_tensor_cores(implicit, monkeypatch):
    import cupy

    from deepkit.backend.cuda import kernels

    monkeypatch.setattr(implicit, "_processors", lambda device: (2, False))
    x, w, _ = case("float16")
    y = kernels.conv(cupy.asarray(x), cupy.asarray(w), None, *HOW, None)
    np.testing.assert_allclose(cupy.asnumpy(y), cpu.conv(x, w, None, *HOW, None), rtol=1e-2, atol=1e-2)


def test_the_weight_gradient_in_parts(implicit, monkeypatch):
    import cupy

    x, w, g = case()
    plan = implicit.plan(cupy.asarray(x), cupy.asarray(w), (5, 4), *HOW[:3])
    whole = implicit.to_weights(plan, cupy.asarray(x), cupy.asarray(g), True)
    monkeypatch.setattr(implicit, "_SHARE", 16)
    target = cupy.empty(w.shape, "float32")
    parts = implicit.to_weights(plan._replace(processors=16), cupy.asarray(x), cupy.asarray(g), target)
    assert parts is not None
    np.testing.assert_allclose(cupy.asnumpy(target), cupy.asnumpy(whole), rtol=1e-5, atol=1e-5)

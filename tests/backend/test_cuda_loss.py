"""Losses on the device beside those of the CPU, and in a CUDA graph."""

from __future__ import annotations

import numpy as np
import pytest

from deepkit.backend import cpu

from ..cuda.capturing import check_captured

EPSILON = 1e-3
SHAPES = [(5, 7), (2, 3, 40), (4,), (1, 1)]


@pytest.fixture
def cuda(gpu):
    from deepkit.backend import cuda

    return cuda.kernel_module()


@pytest.fixture(params=SHAPES, ids=str)
def shape(request):
    return request.param


@pytest.fixture(params=["float32", "float16", "float64"])
def dtype(request):
    return request.param


def data(shape, dtype, logits=True, sparse=False):
    rng = np.random.default_rng(0)
    p = rng.standard_normal(shape) if logits else rng.random(shape)
    t = rng.integers(0, shape[-1], shape[:-1]) if sparse else rng.random(shape).astype(dtype)
    return t, p.astype(dtype), rng.standard_normal(shape).astype(dtype), rng.standard_normal(shape[:-1]).astype(dtype)


def near(found, expected):
    import cupy

    tolerance = {"float64": 1e-12, "float32": 1e-4, "float16": 1e-2}[found.dtype.name]
    np.testing.assert_allclose(cupy.asnumpy(found), expected, rtol=tolerance, atol=tolerance)


def both(cuda, dtype, compute, *given):
    """The result of ``compute(module, ...)`` on both sides, the CPU's in float64."""
    import cupy

    wide = [a.astype("float64") if a.dtype.kind == "f" else a for a in given]
    for found, expected in zip(compute(cuda, *map(cupy.asarray, given)), compute(cpu, *wide)):
        assert found.dtype == dtype and found.shape == np.shape(expected)
        near(found, expected)


def squared(k, t, p, g):
    loss, d = k.squared_error(t, p)
    return loss, k.squared_error_grad(d, g)


@pytest.mark.parametrize("view", [False, True])
def test_squared_error(cuda, shape, dtype, view):
    t, p, _, g = data(shape, dtype)
    turn = (lambda a: a.T) if view and len(shape) == 2 else (lambda a: a)
    g = np.float32(1).astype(dtype) + np.zeros(turn(t).shape[:-1], dtype)
    both(cuda, dtype, lambda k, t, p, g: squared(k, turn(t), turn(p), g), t, p, g)


@pytest.mark.parametrize("logits", [True, False])
@pytest.mark.parametrize("sparse", [True, False])
def test_cross_entropy(cuda, shape, dtype, logits, sparse):
    t, p, _, g = data(shape, dtype, logits, sparse)

    def compute(k, t, p, g):
        loss, saved = k.cross_entropy(t, p, logits, sparse, EPSILON)
        return loss, k.cross_entropy_grad(t, saved, g, logits, sparse, EPSILON)

    both(cuda, dtype, compute, t, p, g)


@pytest.mark.parametrize("logits", [True, False])
def test_binary_cross_entropy(cuda, shape, dtype, logits):
    t, p, g, _ = data(shape, dtype, logits)
    if not logits:
        p = p * np.dtype(dtype).type(0.9) + np.dtype(dtype).type(0.05)  # no value within rounding of the clip

    def compute(k, t, p, g):
        return k.binary_cross_entropy(t, p, logits, EPSILON), k.binary_cross_entropy_grad(t, p, g, logits, EPSILON)

    both(cuda, dtype, compute, t, p, g)


def test_one_gradient_for_all(cuda):
    import cupy

    t, p, *_ = data((3, 4), "float32")
    one = cupy.broadcast_to(cupy.ones((), "float32"), (3,))
    loss, d = cuda.squared_error(cupy.asarray(t), cupy.asarray(p))
    near(cuda.squared_error_grad(d, one), (p - t) / 2)
    full = cupy.broadcast_to(one[:1], (3, 4))
    found = cuda.binary_cross_entropy_grad(cupy.asarray(t), cupy.asarray(p), full, True, EPSILON)
    near(found, 1 / (1 + np.exp(-p)) - t)


def test_shapes_and_dtypes_without_a_kernel(cuda):
    import cupy

    t, p, *_ = data((3, 4), "float32")
    loss, _ = cuda.squared_error(cupy.asarray(t[:1]), cupy.asarray(p))
    near(loss, ((p - t[:1]) ** 2).mean(axis=-1))
    near(cuda.binary_cross_entropy(cupy.asarray(t[:, :1]), cupy.asarray(p), True, EPSILON),
         cpu.binary_cross_entropy(t[:, :1], p, True, EPSILON))  # fmt: skip
    assert cuda.squared_error(cupy.ones((0, 4)), cupy.ones((0, 4)))[0].shape == (0,)


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("logits", [True, False])
def test_a_graph_holds_them(cuda, logits, sparse):
    t, p, whole, g = data((20, 7), "float32", logits, sparse)
    new_t, new_p = t[::-1].copy(), p * np.float32(0.5)

    def categorical(t, p, g):
        loss, saved = cuda.cross_entropy(t, p, logits, sparse, EPSILON)
        return loss, cuda.cross_entropy_grad(t, saved, g, logits, sparse, EPSILON)

    check_captured(categorical, [t, p, g], [new_t, new_p, g + 1])
    if sparse:
        return

    def others(t, p, g, whole):
        binary = cuda.binary_cross_entropy(t, p, logits, EPSILON)
        return *squared(cuda, t, p, g), binary, cuda.binary_cross_entropy_grad(t, p, whole, logits, EPSILON)

    check_captured(others, [t, p, g, whole], [new_t, new_p, g + 1, whole * 2])

"""Looking up rows of a table on the device, and the gradient of that."""

from __future__ import annotations

import numpy as np
import pytest

from deepkit.backend import cpu

from ..cuda.capturing import check_captured

DTYPES = ["float32", "float64", "float16", "int32", "int64", "uint8", "bool", "complex64", "complex128"]


@pytest.fixture
def cuda(gpu):
    from deepkit.backend import cuda

    return cuda.kernel_module()


def some(shape, dtype, seed=0):
    x = np.random.default_rng(seed).standard_normal(shape) * 4
    return (x + 1j * x[::-1] if np.dtype(dtype).kind == "c" else x).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_take_and_its_gradient(cuda, axis, dtype):
    import cupy

    x = some((7, 5, 6), dtype)
    index = np.random.default_rng(1).integers(-5, 5, (40, 3)).astype("int32" if axis == 0 else "int64")
    y = cuda.take(cupy.asarray(x), cupy.asarray(index), axis=axis)
    expected = cpu.elementwise.take(x, index, axis=axis)
    np.testing.assert_array_equal(cupy.asnumpy(y), expected)
    if dtype == "bool":
        return
    g = some(expected.shape, dtype, 2)
    found = cupy.asnumpy(cuda.take_grad(cupy.asarray(g), cupy.asarray(index), axis, x.shape))
    wide = "complex128" if g.dtype.kind == "c" else "float64" if g.dtype.kind == "f" else "int64"
    exact = cpu.elementwise.take_grad(g.astype(wide), index, axis, x.shape)
    if g.dtype.kind in "iu":
        np.testing.assert_array_equal(found, exact.astype(dtype))
    else:
        np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-5 if g.dtype.itemsize > 2 else 4e-2)


@pytest.mark.parametrize("view", ["whole", "inner"])
def test_a_gradient_into_the_arena(cuda, view):
    import cupy

    place = cupy.zeros((6, 9), np.float32)
    out = place[:, :4] if view == "inner" else place[1:5]
    g, index = some((30, out.shape[1]), "float32"), np.random.default_rng(1).integers(0, out.shape[0], 30)
    assert cuda.take_grad(cupy.asarray(g), cupy.asarray(index), 0, out.shape, out) is out
    expected = cpu.elementwise.take_grad(g.astype("float64"), index, 0, out.shape)
    np.testing.assert_allclose(cupy.asnumpy(out), expected, rtol=1e-5, atol=1e-5)
    assert not cupy.asnumpy(place[5:] if view == "whole" else place[:, 4:]).any()


def test_rows_that_are_not_there(cuda):
    import cupy

    index = cupy.asarray(np.array([1, 3, -3, -4]))
    for dtype, other in (("float32", np.nan), ("float16", np.nan), ("int32", -(2**31)), ("uint8", 255)):
        y = cupy.asnumpy(cuda.take(cupy.ones((3, 2), dtype), index, axis=0))
        np.testing.assert_array_equal(y[[0, 2]], np.ones((2, 2), dtype))
        np.testing.assert_array_equal(y[[1, 3]], np.full((2, 2), other, dtype))
    g = cuda.take_grad(cupy.ones((4, 2), "float32"), index, 0, (3, 2))
    np.testing.assert_array_equal(cupy.asnumpy(g), [[1, 1], [1, 1], [0, 0]])


def test_nothing_to_do(cuda):
    import cupy

    none = cupy.empty(0, np.int64)
    assert cuda.take(cupy.ones((3, 2)), none, axis=0).shape == (0, 2)
    np.testing.assert_array_equal(cupy.asnumpy(cuda.take_grad(cupy.ones((0, 2)), none, 0, (3, 2))), np.zeros((3, 2)))
    assert cuda.take(cupy.ones((3, 0)), cupy.asarray(np.array([1])), axis=0).shape == (1, 0)


@pytest.mark.parametrize("rows", [3, 700, 70000])
def test_a_graph_holds_it(cuda, rows):
    table, g = some((rows, 3), "float32"), some((4200, 3), "float32")
    index, other = np.random.default_rng(0).integers(0, rows, (2, 4200))
    index[:2000] = 1  # a row that half of them name
    check_captured(lambda x, i: cuda.take(x, i, axis=0), [table, index], [table + 1, other])
    check_captured(lambda d, i: cuda.take_grad(d, i, 0, table.shape), [g, index], [g + 1, other])
    check_captured(lambda d, i: cuda.scatter_add(d, (i,), d[:4200] * 2), [some(5000, "float32"), index % 5000],
                   [some(5000, "float32", 1), other % 5000])  # fmt: skip

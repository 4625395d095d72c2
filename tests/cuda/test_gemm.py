"""Matrix products through cuBLASLt: shapes, strides, batches and dtypes, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit.backend import settings

ml_dtypes = pytest.importorskip("ml_dtypes")

TOLERANCE = {"float64": 1e-13, "float32": 1e-5, "float16": 2e-3, "bfloat16": 2e-2}


@pytest.fixture
def cp(gpu):
    import cupy

    return cupy


def values(shape, dtype, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def same(found, expected, dtype):
    assert found.dtype == dtype and found.shape == expected.shape
    scale = TOLERANCE[np.dtype(dtype).name]
    np.testing.assert_allclose(found.get().astype("float64"), expected.astype("float64"), rtol=scale, atol=8 * scale)


SHAPES = [
    ((3, 5), (5, 4)), ((1, 5), (5, 4)), ((3, 1), (1, 4)), ((3, 5), (5, 1)), ((1, 1), (1, 1)), ((5,), (5, 4)),
    ((3, 5), (5,)), ((5,), (5,)), ((2, 3, 5), (5, 4)), ((2, 6, 3, 5), (5, 4)), ((2, 3, 5), (2, 5, 4)),
    ((2, 6, 3, 5), (2, 6, 5, 4)), ((2, 1, 3, 5), (1, 6, 5, 4)), ((3, 5), (2, 5, 4)), ((6, 3, 5), (2, 1, 5, 4)),
    ((2, 1, 3, 5), (2, 6, 5, 4)), ((0, 5), (5, 4)), ((3, 0), (0, 4)), ((2, 0, 5), (5, 4)), ((0, 3, 5), (0, 5, 4)),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", ml_dtypes.bfloat16], ids=str)
@pytest.mark.parametrize("a, b", SHAPES, ids=str)
def test_shapes(cp, a, b, dtype):
    from deepkit.backend.cuda.gemm import matmul

    x, y = values(a, dtype), values(b, dtype, 1)
    expected = np.matmul(x.astype("float64"), y.astype("float64"))
    same(matmul(cp.asarray(x), cp.asarray(y)), np.asarray(expected), dtype)


@pytest.mark.parametrize("first", ["plain", "turned", "rows", "columns", "padded", "offset", "backwards"])
@pytest.mark.parametrize("second", ["plain", "turned", "columns", "offset"])
@pytest.mark.parametrize("batch", [(), (3,)])
def test_views(cp, first, second, batch):
    from deepkit.backend.cuda.gemm import matmul

    def view(kind, rows, columns, seed):
        lead = (slice(None),) * len(batch)
        shape, pick = {
            "plain": ((rows, columns), ()),
            "turned": ((columns, rows), ()),
            "rows": ((2 * rows, columns), (slice(None, None, 2),)),
            "columns": ((rows, 2 * columns), (slice(None), slice(None, None, 2))),
            "padded": ((rows, columns + 3), (slice(None), slice(0, columns))),
            "offset": ((rows + 1, columns + 1), (slice(1, None), slice(1, None))),
            "backwards": ((rows, columns), (slice(None, None, -1),)),
        }[kind]
        host = values((*batch, *shape), "float32", seed)
        out = host.swapaxes(-1, -2) if kind == "turned" else host[(*lead, *pick)]
        there = cp.asarray(host)
        return out, there.swapaxes(-1, -2) if kind == "turned" else there[(*lead, *pick)]

    (x, a), (y, b) = view(first, 4, 6, 0), view(second, 6, 5, 1)
    same(matmul(a, b), x @ y, "float32")


def test_into_an_array(cp):
    from deepkit.backend.cuda.gemm import matmul

    x, y = values((3, 5), "float32"), values((5, 4), "float32")
    for out in (cp.empty((3, 4), "float32"), cp.empty((3, 4), "float64"), cp.empty((4, 3), "float32").T):
        assert matmul(cp.asarray(x), cp.asarray(y), out=out) is out
        np.testing.assert_allclose(out.get(), x @ y, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("act", [None, "relu"])
@pytest.mark.parametrize("k", [0, 5])
@pytest.mark.parametrize("start", [0, 1])
def test_bias_and_activation(cp, act, k, start):
    from deepkit.backend.cuda.gemm import product

    x, y, b = values((2, 3, k), "float32"), values((k, 4), "float32"), values(4 + start, "float32", 2)
    expected = x @ y + b[start:]
    expected = np.maximum(expected, 0) if act else expected
    out = product(cp.asarray(x), cp.asarray(y), cp.empty((2, 3, 4), "float32"), cp.asarray(b)[start:], act)
    same(out, expected, "float32")


def test_tf32_only_where_it_is_asked_for(cp):
    from deepkit.backend.cuda.gemm import matmul

    x, y = values((4, 64), "float32"), values((64, 4), "float32")
    exact = x.astype("float64") @ y
    error = {}
    for precision in ("highest", "high"):
        deepkit.config.set_matmul_precision(precision)
        assert deepkit.config.matmul_precision() == precision
        error[precision] = np.abs(matmul(cp.asarray(x), cp.asarray(y)).get() - exact).max()
    deepkit.config.set_matmul_precision("highest")
    assert settings.matmul_precision == "highest"
    assert error["highest"] < 1e-5 < error["high"] < 0.05
    with pytest.raises(ValueError, match="highest"):
        deepkit.config.set_matmul_precision("medium")


def test_shapes_that_do_not_fit(cp):
    from deepkit.backend.cuda.gemm import matmul

    with pytest.raises(ValueError, match=r"\(3, 5\) and \(4, 6\)"):
        matmul(cp.empty((3, 5)), cp.empty((4, 6)))


EINSUMS = [
    ("ij,jk->ik", (3, 4), (4, 5)), ("ij,kj->ki", (3, 4), (5, 4)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
    ("abc,cd->abd", (2, 3, 4), (4, 5)), ("btnh,bsnh->bnts", (2, 3, 4, 5), (2, 6, 4, 5)), ("i,i", (4,), (4,)),
    ("...i,...i->...", (2, 3, 4), (2, 3, 4)), ("ij,ij->j", (3, 4), (3, 4)), ("ntd,ntd->nt", (2, 3, 4), (2, 3, 4)),
    ("...ij,jk->...ik", (2, 3, 4), (4, 5)), ("ij,k->kij", (2, 3), (4,)), ("ii,i->i", (3, 3), (3,)),
    ("ij,k->k", (2, 3), (4,)), ("bi,bj->ij", (1, 3), (4, 5)), ("ij,jk", (0, 4), (4, 5)), ("ij,jk", (3, 0), (0, 5)),
]  # fmt: skip


@pytest.mark.parametrize("subscripts, a, b", EINSUMS, ids=[e[0] + str(e[1]) for e in EINSUMS])
def test_einsum(cp, subscripts, a, b):
    from deepkit.backend.cuda.contraction import einsum

    x, y = values(a, "float64"), values(b, "float64", 1)
    expected = np.einsum(subscripts, x, y)
    found = einsum(subscripts, cp.asarray(x), cp.asarray(y))
    np.testing.assert_allclose(found.get(), expected, rtol=1e-12, atol=1e-12)
    assert found.shape == expected.shape


def test_einsum_of_three(cp):
    from deepkit.backend.cuda.contraction import einsum

    parts = [values(s, "float64", i) for i, s in enumerate([(3, 4), (4, 5), (5, 2)])]
    expected = np.einsum("ij,jk,kl->li", *parts)
    np.testing.assert_allclose(einsum("ij,jk,kl->li", *map(cp.asarray, parts)).get(), expected, rtol=1e-12)


@pytest.mark.parametrize("axes", [0, 1, 2, ((0, 1), (1, 0)), ((-1,), (0,))])
def test_tensordot(cp, axes):
    from deepkit.backend.cuda.contraction import tensordot

    x, y = values((4, 4), "float64"), values((4, 4), "float64", 1)
    found = tensordot(cp.asarray(x), cp.asarray(y), axes)
    np.testing.assert_allclose(found.get(), np.tensordot(x, y, axes), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float16", ml_dtypes.bfloat16], ids=str)
def test_products_of_16_bits_in_float32(cp, dtype):
    from deepkit.backend.cuda.gemm import product

    a, b = values((2, 3, 40), dtype), values((2, 5, 40), dtype, 1)
    out = cp.empty((2, 3, 5), "float32")
    product(cp.asarray(a), cp.asarray(b).transpose(0, 2, 1), out)
    expected = np.matmul(a.astype("float64"), b.astype("float64").transpose(0, 2, 1))
    np.testing.assert_allclose(out.get(), expected, rtol=1e-5, atol=1e-5)

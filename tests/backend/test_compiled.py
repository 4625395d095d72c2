"""The compiled kernels beside NumPy's, for each instruction set that this processor has."""

from __future__ import annotations

from typing import Any, Iterator

import numpy as np
import pytest

import deepkit
from deepkit import config
from deepkit.backend import cpu
from deepkit.backend.cpu import native
from deepkit.backend.cpu.optimizer import adam

if not native.available():
    pytest.skip("the compiled kernels aren't built", allow_module_level=True)

from deepkit.backend.cpu import _compiled


def _sets() -> list[str]:
    best = native.state.kernels
    order = ["baseline", "avx2", "avx512"]
    return order[: order.index(best) + 1] if best in order else ["baseline"]


@pytest.fixture(params=[(name, shared) for name in _sets() for shared in (False, True)], ids=str)
def isa(request: Any) -> Iterator[str]:
    """An instruction set, on one thread or with all work shared among three."""
    before, threads = native.state.module, _compiled.threads(0)
    name, shared = request.param
    _compiled.use(name)
    if shared:
        _compiled.threads(3)
        _compiled.worth_sharing(0.0)
    yield name
    _compiled.use(native.state.kernels)
    _compiled.threads(threads)
    _compiled.worth_sharing(50e3)
    native.state.module = before


def both(function: str, *args: Any) -> tuple[Any, Any]:
    """The result of a kernel by the compiled ones, which must be in use for it, and by NumPy."""
    found = []
    for on in (True, False):
        native.enable(on)
        copies = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
        found.append((getattr(cpu, function)(*copies), copies))
    native.enable()
    return found[0], found[1]


def close(a: Any, b: Any, tolerance: float = 2e-5) -> None:
    for x, y in zip(a, b):
        if isinstance(y, np.ndarray):
            scale = max(1.0, float(np.abs(y).max(initial=0)))
            np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance * scale)


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


#: input, kernel, strides, padding, dilation
CONVOLUTIONS = [
    ((2, 9, 3), (3, 3, 5), (1,), ((1, 1),), (1,)),
    ((2, 9, 4), (3, 4, 40), (2,), ((4, 0),), (2,)),
    ((3, 9, 8, 3), (3, 3, 3, 33), (1, 1), ((1, 1), (1, 1)), (1, 1)),
    ((1, 12, 12, 8), (3, 3, 8, 70), (1, 1), ((0, 0), (0, 0)), (1, 1)),
    ((5, 10, 7, 4), (3, 2, 4, 16), (2, 3), ((0, 1), (1, 1)), (1, 1)),
    ((2, 11, 11, 2), (3, 3, 2, 7), (1, 1), ((2, 2), (2, 2)), (2, 2)),
    ((2, 6, 6, 5), (1, 1, 5, 64), (1, 1), ((0, 0), (0, 0)), (1, 1)),
    ((2, 6, 6, 5), (1, 1, 5, 8), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    ((9, 5, 5, 1), (5, 5, 1, 1), (1, 1), ((2, 2), (2, 2)), (1, 1)),
    # Borders that are tiles of their own, along rows and columns; too many of them; windows of nothing but zeros.
    ((2, 14, 15, 3), (3, 3, 3, 6), (1, 1), ((2, 2), (1, 2)), (1, 1)),
    ((1, 40, 3, 4), (3, 3, 4, 5), (1, 1), ((1, 1), (1, 1)), (1, 1)),
    ((2, 8, 8, 3), (7, 7, 3, 5), (1, 1), ((3, 3), (3, 3)), (1, 1)),
    ((1, 5, 30, 2), (2, 2, 2, 3), (1, 1), ((4, 4), (5, 3)), (1, 1)),
    ((1, 9, 40, 3), (2, 3, 3, 4), (2, 1), ((3, 4), (5, 7)), (1, 3)),
]


@pytest.mark.parametrize("act", [None, "relu", "tanh"])
@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_convolution(isa: str, case: Any, act: str | None) -> None:
    x_shape, w_shape, strides, padding, dilation = case
    x, w, b = random(*x_shape), random(*w_shape, seed=1), random(w_shape[-1], seed=2)
    how = (strides, padding, dilation, 1, act)
    (y, _), (expected, _) = both("conv", x, w, b, *how)
    close([y], [expected])
    gy = random(*y.shape, seed=3)
    (found, _), (expected, _) = both("conv_grad", x, w, expected, gy, *how, (True, True, True))
    close(found, expected)


def test_convolution_with_relu_keeps_a_nan(isa: str) -> None:
    x = random(1, 6, 6, 2)
    x[0, 2, 2, 0] = np.nan
    (y, _), (expected, _) = both("conv", x, random(3, 3, 2, 5), None, (1, 1), ((0, 0), (0, 0)), (1, 1), 1, "relu")
    np.testing.assert_array_equal(np.isnan(y), np.isnan(expected))


#: input, kernel, strides, padding, dilation, groups
GROUPED = [
    ((2, 6, 6, 4), (3, 3, 2, 6), (1, 1), ((1, 1), (1, 1)), (1, 1), 2),
    ((3, 7, 9, 6), (3, 2, 2, 33), (2, 3), ((0, 1), (1, 1)), (1, 1), 3),
    ((2, 7, 8, 5), (3, 3, 1, 5), (1, 1), ((1, 1), (1, 1)), (1, 1), 5),
    ((2, 8, 7, 17), (3, 2, 1, 34), (2, 2), ((0, 1), (1, 0)), (1, 1), 17),
    ((2, 9, 9, 3), (3, 3, 1, 9), (1, 1), ((2, 2), (2, 2)), (2, 2), 3),
    ((2, 12, 20), (5, 1, 20), (2,), ((2, 2),), (1,), 20),
]


@pytest.mark.parametrize("act", [None, "relu"])
@pytest.mark.parametrize("case", GROUPED, ids=str)
def test_grouped_and_depthwise_convolution(isa: str, case: Any, act: str | None) -> None:
    x_shape, w_shape, *how, groups = case
    x, w, b = random(*x_shape), random(*w_shape, seed=1), random(w_shape[-1], seed=2)
    (y, _), (expected, _) = both("conv", x, w, b, *how, groups, act)
    close([y], [expected])
    gy = random(*y.shape, seed=3)
    for needs in ((True, True, True), (True, False, False), (False, True, False)):
        (found, _), (wanted, _) = both("conv_grad", x, w, expected, gy, *how, groups, act, needs)
        assert [a is None for a in found] == [a is None for a in wanted]
        close(found, wanted)


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
def test_gradients_of_strided_convolutions(isa: str, kernel: int, stride: int) -> None:
    """Each remainder by the stride is a convolution of its own; some have no taps."""
    for size in (5, 8, 11):
        for lo in range(min(kernel, 3)):
            how = ((stride, 1), ((lo, 1), (0, 0)), (1, 1), 1, None)
            x, w = random(2, size, 3, 3), random(kernel, 1, 3, 18, seed=1)
            (y, _), (expected, _) = both("conv", x, w, None, *how)
            (found, _), (wanted, _) = both("conv_grad", x, w, None, expected, *how, (True, False, False))
            close(found[:1], wanted[:1])


def test_random_words_and_dropout(isa: str) -> None:
    for n in (0, 1, 7, 64, 40_003):
        (found, _), (expected, _) = both("random_words", 12, 2**32 - 1, n)
        np.testing.assert_array_equal(found, expected)
        x = random(n)
        (found, _), (expected, _) = both("dropout", x, 0.3, 5, 9, None, 1 / 0.7)
        np.testing.assert_array_equal(found, expected)


def test_sums_at_indices(isa: str) -> None:
    indices = np.array([[3, 0, 3], [-1, 3, 2]])
    g = random(2, 3, 5)
    (found, _), (expected, _) = both("take_grad", g, indices, 0, (4, 5), None)
    close([found], [expected])
    with pytest.raises(IndexError):
        cpu.take_grad(g, indices + 1, 0, (4, 5), None)


def test_what_is_left_to_numpy(isa: str) -> None:
    """Volumes, other dtypes and strided arrays; padding wider than the window in the gradient."""
    ones = ((0, 0), (0, 0))
    for x, w, groups, padding in [
        (random(1, 5, 5, 5, 2), random(2, 2, 2, 2, 4), 1, ((0, 0), (0, 0), (0, 0))),
        (random(2, 6, 6, 4).astype("float64"), random(3, 3, 4, 4).astype("float64"), 1, ones),
        (random(2, 6, 6, 8)[..., ::2], random(3, 3, 4, 4), 1, ones),
        (random(2, 6, 6, 4), random(3, 3, 4, 4), 1, ((4, 0), (4, 0))),
    ]:
        one = (1,) * len(padding)
        how = (one, padding, one, groups, None)
        (y, _), (expected, _) = both("conv", x, w, None, *how)
        close([y], [expected])
        (found, _), (wanted, _) = both(
            "conv_grad", x, w, None, np.ones_like(expected), *how, (True, True, False)
        )
        close(found, wanted)


@pytest.mark.parametrize("channels", [1, 5, 16, 37])
@pytest.mark.parametrize(
    ("pool", "strides", "padding"),
    [
        ((2, 2), (2, 2), ((0, 0), (0, 0))),
        ((3, 2), (1, 2), ((1, 1), (0, 1))),
        ((2, 2), (3, 3), ((0, 0), (0, 0))),
    ],
)
def test_average_pooling(isa: str, channels: int, pool: Any, strides: Any, padding: Any) -> None:
    x = random(3, 7, 8, channels)
    (y, _), (expected, _) = both("avg_pool", x, pool, strides, padding)
    close([y], [expected])
    (found, _), (wanted, _) = both("avg_pool_grad", random(*y.shape, seed=1), (7, 8), pool, strides, padding)
    close([found], [wanted])


@pytest.mark.parametrize("channels", [1, 5, 16, 37])
@pytest.mark.parametrize(
    ("pool", "strides", "padding"),
    [
        ((2, 2), (2, 2), ((0, 0), (0, 0))),
        ((3, 2), (1, 2), ((1, 1), (0, 1))),
        ((2, 2), (3, 3), ((0, 0), (0, 0))),
    ],
)
def test_pooling(isa: str, channels: int, pool: Any, strides: Any, padding: Any) -> None:
    x = np.round(random(3, 8, 7, channels) * 2)  # with ties
    (y, _), (expected, _) = both("max_pool", x, pool, strides, padding)
    np.testing.assert_array_equal(y, expected)
    gy = random(*y.shape, seed=1)
    (found, _), (wanted, _) = both("max_pool_grad", x, y, gy, pool, strides, padding)
    close([found], [wanted])


def test_pooling_keeps_nan(isa: str) -> None:
    x = random(1, 4, 4, 3)
    x[0, 1, 1, 1] = np.nan
    (y, _), (expected, _) = both("max_pool", x, (2, 2), (2, 2), ((0, 0), (0, 0)))
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("channels", [1, 6, 16, 35, 600])
@pytest.mark.parametrize("affine", [True, False])
def test_batch_normalization(isa: str, channels: int, affine: bool) -> None:
    x = random(7, 11, channels) * 3 + 100  # a mean that is large beside the spread
    x[0, 0] += 1000  # an outlier in the first row
    gamma, beta = (random(channels, seed=1), random(channels, seed=2)) if affine else (None, None)
    (found, _), (expected, _) = both("batch_norm", x, gamma, beta, 1e-3)
    close(found[:3], expected[:3], 1e-4)
    gy = random(*x.shape, seed=3)
    grads = [cpu.batch_norm_grad(saved, gy, (True, True, True)) for saved in (found[3], expected[3])]
    close(grads[0], grads[1], 5e-4)


@pytest.mark.parametrize("channels", [1, 16, 35])
def test_normalization_by_given_statistics(isa: str, channels: int) -> None:
    x, mean, gamma, beta = random(7, 11, channels), *(random(channels, seed=i) for i in range(1, 4))
    for weights in ((gamma, beta), (None, None), (gamma, None)):
        (found, _), (expected, _) = both("fixed_norm", x, mean, gamma**2, *weights, 1e-3)
        close(found, expected)


@pytest.mark.parametrize("n", [1, 15, 70_001])
def test_adam(isa: str, n: int) -> None:
    arrays = [random(n), random(n, seed=1), random(n, seed=2), random(n, seed=3) ** 2 + 1e-2]
    scratch = [np.empty(1 << 16, "float32") for _ in range(2)]
    runs = []
    for on in (True, False):
        native.enable(on)
        copies = [a.copy() for a in arrays]
        cpu.blocked(adam, copies, scratch, (1e-3, 0.9, 0.999, 1e-7))
        runs.append(copies)
    native.enable()
    close(runs[0], runs[1], 1e-6)


@pytest.mark.parametrize("n", [1 << 12, 100_003])
def test_elementwise(isa: str, n: int) -> None:
    x, g = random(n), random(n, seed=1)
    x[:3] = np.nan, 0, -0.0  # a NaN must stay one
    for name, arrays in (("relu", (x,)), ("relu_grad", (g, np.maximum(x, 0))), ("total", (x, g)), ("add", (x, g))):
        (found, _), (expected, _) = both(name, *arrays)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("name", "slots", "numbers"),
    [
        ("sgd", 0, (0.1,)),
        ("momentum", 1, (0.1, 0.9, False)),
        ("momentum", 1, (0.1, 0.9, True)),
        ("rmsprop", 1, (0.1, 0.9, 0.0, 1e-7, False)),
        ("rmsprop", 2, (0.1, 0.9, 0.5, 1e-7, False)),
        ("rmsprop", 2, (0.1, 0.9, 0.0, 1e-7, True)),
        ("adagrad", 1, (0.1, 1e-7)),
    ],
)
def test_optimizer_rules(isa: str, name: str, slots: int, numbers: tuple) -> None:
    for n in (1, 17, 70_001):
        states = [(np.abs(random(n, seed=2 + i)) + 2) * np.float32(0.1**i) for i in range(slots)]
        arrays = [random(n), random(n, seed=1), *states]
        scratch = [np.empty(n, "float32") for _ in range(2)]
        rule = cpu.OPTIMIZER_RULES[name]
        runs = []
        for on in (True, False):
            native.enable(on)
            copies = [a.copy() for a in arrays]
            cpu.blocked(rule, copies, scratch, numbers)
            runs.append(copies)
        native.enable()
        close(runs[0], runs[1], 2e-6)


#: rows, columns, inner dimension: tiles and panels whole and cut, one row, none
PRODUCTS = [
    (1, 1, 1), (1, 100, 9), (1, 3, 40), (2, 33, 7), (5, 64, 300), (13, 10, 513), (49, 31, 20), (97, 70, 257),
    (200, 900, 3), (30, 40, 0), (7, 1, 65),
]  # fmt: skip


@pytest.mark.parametrize("turned", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("size", PRODUCTS)
def test_products(isa: str, size: tuple[int, int, int], turned: tuple[bool, bool]) -> None:
    m, n, depth = size
    a, b, bias, c = random(m, depth), random(depth, n, seed=1), random(n, seed=2), random(m, n, seed=3)
    exact = a.astype("float64") @ b.astype("float64")
    stored = [np.ascontiguousarray(x.T) if turn else x for x, turn in zip((a, b), turned)]
    arguments = (stored[0], turned[0], stored[1], turned[1])
    tolerance = {"rtol": 1e-5, "atol": 1e-5 * max(1, depth) ** 0.5}
    for given, relu, add in ((None, False, False), (bias, True, False), (bias, False, True)):
        out = c.copy() if add else np.full_like(c, np.nan)
        _compiled.gemm(*arguments, given, relu, add, out)
        expected = exact + (0 if given is None else bias) + (c if add else 0)
        np.testing.assert_allclose(out, np.maximum(expected, 0) if relu else expected, **tolerance)


def test_products_of_what_is_no_number(isa: str) -> None:
    """Only what a row meets is touched: infinities and NaN stay in their rows and columns."""
    for m in (1, 5, 40):
        a, b = random(m, 11), random(11, 50, seed=1)
        a[0, 3], b[4, 7] = np.inf, np.nan
        out = np.empty((m, 50), "float32")
        _compiled.gemm(a, False, b, False, None, False, False, out)
        with np.errstate(invalid="ignore"):
            expected = a @ b
        np.testing.assert_array_equal(np.isfinite(out), np.isfinite(expected))


@pytest.mark.parametrize("kind", ["plain", "bias", "mask", "causal"])
@pytest.mark.parametrize(
    "shape", [(2, 5, 7, 3, 4, 6), (1, 300, 200, 1, 20, 33), (3, 1, 1, 2, 1, 1), (2, 33, 17, 2, 16, 16)]
)
def test_attention(isa: str, shape: tuple[int, ...], kind: str) -> None:
    batch, queries, keys, heads, size, values = shape
    q, k = random(batch, queries, heads, size), random(batch, keys, heads, size, seed=1)
    v, g = random(batch, keys, heads, values, seed=2), random(batch, queries, heads, values, seed=3)
    bias = random(1, heads, 1, keys, seed=4) if kind == "bias" else None
    mask = np.random.default_rng(5).random((batch, 1, queries, keys)) < 0.6 if kind == "mask" else None
    if mask is not None:
        mask[0, 0, 0] = False  # a query without a key
    both_ways = [q, k, v, bias, mask, 0.3, kind == "causal"]
    (found, _), (expected, _) = both("attention", *both_ways)
    close(found[:1], expected[:1])
    (a, _), (b, _) = both("attention_grad", found[1], g, (True, True, True, False))
    (a_numpy, _), _ = both("attention_grad", expected[1], g, (True, True, True, False))
    close(a[:3], a_numpy[:3])
    assert a[3] is None


@pytest.mark.parametrize("centre", [False, True])
@pytest.mark.parametrize("shape", [(40, 1), (7, 5), (3, 20, 64), (200, 35)])
def test_layer_norm(isa: str, shape: tuple[int, ...], centre: bool) -> None:
    x, g = random(*shape) + 3, random(*shape, seed=1)
    for gamma, beta in ((random(shape[-1], seed=2), random(shape[-1], seed=3)), (None, None)):
        (found, _), (expected, _) = both("layer_norm", x, gamma, beta, 1e-3, centre)
        close(found[:1], expected[:1])
        needs = (True, gamma is not None, beta is not None)
        (a, _), _ = both("layer_norm_grad", found[1], g, needs)
        (b, _), _ = both("layer_norm_grad", expected[1], g, needs)
        close(a, b, 5e-5)


@pytest.mark.parametrize("units", [1, 5, 16, 33])
def test_gru(isa: str, units: int) -> None:
    z, u = random(18, 6, 3 * units) * 2, random(units, 3 * units, seed=1) * 0.5
    for reverse, bias in ((False, None), (True, random(3 * units, seed=2))):
        arguments = (z, u, bias, random(18, units, seed=3), None, None, "tanh", "sigmoid", True, reverse)
        (found, _), (expected, _) = both("gru", *arguments)
        close(found[:2], expected[:2])
        g = [random(*a.shape, seed=4) for a in expected[:2]]
        (a, _), (b, _) = both("gru_grad", expected[2], *g, (True,) * 4)
        close(a, b)


@pytest.mark.parametrize("units", [1, 5, 16, 33])
def test_lstm(isa: str, units: int) -> None:
    z, u = random(18, 6, 4 * units) * 2, random(units, 4 * units, seed=1) * 0.5
    states = random(18, units, seed=2), random(18, units, seed=3)
    for reverse in (False, True):
        (found, _), (expected, _) = both("lstm", z, u, *states, None, None, "tanh", "sigmoid", reverse)
        close(found[:3], expected[:3])
        g = [random(*a.shape, seed=4) for a in expected[:3]]
        (a, _), (b, _) = both("lstm_grad", expected[3], *g, (True,) * 4)
        close(a, b)


@pytest.mark.parametrize("classes", [1, 10, 33])
def test_cross_entropy(isa: str, classes: int) -> None:
    logits = random(1200, classes) * 30
    labels = np.random.default_rng(0).integers(0, classes, 1200).astype("int32")
    (found, _), (expected, _) = both("cross_entropy", labels, logits, True, True, 1e-7)
    close(found, expected)
    for g in (random(1200, seed=1), np.broadcast_to(np.float32(0.5), 1200)):
        (a, _), (b, _) = both("cross_entropy_grad", labels, expected[1], g, True, True, 1e-7)
        close([a], [b])
    labels[5] = classes
    with pytest.raises(IndexError):
        both("cross_entropy", labels, logits, True, True, 1e-7)
    with pytest.raises(IndexError):
        _compiled.cross_entropy_grad(expected[1], labels, random(1200), np.empty_like(expected[1]))


@pytest.mark.parametrize("act", [None, "relu", "tanh"])
@pytest.mark.parametrize("leading", [(128,), (3, 5), (1,), ()], ids=str)
def test_dense_layers(isa: str, leading: tuple[int, ...], act: str | None) -> None:
    x, w, b = random(*leading, 20), random(20, 37, seed=1), random(37, seed=2)
    for bias in (b, None):
        (y, _), (expected, _) = both("dense", x, w, bias, act)
        close([y], [expected])
    if not leading:
        return
    gy = random(*leading, 37, seed=3)
    (found, _), (expected, _) = both("dense_grad", x, w, b, y, act, gy, (True, True, True))
    close(found, expected)
    places = [np.empty_like(w), np.empty_like(b)]
    gx, *found = cpu.dense_grad(x, w, b, y, act, gy, (False, *places))
    assert gx is None and all(a is place for a, place in zip(found, places))
    close(found, expected[1:])


@pytest.mark.parametrize("rows", [1, 5, 40])
def test_relu_of_a_dense_layer_keeps_a_nan(isa: str, rows: int) -> None:
    x, w = random(rows, 20), random(20, 37, seed=1)
    x[0, 3] = np.nan
    (y, _), (expected, _) = both("dense", x, w, None, "relu")
    np.testing.assert_array_equal(np.isnan(y), np.isnan(expected))


def test_dense_layers_leave_other_arrays_to_numpy(isa: str) -> None:
    x, w, b = random(6, 20), random(20, 7, seed=1), random(7, seed=2)
    expected = cpu.dense(x, w, b, None)
    gy = random(6, 7, seed=3)
    gradients = cpu.dense_grad(x, w, b, expected, None, gy, (True,) * 3)
    apart = np.asfortranarray
    close([cpu.dense(apart(x), w, b, None), cpu.dense(x, apart(w), b, None)], [expected] * 2)
    close([cpu.dense(x.astype("float64"), w.astype("float64"), b.astype("float64"), None)], [expected])
    close(cpu.dense_grad(apart(x), w, b, expected, None, apart(gy), (True,) * 3), gradients)
    assert cpu.dense(x[:0], w, b, None).shape == (0, 7)
    assert [a.shape for a in cpu.dense_grad(x[:0], w, b, expected[:0], None, gy[:0], (True,) * 3)] == [
        (0, 20), (20, 7), (7,),
    ]  # fmt: skip
    place = apart(np.empty_like(w))  # a destination that the kernel can't write to
    close([cpu.dense_grad(x, w, b, expected, None, gy, (False, place, False))[1]], [gradients[1]])
    for wrong in ((x, w[:19], b), (x, w, b[:6])):
        with pytest.raises(ValueError):
            cpu.dense(*wrong, None)


def test_moments_that_decay_end_at_zero(isa: str) -> None:
    """Numbers below the smallest normal one stay what they are in rounding, and cost many times as much."""
    w, g = random(100), np.zeros(100, "float32")
    m, v = np.full((2, 100), 1e-44, "float32")
    before = w.copy()
    _compiled.adam(w, g, m, v, 1e-3, 0.9, 0.999, 1e-7)
    assert not m.any() and not v.any()
    np.testing.assert_array_equal(w, before)
    assert np.float32(1e-44) * np.float32(1) > 0  # everybody else has them still


@pytest.mark.parametrize("act", ["sigmoid", "tanh"])
@pytest.mark.parametrize("shape", [(40, 37), (300, 256)], ids=str)
def test_squashing_activations(isa: str, act: str, shape: tuple[int, ...]) -> None:
    x = random(*shape) * 20
    x[0, :3] = np.nan, np.inf, -np.inf
    (found, _), (expected, _) = both("activate", x, act)
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-7)
    (found, _), (expected, _) = both("activate_grad", random(*shape, seed=1), expected, act)
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(40, 37), (300, 256), (5, 6, 784), (2000, 1)], ids=str)
def test_squared_error(isa: str, shape: tuple[int, ...]) -> None:
    (found, _), (expected, _) = both("squared_error", random(*shape), random(*shape, seed=1))
    close(found, expected)
    g = random(*shape[:-1], seed=2)
    for gradient in (g, np.broadcast_to(g.dtype.type(0.5), g.shape)):
        (gp, _), (expected_gp, _) = both("squared_error_grad", expected[1], gradient)
        close([gp], [expected_gp])


def test_functions_over_their_range(isa: str) -> None:
    """exp, sigmoid and tanh inside the LSTM step, from the gates that it leaves behind."""
    x = np.concatenate([np.linspace(-100, 100, 4001), [0.0, -0.0, 1e-8, -1e-8]]).astype("float32")
    n = len(x)
    gates, zeros = np.zeros((1, n, 4), "float32"), np.zeros((n, 1), "float32")
    out = [np.zeros((shape), "float32") for shape in ((2, n, 1), (1, n, 1))]
    hs = np.empty((n, 1, 1), "float32")
    z = np.repeat(x, 4).reshape(n, 1, 4)
    _compiled.lstm((n, 1, 1, 0), z, np.zeros((1, 4), "float32"), zeros, hs, gates, *out)
    with np.errstate(over="ignore"):
        expected = 1 / (1 + np.exp(-x.astype("float64")))
    np.testing.assert_allclose(gates[0, :, 0], expected, rtol=2e-6, atol=1e-37)
    np.testing.assert_allclose(gates[0, :, 2], np.tanh(x.astype("float64")), rtol=1e-6, atol=1e-9)


def test_same_bits_each_time_and_any_number_of_threads_for_a_result() -> None:
    x, w = random(6, 14, 14, 8), random(3, 3, 8, 20, seed=1)
    shape = (6, 14, 14, 8, 3, 3, 20, 12, 12, 1, 1, 1, 1, 0, 0)
    gy = random(6, 12, 12, 20, seed=2)
    before = _compiled.threads(0)
    _compiled.worth_sharing(0.0)
    try:
        for threads in (1, 2, 3):
            config.set_num_threads(threads)
            assert _compiled.threads(0) == threads
            first, second = np.empty((2, *w.shape), "float32")
            _compiled.conv_kernel_grad(shape, x, gy, first)
            _compiled.conv_kernel_grad(shape, x, gy, second)
            np.testing.assert_array_equal(first, second)
    finally:
        _compiled.threads(before)
        _compiled.worth_sharing(50e3)
    with pytest.raises(ValueError, match="set_num_threads"):
        config.set_num_threads(0)


def test_arrays_that_do_not_fit_are_refused() -> None:
    shape = (1, 4, 4, 2, 3, 3, 5, 2, 2, 1, 1, 1, 1, 0, 0)
    x, w, y = random(1, 4, 4, 2), random(3, 3, 2, 5), np.empty((1, 2, 2, 5), "float32")
    for bad in (
        (shape, x[:, :3], w, None, False, y, None),
        (shape, x.astype("float64"), w, None, False, y, None),
        (shape, x, w, random(4), False, y, None),
        (shape[:-1], x, w, None, False, y, None),
        ((*shape[:9], 0, *shape[10:]), x, w, None, False, y, None),
        (shape, x, w, None, False, y),
        (shape, x, w, None, False, y, (2, 2, 0, 1, 1, 1)),
        (shape, x, w, None, False, np.empty((1, 4, 2, 5), "float32"), (4, 2, 0, 0, 4, 1)),
    ):
        with pytest.raises((TypeError, ValueError, BufferError)):
            _compiled.conv(*bad)
    y.flags.writeable = False
    with pytest.raises((TypeError, ValueError, BufferError)):
        _compiled.conv(shape, x, w, None, False, y, None)


def test_training_gives_the_same_losses(isa: str) -> None:
    layers = deepkit.layers
    x = random(64, 10, 10, 2)
    y = np.random.default_rng(0).integers(0, 3, 64)
    losses = []
    for on in (True, False):
        native.enable(on)
        deepkit.utils.set_random_seed(1)
        model = deepkit.Sequential([
            layers.Input((10, 10, 2)), layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.BatchNormalization(), layers.MaxPooling2D(), layers.Conv2D(16, 3, strides=2), layers.Flatten(),
            layers.Dense(3),
        ])  # fmt: skip
        model.compile("adam", deepkit.losses.SparseCategoricalCrossentropy(from_logits=True))
        losses.append(model.fit(x, y, batch_size=16, epochs=5, shuffle=False, verbose=0).history["loss"])
    native.enable()
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)

"""The gradient tape and gradients of gradients."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import deepkit
from deepkit import GradientTape, ops
from tests.helpers import check_gradient, check_second_order


def scalar(value):
    return ops.convert_to_tensor(np.asarray(value, "float64"))


def test_variables_are_watched_and_tensors_are_not(device):
    v, frozen, x = deepkit.Variable(2.0), deepkit.Variable(3.0, trainable=False), ops.convert_to_tensor(5.0)
    with GradientTape() as tape:
        y = v * v * frozen * x
    assert [v.path for v in tape.watched_variables()] == [v.path]
    grads = tape.gradient(y, {"v": v, "others": [frozen, x]})
    assert float(grads["v"]) == 60 and grads["others"] == [None, None]
    with GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = v * x
    assert tape.gradient(y, v) is None


def test_unconnected_output_gradients_and_several_targets(device):
    x, z = scalar([1.0, 2.0]), scalar(7.0)
    with GradientTape() as tape:
        tape.watch([x, z])
        y, w = x * x, x * 3
    assert tape.gradient([y, w], [x, z], unconnected_gradients="zero")[0].tolist() == [5, 7]
    with GradientTape() as tape:
        tape.watch([x, z])
        y = x * x
    g = tape.gradient(y, [x, z], output_gradients=scalar([10.0, 0.0]), unconnected_gradients="zero")
    assert g[0].tolist() == [20, 0] and float(g[1]) == 0
    with pytest.raises(RuntimeError, match="persistent"):
        tape.gradient(y, x)


def test_persistent(device):
    x = scalar(3.0)
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    assert float(tape.gradient(z, x)) == 108 and float(tape.gradient(y, x)) == 6 and float(tape.gradient(z, y)) == 18


def test_third_derivative(device):
    x = scalar(2.0)
    with GradientTape() as a:
        a.watch(x)
        with GradientTape() as b:
            b.watch(x)
            with GradientTape() as c:
                c.watch(x)
                y = x**4
            first = c.gradient(y, x)
        second = b.gradient(first, x)
    assert (float(first), float(second), float(a.gradient(second, x))) == (32, 48, 48)
    assert float(deepkit.grad(deepkit.grad(deepkit.grad(ops.exp)))(scalar(0.0))) == 1
    da, db = deepkit.grad(lambda a, b: a * a * b, argnums=(0, 1))(scalar(3.0), scalar(5.0))
    assert (float(da), float(db)) == (30, 9)


def test_an_inner_tape_sees_only_its_own_part(device):
    w = deepkit.Variable(3.0)
    with GradientTape() as outer:
        y = w * w
        with GradientTape() as inner:
            z = y * w
        assert float(inner.gradient(z, w)) == 9
    assert float(outer.gradient(z, w)) == 27


def test_stop_recording_reset_and_stop_gradient(device):
    x = scalar(3.0)
    with GradientTape() as tape:
        tape.watch(x)
        with tape.stop_recording():
            constant = x * x
        y = constant * x
    assert float(tape.gradient(y, x)) == 9
    with GradientTape() as tape:
        tape.watch(x)
        y = ops.stop_gradient(x * x) * x
    assert float(tape.gradient(y, x)) == 9
    with pytest.raises(RuntimeError, match="with"):
        tape.watch(x)


def test_a_tensor_of_an_earlier_tape_is_a_constant(device):
    v = deepkit.Variable(2.0)
    with GradientTape():
        old = v * v
    with GradientTape() as tape:
        y = old * v
    assert float(tape.gradient(y, v)) == 4


def test_dtypes_of_gradients(device):
    a, b = deepkit.Variable(np.ones(2, "float32")), deepkit.Variable(np.ones(2, "float64"))
    with GradientTape() as tape:
        y = ops.sum(a * b)
    ga, gb = tape.gradient(y, [a, b])
    assert (ga.dtype, gb.dtype) == ("float32", "float64")


def test_threads_have_tapes_of_their_own(device):
    v = [deepkit.Variable(float(i)) for i in range(8)]
    results: dict = {}

    def work(i):
        for _ in range(50):
            with GradientTape() as tape:
                y = v[i] * v[i]
            results[i] = float(tape.gradient(y, v[i]))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == {i: 2.0 * i for i in range(8)}


def test_broadcasting_gradients(device):
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(4, 1, 3)), rng.normal(size=(5, 1)), rng.normal(size=())
    check_gradient(lambda a, b, c: a * b + c / (a * a + 1), a, b, c)
    check_second_order(lambda a, b, c: a * b * c, a, b, c)


def test_gradient_penalty_of_wgan_gp_against_differences(device):
    """E[(|∇ₓ D(x)| - 1)²] and its gradient for the critic's weights (Gulrajani et al. 2017)."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(5, 4))
    weights = [rng.normal(size=s) for s in ((4, 6), (6,), (6, 1), (1,))]

    def penalty(w1, b1, w2, b2):
        points = ops.convert_to_tensor(x)
        with GradientTape() as tape:
            tape.watch(points)
            hidden = ops.dense(points, ops.convert_to_tensor(w1), ops.convert_to_tensor(b1), act="tanh")
            score = ops.dense(hidden, ops.convert_to_tensor(w2), ops.convert_to_tensor(b2))
        slope = tape.gradient(score, points)
        return ops.mean(ops.square(ops.sqrt(ops.sum(ops.square(slope), axis=1)) - 1))

    with GradientTape() as probe:  # the same value with and without an outer tape
        tensors = [ops.convert_to_tensor(w) for w in weights]
        probe.watch(tensors)
        inside = penalty(*tensors)
    assert float(inside) == pytest.approx(float(penalty(*weights)), rel=1e-12)
    check_gradient(penalty, *weights)


def test_convolution_twice(device):
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(2, 5, 5, 2)), rng.normal(size=(3, 3, 2, 3))
    check_second_order(lambda x, w: ops.tanh(ops.conv(x, w)), x, w)

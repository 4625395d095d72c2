"""When the device has no memory left: what the error says, and that the model is as it was."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers, memory
from deepkit.backend import cuda


@pytest.fixture
def pool(gpu):
    """The simulated device's pool, whose limit is taken away at the end."""
    if gpu != "simulated":
        pytest.skip("the limit is that of the simulated device")
    import cupy

    pool = cupy.get_default_memory_pool()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda, "load", cuda.kernel_module)
        with deepkit.device("gpu"):
            pool.free_all_blocks()
            yield pool
            pool.set_limit(0)


class Wide(layers.Layer):
    """Takes so many floats a sample for itself, and more in its gradient."""

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.width = width

    def call(self, x):
        wide = deepkit.ops.tanh(deepkit.ops.repeat(x[:, :1], self.width, axis=1))
        return x + 0.0 * deepkit.ops.mean(wide, axis=1, keepdims=True)


class Greedy(deepkit.metrics.Mean):
    """A metric that needs much memory."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        deepkit.ops.zeros((y_pred.shape[0], 10_000))
        super().update_state(y_pred)


def network(*parts):
    deepkit.utils.set_random_seed(0)
    model = deepkit.Sequential([layers.Dense(8), layers.BatchNormalization(), layers.Dropout(0.5), *parts,
                                layers.Dense(2, name="last")], name="net")  # fmt: skip
    model.compile("adam", "mse", metrics=["mae"])
    return model


def everything(model):
    """All that a step may change."""
    found = [*model.variables, *model.optimizer.variables, *(v for m in model.metrics for v in m.variables)]
    return [v.numpy() for v in found]


def data(n):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, 4)).astype("float32"), rng.standard_normal((n, 2)).astype("float32")


@pytest.mark.parametrize("kind", ["forward", "metric", "nested"])
def test_the_model_is_as_it_was(pool, kind):
    wide = Wide(10_000, name="wide")
    parts = {"forward": [wide], "metric": [], "nested": [deepkit.Sequential([wide], name="inner")]}
    model = network(*parts[kind])
    if kind == "metric":
        model.compile("adam", "mse", metrics=["mae", Greedy(name="greedy")])
    small, large = data(4), data(64)
    for _ in range(3):
        model.train_on_batch(*small)
    before = everything(model)
    pool.set_limit(pool.used_bytes() + 1_000_000)
    run = model.train_function
    with pytest.raises(memory.OutOfMemoryError) as caught:
        run(*large)
    for a, b in zip(before, everything(model)):
        np.testing.assert_array_equal(a, b)
    error = caught.value
    expected = {"forward": "net/wide", "metric": None, "nested": "net/inner/wide"}[kind]
    assert error.layer == expected
    assert error.requested == 64 * 10_000 * 4
    assert error.batch_size == 64 and 1 <= error.suggested_batch_size < 64
    assert error.stats.limit == pool.get_limit()
    said = str(error)
    assert (expected or "'net'") in said and "2,560,000 bytes" in said and "as they were before" in said
    assert f"batch_size={error.suggested_batch_size}" in said and "estimate" in said
    try:  # an estimate: the second, from a step that came further, is right
        model.fit(*large, batch_size=error.suggested_batch_size, verbose=0)
    except memory.OutOfMemoryError as again:
        model.fit(*large, batch_size=again.suggested_batch_size, verbose=0)


def test_in_a_gradient(pool):
    model = network(Wide(10_000, name="wide"))
    model.train_on_batch(*data(4))
    before = everything(model)
    found = {}
    for room in range(3_000_000, 14_000_000, 500_000):  # somewhere the way back is what fails
        pool.free_all_blocks()
        pool.set_limit(pool.used_bytes() + room)
        try:
            model.train_function(*data(64))
        except memory.OutOfMemoryError as error:
            if "gradient" in str(error):
                found = {"error": error, "state": everything(model)}
                break
    assert found
    assert found["error"].layer.startswith("net/")
    for a, b in zip(before, found["state"]):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_every_method_says_so(pool, method):
    model = network(Wide(10_000, name="wide"))
    x, y = data(64)
    model.fit(x[:4], y[:4], verbose=0)
    pool.set_limit(pool.used_bytes() + 1_000_000)
    arguments = (x,) if method == "predict" else (x, y)
    with pytest.raises(memory.OutOfMemoryError, match="'net/wide'"):
        getattr(model, method)(*arguments, batch_size=64, verbose=0)


def test_one_sample_is_too_much(pool):
    model = network(Wide(10_000_000, name="wide"))
    model.train_on_batch(*data(1))
    pool.free_all_blocks()
    pool.set_limit(pool.used_bytes() + 1_000_000)
    with pytest.raises(memory.OutOfMemoryError, match="not one sample fits") as caught:
        model.train_function(*data(2))
    assert caught.value.suggested_batch_size is None
    with pytest.raises(memory.OutOfMemoryError, match="1 samples|1 sample") as caught:
        model.train_function(*data(1))


def test_weights_that_find_no_room(pool):
    x, y = data(4)
    model = deepkit.Sequential([layers.Dense(8), layers.Dense(100_000, name="wide"), layers.Dense(2)], name="net")
    model.compile("sgd", "mse")
    pool.free_all_blocks()
    pool.set_limit(pool.used_bytes() + 1_000_000)
    with pytest.raises(memory.OutOfMemoryError, match="for the weights of layer 'net/wide'.*3,200,000 bytes") as caught:
        model.fit(x, y, verbose=0)
    assert caught.value.layer == "net/wide"
    pool.set_limit(0)
    model.fit(x, y, verbose=0)


def test_an_optimizer_that_finds_no_room(pool):
    x, y = data(4)
    model = deepkit.Sequential([deepkit.Input((4,)), layers.Dense(20_000), layers.Dense(2)], name="net")
    model.compile("adam", "mse")
    before = model.get_weights()
    pool.free_all_blocks()
    for room in (500_000, 1_500_000):  # in the arena, in the slots
        pool.set_limit(pool.used_bytes() + room)
        with pytest.raises(memory.OutOfMemoryError, match="for the optimizer of model 'net'"):
            model.fit(x, y, verbose=0)
        for a, b in zip(before, model.get_weights()):
            np.testing.assert_array_equal(a, b)
    pool.set_limit(0)
    model.fit(x, y, verbose=0)
    assert int(model.optimizer.iterations) == 1


def test_an_optimizer_takes_no_more_than_it_needs(pool):
    model = deepkit.Sequential([deepkit.Input((1000,)), layers.Dense(1000, use_bias=False)])
    one = 4_000_000
    model.compile("adam", "mse")
    pool.free_all_blocks()
    before = memory.stats().used
    model.optimizer.build(model.trainable_variables)
    model.optimizer.apply([deepkit.ops.zeros((1000, 1000))])
    assert memory.stats().used - before == pytest.approx(3 * one, abs=8192)  # gradients, two means; weights moved


def test_an_update_that_had_begun_is_owned_up_to(pool, monkeypatch):
    model = network()
    model.train_on_batch(*data(4))

    def fail(*args):
        raise MemoryError("Out of memory allocating 1,024 bytes")

    monkeypatch.setattr(model.optimizer, "rule", fail)
    with pytest.raises(memory.OutOfMemoryError, match="isn't whole"):
        model.train_function(*data(5))


def test_the_processor_names_the_layer(monkeypatch):
    with deepkit.device("cpu"):
        model = network(Wide(10, name="wide"))
        model.train_on_batch(*data(4))
        monkeypatch.setattr(Wide, "call", lambda self, x: np.empty((1 << 50, 4), "float64"))
        with pytest.raises(memory.OutOfMemoryError, match="'net/wide'") as caught:
            model.train_function(*data(4))
        assert caught.value.requested == 1 << 55


def test_stats_and_release(pool):
    start = memory.stats()
    assert start.device == "gpu:0" and start.total == 80 << 30
    x = deepkit.ops.zeros((1000, 1000))
    now = memory.stats()
    assert now.used - start.used == pytest.approx(4_000_000, abs=512)
    assert now.available is not None and "gpu:0" in str(now)
    del x
    assert memory.stats().used == start.used and memory.stats().held >= now.used
    assert memory.release() >= 4_000_000
    assert memory.stats().held == memory.stats().used
    pool.set_limit(10 << 20)
    assert memory.stats().limit == 10 << 20 and memory.stats().available <= 10 << 20


def test_stats_and_release_on_the_processor():
    with deepkit.device("cpu"):
        memory.release()
        start = memory.stats()
        a = deepkit.backend.active().empty_reused((1 << 20,), "float32")
        assert memory.stats().used - start.used == 4 << 20
        del a
        assert memory.stats().held - memory.stats().used >= 4 << 20
        assert memory.release() >= 4 << 20
        assert memory.stats().held == memory.stats().used and memory.stats().limit is None

"""Training data comes to the device once, or a batch ahead: in the right order, and without a wait."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers
from deepkit.training.data import make_loader
from deepkit.training.data_device import StagedLoader, on_device

from .fake_cupy import counters, no_synchronization


def no_room(patch):
    """No data fits on the device from here on."""
    from deepkit.backend.cuda import kernels

    patch.setattr(kernels, "data_room", lambda: 0)


def samples(n=23):
    rng = np.random.default_rng(0)
    x = {"a": rng.standard_normal((n, 3)).astype("float32"), "b": rng.integers(0, 9, (n, 2, 2)).astype("int32")}
    return x, rng.standard_normal((n, 1)).astype("float32"), rng.random(n).astype("float32")


def host(tree):
    return deepkit.tree.map_structure(lambda a: a.get() if hasattr(a, "get") else np.array(a), tree)


def epochs(loader, count=2):
    return [host([batch for _, batch in loader.epoch(i)]) for i in range(count)]


def same(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(deepkit.tree.flatten(found), deepkit.tree.flatten(expected)):
        np.testing.assert_array_equal(a, b)
        assert np.asarray(a).dtype == np.asarray(b).dtype


class Batches(deepkit.utils.PyDataset):
    """Batches in an order of the loader's."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.data = samples()

    num_batches = 6

    def __getitem__(self, i):
        x, y, w = self.data
        rows = slice(i * 4, i * 4 + 4)
        return {key: value[rows] for key, value in x.items()}, y[rows], w[rows]


def loaders(kind, **how):
    deepkit.utils.set_random_seed(1)
    if kind == "dataset":
        return make_loader(Batches(), shuffle=True)
    if kind == "generator":
        data = Batches()
        return make_loader((data[i % 6] for i in range(100)), steps=6)
    return make_loader(*samples(), batch_size=4, shuffle=how.get("shuffle", True))


@pytest.mark.parametrize("shuffle", [True, False, "batch"])
def test_data_that_fits_is_copied_once(simulated, shuffle):
    expected = epochs(loaders("arrays", shuffle=shuffle))
    counters.reset()
    loader = on_device(loaders("arrays", shuffle=shuffle))
    assert counters.to_device == 4 and not isinstance(loader, StagedLoader)
    with no_synchronization():
        found = [[batch for _, batch in loader.epoch(i)] for i in range(2)]
    assert counters.to_device == 4 + 2 * bool(shuffle)  # the order of each epoch
    assert all(hasattr(leaf, "get") for leaf in deepkit.tree.flatten(found))
    same(host(found), expected)


@pytest.mark.parametrize("kind", ["arrays", "dataset", "generator"])
def test_other_data_comes_a_batch_ahead(simulated, kind):
    expected = epochs(loaders(kind))
    no_room(simulated)
    loader = on_device(loaders(kind))
    assert isinstance(loader, StagedLoader)
    with no_synchronization():
        found = [[batch for _, batch in loader.epoch(i)] for i in range(2)]
    same(host(found), expected)


def test_a_batch_is_begun_before_the_one_that_is_out_is_done_with(simulated):
    made = []

    def batches():
        for i in range(5):
            made.append(i)
            yield np.full((2, 3), i, "float32"), np.zeros((2, 1), "float32")

    out = [(i, list(made)) for i, _ in on_device(make_loader(batches(), steps=5)).epoch()]
    assert out == [(0, [0, 1]), (1, [0, 1, 2]), (2, [0, 1, 2, 3]), (3, [0, 1, 2, 3, 4]), (4, [0, 1, 2, 3, 4])]


def test_pinned_memory_is_not_written_to_before_its_copy(simulated):
    """The simulation does copies as late as it may: a piece that is written to too early shows in what arrives."""
    stage = deepkit.backend.active().stage()
    put = [stage.put([np.full(5, i, "float32")]) for i in range(2)]
    counters.reset()
    put.append(stage.put([np.full(5, 2, "float32")]))  # nobody has waited for the first
    assert counters.synchronizations == 1
    for i, there in enumerate(put):
        np.testing.assert_array_equal(stage.take(there)[0].get(), i)
    memory = deepkit.memory.stats()
    assert memory.pinned >= 2 * 20


def test_the_simulation_is_late(simulated):
    import cupy

    there, stream = cupy.empty(3, np.float32), cupy.cuda.Stream(non_blocking=True)
    source = np.ones(3, np.float32)
    there.set(source, stream=stream)
    assert np.isnan(there.get()).all()
    event = stream.record()
    assert not event.done
    cupy.cuda.get_current_stream().wait_event(event)
    assert event.done and there.get().tolist() == [1, 1, 1]


def test_an_error_of_the_source_comes_after_the_batches_before_it(simulated):
    def batches():
        yield np.ones((2, 3), "float32"), np.ones((2, 1), "float32")
        yield np.ones((2, 3), "float32"), np.ones((2, 1), "float32")
        raise OSError("the disk is gone")

    seen = []
    with pytest.raises(OSError, match="the disk is gone"):
        for i, _ in on_device(make_loader(batches(), steps=5)).epoch():
            seen.append(i)
    assert seen == [0, 1]


def test_where_it_stands_is_where_the_batches_that_are_out_end(simulated):
    plain, expected = loaders("dataset"), []
    for _ in plain.epoch():
        expected.append(plain.state())
    no_room(simulated)
    staged, found, rest = on_device(loaders("dataset")), [], []
    for _ in staged.epoch():
        found.append(staged.state())
    assert found == expected
    again = on_device(loaders("dataset"))
    again.set_state(expected[2])
    rest = [batch for _, batch in again.epoch()]
    same(host(rest), epochs(loaders("dataset"), 1)[0][3:])


def test_strings_stay_on_the_host(simulated):
    loader = on_device(make_loader(np.array(["a", "b", "c"]), np.ones((3, 1), "float32"), batch_size=2))
    batches = [batch for _, batch in loader.epoch()]
    assert isinstance(batches[0][0], np.ndarray) and hasattr(batches[0][1], "get")
    assert batches[1][0].tolist() == ["c"]


def test_memory_that_is_short_is_no_error(simulated):
    import cupy

    pool = cupy.get_default_memory_pool()
    from deepkit.backend.cuda import kernels

    simulated.setattr(kernels, "data_room", lambda: 1 << 40)
    pool.free_all_blocks()
    pool.set_limit(pool.used_bytes() + 4096)
    try:
        x = np.ones((4096, 1), "float32")
        loader = on_device(make_loader(x, batch_size=64))
        assert isinstance(loader, StagedLoader) and sum(1 for _ in loader.epoch()) == 64
    finally:
        pool.set_limit(0)


def test_a_batch_that_finds_no_room_ahead_is_left_to_its_step(simulated):
    loader = StagedLoader(make_loader(np.ones((4, 2), "float32"), batch_size=2), deepkit.backend.active().stage())

    def full(arrays):
        raise MemoryError

    loader.stage.put = full
    assert [type(batch[0]) for _, batch in loader.epoch()] == [np.ndarray] * 2


def test_the_share_of_memory(simulated):
    import cupy

    pool = cupy.get_default_memory_pool()
    pool.free_all_blocks()
    room = deepkit.backend.active().data_room()
    assert room == pytest.approx((60 << 30) // 4, rel=1e-3)
    pool.set_limit(pool.used_bytes() + (1 << 20))
    try:
        assert deepkit.backend.active().data_room() <= 1 << 18
    finally:
        pool.set_limit(0)


def trained(where, room, patch=None, kind="arrays"):
    deepkit.utils.set_random_seed(5)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 3)).astype("float32"), rng.standard_normal((40, 1)).astype("float32")
    with deepkit.device(where):
        if patch is not None and not room:
            no_room(patch)
        model = deepkit.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(1)])
        model.compile("adam", "mse")
        history = model.fit(x, y, batch_size=8, epochs=3, validation_split=0.2, verbose=0)
        return history.history, model.predict(x, batch_size=16, verbose=0), model.evaluate(x, y, verbose=0)


@pytest.mark.parametrize("room", [True, False])
def test_training_is_that_of_the_processor(simulated, room):
    expected, found = trained("cpu", True), trained("gpu", room, simulated)
    for key, values in expected[0].items():
        np.testing.assert_allclose(found[0][key], values, rtol=1e-4)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-4, atol=1e-5)
    assert found[2] == pytest.approx(expected[2], rel=1e-4)


@pytest.mark.parametrize("room", [True, False])
def test_an_epoch_does_not_wait(simulated, room):
    if not room:
        no_room(simulated)
    model = deepkit.Sequential([layers.Dense(4), layers.Dense(1)])
    model.compile("adam", "mse")
    x, y = np.ones((40, 3), "float32"), np.ones((40, 1), "float32")

    def waits(n):
        counters.reset()
        model.fit(x[:n], y[:n], batch_size=4, verbose=0)
        return counters.synchronizations, counters.to_device

    waits(4)
    waits(40)
    few, many = waits(8), waits(40)
    assert few[0] == many[0] <= 1
    if room:
        assert few[1] == many[1]


def test_the_processor_has_nothing_to_do():
    with deepkit.device("cpu"):
        loader = make_loader(np.ones((4, 2), "float32"))
        assert on_device(loader) is loader and loader._device is None

"""Memory doesn't grow over many calls."""

from __future__ import annotations

import gc
import sys
import tracemalloc

import numpy as np
import pytest

import deepkit
from deepkit import layers
from deepkit.backend.cpu import native


@pytest.fixture
def device(device, request):
    """The simulated device's own bookkeeping is larger than what these tests look for, and slow."""
    if device == "cuda" and request.getfixturevalue("gpu") == "simulated":
        pytest.skip("would measure the simulation")
    return device


def growth(fn, times: int, warm: int) -> int:
    """Bytes by which Python's and NumPy's allocations grow over ``times`` calls, garbage collection off.

    Free lists of the interpreter and NumPy fill up to some 300 KB whatever is called; a leak grows with ``times``.
    """
    for _ in range(warm):
        fn()
    gc.collect()
    gc.disable()
    try:
        tracemalloc.start()
        fn()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(times):
            fn()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        gc.enable()
    return after - before


def net():
    model = deepkit.Sequential([deepkit.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def test_steps_leave_nothing_behind_even_without_the_cycle_collector(device):
    model, x, y = net(), np.ones((32, 8), "float32"), np.ones((32, 1), "float32")
    assert growth(lambda: model.train_on_batch(x, y), 1000, 5) < 400_000


@pytest.mark.slow
def test_ten_thousand_predictions(device):
    model, x = net(), np.ones((1, 8), "float32")
    assert growth(lambda: model.predict(x, verbose=0), 10_000, 20) < 400_000


@pytest.mark.slow
def test_two_hundred_epochs(device):
    model, x, y = net(), np.ones((64, 8), "float32"), np.ones((64, 1), "float32")
    assert growth(lambda: model.fit(x, y, epochs=1, verbose=0), 200, 5) < 400_000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts pages that Linux hands out")
@pytest.mark.skipif(native.state.module is None, reason="NumPy's own kernels make temporaries")
def test_later_steps_take_no_memory_from_the_system():
    """Each new page of memory costs a fault: some thousand a step for these activations, were they allocated anew."""
    import resource

    model = deepkit.Sequential([
        deepkit.Input((28, 28, 1)), layers.Conv2D(32, 3, activation="relu"), layers.BatchNormalization(),
        layers.MaxPooling2D(2), layers.Flatten(), layers.Dropout(0.5), layers.Dense(64, activation="relu"),
        layers.Dense(10),
    ])  # fmt: skip
    model.compile("adam", deepkit.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = np.random.default_rng(0).random((640, 28, 28, 1), "float32"), np.arange(640) % 10
    model.fit(x, y, batch_size=64, verbose=0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    model.fit(x, y, batch_size=64, verbose=0)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 1000  # of 10 steps, and the beginning of fit

"""An interrupted training that goes on ends as one that ran through, to the bit."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit as keras

from .kill_and_resume import differing, kill_and_resume, train


class Interrupted(Exception):
    pass


class Interrupt(keras.callbacks.Callback):
    """Raises at a given batch, counted over the epochs."""

    def __init__(self, at: int):
        super().__init__()
        self.left = at

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left < 0:
            raise Interrupted


class Fail(keras.callbacks.Callback):
    """Raises in the validation of a given epoch, when its last batch has been saved."""

    def on_test_begin(self, logs=None):
        raise Interrupted


@pytest.mark.parametrize("dataset", [False, True])
@pytest.mark.parametrize("save_freq", [1, 3, "epoch"])
def test_an_interruption_at_a_batch_leaves_no_trace(tmp_path, save_freq, dataset):
    interrupt_and_resume(tmp_path, save_freq, dataset)


def test_an_interruption_on_each_device(tmp_path, device):
    interrupt_and_resume(tmp_path, 1, False)


def interrupt_and_resume(tmp_path, save_freq, dataset):
    """Train in one go, and with an interruption at each of some batches; nothing may differ."""
    whole = train(tmp_path / "whole", save_freq, 4, dataset)
    for at in (0, 4, 5, 7, 13):
        folder = tmp_path / str(at)
        with pytest.raises(Interrupted):
            train(folder, save_freq, 4, dataset, [Interrupt(at)])
        assert not differing(whole, train(folder, save_freq, 4, dataset)), at


def test_an_interruption_before_the_validation_leaves_no_trace(tmp_path):
    whole = train(tmp_path / "whole", 1, 3)
    with pytest.raises(Interrupted):
        train(tmp_path / "cut", 1, 3, extra=[Fail()])
    assert not differing(whole, train(tmp_path / "cut", 1, 3))


def test_a_killed_process_goes_on(tmp_path):
    assert kill_and_resume(tmp_path, 5) == (5, [])


@pytest.mark.slow
def test_two_hundred_kills(tmp_path):
    for seed in range(1, 41):
        folder = tmp_path / str(seed)
        folder.mkdir()
        assert kill_and_resume(folder, 5, seed) == (5, [])


def test_a_saved_model_goes_on(tmp_path):
    keras.utils.set_random_seed(1)
    x, y = np.random.rand(32, 3).astype("float32"), np.random.rand(32, 1).astype("float32")
    hidden = [keras.layers.Dense(4), keras.layers.Dropout(0.3)]
    model = keras.Sequential([keras.Input((3,)), *hidden, keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(
        x, y, epochs=4, shuffle=False, verbose=0,
        callbacks=[keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")],
    )  # fmt: skip
    other = keras.models.load_model(tmp_path / "2.keras")
    other.fit(x, y, epochs=4, initial_epoch=2, shuffle=False, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights()))
    pairs = zip(model.optimizer.variables, other.optimizer.variables)
    assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in pairs)

"""Callbacks in real trainings: interruption and resumption to the bit, checkpoints, averaged weights, what is shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

import deepkit
import deepkit.saving
from deepkit import layers
from deepkit.callbacks import (
    BackupAndRestore,
    Callback,
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    SwapEMAWeights,
    TerminateOnNaN,
)

X = np.random.default_rng(0).normal(size=(50, 4)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def net(optimizer="adam", seed=3):
    deepkit.utils.set_random_seed(seed)
    model = deepkit.Sequential(
        [deepkit.Input((4,)), layers.Dense(6, activation="tanh"), layers.Dropout(0.3), layers.Dense(1)]
    )
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


class Interrupt(Callback):
    """Raises after a number of steps, as a crash would."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    runs_last = True  # and after the backup, as it stands behind it

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("freq", "steps"), [("epoch", 8), ("epoch", 6), (1, 1), (1, 5), (1, 6), (3, 11), (2, 7)]
)
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, freq, steps, device):
    whole = net()
    whole.fit(X, Y, batch_size=10, epochs=4, verbose=0)
    backup = tmp_path / "backup"
    model = net()
    with pytest.raises(KeyboardInterrupt):
        model.fit(
            X,
            Y,
            batch_size=10,
            epochs=4,
            verbose=0,
            callbacks=[BackupAndRestore(backup, freq), Interrupt(steps)],
        )
    resumed = net(seed=99)  # another start altogether: everything has to come from the backup
    history = resumed.fit(
        X, Y, batch_size=10, epochs=4, verbose=0, callbacks=[BackupAndRestore(backup, freq)]
    )
    for a, b in zip(whole.get_weights(), resumed.get_weights()):
        np.testing.assert_array_equal(a, b)
    assert history.epoch[-1] == 3 and len(history.epoch) < 5
    assert not backup.exists()
    assert resumed.fit(X, Y, epochs=1, verbose=0).epoch == [0]


def interrupted(folder, **arguments):
    model = net()
    with pytest.raises(KeyboardInterrupt):
        model.fit(
            X,
            Y,
            batch_size=10,
            epochs=4,
            verbose=0,
            callbacks=[BackupAndRestore(folder, **arguments), Interrupt(12)],
        )


def test_backups_leave_the_files_of_others_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("kept")
    net().fit(X, Y, verbose=0, callbacks=[BackupAndRestore(tmp_path)])
    assert os.listdir(tmp_path) == ["mine.txt"]
    net().fit(X, Y, verbose=0, callbacks=[BackupAndRestore(tmp_path, delete_checkpoint=False)])
    names = {"mine.txt", "training_metadata.json", "latest.weights.h5", "state-1.weights.h5", "state-1.npz"}
    assert set(os.listdir(tmp_path)) == names
    net().load_weights(tmp_path / "latest.weights.h5")


def test_a_damaged_backup_is_named_or_the_one_before_taken(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    interrupted(one)
    interrupted(two, double_checkpoint=True)
    for folder in (one, two):
        newest = json.loads((folder / "training_metadata.json").read_text())["backups"][0]["weights"]
        (folder / newest).write_bytes(b"damaged")
    with pytest.raises(ValueError, match="can't be restored"):
        net().fit(X, Y, verbose=0, callbacks=[BackupAndRestore(one)])
    with pytest.warns(UserWarning, match="the one before is taken"):
        history = net().fit(X, Y, batch_size=10, epochs=4, verbose=0, callbacks=[BackupAndRestore(two)])
    assert history.epoch == [0, 1, 2, 3]  # the history goes on, too


@pytest.mark.parametrize(
    "metadata",
    ["", "{}", "[1]", '{"backups": [{"weights": "../../x.weights.h5", "epoch": 1}]}',
     '{"backups": [{"weights": "state-1.weights.h5", "epoch": "many"}]}'],
)  # fmt: skip
def test_malformed_metadata_is_refused(tmp_path, metadata):
    (tmp_path / "training_metadata.json").write_text(metadata)
    with pytest.raises(ValueError, match="malformed"):
        net().fit(X, Y, verbose=0, callbacks=[BackupAndRestore(tmp_path)])


def test_backup_arguments():
    with pytest.raises(ValueError, match="backup_dir"):
        BackupAndRestore("")
    with pytest.raises(ValueError, match="save_freq"):
        BackupAndRestore("x", save_freq="batch")


KILLED = """
import os, sys
import numpy as np
import deepkit
from deepkit import layers, callbacks
model = deepkit.Sequential([deepkit.Input((300,)), layers.Dense(300)])
model.compile("adam", "mse")
x = np.ones((8, 300), "float32")
model.fit(x, x, epochs=10**6, verbose=0, callbacks=[
    callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: print("epoch", flush=True)),
    callbacks.ModelCheckpoint(sys.argv[1] + "/m.weights.h5", save_weights_only=True),
    callbacks.BackupAndRestore(sys.argv[1] + "/backup", save_freq=1)])
"""


def test_a_process_killed_while_it_saves_leaves_whole_files(tmp_path):
    model = deepkit.Sequential([deepkit.Input((300,)), layers.Dense(300)])
    model.compile("adam", "mse")
    for delay in (0.01, 0.05, 0.11):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2):  # with the second one the first has been saved
            assert process.stdout.readline() == "epoch\n"
        time.sleep(delay)
        process.kill()
        process.wait()
        process.stdout.close()
        model.load_weights(tmp_path / "m.weights.h5")
    epoch = json.loads((tmp_path / "backup" / "training_metadata.json").read_text())["backups"][0]["epoch"]
    x = np.ones((8, 300), "float32")
    history = model.fit(x, x, epochs=epoch + 2, verbose=0, callbacks=[BackupAndRestore(tmp_path / "backup")])
    assert history.epoch == list(range(epoch + 2))


def test_checkpoints_can_be_loaded(tmp_path):
    model = net()
    files = [
        ModelCheckpoint(tmp_path / "{epoch:02d}-{val_mae:.3f}.keras"),
        ModelCheckpoint(
            tmp_path / "best.weights.h5", save_weights_only=True, save_best_only=True, monitor="val_mae"
        ),
    ]
    history = model.fit(X, Y, epochs=3, verbose=0, validation_split=0.2, callbacks=files)
    names = sorted(os.listdir(tmp_path))
    assert names == [f"{i + 1:02d}-{v:.3f}.keras" for i, v in enumerate(history.history["val_mae"])] + [
        "best.weights.h5"
    ]
    again = deepkit.saving.load_model(tmp_path / names[2])
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_checkpoint_where_a_folder_is_in_the_way(tmp_path):
    (tmp_path / "m.keras").mkdir()
    with pytest.raises(OSError, match="directory"):
        net().fit(X, Y, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "m.keras")])


def test_early_stopping_restores_the_best(device):
    model, seen = net("sgd"), []
    model.optimizer.learning_rate = 0.05
    keep = deepkit.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((logs["val_loss"], model.get_weights()))
    )
    worse = LearningRateScheduler(lambda epoch, rate: 5.0 if epoch > 2 else rate)
    stop = EarlyStopping(patience=2, restore_best_weights=True)
    history = model.fit(X, Y, epochs=20, verbose=0, validation_split=0.2, callbacks=[keep, worse, stop])
    assert len(history.epoch) < 20 and "learning_rate" in history.history
    best = min(seen, key=lambda entry: entry[0])[1]
    for a, b in zip(best, model.get_weights()):
        np.testing.assert_array_equal(a, b)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_terminate_on_nan(capsys):
    model = net("sgd")
    model.fit(
        X, np.where(np.arange(50)[:, None] == 0, np.inf, Y), epochs=5, verbose=0, callbacks=[TerminateOnNaN()]
    )
    assert "training ends" in capsys.readouterr().out and model.history.epoch == [0]


def test_averaged_weights_are_swapped_in_and_out(device):
    optimizer = deepkit.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
    model = net(optimizer)
    seen = {}

    class Look(Callback):
        def on_test_begin(self, logs=None):
            seen["test"] = model.get_weights()

        def on_train_batch_end(self, batch, logs=None):
            seen["train"] = model.get_weights()

        def on_epoch_end(self, epoch, logs=None):
            seen["after"] = model.get_weights()

    model.fit(X, Y, epochs=1, verbose=0, validation_data=(X, Y), callbacks=[SwapEMAWeights(), Look()])
    assert (seen["test"][0] != seen["train"][0]).any()
    np.testing.assert_array_equal(seen["after"][0], seen["train"][0])
    np.testing.assert_array_equal(model.get_weights()[0], seen["test"][0])
    with pytest.raises(ValueError, match="use_ema"):
        net().evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights()])


def test_averages_seen_by_a_checkpoint_are_the_final_weights(tmp_path):
    model = net(deepkit.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5))
    path = tmp_path / "{epoch}.weights.h5"
    model.fit(
        X,
        Y,
        epochs=2,
        verbose=0,
        callbacks=[SwapEMAWeights(True), ModelCheckpoint(path, save_weights_only=True)],
    )
    final = model.get_weights()
    model.load_weights(tmp_path / "2.weights.h5")
    np.testing.assert_array_equal(model.get_weights()[0], final[0])


def test_lines_where_there_is_no_terminal(capsys):
    model = net()
    model.fit(X, Y, batch_size=10, epochs=2, validation_split=0.2)
    model.evaluate(X, Y, verbose=2)
    model.predict(X)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1/2" and lines[2] == "Epoch 2/2" and len(lines) == 6
    assert lines[1].startswith("4/4 - 0s - ") and "loss: " in lines[1] and "val_mae: " in lines[1]
    assert lines[4].startswith("2/2 - ") and lines[5].startswith("2/2 - ")
    model.fit(X, Y, verbose=0)
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match="verbose"):
        model.fit(X, Y, verbose=3)


def test_a_generator_that_runs_out_ends_the_training():
    with pytest.warns(UserWarning, match="ran out"):
        history = net().fit(((X, Y) for _ in range(5)), steps_per_epoch=2, epochs=9, verbose=0)
    assert history.epoch == [0, 1, 2]

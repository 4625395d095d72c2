"""Callbacks on plain stand-ins for models: when they act and what they say."""

from __future__ import annotations

import csv
import timeit

import numpy as np
import pytest

from deepkit.callbacks import (
    Callback,
    CallbackList,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from deepkit.training.callbacks.callback import lazy_logs, resolve


class Metric:
    def __init__(self, name):
        self.name = name


class Optimizer:
    learning_rate = 0.1


class Model:
    """What callbacks ask of a model."""

    def __init__(self):
        self.stop_training = False
        self.weights = [0.0]
        self.optimizer = Optimizer()
        self.metrics = [Metric("loss")]
        self.saved = []

    def get_weights(self):
        return list(self.weights)

    def set_weights(self, weights):
        self.weights = list(weights)

    def save(self, path, overwrite=True):
        self.saved.append(path)

    save_weights = save


def train(callback, values, monitor="val_loss", first=0):
    """Run epochs with these values of the monitored entry; gives the model and the number of epochs."""
    model = Model()
    listeners = CallbackList([callback], model=model, verbose=0, epochs=len(values), steps=1)
    listeners.on_train_begin()
    epochs = 0
    for epoch, value in enumerate(values, first):
        model.weights = [float(epoch)]
        listeners.on_epoch_begin(epoch)
        listeners.on_epoch_end(epoch, {monitor: value})
        epochs += 1
        if model.stop_training:
            break
    listeners.on_train_end()
    return model, epochs


# -- the list
# -----------------------------------------------------------------------------------------------------------
def test_logs_are_read_only_when_somebody_looks():
    reads = []

    def logs():
        reads.append(1)
        return {"loss": np.float32(0.5), "acc": 1}

    class Careless(Callback):
        @lazy_logs
        def on_train_batch_end(self, batch, logs=None):
            pass

    class Looks(Callback):
        def on_train_batch_end(self, batch, logs=None):
            assert (
                logs == {"acc": 1.0, "loss": 0.5}
                and type(logs["loss"]) is float
                and list(logs) == ["acc", "loss"]
            )

    CallbackList([Careless(), History()]).on_train_batch_end(0, logs)
    assert not reads
    CallbackList([Looks(), Looks(), Careless()]).on_train_batch_end(0, logs)
    assert len(reads) == 1

    class Subclass(Careless):
        def on_train_batch_end(self, batch, logs=None):
            assert isinstance(logs, dict)

    CallbackList([Subclass()]).on_train_batch_end(0, logs)
    assert len(reads) == 2


def test_a_step_costs_next_to_nothing_without_batch_hooks():
    listeners = CallbackList([History(), EarlyStopping(), ReduceLROnPlateau()])
    timer = timeit.Timer(lambda: (listeners.on_train_batch_begin(1), listeners.on_train_batch_end(1, None)))
    assert min(timer.repeat(5, 2000)) / 2000 < 5e-6  # 0.2 µs when the machine is quiet


def test_old_and_new_names_of_batch_hooks():
    calls = []

    class Old(Callback):
        def on_batch_begin(self, batch, logs=None):
            calls.append(("old begin", batch))

        def on_batch_end(self, batch, logs=None):
            calls.append(("old end", logs))

    listeners = CallbackList(
        [Old(), LambdaCallback(on_train_batch_end=lambda batch, logs: calls.append(("new", logs)))]
    )
    listeners.on_train_batch_begin(3)
    listeners.on_train_batch_end(3, {"loss": 1.0})
    assert calls == [("old begin", 3), ("old end", {"loss": 1.0}), ("new", {"loss": 1.0})]


def test_logs_added_by_one_callback_reach_the_next():
    history = train_with_history([LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(extra=epoch))])
    assert history.history["extra"] == [0, 1]


def train_with_history(callbacks):
    model = Model()
    listeners = CallbackList(callbacks, add_history=True, model=model)
    listeners.on_train_begin()
    for epoch in range(2):
        listeners.on_epoch_end(epoch, {"loss": 1.0})
    return model.history


def test_list_refuses_classes_and_others():
    with pytest.raises(TypeError, match=r"History\(...\)"):
        CallbackList([History])
    with pytest.raises(TypeError, match="3"):
        CallbackList([3])


def test_resolve_flattens():
    assert resolve({"b": {"c": np.array(2)}, "a": "x"}) == {"a": "x", "c": 2.0}
    assert resolve(None) == {}


# -- early stopping
# -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "values", "epochs", "weights"),
    [
        ({}, [3, 2, 2.5, 1], 3, 2),
        ({"patience": 2}, [3, 2, 2.5, 2.1, 1], 4, 3),
        ({"patience": 2}, [3, 2, 2.5, 1, 0], 5, 4),
        ({"patience": 2, "restore_best_weights": True}, [3, 2, 2.5, 2.1, 1], 4, 1),
        ({"patience": 9, "restore_best_weights": True}, [3, 2, 2.5, 2.1], 4, 1),
        ({"min_delta": 0.5, "patience": 1}, [3, 2.8, 2.7], 2, 1),
        ({"mode": "max", "patience": 1}, [1, 2, 1, 3], 3, 2),
        ({"monitor": "val_accuracy", "patience": 1}, [1, 2, 1, 3], 3, 2),
        ({"baseline": 1.0, "patience": 2}, [3, 2, 1.5, 1.7], 4, 3),
        ({"baseline": 1.0, "patience": 2, "restore_best_weights": True}, [3, 2, 4, 0.5], 3, 1),
        ({"start_from_epoch": 2, "patience": 1}, [1, 2, 3, 4], 4, 3),
        ({"patience": 1}, [float("nan"), 2, 1, 1.5], 4, 3),
    ],
)
def test_early_stopping(arguments, values, epochs, weights):
    model, ran = train(EarlyStopping(**arguments), values, arguments.get("monitor", "val_loss"))
    assert (ran, model.weights) == (epochs, [float(weights)])


def test_early_stopping_can_be_used_again():
    stop = EarlyStopping(patience=1)
    assert train(stop, [2, 3])[1] == train(stop, [2, 3])[1] == 2


def test_early_stopping_says_what_is_missing(capsys):
    with pytest.warns(UserWarning, match="'val_loss'.*Available: loss"):
        train(EarlyStopping(), [1], "loss")
    with pytest.raises(ValueError, match="mode='max'"):
        train(EarlyStopping("wonder"), [1, 2], "wonder")
    with pytest.warns(UserWarning, match="unknown"):
        assert EarlyStopping(mode="up").mode == "auto"
    train(EarlyStopping(verbose=1, restore_best_weights=True), [1, 2])
    assert capsys.readouterr().out == "Epoch 2: early stopping\nRestoring the weights of the best epoch: 1.\n"


@pytest.mark.parametrize(
    ("name", "up"), [("auc", True), ("val_f1_score", True), ("mae", False), ("out_loss", False)]
)
def test_direction_by_name(name, up):
    callback = EarlyStopping(name)
    callback.set_model(Model())
    assert callback.improved(2, 1) is up and callback.improved(1, 2) is not up


# -- checkpoints
# --------------------------------------------------------------------------------------------------------
def test_checkpoint_names(tmp_path):
    path = str(tmp_path / "sub" / "{epoch:02d}-{val_loss:.2f}.keras")
    model, _ = train(ModelCheckpoint(path), [0.5, 0.25])
    assert [p.rsplit("/", 1)[1] for p in model.saved] == ["01-0.50.keras", "02-0.25.keras"]
    assert (tmp_path / "sub").is_dir()


def test_checkpoint_of_the_best(tmp_path, capsys):
    callback = ModelCheckpoint(
        tmp_path / "{epoch}.weights.h5", save_best_only=True, save_weights_only=True, verbose=1
    )
    model, _ = train(callback, [3, 2, 4, 1])
    assert [p.rsplit("/", 1)[1] for p in model.saved] == ["1.weights.h5", "2.weights.h5", "4.weights.h5"]
    assert "did not improve from 2.00000" in capsys.readouterr().out
    assert (
        len(
            train(ModelCheckpoint("m.keras", save_best_only=True, initial_value_threshold=1.5), [3, 1])[
                0
            ].saved
        )
        == 1
    )
    with pytest.warns(UserWarning, match="isn't available"):
        assert len(train(ModelCheckpoint("m.keras", save_best_only=True), [3], "loss")[0].saved) == 1


def test_checkpoint_each_so_many_batches():
    model = Model()
    listeners = CallbackList([ModelCheckpoint("{epoch}-{batch}.keras", save_freq=3)], model=model)
    for epoch in range(2):
        listeners.on_epoch_begin(epoch)
        for batch in range(4):
            listeners.on_train_batch_end(batch, lambda: {"loss": 1.0})
    assert model.saved == ["1-3.keras", "2-2.keras"]


@pytest.mark.parametrize(
    "name",
    [
        "{logs.__class__}",
        "{epoch.__class__}",
        "{val_loss[0]}",
        "{}",
        "{0}",
        "{epoch!r}",
        "{epoch:{width}}",
        "{epoch",
    ],
)
def test_checkpoint_refuses_fields_that_reach_into_objects(name):
    with pytest.raises(ValueError, match="field"):
        ModelCheckpoint(name + ".keras")


def test_checkpoint_arguments():
    for arguments, message in (
        ({"filepath": "m.txt"}, ".keras"),
        ({"filepath": "m.keras", "save_weights_only": True}, ".weights.h5"),
        ({"filepath": "m.keras", "save_freq": "batch"}, "save_freq"),
    ):
        with pytest.raises(ValueError, match=message):
            ModelCheckpoint(**arguments)
    with pytest.raises(KeyError, match="val_loss"):
        train(ModelCheckpoint("{val_los}.keras"), [1])


# -- learning rates
# -----------------------------------------------------------------------------------------------------
def test_scheduler():
    model, _ = train(LearningRateScheduler(lambda epoch, rate: rate / 2), [1, 1])
    assert model.optimizer.learning_rate == pytest.approx(0.025)
    model, _ = train(LearningRateScheduler(lambda epoch: 1.0 / (1 + epoch)), [1, 1])
    assert model.optimizer.learning_rate == 0.5
    with pytest.raises(ValueError, match="None"):
        train(LearningRateScheduler(lambda epoch, rate: None), [1])

    def fails(epoch, rate):
        raise TypeError("inner")

    with pytest.raises(TypeError, match="inner"):
        train(LearningRateScheduler(fails), [1])


@pytest.mark.parametrize(
    ("arguments", "values", "rate"),
    [
        ({"patience": 2}, [1, 1, 1], 0.01),
        ({"patience": 2}, [1, 1, 0.5, 0.5], 0.1),
        ({"patience": 1, "factor": 0.5}, [1, 1, 1], 0.025),
        ({"patience": 1, "factor": 0.5, "cooldown": 2}, [1, 1, 1], 0.05),
        ({"patience": 1, "min_lr": 0.04}, [1, 1, 1, 1], 0.04),
        ({"patience": 1, "min_delta": 0.1}, [1, 0.95], 0.01),
        ({"patience": 1, "mode": "max"}, [1, 2, 3], 0.1),
    ],
)
def test_reduce_on_plateau(arguments, values, rate):
    assert train(ReduceLROnPlateau(**arguments), values)[0].optimizer.learning_rate == pytest.approx(rate)


def test_reduce_on_plateau_arguments():
    with pytest.raises(ValueError, match="factor"):
        ReduceLROnPlateau(factor=1.0)
    with pytest.warns(UserWarning, match="Available"):
        train(ReduceLROnPlateau(), [1], "loss")


# -- the others
# ---------------------------------------------------------------------------------------------------------
def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    train(CSVLogger(path), [3, 2], "loss")
    train(CSVLogger(path, append=True), [1], "loss", first=2)
    rows = list(csv.reader(path.open()))
    assert rows == [["epoch", "loss", "val_loss"], ["0", "3.0", "NA"], ["1", "2.0", "NA"], ["2", "1.0", "NA"]]
    train(CSVLogger(path, separator=";"), [3])
    assert path.read_text().splitlines() == ["epoch;val_loss", "0;3.0"]


def test_lambda_callback():
    with pytest.raises(ValueError, match="on_epoch_end"):
        LambdaCallback(on_epoch_ends=print)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_terminate_on_nan(loss, capsys):
    model = Model()
    listeners = CallbackList([TerminateOnNaN()], model=model)
    listeners.on_train_batch_end(0, {"loss": 1.0})
    assert not model.stop_training
    listeners.on_train_batch_end(1, lambda: {"loss": loss})
    assert model.stop_training and "Batch 1" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="batch 1"):
        CallbackList([TerminateOnNaN(raise_error=True)]).on_train_batch_end(1, {"loss": loss})

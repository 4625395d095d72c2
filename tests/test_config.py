"""Process-wide settings: limits on runs, unsafe loading, dtype policies, and switches that are only kept."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

import deepkit
from deepkit import config, layers, mixed_precision, ops, registry


@pytest.fixture
def model():
    model = deepkit.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.fixture
def limits():
    yield config
    config.set_max_epochs(None)
    config.set_max_steps_per_epoch(None)


def test_every_name_is_there():
    for name in config.__all__:
        assert hasattr(config, name), name


def test_max_epochs(model, limits):
    config.set_max_epochs(2)
    with pytest.warns(UserWarning, match="after 2 epochs"):
        history = model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=5, verbose=0)
    assert len(history.epoch) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=2, verbose=0)


class Steps(deepkit.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.counts = {"train": 0, "test": 0, "predict": 0}

    def on_train_batch_end(self, batch, logs=None):
        self.counts["train"] += 1

    def on_test_batch_end(self, batch, logs=None):
        self.counts["test"] += 1

    def on_predict_batch_end(self, batch, logs=None):
        self.counts["predict"] += 1


def test_max_steps_per_epoch(model, limits):
    config.set_max_steps_per_epoch(3)
    x, y = np.ones((20, 2), "float32"), np.ones((20, 1), "float32")
    with pytest.warns(UserWarning, match="after 3 steps"):
        steps = Steps()
        model.fit(x, y, batch_size=2, epochs=2, validation_data=(x, y), verbose=0, callbacks=[steps])
        assert steps.counts == {"train": 6, "test": 6, "predict": 0}
        model.evaluate(x, y, batch_size=2, verbose=0, callbacks=[steps])
        assert steps.counts["test"] == 9
        assert model.predict(x, batch_size=2, verbose=0).shape == (6, 1)
        model.fit(((x[:2], y[:2]) for _ in range(9)), verbose=0, callbacks=[steps])
        assert steps.counts["train"] == 9
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(x, y, batch_size=10, verbose=0)
        model.fit(x, y, batch_size=2, steps_per_epoch=2, verbose=0)
        model.train_on_batch(x, y)


def test_limits_of_the_environment():
    program = "from deepkit import config; print(config.max_epochs(), config.max_steps_per_epoch())"
    environment = {**os.environ, "KERAS_MAX_EPOCHS": "3", "KERAS_MAX_STEPS_PER_EPOCH": "7"}
    run = lambda env: subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True)
    assert run(environment).stdout == "3 7\n"
    assert "KERAS_MAX_EPOCHS should be a positive integer" in run({**environment, "KERAS_MAX_EPOCHS": "x"}).stderr


@pytest.mark.parametrize("value", [-1, "many", 0.5])
def test_bad_limits(value):
    with pytest.raises(ValueError, match="max_epochs should be"):
        config.set_max_epochs(value)
    assert config.max_epochs() is None


def test_switches_that_are_kept():
    assert config.is_flash_attention_enabled() is None and config.is_traceback_filtering_enabled()
    try:
        config.enable_flash_attention()
        config.disable_traceback_filtering()
        assert config.is_flash_attention_enabled() and not config.is_traceback_filtering_enabled()
        config.disable_flash_attention()
        assert config.is_flash_attention_enabled() is False
    finally:
        config._flash_attention = None
        config.enable_traceback_filtering()


def test_dtype_policy():
    try:
        config.set_dtype_policy("mixed_float16")
        assert config.dtype_policy() == mixed_precision.global_policy() == mixed_precision.Policy("mixed_float16")
        assert layers.Dense(1).compute_dtype == "float16"
    finally:
        mixed_precision.set_global_policy(None)
    assert config.dtype_policy().name == "float32"
    with pytest.raises(AttributeError, match="no_such"):
        _ = mixed_precision.no_such


# -- bytecode ----------------------------------------------------------------------------------------------------------


def simple(tmp_path):
    shift = 3.0
    model = deepkit.Sequential([deepkit.Input((2,)), layers.Lambda(lambda x, s=2.0: ops.sum(x, -1) * s + shift)])
    model.save(tmp_path / "m.keras")
    return tmp_path / "m.keras"


@pytest.fixture
def safe_again(monkeypatch):
    monkeypatch.setattr(registry, "_safe_by_default", True)


def test_bytecode_is_refused(tmp_path):
    path = simple(tmp_path)
    with pytest.raises(ValueError, match="bytecode"):
        deepkit.models.load_model(path)
    assert registry.in_safe_mode()


def test_bytecode_is_never_run(tmp_path, safe_again):
    path = simple(tmp_path)
    with pytest.raises(ValueError, match="bytecode.*whatever safe_mode says"):
        deepkit.models.load_model(path, safe_mode=False)
    config.enable_unsafe_deserialization()
    assert not registry.in_safe_mode()
    with pytest.raises(ValueError, match="bytecode"):
        deepkit.saving.load_model(path)


@pytest.mark.parametrize("safe_mode", [True, None, 0, "False", False])
def test_plain_lambdas(safe_mode):
    entry = {"class_name": "__lambda__", "config": {"code": "", "defaults": None, "closure": None}}
    with pytest.raises(ValueError, match="bytecode"):
        deepkit.utils.deserialize_keras_object({"inside": [entry]}, safe_mode=safe_mode)


# -- names that are elsewhere ------------------------------------------------------------------------------------------


def test_backend_names():
    assert deepkit.backend.is_int_dtype("uint8") and not deepkit.backend.is_int_dtype("bool")
    assert not deepkit.backend.is_int_dtype("float32")
    deepkit.backend.clear_session()
    assert [deepkit.backend.get_uid("a"), deepkit.backend.get_uid("a"), deepkit.backend.get_uid()] == [1, 2, 1]


def test_lazy_names():
    assert deepkit.models.load_model is deepkit.saving.load_model
    assert deepkit.preprocessing.sequence.pad_sequences is deepkit.utils.pad_sequences
    same = deepkit.preprocessing.timeseries_dataset_from_array is deepkit.utils.timeseries_dataset_from_array
    assert same and "sequence" in dir(deepkit.preprocessing)
    for module in (deepkit.models, deepkit.preprocessing):
        with pytest.raises(AttributeError, match="no_such"):
            _ = module.no_such

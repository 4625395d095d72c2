"""fit, evaluate, predict and their single-batch forms, over all kinds of models and data."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers, ops


def data(n=64, features=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features)).astype("float32")
    return x, (x[:, :1] * 2 - x[:, 1:2]).astype("float32")


def net(**kwargs):
    deepkit.utils.set_random_seed(1)
    model = deepkit.Sequential([deepkit.Input((4,)), layers.Dense(8, activation="tanh"), layers.Dense(1)])
    model.compile(**{"optimizer": "adam", "loss": "mse", **kwargs})
    return model


def test_history_and_evaluate_agree(device):
    x, y = data()
    model = net(metrics=["mae"])
    history = model.fit(x, y, epochs=3, batch_size=16, validation_data=(x, y), verbose=0)
    assert list(history.history) == ["loss", "mae", "val_loss", "val_mae"]
    assert history.epoch == [0, 1, 2]
    loss, mae = model.evaluate(x, y, verbose=0)
    assert loss == pytest.approx(history.history["val_loss"][-1], rel=1e-6)
    p = model.predict(x, verbose=0)
    assert loss == pytest.approx(float(np.mean((p - y) ** 2)), rel=1e-5)
    assert mae == pytest.approx(float(np.mean(np.abs(p - y))), rel=1e-5)
    assert model.evaluate(x, y, verbose=0, return_dict=True) == {"loss": loss, "mae": mae}


def test_sample_and_class_weights(device):
    x, y = data()
    weights = np.where(y[:, 0] > 0, 2.0, 0.5)
    model = net(weighted_metrics=["mae"], metrics=["mae"])
    loss = model.evaluate(x, y, sample_weight=weights, batch_size=64, verbose=0, return_dict=True)
    p = model.predict(x, verbose=0)
    assert loss["loss"] == pytest.approx(float(np.mean((p - y)[:, 0] ** 2 * weights)), rel=1e-5)
    labels = (y[:, 0] > 0).astype(int)
    a, b = net(loss="binary_crossentropy"), net(loss="binary_crossentropy")
    a.fit(x, labels, class_weight={0: 1.0, 1: 3.0}, shuffle=False, verbose=0)
    b.fit(x, labels, sample_weight=np.where(labels, 3.0, 1.0), shuffle=False, verbose=0)
    np.testing.assert_array_equal(a.get_weights()[0], b.get_weights()[0])
    with pytest.raises(ValueError, match="class_weight"):
        a.fit(x, labels, class_weight={0: 1.0, 1: 1.0}, sample_weight=weights, verbose=0)


def test_several_outputs_losses_and_metrics(device):
    x, y = data()
    i = deepkit.Input((4,), name="x")
    shared = layers.Dense(8, activation="relu")(i)
    model = deepkit.Model(i, {"value": layers.Dense(1, name="value")(shared),
                              "sign": layers.Dense(1, activation="sigmoid", name="sign")(shared)})  # fmt: skip
    model.compile("adam", {"value": "mse", "sign": "binary_crossentropy"}, loss_weights={"value": 1.0, "sign": 0.5},
                  metrics={"sign": ["accuracy"]})  # fmt: skip
    history = model.fit({"x": x}, {"value": y, "sign": (y > 0).astype(int)}, epochs=2, verbose=0).history
    assert set(history) == {"loss", "value_loss", "sign_loss", "sign_accuracy"}
    total = history["value_loss"][-1] + 0.5 * history["sign_loss"][-1]
    assert history["loss"][-1] == pytest.approx(total, rel=1e-4)
    out = model.predict(x, verbose=0)
    assert set(out) == {"value", "sign"} and out["sign"].shape == (64, 1)
    listed = deepkit.Model(i, [layers.Dense(1)(shared), layers.Dense(1)(shared)])
    listed.compile("sgd", ["mse", "mae"], metrics=[["mae"], ["mse"]])
    assert len(listed.fit(x, [y, y], verbose=0).history) == 5
    with pytest.raises(ValueError, match="2 output"):
        listed.fit(x, y, verbose=0)
    with pytest.raises(ValueError, match="unknown|outputs are"):
        model.compile("adam", {"valu": "mse"})
        model.fit(x, {"value": y, "sign": y}, verbose=0)


def test_regularizers_and_added_losses_count(device):
    x, y = data()
    plain = net()
    deepkit.utils.set_random_seed(1)
    model = deepkit.Sequential([
        deepkit.Input((4,)), layers.Dense(8, activation="tanh", kernel_regularizer=deepkit.regularizers.L2(0.1)),
        layers.Dense(1, activity_regularizer="l2"),
    ])  # fmt: skip
    model.compile("adam", "mse")
    model.set_weights(plain.get_weights())
    p = plain.predict(x, verbose=0)
    expected = np.mean((p - y) ** 2) + 0.1 * np.sum(plain.get_weights()[0] ** 2) + 0.01 * np.sum(p**2) / len(x)
    assert model.evaluate(x, y, batch_size=64, verbose=0) == pytest.approx(float(expected), rel=1e-5)
    assert plain.evaluate(x, y, verbose=0) < expected
    model.fit(x, y, epochs=2, verbose=0)


def test_custom_train_step_and_compute_loss(device):
    class Doubled(deepkit.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)
            self.seen = deepkit.metrics.Sum(name="seen")

        def call(self, x, training=False):
            return self.dense(x)

        def train_step(self, batch):
            x, y = batch
            with deepkit.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            self.optimizer.apply_gradients(zip(tape.gradient(loss, self.trainable_variables), self.trainable_variables))
            self.seen.update_state(ops.ones(len(x)))
            return {"loss": loss, "seen": self.seen.result()}

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return 2 * super().compute_loss(x, y, y_pred, sample_weight, training)

    x, y = data()
    model = Doubled()
    model.compile("sgd", "mse")
    history = model.fit(x, y, epochs=3, verbose=0).history
    assert history["seen"] == [64, 64, 64]
    assert history["loss"][-1] < history["loss"][0]
    assert model.evaluate(x, y, verbose=0, return_dict=True)["loss"] == pytest.approx(
        2 * np.mean((model.predict(x, verbose=0) - y) ** 2), rel=1e-5
    )


def test_own_train_step_equals_the_built_in_one(device):
    class Same(deepkit.Sequential):
        def train_step(self, batch):
            return super().train_step(batch)

    x, y = data()
    built_in = net()
    deepkit.utils.set_random_seed(1)
    own = Same([deepkit.Input((4,)), layers.Dense(8, activation="tanh"), layers.Dense(1)])
    own.compile("adam", "mse")
    a = built_in.fit(x, y, epochs=2, shuffle=False, verbose=0).history["loss"]
    b = own.fit(x, y, epochs=2, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(a, b, rtol=1e-6)


def test_sources_of_data(device):
    pandas = pytest.importorskip("pandas")
    x, y = data()

    class Batches(deepkit.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return x[i * 16 : i * 16 + 16], y[i * 16 : i * 16 + 16]

    def generator():
        while True:
            yield from (Batches()[i] for i in range(4))

    class TorchStyle:
        def __iter__(self):
            return iter([[x[i : i + 16], y[i : i + 16]] for i in range(0, 64, 16)])

    reference = net()
    reference.fit(x, y, batch_size=16, shuffle=False, verbose=0)
    for source, kwargs in (
        ((x.tolist(), y.tolist()), {"batch_size": 16, "shuffle": False}),
        ((pandas.DataFrame(x), pandas.Series(y[:, 0])), {"batch_size": 16, "shuffle": False}),
        ((ops.convert_to_tensor(x), ops.convert_to_tensor(y)), {"batch_size": 16, "shuffle": False}),
        ((Batches(),), {"shuffle": False}),
        ((generator(),), {"steps_per_epoch": 4}),
        ((TorchStyle(),), {}),
    ):
        model = net()
        model.fit(*source, verbose=0, **kwargs)
        np.testing.assert_allclose(model.get_weights()[0], reference.get_weights()[0], rtol=1e-5, atol=1e-6)


def test_single_batches(device):
    x, y = data()
    model = net(metrics=["mae"])
    first = model.train_on_batch(x, y, return_dict=True)
    assert set(first) == {"loss", "mae"}
    losses = [model.test_on_batch(x[:8], y[:8] + shift)[0] for shift in (0.0, 1.0, 0.0)]
    assert losses[0] == losses[2] != losses[1]  # each batch for itself
    np.testing.assert_allclose(model.predict_on_batch(x), model.predict(x, verbose=0), rtol=1e-6)


def test_epochs_steps_and_validation_frequency(device):
    x, y = data()
    history = net().fit(x, y, initial_epoch=2, epochs=6, validation_split=0.25, validation_freq=2, steps_per_epoch=2,
                        batch_size=8, verbose=0)  # fmt: skip
    assert history.epoch == [2, 3, 4, 5] and len(history.history["val_loss"]) == 2


def test_partial_batches_weigh_what_they_hold(device):
    x, y = data(50)
    model = net()
    whole = model.evaluate(x, y, batch_size=50, verbose=0)
    assert model.evaluate(x, y, batch_size=32, verbose=0) == pytest.approx(whole, rel=1e-5)


def test_shuffling_repeats_with_the_seed(device):
    x, y = data()
    runs = []
    for _ in range(2):
        model = net()
        deepkit.utils.set_random_seed(9)
        model.fit(x, y, epochs=2, verbose=0)
        runs.append(model.get_weights()[0])
    np.testing.assert_array_equal(*runs)


def test_verbose_2_prints_a_line_an_epoch(capsys, device):
    x, y = data()
    net().fit(x, y, epochs=2, verbose=2)
    out = capsys.readouterr().out
    assert "Epoch 1/2" in out and "loss" in out
    net().fit(x, y, epochs=2, verbose=0)
    assert capsys.readouterr().out == ""


def test_float64_model(device):
    x, y = data()
    model = deepkit.Sequential([deepkit.Input((4,), dtype="float64"), layers.Dense(1, dtype="float64")])
    model.compile("sgd", deepkit.losses.MeanSquaredError(dtype="float64"))
    model.fit(x, y, verbose=0)
    assert model.weights[0].dtype == "float64"


def test_too_many_inputs_are_counted(device):
    x, y = data()
    with pytest.raises(ValueError, match=r"1 input\(s\), but 2"):
        net().fit([x, x], y, verbose=0)


def test_nothing_to_train(device):
    x, y = data()
    model = net()
    model.trainable = False
    with pytest.raises(ValueError, match="nothing to train"):
        model.fit(x, y, verbose=0)


def test_wgan_gradient_penalty_in_a_train_step(device):
    critic = deepkit.Sequential([deepkit.Input((3,)), layers.Dense(8, activation="tanh"), layers.Dense(1)])
    x = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(6, 3)).astype("float32"))
    optimizer = deepkit.optimizers.Adam(0.01)
    penalties = []
    for _ in range(60):
        with deepkit.GradientTape() as outer:
            with deepkit.GradientTape() as inner:
                inner.watch(x)
                score = critic(x, training=True)
            slope = inner.gradient(score, x)
            norm = ops.sqrt(ops.sum(ops.square(slope), axis=1) + 1e-12)
            penalty = ops.mean(ops.square(norm - 1))
        grads = outer.gradient(penalty, critic.trainable_variables, unconnected_gradients="zero")
        optimizer.apply_gradients(zip(grads, critic.trainable_variables))
        penalties.append(float(penalty))
    assert penalties[-1] < 0.1 * penalties[0]


def test_two_models_that_share_weights_take_turns(device):
    shared, x = layers.Dense(3), deepkit.Input((5,))
    models = [deepkit.Model(x, shared(x)) for _ in range(2)]
    for model in models:
        model.compile(deepkit.optimizers.SGD(0.1), "mse")
    for model in models * 3:
        before = shared.kernel.numpy()
        model.train_on_batch(np.ones((4, 5), "float32"), np.ones((4, 3), "float32"))
        assert (shared.kernel.numpy() != before).all()


def test_predict_of_one_batch_equals_the_long_way(device):
    x, _ = data()
    model = net()
    whole = model.predict(x, batch_size=16, verbose=0)
    for rows in (1, 16, 32):
        with_loader = model.predict(x[:rows], verbose=0, callbacks=[])
        np.testing.assert_array_equal(model.predict(x[:rows], verbose=0), with_loader)
    np.testing.assert_allclose(model.predict(x[:16].astype("float64"), 16, 0), whole[:16], rtol=1e-6)
    assert model.predict(x, verbose=0).shape == whole.shape  # two batches
    named = deepkit.Model(model.input, {"a": model.output, "b": [model.input]})
    out = named.predict(x[:3], verbose=0)
    np.testing.assert_array_equal(out["b"][0], x[:3])
    out["b"][0][:] = 0
    assert x[:3].all()
    for wrong in ({"batch_size": 0}, {"batch_size": -1}, {"steps": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            model.predict(x[:3], verbose=0, **wrong)
    with pytest.raises(ValueError, match="0 samples"):
        model.predict(x[:0], verbose=0)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    assert not model.predict(x[:3], verbose=0).any()


def test_predict_of_one_batch_sees_a_changed_model(device):
    x, _ = data()
    model = deepkit.Sequential([deepkit.Input((4,)), layers.Dense(3)])
    assert model.predict(x[:2], verbose=0).shape == (2, 3)
    model.add(layers.Dense(1))
    assert model.predict(x[:2], verbose=0).shape == (2, 1)
    model.compile("sgd", "mse")
    np.testing.assert_array_equal(model.predict(x[:2], verbose=0), model.predict_on_batch(x[:2]))

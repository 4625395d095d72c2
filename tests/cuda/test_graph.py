"""A step as a CUDA graph: the same results as launch by launch, one launch a step from the third on, and when not."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers
from deepkit.backend import cuda, replay
from deepkit.training import step as steps

from .fake_cupy import counters

pytestmark = pytest.mark.filterwarnings("error")


def dense():
    parts = [layers.Dense(8, activation="relu"), layers.Dropout(0.4), layers.Dense(3)]
    return deepkit.Sequential([deepkit.Input((5,)), *parts]), (5,)


def convolution():
    parts = [layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(), layers.MaxPooling2D()]
    parts += [layers.SpatialDropout2D(0.5), layers.Flatten(), layers.GaussianNoise(0.1), layers.Dense(3)]
    return deepkit.Sequential([deepkit.Input((8, 8, 2)), *parts]), (8, 8, 2)


def data(shape, n=24):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, *shape)).astype("float32"), rng.standard_normal((n, 3)).astype("float32")


def trained(make, optimizer, eagerly, epochs=3, batch_size=4, n=24, size=1.0):
    """Losses, weights and the number of graph launches of a short training."""
    deepkit.utils.set_random_seed(5)
    model, shape = make()
    model.compile(optimizer(), "mse", run_eagerly=eagerly)
    x, y = data(shape, n)
    counters.reset()
    history = model.fit(x, y * size, batch_size=batch_size, epochs=epochs, verbose=0)
    return history.history, [w.numpy() for w in model.weights], counters.graph_launches


OPTIMIZERS = {
    "sgd": lambda: deepkit.optimizers.SGD(0.05),
    "momentum": lambda: deepkit.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    "rmsprop": lambda: deepkit.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "adam": lambda: deepkit.optimizers.Adam(0.01, clipnorm=0.5),
    "adamw": lambda: deepkit.optimizers.AdamW(0.01, weight_decay=0.1, global_clipnorm=0.5),
    "amsgrad": lambda: deepkit.optimizers.Adam(0.01, amsgrad=True, clipvalue=0.1),
    "schedule": lambda: deepkit.optimizers.Adam(deepkit.optimizers.schedules.CosineDecay(0.05, 12)),
    "accumulated": lambda: deepkit.optimizers.Adam(0.01, gradient_accumulation_steps=3),
    "averaged": lambda: deepkit.optimizers.SGD(0.05, use_ema=True, ema_overwrite_frequency=4),
    "adamax": lambda: deepkit.optimizers.Adamax(0.01),
    "adagrad": lambda: deepkit.optimizers.Adagrad(0.05),
    "adadelta": lambda: deepkit.optimizers.Adadelta(0.5),
    "lion": lambda: deepkit.optimizers.Lion(0.01),
    "ftrl": lambda: deepkit.optimizers.Ftrl(0.05),
    "schedule free": lambda: deepkit.optimizers.ScheduleFreeAdamW(0.05, warmup_steps=5),
}


@pytest.mark.parametrize("make", [dense, convolution], ids=["dense", "convolution"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_replayed_step_is_the_eager_one_to_the_bit(simulated, optimizer, make):
    if make is convolution and optimizer not in ("adam", "schedule", "averaged"):
        pytest.skip("the model makes no difference to the other optimizers")
    losses, weights, none = trained(make, OPTIMIZERS[optimizer], eagerly=True)
    replayed, others, launches = trained(make, OPTIMIZERS[optimizer], eagerly=False)
    assert none == 0 and launches > 0
    assert losses == replayed
    for a, b in zip(weights, others):
        np.testing.assert_array_equal(a, b)


def test_one_launch_a_step_from_the_third_on(simulated):
    model, shape = dense()
    model.compile("adam", "mse")
    x, y = data(shape, 4)
    model.train_on_batch(x, y)
    run = model.train_function
    for step in range(2, 7):
        counters.reset()
        run(cuda.kernel_module().from_numpy(x), cuda.kernel_module().from_numpy(y), None)
        assert counters.graph_launches == (step > 2)
        if step > 3:
            assert counters.synchronizations == 0
            assert counters.launches == 2 + 1  # the batch into the graph's arrays, the host's numbers


def test_another_shape_of_batch_has_a_graph_of_its_own(simulated):
    _, _, launches = trained(dense, OPTIMIZERS["adam"], eagerly=False, epochs=4, batch_size=10, n=24)
    assert launches == 8 - 2 + 4 - 2  # batches of 10 and of 4


def test_evaluate_and_predict(simulated):
    model, shape = convolution()
    x, y = data(shape)
    model.compile("adam", "mse", metrics=["mae"], run_eagerly=True)
    eager = model.evaluate(x, y, batch_size=4, verbose=0), model.predict(x, batch_size=4, verbose=0)
    model.compile("adam", "mse", metrics=["mae"])
    counters.reset()
    assert model.evaluate(x, y, batch_size=4, verbose=0) == eager[0]
    assert counters.graph_launches == 4
    np.testing.assert_array_equal(model.predict(x, batch_size=4, verbose=0), eager[1])
    assert counters.graph_launches == 8


def test_validation_keeps_its_graph_over_the_epochs(simulated):
    model, shape = dense()
    x, y = data(shape, 8)
    model.compile("sgd", "mse")
    counters.reset()
    history = model.fit(x, y, batch_size=8, epochs=6, verbose=0, validation_data=(x, y))
    assert counters.graph_launches == 4 + 4
    assert len(set(history.history["val_loss"])) == 6


def test_the_learning_rate_may_change(simulated):
    rates = deepkit.callbacks.LearningRateScheduler(lambda epoch, lr: 0.1 / (epoch + 1))

    def train(eagerly):
        deepkit.utils.set_random_seed(5)
        model, shape = dense()
        model.compile(deepkit.optimizers.SGD(1.0), "mse", run_eagerly=eagerly)
        model.fit(*data(shape), batch_size=4, epochs=3, verbose=0, callbacks=[rates])
        return [w.numpy() for w in model.weights]

    for a, b in zip(train(True), train(False)):
        np.testing.assert_array_equal(a, b)


def test_weights_in_other_arrays_are_captured_anew(simulated):
    model, shape = dense()
    x, y = data(shape, 8)
    model.compile("sgd", "mse")
    run = steps.predict_runner(model)
    for _ in range(4):
        before = run(x).numpy()
    model.optimizer.build(model.trainable_variables)  # its arena takes the variables
    for v in model.trainable_variables:
        v.assign(v * 2)
    assert (run(x).numpy() != before).any()


class Own(deepkit.Model):
    """A model with a train_step of its own."""

    def __init__(self):
        super().__init__()
        self.dense, self.noise = layers.Dense(3), layers.Dropout(0.5)

    def call(self, x, training=None):
        return self.dense(self.noise(x, training=training)) * deepkit.ops.convert_to_tensor([1.0, 2.0, 3.0])

    def train_step(self, data):
        x, y = data
        with deepkit.GradientTape() as tape:
            loss = deepkit.ops.mean((self(x, training=True) - y) ** 2)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return {"error": loss}


def test_a_train_step_of_ones_own(simulated):
    losses, weights, _ = trained(lambda: (Own(), (5,)), OPTIMIZERS["adam"], eagerly=True)
    replayed, others, launches = trained(lambda: (Own(), (5,)), OPTIMIZERS["adam"], eagerly=False)
    assert launches and losses == replayed
    for a, b in zip(weights, others):
        np.testing.assert_array_equal(a, b)


class Looks(layers.Layer):
    """Reads a value while it computes."""

    def compute_output_spec(self, x):
        return deepkit.KerasTensor(x.shape, x.dtype)

    def call(self, x):
        return x * float(deepkit.ops.mean(x).numpy() > -1e9)


def test_a_step_that_waits_runs_eagerly_with_one_warning(simulated):
    def train(eagerly):
        deepkit.utils.set_random_seed(5)
        model = deepkit.Sequential([layers.Dense(3), Looks(), layers.Dropout(0.5)])
        model.compile(deepkit.optimizers.Adam(0.01), "mse", run_eagerly=eagerly)
        model.fit(*data((5,)), batch_size=4, epochs=2, verbose=0)
        return [w.numpy() for w in model.weights]

    expected = train(True)
    with pytest.warns(UserWarning, match="can't be captured as a CUDA graph: .*waits for the device") as caught:
        found = train(False)
    assert len(caught) == 1
    for a, b in zip(expected, found):
        np.testing.assert_array_equal(a, b)
    assert not replay.capturing()


@pytest.mark.parametrize("growth", [3, 2000])
def test_a_loss_scale_leaves_the_update_out_where_gradients_overflow(simulated, growth):
    made = []

    def optimizer():
        inner = deepkit.optimizers.Adam(deepkit.optimizers.schedules.ExponentialDecay(0.05, 4, 0.5), weight_decay=0.1)
        made.append(deepkit.optimizers.LossScaleOptimizer(inner, initial_scale=2.0**127, dynamic_growth_steps=growth))
        return made[-1]

    losses, weights, _ = trained(dense, optimizer, eagerly=True, size=50)
    replayed, others, launches = trained(dense, optimizer, eagerly=False, size=50)
    assert launches and losses == replayed
    for a, b in zip(weights, others):
        np.testing.assert_array_equal(a, b)
    eager, graphs = ([v.numpy().tolist() for v in o.variables[:3]] for o in made)
    assert eager == graphs
    done = [int(o.inner_optimizer.iterations.numpy()) for o in made]
    assert done[0] == done[1] < 18  # some were left out


def test_half_precision(simulated):
    def half():
        policy = deepkit.dtype_policies.DTypePolicy("mixed_float16")
        model, shape = convolution()
        parts = [type(part).from_config({**part.get_config(), "dtype": policy}) for part in model.layers]
        return deepkit.Sequential([deepkit.Input(shape), *parts]), shape

    losses, weights, _ = trained(half, OPTIMIZERS["adam"], eagerly=True)
    replayed, others, launches = trained(half, OPTIMIZERS["adam"], eagerly=False)
    assert launches and losses == replayed
    for a, b in zip(weights, others):
        np.testing.assert_array_equal(a, b)


def test_the_state_of_generators_and_optimizer_moves_on_by_one_a_step(simulated):
    model, shape = dense()
    model.compile("adam", "mse")
    model.fit(*data(shape), batch_size=4, epochs=2, verbose=0)
    assert int(model.optimizer.iterations.numpy()) == 12
    assert model.layers[1].seed_generator.state.numpy()[1] == 12

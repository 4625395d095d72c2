"""Random tensors: the documented stream, repeatability, statistics; and the initializers made of them."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import initializers, ops, random


def test_uniform_is_the_documented_stream(device):
    """Block i of a draw is Philox 4x64-10 of counter (draw << 64) + 1 + i; float32 are 24 bits of 32-bit halves."""
    seed, draw = 1234, 5
    generator = random.SeedGenerator(seed)
    generator.state.assign(np.array([seed, draw], "uint32"))
    words = np.random.Philox(key=seed, counter=draw << 64).random_raw(4)
    halves = np.stack([words & 0xFFFFFFFF, words >> 32], axis=1).ravel()
    expected = (halves >> 8).astype("float32") * np.float32(2.0**-24)
    np.testing.assert_array_equal(random.uniform((7,), seed=generator).numpy(), expected[:7])
    assert generator.state.numpy().tolist() == [seed, draw + 1]
    np.testing.assert_array_equal(
        random.uniform((4,), dtype="float64", seed=seed).numpy(),
        (np.random.Philox(key=seed).random_raw(4) >> 11) * 2.0**-53,
    )


FUNCTIONS = {
    "uniform": (lambda s: random.uniform((20_000,), -1, 3, seed=s), 1.0, 4 / 12**0.5),
    "normal": (lambda s: random.normal((20_000,), 2, 3, seed=s), 2.0, 3.0),
    "truncated_normal": (lambda s: random.truncated_normal((20_000,), 1, 2, seed=s), 1.0, 2 * 0.8796),
    "randint": (lambda s: random.randint((20_000,), 0, 10, seed=s), 4.5, 8.25**0.5),
    "gamma": (lambda s: random.gamma((20_000,), 4.0, seed=s), 4.0, 2.0),
    "beta": (lambda s: random.beta((20_000,), 2.0, 2.0, seed=s), 0.5, 0.05**0.5),
    "binomial": (lambda s: random.binomial((20_000,), 10, 0.5, seed=s), 5.0, 2.5**0.5),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_statistics_and_repeatability(name, device):
    draw, mean, std = FUNCTIONS[name]
    x = draw(3).numpy().astype("float64")
    assert x.mean() == pytest.approx(mean, abs=5 * std / 20_000**0.5)
    assert x.std() == pytest.approx(std, rel=0.03)
    np.testing.assert_array_equal(draw(3).numpy(), x)
    generator = random.SeedGenerator(3)
    first, second = draw(generator).numpy(), draw(generator).numpy()
    np.testing.assert_array_equal(first, x)
    assert not np.array_equal(first, second)


def test_global_seed(device):
    def draws():
        deepkit.utils.set_random_seed(11)
        layer = deepkit.layers.Dense(3)
        layer.build((None, 4))
        return [random.normal((3,)).numpy(), layer.kernel.numpy(), random.shuffle(np.arange(9)).numpy()]

    for a, b in zip(draws(), draws()):
        np.testing.assert_array_equal(a, b)


def test_shuffle_categorical_dropout(device):
    x = np.arange(24).reshape(2, 12)
    y = random.shuffle(x, axis=1, seed=2).numpy()
    np.testing.assert_array_equal(np.sort(y, axis=1), x)
    np.testing.assert_array_equal(y[1] - y[0], 12)
    drawn = random.categorical(np.log([[0.7, 0.2, 0.1]]), 20_000, seed=1).numpy()
    np.testing.assert_allclose(np.bincount(drawn[0]) / 20_000, [0.7, 0.2, 0.1], atol=0.02)
    kept = random.dropout(np.ones((100, 200), "float32"), 0.3, seed=5).numpy()
    assert set(np.unique(kept)) == {0.0, np.float32(1 / 0.7)}
    assert (kept == 0).mean() == pytest.approx(0.3, abs=0.02)
    rows = random.dropout(np.ones((100, 20), "float32"), 0.5, noise_shape=(None, 1), seed=5).numpy()
    assert (rows == rows[:, :1]).all()


def test_bad_seeds():
    with pytest.raises(ValueError, match="seed"):
        random.uniform((2,), seed="x")
    with pytest.raises(ValueError, match="seed"):
        random.SeedGenerator(1.5)
    with pytest.raises(ValueError, match="floating"):
        random.normal((2,), dtype="int32")


# -- initializers --------------------------------------------------------------------------------------------------

SCALED = {
    "glorot_uniform": (2 / (40 + 60)) ** 0.5, "glorot_normal": (2 / (40 + 60)) ** 0.5, "he_uniform": (2 / 40) ** 0.5,
    "he_normal": (2 / 40) ** 0.5, "lecun_uniform": (1 / 40) ** 0.5, "lecun_normal": (1 / 40) ** 0.5,
    "random_normal": 0.05, "random_uniform": 0.1 / 12**0.5, "truncated_normal": 0.05 * 0.8796,
}  # fmt: skip


@pytest.mark.parametrize("name", SCALED)
def test_scaled_initializers(name, device):
    deepkit.utils.set_random_seed(1)
    initializer = initializers.get(name)
    w = initializer((40, 60)).numpy()
    assert w.dtype == np.float32
    assert w.std() == pytest.approx(SCALED[name], rel=0.06)
    assert abs(w.mean()) < 0.1 * SCALED[name]
    np.testing.assert_array_equal(initializer((40, 60)).numpy(), w)
    seeded = initializers.get(
        {"class_name": type(initializer).__name__, "config": {**initializer.get_config(), "seed": 4}}
    )
    np.testing.assert_array_equal(seeded((5, 6)).numpy(), type(initializer)(seed=4)((5, 6)).numpy())
    assert not np.array_equal(initializers.get(name)((40, 60)).numpy(), w)


def test_the_other_initializers(device):
    assert initializers.get("zeros")((2,)).tolist() == [0, 0]
    assert initializers.get("one")((2,), "int32").tolist() == [1, 1]
    assert initializers.Constant(2.5)((2,)).tolist() == [2.5, 2.5]
    assert initializers.get(np.array([1.0, 2.0]))((2,)).tolist() == [1, 2]
    assert initializers.Identity(3)((2, 2)).tolist() == [[3, 0], [0, 3]]
    for shape in ((3, 5), (5, 3), (2, 3, 4)):
        q = initializers.Orthogonal(seed=1)(shape).numpy().reshape(-1, shape[-1])
        product = q @ q.T if q.shape[0] < q.shape[1] else q.T @ q
        np.testing.assert_allclose(product, np.eye(min(q.shape)), atol=1e-5)
    assert initializers.compute_fans((3, 3, 8, 16)) == (72, 144)
    with pytest.raises(ValueError, match="glorot_uniform"):
        initializers.get("glorot_unifrom")
    with pytest.raises(ValueError, match="distribution"):
        initializers.VarianceScaling(distribution="cauchy")
    with pytest.raises(ValueError, match="rank 2"):
        initializers.Orthogonal()((3,))


def test_a_function_as_initializer(device):
    layer = deepkit.layers.Dense(2, kernel_initializer=lambda shape, dtype=None: ops.ones(shape, dtype) * 3)
    assert float(layer(np.ones((1, 1)))[0, 0]) == 3.0


def test_bounds_and_moments_may_be_tensors(device):
    low = ops.convert_to_tensor(np.array([0.0, 10.0, 20.0], "float32"))
    x = random.uniform((500, 3), low, low + 1, seed=1).numpy()
    np.testing.assert_array_equal(np.floor(x.min(0)), [0, 10, 20])
    np.testing.assert_array_equal(np.floor(x.max(0)), [0, 10, 20])
    y = random.randint((500, 3), [0, 1, 2], ops.convert_to_tensor([2, 3, 4]), seed=1).numpy()
    assert y.min(0).tolist() == [0, 1, 2] and y.max(0).tolist() == [1, 2, 3]
    mean, stddev = ops.zeros(3), ops.ones(3)
    with deepkit.GradientTape() as tape:
        tape.watch([mean, stddev])
        z = random.normal((50, 3), mean, stddev, seed=1)
    grads = tape.gradient(z, [mean, stddev])
    np.testing.assert_array_equal(z.numpy(), random.normal((50, 3), seed=1).numpy())
    np.testing.assert_allclose(grads[0].numpy(), 50)
    np.testing.assert_allclose(grads[1].numpy(), z.numpy().sum(0), rtol=1e-5)
    assert random.gamma((2, 3), mean + 1, seed=1).shape == (2, 3)


@pytest.mark.parametrize("name", ["uniform", "normal", "truncated_normal"])
@pytest.mark.parametrize("dtype", ["int32", "bool", "complex64"])
def test_floating_dtypes_only(name, dtype):
    with pytest.raises(ValueError, match=name):
        getattr(random, name)((2,), dtype=dtype)
    assert getattr(random, name)((2,), dtype="float16").dtype == "float16"


def test_integer_dtypes_only():
    for dtype in ("float32", "bool"):
        with pytest.raises(ValueError, match="randint"):
            random.randint((2,), 0, 3, dtype=dtype)
    assert random.randint((2,), 0, 3, dtype=None).dtype == "int32"
    assert random.randint((2,), 0, 3, dtype="uint8").dtype == "uint8"


def test_dropout_of_everything(device):
    x = ops.ones(4)
    with deepkit.GradientTape() as tape:
        tape.watch(x)
        y = random.dropout(x, 1.0, seed=1)
    assert not y.numpy().any() and not tape.gradient(y, x).numpy().any()
    with pytest.raises(ValueError, match="rate"):
        random.dropout(x, 1.5)

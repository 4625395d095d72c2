"""Initializers: statistics, repeatability, fans, names and configurations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deepkit import initializers, random

RANDOM = ["RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "GlorotUniform", "GlorotNormal",
          "HeUniform", "HeNormal", "LecunUniform", "LecunNormal", "Orthogonal"]  # fmt: skip


@pytest.mark.parametrize("name", RANDOM)
def test_the_same_instance_repeats_its_values(name, device):
    initializer = getattr(initializers, name)()
    first = initializer((6, 4)).numpy()
    np.testing.assert_array_equal(first, initializer((6, 4)).numpy())
    other = getattr(initializers, name)()
    assert not np.array_equal(first, other((6, 4)).numpy())
    cls = getattr(initializers, name)
    np.testing.assert_array_equal(cls(seed=3)((6, 4)).numpy(), cls(seed=3)((6, 4)).numpy())


@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_generator_goes_on(name, device):
    initializer = getattr(initializers, name)(seed=random.SeedGenerator(1))
    assert not np.array_equal(initializer((6, 4)).numpy(), initializer((6, 4)).numpy())


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("shape", [(6, 4), (3, 3, 2, 5), (4, 9)])
def test_shape_and_dtype(name, shape, device):
    for dtype in ("float32", "float64"):
        values = getattr(initializers, name)(seed=1)(shape, dtype=dtype)
        assert values.shape == shape and str(np.dtype(values.dtype)) == dtype
        assert np.isfinite(values.numpy()).all()


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("GlorotUniform", 2 / 700),
        ("GlorotNormal", 2 / 700),
        ("HeUniform", 2 / 400),
        ("HeNormal", 2 / 400),
        ("LecunUniform", 1 / 400),
        ("LecunNormal", 1 / 400),
        ("RandomNormal", 0.05**2),
        ("RandomUniform", 0.1**2 / 12),
        ("TruncatedNormal", (0.05 * 0.87962566) ** 2),
    ],
)
def test_mean_and_variance(name, variance, device):
    values = getattr(initializers, name)(seed=7)((400, 300)).numpy()
    assert abs(values.mean()) < 5 * math.sqrt(variance / values.size)
    assert values.var() == pytest.approx(variance, rel=0.02)


@pytest.mark.parametrize(
    ("shape", "fans"), [((), (1, 1)), ((5,), (5, 5)), ((3, 4), (3, 4)), ((3, 2, 4, 8), (24, 48))]
)
def test_fans(shape, fans):
    assert initializers.compute_fans(shape) == fans


def test_bounds(device):
    assert abs(initializers.TruncatedNormal(stddev=0.5, seed=1)((1000,)).numpy()).max() <= 1.0
    values = initializers.RandomUniform(1.0, 2.0, seed=1)((1000,)).numpy()
    assert values.min() >= 1.0 and values.max() < 2.0


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (2, 2, 3)])
def test_orthogonal(shape, device):
    q = initializers.Orthogonal(gain=2.0, seed=1)(shape).numpy().reshape(-1, shape[-1])
    small = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-5)


def test_constants(device):
    np.testing.assert_array_equal(initializers.Zeros()((2, 3)).numpy(), np.zeros((2, 3)))
    np.testing.assert_array_equal(initializers.Ones()((2, 3)).numpy(), np.ones((2, 3)))
    np.testing.assert_array_equal(initializers.Constant(2.5)((2, 3)).numpy(), np.full((2, 3), 2.5))
    np.testing.assert_array_equal(initializers.Identity(3.0)((2, 3)).numpy(), 3 * np.eye(2, 3))


@pytest.mark.parametrize("name", sorted(initializers.ALL))
def test_every_name_and_its_configuration(name, device):
    initializer = initializers.get(name)
    assert isinstance(initializer, initializers.ALL[name])
    again = initializers.get(initializers.serialize(initializer))
    assert type(again) is type(initializer) and again.get_config() == initializer.get_config()


def test_get():
    assert initializers.get(None) is None
    instance = initializers.HeNormal(seed=1)
    assert initializers.get(instance) is instance
    assert isinstance(initializers.get(initializers.HeNormal), initializers.HeNormal)

    def user(shape, dtype=None):
        return np.zeros(shape, dtype)

    assert initializers.get(user) is user


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.get("he_normall"), "he_normal"),
        (lambda: initializers.VarianceScaling(scale=0), "scale"),
        (lambda: initializers.VarianceScaling(mode="fan"), "mode"),
        (lambda: initializers.VarianceScaling(distribution="gamma"), "distribution"),
        (lambda: initializers.RandomNormal(seed="one"), "seed"),
        (lambda: initializers.Identity()((2, 2, 2)), "matrices"),
        (lambda: initializers.Orthogonal()((2,)), "rank 2"),
        (lambda: initializers.get(3), "initializer"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_stft_kernels():
    """Values that Keras 3.15 gives for shape (4, 1, 3)."""
    hann = initializers.STFT()((4, 1, 3)).numpy()[:, 0]
    h = 0.5**0.5
    np.testing.assert_allclose(hann, [[0, 0, 0], [h, 0, -h], [h, -h, h], [0, 0, 0]], atol=1e-6)
    sine = initializers.STFT("imag", None, None)((4, 2, 3)).numpy()
    np.testing.assert_allclose(sine[:, 1], [[0, 0, 0], [0, -1, 0], [0, 0, 0], [0, 1, 0]], atol=1e-6)
    config = {"class_name": "STFT", "config": {"scaling": "spectrum", "periodic": True}}
    periodic = initializers.get(config)((4, 1, 3)).numpy()
    np.testing.assert_allclose(periodic[:, 0, 0], [0, 0.25, 0.5, 0.25], atol=1e-6)
    with pytest.raises(ValueError, match="scaling"):
        initializers.STFT(scaling="x")

"""The kernel module over CuPy beside that over NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import backend, layers, ops
from deepkit.backend import cpu


@pytest.fixture
def cuda(gpu):
    from deepkit.backend import cuda

    return cuda.kernel_module()


def test_every_kernel_is_there(cuda):
    names = [name for name in vars(cpu) if not name.startswith("_") and callable(getattr(cpu, name))]
    assert [name for name in names if not hasattr(cuda, name)] == []


def test_derived_kernels_are_not_numpys(cuda):
    assert cuda.adaptive_max is not cpu.adaptive_max
    assert cuda.adaptive_max.__code__.co_filename == cpu.adaptive_pool.__file__


@pytest.mark.parametrize("shape", [(3,), (40, 7), (3, 5, 6)])
def test_sums_at_indices_come_in_order(cuda, shape):
    import cupy

    rng = np.random.default_rng(0)
    indices = rng.integers(-shape[0], shape[0], (50, 2))
    for axis in range(len(shape)):
        at = indices % shape[axis]
        g = rng.normal(size=(*shape[:axis], *at.shape, *shape[axis + 1 :])).astype("float32")
        expected = cpu.elementwise.take_grad(g, at, axis, shape)
        found = cuda.take_grad(cupy.asarray(g), cupy.asarray(at), axis, shape)
        np.testing.assert_allclose(cupy.asnumpy(found), expected, rtol=1e-5, atol=1e-5)
    base = rng.normal(size=shape).astype("float32")
    values = rng.normal(size=(100, *shape[1:])).astype("float32")
    found = cuda.scatter_add(cupy.asarray(base), (cupy.asarray(indices.reshape(-1)),), cupy.asarray(values))
    expected = cpu.elementwise.scatter_add(base, (indices.reshape(-1),), values)
    np.testing.assert_allclose(cupy.asnumpy(found), expected, rtol=1e-5, atol=1e-5)


def trained(where: str) -> tuple[list[np.ndarray], list[float]]:
    deepkit.utils.set_random_seed(3)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 8, 8, 2)).astype("float32"), rng.integers(0, 3, 64)
    with deepkit.device(where):
        model = deepkit.Sequential(
            [layers.Input((8, 8, 2)), layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(),
             layers.MaxPooling2D(), layers.Flatten(), layers.Dropout(0.3), layers.Dense(3, activation="softmax")]
        )  # fmt: skip
        start = model.get_weights()
        model.compile("adam", "sparse_categorical_crossentropy")
        history = model.fit(x, y, batch_size=16, epochs=6, verbose=0)
    return start, history.history["loss"]


def test_the_same_training_as_on_the_processor(cuda, monkeypatch):
    """The same initial weights and masks to the bit, and losses that differ by rounding."""
    monkeypatch.setattr(backend.cuda, "load", backend.cuda.kernel_module)
    (a, losses), (b, expected) = trained("gpu"), trained("cpu")
    for x, y in zip(a, b):
        np.testing.assert_array_equal(x, y)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    again = trained("gpu")[1]
    assert again == losses


def test_another_device(cuda, monkeypatch):
    monkeypatch.setattr(backend.cuda, "load", backend.cuda.kernel_module)
    with pytest.raises(backend.BackendUnavailableError, match="gpu:99"), deepkit.device("gpu:99"):
        ops.ones(3)

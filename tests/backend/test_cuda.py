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


def image_model():
    parts = [layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(), layers.MaxPooling2D()]
    parts += [layers.Flatten(), layers.Dropout(0.3), layers.Dense(3, activation="softmax")]
    return deepkit.Sequential([layers.Input((8, 8, 2)), *parts]), (64, 8, 8, 2)


def text_model():
    parts = [layers.Embedding(20, 6, mask_zero=True), layers.LSTM(5, return_sequences=True), layers.GRU(4)]
    parts.append(layers.Dense(3, activation="softmax"))
    return deepkit.Sequential([layers.Input((6,), dtype="int32"), *parts]), (64, 6)


def attention_model():
    x = layers.Input((6, 8))
    y = layers.LayerNormalization()(layers.MultiHeadAttention(2, 4, dropout=0.1)(x, x) + x)
    y = layers.GlobalAveragePooling1D()(layers.Dense(8, activation="gelu")(y))
    return deepkit.Model(x, layers.Dense(3, activation="softmax")(y)), (64, 6, 8)


def trained(make, where: str) -> tuple[list[np.ndarray], list[float]]:
    """Initial weights, and the loss of each of 52 steps."""
    deepkit.utils.set_random_seed(3)
    rng = np.random.default_rng(0)
    losses: list[float] = []
    with deepkit.device(where):
        model, shape = make()
        x = rng.integers(0, 20, shape) if len(shape) == 2 else rng.normal(size=shape).astype("float32")
        start = model.get_weights()
        model.compile("adam", "sparse_categorical_crossentropy")
        each = deepkit.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: losses.append(logs["loss"]))
        model.fit(x, rng.integers(0, 3, 64), batch_size=16, epochs=13, verbose=0, callbacks=[each])
    return start, losses


@pytest.mark.parametrize("make", [image_model, text_model, attention_model])
def test_the_same_training_as_on_the_processor(cuda, monkeypatch, make):
    """The same initial weights and masks to the bit, losses that differ by rounding, and two runs the same."""
    monkeypatch.setattr(backend.cuda, "load", backend.cuda.kernel_module)
    (a, losses), (b, expected) = trained(make, "gpu"), trained(make, "cpu")
    for x, y in zip(a, b):
        np.testing.assert_array_equal(x, y)
    assert len(losses) == 52
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    assert trained(make, "gpu")[1] == losses


def test_another_device(cuda, monkeypatch):
    monkeypatch.setattr(backend.cuda, "load", backend.cuda.kernel_module)
    with pytest.raises(backend.BackendUnavailableError, match="gpu:99"), deepkit.device("gpu:99"):
        ops.ones(3)

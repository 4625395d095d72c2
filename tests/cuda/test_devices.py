"""Choosing a device, and what is said when arrays, devices or parts of the toolkit don't fit."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import backend, layers, ops
from deepkit.backend import cuda
from deepkit.backend.cuda import device as machine

from . import fake_cupy


@pytest.fixture
def cupy(gpu):
    if gpu != "simulated":
        pytest.skip("machines of several kinds are simulated")
    import cupy

    before = backend._active
    backend._active = backend.cpu
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda, "load", cuda.kernel_module)
        yield cupy
    backend._active = before


@pytest.fixture
def two(cupy):
    """Two GPUs."""
    cuda.kernel_module()
    from deepkit.backend.cuda import loader

    loader.several.cache_clear()
    with fake_cupy.devices(2):
        yield cupy
    loader.several.cache_clear()


def model():
    return deepkit.Sequential([deepkit.Input((3,)), layers.Dense(2, activation="relu")], name="net")


def test_a_device_is_chosen(two):
    assert deepkit.config.current_device() == "cpu"
    deepkit.config.set_device("gpu:1")
    assert deepkit.config.current_device() == "gpu:1" and ops.ones(2).data.device.id == 1
    with deepkit.device("gpu:0"):
        assert deepkit.config.current_device() == "gpu:0" and ops.ones(2).data.device.id == 0
        with deepkit.device("cpu"):
            assert deepkit.config.current_device() == "cpu" and isinstance(ops.ones(2).data, np.ndarray)
        assert deepkit.config.current_device() == "gpu:0"
    assert deepkit.config.current_device() == "gpu:1"
    deepkit.config.set_device("cpu")
    assert deepkit.config.backend() == "numpy"


def test_the_second_gpu_trains(two):
    x, y = np.ones((8, 3), "float32"), np.ones((8, 2), "float32")
    with deepkit.device("gpu:1"):
        net = model()
        net.compile("adam", "mse")
        net.fit(x, y, verbose=0)
        assert deepkit.memory.stats().device == "gpu:1" and net.predict(x, verbose=0).shape == (8, 2)


@pytest.mark.parametrize("name", ["gpu:7", "cuda:7"])
def test_no_such_gpu(two, name):
    with pytest.raises(deepkit.config.BackendUnavailableError, match="no 'gpu:7'.*2 GPUs, numbers 0 to 1"):
        deepkit.config.set_device(name)
    with pytest.raises(deepkit.config.BackendUnavailableError, match="Use 'gpu:0'"):
        with deepkit.device(name):
            pass
    assert deepkit.config.current_device() == "cpu" and two.cuda.runtime.getDevice() == 0


@pytest.mark.parametrize("name", ["gpu:", "gpu:-1", "cpu:1", "tpu", 0])
def test_no_such_name(cupy, name):
    with pytest.raises(ValueError, match="'cpu', 'gpu' or 'gpu:N'"):
        deepkit.config.set_device(name)
    assert deepkit.config.current_device() == "cpu"


def test_the_variable_names_a_gpu(two, monkeypatch):
    monkeypatch.setenv("DEEPKIT_BACKEND", "gpu:1")
    backend._active = None
    assert deepkit.config.current_device() == "gpu:1"


def test_arrays_on_two_gpus(two):
    with deepkit.device("gpu:1"):
        there = ops.ones((2, 3))
    with deepkit.device("gpu:0"):
        here = ops.ones((3, 2))
        with pytest.raises(ValueError, match=r"\(2, 3\) is on gpu:1, one of shape \(3, 2\) on gpu:0.*Move one"):
            ops.matmul(there, here)
        with pytest.raises(ValueError, match=r"is on gpu:1, and deepkit computes on gpu:0.*inside `with"):
            ops.exp(there)
        with pytest.raises(ValueError, match=r"is on gpu:1, and deepkit computes on gpu:0"):
            ops.softmax(there)  # a kernel of ours
    with deepkit.device("gpu:1"):
        assert float(ops.sum(ops.softmax(there))) == pytest.approx(2)


def test_arrays_on_the_gpu_and_the_processor(cupy):
    with deepkit.device("gpu"):
        there = ops.ones(3)
    with deepkit.device("cpu"):
        here = ops.ones(3)
        assert ops.exp(there).data.device.id == 0  # alone, an array is computed with where it is
        for first, second in ((here, there), (there, here)):
            with pytest.raises(ValueError, match="several devices.*on (cpu|gpu:0).*on (cpu|gpu:0)"):
                first + second


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict", "train_on_batch"])
def test_a_model_on_another_device(cupy, method):
    with deepkit.device("gpu"):
        net = model()
        net.compile("sgd", "mse")
    before = net.get_weights()
    data = (np.ones((4, 3), "float32"), np.ones((4, 2), "float32"))[: 1 if method == "predict" else 2]
    with deepkit.device("cpu"):
        with pytest.raises(ValueError, match="'net' has its weights on gpu:0.*computes on cpu.*deepkit.device"):
            getattr(net, method)(*data)
    np.testing.assert_array_equal(before[0], net.get_weights()[0])


def test_a_cupy_array_without_the_backend(cupy, monkeypatch):
    monkeypatch.setattr(backend, "KERNELS", {np.ndarray: backend.cpu})
    monkeypatch.setattr("deepkit.autograd.op.KERNELS", backend.KERNELS)
    x = cupy.ones((4, 3), "float32")
    with pytest.raises(TypeError, match="cupy.ndarray is on a GPU.*set_backend.*get\\(\\)"):
        ops.exp(x)
    net = model()
    net.compile("sgd", "mse")
    with pytest.raises(TypeError, match="cupy.ndarray is on a GPU.*set_backend.*get\\(\\)"):
        net.fit(x, x, verbose=0)


def test_a_cupy_array_as_data(cupy):
    x = np.arange(12, dtype="float32").reshape(4, 3)
    with deepkit.device("gpu"):
        net = model()
        np.testing.assert_array_equal(net.predict(cupy.asarray(x), verbose=0), net.predict(x, verbose=0))


@pytest.mark.parametrize("dtype", ["longdouble", "datetime64[s]", "U3"])
def test_dtypes_that_no_gpu_has(cupy, dtype):
    if dtype == "longdouble" and np.dtype(dtype).char != "g":
        pytest.skip("it is a double here")
    with deepkit.device("gpu"), pytest.raises((TypeError, ValueError), match="(?i)convert|strings go through"):
        ops.convert_to_tensor(np.zeros(3, dtype))


@pytest.mark.parametrize("says", ["cannot open source file \"cuda_fp16.h\"", "libnvrtc.so.12: cannot open"])
def test_a_missing_part_of_the_toolkit(cupy, monkeypatch, says):
    from deepkit.backend.cuda import loader

    def fail(self, *args):
        raise RuntimeError(says)

    problem = 'CuPy compiles kernels with the CUDA headers. Install them: pip install "cupy-cuda12x[ctk]"'
    monkeypatch.setattr(cupy.RawModule, "get_function", fail)
    monkeypatch.setattr(cupy.RawModule, "compile", fail)
    monkeypatch.setattr(machine, "diagnose", lambda: machine.Diagnosis(problems=[problem]))
    loader.function.cache_clear()
    with deepkit.device("gpu"):
        for call in (lambda: ops.softmax(ops.ones((2, 3))), deepkit.warmup):
            with pytest.raises(deepkit.config.BackendUnavailableError, match="(?s)cu can't be compiled.*pip install"):
                call()
    monkeypatch.undo()
    loader.function.cache_clear()
    monkeypatch.setattr(cuda, "load", cuda.kernel_module)
    with deepkit.device("gpu"):
        assert float(ops.sum(ops.softmax(ops.ones((2, 3))))) == pytest.approx(2)


def test_errors_of_the_source_are_left_alone(cupy):
    from deepkit.backend.cuda import loader

    with deepkit.device("gpu"), pytest.raises(Exception, match="no_such_kernel") as caught:
        loader.function("softmax", "no_such_kernel")
    assert not isinstance(caught.value, deepkit.config.BackendUnavailableError)


def test_warmup(cupy, monkeypatch):
    seen, compiled = [], []
    monkeypatch.setattr(cupy.RawModule, "compile", lambda self: compiled.append(self))
    with deepkit.device("gpu"):
        count = deepkit.warmup(lambda *args: seen.append(args))
    assert count == len(compiled) == len(seen) and seen[0][1:] == (0, count) and seen[0][0].endswith(".cu")
    with deepkit.device("cpu"):
        assert deepkit.warmup() == 0

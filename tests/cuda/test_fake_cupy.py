"""The simulated CuPy refuses what CuPy refuses."""

from __future__ import annotations

import numpy as np
import pytest

from . import emulator
from .fake_cupy import counters, install, no_synchronization, uninstall
from .fake_cupy.names import NAMES


@pytest.fixture
def cupy():
    yield install()
    uninstall()


def test_arrays_stay_on_the_device(cupy):
    a = cupy.arange(6.0).reshape(2, 3)
    for conversion in (np.asarray, np.array, lambda x: np.zeros((2, 3)) + x, lambda x: x + np.ones((2, 3))):
        with pytest.raises(TypeError):
            conversion(a)
    with pytest.raises(TypeError, match="numpy.ndarray"):
        a[...] = np.ones((2, 3))
    with pytest.raises(TypeError):
        cupy.exp(np.ones(3))
    assert isinstance(np.exp(a), cupy.ndarray) and isinstance(a.sum(), cupy.ndarray) and a.sum().shape == ()
    np.testing.assert_array_equal((a * np.float32(2) + 1).get(), np.arange(6.0).reshape(2, 3) * 2 + 1)
    np.testing.assert_array_equal(cupy.asnumpy(a[:, 1]), [1, 4])


def test_names_and_parameters_that_cupy_lacks(cupy):
    for name in ("block", "geomspace", "vecdot", "matvec", "unstack", "nditer", "nanquantile", "errstate"):
        assert not hasattr(cupy, name), name
    a = cupy.ones((2, 2))
    with pytest.raises(TypeError):
        cupy.sum(a, where=a > 0)
    with pytest.raises(TypeError):
        cupy.max(a, initial=3)
    with pytest.raises(TypeError):
        a.sum(initial=3)
    with pytest.raises(NotImplementedError):
        cupy.maximum.reduce(a)
    with pytest.raises(AttributeError):
        a.no_such_method


def test_memory_is_poisoned_and_waiting_is_counted(cupy):
    assert np.isnan(cupy.empty(3).get()).all() and (cupy.empty(3, "int32").get() > 10**8).all()
    a = cupy.ones(3)
    counters.reset()
    assert float(a.sum()) == 3 and bool(a[0] == 1) and a.tolist() == [1, 1, 1]
    assert counters.synchronizations == 3
    a[a > 0].get()
    assert counters.synchronizations == 5  # the size of what a mask picks, and the copy
    with no_synchronization():
        b = a + a
        with pytest.raises(AssertionError, match="waits for the device"):
            float(b[0])


def test_a_graph_records_and_replays(cupy):
    x, y = cupy.ones(4), cupy.zeros(4)
    stream = cupy.cuda.Stream(non_blocking=True)
    with pytest.raises(RuntimeError, match="default"):
        cupy.cuda.Stream(null=True).begin_capture()
    with stream:
        stream.begin_capture()
        z = x * 2 + 1
        y += z[:4]
        y[0] = 7
        with pytest.raises(NotImplementedError, match="cuBLAS"):
            cupy.matmul(cupy.ones((2, 2)), cupy.ones((2, 2)))
        with pytest.raises(RuntimeError, match="Capture"):
            float(x[0])
        graph = stream.end_capture()
    np.testing.assert_array_equal(y.get(), 0)  # nothing has run yet
    assert np.isnan(z.get()).all()
    counters.reset()
    graph.launch()
    x += 1
    graph.launch()
    assert counters.graph_launches == 2
    np.testing.assert_array_equal(y.get(), [7, 8, 8, 8])


@pytest.mark.skipif(emulator.missing() is not None, reason=str(emulator.missing()))
def test_kernels(cupy):
    body = "{ if (threadIdx.x < n) x[threadIdx.x] += 1; }"
    module = cupy.RawModule(code='extern "C" __global__ void add(float* x, long long n) ' + body)
    kernel = module.get_function("add")
    x = cupy.zeros(3, "float32")
    kernel((1,), (4,), (x, np.int64(3)))
    np.testing.assert_array_equal(x.get(), 1)
    for bad in ((x, 3), (np.zeros(3, "float32"), np.int64(3)), (cupy.zeros(3), np.int64(3)), (x, np.int32(3)), (x,),
                (cupy.zeros((3, 3), "float32").T, np.int64(3))):  # fmt: skip
        with pytest.raises(TypeError):
            kernel((1,), (4,), bad)
    with pytest.raises(RuntimeError, match="no_such"):
        module.get_function("no_such")


def test_the_names_are_those_of_the_installed_cupy():
    cupy = pytest.importorskip("cupy")
    if not hasattr(cupy, "_core"):
        pytest.skip("only the simulated CuPy is here")
    from .dump_cupy_names import names

    assert names() == NAMES

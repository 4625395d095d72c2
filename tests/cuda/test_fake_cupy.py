"""The simulated CuPy refuses what CuPy refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest

from . import emulator, record_refusals
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
    with pytest.raises(ValueError, match="numpy.ndarray"):
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


def test_dtypes_that_no_device_has(cupy):
    for values in (["a"], [object()], np.zeros(2, "longdouble"), np.zeros(2, "datetime64[s]")):
        with pytest.raises(ValueError, match="Unsupported dtype"):
            cupy.asarray(values)


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


@pytest.fixture
def recording(cupy):
    """A stream that may record, with a pool of its own for what the graph allocates."""
    pool = cupy.cuda.MemoryPool()
    with cupy.cuda.Stream(non_blocking=True) as stream, cupy.cuda.using_allocator(pool.malloc):
        yield stream


def test_a_graph_records_and_replays(cupy, recording):
    x, y = cupy.ones(4), cupy.zeros(4)
    with pytest.raises(RuntimeError, match="default"):
        cupy.cuda.Stream(null=True).begin_capture()
    recording.begin_capture()
    assert recording.is_capturing()
    z = x * 2 + 1
    y += z[:4]
    y[0] = 7
    with pytest.raises(NotImplementedError, match="cuBLAS"):
        cupy.matmul(cupy.ones((2, 2)), cupy.ones((2, 2)))
    graph = recording.end_capture()
    np.testing.assert_array_equal(y.get(), 0)  # nothing has run yet
    assert np.isnan(z.get()).all()
    counters.reset()
    graph.launch()
    x += 1
    graph.launch()
    assert counters.graph_launches == 2
    np.testing.assert_array_equal(y.get(), [7, 8, 8, 8])


def test_what_a_stream_refuses_voids_its_graph(cupy, recording):
    x = cupy.ones(4)
    refused = {
        "waits": lambda: float(x[0]),
        "get": lambda: x.get(),
        "mask": lambda: x[x > 0],
        "synchronize": recording.synchronize,
        "nonzero": lambda: cupy.nonzero(x),
    }
    for match, act in refused.items():
        recording.begin_capture()
        with pytest.raises(RuntimeError, match=f"Capture.*{match}"):
            act()
        with pytest.raises(RuntimeError, match="Invalidated"):
            recording.end_capture()
        assert not recording.is_capturing() and float(x.sum()) == 4  # the stream works again
    with pytest.raises(RuntimeError, match="IllegalState"):
        recording.end_capture()
    recording.begin_capture()
    with pytest.raises(RuntimeError, match="already"):
        recording.begin_capture()
    recording.end_capture().launch()


def test_a_graph_allocates_from_a_private_pool_only(cupy):
    with cupy.cuda.Stream(non_blocking=True) as stream:
        x = cupy.ones(4)
        for allocator in (None, cupy.get_default_memory_pool().malloc):
            stream.begin_capture()
            with cupy.cuda.using_allocator(allocator), pytest.raises(RuntimeError, match="private pool"):
                x + 1
            x += 1  # in place: no memory
            with pytest.raises(RuntimeError, match="Invalidated"):
                stream.end_capture()


def test_memory_is_counted_and_limited(cupy):
    pool = cupy.cuda.MemoryPool()
    with cupy.cuda.using_allocator(pool.malloc):
        a = cupy.zeros(1000, "float32")
        view = a[10:].reshape(2, -1)
        assert pool.used_bytes() == pool.total_bytes() == 4096
        b = a + 1
        assert pool.used_bytes() == 8192
        del a
        assert pool.used_bytes() == 8192  # the view holds it
        del view, b
        assert pool.used_bytes() == 0 and pool.total_bytes() == 8192
        pool.free_all_blocks()
        assert pool.total_bytes() == 0
        pool.set_limit(size=5000)
        c = cupy.zeros(1000, "float32")
        with pytest.raises(cupy.cuda.memory.OutOfMemoryError, match="limit set to: 5,000"):
            c + 1
    assert np.frombuffer(cupy.cuda.alloc_pinned_memory(8), np.float32).shape == (2,)


def test_other_ways_to_write_kernels_are_not_for_deepkit(cupy):
    for name in ("ElementwiseKernel", "ReductionKernel", "fuse"):
        with pytest.raises(NotImplementedError, match="RawModule"):
            getattr(cupy, name)("T x", "T y", "y = x", "copy")


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


#: Calls that the simulation refuses and CuPy doesn't: what deepkit has no use for, or where CuPy is too lenient.
STRICTER = {
    "a * np.array(2.0)": "an array of the host",  # CuPy refuses it on the device
    "a + [1, 2, 3]": "the same",
    "a @ [1, 2, 3]": "the same",
    "a == np.ones(3)": "the same",
    "np.add(a, np.ones((2, 3)))": "the same",
    "np.concatenate([a, np.ones((2, 3))])": "the same",
    "np.add.reduce(a)": "NumPy's functions with other methods than a call",
}


@pytest.mark.filterwarnings("ignore")
def test_the_simulation_refuses_what_cupy_refuses(cupy):
    refused = json.loads(record_refusals.TARGET.read_text())
    lenient, strict = {}, {}
    for call in record_refusals.calls():
        arrays = record_refusals.operands(lambda shape, dtype="float32": cupy.zeros(shape, dtype))
        arrays["s"] += cupy.eye(2, dtype="float32")
        found = record_refusals.outcome(call, {"cupy": cupy, **arrays})
        if found is None and call in refused:
            lenient[call] = refused[call]
        if found is not None and call not in refused and call not in STRICTER:
            strict[call] = found
    assert (lenient, strict) == ({}, {})
    assert not refused.keys() - set(record_refusals.calls())


def test_the_refusals_are_those_of_the_installed_cupy():
    cupy = pytest.importorskip("cupy")
    if not hasattr(cupy, "_core"):
        pytest.skip("only the simulated CuPy is here")
    if cupy.cuda.is_available():
        pytest.skip("with a GPU the calls run, on memory that isn't the device's")
    assert record_refusals.refusals() == json.loads(record_refusals.TARGET.read_text())


def test_the_names_are_those_of_the_installed_cupy():
    cupy = pytest.importorskip("cupy")
    if not hasattr(cupy, "_core"):
        pytest.skip("only the simulated CuPy is here")
    from .dump_cupy_names import names

    assert names() == NAMES


def test_none_is_no_pointer(cupy):
    source = 'extern "C" __global__ void k(const float* x, float* y) { y[0] = x ? x[0] : 7; }'
    kernel, y = cupy.RawModule(code=source).get_function("k"), cupy.zeros(1, np.float32)
    with pytest.raises(TypeError, match="no address"):
        kernel((1,), (1,), (None, y))
    kernel((1,), (1,), (np.uintp(0), y))
    assert float(y[0]) == 7

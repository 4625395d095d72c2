"""The CUDA emulator computes what CUDA computes, and finds what a kernel does wrong."""

from __future__ import annotations

import ctypes
import time

import numpy as np
import pytest

from . import emulator
from .emulator import EmulatorError, Module
from .emulator.emulator import ORDERS, preprocess

pytestmark = pytest.mark.skipif(emulator.missing() is not None, reason=str(emulator.missing()))

I = np.int32

SOURCE = r"""
template <class T, int N> struct Tile { T values[N]; };
constexpr int TILE = 8;

#define SUM(T, name)                                                                        \
    extern "C" __global__ void __launch_bounds__(TILE * 32) sum_##name(const T* __restrict__ x, T* y, int n) {  \
        __shared__ T partial[TILE];                                                         \
        T total = 0;                                                                        \
        for (int i = threadIdx.x; i < n; i += blockDim.x) total += x[i];                    \
        for (int by = 16; by; by /= 2) total += __shfl_down_sync(0xffffffffu, total, by);   \
        if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = total;                       \
        __syncthreads();                                                                    \
        if (threadIdx.x == 0) {                                                             \
            for (int i = 1; i < blockDim.x / 32; ++i) total += partial[i];                  \
            *y = total;                                                                     \
        }                                                                                   \
    }
SUM(float, float32)
SUM(double, float64)
SUM(int, int32)

extern "C" __global__ void gemm(const float* a, const float* b, float* c, int m, int n, int k) {
    __shared__ float left[TILE][TILE + 1], right[TILE][TILE + 1];
    const int row = blockIdx.y * TILE + threadIdx.y, column = blockIdx.x * TILE + threadIdx.x;
    float total = 0;
    for (int start = 0; start < k; start += TILE) {
        const int i = start + threadIdx.x, j = start + threadIdx.y;
        left[threadIdx.y][threadIdx.x] = row < m && i < k ? a[row * k + i] : 0.0f;
        right[threadIdx.y][threadIdx.x] = j < k && column < n ? b[j * n + column] : 0.0f;
        __syncthreads();
        #pragma unroll
        for (int p = 0; p < TILE; ++p) total = fmaf(left[threadIdx.y][p], right[p][threadIdx.x], total);
        __syncthreads();
    }
    if (row < m && column < n) c[row * n + column] = total;
}

extern "C" __global__ void turn(float* x) {  // dynamic shared memory
    extern __shared__ __align__(16) float s[];
    s[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    x[threadIdx.x] = s[blockDim.x - 1 - threadIdx.x];
}

extern "C" __global__ void indices(unsigned* out) {
    const int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    const int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    const int size = blockDim.x * blockDim.y * blockDim.z;
    out[block * size + thread] = threadIdx.x + 10 * threadIdx.y + 100 * threadIdx.z
        + 1000 * blockIdx.x + 10000 * blockIdx.y + 100000 * blockIdx.z;
}

extern "C" __global__ void histogram(const int* x, int n, int* counts, int* most) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    atomicAdd(&counts[x[i]], 1);
    atomicMax(most, x[i]);
}

extern "C" __global__ void warp(int* out) {
    const int lane = threadIdx.x, lower = lane < 16;
    out[lane] = __shfl_sync(0xffffffffu, lane, 5);
    out[32 + lane] = __shfl_up_sync(0xffffffffu, lane, 3);
    out[64 + lane] = __shfl_xor_sync(0xffffffffu, lane, 1);
    out[96 + lane] = __shfl_down_sync(0xffffffffu, lane, 2, 8);
    out[128 + lane] = (int)__ballot_sync(0xffffffffu, lane % 3 == 0);
    if (lower) out[160 + lane] = __shfl_sync(0x0000ffffu, lane, 15);  // half a warp on its own
    else out[160 + lane] = __shfl_sync(0xffff0000u, lane, 31);
    out[192 + lane] = __any_sync(0xffffffffu, lane == 7) + 2 * __all_sync(0xffffffffu, lane < 31);
    out[224 + lane] = __syncthreads_count(lane < 10);
}

#include <cuda_fp16.h>
#include <cuda_bf16.h>
extern "C" __global__ void halves(const float* x, __half* h, __nv_bfloat16* b, int n) {
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        h[i] = __float2half_rn(x[i]);
        b[i] = __float2bfloat16_rn(x[i]);
    }
}
extern "C" __global__ void widen(const __half* h, float* x, int n) {
    for (int i = threadIdx.x; i < n; i += blockDim.x) x[i] = __half2float(h[i]);
}
extern "C" __global__ void vectors(const float4* x, float4* y, float scale) {
    float4 v = __ldg(x + threadIdx.x);
    y[threadIdx.x] = make_float4(v.w * scale, v.z * scale, v.y * scale, v.x * scale);
}
extern "C" __global__ void nan(float* y) {
    __shared__ float s[4];
    y[threadIdx.x] = s[threadIdx.x];
}
"""

FAULTS = r"""
extern "C" __global__ void early_return(float* x, int n) {
    if (threadIdx.x >= n) return;
    __syncthreads();
    x[threadIdx.x] = 1;
}
extern "C" __global__ void two_barriers(float* x) {
    if (threadIdx.x < 4) __syncthreads();
    else
        __syncthreads();
    x[threadIdx.x] = 1;
}
extern "C" __global__ void absent_lanes(int* x) { x[threadIdx.x] = __shfl_sync(0xffffffffu, threadIdx.x, 0); }
extern "C" __global__ void returned_lane(int* x) {
    if (threadIdx.x == 3) return;
    x[threadIdx.x] = __shfl_sync(0xffffffffu, threadIdx.x, 0);
}
extern "C" __global__ void left_out(int* x) { x[threadIdx.x] = __shfl_sync(0x0000ffffu, threadIdx.x, 0); }
extern "C" __global__ void unnamed_source(int* x) {
    if (threadIdx.x < 16) x[threadIdx.x] = __shfl_sync(0x0000ffffu, threadIdx.x, 20);
}
extern "C" __global__ void behind(float* x, int n) { x[n] = 1; }
extern "C" __global__ void in_front(float* x, int n) { x[-1] = 1; }
extern "C" __global__ void much_shared(float* x) { __shared__ float s[13000]; s[0] = 1; x[0] = s[0]; }
extern "C" __global__ void wild(float* x) { x[1LL << 40] = 1; }
extern "C" __global__ void misaligned(float4* x) { x[0] = x[1]; }
extern "C" __global__ void zero(int* x) { x[0] = 7 / x[0]; }
__device__ int deep(int n) { volatile int a[1000]; a[n % 1000] = n; return n ? deep(n - 1) + a[n % 1000] : 0; }
extern "C" __global__ void endless(int* x) { x[0] = deep(1 << 20); }
extern "C" __global__ void trap(float* x) { if (threadIdx.x == 2) __trap(); }
"""


@pytest.fixture(params=ORDERS, scope="module")
def module(request):
    return Module(SOURCE, order=request.param)


@pytest.fixture(scope="module")
def faults():
    return Module(FAULTS)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
@pytest.mark.parametrize("threads", [32, 256])
def test_reduction(module, dtype, threads):
    x = (np.arange(1000) % 17 - 8).astype(dtype)
    y = np.zeros(1, dtype)
    module.launch(f"sum_{dtype}", (1,), (threads,), (x, y, I(1000)))
    assert y[0] == x.sum()


def test_tiled_product(module):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((21, 30), np.float32), rng.standard_normal((30, 13), np.float32)
    c = np.full((21, 13), np.nan, np.float32)
    module.launch("gemm", (2, 3), (8, 8), (a, b, c, I(21), I(13), I(30)))
    np.testing.assert_allclose(c, a @ b, rtol=1e-5, atol=1e-5)


def test_dynamic_shared_memory(module):
    x = np.arange(50, dtype=np.float32)
    module.launch("turn", (1,), (50,), (x,), shared=200)
    np.testing.assert_array_equal(x, np.arange(50)[::-1])


def test_indices_in_three_dimensions():
    module = Module(SOURCE)
    out = np.zeros((2, 3, 2, 2, 4, 3), np.uint32)
    module.launch("indices", (2, 3, 2), (3, 4, 2), (out,))
    at = np.indices(out.shape)[::-1]
    np.testing.assert_array_equal(out, sum(10**i * index for i, index in enumerate(at)))


def test_atomics(module):
    x = np.random.default_rng(0).integers(0, 10, 300).astype(I)
    counts, most = np.zeros(10, I), np.zeros(1, I)
    module.launch("histogram", (5,), (64,), (x, I(300), counts, most))
    np.testing.assert_array_equal(counts, np.bincount(x, minlength=10))
    assert most[0] == 9


def test_warp_functions(module):
    out = np.zeros((8, 32), I)
    module.launch("warp", (1,), (32,), (out,))
    lane = np.arange(32)
    expected = [
        np.full(32, 5), np.where(lane < 3, lane, lane - 3), lane ^ 1, np.where(lane % 8 < 6, lane + 2, lane),
        np.full(32, sum(1 << i for i in range(0, 32, 3))), np.where(lane < 16, 15, 31), np.ones(32), np.full(32, 10),
    ]  # fmt: skip
    np.testing.assert_array_equal(out, np.array(expected))


def test_half_precision_is_rounded_as_by_numpy(module):
    rng = np.random.default_rng(0)
    edges = np.float32([0, 65504, 65519.996, 65520, 1e9, 2.0**-24, 2.0**-25, 2.0**-25 * 1.01, 6.1e-5, np.inf, 0.3])
    any_bits = rng.integers(0, 2**32, 4000, dtype=np.uint32).view(np.float32)
    x = np.concatenate([any_bits[~np.isnan(any_bits)], edges, -edges, rng.standard_normal(1000, np.float32) * 1e-5])
    h, b = np.zeros(x.size, np.float16), np.zeros(x.size, np.uint16)
    module.launch("halves", (1,), (64,), (x, h, b, I(x.size)))
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(h, x.astype(np.float16))
    ml_dtypes = pytest.importorskip("ml_dtypes")
    np.testing.assert_array_equal(b, x.astype(ml_dtypes.bfloat16).view(np.uint16))


def test_every_half_as_float(module):
    h = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    x = np.zeros(h.size, np.float32)
    module.launch("widen", (1,), (128,), (h, x, I(h.size)))
    np.testing.assert_array_equal(x, h.astype(np.float32))


def test_vectors(module):
    x, y = np.arange(16, dtype=np.float32), np.zeros(16, np.float32)
    module.launch("vectors", (1,), (4,), (x, y, ctypes.c_float(2)))
    np.testing.assert_array_equal(y.reshape(4, 4), 2 * x.reshape(4, 4)[:, ::-1])


def test_shared_memory_starts_as_nan(module):
    for _ in range(2):
        y = np.zeros(4, np.float32)
        module.launch("nan", (1,), (4,), (y,))
        assert np.isnan(y).all()


# ------------------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize("name, threads, args, message", [
    ("early_return", 8, (np.zeros(8, np.float32), I(5)),
     r"block \(0, 0, 0\), thread \(0, 0, 0\): divergent __syncthreads: .*thread \(5, 0, 0\) has returned"),
    ("two_barriers", 8, (np.zeros(8, np.float32),), r"divergent __syncthreads: .*:10, .* waits at .*:8"),
    ("absent_lanes", 20, (np.zeros(20, I),), "mask 0xffffffff of __shfl_sync names lane 20, which this block doesn't"),
    ("returned_lane", 32, (np.zeros(32, I),), "names lane 3, which has returned"),
    ("left_out", 32, (np.zeros(32, I),), r"thread \(16, 0, 0\): the mask 0x0000ffff .* leaves out the calling lane 16"),
    ("unnamed_source", 32, (np.zeros(32, I),), "reads lane 20, which its mask"),
    ("behind", 1, (np.zeros(5, np.float32), I(5)), "writes behind the array of shape"),
    ("in_front", 1, (np.zeros(5, np.float32), I(5)), "writes in front of the array"),
    ("much_shared", 1, (np.zeros(5, np.float32),), "needs 52000 bytes of shared memory, 49152 are allowed"),
    ("wild", 4, (np.zeros(5, np.float32),), r"thread \(0, 0, 0\): accesses memory that isn't there"),
    ("misaligned", 1, (np.zeros(9, np.float32)[1:],), "isn't aligned for it"),
    ("zero", 3, (np.zeros(1, I),), "divides a whole number by 0"),
    ("endless", 3, (np.zeros(1, I),), "accesses memory that isn't there"),
    ("trap", 4, (np.zeros(5, np.float32),), r"thread \(2, 0, 0\): __trap"),
])  # fmt: skip
def test_faults_are_errors(faults, name, threads, args, message):
    with pytest.raises(EmulatorError, match=message):
        faults.launch(name, (1,), (threads,), args)
    x = np.zeros(4, np.float32)  # and the module goes on
    faults.launch("early_return", (1,), (4,), (x, I(4)))
    assert x.all()


@pytest.mark.parametrize("grid, block, shared, message", [
    ((1,), (1025,), 0, "at most 1024 threads"), ((1,), (32, 32, 2), 0, "at most 1024 threads"),
    ((1,), (1, 1, 65), 0, "64 in its third"), ((0,), (1,), 0, "1 or more"), ((1, 65536), (1,), 0, "65535"),
    ((1,), (1,), 49153, "49152 are allowed"), ((1,), (512,), 0, "__launch_bounds__ promises at most 256"),
])  # fmt: skip
def test_launches_that_cuda_refuses(grid, block, shared, message):
    with pytest.raises(EmulatorError, match=message):
        Module(SOURCE).launch("sum_float32", grid, block, (np.zeros(1, np.float32),) * 2 + (I(1),), shared)


def test_more_shared_memory_on_request(faults):
    faults.max_dynamic_shared_size_bytes["much_shared"] = 60000
    try:
        faults.launch("much_shared", (1,), (1,), (np.zeros(1, np.float32),))
    finally:
        faults.max_dynamic_shared_size_bytes.clear()


@pytest.mark.parametrize("args, message", [
    ((np.zeros(4, np.float32), np.zeros(1, np.float32)), "takes 3 arguments. Received: 2"),
    ((np.zeros(4), np.zeros(1, np.float32), I(4)), "argument 0 should be a pointer to const f4.*float64"),
    ((np.zeros(4, np.float32), np.zeros(1, np.float32), 4), "argument 2 should be a NumPy number of i4. Received: 4"),
    ((np.zeros(4, np.float32), np.zeros(1, np.float32), np.int64(4)), "argument 2 should be i4"),
    ((np.zeros(8, np.float32)[::2], np.zeros(1, np.float32), I(4)), "contiguous"),
    ((np.zeros(4, np.float32), np.broadcast_to(np.float32(1), (1,)), I(4)), "read-only"),
    ((4096, np.zeros(1, np.float32), I(4)), "argument 0 should be an array"),
])  # fmt: skip
def test_arguments_are_checked(args, message):
    with pytest.raises(TypeError, match=message):
        Module(SOURCE).launch("sum_float32", (1,), (32,), args)


def test_unknown_kernel_and_source_that_does_not_compile():
    with pytest.raises(EmulatorError, match="no kernel 'tum'.*early_return"):
        Module(FAULTS).launch("tum", (1,), (1,), ())
    with pytest.raises(EmulatorError, match="source.cu:1:.*nonsense"):
        Module('extern "C" __global__ void k() { nonsense; }')
    with pytest.raises(EmulatorError, match="has no kernel"):
        Module("int x;")


def test_preprocess():
    assert preprocess("extern __shared__ float4 s[];") == "float4* s = static_cast<float4*>(dk_dynamic_shared());"
    two = preprocess("__shared__ Tile<float, 4> a, b[N][2 * (N + 1)];")
    assert "typedef Tile<float, 4> dk_type_a ;" in two and "typedef Tile<float, 4> dk_type_b [N][2 * (N + 1)];" in two


def test_a_launch_is_cheap():
    module, x = Module(FAULTS, guard=False), np.zeros(4, np.float32)
    start = time.perf_counter()
    for _ in range(100):
        module.launch("early_return", (1,), (4,), (x, I(4)))
    assert time.perf_counter() - start < 0.5

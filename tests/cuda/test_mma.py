"""Products of the tensor cores: NVRTC takes the instructions, the emulator computes what they mean."""

from __future__ import annotations

import numpy as np
import pytest

from . import nvrtc
from .emulator import EmulatorError, Module
from .launching import needs_emulator

pytestmark = needs_emulator

# a (16, K), b (K, 8) and c (16, 8) as 32-bit registers' worth of elements along K: WORD elements a register.
SOURCE = r"""
#include "mma.cuh"
#define KERNEL(name, A, B)                                                                                 \
    extern "C" __global__ void k_##name(const unsigned* a, const unsigned* b, const float* c, float* d) {  \
        const int group = threadIdx.x / 4, place = threadIdx.x % 4;                                        \
        unsigned left[A], right[B];                                                                        \
        for (int r = 0; r < A; ++r) left[r] = a[(group + 8 * (r % 2)) * (A * 2) + place + 4 * (r / 2)];    \
        for (int r = 0; r < B; ++r) right[r] = b[group * (B * 4) + place + 4 * r];                         \
        float from[4], to[4];                                                                              \
        for (int i = 0; i < 4; ++i) from[i] = c[(group + 8 * (i / 2)) * 8 + 2 * place + i % 2];            \
        name(to, left, right, from);                                                                       \
        for (int i = 0; i < 4; ++i) d[(group + 8 * (i / 2)) * 8 + 2 * place + i % 2] = to[i];              \
    }
KERNEL(mma_f16_k8, 2, 1)
#if defined(DEEPKIT_EMULATOR) || __CUDA_ARCH__ >= 800
KERNEL(mma_tf32, 4, 2)
KERNEL(mma_f16, 4, 2)
KERNEL(mma_bf16, 4, 2)
extern "C" __global__ void round_tf32(const float* x, unsigned* y) { y[threadIdx.x] = to_tf32(x[threadIdx.x]); }
#endif
"""


@pytest.fixture(scope="module")
def module():
    return Module(SOURCE)


@pytest.mark.parametrize("name, k, dtype", [
    ("mma_f16_k8", 8, "float16"), ("mma_f16", 16, "float16"), ("mma_bf16", 16, "bfloat16"), ("mma_tf32", 8, "float32"),
])  # fmt: skip
def test_products(module, name, k, dtype):
    if dtype == "bfloat16":
        dtype = pytest.importorskip("ml_dtypes").bfloat16
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-8, 8, shape).astype(dtype) for shape in ((16, k), (8, k)))
    c, d = rng.standard_normal((16, 8), np.float32), np.empty((16, 8), np.float32)
    module.launch(f"k_{name}", (1,), (32,), (a.view(np.uint32), b.view(np.uint32), c, d))
    np.testing.assert_allclose(d, a.astype(np.float32) @ b.T.astype(np.float32) + c, rtol=1e-5, atol=1e-5)


def test_tf32_has_ten_digits(module):
    x = np.float32([1, 1 + 2**-10, 1 + 2**-11, 1 + 2**-12, -1 - 2**-11, np.inf, 0])
    y = np.empty(x.size, np.uint32)
    module.launch("round_tf32", (1,), (x.size,), (x, y))
    expected = np.float32([1, 1 + 2**-10, 1 + 2**-10, 1, -1 - 2**-10, np.inf, 0])
    np.testing.assert_array_equal(y.view(np.float32), expected)


def test_a_warp_has_to_be_whole(module):
    a, b, c = np.zeros((16, 8), np.float16), np.zeros((8, 8), np.float16), np.zeros((16, 8), np.float32)
    with pytest.raises(EmulatorError, match="names lane 31, which this block doesn't have"):
        module.launch("k_mma_f16_k8", (1,), (31,), (a.view(np.uint32), b.view(np.uint32), c, c.copy()))


@pytest.mark.skipif(nvrtc.missing() is not None, reason=str(nvrtc.missing()))
@pytest.mark.parametrize("architecture", nvrtc.ARCHITECTURES)
def test_the_instructions_are_taken(tmp_path, architecture):
    path = tmp_path / "mma.cu"
    path.write_text(SOURCE)
    assert len(nvrtc.usage(path, architecture)) == (1 if architecture < 80 else 5)

"""The CUDA kernels compile for every architecture, without a warning and without memory of a thread's own."""

from __future__ import annotations

import os

import pytest

from . import nvrtc

pytestmark = pytest.mark.skipif(nvrtc.missing() is not None, reason=str(nvrtc.missing()))

UNUSED = 'extern "C" __global__ void k(float* y) { int never_used; y[0] = 1; }'
INDEXED = """extern "C" __global__ void k(float* y, int i) {
    float a[64];
    for (int j = 0; j < 64; ++j) a[j] = y[(j * i) & 63];
    for (int j = 0; j < 64; ++j) a[(j * i) & 63] += a[(j + i) & 63];
    y[0] = a[i & 63];
}"""
HUNGRY = """extern "C" __global__ void __launch_bounds__(1024) k(float* y) {
    float a[128];
    #pragma unroll
    for (int j = 0; j < 128; ++j) a[j] = y[threadIdx.x + 1024 * j];
    __syncthreads();
    #pragma unroll
    for (int j = 0; j < 128; ++j) y[threadIdx.x + 1024 * j] = a[127 - j] * a[j ^ 5];
}"""
CLEAN = 'extern "C" __global__ void k(float* y) { __shared__ float s[32]; s[threadIdx.x] = 1; y[0] = s[0]; }'


@pytest.mark.parametrize("source, message", [
    ("this is not C++", "error"), (UNUSED, "never_used"), (INDEXED, "k"), (HUNGRY, "k"),
])  # fmt: skip
@pytest.mark.parametrize("architecture", [75, 90])
def test_what_it_refuses(tmp_path, source, message, architecture):
    path = tmp_path / "planted.cu"
    path.write_text(source)
    with pytest.raises(nvrtc.CompileError, match=message):
        nvrtc.usage(path, architecture)


def test_usage(tmp_path):
    path = tmp_path / "clean.cu"
    path.write_text(CLEAN)
    found = nvrtc.usage(path, 80)["k"]
    assert 0 < found.registers < 32 and found.shared == 128 and found.stack == found.spilled == 0


def check(architectures):
    wrong = nvrtc.differences(nvrtc.sources(), architectures, workers=os.cpu_count() or 1)
    assert not wrong, "kernels/registers is out of date: python -m tests.cuda.nvrtc --write\n" + "\n".join(wrong)


def test_kernels():
    check(nvrtc.ARCHITECTURES[-1:])


@pytest.mark.slow
def test_kernels_on_every_architecture():
    check(nvrtc.ARCHITECTURES[:-1])


def test_what_is_checked_is_what_the_loader_compiles(gpu):
    from deepkit.backend.cuda import loader

    code = lambda text: [line for line in text.splitlines() if line.strip() and not line.startswith("#line")]
    assert loader.OPTIONS == nvrtc.OPTIONS
    for path in nvrtc.sources():
        assert code(loader.source(path.stem)) == code(nvrtc.inlined(path))

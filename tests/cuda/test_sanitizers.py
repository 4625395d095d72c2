"""The sanitizers find, in an emulated kernel, the bugs that are planted here, and nothing in the right one."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from .emulator.sanitized import ROOT, run_sanitized, sanitizers_missing

HEAD = """
import numpy as np
from tests.cuda.emulator import Module
def run(source, threads, *arrays, blocks=1, shared=0):
    Module('extern "C" __global__ void k(' + source).launch("k", (blocks,), (threads,), arrays, shared)
f = lambda *shape: np.zeros(shape, np.float32)
i = lambda *values: np.array(values, np.int32)
"""

# A sum over a block: right, and with one barrier left out; the fibers' order makes both come out right.
SUM = """run('''const float* x, float* y) {
    __shared__ float s[64];
    s[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    for (int by = 32; by; by /= 2) {
        if (threadIdx.x < by) s[threadIdx.x] += s[threadIdx.x + by];
        %s
    }
    if (threadIdx.x == 0) *y = s[0];
}''', 64, f(64), f(1))"""

# Two warps' worth of lanes exchange through shared memory; __syncwarp orders them.
WARP = """run('''float* y) {
    __shared__ float s[32];
    s[threadIdx.x] = threadIdx.x;
    %s
    y[threadIdx.x] = s[31 - threadIdx.x];
}''', 32, f(32))"""

BLOCKS = """run('''float* y) { if (threadIdx.x == 0) %s; }''', 4, f(4), blocks=3)"""
DYNAMIC = """run('''float* x) {
    extern __shared__ float s[];
    s[threadIdx.x] = 1;
    __syncthreads();
    if (threadIdx.x == 0) x[0] = s[%s];
}''', 4, f(1), shared=16)"""
STATIC = "run('float* x, const int* i) { __shared__ float s[4]; s[threadIdx.x] = 1; x[0] = s[i[0]]; }', 1, f(1), i(%s))"
GLOBAL = "run('float* x, const float* y) { x[threadIdx.x] = y[(int)threadIdx.x + %s]; }', 4, f(4), f(4))"
SHIFT = "run('int* x, const int* by) { x[0] = 1 << by[0]; }', 1, i(0), i(%s))"
VECTOR = "run('float4* x) { x[0] = make_float4(1, 2, 3, 4); }', 1, f(9)[%s:])"
OVERFLOW = "run('int* x) { x[0] = x[0] + %s; }', 1, i(2**31 - 1))"

PLANTED = [
    ("address,undefined", GLOBAL, "0", "1", "use-after-poison|heap-buffer-overflow"),
    ("address,undefined", GLOBAL, "0", "-1", "use-after-poison|heap-buffer-overflow"),
    ("address,undefined", DYNAMIC, "0", "4", "heap-buffer-overflow"),
    ("address,undefined", STATIC, "0", "4", "index 4 out of bounds"),
    ("address,undefined", SHIFT, "3", "32", "shift exponent 32"),
    ("address,undefined", VECTOR, "4", "1", "misaligned address"),
    ("address,undefined", OVERFLOW, "-1", "1", "signed integer overflow"),
    ("thread", SUM, "__syncthreads();", ";", r"data race[\s\S]*source.cu:6"),
    ("thread", WARP, "__syncwarp();", ";", r"data race[\s\S]*source.cu:5"),
    ("thread", BLOCKS, "atomicAdd(y, 1)", "y[0] += 1", r"data race[\s\S]*source.cu:1"),
]


@pytest.mark.parametrize("kind", ["address,undefined", "thread"])
def test_planted_bugs_are_found(kind):
    if reason := sanitizers_missing(kind):
        pytest.skip(reason)
    cases = [case for case in PLANTED if case[0] == kind]
    done = run_sanitized(kind, ["-c", HEAD + "\n".join(text % right for _, text, right, *_ in cases)])
    assert done.returncode == 0, done.stderr
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda case: run_sanitized(kind, ["-c", HEAD + case[1] % case[3]]), cases))
    for (_, text, _, wrong, message), done in zip(cases, results):
        assert done.returncode and re.search(message, done.stderr), (text % wrong, done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["address,undefined", "thread"])
@pytest.mark.parametrize("file", sorted((ROOT / "tests/cuda").glob("test_kernels_*.py")), ids=lambda f: f.stem[13:])
def test_kernels_are_clean(file, kind):
    if reason := sanitizers_missing(kind):
        pytest.skip(reason)
    done = run_sanitized(kind, ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(file)])
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

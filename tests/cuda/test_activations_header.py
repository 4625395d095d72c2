"""``kernels/activations.cuh`` is C++ for the CPU, too."""

from __future__ import annotations

import ctypes
import subprocess

import numpy as np

from .emulator.emulator import KERNELS, _compiler
from .launching import needs_emulator
from .test_kernels_activation import ALPHA, FROM_INPUT, FUNCTIONS, inputs, slope, value

pytestmark = needs_emulator

SOURCE = """
#include "activations.cuh"
#define KERNEL(F, name, T, suffix)                                                                   \\
    extern "C" void name##_##suffix(const T *x, const T *s, T *y, T *d, int n, T alpha) {            \\
        for (int i = 0; i < n; ++i) y[i] = F::value(x[i], alpha), d[i] = F::slope(s[i], alpha);      \\
    }
FOR_ACTIVATIONS(KERNEL, double, f64)
FOR_ACTIVATIONS(KERNEL, float, f32)
"""


def test_values_and_slopes(tmp_path):
    source, library = tmp_path / "activations.cpp", tmp_path / "activations.so"
    source.write_text(SOURCE)
    command = [_compiler(), "-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*command, f"-I{KERNELS}", str(source), "-o", str(library)], check=True)
    functions = ctypes.CDLL(str(library))
    x = inputs(100, np.float64)
    for name in FUNCTIONS:
        expected = value(name, x)
        y, d = np.empty_like(x), np.empty_like(x)
        kept = x if name in FROM_INPUT else expected
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in (x, kept, y, d)]
        getattr(functions, f"{name}_f64")(*pointers, ctypes.c_int(100), ctypes.c_double(ALPHA))
        np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-14, err_msg=name)
        np.testing.assert_allclose(d, slope(name, x), rtol=1e-6, atol=1e-7, err_msg=name)

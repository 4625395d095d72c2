"""Kernels by themselves: products against cuBLAS, convolution against cuDNN, the others against a copy of memory."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Iterator

import numpy as np

from ..bench_conv import SHAPES
from .common import Setup, setup

__all__ = ["find_torch", "run_bandwidth", "run_convolution", "run_gemm"]


# ------------------------------------------------------------------------------------------------------ products
def run_gemm() -> dict[str, Any]:
    """Rates of square and of a training step's products, and the share of what CuPy's cuBLAS reaches on them."""
    device = setup()
    cupy, k = device.cupy, device.k
    sizes = [(8, 8, 8)] if device.tiny else [(512,) * 3, (1024,) * 3, (4096,) * 3, (8192,) * 3, (128, 784, 512),
                                             (4096, 64, 256), (32, 128, 10)]  # fmt: skip
    rng, out = np.random.default_rng(0), {}
    for dtype in ("float32", "float16"):
        for m, inner, n in sizes:
            a = cupy.asarray(rng.standard_normal((m, inner)).astype(dtype))
            b = cupy.asarray(rng.standard_normal((inner, n)).astype(dtype))
            y = cupy.empty((m, n), dtype)
            ours, theirs = device.time(lambda a=a, b=b, y=y: k.matmul(a, b, out=y),
                                       lambda a=a, b=b, y=y: cupy.matmul(a, b, out=y))  # fmt: skip
            work = 2 * m * inner * n / 1e12
            out[f"{dtype} {m}x{inner}x{n}"] = {
                "TFLOP/s": round(work / ours, 3), "cuBLAS TFLOP/s": round(work / theirs, 3),
                "time over cuBLAS's": round(ours / theirs, 3),
            }  # fmt: skip
            print(f"{dtype} {m}x{inner}x{n}: {out[f'{dtype} {m}x{inner}x{n}']}", flush=True)
    return out


# --------------------------------------------------------------------------------------------------- convolution
@contextmanager
def _tf32(torch: Any, on: bool) -> Iterator[None]:
    """Whether products of float32 may be rounded to TF32, in deepkit and in PyTorch."""
    from deepkit.backend import settings

    before, settings.matmul_precision = settings.matmul_precision, "high" if on else "highest"
    if torch is not None:
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = on
    try:
        yield
    finally:
        settings.matmul_precision = before


def run_convolution() -> dict[str, Any]:
    """Convolution and its gradients beside cuDNN's by PyTorch, channels last on both sides, with TF32 and without."""
    device = setup()
    torch = find_torch()
    shapes = {"tiny": (2, 6, 6, 3, 4, 3, 1, 0)} if device.tiny else SHAPES
    out: dict[str, Any] = {} if torch else {"note": "PyTorch with CUDA isn't installed: deepkit alone"}
    for tf32 in (False, True):
        with _tf32(torch, tf32):
            for name, shape in shapes.items():
                jobs = _conv_jobs(device, shape)
                labels = list(jobs)
                if torch is not None:
                    jobs.update(_cudnn_jobs(torch, shape))
                times = dict(zip(jobs, device.time(*jobs.values())))
                row = {label: round(times[label] * 1e6, 1) for label in jobs}
                for label in labels:
                    if f"cuDNN {label}" in times:
                        row[f"{label} over cuDNN's"] = round(times[label] / times[f"cuDNN {label}"], 3)
                out[f"{name}, {'TF32' if tf32 else 'float32'}"] = row
                print(f"{name}, {'TF32' if tf32 else 'float32'}, µs: {row}", flush=True)
    return out


def find_torch() -> Any:
    """PyTorch, if it is installed and has the device."""
    try:
        import torch
    except ImportError:
        return None
    return torch if torch.cuda.is_available() else None


def _conv_jobs(device: Setup, shape: tuple[int, ...]) -> dict[str, Callable[[], Any]]:
    cupy, k = device.cupy, device.k
    n, height, width, c, o, window, stride, pad = shape
    rng = np.random.default_rng(0)
    x = cupy.asarray(rng.standard_normal((n, height, width, c)).astype("float32"))
    w = cupy.asarray(rng.standard_normal((window, window, c, o)).astype("float32"))
    b = cupy.zeros(o, "float32")
    how = ((stride, stride), ((pad, pad), (pad, pad)), (1, 1), 1, "relu")
    y = k.conv(x, w, b, *how)
    gy = cupy.ones(y.shape, "float32")
    return {"forward": lambda: k.conv(x, w, b, *how),
            "gradients": lambda: k.conv_grad(x, w, y, gy, *how, (True, True, True))}  # fmt: skip


def _cudnn_jobs(torch: Any, shape: tuple[int, ...]) -> dict[str, Callable[[], Any]]:
    n, height, width, c, o, window, stride, pad = shape
    last = torch.channels_last
    # PyTorch's own stream is the null stream, as CuPy's is: the events of either time both.
    x = torch.randn(n, c, height, width, device="cuda").to(memory_format=last).requires_grad_()
    w = torch.randn(o, c, window, window, device="cuda").to(memory_format=last).requires_grad_()
    b = torch.zeros(o, device="cuda", requires_grad=True)

    def forward() -> Any:
        return torch.relu(torch.nn.functional.conv2d(x, w, b, stride, pad))

    y = forward()
    gy = torch.ones_like(y)
    torch.backends.cudnn.benchmark = True

    def plain() -> Any:
        with torch.no_grad():
            return forward()

    return {"cuDNN forward": plain,
            "cuDNN gradients": lambda: torch.autograd.grad(y, (x, w, b), gy, retain_graph=True)}  # fmt: skip


# ----------------------------------------------------------------------------------------------------- bandwidth
def run_bandwidth() -> dict[str, Any]:
    """Bytes that must move at least, by time, as a share of what a copy of the device's memory reaches."""
    device = setup()
    cupy = device.cupy
    size = 1 << (10 if device.tiny else 26)
    source, target = cupy.ones(size, np.float32), cupy.empty(size, np.float32)
    (copy,) = device.time(lambda: cupy.copyto(target, source))
    peak = 2 * source.nbytes / copy
    out: dict[str, Any] = {"copy": {"GB/s": round(peak / 1e9, 1)}}
    for name, (function, moved) in _streams(device).items():
        (seconds,) = device.time(function)
        out[name] = {"µs": round(seconds * 1e6, 1), "GB/s": round(moved / seconds / 1e9, 1),
                     "share of a copy": round(moved / seconds / peak, 3)}  # fmt: skip
        print(f"{name}: {out[name]}", flush=True)
    return out


def _streams(device: Setup) -> dict[str, tuple[Callable[[], Any], int]]:
    """Functions and the bytes that they have to read and write."""
    cupy, k = device.cupy, device.k
    rows, n = (8, 12) if device.tiny else (1 << 15, 1024)
    f = np.float32
    x = cupy.asarray(np.random.default_rng(0).standard_normal((rows, n)).astype(f))
    labels, g_rows, g = cupy.arange(rows) % n, cupy.ones(rows, f), cupy.ones((rows, n), f)
    gamma, beta = cupy.ones(n, f), cupy.zeros(n, f)
    _, ce = k.cross_entropy(labels, x, True, True, 1e-7)
    _, ln = k.layer_norm(x, gamma, beta, 1e-3, True)
    *_, bn = k.batch_norm(x, gamma, beta, 1e-3)
    soft = k.softmax(x)
    flats = [x.reshape(-1).copy() * (i != 3) for i in range(4)]
    adam = k.OPTIMIZER_RULES["adam"]
    one = x.nbytes
    yes = (True, True, True)
    return {
        "softmax": (lambda: k.softmax(x), 2 * one),
        "softmax, gradient": (lambda: k.softmax_grad(g, soft), 3 * one),
        "softmax cross-entropy": (lambda: k.cross_entropy(labels, x, True, True, 1e-7), one),
        "softmax cross-entropy, gradient":
            (lambda: k.cross_entropy_grad(labels, ce, g_rows, True, True, 1e-7), 2 * one),
        "layer norm": (lambda: k.layer_norm(x, gamma, beta, 1e-3, True), 2 * one),
        "layer norm, gradient": (lambda: k.layer_norm_grad(ln, g, yes), 3 * one),
        "batch norm": (lambda: k.batch_norm(x, gamma, beta, 1e-3), 3 * one),
        "batch norm, gradient": (lambda: k.batch_norm_grad(bn, g, yes), 5 * one),
        "Adam": (lambda: k.blocked(adam, flats, [], (1e-3, 0.9, 0.999, 1e-7)), 7 * one),
        "relu": (lambda: k.relu(x), 2 * one),
        "relu, gradient": (lambda: k.relu_grad(g, x), 3 * one),
        "sigmoid": (lambda: k.sigmoid(x), 2 * one),
        "tanh": (lambda: k.tanh(x), 2 * one),
    }

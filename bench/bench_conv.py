"""Convolution and pooling on the CPU: forward and gradients, beside the bare matrix product and beside PyTorch.

    python -m bench.bench_conv [--threads 2] [--peer-python PATH]

The bare product multiplies a matrix as large as the gathered windows that is there already: what the convolution takes
on top is the gathering, the bias and the activation. The share is that of the machine's peak, measured as the better of
NumPy's and deepkit's product of two square matrices of 1,024. The figures are medians of a turn, and the best of the
turns.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from typing import Any, Callable

Jobs = dict[str, Callable[[], Any]]

#: Name: images, height, width, input channels, filters, window, strides, padding.
SHAPES = {
    "MNIST convnet, first": (128, 28, 28, 1, 32, 3, 1, 0),
    "MNIST convnet, second": (128, 13, 13, 32, 64, 3, 1, 0),
    "32x32x3 to 32": (64, 32, 32, 3, 32, 3, 1, 0),
    "30x30x32 to 64": (64, 30, 30, 32, 64, 3, 1, 0),
    "14x14x64 to 128": (64, 14, 14, 64, 128, 3, 1, 0),
    "same padding, strides 2": (64, 32, 32, 32, 64, 3, 2, 1),
    "pointwise": (64, 14, 14, 64, 128, 1, 1, 0),
    "one image": (1, 28, 28, 1, 32, 3, 1, 0),
}


def medians(jobs: Jobs, seconds: float = 1.0) -> dict[str, float]:
    """Median milliseconds of each job, run in turns for about ``seconds``."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for fn in jobs.values():
        fn()
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop or len(next(iter(times.values()))) < 5:
        for name, fn in jobs.items():
            start = time.perf_counter()
            fn()
            times[name].append(time.perf_counter() - start)
    return {name: sorted(found)[len(found) // 2] * 1e3 for name, found in times.items()}


def deepkit_jobs(shape: tuple[int, ...], threads: int) -> Jobs:
    """The kernels of the NumPy backend (whose threads the environment sets)."""
    import numpy as np

    from deepkit.backend import cpu

    n, height, width, c, o, window, stride, pad = shape
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, height, width, c)).astype("float32")
    w, b = rng.normal(size=(window, window, c, o)).astype("float32"), np.zeros(o, "float32")
    how: Any = ((stride, stride), ((pad, pad), (pad, pad)), (1, 1), 1, "relu")
    y = cpu.conv(x, w, b, *how)
    g = np.ones_like(y)
    needs = (c > 3, True, True)  # images, unlike features, need no gradient
    size, none = (2, 2), ((0, 0), (0, 0))
    top = cpu.max_pool(y, size, size, none)
    ones = np.ones_like(top)
    return {
        "forward": lambda: cpu.conv(x, w, b, *how),
        "gradients": lambda: cpu.conv_grad(x, w, y, g, *how, needs),
        "pool": lambda: cpu.max_pool(y, size, size, none),
        "pool gradient": lambda: cpu.max_pool_grad(y, top, ones, size, size, none),
    }


def product_jobs(shape: tuple[int, ...]) -> Jobs:
    """Matrix products, apart from the kernels, whose caches they would empty."""
    import numpy as np

    from deepkit.backend import cpu

    *_, c, o, window, _, _ = shape
    rng = np.random.default_rng(0)
    rows = int(operations(shape) / (2 * window**2 * c * o))
    columns, w = (
        rng.normal(size=size).astype("float32") for size in ((rows, window**2 * c), (window**2 * c, o))
    )
    a, into = rng.normal(size=(1024, 1024)).astype("float32"), np.empty((1024, 1024), "float32")
    return {
        "peak": lambda: np.matmul(a, a, out=into),
        "peak of our own": lambda: cpu.matmul(a, a, into),
        "product": lambda: columns @ w,
    }


def operations(shape: tuple[int, ...]) -> float:
    """Multiplications and additions of a forward pass."""
    n, height, width, c, o, window, stride, pad = shape
    rows, columns = ((side + 2 * pad - window) // stride + 1 for side in (height, width))
    return 2.0 * n * rows * columns * window**2 * c * o


def torch_jobs(shape: tuple[int, ...], threads: int) -> Jobs:
    """The same in PyTorch, in the layout it likes best."""
    import torch
    from torch.nn import functional as f

    torch.set_num_threads(threads)
    n, height, width, c, o, window, stride, pad = shape
    x = torch.randn(n, c, height, width, requires_grad=c > 3)
    w, b = torch.randn(o, c, window, window, requires_grad=True), torch.zeros(o, requires_grad=True)

    def forward() -> Any:
        return torch.relu(f.conv2d(x, w, b, stride, pad))

    y = forward()
    g = torch.ones_like(y)
    leaves = [leaf for leaf in (x, w, b) if leaf.requires_grad]
    pooled_from = y.detach().requires_grad_(True)
    top = f.max_pool2d(pooled_from, 2)
    ones = torch.ones_like(top)

    def inference() -> Any:
        with torch.no_grad():
            return forward()

    return {
        "forward": inference,
        "gradients": lambda: torch.autograd.grad(y, leaves, g, retain_graph=True),
        "pool": lambda: f.max_pool2d(pooled_from.detach(), 2),
        "pool gradient": lambda: torch.autograd.grad(top, pooled_from, ones, retain_graph=True),
    }


def measure(framework: str, threads: int, seconds: float) -> dict[str, dict[str, float]]:
    """Milliseconds by shape and job."""
    make = deepkit_jobs if framework == "deepkit" else torch_jobs
    found = {name: medians(make(shape, threads), seconds) for name, shape in SHAPES.items()}
    if framework == "deepkit":
        for name, shape in SHAPES.items():
            found[name] |= medians(product_jobs(shape), seconds / 4)
    return found


def in_turns(frameworks: list[str], options: argparse.Namespace) -> dict[str, dict[str, dict[str, float]]]:
    """Each framework in processes of its own, as thread pools get in each other's way; the best of the turns."""
    environment = os.environ | {
        f"{name}_NUM_THREADS": str(options.threads) for name in ("OPENBLAS", "MKL", "OMP", "DEEPKIT")
    }
    best: dict[str, dict[str, dict[str, float]]] = {}
    for _ in range(options.turns):
        for framework in frameworks:
            python = sys.executable if framework == "deepkit" else options.peer_python
            command = [python, "-m", "bench.bench_conv", "--worker", framework]
            command += ["--threads", str(options.threads), "--seconds", str(options.seconds)]
            output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout
            for name, jobs in json.loads(output).items():
                mine = best.setdefault(framework, {}).setdefault(name, jobs)
                mine.update({job: min(time_, mine[job]) for job, time_ in jobs.items()})
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each shape and turn")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has PyTorch")
    parser.add_argument("--worker", choices=["deepkit", "torch"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(measure(options.worker, options.threads, options.seconds)))
        return
    has_torch = options.peer_python != sys.executable or importlib.util.find_spec("torch")
    frameworks = ["deepkit"] + (["torch"] if has_torch else [])
    found = in_turns(frameworks, options)
    peaks = [jobs.pop(key) for jobs in found["deepkit"].values() for key in ("peak", "peak of our own")]
    peak = 2 * 1024**3 / min(peaks) / 1e6
    print(f"peak {peak:.0f} GFLOP/s on {options.threads} threads")
    for name, shape in SHAPES.items():
        print(f"{name}: {shape}, bare product {found['deepkit'][name].pop('product'):.3f} ms")
        for job, ours in found["deepkit"][name].items():
            theirs = found.get("torch", {}).get(name, {}).get(job)
            beside = f"{theirs:9.3f} ms torch, ratio {ours / theirs:5.2f}" if theirs else ""
            work = operations(shape) * {"forward": 1, "gradients": 1 + (shape[3] > 3)}.get(job, 0)
            share = f", {work / ours / 1e6 / peak:4.0%} of the peak" if work else ""
            print(f"  {job:14s}{ours:9.3f} ms{beside}{share}")


if __name__ == "__main__":
    main()

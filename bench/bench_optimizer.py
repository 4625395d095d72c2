"""What one optimizer step over the arena costs, beside one read-and-write pass over as many weights.

    python -m bench.bench_optimizer
"""

from __future__ import annotations

import os

os.environ.setdefault("DEEPKIT_BACKEND", "numpy")

import timeit
from typing import Callable

import numpy as np

import deepkit
from deepkit import optimizers

NETS = {
    "8-5-5-1": [(8, 5), (5,), (5, 5), (5,), (5, 1), (1,)],
    "784-512-512-10": [(784, 512), (512,), (512, 512), (512,), (512, 10), (10,)],
}
NAMES = ("SGD", "RMSprop", "Adam", "AdamW", "Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "Lion")


def microseconds(fn: Callable[[], object], number: int, repeat: int = 7) -> float:
    fn()
    return min(timeit.repeat(fn, number=number, repeat=repeat)) / number * 1e6


def step_time(name: str, shapes: list[tuple[int, ...]], number: int) -> float:
    """Microseconds of one step, its gradients lying in the arena already."""
    rng = np.random.default_rng(0)
    variables = [deepkit.Variable(rng.normal(size=s).astype("float32")) for s in shapes]
    optimizer = getattr(optimizers, name)()
    optimizer.build(variables)
    for gradient in optimizer.arena.grads:
        gradient[...] = rng.normal(size=gradient.shape)
    return microseconds(optimizer.step_arena, number)


def main() -> None:
    for net, shapes in NETS.items():
        size = sum(int(np.prod(s)) for s in shapes)
        number = max(10, min(2000, 5_000_000 // size))
        flat = np.ones(size, "float32")
        one = np.float32(1.0)
        one_pass = microseconds(lambda flat=flat, one=one: np.multiply(flat, one, out=flat), number)  # type: ignore[misc]
        print(f"{net}: {size} weights; one pass takes {one_pass:.1f} µs")
        for name in NAMES:
            step = step_time(name, shapes, number)
            print(f"  {name:<9} {step:9.1f} µs  {step / one_pass:6.1f} passes")


if __name__ == "__main__":
    main()

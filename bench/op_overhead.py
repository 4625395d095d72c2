"""What an op costs over the NumPy call it makes: forward alone, recorded, and backward.

    python -m bench.op_overhead
"""

from __future__ import annotations

import os

os.environ.setdefault("DEEPKIT_BACKEND", "numpy")

import timeit
from typing import Callable

import numpy as np

import deepkit
from deepkit import ops
from deepkit.autograd.tape import Recorder, backward, local
from deepkit.backend import cpu


def microseconds(fn: Callable[[], object], number: int = 5000, repeat: int = 9) -> float:
    return min(timeit.repeat(fn, number=number, repeat=repeat)) / number * 1e6


def main() -> None:
    a = np.ones((32, 8), "float32")
    w, bias = deepkit.Variable(np.ones((8, 8), "float32")), deepkit.Variable(np.ones(8, "float32"))
    x, y = ops.convert_to_tensor(a), ops.convert_to_tensor(a)
    cases: list[tuple[str, Callable, Callable]] = [
        ("add", lambda: np.add(a, a), lambda: x + y),
        ("multiply by a number", lambda: np.multiply(a, 2.0), lambda: x * 2.0),
        ("exp", lambda: np.exp(a), lambda: ops.exp(x)),
        ("sum", lambda: np.sum(a), lambda: ops.sum(x)),
        ("reshape", lambda: a.reshape(8, 32), lambda: ops.reshape(x, (8, 32))),
        ("matmul", lambda: np.matmul(a, w.data), lambda: ops.matmul(x, w)),
        ("dense, fused", lambda: cpu.dense(a, w.data, bias.data, "relu"), lambda: ops.dense(x, w, bias, act="relu")),
    ]
    print("µs over the NumPy call: not recorded, recorded, backward")
    for name, raw, op in cases:
        recorder = Recorder()
        recorder.keep = False
        base = microseconds(raw)
        plain = microseconds(op) - base

        def recorded(op: Callable = op, recorder: Recorder = recorder) -> None:
            recorder.records.clear()
            w.node = bias.node = 0
            recorder.leaf(x)
            op()

        def bookkeeping(recorder: Recorder = recorder) -> None:
            recorder.records.clear()
            w.node = bias.node = 0
            recorder.leaf(x)

        local.recorder = recorder
        taped = microseconds(recorded) - microseconds(bookkeeping) - base
        recorded()
        local.recorder = None
        records = list(recorder.records)
        record = records[-1]
        out_shape = op().shape
        g = np.ones(out_shape, "float32")
        needs = [j >= 0 for j in record[1]]
        raw_back = microseconds(lambda: record[0].backward(cpu, record[2], g, needs))

        def back() -> None:
            grads: list = [None] * len(records)
            grads[-1] = g
            backward(records, grads)

        print(f"{name:22s} {plain:6.2f} {taped:6.2f} {microseconds(back) - raw_back:6.2f}")


if __name__ == "__main__":
    main()

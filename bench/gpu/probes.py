"""Four questions that only a GPU answers, asked before anything else: everything later rests on them."""

from __future__ import annotations

import time
from typing import Any, Callable

import numpy as np

from .common import Setup, captured, setup

__all__ = ["run"]


def run() -> dict[str, Any]:
    """All four; one that fails is told and doesn't keep the others from being asked."""
    device = setup()
    out: dict[str, Any] = {}
    for name, probe in PROBES.items():
        try:
            out[name] = probe(device)
        except Exception as error:
            out[name] = {"holds": False, "why": f"{type(error).__name__}: {error}"}
        print(f"{name}: {out[name]}", flush=True)
    return out


def gemm(device: Setup) -> dict[str, Any]:
    """Products in a graph give the bits that they give outside, for every dtype and way to turn the factors."""
    cupy, k = device.cupy, device.k
    rng, results = np.random.default_rng(0), {}
    n = 8 if device.tiny else 512
    for dtype in ("float32", "float16", "float64"):
        a, b = (cupy.asarray(rng.standard_normal((n, n)).astype(dtype)) for _ in range(2))
        bias = cupy.zeros(n, dtype)
        for how, product in {
            "a b": lambda a=a, b=b: k.matmul(a, b),
            "aT b": lambda a=a, b=b: k.matmul(a.T, b),
            "a bT": lambda a=a, b=b: k.matmul(a, b.T),
            "dense": lambda a=a, b=b, bias=bias: k.dense(a, b, bias, "relu"),
        }.items():
            eager = product()
            with captured(cupy) as graph:
                recorded = product()
            graph[0].launch(graph[2])
            device.finish()
            same = np.array_equal(eager.get(), recorded.get())
            results[f"{dtype} {how}"] = bool(same)
        expected = a.get().astype("float64") @ b.get().astype("float64")
        error = np.abs(k.matmul(a, b).get() - expected).max() / np.abs(expected).max()
        results[f"{dtype} error"] = float(error)
    return {"holds": all(v for v in results.values() if isinstance(v, bool)), **results}


def pool(device: Setup) -> dict[str, Any]:
    """Memory of a graph's own pool stays the graph's over 1,000 replays, whatever others take and give back."""
    cupy = device.cupy
    x = cupy.arange(1 << (8 if device.tiny else 20), dtype=np.float32)
    expected = ((x * 2 + 1) * (x - 3)).get()
    with captured(cupy) as graph:
        y = (x * 2 + 1) * (x - 3)
    held, wrong = graph[1].total_bytes(), []
    replays = 20 if device.tiny else 1000
    for i in range(replays):
        others = [cupy.full(x.shape, i, np.float32) for _ in range(3)]
        graph[0].launch(graph[2])
        del others
        if i % 100 == 99 or i == replays - 1:
            device.finish()
            cupy.get_default_memory_pool().free_all_blocks()
            if not np.array_equal(y.get(), expected):
                wrong.append(i)
    grown = graph[1].total_bytes() - held
    return {"holds": not wrong and not grown, "replays": replays, "wrong after": wrong, "bytes grown": grown}


def launches(device: Setup) -> dict[str, Any]:
    """What a launch costs the host, and what one of a replayed graph does."""
    cupy, count = device.cupy, 4 if device.tiny else 200
    x, y = cupy.ones(32, np.float32), cupy.ones(32, np.float32)

    def step() -> None:
        for _ in range(count):
            cupy.add(x, y, out=y)

    step()
    with captured(cupy) as graph:
        step()
    times = {}
    for name, function in {"launch": step, "replay": lambda: graph[0].launch(graph[2])}.items():
        function()
        device.finish()
        start = time.perf_counter()
        for _ in range(2 if device.tiny else 20):
            function()
        queued = time.perf_counter() - start
        device.finish()
        done = time.perf_counter() - start
        each = count * (2 if device.tiny else 20)
        times[f"{name}, host µs"] = round(queued / each * 1e6, 3)
        times[f"{name}, with the device µs"] = round(done / each * 1e6, 3)
    return {"holds": True, "launches": count, **times}


def _calls(cupy: Any) -> dict[str, Callable[[], Any]]:
    """Calls of training steps, each by itself; what is thought to be safe first."""
    x = cupy.arange(48, dtype=np.float32).reshape(8, 6)
    y, out, row = x + 1, cupy.empty_like(x), cupy.ones(6, np.float32)
    whole = cupy.arange(8) % 3
    flat = cupy.ones(8, np.float32)
    a, b = cupy.ones((8, 8), np.float32), cupy.ones((8, 8), np.float32)
    return {
        "add(out=)": lambda: cupy.add(x, y, out=out), "multiply": lambda: x * y, "exp": lambda: cupy.exp(x),
        "zeros": lambda: cupy.zeros(16, np.float32), "full": lambda: cupy.full(16, 3, np.float32),
        "arange": lambda: cupy.arange(16), "copy": lambda: x.copy(), "astype": lambda: x.astype(np.float16),
        "ascontiguousarray(T)": lambda: cupy.ascontiguousarray(x.T), "broadcast_to + copy":
        lambda: cupy.broadcast_to(row, x.shape).copy(), "concatenate": lambda: cupy.concatenate([x, y]),
        "stack": lambda: cupy.stack([x, y]), "pad": lambda: cupy.pad(x, 1), "where": lambda: cupy.where(x > 3, x, y),
        "clip": lambda: cupy.clip(x, 1, 3), "sum": lambda: x.sum(), "sum(axis=0)": lambda: x.sum(axis=0),
        "mean(axis=1)": lambda: x.mean(axis=1), "max(axis=1)": lambda: x.max(axis=1), "argmax(axis=1)":
        lambda: x.argmax(axis=1), "cumsum": lambda: cupy.cumsum(x, axis=1), "take": lambda: cupy.take(x, whole, axis=0),
        "x[integers]": lambda: x[whole], "x[slices]": lambda: x[1:5, ::2].copy(), "setitem of a slice":
        lambda: out.__setitem__(slice(1, 3), x[:2]), "setitem of a number": lambda: out.__setitem__(0, 7),
        "fill": lambda: out.fill(0), "add.at": lambda: cupy.add.at(flat, whole, flat), "bincount":
        lambda: cupy.bincount(whole, minlength=4), "sort": lambda: cupy.sort(x, axis=1), "argsort":
        lambda: cupy.argsort(flat), "partition": lambda: cupy.partition(x, 2, axis=1), "einsum":
        lambda: cupy.einsum("ij,ij->i", x, y), "dot": lambda: cupy.dot(flat, flat), "matmul": lambda: cupy.matmul(a, b),
        "array from the host": lambda: cupy.asarray(np.ones(4, np.float32)), "isfinite().all()":
        lambda: cupy.isfinite(x).all(), "x[mask]": lambda: x[x > 3], "nonzero": lambda: cupy.nonzero(flat), "item":
        lambda: flat[0].item(), "get": lambda: x.get(),
    }  # fmt: skip


def calls(device: Setup) -> dict[str, Any]:
    """Which of CuPy's calls a graph can hold, each tried in a capture of its own and then replayed."""
    found = {}
    for name, call in _calls(device.cupy).items():
        try:
            eager = call()
            with captured(device.cupy) as graph:
                recorded = call()
            graph[0].launch(graph[2])
            device.finish()
            same = not hasattr(eager, "get") or np.allclose(eager.get(), recorded.get(), equal_nan=True)
            found[name] = "yes" if same else "no: another result"
        except Exception as error:
            found[name] = f"no: {type(error).__name__}: {str(error).splitlines()[0][:100] if str(error) else ''}"
        print(f"  {name}: {found[name]}", flush=True)
    return {"holds": True, **found}


PROBES: dict[str, Callable[[Setup], dict[str, Any]]] = {
    "captured products equal eager ones": gemm, "a pool survives replays": pool, "launch and replay": launches,
    "calls that a graph holds": calls,
}  # fmt: skip

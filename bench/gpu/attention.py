"""Attention and its gradients beside PyTorch's, which is FlashAttention for half precision."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from .common import Setup, setup
from .kernels import find_torch

__all__ = ["run"]

#: Batch, length, heads, size of a head.
SHAPES = {"short": (64, 128, 12, 64), "middle": (8, 1024, 12, 64), "long": (1, 8192, 12, 64)}


def run() -> dict[str, Any]:
    """Times of attention and of its gradients for some lengths, with and without sight of later positions."""
    device, torch = setup(), find_torch()
    shapes = {"tiny": (2, 5, 2, 4)} if device.tiny else SHAPES
    out: dict[str, Any] = {} if torch else {"note": "PyTorch with CUDA isn't installed: deepkit alone"}
    for dtype in ("float32", "float16"):
        for name, shape in shapes.items():
            for causal in (False, True):
                jobs = _jobs(device, shape, dtype, causal)
                labels = list(jobs)
                if torch is not None:
                    jobs.update(_torch_jobs(torch, shape, dtype, causal))
                times = dict(zip(jobs, device.time(*jobs.values())))
                row = {label: round(times[label] * 1e6, 1) for label in jobs}
                for label in labels:
                    if f"PyTorch {label}" in times:
                        row[f"{label} over PyTorch's"] = round(times[label] / times[f"PyTorch {label}"], 3)
                case = f"{name} {shape}, {dtype}{', causal' if causal else ''}"
                out[case] = row
                print(f"{case}, µs: {row}", flush=True)
    return out


def _jobs(device: Setup, shape: tuple[int, ...], dtype: str, causal: bool) -> dict[str, Callable[[], Any]]:
    k, rng = device.k, np.random.default_rng(0)
    q, key, v, g = (device.cupy.asarray(rng.standard_normal(shape).astype(dtype)) for _ in range(4))
    how = (None, None, shape[-1] ** -0.5, causal)
    _, saved = k.attention(q, key, v, *how)
    return {"forward": lambda: k.attention(q, key, v, *how),
            "gradients": lambda: k.attention_grad(saved, g, (True,) * 5)}  # fmt: skip


def _torch_jobs(torch: Any, shape: tuple[int, ...], dtype: str, causal: bool) -> dict[str, Callable[[], Any]]:
    # PyTorch has heads before lengths; views of our layout are what its models pass.
    q, k, v = (torch.randn(shape, device="cuda", dtype=getattr(torch, dtype)).transpose(1, 2).requires_grad_()
               for _ in range(3))  # fmt: skip

    def forward() -> Any:
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)

    y = forward()
    g = torch.randn_like(y)

    def plain() -> Any:
        with torch.no_grad():
            return forward()

    return {"PyTorch forward": plain,
            "PyTorch gradients": lambda: torch.autograd.grad(y, (q, k, v), g, retain_graph=True)}  # fmt: skip

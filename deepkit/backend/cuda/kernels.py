"""The kernel module over CuPy: the names of ``backend.cpu``, one flat namespace."""

from __future__ import annotations

from typing import Any

from .derived import complete

#: Modules whose functions make up the namespace.
STEMS = (
    "adaptive_pool", "attention", "bessel", "blocks", "conv", "ctc", "elementwise", "fourier", "graph", "layerwise",
    "linear", "loss", "memory", "norm", "optimizer", "place", "pool", "random", "recurrent", "staging",
)  # fmt: skip

__all__: list[str] = []
for _stem in STEMS:
    _module = complete(_stem)
    globals().update({name: getattr(_module, name) for name in _module.__all__})
    __all__ += _module.__all__


def __getattr__(name: str) -> Any:
    raise AttributeError(f"The CUDA backend has no kernel {name!r}.")

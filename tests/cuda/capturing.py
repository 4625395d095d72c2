"""Record a function as a CUDA graph and replay it over other numbers."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

__all__ = ["check_captured"]


def check_captured(
    function: Callable[..., Any], inputs: list[np.ndarray], others: list[np.ndarray], exact: bool = True
) -> None:
    """Assert that ``function`` can be recorded, and that a replay sees what the inputs hold by then.

    Args:
        function: Of arrays on the device; gives an array or a tuple of them.
        inputs: What it runs over first, eagerly, and what is there while it is recorded.
        others: What is written over them before the replay.
        exact: Whether results are the same to the bit as those of an eager run.
    """
    import cupy

    device = [cupy.asarray(a) for a in inputs]
    function(*device)  # compiles
    pool = cupy.cuda.MemoryPool()
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream, cupy.cuda.using_allocator(pool.malloc):
        stream.begin_capture()
        try:
            found = function(*device)
        finally:
            graph = stream.end_capture()
        for a, b in zip(device, others):
            a[...] = cupy.asarray(b)
        graph.launch()
        stream.synchronize()
    expected = function(*(cupy.asarray(a) for a in others))
    for a, b in zip(_tuple(found), _tuple(expected)):
        a, b = cupy.asnumpy(a), cupy.asnumpy(b)
        (np.testing.assert_array_equal if exact else np.testing.assert_allclose)(a, b)


def _tuple(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)

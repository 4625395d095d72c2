"""How convolutions and pooling are written in ONNX, whose order is channels first."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd.op import to_array
from ...ops.conv_transpose import transposed_padding
from ...utils.windows import resolve_padding, transposed_sizes
from .convert import activated
from .graph import Graph, converts


def _first(g: Graph, x: str, rank: int) -> str:
    return g.transpose(x, (0, rank + 1, *range(1, rank + 1)))


def _last(g: Graph, y: str, rank: int) -> str:
    return g.transpose(y, (0, *range(2, rank + 2), 1))


def _pads(spatial: Any, kernel: Any, strides: Any, dilation: Any, padding: Any, owner: str) -> dict[str, Any]:
    """The attributes that say the padding; ``same`` over an unknown size is left to the runtime."""
    if padding == "valid":
        return {}
    if padding == "same" and None in spatial:
        return {"auto_pad": "SAME_UPPER"}
    if padding == "causal":
        pairs: Any = tuple(((k - 1) * d, 0) for k, d in zip(kernel, dilation))
    else:
        pairs = resolve_padding(tuple(spatial), kernel, strides, dilation, padding, owner)
    return {"pads": [p[0] for p in pairs] + [p[1] for p in pairs]}


@converts("Conv")
def _conv(g: Graph, node: Any, x: Any, w: Any, b: Any, strides: Any = None, padding: Any = "valid",
          dilation: Any = None, act: str | None = None) -> str | None:  # fmt: skip
    if not hasattr(w, "data"):
        return None  # a kernel that is computed
    rank = len(w.shape) - 2
    kernel, ones = tuple(w.shape[:rank]), (1,) * rank
    strides, dilation = strides or ones, dilation or ones
    weight = g.constant(np.moveaxis(np.asarray(to_array(w)), (-1, -2), (0, 1)), hint="weight")
    attributes = {"strides": list(strides), "dilations": list(dilation), "kernel_shape": list(kernel),
                  "group": x.shape[-1] // w.shape[-2]}  # fmt: skip
    attributes.update(_pads(x.shape[1:-1], kernel, strides, dilation, padding, "conv"))
    bias = [] if b is None else [g.value(b)]
    y = g.add("Conv", _first(g, g.value(x), rank), weight, *bias, **attributes)
    return activated(g, _last(g, y, rank), act)


@converts("ConvTranspose")
def _conv_transpose(g: Graph, node: Any, x: Any, w: Any, b: Any, strides: Any, padding: str, dilation: Any,
                    output_padding: Any, act: str | None = None) -> str:  # fmt: skip
    rank = len(w.shape) - 2
    spatial, kernel = tuple(x.shape[1:-1]), tuple(w.shape[:rank])
    if None in spatial:
        raise ValueError(
            "ONNX export: a transposed convolution needs known sizes; give Input a shape without None."
        )
    out = transposed_sizes(spatial, kernel, strides, dilation, padding, output_padding)
    pairs = transposed_padding(spatial, out, kernel, strides, dilation, padding)
    # ONNX: out = s (n - 1) + (k - 1) d + 1 - before - after + output_padding
    after = [
        s * (n - 1) + (k - 1) * d + 1 - m - lo
        for n, m, k, s, d, (lo, _) in zip(spatial, out, kernel, strides, dilation, pairs)
    ]
    pads = [lo for lo, _ in pairs] + [max(a, 0) for a in after]
    room = [max(-a, 0) for a in after]
    weight = g.constant(np.moveaxis(np.asarray(to_array(w)), (-1, -2), (0, 1)), hint="weight")
    bias = [] if b is None else [g.value(b)]
    y = g.add("ConvTranspose", _first(g, g.value(x), rank), weight, *bias, strides=list(strides),
              dilations=list(dilation), kernel_shape=list(kernel), pads=pads, output_padding=room)  # fmt: skip
    return activated(g, _last(g, y, rank), act)


@converts("max_pool", "average_pool")
def _pool(g: Graph, node: Any, x: Any, pool: Any, strides: Any, padding: str) -> str:
    rank = len(pool)
    attributes: dict[str, Any] = {"kernel_shape": list(pool), "strides": list(strides)}
    attributes.update(_pads(x.shape[1:-1], pool, strides, (1,) * rank, padding, node.operation.name))
    kind = "MaxPool" if node.operation.name == "max_pool" else "AveragePool"
    return _last(g, g.add(kind, _first(g, g.value(x), rank), **attributes), rank)

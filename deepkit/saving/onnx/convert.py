"""How elementwise ops, reductions, shapes, indexing and products are written in ONNX."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...autograd.dtypes import np_dtype
from ...autograd.spec import Spec
from ...ops.reduce import axes_of
from .graph import CONVERTERS, Graph, converts

# -- elementwise -------------------------------------------------------------------------------------------------------

_SAME_NAME = {
    "negative": "Neg", "abs": "Abs", "sign": "Sign", "sqrt": "Sqrt", "exp": "Exp", "log": "Log", "sin": "Sin",
    "cos": "Cos", "tan": "Tan", "arcsin": "Asin", "arccos": "Acos", "arctan": "Atan", "sinh": "Sinh", "cosh": "Cosh",
    "tanh": "Tanh", "arcsinh": "Asinh", "arccosh": "Acosh", "arctanh": "Atanh", "reciprocal": "Reciprocal",
    "floor": "Floor", "ceil": "Ceil", "erf": "Erf", "sigmoid": "Sigmoid", "softplus": "Softplus", "relu": "Relu",
    "logical_not": "Not", "isnan": "IsNaN", "isinf": "IsInf", "_rint": "Round", "rint": "Round", "add": "Add",
    "subtract": "Sub", "multiply": "Mul", "divide": "Div", "power": "Pow", "maximum": "Max", "minimum": "Min",
    "equal": "Equal", "less": "Less", "less_equal": "LessOrEqual", "greater": "Greater",
    "greater_equal": "GreaterOrEqual", "logical_and": "And", "logical_or": "Or", "logical_xor": "Xor",
}  # fmt: skip
_FLOAT_ONLY = {"reciprocal", "sqrt", "exp", "log", "divide", "tanh", "sigmoid", "softplus", "erf"}
_LOGICAL = {"logical_not", "logical_and", "logical_or", "logical_xor"}


def inputs_of(g: Graph, node: Any) -> list[str]:
    """The inputs of an elementwise op in the dtype that they are promoted to."""
    out = node.outputs
    op = node.operation
    specs = [x for x in node.args if hasattr(x, "dtype")]
    if op.name in _LOGICAL:
        dtype = "bool"
    elif op.result == "bool":
        dtype = max((np_dtype(x.dtype) for x in specs), key=lambda d: (d.kind == "f", d.itemsize)).name
    else:
        dtype = out.dtype
    names = []
    for x in node.args:
        name = g.value(x, np_dtype(dtype) if not hasattr(x, "dtype") else None)
        names.append(
            g.cast(name, dtype) if hasattr(x, "dtype") and np_dtype(x.dtype) != np_dtype(dtype) else name
        )
    return names


def _plain(g: Graph, node: Any, *inputs: Any, **params: Any) -> str:
    return g.add(_SAME_NAME[node.operation.name], *inputs_of(g, node))


CONVERTERS.update(dict.fromkeys(_SAME_NAME, _plain))


@converts(
    "square", "rsqrt", "silu", "log1p", "expm1", "log2", "log10", "exp2", "trunc", "isfinite", "not_equal"
)
def _composed(g: Graph, node: Any, *inputs: Any, **params: Any) -> str:
    name = node.operation.name
    x, *rest = inputs_of(g, node)
    one = lambda value: g.constant(np.asarray(value, np_dtype(node.outputs.dtype)))
    if name == "square":
        return g.add("Mul", x, x)
    if name == "rsqrt":
        return g.add("Reciprocal", g.add("Sqrt", x))
    if name == "silu":
        return g.add("Mul", x, g.add("Sigmoid", x))
    if name == "log1p":
        return g.add("Log", g.add("Add", x, one(1)))
    if name == "expm1":
        return g.add("Sub", g.add("Exp", x), one(1))
    if name == "exp2":
        return g.add("Exp", g.add("Mul", x, one(math.log(2))))
    if name in ("log2", "log10"):
        return g.add("Mul", g.add("Log", x), one(1 / math.log(2 if name == "log2" else 10)))
    if name == "trunc":
        return g.add("Mul", g.add("Sign", x), g.add("Floor", g.add("Abs", x)))
    if name == "isfinite":
        return g.add("Not", g.add("Or", g.add("IsNaN", x), g.add("IsInf", x)))
    return g.add("Not", g.add("Equal", x, *rest))


@converts("clip")
def _clip(g: Graph, node: Any, x: Any, low: Any, high: Any) -> str:
    dtype = np_dtype(node.outputs.dtype)
    bounds = ["" if v is None else g.constant(np.asarray(v, dtype)) for v in (low, high)]
    return g.add("Clip", g.value(x), *bounds)


@converts("cast")
def _cast(g: Graph, node: Any, x: Any, dtype: Any) -> str:
    return g.cast(g.value(x), dtype)


@converts("identity", "stop_gradient", "Dropout")
def _identity(g: Graph, node: Any, x: Any, **params: Any) -> str:
    return g.add("Identity", g.value(x))


@converts("Where")
def _where(g: Graph, node: Any, condition: Any, a: Any, b: Any) -> str:
    dtype = node.outputs.dtype
    mask = g.value(condition)
    if getattr(condition, "dtype", "bool") != "bool":
        mask = g.cast(mask, "bool")
    sides = []
    for x in (a, b):
        name = g.value(x, np_dtype(dtype) if not hasattr(x, "dtype") else None)
        sides.append(
            g.cast(name, dtype) if hasattr(x, "dtype") and np_dtype(x.dtype) != np_dtype(dtype) else name
        )
    return g.add("Where", mask, *sides)


# -- reductions --------------------------------------------------------------------------------------------------------

_REDUCE = {"sum": "ReduceSum", "mean": "ReduceMean", "max": "ReduceMax", "min": "ReduceMin", "prod": "ReduceProd",
           "logsumexp": "ReduceLogSumExp"}  # fmt: skip


@converts(*_REDUCE, "var", "any", "all")
def _reduce(g: Graph, node: Any, x: Any, axis: Any = None, keepdims: bool = False) -> str:
    name = node.operation.name
    axes = g.ints(range(len(x.shape)) if axis is None else axes_of(axis, len(x.shape)))
    value = g.value(x)
    if name in ("any", "all"):
        found = g.add(
            "ReduceMax" if name == "any" else "ReduceMin",
            g.cast(value, "int32"),
            axes,
            keepdims=int(keepdims),
        )
        return g.cast(found, "bool")
    if np_dtype(x.dtype) != np_dtype(node.outputs.dtype):
        value = g.cast(value, node.outputs.dtype)
    if name == "var":
        centred = g.add("Sub", value, g.add("ReduceMean", value, axes, keepdims=1))
        return g.add("ReduceMean", g.add("Mul", centred, centred), axes, keepdims=int(keepdims))
    return g.add(_REDUCE[name], value, axes, keepdims=int(keepdims))


@converts("argmax", "argmin")
def _position(g: Graph, node: Any, x: Any, axis: Any = None, keepdims: bool = False) -> str:
    value = g.value(x)
    if axis is None:
        value, axis = g.add("Reshape", value, g.ints([-1])), 0
        keepdims = False
    kind = "ArgMax" if node.operation.name == "argmax" else "ArgMin"
    return g.cast(g.add(kind, value, axis=int(axis), keepdims=int(keepdims)), "int32")


@converts("softmax", "log_softmax")
def _softmax(g: Graph, node: Any, x: Any, axis: Any = -1) -> str:
    kind = "Softmax" if node.operation.name == "softmax" else "LogSoftmax"
    if isinstance(axis, int):
        return g.add(kind, g.value(x), axis=axis)
    axes = g.ints(range(len(x.shape)) if axis is None else axis)
    shifted = g.add("Sub", g.value(x), g.add("ReduceLogSumExp", g.value(x), axes, keepdims=1))
    return shifted if kind == "LogSoftmax" else g.add("Exp", shifted)


@converts("cumsum")
def _cumsum(g: Graph, node: Any, x: Any, axis: Any = None, **params: Any) -> str | None:
    if axis is None:
        return None
    return g.add("CumSum", g.value(x), g.constant(np.asarray(int(axis), np.int64)))


# -- shapes ------------------------------------------------------------------------------------------------------------


def target_shape(g: Graph, source: Any, shape: Any) -> str:
    """A shape for Reshape: the last unknown size is computed, those before it copied from the same axes."""
    unknown = [i for i, n in enumerate(shape) if n is None]
    for i in unknown[:-1]:
        if tuple(source[: i + 1]) != tuple(shape[: i + 1]):
            raise ValueError(f"ONNX export: a reshape from {source} to {shape} leaves more than one size open.")
    sizes = [n if n is not None else 0 for n in shape]
    if unknown:
        sizes[unknown[-1]] = -1
    return g.ints(sizes)


@converts("reshape")
def _reshape(g: Graph, node: Any, x: Any, newshape: Any) -> str:
    return g.add("Reshape", g.value(x), target_shape(g, tuple(x.shape), tuple(node.outputs.shape)))


@converts("transpose")
def _transpose(g: Graph, node: Any, x: Any, axes: Any = None) -> str:
    rank = len(x.shape)
    return g.transpose(g.value(x), [a % rank for a in axes] if axes is not None else range(rank)[::-1])


@converts("expand_dims")
def _expand_dims(g: Graph, node: Any, x: Any, axis: Any) -> str:
    rank = len(node.outputs.shape)
    return g.add("Unsqueeze", g.value(x), g.ints(sorted(a % rank for a in np.atleast_1d(axis))))


@converts("squeeze")
def _squeeze(g: Graph, node: Any, x: Any, axis: Any = None) -> str:
    axes = [i for i, n in enumerate(x.shape) if n == 1] if axis is None else axes_of(axis, len(x.shape))
    return g.add("Squeeze", g.value(x), g.ints(axes))


@converts("broadcast_to")
def _broadcast_to(g: Graph, node: Any, x: Any, shape: Any) -> str:
    return g.add("Expand", g.value(x), g.ints([1 if n is None else n for n in shape]))


@converts("Concatenate")
def _concatenate(g: Graph, node: Any, *xs: Any, axis: int = 0) -> str:
    dtype = node.outputs.dtype
    names = [g.cast(g.value(x), dtype) if np_dtype(x.dtype) != np_dtype(dtype) else g.value(x) for x in xs]
    return g.add("Concat", *names, axis=axis)


@converts("pad")
def _pad(g: Graph, node: Any, x: Any, pad_width: Any, constant_values: Any = 0) -> str:
    pairs = [(w, w) if np.ndim(w) == 0 else tuple(w) for w in pad_width]
    pads = g.ints([p[0] for p in pairs] + [p[1] for p in pairs])
    return g.add("Pad", g.value(x), pads, g.constant(np.asarray(constant_values, np_dtype(x.dtype))))


@converts("flip")
def _flip(g: Graph, node: Any, x: Any, axis: Any = None) -> str:
    axes = list(range(len(x.shape))) if axis is None else list(axes_of(axis, len(x.shape)))
    return reversed_along(g, g.value(x), axes)


def reversed_along(g: Graph, x: str, axes: Any) -> str:
    """``x`` backwards along some axes."""
    n = len(axes)
    return g.add("Slice", x, g.ints([-1] * n), g.ints([-(2**62)] * n), g.ints(axes), g.ints([-1] * n))


@converts("getitem")
def _getitem(g: Graph, node: Any, x: Any, index: Any) -> str | None:
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(not (p is None or p is Ellipsis or isinstance(p, (int, np.integer, slice))) for p in parts):
        arrays = [p for p in parts if not (isinstance(p, slice) and p == slice(None))]
        if len(arrays) == 1 and np.ndim(arrays[0]) >= 1 and np.asarray(arrays[0]).dtype.kind in "iu":
            return g.add(
                "Gather", g.value(x), g.constant(np.asarray(arrays[0], np.int64)), axis=parts.index(arrays[0])
            )
        raise ValueError("ONNX export: indexing with several arrays, or by a mask, has no counterpart.")
    used = sum(p is not None and p is not Ellipsis for p in parts)
    if Ellipsis not in parts:
        parts.append(Ellipsis)
    starts, ends, axes, steps, gone, new = [], [], [], [], [], []
    axis = place = 0
    for p in parts:
        if p is None:
            new.append(place)
            place += 1
        elif p is Ellipsis:
            axis += len(x.shape) - used
            place += len(x.shape) - used
        elif isinstance(p, slice):
            if p != slice(None):
                step = 1 if p.step is None else int(p.step)
                far = 2**62 if step > 0 else -(2**62)
                starts.append((0 if step > 0 else -1) if p.start is None else int(p.start))
                ends.append(far if p.stop is None else int(p.stop))
                axes.append(axis)
                steps.append(step)
            axis += 1
            place += 1
        else:
            starts.append(int(p))
            ends.append(2**62 if int(p) == -1 else int(p) + 1)
            axes.append(axis)
            steps.append(1)
            gone.append(axis)
            axis += 1
    y = g.value(x)
    if axes:
        y = g.add("Slice", y, g.ints(starts), g.ints(ends), g.ints(axes), g.ints(steps))
    if gone:
        y = g.add("Squeeze", y, g.ints(gone))
    return g.add("Unsqueeze", y, g.ints(new)) if new else y


@converts("Take")
def _take(g: Graph, node: Any, x: Any, indices: Any, axis: Any = None) -> str:
    ids = g.value(indices)
    if hasattr(indices, "dtype") and np_dtype(indices.dtype).name not in ("int32", "int64"):
        ids = g.cast(ids, "int32")
    value = g.value(x) if axis is not None else g.add("Reshape", g.value(x), g.ints([-1]))
    return g.add("Gather", value, ids, axis=int(axis or 0))


# -- products ----------------------------------------------------------------------------------------------------------


def activated(g: Graph, y: str, act: str | None) -> str:
    """The activation of a fused op."""
    if act is None:
        return y
    kinds = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "elu": "Elu", "exponential": "Exp"}
    return g.add("Softmax", y, axis=-1) if act == "softmax" else g.add(kinds[act], y)


def _promoted(g: Graph, node: Any, x: Any) -> str:
    dtype = node.outputs.dtype
    return g.value(x) if np_dtype(x.dtype) == np_dtype(dtype) else g.cast(g.value(x), dtype)


@converts("MatMul")
def _matmul(g: Graph, node: Any, a: Any, b: Any) -> str:
    return g.add("MatMul", _promoted(g, node, a), _promoted(g, node, b))


@converts("Dense")
def _dense(g: Graph, node: Any, x: Any, w: Any, b: Any, act: str | None = None) -> str:
    if b is not None and len(x.shape) == 2 and isinstance(x, Spec):
        return activated(g, g.add("Gemm", _promoted(g, node, x), g.value(w), g.value(b)), act)
    y = g.add("MatMul", _promoted(g, node, x), g.value(w))
    return activated(g, y if b is None else g.add("Add", y, g.value(b)), act)


@converts("Einsum")
def _einsum(g: Graph, node: Any, *xs: Any, terms: Any = (), out: str = "") -> str:
    return g.add("Einsum", *[_promoted(g, node, x) for x in xs], equation=f"{','.join(terms)}->{out}")


@converts("LayerNorm")
def _layer_norm(
    g: Graph, node: Any, x: Any, gamma: Any, beta: Any, epsilon: float = 1e-3, centre: bool = True
) -> Any:
    if not centre or x.shape[-1] is None:
        return None
    scale = g.value(gamma) if gamma is not None else g.constant(np.ones(x.shape[-1], np_dtype(x.dtype)))
    rest = [g.value(beta)] if beta is not None else []
    return g.add("LayerNormalization", g.value(x), scale, *rest, axis=-1, epsilon=float(epsilon))

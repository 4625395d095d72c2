"""From a model to an ONNX file."""

from __future__ import annotations

import os
from typing import Any

from ...autograd.dtypes import np_dtype
from ...autograd.spec import Spec
from ...autograd.tape import paused, shapes_only
from ...layers.context import context
from ...utils.atomic import atomic_write
from ...utils.nest import flatten, map_nest
from . import convert, convert_recurrent, convert_windows  # noqa: F401  (they declare the converters)
from .graph import OPSET, Graph


def export_onnx(model: Any, filepath: Any, input_signature: Any = None) -> None:
    """Write a model's inference as ONNX.

    The graph is made by running the model on symbolic tensors, layers and all, so it holds deepkit's ops, not its
    layers: whatever a layer of one's own does with ``deepkit.ops`` is written too. Convolutions and pooling are turned
    to ONNX's channels-first order and back. Sizes that are unknown, the batch's first of all, stay dynamic.

    Args:
        model: A built model.
        filepath: File to write, atomically.
        input_signature: Nest of :class:`deepkit.KerasTensor` or of objects with ``shape`` and ``dtype``, like the
            model's inputs; those that it was built with by default.

    Raises:
        ImportError: without the ``onnx`` package.
        ValueError: if the model isn't built, or an op has no counterpart in ONNX; no file is written then.

    Example:
        >>> import deepkit
        >>> model = deepkit.Sequential([deepkit.Input((4,)), deepkit.layers.Dense(2, activation="relu")])
        >>> model.export("model.onnx")  # doctest: +SKIP
    """
    try:
        import onnx
    except ImportError as error:
        raise ImportError("Export to ONNX needs the onnx package: pip install 'deepkit[onnx]'") from error
    inputs = _signature(model, input_signature)
    outputs = _trace(model, inputs)
    graph = Graph(onnx)
    names = _names(inputs, "input")
    for x, name in zip(flatten(inputs), names):
        graph.know(x, name)
    leaves = [y for y in flatten(outputs) if y is not None]
    graph.write([y for y in leaves if isinstance(y, Spec)])
    out_names = _names(outputs, "output")
    for y, name in zip(leaves, out_names):
        graph.nodes.append(onnx.helper.make_node("Identity", [graph.value(y)], [name]))
    made = onnx.helper.make_graph(
        graph.nodes, model.name,
        [_info(onnx, x, name) for x, name in zip(flatten(inputs), names)],
        [_info(onnx, y, name) for y, name in zip(leaves, out_names)],
        graph.constants,
    )  # fmt: skip
    from ... import __version__

    proto = onnx.helper.make_model(
        made, opset_imports=[onnx.helper.make_opsetid("", OPSET)], producer_name="deepkit",
        producer_version=__version__, ir_version=9,
    )  # fmt: skip
    onnx.checker.check_model(proto, full_check=True)
    with atomic_write(os.fspath(filepath)) as file:
        file.write(proto.SerializeToString())


def _signature(model: Any, given: Any) -> Any:
    if given is None:
        known = getattr(model, "_inputs_struct", None)
        if known is None and getattr(model, "_chain", None) is not None:
            known = model._chain._inputs_struct
        if known is None:
            shapes = getattr(model, "_build_shapes", None)
            if not model.built or shapes is None:
                raise ValueError(
                    f"Model {model.name!r} isn't built: call it on data, or pass `input_signature`."
                )
            from ...layers.shapes import _ShapeNest

            known = _ShapeNest.to_specs(shapes, model.compute_dtype)
            known = map_nest(lambda x: Spec((None, *x.shape[1:]), x.dtype), known)
        given = known
    if isinstance(given, (list, tuple)) and len(given) == 1 and not isinstance(given[0], (list, tuple, dict)):
        given = given[0]
    return map_nest(lambda x: Spec(x.shape, np_dtype(x.dtype).name, name=getattr(x, "name", None)), given)


def _trace(model: Any, inputs: Any) -> Any:
    """The model's outputs as symbolic tensors that remember the ops, not the layers, that made them."""
    before = context.inline, context.depth, context.training
    context.inline, context.depth, context.training = True, context.depth + 1, False
    try:
        with paused(), shapes_only(False):
            return model.call(inputs)
    finally:
        context.inline, context.depth, context.training = before


def _names(nest: Any, kind: str) -> list[str]:
    """Names for the leaves: their own or their keys', made different."""
    leaves = flatten(nest)
    keys = sorted(nest) if isinstance(nest, dict) else [None] * len(leaves)
    if len(keys) != len(leaves):
        keys = [None] * len(leaves)
    found: list[str] = []
    for i, (x, key) in enumerate(zip(leaves, keys)):
        own = getattr(x, "name", None) if kind == "input" else None
        name = key or (own if own and not own.startswith("keras_tensor") else None)
        name = name or (kind if len(leaves) == 1 else f"{kind}_{i}")
        found.append(name if name not in found else f"{name}_{i}")
    return found


def _info(onnx: Any, x: Any, name: str) -> Any:
    sizes = [n if n is not None else ("batch" if i == 0 else f"{name}_{i}") for i, n in enumerate(x.shape)]
    dtype = np_dtype(x.dtype)
    return onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(dtype), sizes)


__all__ = ["export_onnx"]

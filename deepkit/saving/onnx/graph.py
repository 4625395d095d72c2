"""The ONNX graph while it is written: names, constants and nodes."""

from __future__ import annotations

from typing import Any, Callable, Sequence

import numpy as np

from ...autograd.dtypes import np_dtype
from ...autograd.op import Node, to_array
from ...autograd.spec import Spec
from ...autograd.tape import paused, shapes_only
from ...backend import to_numpy
from ...utils.nest import flatten

#: Version of the operator set: the first whose reductions all take their axes as inputs.
OPSET = 18

Converter = Callable[..., Any]
CONVERTERS: dict[str, Converter] = {}


def converts(*names: str) -> Callable[[Converter], Converter]:
    """Declare how the ops of these names are written: ``f(graph, node, *inputs, **params) -> name or names``.

    A converter may give ``None``: then the op is written by way of its reference.
    """

    def declare(f: Converter) -> Converter:
        CONVERTERS.update(dict.fromkeys(names, f))
        return f

    return declare


class Graph:
    """Collects nodes and constants.

    Args:
        onnx: The ``onnx`` package.
    """

    def __init__(self, onnx: Any):
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.names: dict[int, str] = {}
        self._kept: list[Any] = []  # what `names` knows by id must live
        self._shared: dict[tuple, str] = {}
        self._count = 0

    def _new(self, hint: str) -> str:
        self._count += 1
        return f"{hint}_{self._count}"

    def know(self, spec: Any, name: str) -> None:
        """Remember the name of a symbolic tensor, or of a constant."""
        self.names[id(spec)] = name
        self._kept.append(spec)

    def constant(self, value: Any, dtype: Any = None, hint: str = "constant") -> str:
        """An initializer; equal small ones are shared."""
        array = np.ascontiguousarray(value, dtype=dtype)
        array = array.reshape(np.shape(value))  # ascontiguousarray makes scalars one-dimensional
        key = (array.dtype.str, array.shape, array.tobytes()) if array.size <= 16 else None
        if key in self._shared:
            return self._shared[key]  # type: ignore[index]
        name = self._new(hint)
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        if key is not None:
            self._shared[key] = name
        return name

    def add(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Append a node; gives the name of its output, or several."""
        names = [self._new(kind.lower()) for _ in range(outputs)]
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def ints(self, values: Sequence[int]) -> str:
        """A constant vector of int64, as shapes and axes are."""
        return self.constant(np.asarray(list(values), np.int64).reshape(-1))

    def cast(self, x: str, dtype: Any) -> str:
        """``x`` in another dtype."""
        return self.add("Cast", x, to=self.onnx.helper.np_dtype_to_tensor_dtype(np_dtype(dtype)))

    def transpose(self, x: str, axes: Sequence[int]) -> str:
        """``x`` with its axes in another order."""
        return self.add("Transpose", x, perm=list(axes))

    def value(self, x: Any, dtype: Any = None) -> str:
        """The name of an op's input: symbolic, a constant, or ``""`` for ``None``."""
        if x is None:
            return ""
        known = self.names.get(id(x))
        if known is not None:
            return known
        if isinstance(x, Spec):
            raise ValueError("ONNX export: a tensor doesn't come from the model's inputs alone.")
        array = np.asarray(to_numpy(to_array(x)) if not isinstance(x, (bool, int, float)) else x, dtype=dtype)
        if array.dtype.name == "bfloat16":
            array = array.astype("float32")
        name = self.constant(array, hint="weight" if array.size > 16 else "constant")
        if not isinstance(x, (bool, int, float)):
            self.know(x, name)
        return name

    # -- ops -----------------------------------------------------------------------------------------------------------
    def write(self, outputs: Sequence[Spec]) -> None:
        """Write every op that these tensors need and that isn't written yet, inputs first."""
        stack: list[tuple[Node, bool]] = [
            (y.node, False) for y in reversed(outputs) if id(y) not in self.names
        ]
        for y in outputs:
            if y.node is None and id(y) not in self.names:
                raise ValueError(
                    "ONNX export: an output doesn't follow from the inputs by ops that ONNX can express (a layer that "
                    "runs step by step over an unknown number of steps, or makes its output from a shape alone)."
                )
        while stack:
            node, ready = stack.pop()
            if all(id(y) in self.names for y in flatten(node.outputs)):
                continue
            if ready:
                self._write_node(node)
                continue
            stack.append((node, True))
            for x in sources(node):
                if id(x) not in self.names:
                    if x.node is None:
                        raise ValueError(
                            f"ONNX export: {node.operation!r} needs a tensor that no op gives: {x!r}."
                        )
                    stack.append((x.node, False))

    def _write_node(self, node: Node) -> None:
        op = node.operation
        found = None
        if op.name in CONVERTERS:
            found = CONVERTERS[op.name](self, node, *node.args, **node.kwargs)
        if found is None:
            found = self._write_reference(node)
        names = [found] if isinstance(found, str) else list(found)
        for y, name in zip(flatten(node.outputs), names):
            self.know(y, name)

    def _write_reference(self, node: Node) -> list[str]:
        op = node.operation
        if op.reference is None if hasattr(op, "reference") else True:
            raise ValueError(f"ONNX export: op {getattr(op, 'name', op)!r} has no counterpart in ONNX.")
        try:
            with paused(), shapes_only(False):
                outs = flatten(op.reference(*node.args, **node.kwargs))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"ONNX export: op {op.name!r} can't be written for inputs of shapes "
                f"{[tuple(x.shape) for x in node.args if isinstance(x, Spec)]}: {error} Export the model with known "
                "sizes (an Input whose shape has no None)."
            ) from error
        self.write([y for y in outs if isinstance(y, Spec)])
        return [self.value(y) for y in outs]


def sources(node: Node) -> list[Spec]:
    """The symbolic inputs of an op; for a recurrent op behind a plain projection those of the projection.

    ONNX's recurrent operators project the input themselves.
    """
    inputs = list(node.args)
    dense = projection(node)
    if dense is not None:
        inputs[0] = dense.args[0]
    return [x for x in flatten(inputs) if isinstance(x, Spec)]


def projection(node: Node) -> Node | None:
    """The dense op that makes the first input of a recurrent op without an activation, if there is one."""
    if node.operation.name not in ("SimpleRNN", "LSTM", "GRU") or not isinstance(node.args[0], Spec):
        return None
    before = node.args[0].node
    if (
        before is None
        or getattr(before.operation, "name", "") != "Dense"
        or before.kwargs.get("act") is not None
    ):
        return None
    return before

"""Makers of table-driven ops: one row gives the op, its public function and its documentation."""

from __future__ import annotations

from typing import Any, Callable

from ..autograd.op import Elementwise

Vjp = Callable[..., Any]

_UNARY_DOC = """{doc}

    Args:
        x: Tensor, array or symbolic tensor of any shape.

    Returns:
        A tensor of the same shape{dtype}.
    """
_BINARY_DOC = """{doc}

    Args:
        {x1}: Tensor, array, Python number or symbolic tensor.
        {x2}: The same; both are promoted to one dtype and broadcast against each other.

    Returns:
        A tensor of the broadcast shape{dtype}.
    """
_DTYPES = {
    "same": "",
    "real": "; complex numbers become real",
    "number": "; booleans become int32",
    "float": "; integers become ``floatx()``",
    "bool": " and dtype bool",
}


def _publish(
    fn: Callable[..., Any], op: Elementwise, name: str, doc: str, example: str, module: str, **arguments: str
) -> Callable[..., Any]:
    text = doc.format(doc=op.__doc__, dtype=_DTYPES[op.result], **arguments)
    if example:
        call, _, value = example.partition(" -> ")
        text += f"\n    Example:\n        >>> from deepkit import ops\n        >>> ops.{call}\n        {value}\n    "
    fn.__name__ = fn.__qualname__ = name
    fn.__doc__ = text
    fn.__module__ = module
    fn.op = op  # type: ignore[attr-defined]
    return fn


class Table:
    """The elementwise ops of one module.

    Args:
        module: ``__name__`` of the module that holds the table.
    """

    def __init__(self, module: str):
        self.module = module
        self.functions: dict[str, Callable[..., Any]] = {}

    def unary(
        self, name: str, vjp: Vjp | None, doc: str, example: str = "", result: str = "float"
    ) -> Callable[..., Any]:
        """Op of one input; ``vjp(k, g, y, x)``. The kernel has the op's name."""
        op = Elementwise(name, [vjp], doc, result)

        def fn(x: Any) -> Any:
            return op(x)

        self.functions[name] = _publish(fn, op, name, _UNARY_DOC, example, self.module)
        return fn

    def binary(
        self, name: str, vjp1: Vjp | None, vjp2: Vjp | None, doc: str, example: str = "", result: str = "same"
    ) -> Callable[..., Any]:
        """Op of two inputs; ``vjp(k, g, y, x1, x2)`` for each of them."""
        op = Elementwise(name, [vjp1, vjp2], doc, result)

        def fn(x1: Any, x2: Any) -> Any:
            return op(x1, x2)

        self.functions[name] = _publish(fn, op, name, _BINARY_DOC, example, self.module, x1="x1", x2="x2")
        return fn

    def bitwise(self, name: str, doc: str, example: str) -> Callable[..., Any]:
        """As :meth:`binary`, without a gradient and with the arguments named ``x`` and ``y``."""
        op = Elementwise(name, [None, None], doc, "same")

        def fn(x: Any, y: Any) -> Any:
            return op(x, y)

        self.functions[name] = _publish(fn, op, name, _BINARY_DOC, example, self.module, x1="x", x2="y")
        return fn

    def doctests(self) -> dict[str, str]:
        """For the module's ``__test__``, by which doctest finds examples of generated functions."""
        return {name: fn.__doc__ or "" for name, fn in self.functions.items()}

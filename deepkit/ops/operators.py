"""Python's operators and NumPy's methods on tensors, in terms of the ops."""

from __future__ import annotations

from typing import Any

from ..autograd.spec import Spec
from ..autograd.tensor import Tensor
from . import creation, elementwise, index, linear, reduce, shape


def _swapped(fn: Any) -> Any:
    return lambda self, other: fn(other, self)


def _equality(op: Any) -> Any:
    # Comparing with None or a string is a question about identity, not an elementwise one.
    return lambda self, other: NotImplemented if other is None or isinstance(other, str) else op(self, other)


_BINARY = {
    "add": elementwise.add, "sub": elementwise.subtract, "mul": elementwise.multiply, "truediv": elementwise.divide,
    "floordiv": elementwise.floor_divide, "mod": elementwise.mod, "pow": elementwise.power, "matmul": linear.matmul,
    "lshift": elementwise.left_shift, "rshift": elementwise.right_shift,
}  # fmt: skip


def _logical(on_bool: Any, on_int: Any) -> Any:
    def fn(self: Any, other: Any) -> Any:
        return (on_bool if str(self.dtype) == "bool" else on_int)(self, other)

    return fn


def _binary_ufuncs(kind: type) -> None:
    for name, fn in _BINARY.items():
        op = getattr(getattr(fn, "op", None), "__call__", None)
        call = fn if op is None else fn.op.__call__  # skip the public function's frame
        setattr(kind, f"__{name}__", (lambda call: lambda self, other: call(self, other))(call))
        setattr(kind, f"__r{name}__", (lambda call: lambda self, other: call(other, self))(call))
    for name in ("lt", "le", "gt", "ge"):
        fn = getattr(elementwise, {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}[name])
        setattr(kind, f"__{name}__", (lambda fn: lambda self, other: fn(self, other))(fn))
    for name, on_bool, on_int in (
        ("and", elementwise.logical_and, elementwise.bitwise_and),
        ("or", elementwise.logical_or, elementwise.bitwise_or),
        ("xor", elementwise.logical_xor, elementwise.bitwise_xor),
    ):
        setattr(kind, f"__{name}__", _logical(on_bool, on_int))
        setattr(kind, f"__r{name}__", _swapped(_logical(on_bool, on_int)))
    kind.__eq__ = _equality(elementwise.equal)  # type: ignore[assignment, method-assign]
    kind.__ne__ = _equality(elementwise.not_equal)  # type: ignore[assignment, method-assign]


def _unary_and_methods(kind: Any) -> None:
    kind.__neg__ = lambda self: elementwise.negative(self)
    kind.__pos__ = lambda self: self
    kind.__abs__ = lambda self: elementwise.abs(self)
    kind.__invert__ = lambda self: _invert(self)
    kind.__round__ = lambda self, n=0: elementwise.round(self, n or 0)
    kind.__getitem__ = lambda self, i: index.getitem(self, i)
    kind.T = property(lambda self: shape.transpose(self))
    kind.astype = lambda self, dtype: creation.cast(self, dtype)
    kind.reshape = lambda self, *sizes: shape.reshape(self, sizes[0] if len(sizes) == 1 else sizes)
    kind.transpose = lambda self, *axes: shape.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)
    kind.flatten = kind.ravel = lambda self: shape.ravel(self)
    for name in ("sum", "mean", "max", "min", "prod", "std", "var", "any", "all", "argmax", "argmin"):
        fn = getattr(reduce, name)
        setattr(kind, name, (lambda fn: lambda self, axis=None, keepdims=False: fn(self, axis, keepdims=keepdims))(fn))


def _invert(x: Any) -> Any:
    return elementwise.logical_not(x) if str(x.dtype) == "bool" else elementwise.bitwise_not(x)


def install() -> None:
    """Give :class:`Tensor` and :class:`Spec` their operators; called once when the package is imported."""
    for kind in (Tensor, Spec):
        _binary_ufuncs(kind)
        _unary_and_methods(kind)
        kind.__hash__ = object.__hash__  # type: ignore[assignment, method-assign]

"""Derivatives along a direction."""

from __future__ import annotations

from typing import Any, Callable

from ..autograd.dtypes import is_float, np_dtype
from ..autograd.op import to_tensor
from ..autograd.spec import Spec
from ..autograd.tape import GradientTape, _flatten, _rebuild
from .creation import zeros_like
from .symbolic import deferred, is_symbolic


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """The product J(x) t of a function's Jacobian and a tangent: its derivative at x in the direction t.

    Reverse mode gives the transposed product Jᵀ u, which is linear in u; differentiating it by u in the direction t
    gives J t. So this costs about two gradients (not a forward-mode pass beside the function), and asks of each op in
    ``fun`` the gradient of its gradient.

    Args:
        fun: Function of as many arguments as there are primals; it returns a tensor or a nest of tensors.
        primals: Tuple or list of arguments at which to differentiate: tensors or nests of tensors.
        tangents: Directions, nested and shaped like ``primals``.
        has_aux: ``fun`` returns a pair, the second of which is passed through.

    Returns:
        ``(fun(*primals), J t)``, the latter nested like the former, and what ``fun`` returned beside it with
        ``has_aux``.

    Raises:
        ValueError: if ``primals`` and ``tangents`` differ in number or shape.

    Example:
        >>> from deepkit import ops
        >>> jvp(ops.square, (3.0,), (2.0,))
        (Tensor(9., dtype=float32), Tensor(12., dtype=float32))
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise ValueError(
            f"jvp: primals and tangents are tuples or lists of arguments, not {type(primals).__name__} and "
            f"{type(tangents).__name__}."
        )
    inputs, directions = list(_flatten(primals)), list(_flatten(tangents))
    if len(inputs) != len(directions):
        raise ValueError(f"jvp: {len(directions)} tangents for {len(inputs)} primals.")
    if is_symbolic(*inputs, *directions):
        return _symbolic(fun, primals, tangents, has_aux)
    inputs = [to_tensor(x) for x in inputs]
    directions = [to_tensor(t) for t in directions]
    for x, t in zip(inputs, directions):
        if tuple(x.shape) != tuple(t.shape):
            raise ValueError(f"jvp: a tangent of shape {tuple(t.shape)} for a primal of shape {tuple(x.shape)}.")
    with GradientTape(watch_accessed_variables=False) as outer:
        with GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(inputs)
            result = fun(*_rebuild(primals, iter(inputs)))
            outputs, aux = result if has_aux else (result, None)
        leaves = list(_flatten(outputs))
        varying = [y for y in leaves if is_float(np_dtype(y.dtype))]
        dual = [zeros_like(y) for y in varying]
        outer.watch(dual)
        transposed = inner.gradient(varying, inputs, dual)
    known = [(g, t) for g, t in zip(transposed, directions) if g is not None]
    found = outer.gradient([g for g, _ in known], dual, [t for _, t in known])
    moved = iter(found)
    along = [next(moved) if is_float(np_dtype(y.dtype)) else None for y in leaves]
    along = [zeros_like(y) if t is None else t for y, t in zip(leaves, along)]
    both = outputs, _rebuild(outputs, iter(along))
    return (*both, aux) if has_aux else both


def _symbolic(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool) -> Any:
    result = fun(*primals)
    outputs, aux = result if has_aux else (result, None)
    if not isinstance(outputs, Spec) or (has_aux and not isinstance(aux, Spec)):
        raise ValueError("jvp: on symbolic tensors the function returns one tensor (and one beside it with has_aux).")
    specs = [Spec(outputs.shape, outputs.dtype), Spec(outputs.shape, outputs.dtype)]
    specs += [Spec(aux.shape, aux.dtype)] if isinstance(aux, Spec) else []
    flat = [*_flatten(primals), *_flatten(tangents)]
    count = len(list(_flatten(primals)))

    def call(*values: Any) -> Any:
        given = _rebuild(primals, iter(values[:count])), _rebuild(tangents, iter(values[count:]))
        return jvp(fun, *given, has_aux=has_aux)

    call.__name__ = "jvp"
    return deferred(call, flat, {}, tuple(specs))


__all__ = ["jvp"]

"""Functions of single values as functions of tensors."""

from __future__ import annotations

import functools
import math
import re
from typing import Any, Callable, Iterable

from ..autograd.op import to_tensor
from ..autograd.spec import broadcast_shapes
from .shape import broadcast_to, reshape, stack

Cores = list[tuple[str, ...]]


def _parsed(signature: str) -> tuple[Cores, Cores]:
    """The names of the core axes of each input and output: ``"(m,n),(n)->(m)"``."""
    core = r"\(\s*(?:\w+\s*(?:,\s*\w+\s*)*)?\)"
    if not re.fullmatch(rf"\s*(?:{core}(?:\s*,\s*{core})*)?\s*->\s*{core}(?:\s*,\s*{core})*\s*", signature):
        raise ValueError(f"vectorize: a signature reads '(m,n),(n)->(m)', not {signature!r}.")
    sides = [re.findall(core, side) for side in signature.split("->")]
    inputs, outputs = ([tuple(re.findall(r"\w+", part)) for part in side] for side in sides)
    return inputs, outputs


def _check(kind: str, core: tuple[str, ...], shape: tuple[int, ...], sizes: dict[str, int]) -> None:
    """That the last axes have the sizes that their names have elsewhere."""
    if len(shape) < len(core):
        raise ValueError(f"vectorize: the {kind} of core axes {core} has shape {shape}.")
    for name, n in zip(core, shape[len(shape) - len(core) :]):
        if sizes.setdefault(name, n) != n:
            raise ValueError(f"vectorize: core axis {name!r} has sizes {sizes[name]} and {n}.")


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Iterable[Any] | None = None, signature: str | None = None
) -> Callable[..., Any]:
    """A function of scalars (or of arrays of fixed rank) as one of tensors, which are broadcast against each other.

    The function is called once for each element, so this is for convenience and not for speed. It is differentiable
    where the function is made of ops.

    Args:
        pyfunc: Function; it returns a tensor, or a tuple of tensors.
        excluded: Positions of arguments to pass on as they are. Keyword arguments always are.
        signature: The core axes that one call takes and gives, as ``"(m,n),(n)->(m)"``; scalars by default.

    Returns:
        The function of tensors. Each result has the broadcast shape of the axes before the core axes, followed by
        those of a single result.

    Raises:
        ValueError: for a malformed signature, or sizes that contradict it.

    Example:
        >>> vectorize(lambda a, b: a + b)([1, 2], 10)
        Tensor([11, 12], dtype=int32)
        >>> from deepkit import ops
        >>> vectorize(ops.dot, signature="(n),(n)->()")([[1, 2], [3, 4]], [1, 10])
        Tensor([21, 43], dtype=int32)
    """
    passed = frozenset(excluded or ())
    cores = _parsed(signature) if signature is not None else None

    @functools.wraps(pyfunc)
    def fn(*args: Any, **kwargs: Any) -> Any:
        mapped = [i for i in range(len(args)) if i not in passed]
        tensors = [to_tensor(args[i]) for i in mapped]
        inputs = [()] * len(mapped) if cores is None else cores[0]
        if len(inputs) != len(mapped):
            raise ValueError(f"vectorize: {signature!r} has {len(inputs)} inputs, but {len(mapped)} were given.")
        sizes: dict[str, int] = {}
        for core, t in zip(inputs, tensors):
            _check("input", core, tuple(t.shape), sizes)
        ends = [tuple(t.shape[len(t.shape) - len(core) :]) for core, t in zip(inputs, tensors)]
        loop = broadcast_shapes(*(t.shape[: len(t.shape) - len(end)] for t, end in zip(tensors, ends)))
        count = math.prod(n for n in loop if n is not None)
        if not count:
            raise ValueError(f"vectorize: there is nothing to call the function on, the loop's shape is {loop}.")
        lines = [reshape(broadcast_to(t, (*loop, *end)), (count, *end)) for t, end in zip(tensors, ends)]
        results = []
        for k in range(count):
            values = list(args)
            for i, line in zip(mapped, lines):
                values[i] = line[k]
            results.append(pyfunc(*values, **kwargs))
        several = isinstance(results[0], tuple)
        columns = list(zip(*results)) if several else [tuple(results)]
        outs = [stack([to_tensor(value) for value in column]) for column in columns]
        if cores is not None:
            for core, y in zip(cores[1], outs):
                _check("output", core, tuple(y.shape[1:]), sizes)
        shaped = tuple(reshape(y, (*loop, *y.shape[1:])) for y in outs)
        return shaped if several else shaped[0]

    return fn


__all__ = ["vectorize"]

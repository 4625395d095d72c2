"""Axes rearranged by a pattern of their names (Rogozhnikov 2022, "Einops")."""

from __future__ import annotations

import re
from typing import Any

from ..autograd.op import to_tensor
from ..autograd.spec import Spec
from .shape import reshape, transpose
from .symbolic import one_node


def _groups(side: str, pattern: str) -> list[list[str]]:
    """The names of each axis: ``"b (h w)"`` is ``[["b"], ["h", "w"]]``."""
    if not re.fullmatch(r"\s*(?:(?:\w+|\([\w\s]*\))\s*)*", side):
        raise ValueError(f"rearrange: {side.strip()!r} in {pattern!r} isn't made of names and (groups of names).")
    return [part.strip("()").split() for part in re.findall(r"\w+|\([^)]*\)", side)]


def _sizes(groups: list[list[str]], shape: Any, known: dict[str, int], pattern: str) -> dict[str, int | None]:
    """The size of each name, ``None`` where the tensor's is unknown."""
    if len(groups) != len(shape):
        raise ValueError(f"rearrange: {pattern!r} names {len(groups)} axes, but the tensor has shape {tuple(shape)}.")
    sizes: dict[str, int | None] = {}
    for names, n in zip(groups, shape):
        rest = [name for name in names if name not in known]
        product = 1
        for name in names:
            product *= known.get(name, 1)
        if len(rest) > 1:
            raise ValueError(f"rearrange: {pattern!r} needs the sizes of all but one of {rest}, as keyword arguments.")
        if n is not None and (n != product if not rest else not product or n % product):
            raise ValueError(f"rearrange: an axis of size {n} can't be split into {names} with {known}.")
        sizes.update({name: known.get(name, None if n is None else n // max(product, 1)) for name in names})
    return sizes


@one_node
def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """Axes permuted, split and merged as a pattern says.

    Args:
        tensor: Tensor.
        pattern: ``"names -> names"``. Each name stands for an axis; names in parentheses for one axis that is split
            into them (on the left) or merged from them (on the right).
        **axes_lengths: Sizes of names. Of the names of one axis, one may be left out.

    Raises:
        ValueError: for a malformed pattern, or one that doesn't fit the tensor.

    Example:
        >>> from deepkit import ops
        >>> rearrange(ops.zeros((2, 6, 4, 3)), "b (h k) w c -> b h w (k c)", k=2).shape
        (2, 3, 4, 6)
        >>> rearrange([[1, 2], [3, 4]], "a b -> (b a)")
        Tensor([1, 3, 2, 4], dtype=int32)
    """
    tensor = tensor if isinstance(tensor, Spec) else to_tensor(tensor)
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"rearrange: the pattern should be 'names -> names', not {pattern!r}.")
    left, right = (_groups(side, pattern) for side in sides)
    before, after = ([name for names in side for name in names] for side in (left, right))
    if sorted(before) != sorted(after) or len(set(before)) != len(before):
        raise ValueError(f"rearrange: both sides of {pattern!r} should have the same names, each once.")
    unused = sorted(set(axes_lengths) - set(before))
    if unused:
        raise ValueError(f"rearrange: {unused} have sizes but aren't in {pattern!r}.")
    sizes = _sizes(left, tensor.shape, axes_lengths, pattern)
    split = _reshaped(tensor, [sizes[name] for name in before], left)
    moved = transpose(split, [before.index(name) for name in after])
    merged = [_product([sizes[name] for name in names]) for names in right]
    return _reshaped(moved, merged, right)


def _product(sizes: list[int | None]) -> int | None:
    out = 1
    for n in sizes:
        if n is None:
            return None
        out *= n
    return out


def _reshaped(x: Any, shape: list[int | None], groups: list[list[str]]) -> Any:
    if all(len(names) == 1 for names in groups):  # nothing is split or merged
        return x
    return reshape(x, [-1 if n is None else n for n in shape])


__all__ = ["rearrange"]

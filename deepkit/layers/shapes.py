"""Shapes of inputs, alone or in nests: telling them apart, reading them off, writing them down."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.spec import Spec
from ..utils.nest import flatten


def _is_numbers(x: Any) -> bool:
    """Whether a list is one array written out (and not several inputs)."""
    leaves = flatten(x)
    return bool(leaves) and all(isinstance(v, (bool, int, float, np.generic)) for v in leaves)


def _shape_of(x: Any) -> Any:
    return tuple(x.shape) if hasattr(x, "shape") else None


def _lists(shape: Any) -> Any:
    """Shapes as JSON has them."""
    if isinstance(shape, dict):
        return {k: _lists(v) for k, v in shape.items()}
    return [_lists(s) for s in shape] if isinstance(shape, (list, tuple)) else shape


def _tuples(shape: Any) -> Any:
    if isinstance(shape, dict):
        return {k: _tuples(v) for k, v in shape.items()}
    if isinstance(shape, (list, tuple)):
        if all(n is None or isinstance(n, int) for n in shape):
            return tuple(shape)
        return [_tuples(s) for s in shape]
    return shape


class _ShapeNest:
    """Telling a shape from a nest of shapes."""

    @staticmethod
    def is_shape(x: Any) -> bool:
        return isinstance(x, (tuple, list)) and all(n is None or isinstance(n, (int, np.integer)) for n in x)

    @staticmethod
    def to_specs(shape: Any, dtype: str) -> Any:
        if _ShapeNest.is_shape(shape):
            return Spec(shape, dtype)
        if isinstance(shape, dict):
            return {k: _ShapeNest.to_specs(s, dtype) for k, s in shape.items()}
        return [_ShapeNest.to_specs(s, dtype) for s in shape]

    @staticmethod
    def wrap(shape: Any) -> Any:
        """The same nest with each shape as one leaf."""
        if _ShapeNest.is_shape(shape):
            return _Leaf(shape)
        if isinstance(shape, dict):
            return {k: _ShapeNest.wrap(s) for k, s in shape.items()}
        return [_ShapeNest.wrap(s) for s in shape]


class _Leaf:
    """A shape that :func:`map_nest` takes for one thing."""

    def __init__(self, shape: Any):
        self.shape = tuple(shape)

    def __iter__(self) -> Any:
        return iter(self.shape)

"""Functions of whole rows: one-hot codes, norms, normalization and attention."""

from __future__ import annotations

import math
from typing import Any

from .. import config
from ..autograd.dtypes import np_dtype
from ..autograd.spec import Spec
from . import elementwise as e
from .arrange import _tensor
from .creation import cast
from .reduce import _floating, axes_of, mean, var
from .reduce import max as _max
from .reduce import min as _min
from .reduce import sum as _sum
from .shape import expand_dims, moveaxis, reshape
from .sorting import Plain


def _one_hot_kernel(k: Any, x: Any, classes: int, axis: int, dtype: Any) -> Any:
    return k.moveaxis((x[..., None] == k.arange(classes)).astype(dtype), -1, axis)


def _one_hot_infer(x: Spec, classes: int, axis: int, dtype: Any) -> Spec:
    place = axes_of(axis, len(x.shape) + 1)[0]
    return Spec((*x.shape[:place], classes, *x.shape[place:]), dtype.name)


_one_hot = Plain("one_hot", _one_hot_infer, _one_hot_kernel)


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    """Class numbers as vectors with a single one; a number outside of [0, num_classes) gives zeros.

    Args:
        x: Integers (...).
        num_classes: Length of the vectors.
        axis: Where the new axis goes.
        dtype: Dtype of the result, ``floatx()`` by default.
        sparse: Accepted for compatibility; the result is dense.

    Example:
        >>> one_hot([1, 0], 2)
        Tensor([[0., 1.],
               [1., 0.]], dtype=float32)
    """
    return _one_hot(x, classes=int(num_classes), axis=axis, dtype=np_dtype(dtype))


def multi_hot(inputs: Any, num_classes: int | None = None, axis: int = -1, dtype: Any = None, sparse: bool = False,
              **kwargs: Any) -> Any:  # fmt: skip
    """Sets of class numbers (..., n) as vectors with a one for every member.

    Example:
        >>> multi_hot([[0, 2]], 3)
        Tensor([[1., 0., 1.]], dtype=float32)
    """
    num_classes = num_classes if num_classes is not None else kwargs.get("num_tokens")
    if num_classes is None:
        raise ValueError("multi_hot needs num_classes.")
    inputs = _tensor(inputs)
    return _max(one_hot(inputs, num_classes, axis, dtype), axis=1 if len(inputs.shape) > 1 else 0)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Norm of vectors (one axis) or matrices (two axes).

    Args:
        x: Tensor; integers become ``floatx()``.
        ord: A number p for (Σ \\|x\\|^p)^(1/p), ``inf``, ``-inf``, 0; for matrices 1, -1, 2, -2, inf, -inf, ``"fro"``,
            ``"nuc"``; ``None`` is the root of the sum of squares.
        axis: One axis or two, all by default.
        keepdims: Keep the axes with size 1.

    Example:
        >>> norm([3.0, 4.0])
        Tensor(5., dtype=float32)
    """
    x = _floating(x)
    if axis is None and ord is not None and len(x.shape) > 2:
        raise ValueError(f"norm: ord={ord!r} needs an axis for a tensor of rank {len(x.shape)}.")
    axes = axes_of(axis, len(x.shape))
    if ord is None or (ord == "fro" and len(axes) == 2) or (ord == 2 and len(axes) == 1):
        return e.sqrt(_sum(e.square(e.abs(x)), axis=axes, keepdims=keepdims))
    if len(axes) == 1:
        return _vector_norm(e.abs(x), ord, axes, keepdims)
    return _matrix_norm(x, ord, axes, keepdims)


def _vector_norm(size: Any, ord: Any, axes: Any, keepdims: bool) -> Any:
    if isinstance(ord, str):
        raise ValueError(f"norm: ord={ord!r} is for matrices.")
    if ord in (math.inf, -math.inf):
        return (_max if ord > 0 else _min)(size, axis=axes, keepdims=keepdims)
    if ord == 0:
        return _sum(cast(size > 0, size.dtype), axis=axes, keepdims=keepdims)
    if ord == 1:
        return _sum(size, axis=axes, keepdims=keepdims)
    return e.power(_sum(e.power(size, float(ord)), axis=axes, keepdims=keepdims), 1.0 / ord)


def _matrix_norm(x: Any, ord: Any, axes: Any, keepdims: bool) -> Any:
    row, column = axes
    if ord in (1, -1, math.inf, -math.inf):
        along, over = (row, column) if abs(ord) == 1 else (column, row)
        sums = _sum(e.abs(x), axis=along, keepdims=True)
        out = (_max if ord > 0 else _min)(sums, axis=over, keepdims=True)
    elif ord in (2, -2, "nuc"):
        from .singular import svd

        values = svd(moveaxis(x, axes, (-2, -1)), compute_uv=False)
        out = _sum(values, axis=-1) if ord == "nuc" else (_max if ord > 0 else _min)(values, axis=-1)
        for a in sorted(axes):
            out = expand_dims(out, a)
    else:
        raise ValueError(f"norm: unknown matrix norm ord={ord!r}.")
    return out if keepdims else reshape(out, [n for i, n in enumerate(out.shape) if i not in axes])


def normalize(x: Any, axis: Any = -1, order: Any = 2, epsilon: float | None = None) -> Any:
    """x divided by its norm along an axis, by ``epsilon`` where the norm is smaller.

    Example:
        >>> normalize([3.0, 4.0])
        Tensor([0.6, 0.8], dtype=float32)
    """
    x = _floating(x)
    epsilon = config.epsilon() if epsilon is None else epsilon
    if order == 2:
        squares = _sum(e.square(x), axis=axis, keepdims=True)
        return x * e.rsqrt(e.maximum(squares, epsilon * epsilon))
    return x / e.maximum(norm(x, order, axis, keepdims=True), epsilon)


def batch_normalization(x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None,
                        epsilon: float = 1e-3) -> Any:  # fmt: skip
    """scale · (x - mean) / √(variance + ε) + offset, vectors along one axis (Ioffe & Szegedy 2015, arXiv:1502.03167).

    Args:
        x: Tensor.
        mean: Vector.
        variance: Vector.
        axis: The axis that the vectors lie along.
        offset: Vector added last.
        scale: Vector of factors.
        epsilon: ε.

    Example:
        >>> batch_normalization([[3.0]], [1.0], [4.0], -1, epsilon=0)
        Tensor([[1.]], dtype=float32)
    """
    x = _floating(x)
    place = axes_of(axis, len(x.shape))[0]
    shape = [-1 if i == place else 1 for i in range(len(x.shape))]
    factor = e.rsqrt(_floating(variance) + epsilon)
    factor = factor if scale is None else factor * scale
    y = (x - reshape(mean, shape)) * reshape(factor, shape)
    return y if offset is None else y + reshape(offset, shape)


def layer_normalization(x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None,
                        **kwargs: Any) -> Any:  # fmt: skip
    """gamma · (x - mean) / √(var + ε) + beta, statistics over the given axes (Ba et al. 2016, arXiv:1607.06450).

    Example:
        >>> layer_normalization([[1.0, 3.0]], epsilon=0)
        Tensor([[-1.,  1.]], dtype=float32)
    """
    x = _floating(x)
    epsilon = config.epsilon() if epsilon is None else epsilon
    y = (x - mean(x, axis=axis, keepdims=True)) * e.rsqrt(var(x, axis=axis, keepdims=True) + epsilon)
    y = y if gamma is None else y * _spread_over(gamma, x, axis)
    return y if beta is None else y + _spread_over(beta, x, axis)


def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Any:
    """scale · x / √(mean(x²) + ε) (Zhang & Sennrich 2019, arXiv:1910.07467).

    Example:
        >>> rms_normalization([[2.0, 2.0]], epsilon=0)
        Tensor([[1., 1.]], dtype=float32)
    """
    x = _floating(x)
    epsilon = config.epsilon() if epsilon is None else epsilon
    y = x * e.rsqrt(mean(e.square(x), axis=axis, keepdims=True) + epsilon)
    return y if scale is None else y * _spread_over(scale, x, axis)


def _spread_over(w: Any, x: Any, axis: Any) -> Any:
    w = _tensor(w)
    if len(w.shape) == len(x.shape) or not w.shape:
        return w
    axes = sorted(axes_of(axis, len(x.shape)))
    return reshape(w, [x.shape[i] if i in axes else 1 for i in range(len(x.shape))])


__all__ = ["batch_normalization", "layer_normalization", "multi_hot", "norm", "normalize",
           "one_hot", "rms_normalization"]  # fmt: skip

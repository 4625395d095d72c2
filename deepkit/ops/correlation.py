"""How alike signals, variables and points are: correlations and distances."""

from __future__ import annotations

from typing import Any

from ..autograd.dtypes import np_dtype, result_type
from ..autograd.op import Op, to_tensor
from ..autograd.spec import Spec
from . import elementwise as e
from .arrange import diagonal
from .creation import cast
from .index import where
from .linear import matmul
from .math import clip
from .padding import pad
from .reduce import mean
from .reduce import sum as _sum
from .shape import expand_dims, flip, swapaxes


def _tensor(x: Any) -> Any:
    return x if isinstance(x, Spec) else to_tensor(x)


def _wide(*values: Any) -> list[Any]:
    """The values in one floating dtype: that of the widest, float64 for int64."""
    tensors = [_tensor(x) for x in values]
    names = ["float64" if np_dtype(x.dtype).name == "int64" else np_dtype(x.dtype).name for x in tensors]
    dtype = result_type(*names, float)
    return [x if np_dtype(x.dtype).name == dtype else cast(x, dtype) for x in tensors]


def corrcoef(x: Any) -> Any:
    """Pearson's correlation coefficients of variables, c_ij / √(c_ii c_jj) with the covariances c.

    Args:
        x: Observations in columns (variables, n), or one variable (n,); integers become ``floatx()`` (int64 float64).

    Returns:
        A tensor (variables, variables), or a scalar for one variable.

    Raises:
        ValueError: for another rank.

    Example:
        >>> corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
        Tensor([[ 1., -1.],
               [-1.,  1.]], dtype=float32)
    """
    (x,) = _wide(x)
    if len(x.shape) not in (1, 2):
        raise ValueError(f"corrcoef takes a tensor of rank 1 or 2, not shape {tuple(x.shape)}.")
    single = len(x.shape) == 1
    rows = expand_dims(x, 0) if single else x
    centred = rows - mean(rows, axis=1, keepdims=True)
    covariance = matmul(centred, swapaxes(centred, 0, 1))
    deviation = e.sqrt(diagonal(covariance))
    out = clip(covariance / expand_dims(deviation, 1) / expand_dims(deviation, 0), -1.0, 1.0)
    return out[0, 0] if single else out


class _Correlate(Op):
    """Σ_t a_(t + k) v_t for the shifts k at which all of ``v`` has a partner in ``a``, no shorter."""

    def infer(self, a: Spec, v: Spec) -> Spec:
        n, m = a.shape[0], v.shape[0]
        return Spec((None if n is None or m is None else n - m + 1,), a.dtype)

    def forward(self, k: Any, a: Any, v: Any) -> tuple[Any, Any]:
        return k.correlate(a, v, "valid").astype(a.dtype), (a, v)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        a, v = saved
        edge = v.shape[0] - 1
        return k.correlate(k.pad(g, [(edge, edge)]), k.flip(v, 0), "valid"), k.correlate(a, g, "valid")

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        from .. import ops

        return self.backward(ops, tuple(inputs), g, needs)


_correlate = _Correlate()


def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """Cross-correlation of two signals, c_k = Σ_t x1_(t + k) x2_t.

    Args:
        x1: Tensor (n,).
        x2: Tensor (m,); both are promoted to one floating dtype (int64 to float64).
        mode: Which shifts k: ``"valid"`` those at which the shorter one has only partners in the longer one,
            ``"full"`` all at which they overlap, ``"same"`` the middle max(n, m) of these.

    Returns:
        A tensor of max(n, m) - min(n, m) + 1, n + m - 1 or max(n, m) elements.

    Raises:
        ValueError: for other ranks or another mode.

    Example:
        >>> correlate([1.0, 2.0, 3.0], [0.0, 1.0, 0.5])
        Tensor([3.5], dtype=float32)
        >>> correlate([1.0, 2.0, 3.0], [0.0, 1.0, 0.5], mode="same")
        Tensor([2. , 3.5, 3. ], dtype=float32)
    """
    a, v = _wide(x1, x2)
    if len(a.shape) != 1 or len(v.shape) != 1:
        raise ValueError(f"correlate takes two vectors, not shapes {tuple(a.shape)} and {tuple(v.shape)}.")
    if mode not in ("valid", "same", "full"):
        raise ValueError(f"correlate: mode must be 'valid', 'same' or 'full', not {mode!r}.")
    n, m = a.shape[0], v.shape[0]
    if n is None or m is None:
        from .symbolic import deferred

        return deferred(correlate, (a, v, mode), {}, Spec((None,), a.dtype))
    if n < m:
        return flip(correlate(v, a, mode), 0)
    left, right = {"valid": (0, 0), "same": (m // 2, m - 1 - m // 2), "full": (m - 1, m - 1)}[mode]
    return _correlate(pad(a, [(left, right)]) if left or right else a, v)


def cdist(x: Any, y: Any) -> Any:
    """Euclidean distances between two sets of points, √Σ_d (x_id - y_jd)².

    Args:
        x: Points (..., m, d).
        y: Points (..., n, d).

    Returns:
        A floating tensor (..., m, n). Where points coincide the gradient is 0.

    Raises:
        ValueError: if the ranks or last axes don't fit.

    Example:
        >>> cdist([[0.0, 0.0], [3.0, 0.0]], [[0.0, 4.0]])
        Tensor([[4.],
               [5.]], dtype=float32)
    """
    x, y = _tensor(x), _tensor(y)
    shapes = f"Received: shapes {tuple(x.shape)} and {tuple(y.shape)}."
    if len(x.shape) < 2 or len(y.shape) < 2:
        raise ValueError(f"cdist takes tensors of rank 2 or more. {shapes}")
    if None not in (x.shape[-1], y.shape[-1]) and x.shape[-1] != y.shape[-1]:
        raise ValueError(f"cdist takes points with as many coordinates each. {shapes}")
    dtype = result_type(x.dtype, y.dtype, float)
    square = _sum(e.square(expand_dims(cast(x, dtype), -2) - expand_dims(cast(y, dtype), -3)), axis=-1)
    apart = square > 0
    return where(apart, e.sqrt(where(apart, square, 1.0)), 0.0)


def psnr(x1: Any, x2: Any, max_val: Any) -> Any:
    """Peak signal-to-noise ratio in decibels, 20 log10(max_val) - 10 log10(mean((x1 - x2)²)).

    Args:
        x1: Tensor.
        x2: Tensor of the same shape.
        max_val: The largest value that a pixel can have.

    Returns:
        A scalar.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> psnr([0.0, 1.0], [0.1, 0.9], 1.0)
        Tensor(20., dtype=float32)
    """
    x1, x2 = _tensor(x1), _tensor(x2)
    pairs = list(zip(x1.shape, x2.shape))
    if len(x1.shape) != len(x2.shape) or any(None not in pair and pair[0] != pair[1] for pair in pairs):
        raise ValueError(f"psnr takes tensors of one shape, not {tuple(x1.shape)} and {tuple(x2.shape)}.")
    error = mean(e.square(x1 - x2))
    return e.log10(cast(max_val, error.dtype)) * 20 - e.log10(error) * 10


__all__ = ["cdist", "correlate", "corrcoef", "psnr"]

"""Windows for signals, and the Bessel function that one of them is made of."""

from __future__ import annotations

from typing import Any

from .. import config
from ..autograd.dtypes import np_dtype
from ..autograd.op import Basic, to_tensor
from ..autograd.spec import Spec
from .creation import cast
from .reduce import _floating
from .sorting import Plain


def _window_op(name: str) -> Plain:
    # How many points there are is a value, so symbolically the size is unknown.
    return Plain(
        name,
        lambda x, **_: Spec((None,), config.floatx()),
        lambda k, x, **params: getattr(k, name)(int(x), **params).astype(np_dtype(None)),
    )


_bartlett, _blackman, _hamming, _hanning, _kaiser = map(
    _window_op, ("bartlett", "blackman", "hamming", "hanning", "kaiser")
)


def bartlett(x: Any) -> Any:
    """The triangular window 1 - \\|2t / (x - 1) - 1\\|, t = 0 ... x - 1.

    Args:
        x: Number of points, an integer scalar.

    Returns:
        A tensor (x,) of dtype ``floatx()``.

    Example:
        >>> bartlett(5)
        Tensor([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    return _bartlett(x)


def blackman(x: Any) -> Any:
    """The window 0.42 - 0.5 cos(2πt / (x - 1)) + 0.08 cos(4πt / (x - 1)), t = 0 ... x - 1.

    Args:
        x: Number of points, an integer scalar.

    Returns:
        A tensor (x,) of dtype ``floatx()``.

    Example:
        >>> blackman(5)
        Tensor([-1.3877788e-17,  3.4000000e-01,  1.0000000e+00,  3.4000000e-01, -1.3877788e-17], dtype=float32)
    """
    return _blackman(x)


def hamming(x: Any) -> Any:
    """The window 0.54 - 0.46 cos(2πt / (x - 1)), t = 0 ... x - 1.

    Args:
        x: Number of points, an integer scalar.

    Returns:
        A tensor (x,) of dtype ``floatx()``.

    Example:
        >>> hamming(5)
        Tensor([0.08, 0.54, 1.  , 0.54, 0.08], dtype=float32)
    """
    return _hamming(x)


def hanning(x: Any) -> Any:
    """The window 0.5 - 0.5 cos(2πt / (x - 1)), t = 0 ... x - 1.

    Args:
        x: Number of points, an integer scalar.

    Returns:
        A tensor (x,) of dtype ``floatx()``.

    Example:
        >>> hanning(5)
        Tensor([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    return _hanning(x)


def kaiser(x: Any, beta: Any) -> Any:
    """The window I₀(β √(1 - (2t / (x - 1) - 1)²)) / I₀(β), t = 0 ... x - 1.

    Args:
        x: Number of points, an integer scalar.
        beta: How narrow the window is, a number.

    Returns:
        A tensor (x,) of dtype ``floatx()``.

    Example:
        >>> kaiser(3, 0.0)
        Tensor([1., 1., 1.], dtype=float32)
    """
    return _kaiser(x, beta=float(beta))


def _same(x: Spec) -> Spec:
    return Spec(x.shape, x.dtype)


def _i1_vjp(k: Any, g: Any, y: Any, x: Any) -> Any:
    # I₁' = I₀ - I₁ / x, which at 0 is 1 / 2.
    zero = k.equal(x, 0)
    ratio = k.where(zero, k.ones_like(x) * 0.5, y / k.where(zero, k.ones_like(x), x))
    return g * (k.i0(x) - ratio)


_i0 = Basic("i0", _same, lambda k, g, y, x: g * k.i1(x))
_i1 = Basic("i1", _same, _i1_vjp)


def i0(x: Any) -> Any:
    """The modified Bessel function of the first kind of order 0, I₀(x) = 1/π ∫₀^π e^(x cos t) dt.

    Args:
        x: Tensor; int64 becomes float64, other integers ``floatx()``.

    Example:
        >>> i0([0.0, 1.0])
        Tensor([1.       , 1.2660658], dtype=float32)
    """
    x = x if isinstance(x, Spec) else to_tensor(x)
    return _i0(cast(x, "float64") if np_dtype(x.dtype).name == "int64" else _floating(x))


def i1(x: Any) -> Any:
    """The modified Bessel function of the first kind of order 1, the derivative of :func:`i0`.

    Args:
        x: Tensor; integers become ``floatx()``.

    Example:
        >>> i1([0.0, 1.0])
        Tensor([0.       , 0.5651591], dtype=float32)
    """
    return _i1(_floating(x))


__all__ = ["bartlett", "blackman", "hamming", "hanning", "i0", "i1", "kaiser"]

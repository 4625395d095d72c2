"""Fourier transforms. Complex numbers come and go as a pair (real part, imaginary part), as in Keras."""

from __future__ import annotations

from typing import Any

from ..autograd.op import Op, to_tensor
from ..autograd.spec import Spec
from .reduce import _floating


class _Fourier(Op):
    """The transform F z. As F is symmetric its transpose is conj(F): the other direction with the other scale."""

    outputs = 2

    def infer(self, real: Spec, imag: Spec, **params: Any) -> tuple[Spec, Spec]:
        return Spec(real.shape, real.dtype), Spec(imag.shape, imag.dtype)

    def forward(self, k: Any, real: Any, imag: Any, axes: Any, inverse: bool, norm: str) -> tuple[Any, Any]:
        return k.fourier(real, imag, axes, inverse, norm), (axes, inverse, norm)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        axes, inverse, norm = saved
        return k.fourier(*_filled(k, g), axes, not inverse, _OTHER[norm])

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        real, imag = _filled(None, g)
        return self(real, imag, axes=params["axes"], inverse=not params["inverse"], norm=_OTHER[params["norm"]])


_OTHER = {"backward": "forward", "forward": "backward"}


def _filled(k: Any, pair: Any) -> tuple[Any, Any]:
    """A pair of gradients, zeros for the one that nothing depends on."""
    real, imag = pair
    return imag * 0 if real is None else real, real * 0 if imag is None else imag


class _RealFourier(Op):
    """The half of the transform of a real signal that determines it."""

    outputs = 2

    def infer(self, x: Spec, length: int | None, norm: str) -> tuple[Spec, Spec]:
        n = x.shape[-1] if length is None else length
        shape = (*x.shape[:-1], None if n is None else n // 2 + 1)
        return Spec(shape, x.dtype), Spec(shape, x.dtype)

    def forward(self, k: Any, x: Any, length: int | None, norm: str) -> tuple[Any, Any]:
        n = x.shape[-1] if length is None else length
        return k.real_fourier(x, n, norm), (x.shape[-1], n, norm)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        size, n, norm = saved
        # The inverse counts each inner element twice, once for the half that is left out.
        real, imag = (part * _doubled(k, n, 0.5, part) for part in _filled(k, g))
        return (k.fit(k.real_fourier_inverse(real, imag, n, _OTHER[norm]), size),)

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        from .. import ops

        size = inputs[0].shape[-1]
        n = size if params["length"] is None else params["length"]
        return self.backward(ops, (size, n, params["norm"]), g, needs)


def _doubled(k: Any, n: int, inner: float, like: Any) -> Any:
    """Weights (n // 2 + 1,): 1 for the elements that are their own mirror image, ``inner`` for the others."""
    place = k.arange(n // 2 + 1)
    own = k.logical_or(k.equal(place, 0), k.equal(place * 2, n))
    return k.cast(k.where(own, 1.0, inner), like.dtype)


class _RealFourierInverse(Op):
    """The real signal of the half of a transform."""

    def infer(self, real: Spec, imag: Spec, length: int | None, norm: str) -> Spec:
        n = (None if real.shape[-1] is None else 2 * (real.shape[-1] - 1)) if length is None else length
        return Spec((*real.shape[:-1], n), real.dtype)

    def forward(self, k: Any, real: Any, imag: Any, length: int | None, norm: str) -> tuple[Any, Any]:
        n = 2 * (real.shape[-1] - 1) if length is None else length
        return k.real_fourier_inverse(real, imag, n, norm), (real.shape[-1], n, norm)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        size, n, norm = saved
        return tuple(k.fit(part * _doubled(k, n, 2.0, part), size) for part in k.real_fourier(g, n, _OTHER[norm]))

    def tensor_gradients(self, inputs: Any, outs: Any, g: Any, needs: Any, params: dict) -> Any:
        from .. import ops

        return self.backward(ops, (inputs[0].shape[-1], outs.shape[-1], params["norm"]), g, needs)


_fourier, _real, _real_inverse = _Fourier(), _RealFourier(), _RealFourierInverse()


def real_fourier(x: Any, length: int | None, norm: str) -> tuple[Any, Any]:
    """The kernel of this name as an op."""
    return _real(x, length=length, norm=norm)


def real_fourier_inverse(real: Any, imag: Any, length: int | None, norm: str) -> Any:
    """The kernel of this name as an op."""
    return _real_inverse(real, imag, length=length, norm=norm)


def fit(x: Any, length: int) -> Any:
    """``x`` with its last axis cut or zero-padded at the end to ``length``."""
    from .padding import pad

    n = x.shape[-1]
    return x[..., :length] if n >= length else pad(x, [(0, 0)] * (len(x.shape) - 1) + [(0, length - n)])


def _pair(name: str, x: Any, rank: int) -> tuple[Any, Any]:
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(f"{name} takes a tuple of two tensors, the real and the imaginary part, not {x!r}.")
    real, imag = (_float(name, part) for part in x)
    if tuple(real.shape) != tuple(imag.shape):
        raise ValueError(f"{name} takes parts of one shape. Received: {tuple(real.shape)} and {tuple(imag.shape)}.")
    if len(real.shape) < rank:
        raise ValueError(f"{name} takes tensors of rank {rank} or more, not shape {tuple(real.shape)}.")
    return real, imag


def _float(name: str, x: Any) -> Any:
    from ..autograd.dtypes import is_float, np_dtype

    x = x if isinstance(x, Spec) else to_tensor(x)
    if not is_float(np_dtype(x.dtype)):
        raise ValueError(f"{name} takes tensors of a floating dtype, not {x.dtype}: cast them first.")
    return x


def fft(x: Any) -> tuple[Any, Any]:
    """Discrete Fourier transform of the last axis, y_k = Σ_t x_t e^(-2πi k t / n).

    Args:
        x: The pair (real part, imaginary part) of floating tensors (..., n).

    Returns:
        The real and the imaginary part, shaped like ``x``.

    Raises:
        ValueError: for anything but a pair of floating tensors of one shape.

    Example:
        >>> fft(([1.0, 2.0], [0.0, 1.0]))
        (Tensor([ 3., -1.], dtype=float32), Tensor([ 1., -1.], dtype=float32))
    """
    return _fourier(*_pair("fft", x, 1), axes=(-1,), inverse=False, norm="backward")


def fft2(x: Any) -> tuple[Any, Any]:
    """Discrete Fourier transform of the last two axes.

    Args:
        x: The pair (real part, imaginary part) of floating tensors (..., m, n).

    Returns:
        The real and the imaginary part, shaped like ``x``.

    Example:
        >>> fft2(([[1.0, 2.0], [2.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]))[0]
        Tensor([[ 6.,  0.],
               [ 0., -2.]], dtype=float32)
    """
    return _fourier(*_pair("fft2", x, 2), axes=(-2, -1), inverse=False, norm="backward")


def ifft2(x: Any) -> tuple[Any, Any]:
    """The inverse of :func:`fft2`.

    Example:
        >>> ifft2(([[6.0, 0.0], [0.0, -2.0]], [[2.0, 0.0], [0.0, -2.0]]))[1]
        Tensor([[0., 1.],
               [1., 0.]], dtype=float32)
    """
    return _fourier(*_pair("ifft2", x, 2), axes=(-2, -1), inverse=True, norm="backward")


def rfft(x: Any, fft_length: int | None = None) -> tuple[Any, Any]:
    """The first n // 2 + 1 elements of the transform of the last axis of real numbers; the others mirror them.

    Args:
        x: Tensor (..., t); integers become ``floatx()``.
        fft_length: n: cut or zero-pad the last axis to it. t by default.

    Returns:
        The real and the imaginary part (..., n // 2 + 1).

    Example:
        >>> rfft([0.0, 1.0, 2.0, 3.0, 4.0], 4)
        (Tensor([ 6., -2., -2.], dtype=float32), Tensor([0., 2., 0.], dtype=float32))
    """
    return _real(_floating(x), length=_length("rfft", fft_length), norm="backward")


def irfft(x: Any, fft_length: int | None = None) -> Any:
    """The real numbers whose :func:`rfft` is ``x``.

    Args:
        x: The pair (real part, imaginary part) of floating tensors (..., m).
        fft_length: Size n of the last axis of the result; ``x`` is cut or zero-padded to n // 2 + 1. 2 (m - 1) by
            default.

    Example:
        >>> irfft(([6.0, -2.0, -2.0], [0.0, 2.0, 0.0]))
        Tensor([0., 1., 2., 3.], dtype=float32)
    """
    return _real_inverse(*_pair("irfft", x, 1), length=_length("irfft", fft_length), norm="backward")


def _length(name: str, n: Any) -> Any:
    if n is not None and int(n) < 1:
        raise ValueError(f"{name}: fft_length must be positive, not {n!r}.")
    return None if n is None else int(n)


__all__ = ["fft", "fft2", "fit", "ifft2", "irfft", "real_fourier", "real_fourier_inverse", "rfft"]

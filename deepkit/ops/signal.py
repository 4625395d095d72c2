"""Signals in pieces: frames of a signal, and short-time Fourier transforms."""

from __future__ import annotations

import math
from typing import Any

from ..autograd.dtypes import np_dtype
from ..autograd.op import Basic, to_tensor
from ..autograd.spec import Spec
from ..utils.allowance import OBJECT, charge
from .creation import cast, convert_to_tensor
from .fourier import irfft, rfft
from .index import where
from .padding import pad
from .sorting import Plain


def _frames(n: int | None, length: int, stride: int) -> int | None:
    return None if n is None else max(0, 1 + (n - length) // stride)


_extract = Basic(
    "extract_sequences",
    lambda x, sequence_length, sequence_stride: Spec(
        (*x.shape[:-1], _frames(x.shape[-1], sequence_length, sequence_stride), sequence_length), x.dtype
    ),
    lambda k, g, y, x, sequence_length, sequence_stride: k.overlap_add(g, sequence_stride, x.shape[-1]),
)


def _overlap_infer(frames: Spec, stride: int, length: int | None) -> Spec:
    count = frames.shape[-2]
    n = length if length is not None or count is None else frames.shape[-1] + stride * (count - 1)
    return Spec((*frames.shape[:-2], n), frames.dtype)


def _overlap_kernel(k: Any, frames: Any, stride: int, length: int | None) -> Any:
    n = frames.shape[-1] + stride * (frames.shape[-2] - 1) if length is None else length
    return k.overlap_add(frames, stride, n)


def _overlap_vjp(k: Any, g: Any, y: Any, frames: Any, stride: int, length: int | None) -> Any:
    count, size = frames.shape[-2:]
    return k.extract_sequences(k.fit(g, size + stride * (count - 1)), size, stride)


_overlap_add = Basic("overlap_add", _overlap_infer, _overlap_vjp, _overlap_kernel)


def overlap_add(frames: Any, stride: int, length: int | None = None) -> Any:
    """The sum of frames laid ``stride`` apart: the transpose of :func:`extract_sequences`.

    Args:
        frames: Tensor (..., count, size).
        stride: Distance between the starts of neighbours.
        length: Cut or zero-pad the result to it; size + stride · (count - 1) by default.

    Example:
        >>> overlap_add([[1, 2], [3, 4]], 1)
        Tensor([1, 5, 4], dtype=int32)
    """
    return _overlap_add(frames, stride=stride, length=length)


def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Any:
    """Overlapping pieces of the last axis.

    Args:
        x: Tensor (..., n).
        sequence_length: Elements of a piece.
        sequence_stride: Distance between the starts of neighbours.

    Returns:
        A tensor (..., 1 + (n - sequence_length) // sequence_stride, sequence_length); what is left over at the end is
        dropped.

    Raises:
        ValueError: for a scalar, or lengths that aren't positive.

    Example:
        >>> extract_sequences([1, 2, 3, 4, 5, 6], 3, 2)
        Tensor([[1, 2, 3],
               [3, 4, 5]], dtype=int32)
    """
    x = x if isinstance(x, Spec) else to_tensor(x)
    if not len(x.shape):
        raise ValueError("extract_sequences takes a tensor of rank 1 or more, not a scalar.")
    if sequence_length < 1 or sequence_stride < 1:
        raise ValueError(
            f"extract_sequences: sequence_length={sequence_length} and sequence_stride={sequence_stride} must be "
            "positive."
        )
    return _extract(x, sequence_length=int(sequence_length), sequence_stride=int(sequence_stride))


def _window(name: str, window: Any, length: int, fft_length: int, dtype: Any) -> Any:
    """The window (fft_length,): ``length`` elements in the middle of zeros, or ones without a window."""
    from .creation import ones

    if fft_length < length:
        raise ValueError(f"{name}: fft_length={fft_length} is less than sequence_length={length}.")
    charge((fft_length + length) * OBJECT, f"the window of {name}")
    if window is None:
        return ones((fft_length,), dtype)
    if isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ValueError(f"{name}: window must be 'hann', 'hamming', a tensor or None, not {window!r}.")
        high = 0.5 if window == "hann" else 0.54
        values = [high - (1 - high) * math.cos(2 * math.pi * t / length) for t in range(length)]
        window = convert_to_tensor(values, dtype)
    window = cast(window, dtype)
    if tuple(window.shape) != (length,):
        raise ValueError(f"{name}: the window should have shape ({length},), not {tuple(window.shape)}.")
    left = (fft_length - length) // 2
    return pad(window, [(left, fft_length - length - left)])


def stft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> tuple[Any, Any]:
    """Short-time Fourier transform: the :func:`rfft` of overlapping windowed pieces of the last axis.

    Args:
        x: Signals (..., n), float32 or float64.
        sequence_length: Elements of a piece, the length of the window.
        sequence_stride: Distance between the starts of neighbours.
        fft_length: Size of the transforms; a shorter window lies in the middle of zeros.
        window: ``"hann"``, ``"hamming"`` (both periodic), a tensor (sequence_length,), or ``None`` for ones.
        center: Reflect fft_length // 2 elements at both ends first, so that piece t is centred at t · stride.

    Returns:
        The real and the imaginary part, (..., pieces, fft_length // 2 + 1).

    Raises:
        TypeError: for another dtype.
        ValueError: for a window of another length, or one that is longer than ``fft_length``.

    Example:
        >>> stft([0.0, 1.0, 2.0, 3.0, 4.0], 3, 2, 3)[0].shape
        (3, 2)
    """
    x = x if isinstance(x, Spec) else to_tensor(x)
    if np_dtype(x.dtype).name not in ("float32", "float64"):
        raise TypeError(f"stft takes float32 or float64, not {x.dtype}.")
    weights = _window("stft", window, sequence_length, fft_length, x.dtype)
    if center:
        half = fft_length // 2
        x = pad(x, [(0, 0)] * (len(x.shape) - 1) + [(half, half)], mode="reflect")
    return rfft(extract_sequences(x, fft_length, sequence_stride) * weights)


def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """The signals whose :func:`stft` is ``x``, least squares where none is exactly (Griffin & Lim 1984).

    Args:
        x: The pair (real part, imaginary part), (..., pieces, fft_length // 2 + 1).
        sequence_length: As for :func:`stft`.
        sequence_stride: As for :func:`stft`.
        fft_length: As for :func:`stft`.
        length: Size of the last axis of the result; as much as there is by default.
        window: As for :func:`stft`. ``None`` adds the pieces up as they are, without regard to how many overlap.
        center: Whether :func:`stft` reflected the ends, which are left out here.

    Example:
        >>> from deepkit import ops
        >>> x = [0.0, 1.0, 2.0, 3.0, 4.0]
        >>> ops.round(istft(stft(x, 3, 1, 3), 3, 1, 3), 4)
        Tensor([0., 1., 2., 3., 4.], dtype=float32)
    """
    frames = irfft(x, fft_length)
    if len(frames.shape) < 2:
        raise ValueError(f"istft takes parts of rank 2 or more, not shape {tuple(x[0].shape)}.")
    weights = _window("istft", window, sequence_length, fft_length, frames.dtype)
    total = overlap_add(frames * weights, sequence_stride)
    power = _power(frames, weights, stride=sequence_stride)
    out = total / where(power > 1e-10, power, 1.0)
    if window is None:
        out = out * (fft_length / sequence_stride)
    start = fft_length // 2 if center else 0
    if length is not None:
        return out[..., start : start + length]
    return out[..., start : -start if start else None]


def _power_kernel(k: Any, frames: Any, window: Any, stride: int) -> Any:
    count, size = frames.shape[-2:]
    square = k.broadcast_to(k.square(window), (count, size))
    return k.overlap_add(square, stride, size + stride * (count - 1))


_power = Plain(
    "window_power",
    lambda frames, window, stride: Spec(_overlap_infer(frames, stride, None).shape[-1:], frames.dtype),
    _power_kernel,
)

__all__ = ["extract_sequences", "istft", "overlap_add", "stft"]

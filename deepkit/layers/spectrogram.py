"""Layers that turn signals into spectrograms."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from .. import config, ops
from ..autograd.dtypes import np_dtype
from ..config import standardize_data_format
from ..initializers import STFT
from ..registry import export
from ..utils.allowance import charge
from .layer import InputSpec, Layer

_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


def _check(owner: str, name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{owner}: `{name}` should be one of {allowed}. Received: {name}={value!r}")


@export("keras.layers.STFTSpectrogram")
class STFTSpectrogram(Layer):
    """Short-time Fourier transform as a convolution, whose kernels may be trained.

    The kernels are cosines and sines times a window, so that the layer starts as the transform itself. Each input
    channel is transformed on its own.

    Input (n, time, channels), or (n, channels, time) with the channels first. Output (n, frames, channels · bins), or
    (n, channels · bins, frames) with the channels first; bins = fft_length // 2 + 1, twice that for mode ``"stft"``;
    with ``expand_dims`` (n, frames, bins, channels), or (n, channels, frames, bins).

    Args:
        mode: What to give: ``"log"`` of the magnitude, ``"magnitude"``, ``"psd"`` (power spectral density, inner bins
            doubled), ``"real"``, ``"imag"``, ``"angle"``, or ``"stft"`` for real and imaginary parts side by side.
        frame_length: Samples of a frame.
        frame_step: Samples between the starts of frames, half a frame by default.
        fft_length: Size of the transform, the next power of two by default.
        window: ``"hann"``, ``"hamming"``, ``"blackman"``, ``"boxcar"``, an array (frame_length,), or ``None``.
        periodic: Whether a named window is periodic and not symmetric.
        scaling: ``"density"`` divides the window w by √Σw², ``"spectrum"`` by Σw, ``None`` by nothing.
        padding: ``"valid"`` or ``"same"``.
        expand_dims: Give bins an axis of their own.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: for other values, or lengths that don't fit together.
        TypeError: when called on anything but float16, float32 or float64.

    Example:
        >>> layer = STFTSpectrogram("magnitude", frame_length=64, frame_step=32)
        >>> layer(ops.ones((2, 256, 1))).shape
        (2, 7, 33)
    """

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        owner = f"STFTSpectrogram {self.name!r}"
        if frame_step is not None and not 1 <= frame_step <= frame_length:
            raise ValueError(f"{owner}: `frame_step` should be positive and at most `frame_length`. Received: "
                             f"frame_step={frame_step}, frame_length={frame_length}")  # fmt: skip
        if fft_length is not None and fft_length < frame_length:
            raise ValueError(f"{owner}: `fft_length` should be at least `frame_length`. Received: "
                             f"fft_length={fft_length}, frame_length={frame_length}")  # fmt: skip
        if fft_length is not None and fft_length & (fft_length - 1):
            warnings.warn(f"{owner}: `fft_length` is best a power of two. Received: fft_length={fft_length}")
        _check(owner, "mode", mode, _MODES)
        _check(owner, "scaling", scaling, ("density", "spectrum", None))
        _check(owner, "padding", padding, ("valid", "same"))
        STFT("real", window, scaling, periodic)  # checks the window
        self.mode, self.scaling, self.padding = mode, scaling, padding
        self.frame_length, self.frame_step, self.fft_length = frame_length, frame_step, fft_length
        self.window, self.periodic, self.expand_dims = window, periodic, expand_dims
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=3)
        self.real_kernel: Any = None
        self.imag_kernel: Any = None
        self._step = frame_step or frame_length // 2
        self._bins = (fft_length or 2 ** math.ceil(math.log2(frame_length))) // 2 + 1

    def build(self, input_shape: Any) -> None:
        shape = (self.frame_length, 1, self._bins)
        for side in ("real", "imag"):
            if self.mode != {"real": "imag", "imag": "real"}[side]:
                initializer = STFT(side, self.window, self.scaling, self.periodic)
                setattr(self, f"{side}_kernel", self.add_weight(shape, initializer, name=f"{side}_kernel"))

    def _transform(self, inputs: Any, kernel: Any) -> Any:
        """The correlation of each channel with a kernel, (n, channels, bins, frames)."""
        last = self.data_format == "channels_last"
        signals = ops.transpose(inputs, (0, 2, 1)) if last else inputs
        channels, time = signals.shape[1:]
        flat = ops.reshape(signals, (-1, -1 if time is None else time, 1))
        out = ops.conv(flat, ops.cast(kernel, inputs.dtype), self._step, self.padding, "channels_last")
        out = ops.transpose(out, (0, 2, 1))
        return ops.reshape(out, (-1, channels, self._bins, -1 if out.shape[2] is None else out.shape[2]))

    def _arranged(self, y: Any) -> Any:
        """(n, channels, bins, frames) in the layout asked for."""
        last = self.data_format == "channels_last"
        if self.expand_dims:
            return ops.transpose(y, (0, 3, 2, 1) if last else (0, 1, 3, 2))
        channels, bins, frames = y.shape[1:]
        flat = ops.reshape(y, (-1, channels * bins, -1 if frames is None else frames))
        return ops.transpose(flat, (0, 2, 1)) if last else flat

    def call(self, inputs: Any) -> Any:
        if np_dtype(inputs.dtype).name not in ("float16", "float32", "float64"):
            raise TypeError(f"STFTSpectrogram {self.name!r} takes float16, float32 or float64, not {inputs.dtype}.")
        if self.mode in ("real", "imag"):
            return self._arranged(self._transform(inputs, getattr(self, f"{self.mode}_kernel")))
        real, imag = (self._transform(inputs, kernel) for kernel in (self.real_kernel, self.imag_kernel))
        if self.mode == "angle":
            return self._arranged(ops.arctan2(imag, real))
        if self.mode == "stft":
            return self._arranged(ops.concatenate([real, imag], axis=2))
        power = ops.square(real) + ops.square(imag)
        if self.mode == "psd":  # what lies between the first and the last bin stands for its mirror image too
            return self._arranged(power + ops.pad(power[:, :, 1:-1], ((0, 0), (0, 0), (1, 1), (0, 0))))
        magnitude = self._arranged(ops.sqrt(ops.maximum(power, config.epsilon())))
        return magnitude if self.mode == "magnitude" else ops.log(ops.maximum(magnitude, config.epsilon()))

    def get_config(self) -> dict[str, Any]:
        window = self.window.tolist() if isinstance(self.window, np.ndarray) else self.window
        return {
            **super().get_config(),
            "mode": self.mode,
            "frame_length": self.frame_length,
            "frame_step": self.frame_step,
            "fft_length": self.fft_length,
            "window": window,
            "periodic": self.periodic,
            "scaling": self.scaling,
            "padding": self.padding,
            "data_format": self.data_format,
            "expand_dims": self.expand_dims,
        }


@export("keras.layers.MelSpectrogram")
class MelSpectrogram(Layer):
    """Mel spectrogram of signals: their power at frequencies spaced as the ear hears them, in decibels.

    The magnitudes of :func:`deepkit.ops.stft` to the power ``mag_exp`` are summed with triangular weights between
    frequencies that are equally spaced in mel, m(f) = 1127 ln(1 + f / 700) (Stevens et al. 1937; the constants are
    those of the Hidden Markov Model Toolkit).

    Input (samples,) or (n, samples), output (num_mel_bins, frames) or (n, num_mel_bins, frames).

    Args:
        fft_length: Size of the transforms.
        sequence_stride: Samples between the starts of frames.
        sequence_length: Samples of a frame, ``fft_length`` by default.
        window: ``"hann"``, ``"hamming"``, a tensor (sequence_length,), or ``None``.
        sampling_rate: Samples a second.
        num_mel_bins: Bands.
        min_freq: Lower end of the first band, in hertz.
        max_freq: Upper end of the last band, half the sampling rate by default.
        power_to_db: Give 10 log10(S / ref_power).
        top_db: Decibels below the largest value at which to cut off.
        mag_exp: Exponent of the magnitudes.
        min_power: Smallest S and ``ref_power``.
        ref_power: Power of 0 decibels.
        **kwargs: Those of :class:`Layer`.

    Raises:
        ValueError: if ``fft_length`` is less than ``sequence_length``.

    Example:
        >>> layer = MelSpectrogram(num_mel_bins=16, sampling_rate=8000, sequence_stride=128, fft_length=512)
        >>> layer(ops.ones((2, 1024))).shape
        (2, 16, 9)
    """

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.fft_length, self.sequence_stride = fft_length, sequence_stride
        self.sequence_length = sequence_length or fft_length
        if self.fft_length < self.sequence_length:
            raise ValueError(f"MelSpectrogram {self.name!r}: `fft_length` should be at least `sequence_length`. "
                             f"Received: fft_length={fft_length}, sequence_length={sequence_length}")  # fmt: skip
        self.window, self.sampling_rate, self.num_mel_bins = window, sampling_rate, num_mel_bins
        self.min_freq, self.max_freq = min_freq, max_freq or int(sampling_rate / 2)
        self.power_to_db, self.top_db, self.mag_exp = power_to_db, top_db, mag_exp
        self.min_power, self.ref_power = min_power, ref_power

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, self.compute_dtype if self.compute_dtype in ("float32", "float64") else "float32")
        real, imag = ops.stft(x, self.sequence_length, self.sequence_stride, self.fft_length, self.window)
        power = ops.power(ops.sqrt(ops.square(real) + ops.square(imag)), self.mag_exp)
        matrix = self.linear_to_mel_weight_matrix(
            self.num_mel_bins, self.fft_length // 2 + 1, self.sampling_rate, self.min_freq, self.max_freq
        )
        out = ops.matmul(power, ops.cast(matrix, x.dtype))
        if self.power_to_db:
            out = ops.log10(ops.maximum(out, self.min_power)) * 10
            out = out - 10 * math.log10(max(abs(self.ref_power), self.min_power))
            loudest = ops.max(out, initial=-math.inf)  # which an empty batch has none of
            out = ops.maximum(out, loudest - self.top_db)
        return ops.cast(ops.swapaxes(out, -1, -2), self.compute_dtype)

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: int = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float = 3800.0,
        dtype: Any = "float32",
    ) -> Any:
        """Weights (num_spectrogram_bins, num_mel_bins) that turn a spectrogram into a mel spectrogram.

        Args:
            num_mel_bins: Bands, each a triangle of height 1 that is straight in mel.
            num_spectrogram_bins: Frequencies from 0 to half the sampling rate. The first one has no weight.
            sampling_rate: Samples a second.
            lower_edge_hertz: Lower end of the first band.
            upper_edge_hertz: Upper end of the last band.
            dtype: Dtype.
        """
        charge(4 * 8 * num_mel_bins * num_spectrogram_bins, f"the bands of {self.name}")
        frequencies = _mel(np.linspace(0, sampling_rate / 2, num_spectrogram_bins))[1:, None]
        edges = np.linspace(_mel(lower_edge_hertz), _mel(upper_edge_hertz), num_mel_bins + 2)
        low, middle, high = edges[:-2], edges[1:-1], edges[2:]
        rising, falling = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
        weights = np.maximum(0.0, np.minimum(rising, falling))
        return ops.convert_to_tensor(np.pad(weights, ((1, 0), (0, 0))), dtype)

    def get_config(self) -> dict[str, Any]:
        names = ("fft_length sequence_stride sequence_length window sampling_rate num_mel_bins min_freq max_freq "
                 "power_to_db top_db mag_exp min_power ref_power")  # fmt: skip
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}


def _mel(hertz: Any) -> Any:
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


__all__ = ["MelSpectrogram", "STFTSpectrogram"]

"""Calls of signal, complex, image and sequence ops whose results real Keras wrote to more_ops.npz."""

from __future__ import annotations

import numpy as np

_rng = np.random.default_rng(29)


def _x(*shape: int) -> np.ndarray:
    return _rng.normal(size=shape).astype("float32")


A, B = _x(3, 4), _x(3, 4)
S, T = _x(2, 3, 5), _x(2, 3, 5)
SIGNAL = _x(2, 40)
IMAGES, FIRST = _x(2, 6, 4, 8), _x(2, 8, 6, 4)
COLUMNS = _x(2, 12, 12)
I = np.array([[2, 0, 1], [1, 1, 3]], "int32")
Z = np.stack([A, B], -1)[:, :2]
WINDOW = np.abs(_x(8))
IDS = np.array([0, 2, 2], "int32")
LOGITS, LABELS = 2 * _x(4, 7, 5), np.array([[1, 2, 2], [3, 3, 1], [4, 0, 0], [2, 1, 1]], "int32")
LABEL_LENGTHS, LOGIT_LENGTHS = np.array([3, 2, 1, 0], "int32"), np.array([7, 5, 6, 3], "int32")
FRAMES = (_x(2, 5, 5), _x(2, 5, 5))
for _part in (FRAMES[1],):
    _part[..., 0] = _part[..., -1] = 0  # no imaginary part where a real signal has none

Case = tuple[str, tuple, dict]
# Differentiable: also checked for gradients of first and second order and for symbolic shapes.
SMOOTH: list[Case] = [
    ("fft", ((A, B),), {}), ("fft2", ((S, T),), {}), ("ifft2", ((S, T),), {}),
    ("rfft", (S,), {}), ("rfft", (A,), {}), ("rfft", (S,), {"fft_length": 8}), ("rfft", (S,), {"fft_length": 3}),
    ("irfft", ((A, B),), {}), ("irfft", ((A, B),), {"fft_length": 5}), ("irfft", ((A, B),), {"fft_length": 12}),
    ("extract_sequences", (SIGNAL, 6, 4), {}), ("extract_sequences", (SIGNAL, 4, 6), {}),
    ("stft", (SIGNAL, 8, 4, 8), {}), ("stft", (SIGNAL, 8, 3, 16), {"window": "hamming"}),
    ("stft", (SIGNAL, 8, 4, 8), {"window": None, "center": False}), ("stft", (SIGNAL, 8, 4, 9), {"window": WINDOW}),
    ("istft", (FRAMES, 8, 4, 8), {}), ("istft", (FRAMES, 6, 2, 8), {"window": "hamming", "center": False}),
    ("istft", (FRAMES, 8, 4, 8), {"length": 13}), ("istft", (FRAMES, 8, 4, 8), {"window": None}),
    ("unfold", (FIRST, 2), {}), ("unfold", (FIRST, (3, 2)), {"dilation": (1, 2), "padding": 1, "stride": 2}),
    ("fold", (COLUMNS, (5, 4), 2), {}),
    ("fold", (COLUMNS, 6, 2), {"stride": (2, 1), "padding": (0, 1), "dilation": (1, 4)}),
    ("depth_to_space", (IMAGES, 2), {}), ("depth_to_space", (FIRST, 2), {"data_format": "channels_first"}),
    ("space_to_depth", (IMAGES, 2), {}), ("space_to_depth", (FIRST, 2), {"data_format": "channels_first"}),
    *[(f"adaptive_{kind}_pool", (x, size), {"data_format": f"channels_{form}"})
      for kind in ("average", "max") for x, size, form in (
          (_x(2, 7, 3), 3, "last"), (_x(2, 3, 7), (9,), "first"), (IMAGES, (4, 3), "last"), (FIRST, 3, "first"),
          (_x(2, 3, 4, 5, 2), 2, "last"), (_x(1, 2, 3, 4, 5), 2, "first"))],
    ("corrcoef", (A,), {}), ("cdist", (A, B), {}), ("cdist", (S, T), {}), ("psnr", (A, B, 2.0), {}),
    *[("correlate", (A[0], B[1, :n]), {"mode": mode}) for n in (4, 3, 2) for mode in ("valid", "same", "full")],
    ("correlate", (A[0, :2], B[1]), {"mode": "same"}), ("correlate", (A[0, :2], B[1]), {"mode": "full"}),
    ("vander", (A[0],), {}), ("vander", (A[0],), {"N": 2, "increasing": True}), ("vander", (A[0], 6), {}),
    ("i0", (A,), {}), ("segment_prod", (A, IDS, 4), {}),
    ("rearrange", (S, "a b c -> c a b"), {}), ("rearrange", (IMAGES, "b (h k) w c -> b h (w k c)"), {"k": 2}),
    ("ctc_loss", (LABELS, LOGITS, LABEL_LENGTHS, LOGIT_LENGTHS), {}),
    ("ctc_loss", (LABELS, LOGITS, LABEL_LENGTHS, LOGIT_LENGTHS), {"mask_index": 4}),
    ("real", (A,), {}), ("imag", (A,), {}), ("angle", (A,), {}), ("view_as_real", (A,), {}), ("view", (A,), {}),
]  # fmt: skip
# Values and dtypes only.
PLAIN: list[Case] = [
    *[(name, (n,), {}) for name in ("bartlett", "blackman", "hamming", "hanning") for n in (1, 2, 5, 8)],
    ("kaiser", (6, 2.5), {}), ("kaiser", (1, 0.0), {}),
    ("polar", (np.abs(A), B), {}), ("view_as_complex", (Z,), {}), ("view_as_real", (Z[..., 0] + 1j * Z[..., 1],), {}),
    *[(name, (Z[..., 0] + 1j * Z[..., 1],), {}) for name in ("real", "imag", "angle")],
    *[(name, (I,), {}) for name in ("real", "imag", "angle", "i0", "corrcoef", "rfft")],
    ("correlate", (I[0], I[1]), {"mode": "full"}), ("vander", (I[0],), {}), ("cdist", (I, I), {}),
    ("view", (A, "int32"), {}), ("view", (A, "uint8"), {}), ("view", (I, "float32"), {}),
    ("extract_sequences", (I, 2, 1), {}), ("unfold", (FIRST.astype("int32"), 2), {}),
    ("segment_prod", (I, np.array([0, 0], "int32"), 2), {}),
    ("ctc_decode", (LOGITS, LOGIT_LENGTHS), {}), ("ctc_decode", (LOGITS, LOGIT_LENGTHS), {"mask_index": 4}),
    ("ctc_decode", (LOGITS, LOGIT_LENGTHS), {"merge_repeated": False}),
    ("ctc_decode", (LOGITS, LOGIT_LENGTHS), {"strategy": "beam_search", "beam_width": 20, "top_paths": 3}),
    ("ctc_decode", (LOGITS, LOGIT_LENGTHS),
     {"strategy": "beam_search", "beam_width": 6, "top_paths": 2, "mask_index": 4}),
]  # fmt: skip
# The same in half precision: dtypes and rough values.
HALF: list[Case] = [(name, (A.astype("float16"),), {}) for name in ("i0", "angle", "corrcoef", "view_as_real")]
HALF += [("ctc_loss", (LABELS, LOGITS.astype("float16"), LABEL_LENGTHS, LOGIT_LENGTHS), {}),
         ("adaptive_average_pool", (IMAGES.astype("float16"), 3), {"data_format": "channels_last"}),
         ("cdist", (A.astype("float16"), B), {})]  # fmt: skip
CASES = SMOOTH + PLAIN + HALF

# Layers: (name, arguments, shape of the input).
_STFT = {"frame_length": 8, "frame_step": 4}
LAYERS: list[tuple[str, dict, tuple[int, ...]]] = [
    ("AdaptiveAveragePooling1D", {"output_size": 3}, (2, 7, 2)),
    ("AdaptiveAveragePooling2D", {"output_size": (2, 3)}, (2, 5, 4, 2)),
    ("AdaptiveAveragePooling3D", {"output_size": 2}, (2, 3, 4, 5, 2)),
    ("AdaptiveMaxPooling1D", {"output_size": [5], "data_format": "channels_first"}, (2, 2, 7)),
    ("AdaptiveMaxPooling2D", {"output_size": 3}, (2, 7, 5, 2)),
    ("AdaptiveMaxPooling3D", {"output_size": (1, 2, 3)}, (2, 3, 4, 5, 2)),
    *[("STFTSpectrogram", {"mode": mode, **_STFT}, (2, 20, 2)) for mode in (
        "log", "magnitude", "psd", "real", "imag", "angle", "stft")],
    ("STFTSpectrogram", {"mode": "magnitude", **_STFT, "fft_length": 16, "scaling": "spectrum", "periodic": True,
                         "padding": "same"}, (2, 20, 2)),
    ("STFTSpectrogram", {"mode": "psd", "frame_length": 6, "window": None, "scaling": None, "expand_dims": True},
     (2, 20, 2)),
    ("STFTSpectrogram", {"mode": "psd", **_STFT, "expand_dims": True, "data_format": "channels_first"}, (2, 2, 20)),
    ("STFTSpectrogram", {"mode": "stft", **_STFT, "window": "hamming", "data_format": "channels_first"}, (2, 2, 20)),
    ("MelSpectrogram", {"fft_length": 64, "sequence_stride": 16, "num_mel_bins": 6}, (2, 200)),
    ("MelSpectrogram", {"fft_length": 64, "sequence_stride": 16, "num_mel_bins": 6, "sequence_length": 48,
                        "mag_exp": 1.0, "window": "hamming", "sampling_rate": 8000, "max_freq": 3000.0,
                        "ref_power": 2.0, "top_db": 20.0}, (200,)),
    ("MelSpectrogram", {"fft_length": 64, "sequence_stride": 16, "num_mel_bins": 6, "power_to_db": False}, (2, 200)),
]  # fmt: skip


def layer_input(shape: tuple[int, ...]) -> np.ndarray:
    """The input of a layer's case."""
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")

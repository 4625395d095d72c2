"""Transposed convolution: the fused op and its function."""

from __future__ import annotations

from typing import Any

from ..autograd.op import Op
from ..autograd.spec import Spec
from ..config import standardize_data_format
from ..utils.windows import Pairs, size_tuple, transposed_sizes
from .conv import convolution
from .shape import reshape, transpose
from .spatial import channels_first, channels_last, check_padding, padded, promoted, spatial_rank


class ConvTranspose(Op):
    """act(x *ᵀ w + b); x (n, *spatial, c_in), w (*kernel, c_out, c_in), b (c_out,) or None.

    The transpose (gradient with respect to its input) of the convolution with kernel w. Params: ``strides``,
    ``dilation``, ``output_padding`` tuples (``None`` for a dimension's default), ``padding`` "valid" or "same".
    """

    def _sizes(self, x: Any, w: Any, strides: Any, padding: str, dilation: Any, output_padding: Any) -> Any:
        return transposed_sizes(x.shape[1:-1], w.shape[:-2], strides, dilation, padding, output_padding)

    def infer(
        self, x: Spec, w: Spec, b: Spec | None, strides: Any, padding: str, dilation: Any, output_padding: Any,
        act: str | None = None,
    ) -> Spec:  # fmt: skip
        if len(x.shape) != len(w.shape) or (x.shape[-1] is not None and x.shape[-1] != w.shape[-1]):
            raise ValueError(
                f"conv_transpose: an input of shape {x.shape} doesn't fit a kernel of shape {w.shape}, which is "
                "(*kernel_size, output channels, input channels)."
            )
        out = self._sizes(x, w, strides, padding, dilation, output_padding)
        return Spec((x.shape[0], *out, w.shape[-2]), x.dtype)

    def forward(
        self, k: Any, x: Any, w: Any, b: Any, strides: Any, padding: str, dilation: Any, output_padding: Any,
        act: str | None = None,
    ) -> tuple[Any, Any]:  # fmt: skip
        spatial = self._sizes(x, w, strides, padding, dilation, output_padding)
        pads = transposed_padding(x.shape[1:-1], spatial, w.shape[:-2], strides, dilation, padding)
        y = k.conv_transpose(x, w, b, spatial, strides, pads, dilation, act)
        return y, (x, w, y, strides, pads, dilation, act)

    def backward(self, k: Any, saved: Any, g: Any, needs: Any) -> Any:
        x, w, y, strides, pads, dilation, act = saved
        return k.conv_transpose_grad(x, w, y, g, strides, pads, dilation, act, needs)

    def reference(
        self, x: Any, w: Any, b: Any, strides: Any, padding: str, dilation: Any, output_padding: Any,
        act: str | None = None,
    ) -> Any:  # fmt: skip
        """An ordinary convolution, with the kernel turned round, over x with s - 1 zeros between its elements."""
        kernel, inputs = w.shape[:-2], w.shape[-1]
        spatial = self._sizes(x, w, strides, padding, dilation, output_padding)
        pads = transposed_padding(x.shape[1:-1], spatial, kernel, strides, dilation, padding)
        turned = transpose(w[tuple(slice(None, None, -1) for _ in kernel)], (*range(len(kernel)), -1, -2))
        sizes = x.shape[1:-1]
        if max(strides) > 1:
            # (n, a, b, c) becomes (n, a, 1, b, 1, c), is padded to (n, a, s, b, s, c) and flattened again.
            apart = [x.shape[0], *(m for n in sizes for m in (n, 1)), inputs]
            holes = tuple(p for s in strides for p in ((0, 0), (0, s - 1)))
            spread = [x.shape[0], *(n * s for n, s in zip(sizes, strides)), inputs]
            x = reshape(padded(reshape(x, apart), holes), spread)
            x = x[(slice(None),) + tuple(slice(0, (n - 1) * s + 1) for n, s in zip(sizes, strides))]
        around = []
        for n, m, kk, s, d, (lo, _) in zip(sizes, spatial, kernel, strides, dilation, pads):
            before = (kk - 1) * d - lo
            around.append((before, m - ((n - 1) * s + 1) - before + (kk - 1) * d))
        cropped = (slice(max(-lo, 0), n + min(hi, 0)) for n, (lo, hi) in zip(x.shape[1:-1], around))
        x = x[(slice(None),) + tuple(cropped)]
        around = [(max(lo, 0), max(hi, 0)) for lo, hi in around]
        return convolution.reference(x, turned, b, (1,) * len(kernel), tuple(around), dilation, act)


def transposed_padding(n: Any, out: Any, kernel: Any, strides: Any, dilation: Any, padding: str) -> Pairs:
    """Padding of the convolution that takes ``out`` to ``n``."""
    pairs = []
    for a, m, k, s, d in zip(n, out, kernel, strides, dilation):
        total = (a - 1) * s + (k - 1) * d + 1 - m
        lo = max(total, 0) // 2 if padding == "same" else 0
        pairs.append((lo, max(total - lo, 0)))
    return tuple(pairs)


transposed_convolution = ConvTranspose()


def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Any:
    """Transposed convolution, which enlarges by its strides (Zeiler et al. 2010, "Deconvolutional networks").

    Args:
        inputs: Tensor (n, *spatial, c_in), or (n, c_in, *spatial) if channels come first.
        kernel: Tensor (*kernel_size, c_out, c_in).
        strides: Factor by which each dimension grows.
        padding: ``"valid"`` or ``"same"`` (the output is exactly ``strides`` times as large).
        output_padding: Elements by which the output exceeds the smallest that fits; less than the stride.
        data_format: As in :func:`conv`.
        dilation_rate: Step between the elements of a window.

    Raises:
        ValueError: if the shapes don't fit.

    Example:
        >>> from deepkit import ops
        >>> ops.conv_transpose(ops.ones((1, 2, 1)), ops.ones((2, 1, 1)), strides=2)[0, :, 0]
        Tensor([1., 1., 1., 1.], dtype=float32)
    """
    first = standardize_data_format(data_format) == "channels_first"
    x, w = promoted(inputs, kernel)
    rank = spatial_rank("conv_transpose", x)
    y = transposed_convolution(
        channels_last(x) if first else x, w, None,
        strides=size_tuple(strides, rank, "strides", "conv_transpose"),
        padding=check_padding("conv_transpose", padding),
        dilation=size_tuple(dilation_rate, rank, "dilation_rate", "conv_transpose"),
        output_padding=(None,) * rank if output_padding is None
        else size_tuple(output_padding, rank, "output_padding", "conv_transpose", least=0),
    )  # fmt: skip
    return channels_first(y) if first else y


__all__ = ["conv_transpose"]

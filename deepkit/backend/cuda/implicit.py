"""Convolution on the device as a matrix product whose operands are gathered as it goes (``kernels/conv.cuh``).

Float32 is multiplied as float32 unless :func:`deepkit.config.set_matmul_precision` allows TF32; the 16-bit types go to
the tensor cores of Ampere and later.
"""

from __future__ import annotations

from functools import cache
from math import gcd, prod
from typing import Any, NamedTuple

import cupy
from cupy import ndarray

from .. import settings
from ..cpu.window import Pairs, Sizes
from .linear import sum_of_parts
from .loader import SUFFIX, function, numbers, sum_type
from .window import in_two

__all__ = ["Plan", "forward", "plan", "to_data", "to_weights"]

#: Elements along the sum that a part of the weight gradient has at least.
_SHARE = 512


@cache
def _processors(device: int) -> tuple[int, bool]:
    """How many multiprocessors a device has, and whether its tensor cores take TF32 and bfloat16."""
    has = cupy.cuda.runtime.getDeviceProperties(device)
    return int(has["multiProcessorCount"]), has["major"] >= 8


class Plan(NamedTuple):
    """What a convolution's launches share.

    Attributes:
        stem: The file of its kernels.
        kind: The type in their names.
        x, kernel, out: Sizes (images, height, width, channels), (height, width, channels, filters) and (height, width).
        strides, dilation, before: Of height and width.
        processors: Multiprocessors of the device.
    """

    stem: str
    kind: str
    x: Sizes
    kernel: Sizes
    out: Sizes
    strides: Sizes
    dilation: Sizes
    before: Sizes
    processors: int

    def launch(self, name: str, rows: int, columns: int, arrays: Any, *args: int, parts: int = 1) -> None:
        """Run a kernel for a result of (rows, columns)."""
        _, _, channels, filters = self.kernel
        size = arrays[0].itemsize
        vector = channels * size % 16 == filters * size % 16 == 0
        vector = vector and all(a is None or a.data.ptr % 16 == 0 for a in arrays)
        tiles = lambda dim: -(-rows // dim) * -(-columns // dim) * parts
        dim = 128 if vector and self.kind != "f64" and tiles(128) >= self.processors else 64
        kernel = function(self.stem, f"{name}_{self.kind}_{dim}{'v' * vector}")
        kernel((-(-rows // dim), -(-columns // dim), parts), (256,), numbers((*arrays, *map(int, args))))

    def windows(self) -> tuple[int, ...]:
        """The windows on x that the outputs are made of, as kernels take them."""
        return (*self.x, *self.out, *self.kernel[:2], *self.strides, *(-b for b in self.before), *self.dilation)


def plan(x: ndarray, w: ndarray, out: Sizes, strides: Sizes, padding: Pairs, dilation: Sizes) -> Plan | None:
    """The plan for x (N, *sizes, C) and w (*sizes, C, F); ``None`` if there are no kernels for it here."""
    processors, tensor = _processors(cupy.cuda.runtime.getDevice())
    kind = SUFFIX[x.dtype.name]
    if x.dtype.itemsize == 2 or (kind == "f32" and tensor and settings.matmul_precision == "high"):
        if not tensor:
            return None
        stem, kind = "conv_mma", "tf32" if kind == "f32" else kind
    else:
        stem = "conv"
    shape = (x.shape[0], *in_two(*x.shape[1:-1]), x.shape[-1])
    kernel = (*in_two(*w.shape[:-2]), *w.shape[-2:])
    most = max(prod(shape[:3]), shape[0] * prod(out), prod(kernel[:3]), prod(kernel[:2]) * kernel[3])
    if most >= 1 << 31:
        return None
    before = in_two(*(p for p, _ in padding), fill=0)
    return Plan(stem, kind, shape, kernel, in_two(*out), in_two(*strides), in_two(*dilation), before, processors)


def forward(how: Plan, x: ndarray, w: ndarray, b: ndarray | None, y: ndarray, relu: bool) -> None:
    """y = x * w + b, and relu if asked for."""
    filters = how.kernel[3]
    if y.size:
        how.launch("conv", y.size // filters, filters, (x, w, b, y), *how.windows(), filters, relu)


def to_data(how: Plan, g: ndarray, w: ndarray, gx: ndarray) -> None:
    """gx = the gradient of x from that of the output, phase by phase of its pixels."""
    images, *sizes, channels = how.x
    if not gx.size:
        return
    axes = [list(_phases(*a)) for a in zip(sizes, how.kernel[:2], how.strides, how.dilation, how.before)]
    filters, width = how.kernel[3], how.kernel[1]
    for phase_i, p_size, (i_from, i_step, i_count), from_i, by_i in axes[0]:
        for phase_j, q_size, (j_from, j_step, j_count), from_j, by_j in axes[1]:
            i_size, j_size = (i_count, j_count) if i_count and j_count else (0, 1)
            windows = (images, *how.out, filters, p_size, q_size, i_size, j_size, 1, 1, from_i, from_j, by_i, by_j)
            taps = (channels, width, i_from, i_step, j_from, j_step)
            how.launch("conv_data_grad", images * p_size * q_size, channels, (g, w, gx), *windows, *taps, *sizes,
                       *how.strides, phase_i, phase_j)  # fmt: skip


def _phases(size: int, taps: int, stride: int, dilation: int, before: int) -> Any:
    """The pixels by their remainder by the stride: it, how many there are, and which taps reach them and where.

    The taps are (first, step, number); pixel ``phase + p stride`` meets number a in element ``p + start + a by``
    of the output.
    """
    step = stride // gcd(stride, dilation)
    for phase in range(min(stride, size)):
        reaching = [i for i in range(taps) if (phase + before - i * dilation) % stride == 0]
        first = reaching[0] if reaching else 0
        start = (phase + before - first * dilation) // stride
        yield phase, -(-(size - phase) // stride), (first, step, len(reaching)), start, -(step * dilation) // stride


def to_weights(how: Plan, x: ndarray, g: ndarray, target: Any) -> ndarray:
    """The gradient of w, in the array ``target`` if that is one; parts of the sum are added up in their order."""
    depth, filters, pixels = prod(how.kernel[:3]), how.kernel[3], how.x[0] * prod(how.out)
    shape = target.shape if isinstance(target, ndarray) else how.kernel
    if not pixels or not depth * filters:
        out = target if isinstance(target, ndarray) else cupy.empty(shape, x.dtype)
        out[...] = 0
        return out
    tiles = -(-depth // 64) * -(-filters // 64)
    parts = max(1, min(pixels // _SHARE, 2 * how.processors // tiles))
    share = -(-pixels // (32 * parts)) * 32
    parts = -(-pixels // share)
    sums = cupy.empty((parts, depth * filters), sum_type(x.dtype))
    how.launch("conv_weight_grad", depth, filters, (x, g, sums), *how.windows(), filters, share, parts=parts)
    if parts == 1 and sums.dtype == x.dtype and not isinstance(target, ndarray):
        return sums.reshape(shape)
    flat = target.reshape(-1) if isinstance(target, ndarray) and target.flags.c_contiguous else None
    out = sum_of_parts(sums, x.dtype, flat).reshape(shape)
    if isinstance(target, ndarray) and flat is None:
        target[...] = out
    return out

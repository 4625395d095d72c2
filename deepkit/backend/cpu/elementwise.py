"""Arrays, elementwise functions, reductions and shapes in NumPy, and the activations that other kernels fuse.

Most of it is NumPy's own function under its own name. Only what NumPy lacks, or does in an unhelpful dtype, is
written out here.
"""

from __future__ import annotations

import math
from typing import Any, Callable

import numpy as np
from numpy import ndarray

from .memory import empty_reused

# Names taken from NumPy as they are. `backend.cuda` takes the same list from CuPy.
NUMPY_NAMES = """
abs negative sign square sqrt exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan arctan2 sinh
cosh tanh arcsinh arccosh arctanh floor ceil trunc rint reciprocal conj real imag angle deg2rad rad2deg
isnan isinf isfinite signbit logical_not logical_and logical_or logical_xor
add subtract multiply divide power floor_divide mod maximum minimum hypot logaddexp logaddexp2 copysign nextafter
fmax fmin fmod isposinf isneginf isreal iscomplex isin unique
heaviside equal not_equal less less_equal greater greater_equal isclose
bitwise_and bitwise_or bitwise_xor bitwise_not left_shift right_shift gcd lcm ldexp
sum prod max min any all argmax argmin cumsum cumprod mean var std
reshape transpose broadcast_to expand_dims squeeze concatenate stack moveaxis swapaxes flip roll repeat tile pad
where take take_along_axis sort argsort argpartition partition searchsorted clip nan_to_num matmul einsum tensordot
zeros ones empty full arange linspace eye tri tril triu zeros_like ones_like full_like empty_like ascontiguousarray
count_nonzero nonzero unravel_index bincount digitize histogram trace diagonal diag diff cross outer inner kron
vander correlate bartlett blackman hamming hanning kaiser
asarray array float32 float64 float16 int32 int64 int8 int16 uint8 uint16 uint32 uint64 bool_
""".split()
for _name in NUMPY_NAMES:
    globals()[_name] = getattr(np, _name)

linalg = np.linalg
fft = np.fft
array_type = ndarray

__all__ = [
    *NUMPY_NAMES, "linalg", "fft", "array_type", "to_numpy", "from_numpy", "cast", "spread", "scatter_add",
    "segment_prod", "getitem", "getitem_grad", "take_grad", "erf", "erfinv", "rsqrt", "sigmoid", "softplus",
    "silu", "lgamma", "cbrt", "add_reduce", "relu", "relu_grad", "softmax", "softmax_grad", "log_softmax",
    "log_softmax_grad", "logsumexp", "activate", "activate_grad", "FUSIBLE",
]  # fmt: skip

cbrt = np.cbrt
add_reduce = np.add.reduce


def to_numpy(x: ndarray) -> ndarray:
    return x


def from_numpy(x: ndarray) -> ndarray:
    return x


def cast(x: ndarray, dtype: Any) -> ndarray:
    if x.dtype.itemsize > 2 == np.dtype(dtype).itemsize:
        with np.errstate(over="ignore"):  # as on a GPU; loss scaling looks for infinities
            return x.astype(dtype)
    return x.astype(dtype)


def getitem(x: ndarray, index: Any) -> ndarray:
    return np.asarray(x[index])


def getitem_grad(g: ndarray, index: Any, shape: tuple[int, ...], unique: bool) -> ndarray:
    """Gradient of ``x[index]``; ``unique`` says that the index names no element twice (slices and integers)."""
    out = np.zeros(shape, g.dtype)
    if unique:
        out[index] = g
    else:
        np.add.at(out, index, g)
    return out


def take_grad(g: ndarray, indices: ndarray, axis: int | None, shape: tuple[int, ...], out: Any = None) -> ndarray:
    """Gradient of ``x.take(indices, axis)``: the rows of ``g`` summed in at their indices, in order."""
    out = out if isinstance(out, ndarray) else np.empty(shape, g.dtype)
    out[...] = 0
    if axis is None:
        np.add.at(out.reshape(-1), indices, g)
        return out
    axis %= len(shape)
    rows = np.moveaxis(out, axis, 0)
    values = np.moveaxis(g, range(axis, axis + indices.ndim), range(indices.ndim))
    flat = indices.reshape(-1)
    # Sorting brings equal indices together, so that each run is one vectorised sum; add.at goes element by element.
    order = np.argsort(flat, kind="stable")
    flat, values = flat[order], values.reshape(flat.size, *rows.shape[1:])[order]
    if flat.size:
        flat = np.where(flat < 0, flat + shape[axis], flat)
        starts = np.flatnonzero(np.concatenate(([True], flat[1:] != flat[:-1])))
        sums = np.add.reduceat(values, starts, axis=0)
        np.add.at(rows, flat[starts], sums)
    return out


def spread(g: ndarray, shape: tuple[int, ...]) -> ndarray:
    """``g`` broadcast to ``shape``: written out where that is cheaper than NumPy's making of a view."""
    if math.prod(shape) > 4096:
        return np.broadcast_to(g, shape)
    out = np.empty(shape, g.dtype)
    out[...] = g
    return out


def scatter_add(out: ndarray, index: Any, values: ndarray) -> ndarray:
    """``out`` plus ``values`` summed in at ``index`` (repeats add up), as a new array."""
    out = out.copy()
    np.add.at(out, index, values)
    return out


def segment_prod(data: ndarray, ids: ndarray, count: int) -> ndarray:
    """The product of the rows that have each number below ``count``."""
    out = np.ones((count, *data.shape[1:]), data.dtype)
    np.multiply.at(out, ids, data)
    return out


def rsqrt(x: ndarray) -> ndarray:
    return 1 / np.sqrt(x)


def sigmoid(x: ndarray, out: ndarray | None = None) -> ndarray:
    """1 / (1 + exp(-x)) by way of tanh, which overflows nowhere: (tanh(x / 2) + 1) / 2."""
    out = np.asarray(np.multiply(x, 0.5, out=out))  # NumPy gives a scalar for a 0-d array
    np.tanh(out, out=out)
    out += 1
    out *= 0.5
    return out


# NumPy compares with an array of zeros several times as fast as with the scalar 0; a short row of them stays in cache.
_ZEROS: dict[np.dtype, ndarray] = {np.dtype(t): np.zeros(1 << 11, t) for t in (np.float32, np.float64)}


def relu(x: ndarray, out: ndarray | None = None) -> ndarray:
    zeros = _ZEROS.get(x.dtype)
    if zeros is None or x.size < 1 << 13 or not x.flags.c_contiguous or not (out is None or out.flags.c_contiguous):
        return np.maximum(x, 0, out=out)
    if out is None:
        out = empty_reused(x.shape, x.dtype)
    whole = x.size - x.size % zeros.size
    flat, into = x.reshape(-1), out.reshape(-1)
    np.maximum(flat[:whole].reshape(-1, zeros.size), zeros, out=into[:whole].reshape(-1, zeros.size))
    np.maximum(flat[whole:], 0, out=into[whole:])
    return out


def softplus(x: ndarray) -> ndarray:
    return np.logaddexp(x, x.dtype.type(0))


def silu(x: ndarray) -> ndarray:
    return x * sigmoid(x)


def logsumexp(x: ndarray, axis: Any = None, keepdims: bool = False) -> ndarray:
    peak = np.max(x, axis=axis, keepdims=True) if x.size else np.full_like(np.sum(x, axis=axis, keepdims=True), -np.inf)
    peak = np.where(np.isfinite(peak), peak, x.dtype.type(0))
    with np.errstate(divide="ignore"):
        out = np.log(np.sum(np.exp(x - peak), axis=axis, keepdims=True)) + peak
    return out if keepdims else np.asarray(out.squeeze(axis=axis))


def softmax(x: ndarray, axis: Any = -1) -> ndarray:
    if not x.size:
        return x.copy()
    y = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    np.exp(y, out=y)
    y /= np.add.reduce(y, axis=axis, keepdims=True)
    return y


def softmax_grad(g: ndarray, y: ndarray, axis: Any = -1) -> ndarray:
    gy = g * y
    gy -= y * np.add.reduce(gy, axis=axis, keepdims=True)
    return gy


def log_softmax(x: ndarray, axis: Any = -1) -> ndarray:
    if not x.size:
        return x.copy()
    y = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    y -= np.log(np.add.reduce(np.exp(y), axis=axis, keepdims=True))
    return y


def log_softmax_grad(g: ndarray, y: ndarray, axis: Any = -1) -> ndarray:
    out = np.exp(y)
    out *= -np.add.reduce(g, axis=axis, keepdims=True)
    out += g
    return out


def lgamma(x: ndarray) -> ndarray:
    """log |gamma(x)|, elementwise through the C library."""
    out = np.frompyfunc(math.lgamma, 1, 1)(x)
    return np.asarray(out, dtype=x.dtype if x.dtype.kind == "f" else np.float64)


# Abramowitz & Stegun 7.1.26 gives 1.5e-7, too coarse for float64 gradients. The series and the continued fraction
# cost too many terms in NumPy, so both use W. J. Cody's rational approximations (Math. Comp. 23, 1969), good to
# float64 rounding.
_ERF_SMALL = (
    (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
     3.20937758913846947e3),
    (2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)  # fmt: skip
_ERFC_MIDDLE = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
     1.23033935479799725e3),
    (1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
     3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)  # fmt: skip
_ERFC_LARGE = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
     1.60837851487422766e-2, 6.58749161529837803e-4),
    (2.56852019228982242e0, 1.87295284992346047e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
     2.33520497626869185e-3),
)  # fmt: skip


def _rational(t: ndarray, coefficients: tuple[tuple[float, ...], tuple[float, ...]]) -> ndarray:
    top, bottom = coefficients[0][0] * t, t.copy()
    for a, b in zip(coefficients[0][1:-1], coefficients[1][:-1]):
        top = (top + a) * t
        bottom = (bottom + b) * t
    return (top + coefficients[0][-1]) / (bottom + coefficients[1][-1])


def erf(x: ndarray) -> ndarray:
    """The error function, 2/sqrt(pi) * integral of exp(-t^2) from 0 to x (Cody 1969)."""
    x = np.asarray(x)
    z = np.abs(x).astype(np.float64)
    small = np.minimum(z, 0.46875)
    out = small * _rational(small * small, _ERF_SMALL)
    middle = z > 0.46875
    if np.any(middle):
        t = np.minimum(z[middle], 6.0)
        inverse_square = 1 / (t * t)
        with np.errstate(under="ignore"):
            scale = np.exp(-t * t)
            near = scale * _rational(t, _ERFC_MIDDLE)
            far = (1 / math.sqrt(math.pi) - inverse_square * _rational(inverse_square, _ERFC_LARGE)) / t * scale
        out[middle] = 1 - np.where(t <= 4, near, far)
    return (np.copysign(out, x) + (x * 0)).astype(x.dtype if x.dtype.kind == "f" else np.float64)


def erfinv(x: ndarray) -> ndarray:
    """Inverse of :func:`erf` on (-1, 1): Giles' approximation (2010), then two Newton steps."""
    x = np.asarray(x)
    v = x.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        w = -np.log((1 - v) * (1 + v))
        near = w - 2.5
        far = np.sqrt(np.maximum(w, 0)) - 3
        p = np.full_like(v, 2.81022636e-08)
        q = np.full_like(v, -0.000200214257)
        for a, b in (
            (3.43273939e-07, 0.000100950558), (-3.5233877e-06, 0.00134934322), (-4.39150654e-06, -0.00367342844),
            (0.00021858087, 0.00573950773), (-0.00125372503, -0.0076224613), (-0.00417768164, 0.00943887047),
            (0.246640727, 1.00167406), (1.50140941, 2.83297682),
        ):  # fmt: skip
            p = a + p * near
            q = b + q * far
        y = np.where(w < 5, p, q) * v
        for _ in range(2):
            step = (erf(y) - v) / (2 / math.sqrt(math.pi) * np.exp(-y * y))
            y = np.where(np.isfinite(step), y - step, y)
        y = np.where(np.abs(v) == 1, np.copysign(np.inf, v), np.where(np.abs(v) > 1, np.nan, y))
    return y.astype(x.dtype if x.dtype.kind == "f" else np.float64)


# -- activations that dense, conv and norm kernels fuse --------------------------------------------------------------
# Each is a pair: the function in place on y, and the derivative's product with gy expressed through y alone, so that
# the input needs not be kept.


def relu_grad(gy: ndarray, y: ndarray) -> ndarray:
    """gy where y is positive, else 0."""
    d = empty_reused(y.shape, y.dtype)
    if y.size < 1 << 16 or not (y.flags.c_contiguous and gy.flags.c_contiguous):
        return np.multiply(gy, y > 0, out=d)
    flat_g, flat_y, flat_d = gy.reshape(-1), y.reshape(-1), d.reshape(-1)
    for start in range(0, y.size, 1 << 16):  # in pieces, so that the mask stays in cache
        part = slice(start, start + (1 << 16))
        np.multiply(flat_g[part], flat_y[part] > 0, out=flat_d[part])
    return d


def _elu(y: ndarray) -> ndarray:
    low = np.minimum(y, 0)
    np.expm1(low, out=low)
    np.maximum(y, 0, out=y)
    y += low
    return y


def _tanh_grad(gy: ndarray, y: ndarray) -> ndarray:
    d = y * y
    np.subtract(1, d, out=d)
    d *= gy
    return d


def _sigmoid_grad(gy: ndarray, y: ndarray) -> ndarray:
    d = 1 - y
    d *= y
    d *= gy
    return d


def _hard_sigmoid(y: ndarray) -> ndarray:
    """relu6(y + 3) / 6."""
    y += 3
    np.clip(y, 0, 6, out=y)
    y /= 6
    return y


def _exp_grad(gy: ndarray, y: ndarray) -> ndarray:
    return gy * y


FUSIBLE: dict[str, tuple[Callable[[ndarray], ndarray], Callable[[ndarray, ndarray], ndarray]]] = {
    "relu": (lambda y: relu(y, out=y), relu_grad),
    "sigmoid": (lambda y: sigmoid(y, out=y), _sigmoid_grad),
    "tanh": (lambda y: np.tanh(y, out=y), _tanh_grad),
    "elu": (_elu, lambda gy, y: gy * np.where(y > 0, y.dtype.type(1), y + 1)),
    "exponential": (lambda y: np.exp(y, out=y), _exp_grad),
    "hard_sigmoid": (_hard_sigmoid, lambda gy, y: gy * (((y > 0) & (y < 1)) * y.dtype.type(1 / 6))),
    "softmax": (
        lambda y: softmax(y),
        lambda gy, y: softmax_grad(gy, y),
    ),
}


def activate(y: ndarray, act: str | None) -> ndarray:
    """Apply the activation ``act`` to ``y``, in place where it can; ``None`` is the identity."""
    return y if act is None else FUSIBLE[act][0](y)


def activate_grad(gy: ndarray, y: ndarray, act: str | None) -> ndarray:
    """Gradient before the activation from ``gy`` behind it and its output ``y``; never changes ``gy``."""
    return gy if act is None else FUSIBLE[act][1](gy, y)

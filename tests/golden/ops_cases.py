"""Calls of ops whose results real Keras wrote to ops.npz: ``(name, args, kwargs)``."""

from __future__ import annotations

import numpy as np

_rng = np.random.default_rng(11)


def _x(*shape: int) -> np.ndarray:
    return _rng.normal(size=shape).astype("float32")


A, B, C = _x(3, 4), _x(3, 4), _x(2, 3, 4)
P = np.abs(_x(3, 4)) + 0.5
S = (lambda m: m @ m.T + 3 * np.eye(3, dtype="float32"))(_x(3, 3))
M = _x(2, 3, 3) + 2 * np.eye(3, dtype="float32")
I = np.array([[2, 0, 1], [1, 1, 3]], "int32")
W = np.abs(_x(3, 4)) + 0.1
V3, U3 = _x(4, 3), _x(4, 3)

# Differentiable ones: also checked for gradients, second order and symbolic shapes.
SMOOTH: list[tuple[str, tuple, dict]] = [
    *[(name, (A,), {}) for name in (
        "relu relu6 leaky_relu selu celu gelu silu hard_sigmoid hard_silu hard_tanh hard_shrink soft_shrink "
        "tanh_shrink softsign log_sigmoid squareplus sparse_plus sparse_sigmoid glu elu sigmoid softplus "
        "softmax log_softmax exp expm1 sin cos tan tanh sinh cosh arctan arcsinh square erf negative abs cumsum "
        "transpose ravel mean sum max min prod var std logsumexp sort tril triu diagonal trace fliplr flipud median "
        "normalize layer_normalization rms_normalization norm nan_to_num diff ptp average").split()],
    *[(name, (P,), {}) for name in "log log2 log10 log1p sqrt rsqrt reciprocal cbrt".split()],
    *[(name, (A, B), {}) for name in (
        "add subtract multiply maximum minimum arctan2 logaddexp hypot inner outer vdot kron").split()],
    ("divide", (A, P), {}), ("divide_no_nan", (A, P), {}), ("power", (P, B), {}),
    ("gelu", (A,), {"approximate": False}), ("threshold", (A, 0.1, 5.0), {}), ("clip", (A, -0.5, 0.5), {}),
    ("sum", (C,), {"axis": (0, 2)}), ("mean", (C,), {"axis": 1, "keepdims": True}),
    ("cumsum", (C,), {"axis": 1}), ("cumprod", (P,), {"axis": 1}), ("sort", (C,), {"axis": 1}),
    ("split", (C, 2), {"axis": 2}), ("split", (C, [1, 3]), {"axis": 2}), ("array_split", (C, 3), {"axis": 2}),
    ("unstack", (C,), {"axis": 1}), ("tile", (A, (2, 3)), {}), ("repeat", (A, 2), {"axis": 1}),
    ("repeat", (A, np.array([1, 0, 2, 1], "int32")), {"axis": 1}), ("roll", (A, 2), {"axis": 1}), ("rot90", (A,), {}),
    ("pad", (A, ((0, 0), (1, 2))), {}), ("pad", (A, ((0, 0), (1, 2))), {"mode": "reflect"}),
    ("pad", (A, ((0, 0), (1, 2))), {"mode": "symmetric"}), ("pad", (A, ((0, 0), (2, 1))), {"mode": "edge"}),
    ("diag", (A[0],), {}), ("diag", (A[0],), {"k": 1}), ("diagonal", (C,), {"offset": 1, "axis1": 1, "axis2": 2}),
    ("moveaxis", (C, 0, -1), {}), ("swapaxes", (C, 1, 2), {}), ("expand_dims", (A, 1), {}),
    ("quantile", (A, 0.3), {"axis": 1}), ("quantile", (A, [0.1, 0.5]), {"axis": 1}), ("median", (C,), {"axis": 2}),
    ("average", (A,), {"axis": 1, "weights": W}), ("trapezoid", (A,), {}), ("norm", (A,), {"ord": 1, "axis": 1}),
    ("norm", (A,), {"ord": 3, "axis": 1}), ("norm", (A,), {"ord": np.inf, "axis": 1}), ("norm", (A,), {"ord": "nuc"}),
    ("matmul", (A, C[0].T), {}), ("dot", (A, C[0].T), {}), ("dot", (C, C[0].T), {}),
    ("tensordot", (C, A), {"axes": 2}), ("tensordot", (C, A), {"axes": [[2], [1]]}),
    ("einsum", ("bij,kj->bik", C, A), {}), ("einsum", ("...ij->...ji", C), {}), ("einsum", ("ii->i", S), {}),
    ("einsum", ("bij->j", C), {}), ("cross", (V3, U3), {}),
    ("batch_normalization", (A, B[0], P[0], -1), {"offset": A[1], "scale": P[1]}),
    ("inv", (M,), {}), ("det", (M,), {}), ("solve", (M, C), {}), ("cholesky", (S,), {}), ("slogdet", (M,), {}),
    ("logdet", (S,), {}), ("dot_product_attention", (_x(2, 3, 2, 4), _x(2, 5, 2, 4), _x(2, 5, 2, 4)), {}),
]  # fmt: skip
# Values and dtypes only.
PLAIN: list[tuple[str, tuple, dict]] = [
    *[(name, (A,), {}) for name in (
        "sign floor ceil argmax argmin argsort count_nonzero isnan isfinite zeros_like ones_like").split()],
    *[(name, (I,), {}) for name in (
        "exp sqrt mean sum prod cumsum square relu sort nonzero max log1p var median").split()],
    *[(name, (A, B), {}) for name in "less greater equal isclose allclose floor_divide mod".split()],
    ("argmax", (A,), {"axis": 1}), ("top_k", (A, 2), {}), ("in_top_k", (np.array([1, 0, 3], "int32"), A, 2), {}),
    ("one_hot", (I, 4), {}), ("one_hot", (I, 4), {"axis": 1, "dtype": "int32"}), ("multi_hot", (I, 4), {}),
    ("searchsorted", (np.array([1.0, 2.0, 3.0], "float32"), np.array([0.5, 2.0, 9.0], "float32")), {}),
    ("digitize", (A, np.array([-1.0, 0.0, 1.0], "float32")), {}), ("bincount", (I[1],), {}),
    ("bincount", (I[0],), {"minlength": 6}), ("histogram", (A[0],), {"bins": 4}),
    ("take", (A, I, 1), {}), ("take_along_axis", (A, np.array([[0], [2], [1]], "int32"), 1), {}),
    ("linspace", (0, 1, 5), {}), ("logspace", (0, 2, 3), {}),
    ("arange", (5,), {}), ("eye", (3,), {}), ("tri", (3,), {}),
    ("meshgrid", (A[0], B[1]), {}), ("segment_sum", (A, np.array([0, 0, 2], "int32"), 3), {}),
    ("segment_max", (A, np.array([0, 1, 1], "int32"), 2), {}), ("saturate_cast", (A * 300, "uint8"), {}),
    ("scatter", (np.array([[0], [2], [2]], "int32"), A, (4, 4)), {}),
    ("scatter_update", (A, np.array([[0, 1], [2, 3]], "int32"), np.array([5.0, 6.0], "float32")), {}),
    ("slice", (A, (1, 1), (2, 2)), {}), ("slice_update", (A, (1, 1), np.ones((2, 2), "float32")), {}),
    ("select", ([A > 0, B > 0], [A, B], 7.0), {}), ("where", (A > 0, A, 0), {}), ("unravel_index", (I, (2, 3)), {}),
    ("matrix_rank", (S,), {}), ("svd", (A,), {"compute_uv": False}), ("hstack", ([A, B],), {}),
    ("vstack", ([A, B],), {}), ("dstack", ([A, B],), {}), ("append", (A, B), {}), ("moments", (A, 0), {}),
]  # fmt: skip
N = np.where(A > 1, np.float32("nan"), A)
N[1] = [2.0, np.nan, -1.0, np.nan]
PLAIN += [
    *[(f"nan{name}", (N,), {"axis": 1}) for name in (
        "sum prod mean var std max min argmax argmin cumsum cumprod median").split()],
    ("nansum", (N,), {}), ("nanmax", (N,), {"keepdims": True}), ("nanquantile", (N, 0.3), {"axis": 1}),
    ("nanpercentile", (N, 30.0), {"axis": 1}),
    ("isin", (I, np.array([1, 3], "int32")), {}), ("isin", (I, np.array([1, 3], "int32")), {"invert": True}),
    ("unique", (I,), {}), ("unique", (I,), {"return_counts": True, "return_inverse": True, "return_index": True}),
    ("nextafter", (A, B), {}), ("isposinf", (A * np.float32("inf"),), {}), ("isneginf", (A * np.float32("inf"),), {}),
    ("isreal", (A,), {}),
    ("array", (A,), {}), ("ldexp", (A, I[0, 0]), {}),
]  # fmt: skip
SMOOTH += [
    ("fmax", (A, B), {}), ("fmin", (A, B), {}), ("fmod", (A, P), {}), ("sinc", (A,), {}), ("erfc", (A,), {}),
    ("fabs", (A,), {}), ("conjugate", (A,), {}),
]  # fmt: skip
CASES = SMOOTH + PLAIN

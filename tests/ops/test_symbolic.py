"""Functional models of ops on symbolic tensors of which no size is known give what the ops give."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import ops
from tests.golden import more_ops_cases, ops_cases

_rng = np.random.default_rng(17)
A, C = _rng.normal(size=(3, 4)).astype("float32"), _rng.normal(size=(2, 3, 4)).astype("float32")
I = np.array([[2, 0, 1], [1, 1, 3]], "int32")
S = np.array([2.0, 0.5], "float32")

MORE = [
    ("split", (C, 2), {"axis": 2}), ("split", (C, [1, 3]), {"axis": 2}), ("hsplit", (C, 3), {}), ("vsplit", (C, 2), {}),
    ("dsplit", (C, 2), {}), ("array_split", (C, 2), {"axis": 1}), ("nonzero", (A,), {}), ("where", (A > 0,), {}),
    ("bincount", (I,), {}), ("diagonal", (C,), {"axis1": 1, "axis2": 2}), ("diagonal", (A,), {"offset": -1}),
    ("trace", (C,), {}), ("diag", (A,), {}), ("diag", (A[0],), {"k": -1}), ("diagflat", (A,), {}),
    ("kron", (A, C), {}),
    ("unique", (I,), {}), ("unique", (I,), {"return_inverse": True, "return_counts": True}),
    ("unique", (I,), {"axis": 0}),
    ("unique", (I,), {"size": 4}), ("repeat", (A, 2), {}), ("repeat", (A, 2), {"axis": 1}),
    ("meshgrid", (A[0], A[1]), {}),
    ("linspace", (A, A * 2, 5), {}), ("linspace", (S, 3.0, 5), {"axis": -1, "endpoint": False}),
    ("logspace", (A, A * 2, 5), {"base": 2.0}), ("geomspace", (S, S * 9, 4), {"axis": 1}),
    ("geomspace", (-S, -S * 9, 4), {}), ("scan", (lambda c, x: (c + x, c), S[0], A[0]), {}),
    ("map", (lambda x: x + 1, A), {}), ("associative_scan", (lambda a, b: a + b, A), {}),
    ("pad", (A, 1), {"mode": "reflect"}), ("slice", (A, (0, 1), (2, -1)), {}),
    ("slice_update", (A, (0, 1), A[:2, :2]), {}),
    ("scatter", (I[:, :1], A[:2], (4, 4)), {}), ("scatter_update", (A, I[:, :2], A[0, :2]), {}),
    ("segment_sum", (A, I[0], 3), {}), ("segment_max", (A, I[0], 3), {}), ("segment_prod", (A, I[0], 3), {}),
    ("rearrange", (C, "a b c -> (a b) c"), {}), ("zeros_like", (A,), {}), ("full_like", (A, 3), {}),
    ("ones_like", (A * np.nan,), {}), ("expand_dims", (A, (0, 2)), {}), ("squeeze", (A[:1],), {"axis": 0}),
    ("quantile", (A, [0.1, 0.6]), {"axis": 1}), ("view_as_complex", (C[..., :2],), {}),
    ("argsort", (A,), {"axis": None}),
    ("cumsum", (A,), {}), ("take", (A, I), {}), ("ravel", (C,), {}), ("median", (A,), {}), ("rot90", (C,), {}),
]  # fmt: skip
#: What needs a size: of a kernel, of the axis that is taken apart.
SIZED = {"unstack", "conv", "depthwise_conv", "separable_conv", "conv_transpose"}
CASES = [case for case in (*MORE, *ops_cases.CASES, *more_ops_cases.CASES) if case[0] not in SIZED]


def leaves(nest):
    return [leaf for item in nest for leaf in leaves(item)] if isinstance(nest, (list, tuple)) else [nest]


def symbolic(x, inputs):
    """A nest of arrays as one of symbolic tensors, which are also put into a list."""
    if isinstance(x, np.ndarray) and x.ndim:
        inputs.append(deepkit.KerasTensor((None,) * x.ndim, x.dtype.name))
        return inputs[-1]
    return type(x)(symbolic(item, inputs) for item in x) if isinstance(x, (list, tuple)) else x


@pytest.mark.parametrize("name,args,kwargs", [pytest.param(*c, id=f"{i}-{c[0]}") for i, c in enumerate(CASES)])
def test_a_model_of_unknown_sizes(device, name, args, kwargs):
    inputs: list = []
    outputs = leaves(getattr(ops, name)(*symbolic(args, inputs), **kwargs))
    picked = [i for i, y in enumerate(outputs) if isinstance(y, deepkit.KerasTensor)]
    if not inputs or not picked:
        pytest.skip("takes no tensors")
    model = deepkit.Model(inputs, [outputs[i] for i in picked])
    found = leaves(model([x for x in leaves(list(args)) if isinstance(x, np.ndarray) and x.ndim]))
    expected = leaves(getattr(ops, name)(*args, **kwargs))
    for i, y in zip(picked, found):
        assert y.shape == expected[i].shape
        assert len(outputs[i].shape) == len(y.shape)
        assert all(n in (None, m) for n, m in zip(outputs[i].shape, y.shape))
        assert outputs[i].dtype == y.dtype == expected[i].dtype
        np.testing.assert_allclose(y.numpy(), expected[i].numpy(), rtol=1e-5, atol=1e-6)


def test_ranges_between_tensors_have_gradients(device):
    from tests.helpers import check_gradient

    check_gradient(lambda a, b: ops.linspace(a, b, 5, axis=1), A, A + 1)
    check_gradient(lambda a, b: ops.logspace(a, b, 5, base=2.0), A, A + 1)
    check_gradient(lambda a, b: ops.geomspace(a, b, 5), S, S * 3)
    a, b = ops.convert_to_tensor(A), ops.convert_to_tensor(A + 1)
    np.testing.assert_allclose(ops.linspace(a, b, 5, axis=1).numpy(), np.linspace(A, A + 1, 5, axis=1), rtol=1e-6)
    found = ops.geomspace(-a * a, -b * b, 5).numpy()
    np.testing.assert_allclose(found, np.geomspace(-A * A, -((A + 1) ** 2), 5), rtol=1e-5)

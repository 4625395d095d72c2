"""Every layer in mixed precision: dtypes, and values and gradients near those in float32."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers, ops
from deepkit.utils.nest import flatten
from tests.golden import conv_cases, layer_cases, recurrent_cases

CASES = {name: (lambda make=make: make(deepkit), shapes) for name, (make, shapes, _) in layer_cases.CASES.items()}
CASES |= {
    f"{name}-{i}": (lambda name=name, kwargs=kwargs: getattr(layers, name)(**kwargs), [shape])
    for i, (name, kwargs, shape) in enumerate(conv_cases.CONV + conv_cases.POOL)
}
CASES |= {
    name: (lambda make=make: make(layers), [shape])
    for name, (make, shape, given) in recurrent_cases.CASES.items()
    if not given
}


def run(make, xs, policy):
    deepkit.config.set_dtype_policy(policy)
    try:
        deepkit.utils.set_random_seed(0)
        layer = make()
    finally:
        deepkit.config.set_dtype_policy(None)
    xs = [ops.convert_to_tensor(x) for x in xs]
    with deepkit.GradientTape(persistent=True) as tape:
        for x in xs:
            tape.watch(x)
        ys = layer(xs if len(xs) > 1 else xs[0])
        ys = flatten(ys)
        loss = sum(ops.sum(ops.cast(y, "float32")) for y in ys)
    return layer, ys, [*tape.gradient(loss, xs), *tape.gradient(loss, layer.trainable_variables)]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", CASES)
def test_near_single_precision(name, policy, device):
    if policy == "mixed_bfloat16":
        pytest.importorskip("ml_dtypes")
    make, shapes = CASES[name]
    rng = np.random.default_rng(0)
    xs = [rng.normal(size=shape).astype("float32") for shape in shapes]
    layer, ys, gradients = run(make, xs, policy)
    _, exact, exact_gradients = run(make, xs, "float32")
    eps = 2.0**-8 if policy == "mixed_float16" else 2.0**-4
    for y, z in zip(ys, exact):
        assert y.dtype.name == (policy[len("mixed_") :] if z.dtype.name == "float32" else z.dtype.name)
        np.testing.assert_allclose(y.numpy().astype("float32"), z.numpy(), rtol=eps, atol=eps * abs(z.numpy()).max())
    for g, h in zip(gradients, exact_gradients):
        if h is not None:
            assert g.dtype.name == "float32"
            np.testing.assert_allclose(g.numpy(), h.numpy(), rtol=4 * eps, atol=8 * eps * max(abs(h.numpy()).max(), 1))
    assert all(v.dtype == "float32" for v in layer.weights if v.dtype != "int64" and "seed" not in v.path)

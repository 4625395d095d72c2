"""The calls of golden/more_ops_cases.py, and what has no table: complex gradients, edges, symbolic sizes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit import ops
from tests.golden.more_ops_cases import CASES, HALF, LAYERS, SMOOTH, layer_input
from tests.helpers import check_gradient, check_infer, check_second_order

GOLDEN = Path(__file__).parents[1] / "golden" / "more_ops.npz"
NUMBERED = [pytest.param(i, *case, id=f"{i}-{case[0]}") for i, case in enumerate(CASES)]
TABLE = [pytest.param(*case, id=f"{i}-{case[0]}") for i, case in enumerate(SMOOTH)]
NUMBERED_LAYERS = [pytest.param(i, *case, id=f"{i}-{case[0]}") for i, case in enumerate(LAYERS)]


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN, allow_pickle=False) as file:
        return dict(file)


def as_list(out):
    return list(out) if isinstance(out, (tuple, list)) else [out]


def as_function(name, args, kwargs):
    """The call as a function of its array arguments alone, those in a pair one by one."""
    flat = [x for arg in args for x in as_list(arg)]
    pair = isinstance(args[0], tuple)
    places = [i for i, x in enumerate(flat) if isinstance(x, np.ndarray)]

    def fn(*arrays):
        full = list(flat)
        for i, a in zip(places, arrays):
            full[i] = a
        if pair:
            full[:2] = [tuple(full[:2])]
        return getattr(ops, name)(*full, **kwargs)

    return (fn if pair or len(flat) == len(args) else as_plain(name, args, kwargs)), [flat[i] for i in places]


def as_plain(name, args, kwargs):
    """As above where a later argument is a tuple."""
    places = [i for i, x in enumerate(args) if isinstance(x, np.ndarray)]

    def fn(*arrays):
        full = list(args)
        for i, a in zip(places, arrays):
            full[i] = a
        return getattr(ops, name)(*full, **kwargs)

    return fn


@pytest.mark.parametrize("number,name,args,kwargs", NUMBERED)
def test_value_and_dtype_are_keras_own(device, golden, number, name, args, kwargs):
    outs = as_list(getattr(ops, name)(*args, **kwargs))
    expected = [golden[f"{number}.{j}"] for j in range(len(outs))]
    assert f"{number}.{len(outs)}" not in golden
    tol = 3e-3 if number >= len(CASES) - len(HALF) else 2e-5
    for out, value in zip(outs, expected):
        assert out.shape == value.shape
        assert str(out.dtype) == str(value.dtype)
        np.testing.assert_allclose(out.numpy(), value, rtol=tol, atol=tol)


@pytest.mark.parametrize("name,args,kwargs", TABLE)
def test_gradient(device, name, args, kwargs):
    fn, arrays = as_function(name, args, kwargs)
    check_gradient(fn, *arrays)


@pytest.mark.parametrize("name,args,kwargs", TABLE)
def test_second_order(device, name, args, kwargs):
    fn, arrays = as_function(name, args, kwargs)

    def scalar(*values):
        total = 0.0
        for out in as_list(fn(*values)):
            total = ops.sum(ops.square(out)) + total
        return total

    check_second_order(scalar, *arrays)


@pytest.mark.parametrize("name,args,kwargs", TABLE)
def test_symbolic_shape_and_dtype(name, args, kwargs):
    fn, arrays = as_function(name, args, kwargs)
    check_infer(fn, *arrays)


@pytest.mark.parametrize("name,args,kwargs", TABLE)
def test_non_contiguous_input(device, name, args, kwargs):
    fn, arrays = as_function(name, args, kwargs)
    strided = [np.repeat(a, 2, axis=-1)[..., ::2] for a in arrays]
    for a, b in zip(as_list(fn(*arrays)), as_list(fn(*strided))):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


# -- layers ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("number,name,kwargs,shape", NUMBERED_LAYERS)
def test_layer_is_keras_own(device, golden, number, name, kwargs, shape):
    layer = getattr(deepkit.layers, name)(**kwargs)
    x = layer_input(shape)
    y = layer(x)
    pair = y.numpy(), golden[f"layer.{number}"]
    if kwargs.get("mode") == "angle":  # -π and π are the same
        pair = tuple(np.exp(1j * part) for part in pair)
    np.testing.assert_allclose(*pair, rtol=2e-4, atol=2e-4)
    config = json.loads(str(golden[f"config.{number}"]))
    assert [w.path.split("/")[-1] for w in layer.weights] == config.pop("weights")
    own = {key: value for key, value in layer.get_config().items() if key not in ("name", "dtype", "trainable")}
    assert json.loads(json.dumps(own)) == config
    again = type(layer).from_config(layer.get_config())
    np.testing.assert_array_equal(again(x).numpy(), y.numpy())
    if len(shape) > 1:
        symbolic = again(deepkit.KerasTensor((None, *shape[1:])))
        assert symbolic.shape == (None, *y.shape[1:])
        assert again(x[:0]).shape == (0, *y.shape[1:])


@pytest.mark.parametrize("mode", ["log", "psd", "angle", "stft"])
def test_spectrogram_kernels_train(device, mode):
    layer = deepkit.layers.STFTSpectrogram(mode, frame_length=8)
    x = ops.convert_to_tensor(layer_input((2, 20, 2)))
    with deepkit.GradientTape() as tape:
        loss = ops.sum(ops.square(layer(x)))
    gradients = tape.gradient(loss, layer.trainable_weights)
    assert len(gradients) == 2
    assert all(np.isfinite(g.numpy()).all() and g.numpy().any() for g in gradients)


def test_spectrogram_of_unknown_length(device):
    inputs = deepkit.Input((None, 2))
    model = deepkit.Model(inputs, deepkit.layers.STFTSpectrogram("stft", frame_length=8)(inputs))
    assert model.output_shape == (None, None, 20)
    assert model(layer_input((2, 20, 2))).shape == (2, 4, 20)


@pytest.mark.parametrize("name,kwargs,error", [
    ("AdaptiveAveragePooling1D", {"output_size": (2, 2)}, ValueError),
    ("AdaptiveMaxPooling2D", {"output_size": 0}, ValueError),
    ("AdaptiveMaxPooling2D", {"output_size": "3"}, TypeError),
    ("STFTSpectrogram", {"mode": "power"}, ValueError),
    ("STFTSpectrogram", {"frame_length": 8, "frame_step": 9}, ValueError),
    ("STFTSpectrogram", {"frame_length": 8, "fft_length": 4}, ValueError),
    ("MelSpectrogram", {"fft_length": 8, "sequence_length": 9}, ValueError),
])  # fmt: skip
def test_layer_arguments_are_checked(name, kwargs, error):
    with pytest.raises(error, match=name):
        getattr(deepkit.layers, name)(**kwargs)


# -- complex numbers ---------------------------------------------------------------------------------------------------
def complex_(a, b):
    return ops.view_as_complex(ops.stack([a, b], axis=-1))


_rng = np.random.default_rng(5)
A, B = _rng.normal(size=(2, 3, 4))
W = _rng.normal(size=(3, 4)) + 1j * _rng.normal(size=(3, 4))
COMPLEX = {
    "real": lambda a, b: ops.real(complex_(a, b) * W),
    "imag": lambda a, b: ops.imag(complex_(a, b) * W),
    "angle": lambda a, b: ops.angle(complex_(a, b)),
    "abs": lambda a, b: ops.abs(complex_(a, b) * W),
    "exp": lambda a, b: ops.view_as_real(ops.exp(complex_(a, b))),
    "polar": lambda a, b: ops.view_as_real(ops.polar(a, b) * W),
    "conj": lambda a, b: ops.imag(ops.conj(complex_(a, b)) * W * a),
    "divide": lambda a, b: ops.real(a * complex_(a, b) / complex_(b, a)),
    "matmul": lambda a, b: ops.view_as_real(ops.matmul(complex_(a, b), W.T)),
    "cast": lambda a, b: ops.real(ops.cast(a, "complex128") * W * b),
}


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_gradient(device, name):
    check_gradient(COMPLEX[name], A, B)
    check_second_order(COMPLEX[name], A, B)


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_shape_and_dtype(name):
    check_infer(COMPLEX[name], A, B)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_parts_of_complex_numbers_are_real(device, dtype):
    z = W.astype(dtype)
    for fn in (ops.real, ops.imag, ops.angle, ops.abs, ops.view_as_real):
        check_infer(fn, z)
        assert fn(z).dtype == ("float32" if dtype == "complex64" else "float64")


# -- the rest ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_fourier_transforms_invert_each_other(device, n):
    x, y = _rng.normal(size=(2, 2, 3, n))
    for a, b in zip(ops.ifft2(ops.fft2((x, y))), (x, y)):
        np.testing.assert_allclose(a.numpy(), b, atol=1e-12)
    np.testing.assert_allclose(ops.irfft(ops.rfft(x), n).numpy(), x, atol=1e-12)


@pytest.mark.parametrize("stride,size", [(2, 8), (3, 6), (4, 8)])
def test_istft_inverts_stft(device, stride, size):
    x = _rng.normal(size=(2, 40))
    y = ops.istft(ops.stft(x, size, stride, size), size, stride, size, length=36)
    np.testing.assert_allclose(y.numpy(), x[:, :36], atol=1e-12)


def test_stft_of_unknown_length(device):
    inputs = deepkit.Input((None,))
    model = deepkit.Model(inputs, ops.istft(ops.stft(inputs, 8, 2, 8), 8, 2, 8))
    x = _rng.normal(size=(2, 40)).astype("float32")
    assert model.output_shape == (None, None)
    np.testing.assert_allclose(model(x).numpy(), x, atol=1e-5)


def test_half_precision_transforms(device):
    x = A.astype("float16")
    assert [part.dtype for part in ops.rfft(x)] == ["float16"] * 2
    np.testing.assert_allclose(ops.irfft(ops.rfft(x), 4).numpy(), x, atol=1e-2)


def test_fold_adds_what_unfold_copied(device):
    x = _rng.normal(size=(1, 2, 6, 5))
    times = ops.fold(ops.unfold(np.ones_like(x), 3, padding=1), (6, 5), 3, padding=1)
    np.testing.assert_allclose(ops.fold(ops.unfold(x, 3, padding=1), (6, 5), 3, padding=1).numpy(), x * times.numpy())


def test_segment_prod_with_zeros(device):
    x = np.array([[2.0, 0.0], [0.0, 0.0], [3.0, 4.0]])
    ids = np.array([0, 0, 0])
    check_gradient(lambda x: ops.segment_prod(x, ids), x)
    check_second_order(lambda x: ops.segment_prod(x, ids), x + 1)


def test_segments_of_symbolic_rows():
    data, ids = deepkit.Input((3,)), deepkit.Input((), dtype="int32")
    for fn in (ops.segment_sum, ops.segment_max, ops.segment_min, ops.segment_prod):
        assert fn(data, ids, 4).shape == (4, 3)


def test_cdist_of_a_point_with_itself_has_no_gradient(device):
    x = ops.convert_to_tensor(A)
    with deepkit.GradientTape() as tape:
        tape.watch(x)
        loss = ops.sum(ops.cdist(x, x))
    assert np.isfinite(tape.gradient(loss, x).numpy()).all()


def test_ctc_of_labels_that_do_not_fit(device):
    x = ops.convert_to_tensor(_rng.normal(size=(2, 2, 4)))
    with deepkit.GradientTape() as tape:
        tape.watch(x)
        loss = ops.ctc_loss([[1, 1], [1, 2]], x, [2, 2], [2, 2])
    assert loss[0] == 1e5 and loss[1] < 100
    gradient = tape.gradient(loss, x).numpy()
    assert not gradient[0].any() and gradient[1].any()


def test_ctc_is_the_sum_over_alignments(device):
    from itertools import product

    logits = _rng.normal(size=(1, 4, 3))
    p = np.exp(logits[0]) / np.exp(logits[0]).sum(-1, keepdims=True)
    totals: dict[tuple[int, ...], float] = {}
    for path in product(range(3), repeat=4):
        spelled = tuple(c for i, c in enumerate(path) if c and (not i or c != path[i - 1]))
        totals[spelled] = totals.get(spelled, 0.0) + np.prod(p[range(4), path])
    for labels in ((1,), (1, 2), (1, 1), (2, 1, 2)):
        np.testing.assert_allclose(ops.ctc_loss([labels], logits, [len(labels)], [4]).numpy(), -np.log(totals[labels]))
    best = sorted(totals, key=totals.__getitem__, reverse=True)[:3]
    paths, scores = ops.ctc_decode(logits, [4], "beam_search", beam_width=100, top_paths=3)
    assert [tuple(c for c in path if c >= 0) for path in paths.numpy()[:, 0].tolist()] == best
    np.testing.assert_allclose(scores.numpy()[0], np.log([totals[path] for path in best]))


def test_jvp(device):
    def fn(x, y):
        return {"a": ops.softmax(ops.matmul(x, y)), "b": x > 0}

    x, y, tx, ty = _rng.normal(size=(3, 4)), _rng.normal(size=(4, 5)), _rng.normal(size=(3, 4)), np.zeros((4, 5))
    out, along = ops.jvp(fn, (x, y), (tx, ty))
    h = 1e-6
    expected = (fn(x + h * tx, y)["a"].numpy() - fn(x - h * tx, y)["a"].numpy()) / (2 * h)
    np.testing.assert_allclose(along["a"].numpy(), expected, atol=1e-8)
    np.testing.assert_array_equal(out["a"].numpy(), fn(x, y)["a"].numpy())
    assert not along["b"].numpy().any()
    value, moved, aux = ops.jvp(lambda x: (x * 2, "beside"), (1.0,), (3.0,), has_aux=True)
    assert (float(value), float(moved), aux) == (2.0, 6.0, "beside")
    with pytest.raises(ValueError, match="tangent"):
        ops.jvp(ops.sin, (1.0,), (np.ones(2),))


def test_jvp_in_a_functional_model(device):
    inputs = deepkit.Input((3,))
    model = deepkit.Model(inputs, ops.jvp(ops.sin, (inputs,), (inputs,)))
    x = A[:2, :3].astype("float32")
    np.testing.assert_allclose(model(x)[1].numpy(), np.cos(x) * x, rtol=1e-5)


@pytest.mark.parametrize("call", [
    lambda: ops.fft(np.ones(3)), lambda: ops.fft((np.ones(3), np.ones(4))), lambda: ops.fft(([1, 2], [1, 2])),
    lambda: ops.fft2((np.ones(3), np.ones(3))), lambda: ops.stft(np.ones(9), 4, 2, 3),
    lambda: ops.stft(np.ones(9), 4, 2, 4, window="box"), lambda: ops.stft(np.ones(9), 4, 2, 4, window=np.ones(3)),
    lambda: ops.extract_sequences(3.0, 1, 1), lambda: ops.extract_sequences(np.ones(3), 0, 1),
    lambda: ops.unfold(np.ones((2, 3)), 2), lambda: ops.fold(np.ones((1, 3, 4)), 3, 2),
    lambda: ops.fold(np.ones((1, 4, 3)), 3, 2), lambda: ops.depth_to_space(np.ones((1, 2, 2, 3)), 2),
    lambda: ops.space_to_depth(np.ones((1, 3, 2, 3)), 2), lambda: ops.view_as_complex(np.ones(3)),
    lambda: ops.view(np.ones(3, "float32"), "float64"), lambda: ops.rearrange(np.ones((2, 3)), "a b c -> c b a"),
    lambda: ops.rearrange(np.ones((2, 3)), "a b -> a"), lambda: ops.rearrange(np.ones((2, 3)), "(a b) c -> a b c"),
    lambda: ops.rearrange(np.ones((3, 3)), "(a b) c -> a b c", a=2), lambda: ops.rearrange(np.ones(2), "a -> a", b=2),
    lambda: ops.adaptive_max_pool(np.ones((2, 3)), 2), lambda: ops.adaptive_max_pool(np.ones((2, 3, 4)), 0),
    lambda: ops.correlate(np.ones(2), np.ones(2), "most"), lambda: ops.corrcoef(np.ones((2, 2, 2))),
    lambda: ops.cdist(np.ones((2, 3)), np.ones((2, 4))), lambda: ops.psnr(np.ones(2), np.ones(3), 1.0),
    lambda: ops.vander(np.ones((2, 2))), lambda: ops.ctc_decode(np.ones((1, 2, 3)), [2], "best"),
    lambda: ops.ctc_loss([[1]], np.ones((2, 3)), [1], [1]),
])  # fmt: skip
def test_arguments_are_checked(call):
    with pytest.raises(ValueError):
        call()


@pytest.mark.parametrize("name,dtypes,kwargs,expected", [
    ("square", ["bool"], {}, "int32"), ("power", ["bool", "bool"], {}, "int32"), ("mod", ["bool", "bool"], {}, "int32"),
    ("floor_divide", ["bool", "bool"], {}, "int32"), ("relu", ["bool"], {}, "int32"),
    ("relu6", ["int8"], {}, "float32"),
    ("fabs", ["int8"], {}, "float32"), ("clip", ["int8"], {"x_min": 0, "x_max": 1}, "int8"),
    ("clip", ["int8"], {"x_min": 0.0, "x_max": 0.5}, "float32"), ("clip", ["bool"], {"x_min": 0, "x_max": 1}, "int32"),
    ("matmul", ["int8", "int8"], {}, "int32"), ("dot", ["int8", "int8"], {}, "int8"),
    ("inner", ["int8"] * 2, {}, "int8"),
    ("nanmax", ["int8"], {}, "int8"), ("ldexp", ["float16", "int32"], {}, "float16"),
    ("det", ["float16"], {}, "float16"),
    ("solve", ["float16", "float16"], {}, "float16"), ("svd", ["float16"], {"compute_uv": False}, "float16"),
    ("abs", ["complex64"], {}, "float32"), ("linspace", ["float16", "float16"], {"num": 3}, "float16"),
])  # fmt: skip
def test_dtype_is_keras_own(device, name, dtypes, kwargs, expected):
    arrays = [(np.eye(3) if name == "solve" or name == "det" else np.ones((3, 3))).astype(dtype) for dtype in dtypes]
    assert getattr(ops, name)(*arrays, **kwargs).dtype == expected
    specs = [deepkit.KerasTensor((None, 3), dtype) for dtype in dtypes]
    if name not in ("solve", "det"):
        assert getattr(ops, name)(*specs, **kwargs).dtype == expected


def test_clip_of_integers_at_a_fraction(device):
    np.testing.assert_array_equal(ops.clip(np.array([0, 1, 2], "int32"), 0.5, 1.5).numpy(), [0.5, 1, 1.5])


def test_updates_replace_what_is_not_finite(device):
    x = np.array([np.nan, np.inf, 1.0])
    np.testing.assert_array_equal(ops.slice_update(x, [0], [5.0, 6.0]).numpy(), [5, 6, 1])
    np.testing.assert_array_equal(ops.scatter_update(x, [[1]], [7.0]).numpy(), [np.nan, 7, 1])
    np.testing.assert_array_equal(ops.slice_update(x > 0, [0], [True]).numpy(), [True, True, True])
    block = _rng.normal(size=(2, 2))
    check_gradient(lambda x, u: ops.slice_update(x, (1, 0), u) ** 2, A, block)
    check_second_order(lambda x, u: ops.slice_update(x, (1, 0), u) ** 2, A, block)


def test_vectorize(device):
    fn = ops.vectorize(lambda m, v: (ops.matmul(m, v), ops.sum(v)), signature="(m,n),(n)->(m),()")
    m, v = _rng.normal(size=(4, 2, 3)), _rng.normal(size=(5, 1, 3))
    first, second = fn(m, v)
    np.testing.assert_allclose(first.numpy(), np.einsum("bij,abj->abi", m, np.broadcast_to(v, (5, 4, 3))))
    np.testing.assert_allclose(second.numpy(), np.broadcast_to(v.sum(-1), (5, 4)))
    check_gradient(fn, m, v)
    power = ops.vectorize(lambda x, n: x**n, excluded={1})
    np.testing.assert_allclose(power(A, 2).numpy(), A**2)
    np.testing.assert_allclose(ops.vectorize(lambda x, n: x**n)(A, n=3).numpy(), A**3)
    for bad in ("(n)", "n->()", "(n),->()"):
        with pytest.raises(ValueError, match="signature"):
            ops.vectorize(ops.sum, signature=bad)
    with pytest.raises(ValueError, match="sizes 3 and 4"):
        ops.vectorize(ops.dot, signature="(n),(n)->()")(np.ones(3), np.ones(4))


@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 4), (2, 4, 3)])
def test_gradients_of_singular_vectors(device, shape):
    x = _rng.normal(size=shape)

    def signless(x):  # the signs of a pair of singular vectors are arbitrary, their products aren't
        u, s, vt = ops.svd(x, full_matrices=False)
        return ops.einsum("...ik,...jk->...kij", u, u), s, ops.einsum("...ki,...kj->...kij", vt, vt), ops.matmul(u, vt)

    check_gradient(signless, x)
    check_gradient(lambda x: ops.svd(x, compute_uv=False), x)
    check_second_order(lambda x: ops.svd(x, compute_uv=False), x)
    check_second_order(lambda x: ops.matmul(ops.svd(x, full_matrices=False)[0], ops.svd(x, full_matrices=False)[2]), x)
    check_gradient(ops.pinv, x)
    check_second_order(ops.pinv, x)


def test_least_squares(device):
    for m, n in ((5, 3), (3, 5), (3, 3)):
        a, b = _rng.normal(size=(m, n)), _rng.normal(size=(m, 2))
        np.testing.assert_allclose(ops.lstsq(a, b).numpy(), np.linalg.lstsq(a, b, rcond=None)[0], atol=1e-10)
        check_gradient(ops.lstsq, a, b)
        check_gradient(ops.lstsq, a, b[:, 0])


def test_namespaces_hold_the_ops_themselves():
    for space, name in ((ops.numpy, "matmul"), (ops.nn, "relu"), (ops.linalg, "norm")):
        assert getattr(space, name) is getattr(ops, name)
        assert all(getattr(ops, each) is getattr(space, each) for each in space.__all__)

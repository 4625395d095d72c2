"""Image functions beside real Keras, on symbolic tensors, and at their edges."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit import ops
from tests.golden.image_cases import CASES, GRADIENTS
from tests.helpers import check_gradient, check_second_order

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "image.npz")


@pytest.mark.parametrize("name", CASES)
def test_values_equal_keras(name, device):
    fn, inputs = CASES[name]
    y = fn(ops.image, *(ops.convert_to_tensor(x) for x in inputs))
    assert y.dtype == GOLDEN[name].dtype.name
    if GOLDEN[name].dtype == np.uint8:  # a value halfway between two integers may go either way
        difference = np.abs(y.numpy().astype(int) - GOLDEN[name].astype(int))
        assert difference.max() <= 1 and (difference > 0).mean() < 0.02
    else:
        np.testing.assert_allclose(y.numpy(), GOLDEN[name], rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("name", CASES)
def test_symbolic_shape_and_dtype(name):
    fn, inputs = CASES[name]
    specs = [deepkit.KerasTensor(x.shape, dtype=x.dtype.name) for x in inputs]
    out = fn(ops.image, *specs)
    assert tuple(out.shape) == GOLDEN[name].shape and out.dtype == GOLDEN[name].dtype.name


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_equal_keras(name, device):
    fn, inputs = CASES[name]
    xs = [ops.convert_to_tensor(x) for x in inputs]
    weights = np.random.default_rng(5).normal(size=GOLDEN[name].shape).astype("float32")
    with deepkit.GradientTape() as tape:
        tape.watch(xs)
        loss = ops.sum(fn(ops.image, *xs) * weights)
    for i, g in enumerate(tape.gradient(loss, xs, unconnected_gradients="zero")):
        used = (..., slice(6)) if name.startswith("affine") and i == 1 else ...  # the last two of a transform are zeros
        np.testing.assert_allclose(g.numpy()[used], GOLDEN[f"{name}/grad{i}"][used], rtol=1e-3, atol=2e-4)


def test_weights_along_an_axis_have_gradients_of_both_orders(device):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 3, 4)), rng.normal(size=(3, 5))
    from deepkit.ops.image.layout import along

    for axis in (-2, 1):
        check_gradient(lambda a, b, axis=axis: along(a, b, axis=axis), x, w)
    check_second_order(lambda a, b: along(a, b, axis=-2), x, w)
    check_second_order(lambda a, b: along(a, b, axis=-1), rng.normal(size=(4, 3)), w)


@pytest.mark.parametrize("method", ["bilinear", "bicubic", "lanczos3"])
def test_resize_and_blur_in_float64(method, device):
    x = np.random.default_rng(0).normal(size=(1, 4, 5, 2))
    check_gradient(lambda v: ops.image.resize(v, (3, 7), method), x)
    check_gradient(lambda v, s: ops.image.gaussian_blur(v, (3, 5), s), x, np.array([0.8, 1.3]))
    assert ops.image.resize(ops.convert_to_tensor(x), (3, 7), method).dtype == "float64"


@pytest.mark.parametrize("method", ["bilinear", "bicubic", "lanczos3", "lanczos5"])
@pytest.mark.parametrize("sizes", [(9, 4), (4, 9), (30, 7), (1, 5), (5, 1), (2, 3)])
def test_fetching_pixels_is_the_product_with_the_weights(method, sizes, device):
    from deepkit.ops.image.resize import _resize_weights

    m, n = sizes
    x = np.random.default_rng(0).normal(size=(2, m, 3, 2))
    for antialias in (False, True):
        w = _resize_weights(m, n, method, antialias)
        expected = np.einsum("bhwc,hn->bnwc", x, w)
        resized = ops.image.resize(x, (n, 3), method, antialias)
        np.testing.assert_allclose(resized.numpy(), expected, atol=1e-12)


def test_unknown_sizes_in_a_model(device):
    inputs = deepkit.Input((None, None, 3))
    x = ops.image.resize(inputs, (6, 8), "bicubic")
    x = ops.image.pad_images(x, 1, 1, 1, 1)
    x = ops.image.crop_images(images=x, top_cropping=0, left_cropping=0, target_height=4, target_width=4)
    x = ops.image.gaussian_blur(x)
    x = ops.image.extract_patches(x, 2)
    model = deepkit.Model(inputs, x)
    assert model.output_shape == (None, 2, 2, 12)
    for size in ((5, 9), (7, 3)):
        assert model(np.ones((2, *size, 3), "float32")).shape == (2, 2, 2, 12)
    assert ops.image.crop_images(inputs, 1, 2, 3, 4).shape == (None, None, None, 3)
    assert ops.image.rgb_to_grayscale(inputs).shape == (None, None, None, 1)
    assert ops.image.extract_patches(inputs, 2).shape == (None, None, None, 12)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_elastic_transform(data_format, device):
    x = np.random.default_rng(0).uniform(size=(3, 8, 9, 2)).astype("float32")
    x = x if data_format == "channels_last" else x.transpose(0, 3, 1, 2)

    def moved(seed, images=x, **kwargs):
        return ops.image.elastic_transform(images, seed=seed, data_format=data_format, **kwargs).numpy()

    np.testing.assert_array_equal(moved(1), moved(1))
    assert np.abs(moved(1) - moved(2)).max() > 0.01
    np.testing.assert_allclose(moved(1, alpha=0.0), x, atol=1e-6)
    assert moved(1).min() >= x.min() and moved(1).max() <= x.max()  # interpolation stays between the pixels
    assert moved(1, images=x[0]).shape == x[0].shape
    assert moved(1, images=(x * 255).astype("uint8")).dtype == np.uint8


def test_one_transform_serves_a_batch_and_empty_batches_pass(device):
    x = np.random.default_rng(0).uniform(size=(3, 4, 4, 1)).astype("float32")
    left = np.array([1, 0, 1, 0, 1, 0, 0, 0], "float32")
    moved = ops.image.affine_transform(x, left).numpy()
    np.testing.assert_allclose(moved[:, :, :-1], x[:, :, 1:], rtol=1e-6)
    for name, args in {"affine_transform": (left,), "gaussian_blur": (), "resize": ((2, 2),), "sobel_edges": (),
                       "extract_patches": (2,)}.items():  # fmt: skip
        assert getattr(ops.image, name)(x[:0], *args).shape[0] == 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "uint8", "int32"])
def test_results_have_the_dtype_of_the_images(dtype, device):
    x = ops.cast(np.random.default_rng(0).uniform(size=(2, 6, 7, 3)) * (1 if "float" in dtype else 255), dtype)
    turn = np.array([1, 0.1, 0.3, -0.1, 1, 0.2, 0, 0])
    calls = {
        "resize": ((4, 9), "lanczos3"), "affine_transform": (turn,), "gaussian_blur": (), "sobel_edges": (),
        "rgb_to_grayscale": (), "extract_patches": (3, 1), "pad_images": (1, 1, 1, 1), "crop_images": (1, 1, 1, 1),
        "elastic_transform": (),
    }  # fmt: skip
    if "float" in dtype:
        calls |= {"rgb_to_hsv": (), "hsv_to_rgb": ()}
    for name, args in calls.items():
        assert getattr(ops.image, name)(x, *args).dtype == dtype, name


def test_layout_in_memory_does_not_matter(device):
    x = np.random.default_rng(0).uniform(size=(2, 7, 5, 3)).astype("float32").transpose(0, 2, 1, 3)
    for name, args in {"resize": ((3, 3),), "rgb_to_hsv": (), "extract_patches": (2,), "sobel_edges": ()}.items():
        fn = getattr(ops.image, name)
        np.testing.assert_array_equal(fn(x, *args).numpy(), fn(np.ascontiguousarray(x), *args).numpy())


def test_bad_arguments_are_named():
    x = np.ones((1, 4, 4, 3), "float32")
    image = ops.image
    for message, call in {
        "rank": lambda: image.resize(x[0, 0], (2, 2)),
        "size": lambda: image.resize(x, (0, 2)),
        "interpolation": lambda: image.resize(x, (2, 2), "cubic"),
        "Only one": lambda: image.resize(x, (2, 2), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True),
        "fill_mode": lambda: image.affine_transform(x, np.zeros(8), fill_mode="edge"),
        "transform": lambda: image.affine_transform(x, np.zeros(6)),
        "exactly two": lambda: image.pad_images(x, 1, 1, 1),
        "at least 0": lambda: image.pad_images(x, -1, 1, 1, 1),
        "fit": lambda: image.crop_images(x, 3, 0, 3, 0),
        "floating": lambda: image.rgb_to_hsv(x.astype("uint8")),
        "3 channels": lambda: image.rgb_to_grayscale(x[..., :2]),
        "filter_size": lambda: image.ssim(x, x),
        "order": lambda: image.map_coordinates(x[0, 0], np.zeros((2, 1)), order=3),
        "coordinates": lambda: image.map_coordinates(x, np.zeros((2, 1)), order=1),
        "start_points": lambda: image.perspective_transform(x, np.zeros((3, 2)), np.zeros((3, 2))),
        "padding": lambda: image.extract_patches(x, 2, padding="full"),
        "method": lambda: image.scale_and_translate(x, x.shape, [1.0], [0.0], [1], "nearest"),
    }.items():
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="size"):
        image.extract_patches(x, "2")


def test_imported_when_first_used():
    program = "import sys, deepkit; print('deepkit.ops.image' in sys.modules, deepkit.ops.image.resize.__name__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "resize"] and "image" in dir(ops)

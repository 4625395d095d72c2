"""Augmentation layers: transformations that real Keras drew, applied; draws, edges, dictionaries, models, errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit import layers, ops
from tests.golden.augmentation_cases import CASES, CONFIGURATIONS, data

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "augmentation.npz")
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 10, 3)).astype("uint8")

#: One layer of each class that transforms images.
EVERY = {
    name: (lambda name=name, kwargs=every[0]: getattr(layers, name)(**{**kwargs, **SEEDED.get(name, {"seed": 1})}))
    for name, every in CONFIGURATIONS.items()
}
SEEDED: dict = {
    "AutoContrast": {},
    "ContrastLimitedAdaptiveHistogramEqualization": {"tile_grid_size": (2, 2)},
    "Equalization": {},
    "MaxNumBoundingBoxes": {},
    "RandomColorJitter": {
        "brightness_factor": 0.3,
        "contrast_factor": 0.3,
        "saturation_factor": 0.3,
        "hue_factor": 0.3,
        "seed": 1,
    },
    "RandomShear": {"x_factor": 0.2, "y_factor": 0.1, "seed": 1},
    "Solarization": {"addition_factor": 0.2, "threshold_factor": 0.3, "seed": 1},
}
RANDOM = [n for n in EVERY if SEEDED.get(n) != {} and "Histogram" not in n]


def drawn(name):
    """What Keras drew for a case."""
    prefix = f"{name}/drawn/"
    found = {k[len(prefix) :]: GOLDEN[k] for k in GOLDEN.files if k.startswith(prefix)}
    found = {k: v.tolist() if k == "input_shape" else ops.convert_to_tensor(v) for k, v in found.items()}
    if "rotation_matrix" in found:
        found["input_shape"] = data(CASES[name][1])[0].shape
    return found.get("", found)


@pytest.mark.parametrize("name", CASES)
def test_keras_draws(name, device):
    make, settings = CASES[name]
    layer = make(layers)
    images, masks, _ = data(settings)
    transformation = drawn(name)
    found = layer.transform_images(images, transformation, training=True).numpy()
    scale = settings.get("scale", 1)
    assert found.dtype == GOLDEN[f"{name}/images"].dtype
    np.testing.assert_allclose(found, GOLDEN[f"{name}/images"], rtol=1e-4, atol=2e-3 * scale)
    if settings.get("masks"):
        found = layer.transform_segmentation_masks(masks, transformation, training=True).numpy()
        np.testing.assert_array_equal(found, GOLDEN[f"{name}/masks"])
    if settings.get("boxes"):
        boxes = {"boxes": GOLDEN[f"{name}/given_boxes"], "labels": np.array([[1, 2]] * 3)}
        found = layer.transform_bounding_boxes(boxes, transformation, training=True)
        np.testing.assert_allclose(found["boxes"].numpy(), GOLDEN[f"{name}/boxes"], rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(found["labels"].numpy(), GOLDEN[f"{name}/labels"])


@pytest.mark.parametrize("i", range(6))
def test_keras_draws_of_a_policy(i, device):
    layer = layers.RandAugment(num_ops=3, factor=0.4)
    images = data({"n": 1})[0]
    transforms = {layer.names[j]: {"input_shape": images.shape} for j in GOLDEN[f"rand_augment{i}/layers"]}
    for key in GOLDEN.files:
        if key.startswith(f"rand_augment{i}/drawn/"):
            name, _, argument = key.removeprefix(f"rand_augment{i}/drawn/").partition("/")
            transforms[name][argument] = ops.convert_to_tensor(GOLDEN[key])
    transformation = {"layer_idxes": GOLDEN[f"rand_augment{i}/layers"], "transforms": transforms}
    found = layer.transform_images(images, transformation).numpy()
    # A pixel next to a threshold, as of posterization, may fall on its other side.
    assert (abs(found - GOLDEN[f"rand_augment{i}/images"]) < 2e-2).mean() > 0.99


#: Keys that Keras leaves out, without which a layer is not made again as it was.
ADDED = {"RandomGrayscale": {"seed"}, "MaxNumBoundingBoxes": {"fill_value"}}


def plain(layer):
    """Its configuration as a file has it."""
    return json.loads(json.dumps(layer.get_config()))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configurations(name):
    for i, kwargs in enumerate(CONFIGURATIONS[name]):
        layer = getattr(layers, name)(**kwargs)
        whole = plain(layer)
        found = {k: v for k, v in whole.items() if k not in {"name", "dtype"} | ADDED.get(name, set())}
        expected = json.loads(str(GOLDEN[f"config/{name}/{i}"]))
        assert found == expected
        again = layers.deserialize(layers.serialize(layer))
        assert type(again) is type(layer) and plain(again) == whole
        from_keras = type(layer).from_config({**expected, "name": "again"})
        assert {k: v for k, v in plain(from_keras).items() if k in found} == found


@pytest.mark.parametrize("name", EVERY)
def test_calls(name, device):
    layer = EVERY[name]()
    size = (3, 4) if name == "RandomCrop" else (8, 10)
    for dtype in ("uint8", "float32", "float64"):
        x = IMAGES.astype(dtype)
        for training in (True, False):
            y = layer(x, training=training)
            assert y.shape == (4, *size, 3) and layer(x[0], training=training).shape == (*size, 3)
            expected = dtype if layer.keeps_dtype and dtype == "uint8" else "float32"
            assert str(y.dtype) == expected
            assert np.isfinite(y.numpy().astype("float32")).all()
            if not training and not layer.always and name != "RandomCrop":
                np.testing.assert_array_equal(y.numpy(), x)
        assert layer(x[:0]).shape == (0, *size, 3) and layer(x[:1]).shape == (1, *size, 3)
    symbolic = layer(deepkit.KerasTensor((None, 8, 10, 3)))
    assert symbolic.shape == (None, *size, 3) and symbolic.dtype == "float32"
    strided = np.repeat(IMAGES, 2, axis=2)[:, :, ::2]
    a, b = EVERY[name](), EVERY[name]()
    np.testing.assert_array_equal(a(strided).numpy(), b(IMAGES).numpy())
    half = type(layer).from_config({**layer.get_config(), "dtype": "mixed_float16"})
    assert str(half(IMAGES.astype("float32")).dtype) == "float16"


@pytest.mark.parametrize("name", [n for n in EVERY if n != "MaxNumBoundingBoxes"])
def test_channels_first(name, device):
    def made(**kwargs):
        layer = EVERY[name]()
        return type(layer).from_config({**layer.get_config(), **kwargs})

    first = np.ascontiguousarray(IMAGES.transpose(0, 3, 1, 2))
    if name == "RandomErasing":  # its noise is drawn in the order of the axes
        expected, found = made(fill_value=1.0), made(fill_value=1.0, data_format="channels_first")
    else:
        expected, found = made(), made(data_format="channels_first")
    found = np.moveaxis(found(first).numpy(), 1, -1)
    np.testing.assert_allclose(found, expected(IMAGES).numpy(), rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("name", RANDOM)
def test_seeds(name, device):
    a, b = EVERY[name](), EVERY[name]()
    x = IMAGES.astype("float32")
    outs = [a(x).numpy() for _ in range(4)]
    for out in outs:
        np.testing.assert_array_equal(out, b(x).numpy())
    assert any((out != outs[0]).any() for out in outs[1:])
    # The state of the generator takes up the stream where it was.
    state = a.generator.state.numpy()
    following = a(x).numpy()
    b.generator.state.assign(state)
    np.testing.assert_array_equal(b(x).numpy(), following)


IDENTITIES = {
    "RandomBrightness": {"factor": 0.0},
    "RandomContrast": {"factor": 0.0},
    "RandomColorDegeneration": {"factor": 0.0},
    "RandomSaturation": {"factor": (0.5, 0.5)},
    "RandomHue": {"factor": 0.0},
    "RandomGrayscale": {"factor": 0.0},
    "RandomInvert": {"factor": 0.0},
    "RandomSharpness": {"factor": (0.5, 0.5)},
    "RandomGaussianBlur": {"factor": 0.0},
    "RandomErasing": {"factor": 0.0},
    "RandomRotation": {"factor": 0.0},
    "RandomTranslation": {"height_factor": 0.0, "width_factor": 0.0},
    "RandomZoom": {"height_factor": 0.0},
    "RandomShear": {},
    "RandomPerspective": {"factor": 0.0},
    "RandomElasticTransform": {"factor": 0.0},
    "RandomPosterization": {"factor": (8, 8)},
    "Solarization": {"threshold_factor": (1.0, 1.0)},
    "RandomColorJitter": {},
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_identities(name, device):
    x = np.clip(IMAGES.astype("float32"), 0, 254)
    y = getattr(layers, name)(**IDENTITIES[name])(x, training=True)
    np.testing.assert_allclose(y.numpy(), x, atol=0.1)


def test_determined_values(device):
    x = IMAGES.astype("float32")
    check = lambda layer, expected: np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-5, atol=1e-3)
    check(layers.RandomBrightness((0.3, 0.3)), np.clip(x + 0.3 * 255, 0, 255))
    check(layers.RandomBrightness((-1.0, -1.0)), 0 * x)
    check(layers.RandomInvert((1.0, 1.0)), 255 - x)
    added = np.clip(x + 51, 0, 255)
    check(layers.Solarization((0.2, 0.2), (0.5, 0.5)), np.where(added < 127.5, added, 255 - added))
    check(layers.RandomPosterization((3, 3)), x // 32 * 32)
    mean = x.mean((1, 2), keepdims=True)
    constant = layers.RandomContrast((1.0, 0.0))
    constant.factor = (0.5, -0.5)
    check(constant, (x - mean) * 0.5 + mean)
    low, high = x.min((1, 2), keepdims=True), x.max((1, 2), keepdims=True)
    check(layers.AutoContrast(), (x - low) / (high - low) * 255)


def test_statistics(device):
    x = np.ones((2000, 1, 2, 3), "float32") * [[[[1.0] * 3, [2.0] * 3]]]
    flipped = layers.RandomFlip("horizontal", seed=1)(x).numpy()[:, 0, 0, 0] == 2
    assert 0.45 < flipped.mean() < 0.55
    brighter = layers.RandomBrightness((-0.5, 0.5), value_range=(-9, 9), seed=1)(x).numpy()[:, 0, 0, 0] - 1
    assert abs(brighter.mean()) < 0.3 and -9 <= brighter.min() < -8.5 and 7.5 < brighter.max() <= 8
    inverted = layers.RandomInvert((0.3, 0.3), seed=1)(x).numpy()[:, 0, 0, 0] == 254
    assert 0.26 < inverted.mean() < 0.34
    weights = layers.MixUp(0.2, seed=1).get_random_transformation(x)["mix_weight"].numpy()
    assert abs(weights.mean() - 0.5) < 0.03 and abs(weights.var() - 1 / (4 * 1.4)) < 0.02
    shifts = layers.RandomTranslation(0.5, 0.0, seed=1).get_random_transformation(np.ones((2000, 8, 8, 1)))
    shifts = shifts["translations"].numpy()
    assert (shifts[:, 0] == 0).all() and abs(shifts[:, 1].mean()) < 0.2 and 3.9 < shifts[:, 1].max() <= 4
    bits = 8 - layers.RandomPosterization((2, 5), seed=1).get_random_transformation(x)["shift_factor"].numpy()
    assert sorted(set(bits.tolist())) == [2, 3, 4]


def batch():
    return {
        "images": IMAGES,
        "labels": np.eye(4, dtype="float32"),
        "segmentation_masks": (IMAGES[..., :1] % 3).astype("int32"),
        "bounding_boxes": {
            "boxes": np.array([[[1.0, 1, 4, 4], [2, 3, 9, 7]]] * 4, "float32"),
            "labels": np.array([[1, 2]] * 4),
        },
    }


@pytest.mark.parametrize("name", [n for n in EVERY if n != "CutMix"])
def test_dictionaries(name, device):
    layer = EVERY[name]()
    layer = type(layer).from_config({**layer.get_config(), "bounding_box_format": "xyxy"})
    given = batch()
    out = layer(given)
    assert given["images"] is IMAGES  # what came in stays as it was
    assert set(out) == set(given)
    assert out["images"].shape[:3] == out["segmentation_masks"].shape[:3]
    if "segmentation_masks" not in layer.blends:
        assert str(out["segmentation_masks"].dtype) == "int32"
        assert set(out["segmentation_masks"].numpy().ravel().tolist()) <= {0, 1, 2}
    boxes = out["bounding_boxes"]["boxes"].numpy()
    assert boxes.shape[0] == 4 and boxes.shape[:2] == out["bounding_boxes"]["labels"].shape
    if name != "MaxNumBoundingBoxes":
        assert (boxes >= 0).all() and (boxes <= [10, 8, 10, 8]).all()
    one = {k: v[0] if k != "bounding_boxes" else {k: w[0] for k, w in v.items()} for k, v in batch().items()}
    single = layer(one)
    assert single["images"].shape == out["images"].shape[1:]
    assert single["bounding_boxes"]["boxes"].shape == out["bounding_boxes"]["boxes"].shape[1:]
    flat = layer({"images": IMAGES, "segmentation_masks": batch()["segmentation_masks"][..., 0]})
    assert flat["segmentation_masks"].shape == out["segmentation_masks"].shape[:-1]
    specs = layer({
        "images": deepkit.KerasTensor((None, 8, 10, 3)),
        "bounding_boxes": {
            "boxes": deepkit.KerasTensor((None, 2, 4)),
            "labels": deepkit.KerasTensor((None, 2), dtype="int64"),
        },
    })  # fmt: skip
    assert specs["images"].shape == (None, *out["images"].shape[1:])
    if name != "MixUp":
        assert specs["bounding_boxes"]["boxes"].shape == (None, *boxes.shape[1:])


def test_boxes_follow_pixels(device):
    """The box around a bright rectangle is, after the transformation, around where it went."""
    images = np.zeros((6, 40, 60, 1), "float32")
    images[:, 15:25, 20:36] = 100
    boxes = {"boxes": np.array([[[20, 15, 36, 25]]] * 6, "float32"), "labels": np.ones((6, 1), "int32")}
    kwargs = {"seed": 3, "bounding_box_format": "xyxy"}
    for layer in (
        layers.RandomFlip(**kwargs),
        layers.RandomRotation(0.1, fill_mode="constant", **kwargs),
        layers.RandomTranslation(0.2, 0.2, fill_mode="constant", **kwargs),
        layers.RandomZoom(0.3, 0.2, fill_mode="constant", **kwargs),
        layers.RandomShear(0.3, 0.2, fill_mode="constant", **kwargs),
        layers.RandomPerspective((1.0, 1.0), 0.4, **kwargs),
        layers.RandomCrop(30, 50, **kwargs),
    ):
        out = layer({"images": images, "bounding_boxes": boxes})
        for image, box in zip(out["images"].numpy()[..., 0], out["bounding_boxes"]["boxes"].numpy()[:, 0]):
            rows, columns = np.nonzero(image > 20)
            around = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            np.testing.assert_allclose(box, around, atol=2.1, err_msg=type(layer).__name__)


def test_mixtures_of_labels(device):
    x = np.stack([np.full((8, 8, 1), i, "float32") for i in range(5)])
    out = layers.MixUp(1.0, seed=1)({"images": x, "labels": np.eye(5, dtype="float32")})
    # Constant images: their mean says which were blended, as the labels do.
    np.testing.assert_allclose(out["images"].numpy()[:, 0, 0, 0], out["labels"].numpy() @ np.arange(5), rtol=1e-5)
    layer = layers.CutMix(seed=1)
    out = layer({"images": x, "labels": np.eye(5, dtype="float32"), "segmentation_masks": x})
    np.testing.assert_allclose(out["images"].numpy(), out["segmentation_masks"].numpy())
    np.testing.assert_allclose(out["labels"].numpy().sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(
        out["images"].numpy().mean((1, 2, 3)), out["labels"].numpy() @ np.arange(5), atol=1.2
    )
    with pytest.raises(NotImplementedError, match="bounding boxes"):
        layers.CutMix(bounding_box_format="xyxy")({"images": x, "bounding_boxes": batch()["bounding_boxes"]})


def test_equalization_is_per_image(device):
    layer = layers.Equalization()
    together = layer(IMAGES).numpy()
    for i in range(4):
        np.testing.assert_array_equal(together[i], layer(IMAGES[i]).numpy())
    flat = np.full((1, 4, 4, 3), 77, "float32")
    np.testing.assert_array_equal(layer(flat).numpy(), flat)
    np.testing.assert_array_equal(layers.AutoContrast()(flat).numpy(), flat)


def test_crops(device):
    x = np.arange(2 * 6 * 8, dtype="float32").reshape(2, 6, 8, 1)
    layer = layers.RandomCrop(6, 8)
    np.testing.assert_array_equal(layer(x, training=False).numpy(), x)
    seen = set()
    for seed in range(30):
        y = layers.RandomCrop(4, 5, seed=seed)(x).numpy()
        top, left = divmod(int(y[0, 0, 0, 0]), 8)
        np.testing.assert_array_equal(y, x[:, top : top + 4, left : left + 5])
        seen.add((top, left))
    assert {t for t, _ in seen} == {0, 1, 2} and {c for _, c in seen} == {0, 1, 2, 3}
    assert layers.RandomCrop(10, 12)(x).shape == (2, 10, 12, 1)
    assert layers.RandomCrop(3, 4)(x, training=False).shape == (2, 3, 4, 1)


def test_boxes_of_a_number(device):
    out = layers.MaxNumBoundingBoxes(1)({"images": IMAGES, "bounding_boxes": batch()["bounding_boxes"]})
    np.testing.assert_array_equal(out["bounding_boxes"]["labels"].numpy(), [[1]] * 4)
    layer = layers.MaxNumBoundingBoxes(3, fill_value=-7)
    out = layer({"images": IMAGES, "bounding_boxes": batch()["bounding_boxes"]})
    np.testing.assert_array_equal(out["bounding_boxes"]["labels"].numpy(), [[1, 2, -7]] * 4)
    assert (out["bounding_boxes"]["boxes"].numpy()[:, 2] == -7).all()
    assert type(layer).from_config(layer.get_config()).fill_value == -7

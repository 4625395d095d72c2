"""Resizing and CenterCrop beside real Keras, and at their edges."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit import layers
from tests.golden.sizing_cases import CASES, IMAGES, data

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "sizing.npz")


@pytest.mark.parametrize("name", CASES)
def test_all_that_belongs_to_an_image(name, device):
    cls, arguments = CASES[name]
    layer = getattr(layers, cls)(**arguments)
    y = layer(data(arguments.get("data_format") == "channels_first"))
    np.testing.assert_allclose(y["images"].numpy(), GOLDEN[f"{name}/images"], rtol=1e-5, atol=1e-3)
    if cls == "Resizing" or (arguments["height"] <= 6 and arguments["width"] <= 9):  # else Keras blends masks
        np.testing.assert_array_equal(y["segmentation_masks"].numpy(), GOLDEN[f"{name}/masks"])
    np.testing.assert_allclose(y["bounding_boxes"]["boxes"].numpy(), GOLDEN[f"{name}/boxes"], atol=1e-4)
    np.testing.assert_array_equal(y["bounding_boxes"]["labels"].numpy(), GOLDEN[f"{name}/box_labels"])
    np.testing.assert_array_equal(y["labels"], [1, 2])


@pytest.mark.parametrize("name", CASES)
def test_configuration(name):
    cls, arguments = CASES[name]
    layer = getattr(layers, cls)(**arguments)
    config = {k: v for k, v in layer.get_config().items() if k not in ("name", "dtype")}
    assert config == json.loads(str(GOLDEN[f"{name}/config"]))
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize("cls", ["Resizing", "CenterCrop"])
def test_in_a_model_with_unknown_sizes(cls, device):
    model = deepkit.Sequential([deepkit.Input((None, None, 3)), getattr(layers, cls)(4, 5), layers.Conv2D(2, 3)])
    assert model.output_shape == (None, 2, 3, 2)
    for shape in ((2, 6, 9, 3), (1, 3, 4, 3), (0, 6, 9, 3)):
        assert model(np.ones(shape, "float32")).shape == (shape[0], 2, 3, 2)
    one = getattr(layers, cls)(4, 5)
    np.testing.assert_allclose(one(IMAGES[0]).numpy(), one(IMAGES).numpy()[0], rtol=1e-6)


def test_dtypes(device):
    images = IMAGES.astype("uint8")
    assert layers.Resizing(3, 4)(images).dtype == "uint8" and layers.CenterCrop(3, 4)(images).dtype == "float32"
    for cls in (layers.Resizing, layers.CenterCrop):
        assert cls(3, 4, dtype="mixed_float16")(IMAGES).dtype == "float16"
        assert cls(3, 4, dtype="float64")(IMAGES.astype("float64")).dtype == "float64"


def test_windows_in_the_middle(device):
    x = np.arange(40.0, dtype="float32").reshape(1, 5, 8, 1)
    np.testing.assert_array_equal(layers.CenterCrop(3, 4)(x).numpy(), x[:, 1:4, 2:6])
    for training in (True, False):
        assert layers.CenterCrop(3, 4)(x, training=training).shape == (1, 3, 4, 1)


def test_bad_arguments_are_named():
    for message, make in {
        "Resizing: `height`": lambda: layers.Resizing(0, 3), "CenterCrop: `width`": lambda: layers.CenterCrop(3, 2.5),
        "interpolation": lambda: layers.Resizing(2, 2, interpolation="cubic"),
        "fill_mode": lambda: layers.Resizing(2, 2, fill_mode="reflect"),
        "only one": lambda: layers.Resizing(2, 2, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True),
    }.items():  # fmt: skip
        with pytest.raises(ValueError, match=message):
            make()

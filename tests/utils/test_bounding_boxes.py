"""Bounding boxes beside real Keras, and at their edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deepkit
from deepkit.utils import bounding_boxes
from tests.golden.boxes_cases import BOXES, CASES, OTHER

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "boxes.npz")


@pytest.mark.parametrize("name", CASES)
def test_values_equal_keras(name, device):
    y = CASES[name](bounding_boxes)
    np.testing.assert_allclose(y.numpy(), GOLDEN[name], rtol=2e-5, atol=2e-5)


def test_nothing_that_is_passed_in_changes(device):
    given = {"boxes": BOXES.copy(), "labels": np.zeros((2, 4))}
    bounding_boxes.clip_to_image_size(given, 3, 3)
    out = bounding_boxes.convert_format(given, "xyxy", "xywh")
    assert (given["boxes"] == BOXES).all() and (given["labels"] == 0).all() and set(out) == set(given)


def test_no_boxes(device):
    none = np.zeros((2, 0, 4), "float32")
    assert bounding_boxes.convert_format(none, "xyxy", "rel_xywh", 3, 4).shape == (2, 0, 4)
    assert bounding_boxes.compute_iou(none, OTHER, "xyxy").shape == (2, 0, 3)
    assert bounding_boxes.clip_to_image_size({"boxes": none}, 3, 4)["boxes"].shape == (2, 0, 4)


def test_symbolic_boxes():
    boxes = deepkit.KerasTensor((None, 5, 4))
    assert bounding_boxes.convert_format(boxes, "xyxy", "center_xywh").shape == (None, 5, 4)
    assert bounding_boxes.compute_iou(boxes, deepkit.KerasTensor((None, 3, 4)), "xyxy").shape == (None, 5, 3)


def test_levels_of_a_pyramid(device):
    deltas = {"a": OTHER / 9, "b": OTHER[:1] / 9}
    levels = {"a": BOXES[:, :3], "b": BOXES[:1, :3]}
    decoded = bounding_boxes.decode_deltas_to_boxes(levels, deltas, "xyxy", "xyxy")
    for level in levels:
        back = bounding_boxes.encode_box_to_deltas(levels[level], decoded[level], "xyxy", "xyxy")
        np.testing.assert_allclose(back.numpy(), deltas[level], atol=1e-5)


def test_bad_arguments_are_named():
    u = bounding_boxes
    for message, call in {
        "source": lambda: u.convert_format(BOXES, "corners", "xyxy"),
        "height": lambda: u.convert_format(BOXES, "xyxy", "rel_xyxy"),
        "four numbers each": lambda: u.convert_format(BOXES[..., :3], "xyxy", "xywh"),
        "clip_to_image_size takes": lambda: u.clip_to_image_size({"boxes": BOXES}, 1, 1, "xywh"),
        "clip_to_image_size needs": lambda: u.clip_to_image_size({"boxes": BOXES}),
        "crop takes": lambda: u.crop(BOXES, 0, 0, 1, 1, "xywh"),
        "boxes2": lambda: u.compute_iou(BOXES, BOXES[0, 0], "xyxy"),
        "encoding_format": lambda: u.encode_box_to_deltas(BOXES, BOXES, "xyxy", "xyxy", "xywh"),
        "variance": lambda: u.decode_deltas_to_boxes(BOXES, BOXES, "xyxy", "xyxy", variance=[1.0]),
    }.items():
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(AttributeError, match="nothing"):
        _ = u.nothing

"""Boxes and masks in images, and galleries of them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import deepkit
from deepkit import visualization as vis

IMAGES = np.random.default_rng(0).uniform(0, 255, (3, 20, 30, 3)).astype("float32")
BOXES = {"boxes": np.tile(np.array([[2.0, 3, 12, 15], [0, 0, 5, 5]]), (3, 1, 1)), "labels": np.tile([1, -1], (3, 1))}
MASKS = np.random.default_rng(1).integers(-1, 3, (3, 20, 30, 1))


def test_import_is_light():
    program = "import sys, deepkit; deepkit.visualization; print('PIL' in sys.modules, 'matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
    assert deepkit.visualization is vis and set(vis.__all__) <= set(dir(vis))
    with pytest.raises(AttributeError, match="nothing"):
        _ = vis.nothing


def first(x):
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))


# -- boxes -------------------------------------------------------------------------------------------------------------
def test_boxes():
    pytest.importorskip("PIL")
    out = vis.draw_bounding_boxes(IMAGES, BOXES, "xyxy", color=(1, 2, 3), line_thickness=1)
    assert out.dtype == np.uint8 and out.shape == IMAGES.shape
    changed = (out != IMAGES.astype("uint8")).any(-1)
    rectangle = np.zeros((20, 30), bool)
    rectangle[3:16, [2, 12]] = rectangle[[3, 15], 2:13] = True
    assert (out[:, rectangle] == [1, 2, 3]).all() and not changed[:, ~rectangle].any()
    np.testing.assert_array_equal(
        vis.draw_bounding_boxes(first(IMAGES), BOXES, "xyxy", None, (1, 2, 3), 1, data_format="channels_first"), out
    )
    relative = {**BOXES, "boxes": BOXES["boxes"] / [30, 20, 30, 20]}
    np.testing.assert_array_equal(vis.draw_bounding_boxes(IMAGES, relative, "rel_xyxy", None, (1, 2, 3), 1), out)


def test_names_of_boxes_and_other_channels():
    pytest.importorskip("PIL")
    plain = vis.draw_bounding_boxes(np.zeros((3, 60, 90, 3)), BOXES, "xyxy")
    named = vis.draw_bounding_boxes(np.zeros((3, 60, 90, 3)), BOXES, "xyxy", {1: "cat"})
    sure = vis.draw_bounding_boxes(
        np.zeros((3, 60, 90, 3)), {**BOXES, "confidences": np.full((3, 2), 0.5)}, "xyxy", {1: "cat"}
    )
    assert (plain > 0).sum() < (named > 0).sum() < (sure > 0).sum()
    for channels in (1, 4):
        assert vis.draw_bounding_boxes(IMAGES[..., :1].repeat(channels, -1), BOXES, "xyxy").shape[-1] == channels
    assert vis.draw_bounding_boxes(IMAGES[:0], {k: v[:0] for k, v in BOXES.items()}, "xyxy").shape == (0, 20, 30, 3)
    fractions = vis.draw_bounding_boxes(np.full((1, 9, 9, 3), 0.5), {k: v[:1, 1:] for k, v in BOXES.items()}, "xyxy")
    assert (fractions == 127).all()


def test_bad_boxes_are_named():
    pytest.importorskip("PIL")
    with pytest.raises(ValueError, match="images"):
        vis.draw_bounding_boxes(IMAGES[0], BOXES, "xyxy")
    with pytest.raises(TypeError, match="bounding_boxes"):
        vis.draw_bounding_boxes(IMAGES, BOXES["boxes"], "xyxy")
    with pytest.raises(ValueError, match="labels"):
        vis.draw_bounding_boxes(IMAGES, {"boxes": BOXES["boxes"]}, "xyxy")


# -- masks -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_masks(alpha):
    colors = {0: (0, 0, 0), 1: (255, 0, 0), 2: (0, 0, 255)}
    out = vis.draw_segmentation_masks(IMAGES, MASKS, 3, colors, alpha)
    expected = IMAGES.copy()
    for label, color in colors.items():
        inside = MASKS[..., 0] == label
        expected[inside] = (1 - alpha) * IMAGES[inside] + alpha * np.array(color)
    assert out.dtype == np.uint8 and np.abs(out - expected).max() <= 1.001
    moved = vis.draw_segmentation_masks(first(IMAGES), first(MASKS), 3, colors, alpha, data_format="channels_first")
    np.testing.assert_array_equal(moved, out)


def test_masks_without_blending_and_with_the_palette():
    out = vis.draw_segmentation_masks(IMAGES, MASKS, blend=False)
    np.testing.assert_array_equal(out[MASKS[..., 0] == -1], IMAGES[MASKS[..., 0] == -1])
    assert [len(np.unique(out[MASKS[..., 0] == i], axis=0)) for i in range(3)] == [1, 1, 1]
    with pytest.raises(TypeError, match="integers"):
        vis.draw_segmentation_masks(IMAGES, MASKS.astype("float32"))
    with pytest.raises(ValueError, match="segmentation_masks"):
        vis.draw_segmentation_masks(IMAGES, MASKS[:, :5])


# -- galleries ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def shown(monkeypatch):
    """Titles and pictures of the figures that are shown."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    seen = []

    def show():
        axes = plt.gcf().axes
        seen.append([(a.get_title(), np.asarray(a.images[0].get_array())) for a in axes if a.images])

    monkeypatch.setattr(plt, "show", show)
    return seen


def test_gallery(shown, tmp_path):
    vis.plot_image_gallery(IMAGES, [0, 1, 2], [0, 0, 9], {0: "cat", 1: "dog", 2: "cow"})
    titles, pictures = zip(*shown[0])
    assert titles == ("Label: cat  Pred: cat", "Label: dog  Pred: cat", "Label: cow  Pred: Unknown")
    np.testing.assert_array_equal(np.stack(pictures), IMAGES.astype("uint8"))
    vis.plot_image_gallery(first(IMAGES), rows=1, cols=2, data_format="channels_first")
    assert len(shown[1]) == 2
    vis.plot_image_gallery(IMAGES[..., :1] / 255, value_range=(0, 1), path=tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 0 and len(shown) == 2


def test_gallery_of_boxes(shown):
    pytest.importorskip("PIL")
    vis.plot_bounding_box_gallery(IMAGES, "xyxy", BOXES, BOXES, class_mapping={1: "cat"}, legend=True)
    expected = vis.draw_bounding_boxes(IMAGES, BOXES, "xyxy", {1: "cat"}, (0, 188, 212), text_thickness=2)
    expected = vis.draw_bounding_boxes(expected, BOXES, "xyxy", {1: "cat"}, (255, 235, 59), text_thickness=2)
    np.testing.assert_array_equal(np.stack([p for _, p in shown[0]]), expected)
    vis.plot_bounding_box_gallery(first(IMAGES) / 255, "xyxy", value_range=(0, 1), data_format="channels_first")
    np.testing.assert_allclose(np.stack([p for _, p in shown[1]]), IMAGES.astype("uint8"), atol=1)


def test_gallery_of_masks(shown):
    vis.plot_segmentation_mask_gallery(IMAGES, 3, y_true=MASKS, y_pred=MASKS * 0)
    assert len(shown[0]) == 9
    drawn = vis.draw_segmentation_masks(IMAGES, MASKS, 3)
    np.testing.assert_allclose(np.stack([p for _, p in shown[0]][1::3]).astype(int), drawn, atol=1)


def test_bad_arguments_of_galleries():
    with pytest.raises(ValueError, match="either `path`"):
        vis.plot_image_gallery(IMAGES, path="a.png", show=True)
    with pytest.raises(ValueError, match="label_map"):
        vis.plot_image_gallery(IMAGES, y_true=[0, 1, 2])
    with pytest.raises(ValueError, match="images"):
        vis.plot_image_gallery(IMAGES[0])
    with pytest.raises(ValueError, match="legend"):
        vis.plot_bounding_box_gallery(IMAGES, "xyxy", legend=True, legend_handles=[1])

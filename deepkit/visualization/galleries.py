"""Images side by side in one figure."""

from __future__ import annotations

import math
from typing import Any, Sequence

import numpy as np

from .. import ops
from .drawing import batch_of_images, draw_bounding_boxes, draw_segmentation_masks


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("Galleries need matplotlib. Install it with: pip install deepkit[plot]") from None
    return plt


def plot_image_gallery(
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: dict[int, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: Sequence[float] = (0, 255),
    scale: float = 2,
    path: Any = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: float = 60,
    legend_handles: Any = None,
    data_format: str | None = None,
) -> None:
    """A figure of images in rows and columns, saved to a file or shown.

    Args:
        images: Batch of images.
        y_true: Label of each image, for its title.
        y_pred: Predicted label of each image, for its title.
        label_map: Names of the labels.
        rows: Number of rows; as many as columns, nearly, by default.
        cols: Number of columns.
        value_range: Values of black and of white.
        scale: Inches of a picture.
        path: File to save to.
        show: Show the figure; by default if there is no ``path``.
        transparent: Save without a background.
        dpi: Dots per inch of the file.
        legend_handles: Entries of a legend, as matplotlib takes them.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.

    Raises:
        ImportError: if matplotlib isn't installed.
        ValueError: for images of another rank, both ``path`` and ``show``, or labels without names.

    Example:
        >>> plot_image_gallery(np.zeros((4, 8, 8, 3)), path="gallery.png")  # doctest: +SKIP
    """
    if path is not None and show:
        raise ValueError("Pass either `path`, to save the gallery, or show=True.")
    if (y_true is not None or y_pred is not None) and label_map is None:
        raise ValueError("`y_true` and `y_pred` need a `label_map`: the names of the labels.")
    x = batch_of_images(images, data_format)
    plt = _pyplot()
    rows = rows or max(math.ceil(math.sqrt(len(x)) if cols is None else len(x) / cols), 1)
    cols = cols or max(math.ceil(len(x) / rows), 1)
    low, high = value_range
    x = np.clip((x.astype("float64") - low) * (255 / (high - low)), 0, 255).astype("uint8")
    figure, axes = plt.subplots(
        nrows=rows, ncols=cols, figsize=(cols * scale, rows * scale), frameon=False, layout="tight", squeeze=False,
        sharex="row", sharey="col",
    )  # fmt: skip
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center")
    for axis in axes.flat:
        axis.margins(x=0, y=0)
        axis.axis("off")
    titles = _titles(len(x), y_true, y_pred, label_map or {})
    for axis, picture, title in zip(axes.flat, x, titles):
        gray = picture.shape[-1] == 1
        axis.imshow(picture[..., 0] if gray else picture, **({"cmap": "gray", "vmin": 0, "vmax": 255} if gray else {}))
        if title:
            axis.set_title(title, fontsize=8)
    if path is not None:
        figure.savefig(path, pad_inches=0, bbox_inches="tight", transparent=transparent, dpi=dpi)
    elif show is None or show:
        plt.show()
    plt.close(figure)


def _titles(n: int, y_true: Any, y_pred: Any, names: dict[int, str]) -> list[str]:
    parts: list[list[str]] = [[] for _ in range(n)]
    for word, labels in (("Label", y_true), ("Pred", y_pred)):
        if labels is not None:
            for part, label in zip(parts, ops.convert_to_numpy(labels).ravel().tolist()):
                part.append(f"{word}: {names.get(label, 'Unknown')}")
    return ["  ".join(part) for part in parts]


def plot_bounding_box_gallery(
    images: Any,
    bounding_box_format: str,
    y_true: dict[str, Any] | None = None,
    y_pred: dict[str, Any] | None = None,
    value_range: Sequence[float] = (0, 255),
    true_color: Sequence[int] = (0, 188, 212),
    pred_color: Sequence[int] = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: dict[int, str] | None = None,
    ground_truth_mapping: dict[int, str] | None = None,
    prediction_mapping: dict[int, str] | None = None,
    legend: bool = False,
    legend_handles: Any = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """A figure of images with their boxes, true and predicted.

    Args:
        images: Batch of images.
        bounding_box_format: Format of the boxes.
        y_true: True boxes, as in :func:`draw_bounding_boxes`.
        y_pred: Predicted boxes.
        value_range: Values of black and of white.
        true_color: Color of the true boxes.
        pred_color: Color of the predicted boxes.
        line_thickness: Pixels.
        font_scale: Size of the letters.
        text_thickness: Pixels of the letters' strokes; those of the lines by default.
        class_mapping: Names of the labels.
        ground_truth_mapping: Names for the true boxes only.
        prediction_mapping: Names for the predicted boxes only.
        legend: Add a legend of the two colors.
        legend_handles: Entries of a legend instead.
        rows: Number of rows.
        cols: Number of columns.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.
        **kwargs: Further arguments of :func:`plot_image_gallery`.

    Raises:
        ImportError: if matplotlib or Pillow isn't installed.
        ValueError: for images of another rank, or both ``legend`` and ``legend_handles``.

    Example:
        >>> boxes = {"boxes": np.array([[[1, 1, 3, 3]]]), "labels": np.array([[0]])}
        >>> plot_bounding_box_gallery(np.zeros((1, 5, 5, 3)), "xyxy", boxes, path="boxes.png")  # doctest: +SKIP
    """
    if legend and legend_handles:
        raise ValueError("Pass either legend=True or `legend_handles`, not both.")
    x = batch_of_images(images, data_format)
    low, high = value_range
    x = np.clip((x.astype("float64") - low) * (255 / (high - low)), 0, 255).astype("uint8")
    for boxes, color, names in (
        (y_true, true_color, ground_truth_mapping or class_mapping),
        (y_pred, pred_color, prediction_mapping or class_mapping),
    ):
        if boxes is not None:
            x = draw_bounding_boxes(x, boxes, bounding_box_format, names, color, line_thickness,
                                    text_thickness or line_thickness, font_scale, "channels_last")  # fmt: skip
    if legend:
        _pyplot()
        from matplotlib.patches import Patch

        legend_handles = [
            Patch(color=[v / 255 for v in true_color], label="Ground Truth"),
            Patch(color=[v / 255 for v in pred_color], label="Prediction"),
        ]
    plot_image_gallery(x, legend_handles=legend_handles, rows=rows, cols=cols, data_format="channels_last", **kwargs)


def plot_segmentation_mask_gallery(
    images: Any,
    num_classes: int,
    value_range: Sequence[float] = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: Any = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """A figure with a row for each image: the image, its true mask and its predicted mask.

    Args:
        images: Batch of images.
        num_classes: Number of classes.
        value_range: Values of black and of white.
        y_true: True masks, as in :func:`draw_segmentation_masks`.
        y_pred: Predicted masks.
        color_mapping: Color of each class.
        blend: Whether to blend colors and pixels.
        alpha: Weight of the color.
        ignore_index: Class that is left as it is.
        data_format: ``"channels_last"`` or ``"channels_first"``; the configured one by default.
        **kwargs: Further arguments of :func:`plot_image_gallery`.

    Raises:
        ImportError: if matplotlib isn't installed.
        ValueError: for images of another rank.

    Example:
        >>> mask = np.zeros((1, 5, 5, 1), int)
        >>> plot_segmentation_mask_gallery(np.zeros((1, 5, 5, 3)), 2, y_true=mask, path="m.png")  # doctest: +SKIP
    """
    x = batch_of_images(images, data_format)
    low, high = value_range
    x = np.clip((x.astype("float64") - low) * (255 / (high - low)), 0, 255)
    columns = [x]
    for masks in (y_true, y_pred):
        if masks is not None:
            masks = batch_of_images(masks, data_format).astype("int32")
            columns.append(draw_segmentation_masks(x, masks, num_classes, color_mapping, alpha, blend, ignore_index,
                                                   "channels_last"))  # fmt: skip
    pictures = np.stack(columns, axis=1).reshape(-1, *x.shape[1:])
    plot_image_gallery(pictures, rows=len(x), cols=len(columns), data_format="channels_last", **kwargs)


__all__ = ["plot_bounding_box_gallery", "plot_image_gallery", "plot_segmentation_mask_gallery"]

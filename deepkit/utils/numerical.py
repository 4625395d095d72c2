"""``to_categorical`` and ``normalize``: small conversions of whole data sets, on the host."""

from __future__ import annotations

from typing import Any

import numpy as np


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Class numbers as one-hot rows: ``out[..., c] = 1`` where ``x[...] == c``, else 0.

    Args:
        x: Integers from 0 to ``num_classes - 1``, of any shape; a last axis of size 1 is dropped.
        num_classes: Number of classes; the largest number plus one by default.

    Returns:
        Array of shape ``x.shape + (num_classes,)`` and dtype float64; a tensor of dtype ``floatx()`` for a tensor.

    Raises:
        ValueError: for a class number out of range, a number that isn't whole, or no numbers and no ``num_classes``.

    Example:
        >>> to_categorical([0, 2, 1])
        array([[1., 0., 0.],
               [0., 0., 1.],
               [0., 1., 0.]])
    """
    tensor = hasattr(x, "node")
    values = np.asarray(x.numpy() if tensor else x)
    if values.dtype.kind not in "biu":
        try:
            whole = values.astype("int64")
            fits = bool(np.all(whole == values.astype("float64")))
        except (TypeError, ValueError):
            fits = False
        if not fits:
            raise ValueError(
                f"to_categorical: `x` should hold whole numbers, the classes. Received dtype {values.dtype}. "
                "Number the classes first, for instance with np.unique(x, return_inverse=True)[1]."
            )
        values = whole
    if values.ndim > 1 and values.shape[-1] == 1:
        values = values[..., 0]
    if num_classes is None:
        if not values.size:
            raise ValueError(
                "to_categorical: `x` is empty, so the number of classes must be given: num_classes=..."
            )
        num_classes = int(values.max()) + 1
    if values.size and (values.min() < 0 or values.max() >= num_classes):
        wrong = int(values.min() if values.min() < 0 else values.max())
        raise ValueError(
            f"to_categorical: class {wrong} is out of range for num_classes={num_classes}: 0 to {num_classes - 1}."
        )
    out = np.zeros((values.size, num_classes))
    out[np.arange(values.size), values.reshape(-1)] = 1.0
    out = out.reshape((*values.shape, num_classes))
    if tensor:
        from .. import config, ops

        return ops.convert_to_tensor(out, config.floatx())
    return out


def normalize(x: Any, axis: int = -1, order: int | float = 2) -> np.ndarray:
    """Scale the vectors along an axis to norm one: x / ‖x‖; vectors of zeros stay.

    Args:
        x: Numbers.
        axis: Axis of the vectors.
        order: Order of the norm, as in :func:`numpy.linalg.norm`.

    Example:
        >>> normalize([[3.0, 4.0], [0.0, 0.0]])
        array([[0.6, 0.8],
               [0. , 0. ]])
    """
    values = np.asarray(x)
    norm = np.linalg.norm(values, order, axis, keepdims=True)
    return values / np.where(norm == 0, 1, norm)


__all__ = ["normalize", "to_categorical"]

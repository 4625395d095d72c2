"""Batches ``(x, y, sample_weight)``, from parts and back."""

from __future__ import annotations

from typing import Any


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """A batch of the parts that there are.

    Args:
        x: Inputs.
        y: Targets.
        sample_weight: Weights of the samples.

    Returns:
        ``(x, y)`` or ``(x, y, sample_weight)``. Without targets, for which weights would mean nothing, ``x`` itself,
        or ``(x,)`` if it is a list or a tuple.

    Example:
        >>> pack_x_y_sample_weight(1), pack_x_y_sample_weight([1]), pack_x_y_sample_weight(1, 2)
        (1, ([1],), (1, 2))
    """
    if y is None:
        return (x,) if isinstance(x, (list, tuple)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """The three parts of a batch, with ``None`` for those that aren't there.

    Args:
        data: ``x``, ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``.

    Raises:
        ValueError: for another number of parts.

    Example:
        >>> unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if not isinstance(data, (list, tuple)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"Data should be (x,), (x, y) or (x, y, sample_weight). Received: {type(data).__name__} of length "
            f"{len(data)}."
        )
    parts = (*data, None, None)
    return parts[0], parts[1], parts[2]


__all__ = ["pack_x_y_sample_weight", "unpack_x_y_sample_weight"]

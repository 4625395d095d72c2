"""``keras.optimizers.legacy``: names that programs for Keras 2 use, with word of what to use instead."""

from __future__ import annotations

from typing import Any


class Optimizer:
    """An optimizer of Keras 2, which can't be made.

    Raises:
        ImportError: always, naming the optimizer to use.

    Example:
        >>> Adam(1e-3)
        Traceback (most recent call last):
            ...
        ImportError: keras.optimizers.legacy.Adam belongs to Keras 2. Use keras.optimizers.Adam.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        name = type(self).__name__
        raise ImportError(f"keras.optimizers.legacy.{name} belongs to Keras 2. Use keras.optimizers.{name}.")


class Adagrad(Optimizer):
    """See :class:`Optimizer`."""


class Adam(Optimizer):
    """See :class:`Optimizer`."""


class Ftrl(Optimizer):
    """See :class:`Optimizer`."""


class RMSprop(Optimizer):
    """See :class:`Optimizer`."""


class SGD(Optimizer):
    """See :class:`Optimizer`."""

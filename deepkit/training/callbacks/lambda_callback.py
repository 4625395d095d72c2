"""``LambdaCallback``: a callback made of functions."""

from __future__ import annotations

from typing import Callable

from ...utils.naming import close_matches
from .callback import Callback

_HOOKS = [name for name in vars(Callback) if name.startswith("on_")]


class LambdaCallback(Callback):
    """A callback whose hooks are functions passed by name.

    Args:
        on_epoch_begin: Called as ``f(epoch, logs)``.
        on_epoch_end: Called as ``f(epoch, logs)``.
        on_train_begin: Called as ``f(logs)``.
        on_train_end: Called as ``f(logs)``.
        on_train_batch_begin: Called as ``f(batch, logs=logs)``.
        on_train_batch_end: Called as ``f(batch, logs=logs)``.
        **kwargs: Functions for the other hooks of :class:`Callback`.

    Raises:
        ValueError: for a name that isn't a hook's.

    Example:
        >>> shout = LambdaCallback(on_epoch_end=lambda epoch, logs: print("epoch", epoch, "done"))
        >>> shout.on_epoch_end(3, {})
        epoch 3 done
    """

    def __init__(
        self,
        on_epoch_begin: Callable | None = None,
        on_epoch_end: Callable | None = None,
        on_train_begin: Callable | None = None,
        on_train_end: Callable | None = None,
        on_train_batch_begin: Callable | None = None,
        on_train_batch_end: Callable | None = None,
        **kwargs: Callable,
    ):
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for name, function in given.items():
            if name not in _HOOKS:
                raise ValueError(
                    f"LambdaCallback: callbacks have no hook {name!r}.{close_matches(name, _HOOKS)}"
                )
            if function is not None:
                setattr(self, name, function)

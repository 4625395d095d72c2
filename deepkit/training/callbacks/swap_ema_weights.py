"""``SwapEMAWeights``: evaluate with averaged weights, train on with the others."""

from __future__ import annotations

from typing import Any

from .callback import Callback


class SwapEMAWeights(Callback):
    """Puts the optimizer's moving average of the weights into the model for evaluations and predictions.

    The optimizer has to be made with ``use_ema=True``. The values are exchanged in place.

    Args:
        swap_on_epoch: Leave the averages in the model from the end of an epoch to the beginning of the next, so that
            callbacks further down the list, such as a :class:`ModelCheckpoint`, see them.

    Raises:
        ValueError: at the first exchange, for an optimizer without averages.

    Example:
        >>> averaged = SwapEMAWeights(swap_on_epoch=True)
    """

    resumed = ("_swapped",)

    def __init__(self, swap_on_epoch: bool = False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def _pairs(self) -> list[tuple[Any, Any]]:
        """The flat weights and their averages."""
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        if not getattr(optimizer, "use_ema", False):
            raise ValueError(
                "SwapEMAWeights needs an optimizer that averages weights: make it with use_ema=True."
            )
        if not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        optimizer.arena.rebind()
        return [
            (group.weights, mean)
            for group, mean in zip(optimizer.arena.groups, optimizer._slots["average"].flats)
        ]

    def _swap(self, averages_in: bool) -> None:
        if self._swapped == averages_in:
            return
        for weights, averages in self._pairs():
            held = weights.copy()
            weights[...] = averages
            averages[...] = held
        self._swapped = averages_in

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.swap_on_epoch:
            self._swap(False)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if not self.swap_on_epoch:
            return
        self._swap(True)
        if self.model.stop_training or (self.params and epoch == self.params["epochs"] - 1):
            # At the end of fit the optimizer puts the averages into the weights: there, too, they have to be averages.
            for weights, averages in self._pairs():
                averages[...] = weights

    def on_test_begin(self, logs: Any = None) -> None:
        self._swap(True)

    def on_test_end(self, logs: Any = None) -> None:
        self._swap(False)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._swap(True)

    def on_predict_end(self, logs: Any = None) -> None:
        self._swap(False)

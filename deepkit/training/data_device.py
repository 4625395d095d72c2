"""Training data on the device: all of it at once if it fits, else a batch ahead of the step.

Arrays that take no more than a quarter of the device's free memory are copied to it once, and each epoch's order is the
one that the host draws, copied once as well; batches are rows that a kernel gathers. Everything else (larger data,
generators, data sets that make their batches) comes batch by batch, while the device is busy with the one before.
"""

from __future__ import annotations

from typing import Any, Iterator

import numpy as np

from .. import backend
from ..utils.nest import flatten, pack
from .data_arrays import SparseRows
from .data_loaders import ArrayLoader, Batch

__all__ = ["StagedLoader", "on_device"]


def on_device(loader: Any) -> Any:
    """A loader with the same batches, which are on the device when they are asked for."""
    if len(backend.KERNELS) == 1:  # no other device has been asked for
        return loader
    k = backend.active()
    room = k.data_room()
    if room is None or isinstance(loader, StagedLoader):
        return loader
    if isinstance(loader, ArrayLoader):
        leaves = [leaf for leaf in flatten(loader.arrays) if leaf is not None]
        if not any(isinstance(leaf, SparseRows) or leaf.dtype.kind not in "biufcV" for leaf in leaves):
            if sum(leaf.nbytes for leaf in leaves) <= room:
                try:
                    loader.keep_on_device(k)
                    return loader
                except MemoryError:
                    pass  # the memory is in pieces: batches are smaller
    return StagedLoader(loader, k.stage())


class StagedLoader:
    """A loader whose batches are brought to the device one ahead.

    Args:
        loader: What makes the batches.
        stage: What brings them, from ``backend.cuda.staging``.
    """

    def __init__(self, loader: Any, stage: Any):
        self.loader, self.stage = loader, stage
        self._place: Any = None  # where the loader stood when the batch was made that is out

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def state(self) -> dict[str, Any]:
        """Where the batches that are out end; the loader itself is one ahead."""
        return self._place or self.loader.state()

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on where :meth:`state` was taken."""
        self._place = None
        self.loader.set_state(state)

    def __iter__(self) -> Iterator[Batch]:
        for _, batch in self.epoch():
            yield batch

    def epoch(self, n: int = 0) -> Iterator[tuple[int, Batch]]:
        """The batches of epoch ``n`` with their numbers, on the device."""
        batches = self.loader.epoch(n)
        ahead: Any = None
        failed: Exception | None = None
        try:
            while failed is None:
                try:
                    step, batch = next(batches)
                    coming: Any = (step, self._put(batch), self.loader.state())
                except StopIteration:
                    coming, failed = None, StopIteration()
                except Exception as error:  # the batch before it is trained on first
                    coming, failed = None, error
                if ahead is not None:
                    out, ahead = ahead, coming
                    self._place = out[2]
                    yield out[0], self._take(out[1])
                else:
                    ahead = coming
            if not isinstance(failed, StopIteration):
                raise failed
            self._place = None
        finally:
            if ahead is not None:  # its memory is free only when the copy into it is done
                self._take(ahead[1])
            batches.close()

    def _put(self, batch: Batch) -> Any:
        leaves = flatten(batch)
        places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biufcV"]
        try:
            return batch, leaves, places, self.stage.put([leaves[i] for i in places])
        except MemoryError:  # the step brings it itself, and can say what was too much
            return batch, leaves, places, None

    def _take(self, put: Any) -> Batch:
        batch, leaves, places, arrays = put
        if arrays is None:
            return batch
        leaves = list(leaves)
        for i, array in zip(places, self.stage.take(arrays)):
            leaves[i] = array
        return pack(batch, leaves)

"""When memory runs out in a step: the model goes back to where it was, and the error says what would fit."""

from __future__ import annotations

import traceback
from typing import Any

from .. import backend
from ..autograd.scopes import Journal
from ..autograd.tape import SESSION_BITS
from ..backend import replay
from ..memory import OutOfMemoryError, Stats, readable, stats
from ..optimizers.update import ArenaUpdate
from ..utils.nest import flatten
from .step import CustomTrainRunner, TrainRunner

__all__ = ["Guarded", "explained", "guarded", "not_made"]


class _StepJournal(Journal):
    """A journal of one step.

    What it holds are small variables: statistics of batches, random streams, metrics. Weights are written by the
    optimizer alone, when everything that needs memory is done.
    """

    def remembers(self) -> bool:
        return not replay.capturing()  # what a graph records isn't done yet


class Guarded:
    """A step that puts back what it had changed when it fails for want of memory.

    Args:
        run: The step, a :class:`~deepkit.training.step.Runner`.
    """

    def __init__(self, run: Any):
        self.run = run

    def __getattr__(self, name: str) -> Any:
        return getattr(self.run, name)

    def __call__(self, *batch: Any) -> Any:
        journal = _StepJournal()
        try:
            with journal:
                return self.run(*batch)
        except OutOfMemoryError:
            journal.restore()
            raise


def guarded(run: Any) -> Any:
    """A step that leaves the model as it was if memory runs out, on devices where a program lives on after that."""
    return Guarded(run) if len(backend.KERNELS) > 1 and backend.active().RUNS_OUT else run


def explained(run: Any, error: MemoryError, batch: Any) -> OutOfMemoryError:
    """The error for a step that failed for want of memory; what the step held is let go of.

    Args:
        run: The step.
        error: What it failed with.
        batch: Its arguments.
    """
    at_failure = stats()
    requested = backend.active().asked_for(error)
    updating = any(frame.f_code is ArenaUpdate.step_arena.__code__
                   for frame, _ in traceback.walk_tb(error.__traceback__))  # fmt: skip
    traceback.clear_frames(error.__traceback__)  # they hold the arrays of the step
    layer = _layer(run.model, error)
    rows = next((leaf.shape[0] for leaf in flatten(batch) if getattr(leaf, "shape", ())), None)
    gradient = hasattr(error, "op")
    trains = isinstance(run, (TrainRunner, CustomTrainRunner))
    fits, how = _estimate(rows, requested, at_failure, stats(), trains and not gradient)
    where = f"in layer {layer!r}" if layer else f"in model {run.model.name!r}"
    if gradient:  # of layers, only those with weights are on the tape
        behind = f", {where.replace('in', 'in or behind', 1)}" if layer else ""
        where = f"in the gradient of {error.op!r}{behind}"  # type: ignore[attr-defined]
    parts = [f"Out of memory {where}"]
    if requested is not None:
        parts[0] += f", which asked for {readable(requested)} ({requested:,} bytes)"
    parts[0] += f". {at_failure}."
    if rows is not None:
        parts.append(f"The batch has {rows} samples" + (f"; {how}." if how else "."))
    parts.append(_aftermath(run, updating))
    return OutOfMemoryError(" ".join(parts), layer, requested, at_failure, rows, fits)


def not_made(model: Any, error: MemoryError) -> OutOfMemoryError:
    """The error for weights, or an optimizer's state, that there was no room for."""
    if isinstance(error, OutOfMemoryError):
        return error
    at_failure, requested = stats(), backend.active().asked_for(error)
    traceback.clear_frames(error.__traceback__)
    layer = "/".join(getattr(error, "path", ())) or None
    what = f"for the weights of layer {layer!r}" if layer else f"for the optimizer of model {model.name!r}"
    asked = "" if requested is None else f", which asked for {readable(requested)} ({requested:,} bytes)"
    return OutOfMemoryError(
        f"Out of memory {what}{asked}. {at_failure}. Gradients and the state of Adam take three times the weights; SGD "
        "without momentum takes least. A smaller batch is no help: make layers smaller, or take a larger device.",
        layer, requested, at_failure,
    )  # fmt: skip


def _layer(model: Any, error: MemoryError) -> str | None:
    """Path of the layer that was called, or whose gradient was computed."""
    path, position = getattr(error, "path", ()), getattr(error, "position", None)
    if path:
        return "/".join(path if path[0] == model.name else (model.name, *path))
    if position is None:
        return None
    nodes = {v.node: v for v in model.trainable_variables if v.node}
    session = max(nodes, default=0) >> SESSION_BITS  # that of the step which failed
    met = [node for node in nodes if session << SESSION_BITS <= node <= (session << SESSION_BITS) + position]
    return nodes[max(met)].path.rpartition("/")[0] if met else None


def _aftermath(run: Any, updating: bool) -> str:
    if updating:
        return "The update of the weights had begun and isn't whole: load the last ones that were saved."
    if isinstance(run, CustomTrainRunner):
        return "What the model's own step did to its weights before stays done."
    if not backend.active().RUNS_OUT:
        return "The weights are as they were before the step."
    return "Weights, optimizer and metrics are as they were before the step."


def _estimate(
    rows: int | None, requested: int | None, then: Stats, now: Stats, forward: bool
) -> tuple[int | None, str]:
    """A batch size that may fit, and how it was found.

    Args:
        rows: Samples of the batch that didn't.
        requested: Bytes that couldn't be had.
        then: Memory when it failed.
        now: The same, when the step's arrays are gone.
        forward: Whether the gradients were still to come.
    """
    room = now.available
    if rows is None or requested is None or room is None or rows < 2:
        return None, ""
    taken = max(then.used - now.used, 0) + requested
    needed = taken * (3 if forward else 1)
    fits = min(rows * room // max(needed, 1), rows - 1)
    if fits < 1:
        return None, f"the step took {readable(taken)}, and in the {readable(room)} that are free not one sample fits"
    fits = 1 << (fits.bit_length() - 1)
    way_back = ", twice that for what was to come" if forward else ""
    return fits, (
        f"batch_size={fits} may fit: an estimate from the {readable(taken)} that the step had come to{way_back}, and "
        f"the {readable(room)} that are free without it, rounded down to a power of two"
    )

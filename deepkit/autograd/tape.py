"""Recording and differentiation: a flat list of records, and one loop backward over it.

While a :class:`GradientTape` is open, the thread has one :class:`Recorder`, shared by all tapes that are nested in
it. Every op that reads a watched tensor appends a record; the position in the list is the tensor's node number, so
creation order is topological order and the backward pass needs no sorting. A record names its inputs by number and
owns only the raw arrays that its gradient rule asked for; there are no references from tensors to records, hence
no cycles, and popping a record frees its buffers.
"""

from __future__ import annotations

import itertools
import threading
from typing import Any, Callable, Iterable, Iterator, Sequence

from .. import backend
from ..backend import KERNELS
from .tensor import Tensor

# A node number is a session number in the high bits and a position on that session's tape in the low ones: a tensor
# left over from an earlier session (or another thread's) is told from a current one by a range check.
SESSION_BITS = 40
_sessions = itertools.count(1)


class Recorder:
    """The tape of one recording session.

    Attributes:
        base: Node number of position 0.
        records: ``None`` for a leaf and for the leading outputs of an op with several, else the tuple
            ``(op, input positions, saved, number of outputs, tensors)``, where ``tensors`` is ``None`` or
            ``(inputs, outputs, params)``.
        keep: Whether records keep their input and output tensors, which gradients of gradients need.
    """

    __slots__ = ("base", "top", "records", "keep", "depth", "watch_variables", "variables")

    def __init__(self) -> None:
        self.base = next(_sessions) << SESSION_BITS
        self.top = self.base + (1 << SESSION_BITS)
        self.records: list[Any] = []
        self.keep = False
        self.depth = 0
        self.watch_variables = True
        self.variables: dict[int, Any] = {}

    def leaf(self, tensor: Tensor) -> int:
        """Give ``tensor`` a number of its own and return its position."""
        position = len(self.records)
        tensor.node = self.base + position
        self.records.append(None)
        return position

    def find(self, x: Any) -> int:
        """Position of an op's input, -1 if no gradient is wanted for it; a trainable variable is met and
        watched here."""
        try:
            node = x.node
        except AttributeError:  # a Python number
            return -1
        if self.base <= node < self.top:
            return node - self.base
        if self.watch_variables and getattr(x, "_trainable", False):
            self.variables[id(x)] = x
            return self.leaf(x)
        return -1

    def position(self, tensor: Tensor) -> int:
        """Position of a tensor on this tape, or -1 if it isn't on it."""
        node = tensor.node
        return node - self.base if self.base <= node < self.top else -1


class _Local(threading.local):
    recorder: Recorder | None = None
    shapes_only = False
    autocast = False  # whether variables of layers with mixed precision are seen in their compute dtype
    tapes: tuple = ()
    #: What is told before a variable is written to: a StatelessScope, or the like.
    stateless: Any = None


local = _Local()


class shapes_only:
    """Context in which calls on symbolic tensors give shapes, but leave no trace for functional models to be made of.

    Args:
        on: ``False`` switches an enclosing context off.
    """

    __slots__ = ("on", "saved")

    def __init__(self, on: bool = True):
        self.on = on

    def __enter__(self) -> None:
        self.saved = local.shapes_only
        local.shapes_only = self.on

    def __exit__(self, *exc: Any) -> None:
        local.shapes_only = self.saved


class autocasting:
    """Context of a call in mixed precision."""

    __slots__ = ("on", "saved")

    def __init__(self, on: bool = True):
        self.on = on

    def __enter__(self) -> None:
        self.saved = local.autocast
        local.autocast = self.on

    def __exit__(self, *exc: Any) -> None:
        local.autocast = self.saved


class paused:
    """Context in which nothing is recorded."""

    __slots__ = ("saved",)

    def __enter__(self) -> None:
        self.saved = local.recorder
        local.recorder = None

    def __exit__(self, *exc: Any) -> None:
        local.recorder = self.saved


def backward(
    records: list[Any],
    grads: list[Any],
    start: int = 0,
    wanted: list[bool] | None = None,
    into: dict[int, Any] | None = None,
    consume: bool = False,
) -> None:
    """Raw-array backward pass from the end of ``records`` down to ``start``, filling ``grads`` in place.

    Args:
        records: The tape.
        grads: A slot a position, the targets' gradients already in it.
        start: First position that belongs to the pass.
        wanted: Positions through which the sources can be reached; ``None`` means all.
        into: Destination arrays of leaf gradients by position. The first contribution is stored, later ones added.
        consume: Pop the records as the pass goes, which frees what they saved.
    """
    into = into or {}
    stored: set[int] = set()
    for i in range(len(records) - 1, start - 1, -1):
        record = records.pop() if consume else records[i]
        if record is None:
            continue
        op, inputs, saved, outputs, _ = record
        if outputs == 1:
            some = g = grads[i]
            if g is None:
                continue
            if consume:
                grads[i] = None
        else:
            g = tuple(grads[i - outputs + 1 : i + 1])
            some = next((part for part in g if part is not None), None)
            if some is None:
                continue
        needs: list[Any] = []
        for j in inputs:
            if j < 0 or (wanted is not None and not wanted[j]):
                needs.append(False)
            else:
                needs.append(into[j] if j in into and j not in stored else True)
        k = KERNELS.get(type(some)) or backend.kernels_of(some)
        try:
            for j, need, gi in zip(inputs, needs, op.backward(k, saved, g, needs)):
                if need is False or gi is None:
                    continue
                target = into.get(j)
                if target is None:
                    old = grads[j]
                    grads[j] = gi if old is None else k.total(old, gi)
                elif j in stored:
                    target += gi
                else:
                    stored.add(j)
                    grads[j] = target
                    if gi is not target:
                        target[...] = gi
        except MemoryError as error:
            error.op, error.position = op.name, i  # type: ignore[attr-defined]
            raise


def _differentiable_backward(
    records: Sequence[Any], grads: list[Any], stop: int, start: int, wanted: list[bool]
) -> None:
    """The same pass on Tensors, so that it can itself be recorded."""
    for i in range(stop - 1, start - 1, -1):
        record = records[i]
        if record is None:
            continue
        op, inputs, _, outputs, tensors = record
        g = grads[i] if outputs == 1 else tuple(grads[i - outputs + 1 : i + 1])
        if g is None or (outputs > 1 and all(part is None for part in g)):
            continue
        needs = [j >= 0 and wanted[j] for j in inputs]
        if tensors is None:
            raise RuntimeError(
                "A gradient of a gradient needs the inner computation recorded by a tape that is persistent or nested "
                "in the outer one."
            )
        for j, need, gi in zip(inputs, needs, op.tensor_gradients(*tensors[:2], g, needs, tensors[2])):
            if need and gi is not None:
                old = grads[j]
                grads[j] = gi if old is None else old + gi


def _flatten(tree: Any) -> Iterator[Any]:
    if isinstance(tree, dict):
        for key in sorted(tree):
            yield from _flatten(tree[key])
    elif isinstance(tree, (list, tuple)):
        for item in tree:
            yield from _flatten(item)
    else:
        yield tree


def _rebuild(tree: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(tree, dict):
        values = {key: _rebuild(tree[key], leaves) for key in sorted(tree)}
        return type(tree)((key, values[key]) for key in tree)
    if isinstance(tree, (list, tuple)):
        items = [_rebuild(item, leaves) for item in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    return next(leaves)


class GradientTape:
    """Records operations for automatic differentiation in reverse mode.

    Trainable variables are watched by themselves, other tensors after :meth:`watch`. Tapes nest: a tape's
    ``gradient`` called while an outer tape is open is itself recorded, which gives higher derivatives.

    Args:
        persistent: Keep the records after the first call of :meth:`gradient`.
        watch_accessed_variables: Watch trainable variables without being asked to.

    Example:
        >>> import deepkit
        >>> x = deepkit.ops.convert_to_tensor(3.0)
        >>> with deepkit.GradientTape() as outer:
        ...     outer.watch(x)
        ...     with deepkit.GradientTape() as inner:
        ...         inner.watch(x)
        ...         y = x * x * x
        ...     dy = inner.gradient(y, x)
        >>> float(dy), float(outer.gradient(dy, x))
        (27.0, 18.0)
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True):
        self.persistent = persistent
        self.watch_accessed_variables = watch_accessed_variables
        self._recorder: Recorder | None = None
        self._start = self._stop = 0
        self._open = False
        self._before: Any = None

    def __enter__(self) -> GradientTape:
        if self._open:
            raise RuntimeError("This tape is recording already; open another one to nest.")
        recorder = self._before = local.recorder
        if recorder is None:
            recorder = local.recorder = Recorder()
            recorder.watch_variables = self.watch_accessed_variables
        recorder.depth += 1
        if self.persistent or recorder.depth > 1:
            recorder.keep = True
            recorder.watch_variables |= self.watch_accessed_variables
        self._recorder, self._open = recorder, True
        self._start = len(recorder.records)
        return self

    def __exit__(self, *exc: Any) -> None:
        assert self._recorder is not None
        self._stop = len(self._recorder.records)
        self._open = False
        self._recorder.depth -= 1
        local.recorder = self._before
        self._before = None

    def watch(self, tensor: Any) -> None:
        """Record what is computed from ``tensor``, a tensor, a variable or a nest of them."""
        recorder = self._recorder
        if recorder is None or not self._open:
            raise RuntimeError("watch() works inside the tape's `with` block.")
        for x in _flatten(tensor):
            if not isinstance(x, Tensor):
                raise TypeError(
                    f"watch() takes tensors and variables, not {type(x).__name__}; use ops.convert_to_tensor."
                )
            if recorder.position(x) < 0:
                recorder.leaf(x)
                recorder.variables.setdefault(id(x), x)

    def watched_variables(self) -> tuple[Any, ...]:
        """The variables seen so far, in order of first use."""
        from .variable import Variable

        found = self._recorder.variables.values() if self._recorder else ()
        return tuple(v for v in found if isinstance(v, Variable))

    def stop_recording(self) -> paused:
        """Context in which nothing is recorded."""
        return paused()

    def reset(self) -> None:
        """Forget everything recorded so far."""
        if self._recorder is not None:
            self._start = len(self._recorder.records)

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: str = "none",
    ) -> Any:
        """Gradient of the sum of ``target`` with respect to ``sources``.

        Args:
            target: A tensor or a nest of tensors.
            sources: A tensor or variable, or a nest of them.
            output_gradients: What to start from, shaped like ``target``; ones by default.
            unconnected_gradients: ``"none"`` gives ``None`` for a source that ``target`` doesn't depend on,
                ``"zero"`` zeros.

        Returns:
            Tensors in the nest of ``sources``.

        Raises:
            RuntimeError: on a second call, unless the tape is persistent.
        """
        recorder = self._recorder
        if recorder is None:
            raise RuntimeError("The tape has recorded nothing, or was used up: gradient() can be called once unless "
                               "persistent=True.")  # fmt: skip
        if unconnected_gradients not in ("none", "zero"):
            raise ValueError(f"unconnected_gradients must be 'none' or 'zero', not {unconnected_gradients!r}.")
        stop = len(recorder.records) if self._open else self._stop
        start = self._start
        differentiable = local.recorder is recorder and recorder.keep
        leaves = list(_flatten(sources))
        positions = [recorder.position(x) if isinstance(x, Tensor) else -1 for x in leaves]
        wanted = _reachable(recorder.records, positions, start, stop)
        grads: list[Any] = [None] * stop
        targets = list(_flatten(target))
        seeds = list(_flatten(output_gradients)) if output_gradients is not None else [None] * len(targets)
        if len(seeds) != len(targets):
            raise ValueError(f"output_gradients has {len(seeds)} entries for {len(targets)} targets.")
        for x, seed in zip(targets, seeds):
            p = recorder.position(x) if isinstance(x, Tensor) else -1
            if not 0 <= p < stop:
                continue
            g = _seed(x, seed, differentiable)
            grads[p] = g if grads[p] is None else grads[p] + g
        found: list[Any]
        if differentiable:
            _differentiable_backward(recorder.records, grads, stop, start, wanted)
            found = [grads[p] if p >= 0 else None for p in positions]
        else:
            with paused():
                backward(recorder.records[:stop], grads, start, wanted)
            found = [_wrap(grads[p], x) if p >= 0 and grads[p] is not None else None for p, x in zip(positions, leaves)]
        if not self.persistent and not self._open:
            self._recorder = None
        if unconnected_gradients == "zero":
            found = [
                Tensor(backend.kernels_of(x.data).zeros_like(x.data)) if g is None and isinstance(x, Tensor) else g
                for g, x in zip(found, leaves)
            ]
        return _rebuild(sources, iter(found))


def _wrap(g: Any, source: Tensor) -> Tensor:
    """A raw gradient as a tensor; NumPy's arithmetic gives scalars for 0-d arrays, and leaves bfloat16."""
    dtype = source.data.dtype
    return Tensor(backend.kernels_of(g).asarray(g, dtype=dtype if dtype.kind == "V" else None))


def _reachable(records: Sequence[Any], sources: Iterable[int], start: int, stop: int) -> list[bool]:
    wanted = [False] * stop
    for p in sources:
        if 0 <= p < stop:
            wanted[p] = True
    for i in range(start, stop):
        record = records[i]
        if record is not None and any(j >= 0 and wanted[j] for j in record[1]):
            for o in range(record[3]):
                wanted[i - o] = True
    return wanted


def _seed(target: Tensor, seed: Any, differentiable: bool) -> Any:
    k = backend.kernels_of(target.data)
    if seed is None:
        seed = Tensor(k.ones_like(target.data))
    elif not isinstance(seed, Tensor):
        seed = Tensor(k.asarray(seed, dtype=target.data.dtype))
    return seed if differentiable else seed.data


def grad(fn: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The function that computes the gradient of a scalar-valued ``fn``; it can be differentiated again.

    Args:
        fn: Function of tensors with a scalar result.
        argnums: Position, or positions, of the arguments to differentiate with respect to.

    Example:
        >>> from deepkit import ops
        >>> float(grad(grad(ops.sin))(0.5)) == -float(ops.sin(0.5))
        True
    """

    def gradient(*args: Any, **kwargs: Any) -> Any:
        from .op import to_tensor

        picked = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        values = [to_tensor(a) if i in picked else a for i, a in enumerate(args)]
        with GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([values[i] for i in picked])
            y = fn(*values, **kwargs)
        found = tape.gradient(y, [values[i] for i in picked], unconnected_gradients="zero")
        return found[0] if isinstance(argnums, int) else tuple(found)

    return gradient

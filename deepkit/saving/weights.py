"""``.weights.h5``: the variables of a model, its layers, its optimizer, in Keras 3's layout."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Callable, Iterable, Iterator, Mapping

import numpy as np

from ..layers.layer import Layer
from ..metrics.metric import Metric
from ..optimizers.optimizer import Optimizer
from ..random import SeedGenerator
from ..utils.naming import to_snake_case
from . import hdf5

_CONTAINER = re.compile(r"container(_\d+)?").fullmatch
_SAVEABLE = (Layer, Metric, Optimizer, SeedGenerator)


def _children(obj: Any) -> Iterator[tuple[str, Any]]:
    """Attributes in the order and under the names of the file: ``layers`` first, then public by name, private last."""
    from ..models import Functional, Sequential

    chained = isinstance(obj, (Functional, Sequential))
    if chained:
        yield "layers", obj.layers
    skip = {"_layers", "_compiled", "_inbound_nodes", "_losses", "_own_weights", "_chain", "_stack", "_nodes", "_plan",
            "_steps", "metrics", "layers", "_auto_args"}  # fmt: skip
    for name in sorted(vars(obj), key=lambda n: ("~" + n if n.startswith("_") else n)):
        if name not in skip:
            yield name, vars(obj)[name]


def walk(obj: Any, path: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """Everything with variables of its own, with its path in the file; each object once."""
    seen = set() if seen is None else seen
    if id(obj) in seen:
        return
    seen.add(id(obj))
    yield path, obj
    for name, child in _children(obj) if isinstance(obj, Layer) else ():
        inner = f"{path}/{name}" if path else name
        if isinstance(child, _SAVEABLE):
            yield from walk(child, inner, seen)
        elif isinstance(child, (list, tuple, dict, set)):
            yield from _walk_container(child, inner, seen, set())


def _walk_container(items: Any, path: str, seen: set[int], containers: set[int]) -> Iterator[tuple[str, Any]]:
    if id(items) in containers:
        return
    containers.add(id(items))
    used: dict[str, int] = {}
    for item in list(items.values() if isinstance(items, dict) else items):
        saveable = isinstance(item, _SAVEABLE)
        if not saveable and not isinstance(item, (list, tuple, dict)):
            continue
        name = to_snake_case(type(item).__name__) if saveable else "container"
        n = used.get(name, 0)
        used[name] = n + 1
        inner = f"{path}/{name}_{n}" if n else f"{path}/{name}"
        yield from walk(item, inner, seen) if saveable else _walk_container(item, inner, seen, containers)


class Arrays(Mapping[str, np.ndarray]):
    """The variables of one object in a file, each read when it is asked for: a file may hold more than is wanted.

    Args:
        read: Reads a variable by its name.
        names: The names.
        sound_shape: The shape of a variable if reading it can't fail, else ``None``.
    """

    def __init__(
        self,
        read: Callable[[str], np.ndarray],
        names: Iterable[str],
        sound_shape: Callable[[str], tuple[int, ...] | None] = lambda name: None,
    ):
        self._read = read
        self.sound_shape = sound_shape
        self._names = dict.fromkeys(names)
        #: What reading one of them ended with.
        self.error: ValueError | None = None

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            raise KeyError(name)
        try:
            return self._read(name)
        except ValueError as error:
            self.error = error
            raise

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Source:
    """Where variables come from, by the path of the object that owns them."""

    def get(self, path: str) -> Arrays | None:
        """The variables of one object, ``None`` if the source knows nothing of it."""
        raise KeyError(path)

    def check(self) -> None:
        """Called once everything has been read, before it is kept."""


class H5Source(Source):
    """An open HDF5 file or group."""

    def __init__(self, file: Any):
        self._file = file

    def get(self, path: str) -> Arrays | None:
        group = hdf5.find_group(self._file, join(path, "vars"))
        if group is None:
            return None
        return Arrays(partial(hdf5.read_dataset, group), hdf5.names(group), partial(hdf5.sound_shape, group))


def join(*parts: str) -> str:
    """A path in the file from its parts, of which some may be empty."""
    return "/".join(filter(None, parts))


_OWN = tuple(kind.save_own_variables for kind in _SAVEABLE)


def states(model: Any, skip: Iterable[Any] = ()) -> Iterator[tuple[str, str, Arrays]]:
    """Path, name and variables of everything in a model but ``skip`` and what only that holds."""
    for path, obj in walk(model, seen={id(o) for o in skip}):
        name = getattr(obj, "name", type(obj).__name__)
        yield path, name, _state(obj)


def _state(obj: Any) -> Arrays:
    save = getattr(type(obj), "save_own_variables", None)
    if save in _OWN:  # one after the other: an optimizer's state is larger than the model
        variables = own_state(obj)
        return Arrays(lambda key: variables[int(key)].numpy(), map(str, range(len(variables))))
    store: dict[str, Any] = {}
    if save is not None:
        obj.save_own_variables(store)
    return Arrays(lambda key: np.asarray(store[key]), store)


def save_weights(model: Any, file: Any, skip: Iterable[Any] = ()) -> None:
    """Write the variables of a model into an open HDF5 file or group."""
    for path, name, arrays in states(model, skip):
        group = file.require_group(join(path, "vars"))
        group.attrs["name"] = name
        for key, values in arrays.items():
            hdf5.write_dataset(group, key, values)


def load_weights(
    model: Any,
    source: Source,
    skip_mismatch: bool = False,
    where: str = "the file",
    skip: Iterable[Any] = (),
    new: bool = False,
) -> None:
    """Give a model the variables of a source.

    An optimizer that hasn't been used yet is built for its state first; the state of another kind of optimizer is
    passed over with a warning. If the weights don't fit, the model stays as it was, unless it is ``new`` and given up
    then.

    Raises:
        ValueError: if a variable is missing or has another shape, unless ``skip_mismatch``.
    """
    optimizer = getattr(model, "optimizer", None)
    if isinstance(optimizer, Optimizer) and not optimizer.built and model.trainable_variables:
        optimizer.build(model.trainable_variables)
    from .direct import assignments

    planned = None if new else assignments(model, source, skip)
    if planned is not None:
        for v, arrays, name in planned:
            v.assign(arrays[name])
        return
    snapshots: list[tuple[Any, np.ndarray]] = []
    problems: list[str] = []
    passed_over: list[str] = []
    try:
        for path, obj in walk(model, seen={id(o) for o in skip}):
            if not hasattr(obj, "load_own_variables"):
                continue
            store = source.get(path)
            variables = own_state(obj)
            if store is None:
                if variables and not isinstance(obj, (Optimizer, SeedGenerator, Metric)):
                    # Keras before 3.15 left out what is in lists of lists; models of then still load.
                    nested = any(_CONTAINER(part) for part in path.split("/"))
                    (passed_over if nested else problems).append(f"{path or model.name}: {where} has nothing for it")
                continue
            if not new:
                snapshots += [(v, v.numpy()) for v in variables]
            try:
                obj.load_own_variables(store)
            except (ValueError, TypeError, LookupError) as error:
                if store.error is not None:  # the file is at fault, not that it is another model's
                    raise store.error from None
                (passed_over if isinstance(obj, Optimizer) else problems).append(str(error))
        source.check()
        if problems and not skip_mismatch:
            raise ValueError(f"{where} doesn't fit model {model.name!r}: " + "; ".join(problems[:5]))
    except Exception as error:
        for v, values in snapshots:
            v.assign(values)
        if isinstance(error, ValueError) and where not in str(error):
            raise ValueError(f"{where}: {error}") from error
        raise
    if problems or passed_over:
        import warnings

        passed_over += problems
        warnings.warn(f"{where}: {len(passed_over)} objects were skipped: " + "; ".join(passed_over[:5]), stacklevel=3)


def own_state(obj: Any) -> list[Any]:
    """The variables that an object saves as its own."""
    from ..layers.tracking import own_variables

    if isinstance(obj, Layer):
        return own_variables(obj)
    if isinstance(obj, SeedGenerator):
        return [obj.state]
    return list(obj.variables)

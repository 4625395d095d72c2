"""A process that does nothing but save is killed at random moments: every file must be one of the versions, whole.

Run as ``python -m tests.saving.kill_while_saving --kills 200``, on a system that can fork.

The process saves versions of a model in turn over the same names and says so before each save. The one that kills it
reads some of these lines and waits for a part of the time that a save has taken so far. What is true of the files must
be true at any moment, so that nothing here depends on the speed of the machine.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Callable

import numpy as np

import deepkit
from deepkit import layers

VERSIONS = 4
SHARD = 6_000 / 1024**3
#: What may lie about after a kill: files under hidden names, which are of no save.
LEFT = re.compile(r"\..*(\.part|\.new\d\.weights\.h5)")


def build(version: int) -> Any:
    """A model that differs from the other versions in every variable, and from every second one in its shapes."""
    model = deepkit.Sequential(
        [deepkit.Input((20,)), layers.Dense(30 + version % 2), layers.BatchNormalization(), layers.Dense(40)]
    )
    model.compile(deepkit.optimizers.Adam(0.5 + version), "mse")
    model.optimizer.build(model.trainable_variables)
    for i, v in enumerate(variables(model)):
        if v is not model.optimizer.variables[0]:
            v.assign(np.full(v.shape, 100 * version + i, "float32"))
    model.optimizer.variables[0].assign(version)
    return model


def variables(model: Any) -> list[Any]:
    return [*model.weights, *model.optimizer.variables]


def load_weights(path: Path) -> Any:
    """A model with what is in a file, of the shapes that are."""
    errors = []
    for version in (0, 1):
        model = build(version)
        try:
            model.load_weights(path)
            return model
        except ValueError as error:
            errors.append(str(error))
    raise ValueError(" / ".join(errors))


#: How each name is saved and loaded.
FILES: dict[str, tuple[Callable[[Any, Path], None], Callable[[Path], Any]]] = {
    "m.keras": (lambda model, path: model.save(path), deepkit.saving.load_model),
    "m.h5": (lambda model, path: model.save(path), deepkit.saving.load_model),
    "m.weights.h5": (lambda model, path: model.save_weights(path), load_weights),
    "m.safetensors": (lambda model, path: model.save_weights(path), load_weights),
    "s.weights.json": (lambda model, path: model.save_weights(path, max_shard_size=SHARD), load_weights),
}


def version_in(path: Path, states: list[list[np.ndarray]]) -> int:
    """Which version a file holds.

    Raises:
        ValueError: if it is none, or can't be loaded.
    """
    found = [v.numpy() for v in variables(FILES[path.name][1](path))]
    for version, state in enumerate(states):
        if len(state) == len(found) and all(map(np.array_equal, state, found)):
            return version
    raise ValueError(f"{path.name} is a mixture: {[float(np.ravel(x)[0]) for x in found]}")


def save_for_ever(folder: Path, models: list[Any], start: int, channel: int) -> None:
    """What the child does."""
    version = start
    while True:
        version = (version + 1) % len(models)
        for name, (save, _) in FILES.items():
            os.write(channel, b".")
            save(models[version], folder / name)


def kill_one(folder: Path, models: list[Any], start: int, draw: random.Random) -> None:
    """Start a child, let it save for a while and kill it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            save_for_ever(folder, models, start, writing)
        finally:
            os._exit(1)
    os.close(writing)
    try:
        saves = draw.randint(2, 2 * len(FILES))
        began = time.monotonic()
        for _ in range(saves):
            if not os.read(reading, 1):
                raise RuntimeError("The process that saves has failed.")
        time.sleep(draw.random() * 2 * (time.monotonic() - began) / saves)
    finally:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        os.close(reading)
    if os.WTERMSIG(status) != signal.SIGKILL:
        raise RuntimeError(f"The process that saves has ended with status {status}.")


def run(folder: Path, kills: int, seed: int = 0, tell: Callable[[str], None] = print) -> list[str]:
    """Kill so many times, and load every file after each; the errors."""
    draw = random.Random(seed)
    models = [build(version) for version in range(VERSIONS)]
    states = [[v.numpy() for v in variables(model)] for model in models]
    for name, (save, _) in FILES.items():
        save(models[0], folder / name)
    final = set(os.listdir(folder))
    errors: list[str] = []
    left: Counter[str] = Counter()
    torn = 0
    for n in range(1, kills + 1):
        kill_one(folder, models, draw.randrange(VERSIONS), draw)
        held = set()
        for name in FILES:
            try:
                held.add(version_in(folder / name, states))
            except (ValueError, OSError) as error:
                errors.append(f"kill {n}: {name}: {error}")
        torn += len(held) > 1
        for name in set(os.listdir(folder)) - final:
            if LEFT.fullmatch(name):
                left["shards" if ".new" in name else "temporary files"] += 1
                if name.endswith(".part"):
                    os.unlink(folder / name)
            elif not re.fullmatch(r"s_\d{5}\.weights\.h5", name):  # versions have different numbers of shards
                errors.append(f"kill {n}: {name} is left")
        if n % 50 == 0 or n == kills:
            tell(f"{n} kills, {torn} between the files of a version; left: {dict(left)}; errors: {len(errors)}")
    for name, (save, _) in FILES.items():
        save(models[0], folder / name)
    if set(os.listdir(folder)) != final:
        errors.append(f"after a save that isn't killed: {sorted(set(os.listdir(folder)) ^ final)}")
    return errors


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-flush", action="store_true", help="leave out what only power cuts can tell from a kill")
    arguments = parser.parse_args()
    if arguments.no_flush:
        os.fsync = lambda handle: None  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        errors = run(Path(folder), arguments.kills, arguments.seed)
    print(*errors, sep="\n", flush=True)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

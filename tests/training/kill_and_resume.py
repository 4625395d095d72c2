"""A training that is killed at random moments and started again until it is done, against one that ran through.

Run as ``python -m tests.training.kill_and_resume --kills 200``.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import deepkit as keras
from deepkit.random import global_seed_generator

SAMPLES = 40


class Batches(keras.utils.PyDataset):
    """The data in batches of 8."""

    def __init__(self, x: Any, y: Any):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self) -> int:
        return SAMPLES // 8

    def __getitem__(self, i: int) -> Any:
        return self.x[i * 8 : i * 8 + 8], self.y[i * 8 : i * 8 + 8]


def train(
    folder: Path, save_freq: Any = 1, epochs: int = 6, dataset: bool = False, extra: Any = (), delay: float = 0.0
) -> dict[str, np.ndarray]:
    """Train with everything that has a state and return all of that state at the end."""
    keras.utils.set_random_seed(7)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(SAMPLES, 5)).astype("float32")
    y = rng.normal(size=(SAMPLES, 1)).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.4),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.05), "mse", metrics=["mae"])
    folder.mkdir(exist_ok=True)
    log = folder / "log.csv"
    callbacks = [
        keras.callbacks.BackupAndRestore(folder / "backup", save_freq),
        keras.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=1),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
        keras.callbacks.CSVLogger(log),
        *extra,
    ]
    if delay:
        callbacks.append(keras.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: tell(delay)))
    data: dict[str, Any] = {"x": Batches(x, y)} if dataset else {"x": x, "y": y, "batch_size": 8}
    history = model.fit(**data, epochs=epochs, verbose=0, callbacks=callbacks, validation_data=(x[:10], y[:10]))
    out = {f"weight{i}": v.numpy() for i, v in enumerate(model.variables)}
    out.update({f"optimizer{i}": v.numpy() for i, v in enumerate(model.optimizer.variables)})
    out.update({f"history {name}": np.array(values) for name, values in history.history.items()})
    out["epochs"] = np.array(history.epoch)
    out["global generator"] = global_seed_generator().state.numpy()
    out["csv"] = np.frombuffer(log.read_bytes(), np.uint8)
    return out


def tell(delay: float) -> None:
    print("batch", flush=True)
    time.sleep(delay)


def differing(a: Any, b: Any) -> list[str]:
    """Names of the entries that aren't the same to the bit."""
    same = lambda name: a[name].dtype == b[name].dtype and a[name].tobytes() == b[name].tobytes()
    return [name for name in sorted({*a, *b}) if name not in a or name not in b or not same(name)]


def kill_and_resume(folder: Path, kills: int, seed: int = 0) -> tuple[int, list[str]]:
    """Kill the training ``kills`` times (at most 5), then let it end; the number of kills and what differs."""
    draw = random.Random(seed)
    result = folder / "result.npz"
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__, "--child", str(folder / "run")]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = 0
    while not result.exists():
        with subprocess.Popen([*command, "--result", str(result)], env=environment, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            if done < kills:
                for _ in range(draw.randint(1, 5)):  # batches; the run has 30
                    child.stdout.readline()
                time.sleep(draw.uniform(0, 0.03))  # somewhere in this batch or the next two
                child.send_signal(signal.SIGKILL)
                done += 1
            child.stdout.read()
        if child.returncode not in (0, -signal.SIGKILL):
            raise RuntimeError(f"The training failed with status {child.returncode}.")
    with np.load(result) as file:
        return done, differing(dict(file), train(folder / "whole"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--child")
    parser.add_argument("--result")
    arguments = parser.parse_args()
    if arguments.child:
        state = train(Path(arguments.child), delay=0.01)
        part = arguments.result + ".part.npz"
        np.savez(part, **state)
        os.replace(part, arguments.result)
        return 0
    total, wrong, rounds = 0, 0, 0
    while total < arguments.kills:
        with tempfile.TemporaryDirectory() as folder:
            n, names = kill_and_resume(Path(folder), min(5, arguments.kills - total), seed=rounds)
        total, rounds, wrong = total + n, rounds + 1, wrong + bool(names)
        print(f"round {rounds}: {n} kills, {total} in all; differing: {names or 'nothing'}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

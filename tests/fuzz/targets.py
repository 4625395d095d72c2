"""What is fuzzed: one function a loader, from bytes to whatever the loader makes of them.

A loader may raise ``ValueError``, ``TypeError`` or ``OSError``; anything else is a finding, and so are five seconds and
memory out of proportion.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import io
import os
import tempfile
import warnings
from typing import Any, Callable

import deepkit
from deepkit import layers
from deepkit.datasets.npz import load_idx, load_npz
from deepkit.datasets.plain_pickle import load_plain
from deepkit.saving.model_config import make_model
from deepkit.saving.safetensors import TensorFile
from deepkit.utils.archives import extract_archive
from deepkit.utils.config_text import read_config
from tests.fuzz.edits import edited

#: What a loader may raise.
REFUSALS = (ValueError, TypeError, OSError)

TARGETS: dict[str, Callable[[bytes], Any]] = {}


def target(function: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    TARGETS[function.__name__] = function
    return function


def run(name: str, data: bytes) -> bool:
    """Give one input to a loader.

    Returns:
        Whether it took it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            TARGETS[name](data)
        except REFUSALS:
            return False
        finally:
            deepkit.utils.clear_session()
        return True


@functools.cache
def folder() -> str:
    """A folder in memory, if there is one, that goes with the process."""
    held = tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    _held.append(held)
    return held.name


_held: list[Any] = []


def file(name: str, data: bytes) -> str:
    path = os.path.join(folder(), name)
    with open(path, "wb") as out:
        out.write(data)
    return path


def small_model() -> Any:
    """The model whose weights are read, the same as in the corpus."""
    made = deepkit.Sequential(
        [layers.Input((2,)), layers.Dense(2, name="first"), layers.BatchNormalization(name="second")]
    )
    made.compile("sgd", "mse")
    return made


@functools.cache
def model() -> Any:
    return small_model()


@target
def keras_file(data: bytes) -> None:
    deepkit.saving.load_model(file("x.keras", data))


@target
def h5_file(data: bytes) -> None:
    deepkit.saving.load_model(file("x.h5", data))


@target
def weights_h5(data: bytes) -> None:
    model().load_weights(file("x.weights.h5", data))


@target
def file_editor(data: bytes) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        deepkit.saving.KerasFileEditor(file("y.weights.h5", data)).summary()


@target
def safetensors(data: bytes) -> None:
    path = file("x.safetensors", data)
    with TensorFile(path) as found:
        for name in found.names():
            found.read(name)
    model().load_weights(path)


@target
def sharded_index(data: bytes) -> None:
    model().load_weights(file("x.weights.json", data))


@target
def config_text(data: bytes) -> None:
    make_model(read_config(data), None, True, "the configuration", len(data))


@target
def config_edits(data: bytes) -> None:
    make_model(edited(data), None, True, "the configuration", len(data))


@target
def npz(data: bytes) -> None:
    load_npz(file("x.npz", data), "x", ragged=True)


@target
def idx(data: bytes) -> None:
    load_idx(file("x.gz", gzip.compress(data, 1)))


@target
def plain_pickle(data: bytes) -> None:
    with open(file("x.pkl", data), "rb") as stream:
        load_plain(stream)


@target
def archive(data: bytes) -> None:
    with tempfile.TemporaryDirectory(dir=folder()) as into:
        extract_archive(file("x.tar", data), os.path.join(into, "out"))
        if os.listdir(into) not in ([], ["out"]):
            raise AssertionError(f"written outside of the folder: {os.listdir(into)}")

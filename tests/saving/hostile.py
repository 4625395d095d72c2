"""What the tests of hostile files share: a small model, files made from it, and a child process with limits."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Callable

import h5py

import deepkit
from deepkit import layers

#: What reading a file may take beyond the program itself.
MEMORY = 200 << 20
#: Seconds of processor time that it may take, the start of the program included.
SECONDS = 20

Members = dict[str, bytes]


def model() -> Any:
    """Two dense layers, compiled."""
    made = deepkit.Sequential(
        [layers.Input((4,)), layers.Dense(3, name="first"), layers.Dense(2, name="second")]
    )
    made.compile("adam", "mse")
    return made


def saved(folder: Path, name: str = "good.keras") -> Path:
    """The model in a file."""
    model().save(folder / name)
    return folder / name


def rewritten(good: Path, change: Callable[[Members], Any], packed: int = zipfile.ZIP_STORED) -> Path:
    """An archive beside ``good`` with its members changed."""
    with zipfile.ZipFile(good) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    target = good.with_name("bad.keras")
    with zipfile.ZipFile(target, "w", packed) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target


def with_config(good: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Path:
    """An archive whose configuration is changed."""
    return rewritten(
        good, lambda m: m.update({"config.json": json.dumps(change(json.loads(m["config.json"]))).encode()})
    )


def with_layer(entry: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Puts ``entry`` in the place of the first layer of a sequential configuration."""

    def change(config: dict[str, Any]) -> dict[str, Any]:
        config["config"]["layers"][1] = entry
        return config

    return change


def entry(module: str, name: str, config: Any = None, registered: Any = None) -> dict[str, Any]:
    """A configuration object."""
    inner = {} if config is None else config
    return {"module": module, "class_name": name, "config": inner, "registered_name": registered}


def unzipped(archive: Path) -> Path:
    """The files of an archive in a folder."""
    folder = archive.with_name("folder")
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    return folder


def as_h5(folder: Path, config: Any) -> Path:
    """A file in the layout of Keras 2 with the weights of the model and another configuration."""
    path = saved(folder, "bad.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = config if isinstance(config, str) else json.dumps(config)
    return path


_CHILD = """
import resource, sys
{setup}
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
for path in sys.argv[1:]:
    try:
        {code}
    except (ValueError, TypeError) as error:
        print("refused", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base, str(error)[:500])
    else:
        print("done")
"""


def refused_within_limits(code: str, *paths: Path, setup: str = "import deepkit, h5py, json, zipfile") -> str:
    """``code`` refuses each file and names it, in a process of its own with little memory and time.

    Args:
        code: A statement; the file is ``path``.
        paths: The files.
        setup: Statements before, which aren't measured.

    Returns:
        The messages, a line each.
    """
    program = _CHILD.format(setup=setup, code=code, seconds=SECONDS)
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, paths)], capture_output=True, text=True, timeout=60
    )
    lines = done.stdout.splitlines()
    assert len(lines) == len(paths), (done.returncode, done.stdout, done.stderr[-2000:])
    for line, path in zip(lines, paths):
        result, kilobytes, *_ = line.split()
        assert result == "refused" and path.name in line and int(kilobytes) * 1024 < MEMORY, line
    return done.stdout

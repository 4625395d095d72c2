"""Files that layers keep beside their variables, vocabularies for instance: ``assets/<path of the layer>/...``."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from .archive import Archive
from .weights import walk

#: The assets of one archive may have this many bytes together; more is refused.
MAX_BYTES = 8 << 30


def collect_assets(model: Any) -> dict[str, bytes]:
    """The files that the layers of a model write in ``save_assets(directory)``, by their name in the archive."""
    files = {}
    for path, obj in walk(model):
        if not hasattr(obj, "save_assets"):
            continue
        with tempfile.TemporaryDirectory() as directory:
            obj.save_assets(directory)
            for root, _, names in os.walk(directory):
                for name in names:
                    full = os.path.join(root, name)
                    inner = os.path.relpath(full, directory).replace(os.sep, "/")
                    with open(full, "rb") as file:
                        files["/".join(filter(None, ("assets", path, inner)))] = file.read()
    return files


def restore_assets(model: Any, archive: Archive) -> None:
    """Give the layers of a model their files back, in ``load_assets(directory)``.

    Only members under a layer's own path are unpacked, into a directory that is gone afterwards.

    Raises:
        ValueError: for names that lead out of the directory, and too many bytes.
    """
    names = [name for name in archive.names() if name.startswith("assets/") and not name.endswith("/")]
    if not names:
        return
    for name in names:
        parts = name.split("/")
        if "\\" in name or ":" in name or "\0" in name or any(part in ("", ".", "..") for part in parts):
            raise ValueError(f"{archive.name} has an asset named {name!r}, which is refused.")
    if sum(map(archive.size, names)) > MAX_BYTES:
        raise ValueError(f"{archive.name} has assets of more than {MAX_BYTES} bytes, which is refused.")
    for path, obj in walk(model):
        if not hasattr(obj, "load_assets"):
            continue
        prefix = f"assets/{path}/" if path else "assets/"
        with tempfile.TemporaryDirectory() as directory:
            for name in names:
                if name.startswith(prefix):
                    target = os.path.join(directory, *name[len(prefix) :].split("/"))
                    os.makedirs(os.path.dirname(target), exist_ok=True)
                    with open(target, "wb") as file:
                        file.write(archive.read(name))
            obj.load_assets(directory)

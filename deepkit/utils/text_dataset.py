"""Text files as a data set."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from .directory import dataset_from_directory


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Batches of the texts in a directory, whose subdirectories are the classes.

    Files end with ``.txt`` and are in UTF-8. A :class:`~deepkit.layers.TextVectorization` layer takes the batches; it
    learns its vocabulary with ``layer.adapt(x for x, y in dataset)``.

    Args:
        directory: The directory.
        labels: ``"inferred"`` from the subdirectories, ``None``, or a list of integers for the sorted files.
        label_mode: ``"int"``, ``"binary"`` (float32 of shape (batch, 1)), ``"categorical"`` (one-hot) or ``None``.
        class_names: Subdirectories in the order of their labels.
        batch_size: Texts a batch; ``None`` for texts one by one.
        max_length: Characters to which texts are cut.
        shuffle: Shuffle the files, and anew for each epoch; otherwise they are sorted.
        seed: Seed of the shuffle.
        validation_split: Share of the files, from the end, to validate on.
        subset: ``"training"``, ``"validation"``, or ``"both"`` for a pair.
        follow_links: Look into linked directories.
        format: ``"tf"`` or ``"grain"``, accepted for compatibility.
        verbose: Print the number of files.

    Returns:
        A :class:`~deepkit.utils.PyDataset` of object arrays (batch,) of strings, with labels if there are any, and its
        ``class_names``; or a pair of them.

    Raises:
        ValueError: for arguments that don't fit together, or no files.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     for kind in ("bad", "good"):
        ...         (pathlib.Path(directory) / kind).mkdir()
        ...         _ = (pathlib.Path(directory) / kind / "1.txt").write_text(f"a {kind} film")
        ...     dataset = text_dataset_from_directory(directory, shuffle=False, verbose=False)
        ...     dataset[0]
        (array(['a bad film', 'a good film'], dtype=object), array([0, 1], dtype=int32))
    """
    if format not in ("tf", "grain"):
        raise ValueError(f"`format` should be 'tf' or 'grain'. Received: format={format!r}")
    if max_length is not None and (not isinstance(max_length, int) or max_length < 0):
        raise ValueError(f"`max_length` should be a number of characters. Received: max_length={max_length!r}")

    def read(paths: list[str]) -> np.ndarray:
        texts = np.empty(len(paths), object)
        for i, path in enumerate(paths):
            with open(path, encoding="utf-8", errors="replace", newline="") as file:
                texts[i] = file.read(-1 if max_length is None else max_length)
        return texts

    return dataset_from_directory(
        directory, read, (".txt",), labels=labels, label_mode=label_mode, class_names=class_names,
        batch_size=batch_size, shuffle=shuffle, seed=seed, validation_split=validation_split, subset=subset,
        follow_links=follow_links, verbose=verbose,
    )  # fmt: skip


__all__ = ["text_dataset_from_directory"]

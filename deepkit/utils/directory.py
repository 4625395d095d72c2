"""Files of a directory as labelled samples: one subdirectory a class."""

from __future__ import annotations

import os
from typing import Any, Callable, Sequence

import numpy as np

from .progbar import print_message
from .py_dataset import PyDataset


def index_directory(
    directory: Any,
    labels: Any,
    formats: Sequence[str],
    class_names: Sequence[str] | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> tuple[list[str], np.ndarray | None, list[str] | None]:
    """Paths of the files in a directory, with their labels.

    Args:
        directory: The directory.
        labels: ``"inferred"`` for the index of the subdirectory a file is in, ``None`` for no labels, or a list of
            integers, one for each file in the order of their paths.
        formats: Endings of file names, such as ``".wav"``; others are passed over.
        class_names: Subdirectories to use, in the order of their labels; all, sorted, by default.
        shuffle: Whether to shuffle the files.
        seed: Seed of the shuffle; one seed gives the order that Keras gives.
        follow_links: Whether to look into linked directories.
        verbose: Print the number of files and classes.

    Returns:
        Paths, labels (int32) or ``None``, and names of the classes or ``None``.

    Raises:
        ValueError: for unknown class names, or a wrong number of labels.
    """
    directory = os.fspath(directory)
    if labels == "inferred":
        found = sorted(e.name for e in os.scandir(directory) if e.is_dir() and not e.name.startswith("."))
        if class_names is not None and not set(class_names) <= set(found):
            raise ValueError(f"`class_names` should be names of the subdirectories {found}. Received: {class_names}")
        names = list(class_names) if class_names is not None else found
        roots = [os.path.join(directory, name) for name in names]
    else:
        if class_names is not None:
            raise ValueError('`class_names` goes with labels="inferred" only.')
        names, roots = [], [directory]
    paths: list[str] = []
    indices: list[int] = []
    for i, root in enumerate(roots):
        inside = list(_files(root, tuple(formats), follow_links))
        paths += inside
        indices += [i] * len(inside)
    values: np.ndarray | None = None
    if labels == "inferred":
        values = np.array(indices, np.int32)
    elif labels is not None:
        if len(labels) != len(paths):
            raise ValueError(f"`labels` has {len(labels)} entries, but {directory!r} has {len(paths)} files.")
        values = np.array(labels, np.int32)
        names = [str(label) for label in sorted(set(labels))]
    if verbose:
        print_message(f"Found {len(paths)} files" + ("." if values is None else f" belonging to {len(names)} classes."))
    if shuffle:
        order = np.arange(len(paths))
        np.random.RandomState(np.random.randint(10**6) if seed is None else seed).shuffle(order)
        paths = [paths[i] for i in order]
        values = None if values is None else values[order]
    return paths, values, None if labels is None else names


def _files(root: str, formats: tuple[str, ...], follow_links: bool) -> Any:
    for folder, _, files in sorted(os.walk(root, followlinks=follow_links), key=lambda entry: entry[0]):
        yield from (os.path.join(folder, name) for name in sorted(files) if name.lower().endswith(formats))


def check_split(validation_split: float | None, subset: str | None, shuffle: bool, seed: int | None) -> None:
    """Check the arguments that choose a part of the files.

    Raises:
        ValueError: if one is out of range or comes without the other, or the order is random without a seed.
    """
    if validation_split and not 0 < validation_split < 1:
        raise ValueError(f"`validation_split` should be between 0 and 1. Received: {validation_split}")
    if subset not in ("training", "validation", "both", None):
        raise ValueError(f"`subset` should be 'training', 'validation' or 'both'. Received: subset={subset!r}")
    if bool(validation_split) != bool(subset):
        raise ValueError("`validation_split` and `subset` go together: pass both or neither.")
    if validation_split and shuffle and seed is None:
        raise ValueError(
            "With `validation_split` and shuffle=True pass a `seed`, so that the files of training and validation "
            "don't overlap."
        )


def check_labels(labels: Any, label_mode: Any, class_names: Any) -> None:
    """Check the arguments that say what the labels are.

    Raises:
        ValueError: for an unknown kind of labels, or class names beside explicit labels.
    """
    if labels is not None and labels != "inferred":
        if not isinstance(labels, (list, tuple)):
            raise ValueError(f"`labels` should be 'inferred', None or a list of integers. Received: {labels!r}")
        if class_names:
            raise ValueError('`class_names` goes with labels="inferred" only.')
    if label_mode not in ("int", "categorical", "binary", None):
        raise ValueError(
            f"`label_mode` should be 'int', 'categorical', 'binary' or None. Received: label_mode={label_mode!r}"
        )


def encode_labels(labels: np.ndarray, label_mode: str, classes: int) -> np.ndarray:
    """Integer labels in the form of a ``label_mode``.

    Returns:
        int32 (n,) for ``"int"``, float32 (n, 1) for ``"binary"``, float32 (n, classes) for ``"categorical"``.

    Example:
        >>> encode_labels(np.array([1, 0]), "categorical", 2).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    if label_mode == "int":
        return labels.astype(np.int32)
    if label_mode == "binary":
        return labels.astype(np.float32)[:, None]
    return (labels[:, None] == np.arange(classes)).astype(np.float32)


class FileDataset(PyDataset):
    """Batches of files, read when they are asked for.

    Args:
        paths: Paths of the files.
        labels: Encoded labels, one a file, or ``None``.
        read: Gives the batch for a list of paths.
        batch_size: Files a batch; ``None`` to give them one by one.
        class_names: Names of the classes.
        rng: Generator that draws a new order of the files for each epoch, or ``None`` to keep it.
    """

    def __init__(
        self,
        paths: Sequence[str],
        labels: np.ndarray | None,
        read: Callable[[list[str]], Any],
        batch_size: int | None = 32,
        class_names: Sequence[str] | None = None,
        rng: np.random.Generator | None = None,
    ):
        super().__init__()
        self.file_paths, self.class_names = list(paths), class_names
        self._labels, self._read, self._batch_size, self._rng = labels, read, batch_size, rng
        self._order = np.arange(len(self.file_paths))

    def on_epoch_begin(self) -> None:
        """Shuffle the files, if they are to be shuffled."""
        if self._rng is not None:
            self._order = self._rng.permutation(self._order)

    def __len__(self) -> int:
        size = self._batch_size or 1
        return (len(self.file_paths) + size - 1) // size

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"Batch {index} of {len(self)}.")
        size = self._batch_size or 1
        rows = self._order[index * size : (index + 1) * size]
        x = self._read([self.file_paths[i] for i in rows])
        y = None if self._labels is None else self._labels[rows]
        if self._batch_size is None:
            x, y = x[0], None if y is None else y[0]
        return x if y is None else (x, y)

    def __iter__(self) -> Any:
        self.on_epoch_begin()
        return super().__iter__()


def dataset_from_directory(
    directory: Any,
    read: Callable[[list[str]], Any],
    formats: Sequence[str],
    *,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """One :class:`FileDataset`, or two for ``subset="both"``; the arguments are those of the public functions.

    Raises:
        ValueError: for arguments that don't fit together, or a directory without files.
    """
    check_labels(labels, label_mode, class_names)
    check_split(validation_split, subset, shuffle, seed)
    if labels is None or label_mode is None:
        labels = label_mode = None
    if seed is None:
        seed = int(np.random.randint(10**6))
    paths, values, names = index_directory(
        directory, labels, formats, class_names, shuffle, seed, follow_links, verbose
    )
    if label_mode == "binary" and len(names or ()) != 2:
        raise ValueError(f'label_mode="binary" needs exactly 2 classes. Received: class_names={names}')
    encoded = None if values is None or label_mode is None else encode_labels(values, label_mode, len(names or ()))
    held_out = int((validation_split or 0) * len(paths))
    border = len(paths) - held_out
    parts = []
    for part in ("training", "validation") if subset == "both" else (subset,):
        rows = slice(0, border) if part == "training" else slice(border if part else 0, len(paths))
        chosen = paths[rows]
        if not chosen:
            raise ValueError(f"No {part + ' ' if part else ''}files in {os.fspath(directory)!r} end with one of "
                             f"{', '.join(formats)}.")  # fmt: skip
        if part and verbose:
            print_message(f"Using {len(chosen)} files for {part}.")
        reshuffled = shuffle and not (subset == "both" and part == "validation")
        parts.append(FileDataset(
            chosen, None if encoded is None else encoded[rows], read, batch_size, names,
            np.random.default_rng(seed) if reshuffled else None,
        ))  # fmt: skip
    return parts[0] if len(parts) == 1 else tuple(parts)


__all__ = [
    "FileDataset", "check_labels", "check_split", "dataset_from_directory", "encode_labels", "index_directory",
]  # fmt: skip

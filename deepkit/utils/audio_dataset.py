"""Sounds in WAV files as a data set."""

from __future__ import annotations

import wave
from typing import Any, Sequence

import numpy as np

from .directory import dataset_from_directory


def read_wav(path: Any) -> tuple[np.ndarray, int]:
    """The samples of a WAV file of 16-bit PCM.

    Args:
        path: The file.

    Returns:
        float32 array (samples, channels) of values in [-1, 1), and the number of samples a second.

    Raises:
        ValueError: for another format.
    """
    try:
        with wave.open(str(path), "rb") as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            raw = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path} is no WAV file of uncompressed PCM: {error}.") from error
    if width != 2:
        raise ValueError(f"{path} has {8 * width} bits a sample; only 16-bit PCM is read. Convert the file.")
    raw = raw[: len(raw) // (2 * channels) * 2 * channels]
    return np.frombuffer(raw, "<i2").reshape(-1, channels) / np.float32(32768), rate


def audio_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """Batches of the sounds in a directory, whose subdirectories are the classes.

    Files are WAV with 16-bit PCM. Sounds are padded with zeros to the longest of their batch, or to
    ``output_sequence_length``, to which longer ones are cut.

    Args:
        directory: The directory.
        labels: ``"inferred"`` from the subdirectories, ``None``, or a list of integers for the sorted files.
        label_mode: ``"int"``, ``"binary"`` (float32 of shape (batch, 1)), ``"categorical"`` (one-hot) or ``None``.
        class_names: Subdirectories in the order of their labels.
        batch_size: Sounds a batch; ``None`` for sounds one by one.
        sampling_rate: Samples a second to which sounds are resampled, by linear interpolation.
        output_sequence_length: Samples of each sound.
        ragged: Give a list of arrays of their own lengths in place of a padded batch.
        shuffle: Shuffle the files, and anew for each epoch; otherwise they are sorted.
        seed: Seed of the shuffle.
        validation_split: Share of the files, from the end, to validate on.
        subset: ``"training"``, ``"validation"``, or ``"both"`` for a pair.
        follow_links: Look into linked directories.
        verbose: Print the number of files.

    Returns:
        A :class:`~deepkit.utils.PyDataset` of float32 batches (batch, samples, channels), with labels if there are
        any, and its ``class_names``; or a pair of them.

    Raises:
        ValueError: for arguments that don't fit together, no files, or a file in another format.
    """
    if ragged and output_sequence_length is not None:
        raise ValueError("Pass either ragged=True or `output_sequence_length`, not both.")
    for name, value in (("sampling_rate", sampling_rate), ("output_sequence_length", output_sequence_length)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(f"`{name}` should be a positive integer. Received: {name}={value!r}")

    def read(paths: list[str]) -> Any:
        sounds = [_resampled(*read_wav(path), sampling_rate) for path in paths]
        return sounds if ragged else _padded(sounds, output_sequence_length)

    return dataset_from_directory(
        directory, read, (".wav",), labels=labels, label_mode=label_mode, class_names=class_names,
        batch_size=batch_size, shuffle=shuffle, seed=seed, validation_split=validation_split, subset=subset,
        follow_links=follow_links, verbose=verbose,
    )  # fmt: skip


def _resampled(sound: np.ndarray, rate: int, wanted: int | None) -> np.ndarray:
    if wanted is None or wanted == rate or not len(sound):
        return sound
    n = max(round(len(sound) * wanted / rate), 1)
    at = np.arange(n) * (rate / wanted)
    old = np.arange(len(sound))
    return np.stack([np.interp(at, old, channel) for channel in sound.T], axis=-1).astype(np.float32)


def _padded(sounds: list[np.ndarray], length: int | None) -> np.ndarray:
    if len({s.shape[1] for s in sounds}) > 1:
        raise ValueError("The sounds of a batch should have the same number of channels.")
    out = np.zeros((len(sounds), length or max(map(len, sounds)), sounds[0].shape[1]), np.float32)
    for row, sound in zip(out, sounds):
        row[: len(sound)] = sound[: len(row)]
    return out


__all__ = ["audio_dataset_from_directory", "read_wav"]

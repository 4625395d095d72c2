"""Sounds and other files of a directory as a data set."""

from __future__ import annotations

import wave

import numpy as np
import pytest

from deepkit.utils import audio_dataset_from_directory
from deepkit.utils.audio_dataset import read_wav
from deepkit.utils.directory import index_directory


def write(path, samples, rate=8000, width=2):
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.atleast_2d(np.asarray(samples).T).T
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples.astype(f"<i{width}" if width > 1 else "u1").tobytes())


@pytest.fixture
def sounds(tmp_path):
    for i in range(4):
        write(tmp_path / "cat" / f"{i}.wav", [16384] * (i + 1))
        write(tmp_path / "dog" / f"{i}.wav", [-32768] * 2)
    (tmp_path / "dog" / "notes.txt").write_text("no sound")
    (tmp_path / ".hidden").mkdir()
    return tmp_path


def load(directory, **kwargs):
    return audio_dataset_from_directory(directory, **{"shuffle": False, "verbose": False, **kwargs})


def test_batches(sounds):
    data = load(sounds, batch_size=3)
    assert data.class_names == ["cat", "dog"] and len(data) == 3
    x, y = data[0]
    assert x.dtype == np.float32 and x[..., 0].tolist() == [[0.5, 0, 0], [0.5, 0.5, 0], [0.5, 0.5, 0.5]]
    assert y.dtype == np.int32 and y.tolist() == [0, 0, 0] and data[2][1].tolist() == [1, 1]


@pytest.mark.parametrize("mode, expected, dtype", [
    ("int", [0, 1], "int32"), ("binary", [[0], [1]], "float32"), ("categorical", [[1, 0], [0, 1]], "float32"),
])  # fmt: skip
def test_label_modes(sounds, mode, expected, dtype):
    y = np.concatenate([y for _, y in load(sounds, label_mode=mode)])[[0, -1]]
    assert y.tolist() == expected and y.dtype == dtype


def test_no_labels_and_given_labels(sounds):
    assert isinstance(load(sounds, labels=None)[0], np.ndarray)
    assert load(sounds, label_mode=None).class_names is None
    data = load(sounds, labels=[3, 1, 2, 3, 1, 1, 1, 1])
    assert data.class_names == ["1", "2", "3"] and data[0][1][:3].tolist() == [3, 1, 2]


def test_lengths(sounds):
    assert load(sounds, output_sequence_length=2)[0][0].shape == (8, 2, 1)
    assert [len(s) for s in load(sounds, ragged=True)[0][0]] == [1, 2, 3, 4, 2, 2, 2, 2]
    x, y = load(sounds, batch_size=None)[3]
    assert x.shape == (4, 1) and y == 0


def test_resampling(tmp_path):
    write(tmp_path / "a.wav", np.arange(10) * 1000, rate=4000)
    data = load(tmp_path, labels=None, sampling_rate=8000)[0][0, :, 0] * 32768
    assert len(data) == 20 and np.allclose(data[:19], np.arange(19) * 500, atol=1e-2)


def test_channels(tmp_path):
    write(tmp_path / "a.wav", np.array([[1, 2], [3, 4], [5, 6]]))
    samples, rate = read_wav(tmp_path / "a.wav")
    assert rate == 8000 and (samples * 32768).tolist() == [[1, 2], [3, 4], [5, 6]]
    write(tmp_path / "b.wav", [1, 2])
    with pytest.raises(ValueError, match="same number of channels"):
        load(tmp_path, labels=None)[0]


def test_subsets(sounds):
    both = load(sounds, validation_split=0.25, subset="both", shuffle=True, seed=1)
    alone = [load(sounds, validation_split=0.25, subset=s, shuffle=True, seed=1) for s in ("training", "validation")]
    assert [d.file_paths for d in both] == [d.file_paths for d in alone]
    assert [len(d.file_paths) for d in both] == [6, 2] and not set(both[0].file_paths) & set(both[1].file_paths)


def test_shuffled_files_keep_their_labels(sounds):
    data = load(sounds, shuffle=True, seed=1, batch_size=8)
    orders = [y.tolist() for _, y in data] + [y.tolist() for _, y in data]
    assert orders[0] != orders[1] and sorted(orders[0]) == [0] * 4 + [1] * 4
    for x, y in data:
        assert ((x[:, 0, 0] < 0) == y).all()


def test_the_order_of_a_seed_is_that_of_keras(sounds):
    paths, labels, _ = index_directory(sounds, "inferred", (".wav",), seed=5, verbose=False)
    names = [f"{c}/{i}.wav" for c in ("cat", "dog") for i in range(4)]
    np.random.RandomState(5).shuffle(names)
    assert [p[len(str(sounds)) + 1 :] for p in paths] == names and labels.tolist() == ["dog" in n for n in names]


def test_what_is_printed(sounds, capsys):
    load(sounds, verbose=True, validation_split=0.25, subset="training")
    assert capsys.readouterr().out == "Found 8 files belonging to 2 classes.\nUsing 6 files for training.\n"
    load(sounds, verbose=True, labels=None)
    assert capsys.readouterr().out == "Found 8 files.\n"


@pytest.mark.parametrize("kwargs, message", [
    ({"labels": 3}, "labels"), ({"label_mode": "x"}, "label_mode"), ({"labels": [1]}, "1 entries"),
    ({"class_names": ["cow"]}, "class_names"), ({"labels": None, "class_names": ["cat"]}, "class_names"),
    ({"validation_split": 2.0, "subset": "both"}, "between 0 and 1"), ({"subset": "training"}, "go together"),
    ({"validation_split": 0.5}, "go together"), ({"validation_split": 0.5, "subset": "test"}, "subset"),
    ({"validation_split": 0.5, "subset": "both", "shuffle": True}, "seed"), ({"ragged": True,
     "output_sequence_length": 3}, "not both"), ({"sampling_rate": 0}, "sampling_rate"),
    ({"class_names": ["cat"], "label_mode": "binary"}, "exactly 2"),
    ({"validation_split": 0.1, "subset": "validation"}, "No validation files"),
])  # fmt: skip
def test_bad_arguments(sounds, kwargs, message):
    with pytest.raises(ValueError, match=message):
        load(sounds, **kwargs)


@pytest.mark.parametrize("content", [b"", b"ID3 something else", b"RIFF\x04\x00\x00\x00WAVE"])
def test_no_wav_file(tmp_path, content):
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.wav is no WAV file"):
        load(tmp_path, labels=None)[0]


def test_other_widths(tmp_path):
    write(tmp_path / "a.wav", [1, 2], width=1)
    with pytest.raises(ValueError, match="8 bits a sample"):
        load(tmp_path, labels=None)[0]

"""Text files of a directory: batches, labels, parts, and a model trained on them."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers
from deepkit.utils import text_dataset_from_directory


@pytest.fixture
def directory(tmp_path):
    for kind, words in (("neg", "dull grey"), ("pos", "bright fun")):
        (tmp_path / kind / "deep").mkdir(parents=True)
        for i in range(5):
            (tmp_path / kind / f"{i}.txt").write_text(f"{words} née {i}", encoding="utf-8")
        (tmp_path / kind / "deep" / "9.TXT").write_text(words, encoding="utf-8")
        (tmp_path / kind / "notes.md").write_text("no", encoding="utf-8")
    return tmp_path


def test_batches_in_order(directory, capsys):
    dataset = text_dataset_from_directory(directory, shuffle=False, batch_size=5)
    assert "Found 12 files belonging to 2 classes." in capsys.readouterr().out
    assert dataset.class_names == ["neg", "pos"] and len(dataset) == 3
    texts, labels = zip(*dataset)
    assert [len(t) for t in texts] == [5, 5, 2]
    assert np.concatenate(labels).tolist() == [0] * 6 + [1] * 6
    assert texts[0][0] == "dull grey née 0" and texts[1][0] == "dull grey"


@pytest.mark.parametrize("mode, shape, dtype", [("int", (4,), "int32"), ("binary", (4, 1), "float32"),
                                                ("categorical", (4, 2), "float32")])  # fmt: skip
def test_labels(directory, mode, shape, dtype):
    _, labels = text_dataset_from_directory(directory, label_mode=mode, batch_size=4, seed=1, verbose=False)[0]
    assert labels.shape == shape and labels.dtype == dtype


def test_texts_alone_and_cut(directory):
    dataset = text_dataset_from_directory(directory, labels=None, max_length=4, batch_size=None, verbose=False)
    assert {dataset[i] for i in range(len(dataset))} == {"dull", "brig"}
    assert dataset.class_names is None


def test_parts_share_no_file(directory):
    training, validation = text_dataset_from_directory(
        directory, validation_split=0.25, subset="both", seed=3, verbose=False
    )
    assert len(training.file_paths) == 9 and len(validation.file_paths) == 3
    assert not set(training.file_paths) & set(validation.file_paths)


def test_a_model_learns_from_it(directory, device):
    deepkit.utils.set_random_seed(0)
    dataset = text_dataset_from_directory(directory, label_mode="binary", batch_size=4, seed=1, verbose=False)
    vectorize = layers.TextVectorization(output_mode="multi_hot")
    vectorize.adapt(x for x, _ in dataset)
    model = deepkit.Sequential([vectorize, layers.Dense(1, activation="sigmoid")])
    model.compile(deepkit.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    model.fit(dataset, epochs=5, verbose=0)
    assert model.evaluate(dataset, verbose=0, return_dict=True)["accuracy"] == 1


@pytest.mark.parametrize("arguments, match", [
    ({"format": "torch"}, "'torch'"), ({"max_length": "4"}, "max_length"), ({"label_mode": "one"}, "'one'"),
    ({"labels": [1]}, "12 files"), ({"subset": "both"}, "validation_split"), ({"class_names": ["x"]}, "class_names"),
])  # fmt: skip
def test_wrong_arguments_are_explained(directory, arguments, match):
    with pytest.raises(ValueError, match=match):
        text_dataset_from_directory(directory, verbose=False, **arguments)

"""``split_dataset``."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit.utils import split_dataset


@pytest.mark.parametrize("left, right, sizes", [
    (0.8, None, (8, 2)), (None, 0.25, (8, 2)), (3, None, (3, 7)), (None, 1, (9, 1)), (2, 3, (2, 3)), (0.3, 0.3, (3, 3)),
])  # fmt: skip
def test_sizes(left, right, sizes):
    a, b = split_dataset(np.arange(10), left, right)
    assert (len(a), len(b)) == sizes
    assert list(a) == list(range(sizes[0])) and list(b) == list(range(10 - sizes[1], 10))


@pytest.mark.parametrize("left, right, error, message", [
    (None, None, ValueError, "at least one"), (0, None, ValueError, "left_size"), (10, None, ValueError, "left_size"),
    (1.0, None, ValueError, "left_size"), (None, -1, ValueError, "right_size"), ("3", None, TypeError, "left_size"),
    (0.7, 0.7, ValueError, "more than 1"), (8, 3, ValueError, "11 samples"), (0.01, None, ValueError, "empty"),
])  # fmt: skip
def test_bad_sizes(left, right, error, message):
    with pytest.raises(error, match=message):
        split_dataset(np.arange(10), left, right)


def test_nests_keep_their_form():
    left, right = split_dataset({"x": np.arange(8).reshape(4, 2), "y": [0, 1, 2, 3]}, right_size=1)
    assert left[1]["x"].tolist() == [2, 3] and left[1]["y"] == 1 and right[0]["y"] == 3
    left, _ = split_dataset((np.arange(4), np.arange(4) * 2.0), left_size=2)
    assert left[1] == (1, 2.0)
    with pytest.raises(IndexError):
        left[2]


def test_shuffle_keeps_rows_together():
    x = np.arange(50)
    a, b = split_dataset((x, -x), left_size=30, shuffle=True, seed=3)
    again, _ = split_dataset((x, -x), left_size=30, shuffle=True, seed=3)
    rows = [*a, *b]
    assert sorted(i for i, _ in rows) == x.tolist() and all(i == -j for i, j in rows)
    assert [i for i, _ in a] == [i for i, _ in again] != x[:30].tolist()


def test_map_style_data_sets():
    class Squares:
        def __len__(self):
            return 6

        def __getitem__(self, i):
            return np.float32(i), i * i

    left, right = split_dataset(Squares(), left_size=0.5)
    assert [int(y) for _, y in left] == [0, 1, 4] and right[2] == (5.0, 25)


def test_batches_stay_batches():
    batches = split_dataset(np.arange(10), left_size=9)[0].batch(4)
    assert [b.tolist() for b in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]
    left, right = split_dataset(batches, right_size=2)
    assert [b.tolist() for b in left] == [[0, 1, 2, 3], [4, 5, 6]] and [b.tolist() for b in right] == [[7, 8]]


@pytest.mark.parametrize("data, error", [("abc", TypeError), (5, TypeError), ([np.ones(2), np.ones(3)], ValueError)])
def test_bad_data(data, error):
    with pytest.raises(error, match="dataset"):
        split_dataset(data, left_size=0.5)


def test_in_fit():
    x = np.arange(12, dtype="float32")[:, None]
    train, test = split_dataset((x, 2 * x), left_size=0.75)
    model = deepkit.Sequential([deepkit.layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(train.batch(4), validation_data=test.batch(3), epochs=2, verbose=0)
    assert len(history.history["val_loss"]) == 2

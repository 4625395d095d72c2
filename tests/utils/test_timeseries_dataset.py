"""``timeseries_dataset_from_array``, beside windows cut one by one."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit.utils import timeseries_dataset_from_array as windows


@pytest.mark.parametrize("length, stride, rate, start, end", [
    (3, 1, 1, None, None), (3, 2, 1, None, None), (2, 1, 3, None, None), (4, 3, 2, 5, None), (3, 1, 1, None, 12),
    (3, 2, 2, 4, 15), (1, 1, 1, 0, 20),
])  # fmt: skip
def test_windows_and_targets(length, stride, rate, start, end):
    data, targets = np.arange(40).reshape(20, 2), np.arange(20) * 10
    x, y = map(np.concatenate, zip(*windows(data, targets, length, stride, rate, 3, start_index=start, end_index=end)))
    low, high = start or 0, end or 20
    firsts = [i for i in range(low, high, stride) if i + (length - 1) * rate < high]
    assert x.tolist() == [[data[i + j * rate].tolist() for j in range(length)] for i in firsts]
    assert y.tolist() == [10 * i for i in firsts]


def test_batches():
    data = windows(np.arange(10), None, 3, batch_size=3)
    assert len(data) == 3 and [len(x) for x in data] == [3, 3, 2]
    single = windows(np.arange(5), np.arange(5), 2, batch_size=None)
    assert [(x.tolist(), int(y)) for x, y in single] == [([i, i + 1], i) for i in range(4)]
    with pytest.raises(IndexError):
        data[3]


def test_fewer_targets_than_windows():
    data = windows(np.arange(10), np.arange(4), 3, batch_size=10)
    assert data[0][1].tolist() == [0, 1, 2, 3]


def test_no_window_fits():
    assert len(windows(np.arange(3), None, 5)) == 0


def test_shuffle():
    order = lambda data: [int(x[0]) for x, _ in data]
    make = lambda: windows(np.arange(30), np.arange(30), 2, batch_size=None, shuffle=True, seed=1)
    first = make()
    one, two = order(first), order(first)
    assert sorted(one) == sorted(two) == list(range(29)) and one != two
    assert order(make()) == one
    assert all(x[0] == y for x, y in first)


@pytest.mark.parametrize("kwargs, message", [
    ({"start_index": -1}, "start_index"), ({"start_index": 10}, "start_index"), ({"end_index": 11}, "end_index"),
    ({"start_index": 5, "end_index": 5}, "end_index"), ({"sampling_rate": 0}, "sampling_rate"),
    ({"sequence_stride": 10}, "sequence_stride"), ({"format": "x"}, "format"), ({"sequence_length": 0}, "length"),
    ({"batch_size": 0}, "batch_size"),
])  # fmt: skip
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        windows(np.arange(10), None, **{"sequence_length": 2, **kwargs})


def test_in_fit():
    series = np.sin(np.arange(60) / 5).astype("float32")
    data = windows(series, series[4:], 4, batch_size=8, shuffle=True, seed=0)
    model = deepkit.Sequential([deepkit.layers.Dense(1)])
    model.compile(deepkit.optimizers.SGD(0.1), "mse")
    losses = model.fit(data, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]

"""``pad_sequences``; the expected values are Keras's."""

from __future__ import annotations

import numpy as np
import pytest

from deepkit.utils import pad_sequences


@pytest.mark.parametrize("sequences, kwargs, expected", [
    ([[1], [2, 3], []], {}, [[0, 1], [2, 3], [0, 0]]),
    ([[1], [2, 3], [4, 5, 6]], {"maxlen": 2}, [[0, 1], [2, 3], [5, 6]]),
    ([[1], [4, 5, 6]], {"maxlen": 2, "padding": "post", "truncating": "post", "value": 9}, [[1, 9], [4, 5]]),
    ([["a"], ["bc", "d"]], {"dtype": object, "value": "z"}, [["z", "a"], ["bc", "d"]]),
    ([["a"], ["bc", "d"]], {"dtype": "U2", "value": "z"}, [["z", "a"], ["bc", "d"]]),
    ([[[1, 2]], [[3, 4], [5, 6]]], {"dtype": "float32"}, [[[0, 0], [1, 2]], [[3, 4], [5, 6]]]),
    ([[1.5]], {}, [[1]]),
    ([np.array([1, 2]), np.array([3])], {}, [[1, 2], [0, 3]]),
    (np.arange(6).reshape(2, 3), {"maxlen": 2}, [[1, 2], [4, 5]]),
    ([range(3), (7,)], {}, [[0, 1, 2], [0, 0, 7]]),
])  # fmt: skip
def test_values(sequences, kwargs, expected):
    out = pad_sequences(sequences, **kwargs)
    assert out.tolist() == expected and out.dtype == np.dtype(kwargs.get("dtype", "int32"))


@pytest.mark.parametrize("sequences, maxlen, shape", [
    ([[]], None, (1, 0)), ([], 3, (0, 3)), ([], None, (0, 0)), ([[1, 2]], 0, (1, 0)),
])  # fmt: skip
def test_nothing_to_place(sequences, maxlen, shape):
    assert pad_sequences(sequences, maxlen=maxlen).shape == shape


@pytest.mark.parametrize("sequences, kwargs, message", [
    (iter([[1]]), {}, "list of sequences"), ([1, 2], {}, "list of sequences"),
    ([[1]], {"padding": "left"}, "padding"), ([[1]], {"truncating": "left"}, "truncating"),
    ([[1]], {"value": "x"}, "dtype=object"), ([[[1, 2]], [[3]]], {}, "one shape"),
])  # fmt: skip
def test_errors(sequences, kwargs, message):
    with pytest.raises(ValueError, match=message):
        pad_sequences(sequences, **kwargs)


def test_many_like_one_by_one():
    rng = np.random.default_rng(0)
    sequences = [rng.integers(1, 100, rng.integers(0, 30)).tolist() for _ in range(200)]
    for padding in ("pre", "post"):
        for truncating in ("pre", "post"):
            out = pad_sequences(sequences, 20, padding=padding, truncating=truncating)
            for row, s in zip(out.tolist(), sequences):
                kept = s[-20:] if truncating == "pre" else s[:20]
                zeros = [0] * (20 - len(kept))
                assert row == (zeros + kept if padding == "pre" else kept + zeros)

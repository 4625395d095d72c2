"""Every loader on small files of the real layout, and on the real ones where they are at hand."""

from __future__ import annotations

import gzip
import json
import pickle
import struct

import numpy as np
import pytest

import deepkit
from deepkit.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    digits,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)

rng = np.random.default_rng(0)


def ragged(*texts):
    return np.fromiter(texts, object, len(texts))


def test_digits():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert x_train.dtype == y_train.dtype == np.uint8 and x_train.max() == 16
    assert len(x_train) + len(x_test) == len(y_train) + len(y_test) == 1797
    assert np.bincount(y_test).min() >= 35 and np.bincount(y_test).max() <= 37
    for again, first in zip(digits.load_data()[0], (x_train, y_train)):
        np.testing.assert_array_equal(again, first)
    assert not np.array_equal(digits.load_data(seed=1)[0][1], y_train)
    assert len(digits.load_data(0.5)[1][1]) == pytest.approx(898, abs=5)
    with pytest.raises(ValueError, match="test_split"):
        digits.load_data(1.0)


def test_digits_parts_do_not_overlap():
    (x_train, _), (x_test, _) = digits.load_data()
    seen = {image.tobytes() for image in x_train}
    assert sum(image.tobytes() in seen for image in x_test) == 0


def test_mnist(cache, any_hash):
    arrays = {name: rng.integers(0, 256, shape, np.uint8) for name, shape in
              {"x_train": (6, 28, 28), "y_train": (6,), "x_test": (2, 28, 28), "y_test": (2,)}.items()}  # fmt: skip
    np.savez(cache / "mnist.npz", **arrays)
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    for array, name in [(x_train, "x_train"), (y_train, "y_train"), (x_test, "x_test"), (y_test, "y_test")]:
        np.testing.assert_array_equal(array, arrays[name])


def write_idx(path, array):
    with gzip.open(path, "wb") as file:
        file.write(
            bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
        )


def test_fashion_mnist(cache, any_hash):
    folder = cache / "fashion-mnist"
    folder.mkdir()
    x, y = rng.integers(0, 256, (5, 28, 28), np.uint8), np.arange(5, dtype=np.uint8)
    for part in ("train", "t10k"):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", x)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", y)
    for images, labels in fashion_mnist.load_data():
        np.testing.assert_array_equal(images, x)
        np.testing.assert_array_equal(labels, y)
    assert len(fashion_mnist.CLASS_NAMES) == 10


def python2_batch(data, **lists):
    """A dict as Python 2's pickle wrote it in CIFAR's files: byte strings, protocol 2."""
    import io

    sink = io.BytesIO()
    sink.write(pickle.PROTO + b"\x02" + pickle.EMPTY_DICT + pickle.MARK)

    def text(value):
        sink.write(pickle.BINSTRING + struct.pack("<i", len(value)) + value)

    text(b"data")
    sink.write(pickle.GLOBAL + b"numpy.core.multiarray\n_reconstruct\n" + pickle.GLOBAL + b"numpy\nndarray\n")
    sink.write(pickle.BININT1 + b"\x00" + pickle.TUPLE1)
    text(b"b")
    sink.write(pickle.TUPLE3 + pickle.REDUCE + pickle.MARK + pickle.BININT1 + b"\x01")
    for size in data.shape:
        sink.write(pickle.BININT + struct.pack("<i", size))
    sink.write(pickle.TUPLE2 + pickle.GLOBAL + b"numpy\ndtype\n")
    text(b"u1")
    sink.write(pickle.BININT1 + b"\x00" + pickle.BININT1 + b"\x01" + pickle.TUPLE3 + pickle.REDUCE)
    sink.write(pickle.MARK + pickle.BININT1 + b"\x03")
    text(b"|")
    sink.write(pickle.NONE * 3 + (pickle.BININT + struct.pack("<i", -1)) * 2 + pickle.BININT1 + b"\x00")
    sink.write(pickle.TUPLE + pickle.BUILD + pickle.NEWFALSE)
    text(data.tobytes())
    sink.write(pickle.TUPLE + pickle.BUILD)
    for key, values in lists.items():
        text(key.encode())
        sink.write(
            pickle.EMPTY_LIST
            + pickle.MARK
            + b"".join(pickle.BININT1 + bytes([v]) for v in values)
            + pickle.APPENDS
        )
    sink.write(pickle.SETITEMS + pickle.STOP)
    return sink.getvalue()


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_cifar(cache, monkeypatch, data_format):
    for module in (cifar10, cifar100):  # the archive itself is not needed: pretend that it is unpacked
        monkeypatch.setattr(module, "get_file", lambda name, *a, **k: str(cache / name))
    ten, hundred = (
        cache / "cifar-10-batches-py-target/cifar-10-batches-py",
        cache / "cifar-100-python-target/cifar-100-python",
    )
    ten.mkdir(parents=True)
    hundred.mkdir(parents=True)
    batches = {name: rng.integers(0, 256, (2, 3072), np.uint8) for name in "12345t"}
    for name, data in batches.items():
        file = ten / ("test_batch" if name == "t" else f"data_batch_{name}")
        file.write_bytes(python2_batch(data, labels=[3, 9]))
    for name in ("train", "test"):
        (hundred / name).write_bytes(python2_batch(batches["1"], fine_labels=[7, 99], coarse_labels=[1, 19]))
    monkeypatch.setattr(deepkit.config, "_image_data_format", data_format)

    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    planes = np.concatenate([batches[i] for i in "12345"]).reshape(10, 3, 32, 32)
    expected = planes if data_format == "channels_first" else planes.transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(x_train, expected)
    assert y_train.tolist() == [[3], [9]] * 5 and y_train.dtype == np.uint8
    assert x_test.shape == expected[:2].shape and y_test.shape == (2, 1)
    assert cifar100.load_data()[0][1].tolist() == [[7], [99]]
    assert cifar100.load_data("coarse")[1][1].tolist() == [[1], [19]]
    with pytest.raises(ValueError, match="label_mode"):
        cifar100.load_data("other")
    (hundred / "train").write_bytes(python2_batch(batches["1"], labels=[7, 99]))
    with pytest.raises(ValueError, match="no CIFAR batch"):
        cifar100.load_data()


TEXTS = [[1, 5, 2], [9, 3], [4, 4, 4, 1], [7]]


def test_imdb(cache, any_hash):
    np.savez(
        cache / "imdb.npz",
        x_train=ragged(*TEXTS),
        y_train=np.array([0, 1, 1, 0]),
        x_test=ragged([2, 8]),
        y_test=np.array([1]),
    )
    (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=10)
    order = np.arange(4)
    np.random.RandomState(113).shuffle(order)
    expected = [[1] + [w + 3 if w + 3 < 10 else 2 for w in TEXTS[i]] for i in order]
    assert x_train.tolist() == expected and y_train.tolist() == [[0, 1, 1, 0][i] for i in order]
    assert x_test.tolist() == [[1, 5, 2]] and y_test.tolist() == [1]
    (x_train, y_train), _ = imdb.load_data(maxlen=4, start_char=None, index_from=0, oov_char=None, skip_top=3)
    assert sorted(map(sorted, x_train)) == [
        [3],
        [5],
        [7],
    ]  # 9 is the largest rank, which Keras leaves out too
    with pytest.raises(ValueError, match="maxlen=1"):
        imdb.load_data(maxlen=1)
    with pytest.raises(TypeError, match="words"):
        imdb.load_data(words=3)


def test_reuters(cache, any_hash):
    np.savez(cache / "reuters.npz", x=ragged(*TEXTS, [1, 1]), y=np.arange(5))
    (x_train, y_train), (x_test, y_test) = reuters.load_data(test_split=0.4, num_words=1000)
    order = np.arange(5)
    np.random.RandomState(113).shuffle(order)
    assert y_train.tolist() + y_test.tolist() == order.tolist() and len(y_test) == 2
    assert x_train.tolist()[0] == [1] + [w + 3 for w in [*TEXTS, [1, 1]][order[0]]]
    assert len(reuters.get_label_names()) == 46


def test_texts_of_one_length_stay_lists(cache, any_hash):
    np.savez(cache / "reuters.npz", x=ragged([1, 2], [3, 4], [5, 6]), y=np.arange(3))
    x = reuters.load_data(test_split=0)[0][0]
    assert x.shape == (3,) and all(type(row) is list for row in x)


def test_word_index(cache, any_hash):
    for name, module in [("imdb", imdb), ("reuters", reuters)]:
        (cache / f"{name}_word_index.json").write_text(json.dumps({"the": 1, "café": 2}))
        assert module.get_word_index() == {"the": 1, "café": 2}


def test_housing(cache, any_hash):
    x, y = rng.normal(size=(700, 8)), rng.normal(size=700)
    np.savez(cache / "california_housing.npz", x=x, y=y)
    np.savez(cache / "boston_housing.npz", x=x, y=y)
    order = np.arange(700)
    np.random.RandomState(113).shuffle(order)
    for load in (boston_housing.load_data, california_housing.load_data):
        (x_train, y_train), (x_test, y_test) = load()
        np.testing.assert_array_equal(np.concatenate([x_train, x_test]), x[order])
        np.testing.assert_array_equal(np.concatenate([y_train, y_test]), y[order])
        assert len(x_train) == 560
        with pytest.raises(ValueError, match="test_split"):
            load(test_split=1)
    assert len(california_housing.load_data("small", test_split=0)[0][0]) == 600
    with pytest.raises(ValueError, match="version"):
        california_housing.load_data("tiny")


@pytest.mark.parametrize("load, file", [(mnist.load_data, "mnist.npz"), (imdb.load_data, "imdb.npz")])
def test_without_network_the_error_names_the_place(cache, monkeypatch, load, file):
    import urllib.request

    def no_network(*args, **kwargs):
        raise OSError("Network is unreachable")

    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    with pytest.raises(OSError) as caught:
        load()
    assert str(cache / file) in str(caught.value) and "sha256" in str(caught.value)


# ------------------------------------------------------------------------------------------ the real files


def test_real_mnist(cache, any_hash, real_data):
    (cache / "mnist.npz").symlink_to(real_data / "mnist/mnist.npz")
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert x_train.shape == (60000, 28, 28) and x_test.shape == (10000, 28, 28)
    assert y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4] and np.bincount(y_test)[0] == 980


def test_real_fashion_mnist(cache, real_data):
    from deepkit.datasets.npz import load_idx

    assert load_idx(real_data / "fashion-mnist/t10k-images-idx3-ubyte.gz").shape == (10000, 28, 28)
    assert (
        np.bincount(load_idx(real_data / "fashion-mnist/train-labels-idx1-ubyte.gz")).tolist() == [6000] * 10
    )


def test_real_texts(cache, any_hash, real_data):
    (cache / "imdb.npz").symlink_to(real_data / "text/imdb_keras_layout.npz")
    (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=10000)
    assert len(x_train) == len(x_test) == 3000 and y_train.sum() == 1500
    assert max(map(max, x_train)) == 9999 and all(text[0] == 1 for text in x_test)
    (cache / "reuters.npz").symlink_to(real_data / "text/reuters_keras_layout.npz")
    (x_train, y_train), _ = reuters.load_data()
    assert len(x_train) == int(8604 * 0.8) and len(np.unique(y_train)) == 46


def test_real_boston_housing(cache, any_hash, real_data):
    table = np.loadtxt(real_data / "tabular/housing.data")
    np.savez(cache / "boston_housing.npz", x=table[:, :13], y=table[:, 13])
    (_, y_train), (_, y_test) = boston_housing.load_data()
    assert y_train[:3].tolist() == [15.2, 42.3, 50.0] and len(y_test) == 102

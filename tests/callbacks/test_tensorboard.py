"""Event files, read back by a decoder of their own, and by TensorBoard where it is installed."""

from __future__ import annotations

import struct

import numpy as np
import pytest

import deepkit
from deepkit import layers
from deepkit.callbacks import OrbaxCheckpoint, TensorBoard
from deepkit.utils.event_file import EventFile, crc32c, encode_png


def varint(data, i):
    value = shift = 0
    while True:
        value |= (data[i] & 0x7F) << shift
        shift, i = shift + 7, i + 1
        if data[i - 1] < 0x80:
            return value, i


def fields(data):
    i, out = 0, {}
    while i < len(data):
        key, i = varint(data, i)
        kind = key & 7
        if kind == 0:
            value, i = varint(data, i)
        elif kind == 1:
            value, i = struct.unpack("<d", data[i : i + 8])[0], i + 8
        elif kind == 5:
            value, i = struct.unpack("<f", data[i : i + 4])[0], i + 4
        else:
            size, i = varint(data, i)
            value, i = data[i : i + size], i + size
        out[key >> 3] = value
    return out


def unmasked(data):
    value = (struct.unpack("<I", data)[0] - 0xA282EAD8) & 0xFFFFFFFF
    return ((value >> 17) | (value << 15)) & 0xFFFFFFFF


def read(folder):
    """(tag, step, fields of the value) of all events in a folder."""
    found = []
    for path in sorted(folder.glob("events*")):
        data, i = path.read_bytes(), 0
        while i < len(data):
            length = data[i : i + 8]
            assert unmasked(data[i + 8 : i + 12]) == crc32c(length)
            n = struct.unpack("<Q", length)[0]
            body = data[i + 12 : i + 12 + n]
            assert unmasked(data[i + 12 + n : i + 16 + n]) == crc32c(body)
            i += 16 + n
            event = fields(body)
            if 5 in event:
                value = fields(fields(event[5])[1])
                found.append((value[1].decode(), event[2], value))
            else:
                assert event[3] == b"brain.Event:2"
    return found


def test_event_file(tmp_path):
    events = EventFile(str(tmp_path / "run"))
    events.scalar("loss", 0.25, 7)
    events.histogram("weights", np.array([[1.0, 2.0], [3.0, np.nan]]), 300, bins=4)
    events.image("picture", np.zeros((2, 3, 1), np.uint8), 1)
    events.close()
    scalar, histogram, image = read(tmp_path / "run")
    assert scalar[:2] == ("loss", 7) and scalar[2][2] == 0.25
    h = fields(histogram[2][5])
    assert histogram[1] == 300 and [h[i] for i in range(1, 6)] == [1.0, 3.0, 3.0, 6.0, 14.0]
    assert np.frombuffer(h[7]).tolist() == [1, 0, 1, 1] and np.frombuffer(h[6])[-1] == 3.0
    picture = fields(image[2][4])
    assert [picture[i] for i in (1, 2, 3)] == [2, 3, 1] and picture[4].startswith(b"\x89PNG")


def test_empty_and_not_finite(tmp_path):
    events = EventFile(str(tmp_path))
    events.histogram("nothing", np.zeros(0), 0)
    events.histogram("nan", np.full(3, np.nan), 0)
    events.scalar("nan", float("nan"), 0)
    events.close()
    assert len(read(tmp_path)) == 3


def test_png():
    image = pytest.importorskip("PIL.Image")
    import io

    for channels in (1, 3, 4):
        pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), np.uint8)
        again = np.asarray(image.open(io.BytesIO(encode_png(pixels))))
        assert np.array_equal(again.reshape(pixels.shape), pixels)


@pytest.fixture
def model():
    model = deepkit.Sequential([deepkit.Input((2,)), layers.Dense(3, name="d"), layers.Dense(1, name="e")])
    model.compile(deepkit.optimizers.SGD(0.125), "mse", metrics=["mae"])
    return model


def fit(model, callback, **kwargs):
    x, y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")
    return model.fit(x, y, batch_size=2, epochs=2, verbose=0, callbacks=[callback], **kwargs)


def test_epochs(model, tmp_path):
    x, y = np.ones((2, 2), "float32"), np.ones((2, 1), "float32")
    history = fit(model, TensorBoard(tmp_path), validation_data=(x, y)).history
    train = {(tag, step): value[2] for tag, step, value in read(tmp_path / "train")}
    assert {tag for tag, _ in train} == {"epoch_loss", "epoch_mae", "epoch_learning_rate"}
    np.testing.assert_allclose([train["epoch_loss", 0], train["epoch_loss", 1]], history["loss"], rtol=1e-6)
    assert train["epoch_learning_rate", 1] == 0.125
    validation = {(tag, step): value[2] for tag, step, value in read(tmp_path / "validation")}
    assert ("evaluation_loss_vs_iterations", 8) in validation
    np.testing.assert_allclose(validation["epoch_mae", 1], history["val_mae"][1], rtol=1e-6)


def test_steps(model, tmp_path):
    fit(model, TensorBoard(tmp_path, update_freq=3, write_steps_per_second=True))
    steps = [(tag, step) for tag, step, _ in read(tmp_path / "train") if tag.startswith("batch")]
    names = ("batch_steps_per_second", "batch_loss", "batch_mae")
    assert steps == [(name, step) for step in (3, 6) for name in names]
    assert "epoch_steps_per_second" in {tag for tag, _, _ in read(tmp_path / "train")}
    assert TensorBoard(update_freq="batch").update_freq == 1


def test_weights(model, tmp_path):
    fit(model, TensorBoard(tmp_path, histogram_freq=2, write_images=True))
    found = [(tag, step) for tag, step, _ in read(tmp_path / "train") if not tag.startswith("epoch")]
    weights = [weight.path for weight in model.weights]
    expected = [(f"{w}/{kind}", 0) for w in weights for kind in ("histogram", "image")]
    expected.remove((f"{weights[-1]}/image", 0))  # a single number is no picture
    assert found == expected


def test_embeddings(tmp_path):
    model = deepkit.Sequential([deepkit.Input((1,)), layers.Embedding(4, 2, name="words"), layers.Flatten(),
                                layers.Dense(1)])  # fmt: skip
    model.compile("sgd", "mse")
    callback = TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"words": "labels.tsv"})
    model.fit(np.zeros((2, 1), "int32"), np.ones((2, 1)), verbose=0, callbacks=[callback])
    text = (tmp_path / "train" / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "words_0.tsv"' in text and 'metadata_path: "labels.tsv"' in text
    assert np.loadtxt(tmp_path / "train" / "words_0.tsv").shape == (4, 2)
    with pytest.raises(ValueError, match="other"):
        TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"other": "x"}).set_model(model)


@pytest.mark.parametrize("kwargs, message", [
    ({"profile_batch": 2}, "profiler"), ({"update_freq": "step"}, "update_freq"), ({"update_freq": 0}, "update_freq"),
])  # fmt: skip
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        TensorBoard(**kwargs)


def test_tensorboard_reads_it(model, tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    fit(model, TensorBoard(tmp_path, histogram_freq=1))
    events = accumulator.EventAccumulator(str(tmp_path / "train")).Reload()
    assert "epoch_loss" in events.Tags()["scalars"] and len(events.Tags()["histograms"]) == 4


def test_orbax():
    with pytest.raises(ImportError, match="ModelCheckpoint"):
        OrbaxCheckpoint("directory")

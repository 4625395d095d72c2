"""Image files: reading, writing, resizing, and directories of them as data sets."""

from __future__ import annotations

import io

import numpy as np
import pytest

import deepkit
from deepkit import layers
from deepkit.preprocessing import image as image_module
from deepkit.utils import array_to_img, image_dataset_from_directory, img_to_array, load_img, save_img

Image = pytest.importorskip("PIL.Image")
RNG = np.random.default_rng(0)


def picture(height=6, width=9, channels=3):
    return RNG.integers(0, 256, (height, width, channels)).astype("uint8")


@pytest.fixture
def directory(tmp_path):
    """Seven images of two classes; the red ones are all red."""
    for name, count, channel in (("blue", 3, 2), ("red", 4, 0)):
        (tmp_path / name).mkdir()
        for i in range(count):
            x = np.zeros((5 + i, 8, 3), "uint8")
            x[..., channel] = 100 + i
            save_img(tmp_path / name / f"{i}.png", x, scale=False)
    (tmp_path / "red" / "notes.txt").write_text("no image")
    return tmp_path


# -- files -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("channels,mode", [(1, "grayscale"), (3, "rgb"), (4, "rgba")])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_round_trip(tmp_path, channels, mode, data_format):
    x = picture(channels=channels)
    moved = x if data_format == "channels_last" else x.transpose(2, 0, 1)
    save_img(tmp_path / "a.png", moved, data_format=data_format, scale=False)
    back = img_to_array(load_img(str(tmp_path / "a.png"), mode), data_format=data_format)
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, moved)
    from_memory = load_img(io.BytesIO((tmp_path / "a.png").read_bytes()), mode)
    np.testing.assert_array_equal(img_to_array(from_memory, data_format, "uint8"), moved)


def test_array_to_img_stretches_values():
    stretched = np.asarray(array_to_img(np.array([[[2.0], [3.0], [4.0]]])))
    assert stretched.tolist() == [[0, 127, 255]] and np.asarray(array_to_img(np.ones((1, 1, 1)))).tolist() == [[0]]
    deep = array_to_img(np.array([[[0.0], [70000.0]]]), scale=False)
    assert deep.mode == "I" and np.asarray(deep).tolist() == [[0, 70000]]
    with pytest.raises(ValueError, match="rank 3"):
        array_to_img(np.ones((2, 2)))
    with pytest.raises(ValueError, match="channels"):
        array_to_img(np.ones((2, 2, 2)))
    with pytest.raises(ValueError, match="shape"):
        img_to_array(np.ones((1, 2, 2, 2)))


def test_jpeg_has_no_transparency(tmp_path):
    with pytest.warns(UserWarning, match="transparency"):
        save_img(tmp_path / "a.jpg", picture(channels=4))
    assert load_img(tmp_path / "a.jpg").mode == "RGB"


def test_sizes(tmp_path):
    save_img(tmp_path / "a.png", picture(6, 9))
    for interpolation in ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"):
        assert load_img(tmp_path / "a.png", target_size=(4, 5), interpolation=interpolation).size == (5, 4)
    whole = load_img(tmp_path / "a.png")
    square = load_img(tmp_path / "a.png", target_size=(6, 6), keep_aspect_ratio=True)
    np.testing.assert_array_equal(np.asarray(square), np.asarray(whole)[:, 1:7])


def test_bad_files_are_named(tmp_path, monkeypatch):
    (tmp_path / "broken.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match="broken.png"):
        load_img(tmp_path / "broken.png")
    save_img(tmp_path / "cut.png", picture(60, 60))
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:2000])
    with pytest.raises(ValueError, match="cut.png"):
        load_img(tmp_path / "cut.png")
    save_img(tmp_path / "big.png", picture(60, 60))
    for limit in (2000, 1000):  # Pillow warns above the limit and refuses above twice the limit
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(ValueError, match="big.png has more pixels than the limit"):
            load_img(tmp_path / "big.png")
    with pytest.raises(FileNotFoundError):
        load_img(tmp_path / "none.png")
    with pytest.raises(TypeError, match="path"):
        load_img(3)
    with pytest.raises(ValueError, match="color_mode"):
        load_img(tmp_path / "big.png", "cmyk")


def test_smart_resize():
    x = picture(4, 8).astype("float32")
    expected = deepkit.ops.image.resize(x, (3, 3), crop_to_aspect_ratio=True)
    resized = image_module.smart_resize(x, (3, 3))
    assert isinstance(resized, np.ndarray)
    np.testing.assert_array_equal(resized, expected.numpy())
    assert isinstance(image_module.smart_resize(deepkit.ops.convert_to_tensor(x), (3, 3)), deepkit.Tensor)
    with pytest.raises(TypeError, match="nonsense"):
        image_module.smart_resize(x, (3, 3), nonsense=1)


def test_preprocessing_has_the_same_functions():
    assert image_module.load_img is load_img
    assert deepkit.preprocessing.image_dataset_from_directory is image_dataset_from_directory


# -- data sets ---------------------------------------------------------------------------------------------------------
def test_labels_and_pixels_belong_together(directory, capsys):
    data = image_dataset_from_directory(directory, batch_size=3, image_size=(4, 6), seed=1)
    assert "7 files" in capsys.readouterr().out
    assert len(data) == 3 and data.class_names == ["blue", "red"] and len(data.file_paths) == 7
    seen = []
    for x, y in data:
        assert x.shape[1:] == (4, 6, 3) and x.dtype == np.float32 and y.dtype == np.int32
        np.testing.assert_array_equal(x[..., 0].max((1, 2)) > 0, y == 1)
        seen += x.max((1, 2, 3)).tolist()
    assert sorted(seen) == [100, 100, 101, 101, 102, 102, 103]


def test_orders(directory):
    def order(data):
        return [float(x.max()) + 10 * int(y) for xs, ys in data for x, y in zip(xs, ys)]

    def made(**kwargs):
        return image_dataset_from_directory(directory, image_size=4, batch_size=2, verbose=False, **kwargs)

    assert order(made(shuffle=False)) == [100, 101, 102, 110, 111, 112, 113]
    data = made(seed=3)
    first, second = order(data), order(data)
    assert first != second and sorted(first) == sorted(second)
    assert order(made(seed=3)) == first


@pytest.mark.parametrize("mode,shape,dtype", [("int", (7,), "int32"), ("binary", (7, 1), "float32"),
                                              ("categorical", (7, 2), "float32")])  # fmt: skip
def test_label_modes(directory, mode, shape, dtype):
    data = image_dataset_from_directory(directory, label_mode=mode, image_size=4, verbose=False)
    (batch,) = data
    assert batch[1].shape == shape and batch[1].dtype == dtype


def test_without_labels_and_with_given_ones(directory):
    for kwargs in ({"labels": None}, {"label_mode": None}):
        (x,) = image_dataset_from_directory(directory, image_size=4, verbose=False, **kwargs)
        assert x.shape == (7, 4, 4, 3)
    given = image_dataset_from_directory(directory, labels=[*range(7)], image_size=4, shuffle=False, verbose=False)
    assert given[0][1].tolist() == [0, 1, 2, 3, 4, 5, 6]
    turned = image_dataset_from_directory(directory, class_names=["red", "blue"], shuffle=False, image_size=4,
                                          verbose=False)  # fmt: skip
    assert turned[0][1].tolist() == [0] * 4 + [1] * 3
    single = image_dataset_from_directory(directory, batch_size=None, image_size=4, verbose=False)
    assert len(single) == 7 and single[0][0].shape == (4, 4, 3)


def test_split(directory):
    def made(subset):
        return image_dataset_from_directory(directory, validation_split=0.3, subset=subset, seed=5, image_size=4,
                                            verbose=False)  # fmt: skip

    train, held_out = made("both")
    assert (len(train.file_paths), len(held_out.file_paths)) == (5, 2)
    assert not set(train.file_paths) & set(held_out.file_paths)
    assert made("training").file_paths == train.file_paths
    assert made("validation").file_paths == held_out.file_paths


@pytest.mark.parametrize("mode,channels", [("grayscale", 1), ("rgb", 3), ("rgba", 4)])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_color_modes_and_formats(directory, mode, channels, data_format):
    data = image_dataset_from_directory(directory, color_mode=mode, data_format=data_format, image_size=(4, 6),
                                        verbose=False)  # fmt: skip
    expected = (7, 4, 6, channels) if data_format == "channels_last" else (7, channels, 4, 6)
    assert data[0][0].shape == expected


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian",
                                           "mitchellcubic"])  # fmt: skip
def test_interpolations_keep_a_flat_color(directory, interpolation):
    for size in ((3, 5), (9, 12)):
        data = image_dataset_from_directory(directory, interpolation=interpolation, image_size=size, shuffle=False,
                                            verbose=False)  # fmt: skip
        np.testing.assert_allclose(data[0][0][0][..., 2], 100, rtol=1e-5)


def test_area_is_the_mean(tmp_path):
    x = picture(4, 6)
    save_img(tmp_path / "a.png", x, scale=False)
    data = image_dataset_from_directory(tmp_path, labels=None, interpolation="area", image_size=(2, 2), verbose=False)
    np.testing.assert_allclose(data[0][0], x.reshape(2, 2, 2, 3, 3).mean((1, 3)), rtol=1e-5)


def test_aspect_ratio(directory):
    padded = image_dataset_from_directory(directory, pad_to_aspect_ratio=True, image_size=8, shuffle=False,
                                          interpolation="nearest", verbose=False)[0][0]  # fmt: skip
    assert (padded[0, 0] == 0).all() and (padded[0, 4, :, 2] == 100).all()
    cropped = image_dataset_from_directory(directory, crop_to_aspect_ratio=True, image_size=8, shuffle=False,
                                           verbose=False)[0][0]  # fmt: skip
    assert (cropped[0, ..., 2] == 100).all()


def test_fit_evaluate_and_predict(directory):
    train, held_out = image_dataset_from_directory(
        directory, validation_split=0.3, subset="both", seed=5, image_size=4, batch_size=2, verbose=False
    )
    model = deepkit.Sequential([layers.Rescaling(1 / 255), layers.GlobalAveragePooling2D(), layers.Dense(2)])
    model.compile("adam", deepkit.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    history = model.fit(train, validation_data=held_out, epochs=2, verbose=0)
    assert len(history.history["val_loss"]) == 2
    assert np.isfinite(model.evaluate(held_out, verbose=0)).all()
    assert model.predict(held_out, verbose=0).shape == (2, 2)


def test_bad_arguments_are_named(directory, tmp_path):
    for message, kwargs in {
        "color_mode": {"color_mode": "cmyk"}, "image_size": {"image_size": (1, 2, 3)},
        "interpolation": {"interpolation": "cubic"}, "Only one": {"crop_to_aspect_ratio": True,
                                                                   "pad_to_aspect_ratio": True},
        "label_mode": {"label_mode": "float"}, "format": {"format": "torch"}, "subset": {"subset": "test"},
        "labels": {"labels": [1, 2]},
    }.items():  # fmt: skip
        with pytest.raises(ValueError, match=message):
            image_dataset_from_directory(directory, verbose=False, **kwargs)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=".png"):
        image_dataset_from_directory(tmp_path / "empty", verbose=False)
    (directory / "red" / "0.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match="0.png"):
        list(image_dataset_from_directory(directory, verbose=False))

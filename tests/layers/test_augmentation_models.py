"""Augmentation layers in pipelines and models, and what they say of arguments and inputs that are wrong."""

from __future__ import annotations

import numpy as np
import pytest

import deepkit
from deepkit import layers
from tests.layers.test_augmentation import IMAGES, batch


def test_pipeline(device):
    pipeline = layers.Pipeline([layers.RandomInvert((1.0, 1.0)), layers.Rescaling(1 / 255), layers.Dropout(0.5)])
    np.testing.assert_allclose(pipeline(IMAGES, training=False).numpy(), IMAGES / 255, rtol=1e-6)
    y = pipeline(IMAGES).numpy()
    assert 0.3 < (y == 0).mean() < 0.7
    again = layers.deserialize(layers.serialize(pipeline))
    assert again.get_config() == pipeline.get_config()
    assert [type(layer).__name__ for layer in again.layers] == ["RandomInvert", "Rescaling", "Dropout"]
    assert pipeline(deepkit.KerasTensor((None, 8, 10, 3))).shape == (None, 8, 10, 3)
    with pytest.raises(ValueError, match="layers"):
        layers.Pipeline.from_config({"name": "x"})


def test_in_a_model_called_directly(device):
    model = deepkit.Sequential([layers.Input((8, 10, 3)), layers.Identity(), layers.RandomInvert((1.0, 1.0))])
    for _ in range(3):  # training is their default, in the first call and those that take the short way
        np.testing.assert_array_equal(model(IMAGES.astype("float32")).numpy(), 255 - IMAGES.astype("float32"))
    np.testing.assert_array_equal(model(IMAGES, training=False).numpy(), IMAGES)


def test_in_a_model(tmp_path, device):
    model = deepkit.Sequential([
        layers.Input((8, 10, 3)),
        layers.RandomFlip(seed=1),
        layers.RandomBrightness(0.1, seed=2),
        layers.RandAugment(seed=3),
        layers.RandomCrop(6, 6, seed=4),
        layers.Rescaling(1 / 255),
        layers.Flatten(),
        layers.Dense(2, activation="softmax"),
    ])  # fmt: skip
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(IMAGES.astype("float32"), np.array([0, 1, 0, 1]), epochs=2, batch_size=2, verbose=0)
    expected = model.predict(IMAGES, verbose=0)
    np.testing.assert_array_equal(model.predict(IMAGES, verbose=0), expected)
    model.save(tmp_path / "model.keras")
    again = deepkit.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(IMAGES, verbose=0), expected, rtol=1e-6)
    # The stream of draws is saved: both go on alike.
    np.testing.assert_array_equal(again(IMAGES, training=True).numpy(), model(IMAGES, training=True).numpy())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.RandomBrightness(2.0), r"`factor`.*\[-1, 1\].*2.0"),
        (lambda: layers.RandomBrightness("a"), "`factor`"),
        (lambda: layers.RandomBrightness((0.1, 0.2, 0.3)), "`factor`"),
        (lambda: layers.RandomBrightness((0.1,)), "`factor`"),
        (lambda: layers.RandomBrightness(0.1, value_range=3), "`value_range`"),
        (lambda: layers.RandomBrightness(0.1, value_range=(1, 2, 3)), "`value_range`"),
        (lambda: layers.RandomContrast(-0.1), "`factor`"),
        (lambda: layers.RandomGrayscale(1.5), "`factor`"),
        (lambda: layers.RandomInvert(1.5), "`factor`"),
        (lambda: layers.RandomPosterization(9), "`factor`"),
        (lambda: layers.Solarization(1.5), "`addition_factor`"),
        (lambda: layers.Solarization(0.5, (0, 2)), "`threshold_factor`"),
        (lambda: layers.RandomErasing(fill_value=[1, 2]), "`fill_value`"),
        (lambda: layers.RandomErasing(scale=2), "`scale`"),
        (lambda: layers.MixUp(0), "`alpha`"),
        (lambda: layers.RandomFlip("diagonal"), "`mode` 'diagonal'"),
        (lambda: layers.RandomCrop(0, 3), "`height`"),
        (lambda: layers.RandomRotation(0.1, fill_mode="mirror"), "`fill_mode` 'mirror'"),
        (lambda: layers.RandomRotation(0.1, interpolation="cubic"), "`interpolation` 'cubic'"),
        (lambda: layers.RandomTranslation(0.1, 1.5), "`width_factor`"),
        (lambda: layers.RandomZoom(-1.0), "`height_factor`"),
        (lambda: layers.RandomShear(-0.1), "`x_factor`"),
        (lambda: layers.RandomPerspective(scale=2.0), "`scale`"),
        (lambda: layers.RandomGaussianBlur(kernel_size=4), "`kernel_size`"),
        (lambda: layers.RandomFlip()(np.ones((3, 3))), "rank 3 or 4"),
        (lambda: layers.RandomFlip()({"labels": np.ones(3)}), "'images'"),
        (lambda: layers.RandomFlip()(batch()), "bounding_box_format='xyxy'"),
        (
            lambda: layers.RandomFlip(bounding_box_format="xyxy")({"images": IMAGES, "bounding_boxes": np.ones(4)}),
            "'boxes'",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()

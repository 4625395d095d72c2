"""Constructors with the arguments of a base class."""

import inspect

import pytest

from deepkit import layers
from deepkit.utils.signatures import REQUIRED, with_defaults


def test_order_and_defaults():
    assert list(inspect.signature(layers.Conv3DTranspose).parameters)[4:7] == [
        "data_format", "output_padding", "dilation_rate",
    ]  # fmt: skip
    layer = layers.Conv3DTranspose(2, 3, (2, 2, 2), "same", "channels_first", 1, name="up")
    assert (layer.data_format, layer.output_padding, layer.name) == ("channels_first", (1, 1, 1), "up")
    assert layers.MaxPooling3D().pool_size == (2, 2, 2) == layers.MaxPooling3D(2).pool_size


def test_arguments_that_do_not_fit():
    with pytest.raises(TypeError, match="AveragePooling2D: missing a required argument: 'pool_size'"):
        layers.AveragePooling2D()
    with pytest.raises(TypeError, match="unexpected keyword argument 'stride'"):
        layers.Conv2D(1, 1, stride=2)


def test_a_default_taken_away():
    class Base:
        def __init__(self, a=1, *, b=2):
            self.a, self.b = a, b

    @with_defaults(a=REQUIRED, b=3)
    class Child(Base):
        pass

    child = Child(5)
    assert (child.a, child.b) == (5, 3)
    with pytest.raises(TypeError, match="'a'"):
        Child()


@pytest.mark.parametrize("argument", ["lora_rank", "lora_alpha", "quantization_config"])
def test_what_is_not_supported(argument):
    assert layers.Dense(1, **{argument: None}).units == 1
    with pytest.raises(ValueError, match=f"`{argument}` is not supported"):
        layers.Dense(1, **{argument: 2})
    with pytest.raises(ValueError, match=f"`{argument}` is not supported"):
        layers.Embedding(2, 1, **{argument: 2})

"""Fashion-MNIST: 28x28 images of clothing (Xiao, Rasul and Vollgraf, 2017)."""

from __future__ import annotations

import os

from .npz import load_idx
from .source import Split, fetch

__all__ = ["CLASS_NAMES", "load_data"]

#: What the labels 0 to 9 mean.
CLASS_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip

#: The md5 sums that the authors publish.
_FILES = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}


def load_data() -> Split:
    """60,000 training and 10,000 test images of ten kinds of clothing, named in :data:`CLASS_NAMES`.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images (n, 28, 28) and labels (n,), all uint8.

    Licence: Zalando SE, MIT.
    """
    folder = os.path.join("datasets", "fashion-mnist")
    x_train, y_train, x_test, y_test = (
        load_idx(fetch(name, name, md5, folder)) for name, md5 in _FILES.items()
    )
    return (x_train, y_train), (x_test, y_test)

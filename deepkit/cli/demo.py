"""``python -m deepkit demo``: train a convolutional network on handwritten digits and look at what it reads."""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from .. import config

__all__ = ["add_parser", "build_model", "load", "run"]

_SHADES = " .:-=+*#%@"


def add_parser(commands: Any) -> None:
    """Add the subcommand to a parser's ``commands``."""
    parser = commands.add_parser("demo", help="train a convolutional network on handwritten digits")
    parser.add_argument(
        "--data", choices=["digits", "mnist"], default="digits", help="8x8 digits, or MNIST (28x28)"
    )
    parser.add_argument(
        "--backend", choices=["auto", "numpy", "cupy"], help="default: $DEEPKIT_BACKEND, else auto"
    )
    parser.add_argument("--epochs", type=_positive, help="default: 20 for digits, 3 for MNIST")
    parser.add_argument("--batch-size", type=_positive, help="default: 32 for digits, 128 for MNIST")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same run")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train, evaluate and show; the status is 1 if the backend can't be had."""
    try:
        if options.backend:
            config.set_backend(options.backend)
        backend = config.backend()
    except config.BackendUnavailableError as error:
        print(error)
        return 1
    import deepkit

    deepkit.utils.set_random_seed(options.seed)
    (x_train, y_train), (x_test, y_test) = load(options.data)
    epochs = options.epochs or {"digits": 20, "mnist": 3}[options.data]
    batch_size = options.batch_size or {"digits": 32, "mnist": 128}[options.data]
    model = build_model(options.data, steps=epochs * -(-len(x_train) // batch_size))
    model.summary()
    print(f"\n{len(x_train):,} images to train on, {len(x_test):,} held out; backend: {backend}\n")

    start = time.perf_counter()
    model.fit(x_train, y_train, batch_size=batch_size, epochs=epochs, validation_data=(x_test, y_test))
    seconds = time.perf_counter() - start

    loss, accuracy = model.evaluate(x_test, y_test, batch_size=512, verbose=0)
    probabilities = np.asarray(model.predict(x_test, batch_size=512, verbose=0))
    print()
    show(x_test, y_test, probabilities)
    print(f"\nHeld-out accuracy {100 * accuracy:.2f} %, loss {loss:.4f}, after {seconds:.1f} s of training.")
    return 0


def load(data: str) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The named data set, with a channel axis and values from 0 to 1."""
    from ..datasets import digits, mnist

    module, largest = (digits, 16.0) if data == "digits" else (mnist, 255.0)
    (x_train, y_train), (x_test, y_test) = module.load_data()
    train, test = ((x[..., None] / largest).astype(np.float32) for x in (x_train, x_test))
    return (train, y_train.astype(np.int64)), (test, y_test.astype(np.int64))


def build_model(data: str, steps: int) -> Any:
    """Two convolutions with batch normalization, compiled for a run of so many steps.

    MNIST's larger images are pooled once more. The learning rate falls to zero along half a cosine, so the last epochs
    settle.
    """
    from deepkit import Sequential, layers, optimizers

    size = 8 if data == "digits" else 28
    first_pool = [] if data == "digits" else [layers.MaxPooling2D()]
    model = Sequential(
        [
            layers.Input((size, size, 1)),
            layers.Conv2D(32, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            *first_pool,
            layers.Conv2D(64, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ],
        name=data,
    )
    rate = optimizers.schedules.CosineDecay(3e-3, steps)
    model.compile(optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def show(x: np.ndarray, y: np.ndarray, probabilities: np.ndarray, count: int = 6) -> None:
    """Print some images with what the network reads in them: the misread ones first."""
    guesses = probabilities.argmax(-1)
    wrong = np.flatnonzero(guesses != y)
    chosen = np.concatenate([wrong[: count // 2], np.flatnonzero(guesses == y)])[:count]
    art = [image_lines(x[i, ..., 0]) for i in chosen]
    for row in zip(*art):
        print("   ".join(row))
    width = len(art[0][0])
    captions = [f"{guesses[i]} ({100 * probabilities[i, guesses[i]]:.0f} %)" for i in chosen]
    print("   ".join(f"{caption:^{width}}" for caption in captions))
    print("   ".join(f"{'' if guesses[i] == y[i] else f'is a {y[i]}':^{width}}" for i in chosen).rstrip())
    print(f"{len(wrong)} of {len(y):,} misread.")


def image_lines(image: np.ndarray) -> list[str]:
    """An image of values 0 to 1 as lines of text, two characters a pixel; large images at half size.

    Example:
        >>> image_lines(np.eye(2))
        ['@@  ', '  @@']
    """
    if len(image) > 14:
        image = image.reshape(len(image) // 2, 2, -1, 2).mean((1, 3))
    levels = np.rint(np.clip(image, 0, 1) * (len(_SHADES) - 1)).astype(int)
    return ["".join(2 * _SHADES[level] for level in row) for row in levels]


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value

"""IMDB: film reviews, good or bad (Maas et al., "Learning word vectors for sentiment analysis", 2011)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .npz import load_npz
from .sequences import as_ragged, drop_long, limit_words, load_word_index, mark
from .source import Split, fetch, shuffled

__all__ = ["get_word_index", "load_data"]


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    **kwargs: Any,
) -> Split:
    """25,000 training and 25,000 test reviews, each a list of words, a word being its rank by frequency.

    Args:
        path: name of the file in the cache.
        num_words: keep words with an index below this; ``None`` keeps them all.
        skip_top: and not below this.
        maxlen: leave out texts of this length or longer.
        seed: of the shuffle.
        start_char: put in front of each text.
        oov_char: in place of words that are not kept; ``None`` leaves them out.
        index_from: added to each rank, as 0, 1 and 2 mean padding, start and unknown.
        **kwargs: ``nb_words``, the old spelling of ``num_words``.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: arrays of lists, and labels (n,): 1 for a good
        review, 0 for a bad one.

    Raises:
        ValueError: if ``maxlen`` leaves nothing.
        TypeError: for an unknown argument.
    """
    num_words = kwargs.pop("nb_words", num_words)
    if kwargs:
        raise TypeError(f"imdb.load_data: unknown arguments {sorted(kwargs)}.")
    file = fetch(path, "imdb.npz", "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f")
    x_train, y_train, x_test, y_test = load_npz(file, "x_train", "y_train", "x_test", "y_test", ragged=True)
    rng = np.random.RandomState(
        seed
    )  # one generator: the test part's order depends on the training part's length
    parts = []
    for x, y in ((x_train, y_train), (x_test, y_test)):
        x, y = shuffled(x, y, rng)
        parts.append(drop_long(mark(x, start_char, index_from), y, maxlen))
    (train, y_train), (test, y_test) = parts
    texts = limit_words(train + test, num_words, skip_top, oov_char)
    return (as_ragged(texts[: len(train)]), y_train), (as_ragged(texts[len(train) :]), y_test)


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """Rank of each word, from 1 for the most frequent; ``load_data`` adds ``index_from`` to it.

    Args:
        path: name of the file in the cache.
    """
    return load_word_index(fetch(path, "imdb_word_index.json", "bfafd718b763782e994055a2d397834f"))

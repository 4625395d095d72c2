"""Reuters: newswires by topic (from Reuters-21578; Lewis, 1997)."""

from __future__ import annotations

from .npz import load_npz
from .sequences import as_ragged, drop_long, limit_words, load_word_index, mark
from .source import Split, check_fraction, fetch, shuffled

__all__ = ["get_label_names", "get_word_index", "load_data"]

_TOPICS = (
    "cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply", "coffee",
    "sugar", "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas", "cpi", "money-fx",
    "interest", "gnp", "meal-feed", "alum", "oilseed", "gold", "tin", "strategic-metal", "livestock",
    "retail", "ipi", "iron-steel", "rubber", "heat", "jobs", "lei", "bop", "zinc", "orange", "pet-chem",
    "dlr", "gas", "silver", "wpi", "hog", "lead",
)  # fmt: skip


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Split:
    """11,228 newswires under 46 topics, each a list of words, a word being its rank by frequency.

    Args:
        path: name of the file in the cache.
        num_words: keep words with an index below this; ``None`` keeps them all.
        skip_top: and not below this.
        maxlen: leave out texts of this length or longer.
        test_split: fraction kept for testing.
        seed: of the shuffle before the split.
        start_char: put in front of each text.
        oov_char: in place of words that are not kept; ``None`` leaves them out.
        index_from: added to each rank, as 0, 1 and 2 mean padding, start and unknown.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: arrays of lists, and topics (n,), named by :func:`get_label_names`.

    Raises:
        ValueError: if ``maxlen`` leaves nothing, or unless ``0 <= test_split < 1``.
    """
    check_fraction(test_split)
    file = fetch(path, "reuters.npz", "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916")
    x, y = load_npz(file, "x", "y", ragged=True)
    x, y = shuffled(x, y, seed)
    texts, y = drop_long(mark(x, start_char, index_from), y, maxlen)
    texts = limit_words(texts, num_words, skip_top, oov_char)
    cut = int(len(texts) * (1 - test_split))
    return (as_ragged(texts[:cut]), y[:cut]), (as_ragged(texts[cut:]), y[cut:])


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """Rank of each word, from 1 for the most frequent; ``load_data`` adds ``index_from`` to it.

    Args:
        path: name of the file in the cache.
    """
    return load_word_index(fetch(path, "reuters_word_index.json", "4d44cc38712099c9e383dc6e5f11a921"))


def get_label_names() -> tuple[str, ...]:
    """The 46 topics, in the order of the labels.

    Example:
        >>> get_label_names()[:4]
        ('cocoa', 'grain', 'veg-oil', 'earn')
    """
    return _TOPICS

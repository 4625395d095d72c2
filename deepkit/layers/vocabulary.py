"""What is behind the lookup layers: tokens and their numbers, counts of tokens, files and checks."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from itertools import chain, repeat
from typing import Any, Iterable, Sequence

import numpy as np

from .. import config as _config
from ..registry import in_safe_mode


class Vocabulary:
    """Tokens numbered from ``start`` on.

    Args:
        tokens: Byte strings, or integers.
        start: Number of the first.
        strings: Whether they are byte strings.
        masked: A further token with a number of its own, which goes before.

    Example:
        >>> Vocabulary([b"a", b"b"], 1, True).numbers([b"b", b"x"], 0).tolist()
        [2, 0]
    """

    def __init__(self, tokens: Sequence[Any], start: int, strings: bool, masked: tuple[Any, int] | None = None):
        self.tokens = tuple(tokens)
        self._strings = strings
        table = {token: i for i, token in enumerate(self.tokens, start)}
        if masked is not None:
            table[masked[0]] = masked[1]
        if strings:
            self._table = table
        else:  # integers are looked up by bisection, all at once
            keys, numbers = np.array([*table], np.int64), np.array([*table.values()], np.int64)
            order = np.argsort(keys)
            self._keys, self._numbers = keys[order], numbers[order]

    @cached_property
    def breaks_lines(self) -> bool:
        """Whether a file of one token a line can't hold the tokens: one has a line break, or the last is empty."""
        return self._strings and (self.tokens[-1:] == (b"",) or any(map(_breaks, self.tokens)))

    def numbers(self, tokens: Any, default: int) -> np.ndarray:
        """The number of each token of a list of byte strings or an array of integers; ``default`` for unknown ones."""
        if self._strings:
            return np.fromiter(map(self._table.get, tokens, repeat(default)), np.int64, len(tokens))
        if not len(self._keys):
            return np.full(len(tokens), default, np.int64)
        at = np.minimum(np.searchsorted(self._keys, tokens), len(self._keys) - 1)
        return np.where(self._keys[at] == tokens, self._numbers[at], default)


def _breaks(token: bytes) -> bool:
    text = token.decode("utf-8", "replace")
    return bool(text) and text.splitlines() != [text]


class TokenCounts:
    """How often tokens occur, and in how many documents."""

    def __init__(self) -> None:
        self._tokens: Counter = Counter()
        self._holding: Counter = Counter()
        self._documents = 0

    def __bool__(self) -> bool:
        return bool(self._tokens)

    def update(self, rows: Iterable[Sequence[Any]], documents: bool) -> None:
        """Count the tokens of documents; ``documents`` says whether to count those that hold each, too."""
        rows = list(rows)
        self._tokens.update(chain.from_iterable(rows))
        if documents:
            self._holding.update(chain.from_iterable(map(set, rows)))
            self._documents += len(rows)

    def ordered(self, left_out: Sequence[Any], limit: int | None) -> list[Any]:
        """The tokens, frequent ones first, equally frequent ones in descending order."""
        counts = [item for item in self._tokens.items() if item[0] not in left_out]
        counts.sort(key=lambda item: (item[1], item[0]), reverse=True)
        return [token for token, _ in counts[:limit]]

    def idf(self, tokens: Sequence[Any]) -> np.ndarray:
        """log(1 + documents / (1 + documents that hold it)) for each token."""
        holding = np.array([self._holding[t] for t in tokens])
        return np.log(1 + self._documents / (1 + holding)).astype(_config.floatx())


def listed(vocabulary: Any, dtype: str) -> list[Any]:
    """A vocabulary as a list.

    Raises:
        TypeError: if it is no list, tuple or array.
        ValueError: if it is empty, or holds something other than strings (``dtype`` is ``"string"``) or integers.
    """
    if hasattr(vocabulary, "numpy"):
        vocabulary = vocabulary.numpy()
    if isinstance(vocabulary, np.ndarray):
        vocabulary = vocabulary.tolist()
    if not isinstance(vocabulary, (list, tuple)):
        raise TypeError("`vocabulary` should be a list, a tuple, an array of one dimension or the name of a file. "
                        f"Received: {vocabulary!r} of type {type(vocabulary).__name__}")  # fmt: skip
    if not vocabulary:
        raise ValueError(f"a vocabulary can't be empty. Received: vocabulary={vocabulary!r}")
    kinds = (str, bytes) if dtype == "string" else (int, np.integer)
    for token in vocabulary:
        if not isinstance(token, kinds) or isinstance(token, bool):
            what = "strings" if dtype == "string" else "integers"
            raise ValueError(f"`vocabulary` should hold {what}. Received, for instance, {token!r} of type "
                             f"{type(token).__name__}")  # fmt: skip
    return list(vocabulary)


def check_tokens(tokens: list[Any], reserved: dict[str, Any], special: list[Any], limit: int | None) -> None:
    """Check the tokens of a vocabulary that follow the ``special`` ones.

    Raises:
        ValueError: if one occurs twice or is among the ``reserved`` (by the argument's name), or they are too many.
    """
    repeated = [token for token, n in Counter(tokens).items() if n > 1]
    if repeated:
        raise ValueError(f"`vocabulary` holds tokens more than once: {repeated[:10]}; list each once.")
    for name, token in reserved.items():
        if token in tokens:
            raise ValueError(f"{name}={token!r} is out of place in `vocabulary`, at {tokens.index(token)} of its "
                             f"tokens: leave the special tokens out, or begin with exactly {special}.")  # fmt: skip
    if limit is not None and len(special) + len(tokens) > limit:
        raise ValueError(f"the vocabulary has {len(special) + len(tokens)} tokens, special ones included, more than "
                         f"max_tokens={limit}.")  # fmt: skip


def plain(x: Any) -> Any:
    """Tensors and arrays as lists."""
    if hasattr(x, "numpy"):
        x = x.numpy()
    return x.tolist() if isinstance(x, np.ndarray) else x


def refuse_file(cls: type, config: dict[str, Any]) -> None:
    """Let no configuration name a vocabulary file, which could be any file of the machine.

    Raises:
        ValueError: if it names one, unless ``safe_mode=False`` says to trust it.
    """
    if isinstance(config.get("vocabulary"), str) and in_safe_mode():
        raise ValueError(f"{cls.__name__} {config.get('name')!r}: a configuration may not name a vocabulary file, "
                         "which could be any file of this machine. If you trust it, pass safe_mode=False. Received: "
                         f"vocabulary={config['vocabulary']!r}")  # fmt: skip


def read_lines(path: str) -> list[str]:
    """The lines of a text file in UTF-8; what follows the last line break counts if it isn't empty."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        lines = file.read().split("\n")
    return lines[:-1] if lines and not lines[-1] else lines

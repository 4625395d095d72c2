"""Names of layers, variables and classes as Keras spells them."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

_counts: Counter[str] = Counter()
_uids: Counter[str] = Counter()


def to_snake_case(name: str) -> str:
    """``"MaxPooling2D"`` to ``"max_pooling2d"``.

    Example:
        >>> to_snake_case("Conv2DTranspose"), to_snake_case("LSTM")
        ('conv2d_transpose', 'lstm')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix: str) -> str:
    """A name that is new in this process: ``dense``, ``dense_1``, ``dense_2``, ..."""
    prefix = to_snake_case(prefix)
    n = _counts[prefix]
    _counts[prefix] += 1
    return f"{prefix}_{n}" if n else prefix


def get_uid(prefix: str = "") -> int:
    """How often this was asked for ``prefix``: 1, 2, 3, ...

    Example:
        >>> get_uid("my_layer"), get_uid("my_layer")
        (1, 2)
    """
    _uids[prefix] += 1
    return _uids[prefix]


def reset_names() -> None:
    """Start counting again (``clear_session``)."""
    _counts.clear()
    _uids.clear()


def close_matches(name: Any, known: Any) -> str:
    """A hint ``" Did you mean 'x' or 'y'?"`` for an unknown name, or the empty string."""
    import difflib

    found = difflib.get_close_matches(str(name), [str(k) for k in known], n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(map(repr, found))}?" if found else ""

"""Configurations as JSON text, from files that nobody vouches for."""

from __future__ import annotations

import json
from typing import Any

#: Nesting deeper than this is refused: no real model comes near it, and Python's stack ends not far above.
MAX_DEPTH = 200
#: A longer text is refused.
MAX_TEXT = 64 << 20
#: More dictionaries and lists in one text are refused: the parser would make gigabytes of Python objects of them.
MAX_CONTAINERS = 500_000


def read_config(text: str | bytes, where: str = "The configuration") -> dict[str, Any]:
    """The dictionary in a JSON text.

    Args:
        text: The text; bytes are UTF-8.
        where: What messages call it.

    Raises:
        ValueError: if it is no JSON, holds something else than a dictionary, is too long or nested too deeply.

    Example:
        >>> read_config('{"class_name": "Dense"}')
        {'class_name': 'Dense'}
    """
    if len(text) > MAX_TEXT:
        raise ValueError(f"{where} has {len(text):,} bytes, more than the {MAX_TEXT:,} that are read.")
    braces = text.count("{") + text.count("[") if isinstance(text, str) else text.count(b"{") + text.count(b"[")
    if braces > MAX_CONTAINERS:
        raise ValueError(f"{where} has {braces:,} dictionaries and lists, more than {MAX_CONTAINERS:,} that are read.")
    try:
        found = json.loads(text)
    except RecursionError:
        raise ValueError(f"{where} is nested too deeply.") from None
    except ValueError as error:
        raise ValueError(f"{where} is malformed: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{where} should hold a dictionary, not {type(found).__name__}.")
    level: list[Any] = [found]
    for _ in range(MAX_DEPTH + 1):
        inner = (value.values() if isinstance(value, dict) else value for value in level)
        level = [v for values in inner for v in values if isinstance(v, (dict, list))]
    if level:
        raise ValueError(f"{where} is nested more than {MAX_DEPTH} levels deep.")
    return found

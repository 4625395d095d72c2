"""Steps as graphs, which processors don't have."""

from __future__ import annotations

__all__ = ["graphs"]


def graphs() -> None:
    """Nothing: steps run as they are."""
    return None

"""What is kept of older Kerases."""

from . import saving

__all__ = ["saving"]

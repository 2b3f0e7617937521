"""Text from outside on its way to a terminal."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    """What a peer wrote, without what would change a terminal or break a picture."""
    return "".join(each if each.isprintable() else "·" for each in text)

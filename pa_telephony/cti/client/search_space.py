"""Whose calling search space a redirect is looked up in."""

from __future__ import annotations

import enum

__all__ = ["SearchSpace"]


class SearchSpace(enum.IntEnum):
    """JTAPI's search spaces of ``redirect`` and ``selectRoute``, with their numbers on the wire."""

    DEFAULT = 0
    """What the call manager takes: the calling party's (documented, CSCso91760)."""
    CALLING_ADDRESS = 1
    """The calling party's."""
    ADDRESS = 2
    """That of the line that redirects. A route point that intercepts calls wants this one: the
    calling party's leads back to it."""

"""Names of peers as people write them: ``"10.0.0.5"``, ``"cm-a:2000"``, or several in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

__all__ = ["Peers", "parse_peers"]

Peers: TypeAlias = str | Sequence[str]
"""One peer, or several in order of preference; each ``host`` or ``host:port``."""


def parse_peers(peers: Peers, default_port: int) -> list[tuple[str, int]]:
    """(host, port) of each. Raises :class:`ValueError` for none, and for a port that is none."""
    names = [peers] if isinstance(peers, str) else list(peers)
    if not names:
        raise ValueError("no peer given")
    result: list[tuple[str, int]] = []
    for name in names:
        host, colon, port = name.rpartition(":")
        if colon and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(f"{name!r}: the port must be 1 to 65535")
        result.append((host, int(port)) if colon else (name, default_port))
    return result

"""Names of peers as people write them: ``"10.0.0.5"``, ``"cm-a:2000"``, or several in order."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TypeAlias

__all__ = ["Peers", "is_loopback", "parse_peers"]

Peers: TypeAlias = str | Sequence[str]
"""One peer, or several in order of preference; each ``host`` or ``host:port``.

An IPv6 address with a port stands in brackets: ``[fd00::5]:2000``.
"""


def parse_peers(peers: Peers, default_port: int) -> list[tuple[str, int]]:
    """(host, port) of each peer; raises :class:`ValueError` for what is no peer, and for none."""
    names = [peers] if isinstance(peers, str) else list(peers)
    if not names:
        raise ValueError("no peer given")
    return [_parse(name, default_port) for name in names]


def _parse(name: str, default_port: int) -> tuple[str, int]:
    if name.startswith("[") and "]" in name:
        host, _, rest = name[1:].partition("]")
        colon, port = rest[:1], rest[1:]
    elif name.count(":") > 1:
        host, colon, port = name, "", ""
    else:
        host, colon, port = name.partition(":")
    if not host or colon not in ("", ":"):
        raise ValueError(f"{name!r}: must be a host, host:port, or [IPv6 address]:port")
    if not colon:
        return host, default_port
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"{name!r}: the port must be 1 to 65535")
    return host, int(port)


def is_loopback(host: str | None) -> bool:
    """Whether ``host`` is an address of this machine alone; a name other than localhost is not."""
    if host == "localhost":
        return True
    try:
        return host is not None and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

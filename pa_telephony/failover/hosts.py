"""What is the name of a host, as fields of a configuration are checked. Pure."""

from __future__ import annotations

import ipaddress
import re

__all__ = ["is_host", "is_ip", "split_host"]

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


def is_ip(text: str) -> bool:
    """Whether it is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_host(text: str) -> bool:
    """Whether it is an address, or may be a DNS name."""
    if is_ip(text):
        return True
    labels = text.removesuffix(".").split(".")
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    # 10.77.208 or 10.77.208.999 is a typing error, not a name: no top-level domain is a number.
    return not labels[-1].isdecimal()


def split_host(entry: str) -> tuple[str, str]:
    """Split ``host``, ``host:port``, ``[v6]:port`` or a bare IPv6 address; the port may be ""."""
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        return host, rest.removeprefix(":")
    if entry.count(":") > 1:
        return entry, ""
    host, colon, port = entry.partition(":")
    return host, port or ("0" if colon else "")

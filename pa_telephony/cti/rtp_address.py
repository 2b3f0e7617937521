"""IPv4 addresses and ports as CTIQBE carries them."""

from __future__ import annotations

import ipaddress

from pa_telephony.errors import LocalProtocolError

__all__ = ["ip_number", "ip_text", "port_number"]


def ip_number(address: str) -> int:
    """The number whose four bytes on the wire are the address in network order; "" is 0."""
    try:
        packed = ipaddress.IPv4Address(address or "0.0.0.0").packed
    except ValueError as error:
        raise LocalProtocolError(f"{address!r} is no IPv4 address") from error
    return int.from_bytes(packed, "little", signed=True)


def ip_text(number: int) -> str:
    """The address whose four bytes in network order are the number on the wire."""
    return str(ipaddress.IPv4Address((number & 0xFFFFFFFF).to_bytes(4, "little")))


def port_number(number: int) -> int:
    """The port in a number; Cisco's client sends 40000 as 0xFFFF9C40 (observed)."""
    return number & 0xFFFF

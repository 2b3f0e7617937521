"""By which names the administration is asked for, and which proxy may say who asks. Pure.

A page of a stranger can make its own name mean our address (DNS rebinding), and its visitor's
browser then asks us in that name. So only names that were given, and addresses, are answered.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

__all__ = ["Access", "SignOn", "plain_address"]

_OURS = frozenset({"localhost"})


def plain_address(text: str) -> str:
    """An IP address in one spelling; IPv4 as IPv6 carries it is IPv4. "" for what is none."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


@dataclass(frozen=True)
class SignOn:
    """A header in which a proxy says who has signed on there, and the addresses of the proxy."""

    header: str
    addresses: frozenset[str]


@dataclass(frozen=True)
class Access:
    """How the administration may be asked."""

    names: frozenset[str] = frozenset()
    """The names of its host, in small letters; localhost and addresses are answered besides."""
    sign_on: SignOn | None = None

    def host_problem(self, host: str) -> str:
        """Why a request with this header Host is not answered; "" when it is."""
        name = host.strip().lower()
        if name.startswith("["):
            name, bracket, port = name[1:].partition("]")
            port = port.removeprefix(":") if bracket else "-"
        else:
            name, _, port = name.partition(":")
        name = name.removesuffix(".")
        if port and not (port.isascii() and port.isdecimal()):
            return "The header Host cannot be read."
        if name in self.names or name in _OURS or plain_address(name):
            return ""
        return (
            f"This administration is not called {name[:100]}. If it is, start it with"
            " --name and that name."
        )

    def may_say_who(self, address: str) -> bool:
        """Whether a proxy at this address is believed who asks."""
        return self.sign_on is not None and plain_address(address) in self.sign_on.addresses

"""Who has not said yet who he is: so many connections in all, and so many of one address.

Without the second number whoever can open connections keeps everybody out; without the first it
takes a few more addresses. Who has registered, or logged in, takes up no place here.
"""

from __future__ import annotations

import ipaddress
from collections import Counter

__all__ = ["Lobby", "network_of"]


class Lobby:
    """Places for connections of unknown peers; ``who`` is anything hashable that is one of them."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._of: Counter[str] = Counter()
        self._from: dict[object, str] = {}

    def __len__(self) -> int:
        return len(self._from)

    @property
    def full(self) -> bool:
        """Whether nobody more gets in."""
        return len(self._from) >= self._most

    def crowded(self, address: str) -> bool:
        """Whether nobody more of this IP address gets in; of IPv6, of its /64."""
        return self._of[network_of(address)] >= self._most_of_one

    def enter(self, who: object, address: str) -> None:
        """One more."""
        network = self._from[who] = network_of(address)
        self._of[network] += 1

    def leave(self, who: object) -> None:
        """He is known now, or gone; a second time nothing happens."""
        network = self._from.pop(who, None)
        if network is not None:
            self._of[network] -= 1
            if not self._of[network]:
                del self._of[network]


def network_of(address: str) -> str:
    """What one host has at its disposal: an address of IPv4, 2**64 of them of IPv6."""
    if ":" not in address:
        return address
    return f"{int(ipaddress.IPv6Address(address)) >> 64:x}::"

"""Who has not said yet who it is: so many connections in all, and so many of one address.

Without the second number whoever can open connections keeps everybody out; without the first it
takes a few more addresses. Who has registered, or logged in, takes up no place here. When all
places are taken, one who comes from where fewer come has that of the oldest of the most.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

__all__ = ["Lobby", "network_of"]


class Lobby:
    """Places for connections of unknown peers; ``who`` is anything hashable that is one of them."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._of: dict[str, dict[object, Callable[[], None] | None]] = {}
        """By network, the oldest first."""
        self._from: dict[object, str] = {}

    def __len__(self) -> int:
        return len(self._from)

    @property
    def full(self) -> bool:
        """Whether nobody more gets in."""
        return len(self._from) >= self._most

    def crowded(self, address: str) -> bool:
        """Whether nobody more of this IP address gets in; of IPv6, of its /64."""
        return len(self._of.get(network_of(address), ())) >= self._most_of_one

    def enter(self, who: object, address: str, turn_out: Callable[[], None] | None = None) -> None:
        """One more; ``turn_out`` closes its connection, for :meth:`make_room`."""
        network = self._from[who] = network_of(address)
        self._of.setdefault(network, {})[who] = turn_out

    def leave(self, who: object) -> None:
        """It is known now, or gone; a second time nothing happens."""
        network = self._from.pop(who, None)
        if network is not None:
            there = self._of.get(network, {})
            there.pop(who, None)
            if not there:
                self._of.pop(network, None)

    def make_room(self, address: str) -> bool:
        """Turn somebody out for one of this address; False if nobody has to go.

        The oldest of the network with the most places goes, if the newcomer's would still have
        fewer: so whoever floods from a few addresses pushes out its own only, and who comes from
        another one gets in.
        """
        nobody: dict[object, Callable[[], None] | None] = {}
        crowd = max(self._of.values(), key=len, default=nobody)
        if len(self._of.get(network_of(address), ())) + 1 >= len(crowd):
            return False
        who, turn_out = next(iter(crowd.items()))
        if turn_out is None:
            return False
        self.leave(who)
        turn_out()
        return True


def network_of(address: str) -> str:
    """What one host has at its disposal: an address of IPv4, 2**64 of them of IPv6."""
    if ":" not in address:
        return address
    return f"{int(ipaddress.IPv6Address(address)) >> 64:x}::"

"""How many connections of unknown peers there may be, in all and from one address.

Without the second limit one peer that opens connections keeps all others out; without the first a
few more addresses are enough for that. Peers that have registered, or logged in, take up no place
here. When all places are taken, a newcomer from an address with few connections gets the place of
the oldest one from the address with the most.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Lobby", "Refusal", "Refusals", "network_of"]


class Lobby:
    """Places for connections of unknown peers; ``who`` is any hashable object that names one."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._of: dict[str, dict[object, Callable[[], None] | None]] = {}
        """The connections by network, the oldest first."""
        self._from: dict[object, str] = {}

    def __len__(self) -> int:
        return len(self._from)

    @property
    def full(self) -> bool:
        """Whether all places are taken."""
        return len(self._from) >= self._most

    def crowded(self, address: str) -> bool:
        """Whether all places of this IP address are taken; of IPv6, those of its /64."""
        return len(self._of.get(network_of(address), ())) >= self._most_of_one

    def enter(self, who: object, address: str, turn_out: Callable[[], None] | None = None) -> None:
        """Take up a place; ``turn_out`` closes the connection, for :meth:`make_room`."""
        network = self._from[who] = network_of(address)
        self._of.setdefault(network, {})[who] = turn_out

    def leave(self, who: object) -> None:
        """Give up a place, of a peer that is known now or gone; a second time nothing happens."""
        network = self._from.pop(who, None)
        if network is not None:
            there = self._of.get(network, {})
            there.pop(who, None)
            if not there:
                self._of.pop(network, None)

    def make_room(self, address: str) -> bool:
        """Turn out a connection to make room for one from ``address``; False if none has to go.

        The oldest of the network with the most places goes, if the newcomer's would still have
        fewer: so a peer that floods from a few addresses pushes out its own connections only, and a
        newcomer from another address gets in.
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


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a name was turned away, and when on the clock of whoever noted it."""

    at: float
    reason: str
    address: str = ""


class Refusals:
    """The last refusal of each name, of at most ``most`` names: those that were refused last."""

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._of: OrderedDict[str, Refusal] = OrderedDict()

    def note(self, name: str, refusal: Refusal) -> None:
        """Note that a name was refused."""
        self._of[name] = refusal
        self._of.move_to_end(name)
        if len(self._of) > self._most:
            self._of.popitem(last=False)

    def forget(self, name: str) -> None:
        """Forget the refusals of a name, which was let in."""
        self._of.pop(name, None)

    def of(self, name: str) -> Refusal | None:
        """The last refusal of a name; None when there was none."""
        return self._of.get(name)


def network_of(address: str) -> str:
    """The network of an address that one host may use all of: itself, or the /64 of IPv6."""
    if ":" not in address:
        return address
    return f"{int(ipaddress.IPv6Address(address)) >> 64:x}::"

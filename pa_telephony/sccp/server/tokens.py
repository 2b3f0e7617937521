"""Which stations may return from another call manager: so many at once, each for a while.

A token is no more than a place in a queue: a station that comes without one, or too late, is
registered, too.
"""

from __future__ import annotations

from dataclasses import dataclass

from pa_telephony.admission import network_of

__all__ = ["Tokens"]


@dataclass(slots=True)
class _Token:
    who: object
    until: float
    network: str


class Tokens:
    """``most`` tokens, each gone after so many ``seconds``; one for each name and each connection.

    ``most_of_one`` of them can be in the hands of one address (of IPv6: of one /64).
    """

    def __init__(self, most: int, most_of_one: int, seconds: float) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._seconds = seconds
        self._of: dict[str, _Token] = {}

    def give(self, who: object, name: str, address: str, now: float) -> bool:
        """Whether ``who`` may bring the station ``name`` now.

        Asking again, on whichever connection of the same address, neither costs another token nor
        prolongs the first; asking for another name gives the first one back.
        """
        self._of = {
            each: token
            for each, token in self._of.items()
            if now < token.until and (token.who is not who or each == name)
        }
        network = network_of(address)
        token = self._of.get(name)
        if token is not None and token.network == network:
            token.who = who
            return True
        of_it = sum(each.network == network for each in self._of.values())
        if token is not None or len(self._of) >= self._most or of_it >= self._most_of_one:
            return False
        self._of[name] = _Token(who, now + self._seconds, network)
        return True

    def take_back(self, who: object) -> None:
        """Free the token of ``who``: the station has registered, or its connection is gone."""
        self._of = {name: token for name, token in self._of.items() if token.who is not who}

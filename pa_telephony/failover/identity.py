"""What a server owns at the call manager: a number with its device, of one of four kinds."""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass, field

__all__ = ["Identity", "Kind"]


class Kind(enum.Enum):
    """What an identity is; the value is its name in store keys and on the status page."""

    PORT = "port"
    INTERCEPTOR = "interceptor"
    AA_ROUTE_POINT = "aa"
    ROUTE_POINT = "route"

    __hash__ = object.__hash__  # members are singletons, and every plan looks up hundreds

    @property
    def stage(self) -> int:
        """When it is registered, and goes back to its owner: ports 0, interceptors 1, the rest 2.

        Ports before the route point: rule F27. Interceptors after the ports, which they need as
        soon as a caller has to be talked to, and before the route point: Q19. The AA route point
        moves with the route point: Q18.
        """
        return _STAGES[self]


_NAMES = {kind.value: kind for kind in Kind}
_STAGES = {Kind.PORT: 0, Kind.INTERCEPTOR: 1, Kind.AA_ROUTE_POINT: 2, Kind.ROUTE_POINT: 2}


@dataclass(frozen=True)
class Identity:
    """One identity of the server ``home``.

    ``number`` is a directory number, or a pattern for an interceptor. ``index`` counts from 0
    within the kind. ``device`` and ``provider`` stay the owner's, whichever server holds it (F20,
    Q24); a blank device is the one that has the number as its line.
    """

    home: str
    kind: Kind
    number: str
    index: int = field(default=0, compare=False)
    device: str = field(default="", compare=False)
    provider: str = field(default="", compare=False)

    @functools.cached_property
    def _hash(self) -> int:
        return hash((self.home, self.kind, self.number))

    def __hash__(self) -> int:
        return self._hash

    @functools.cached_property
    def key(self) -> str:
        """The key in the store that says which server owns the identity."""
        return f"own/{self.home}/{self.kind.value}/{self.number}"

    @classmethod
    def parse(cls, key: str) -> Identity | None:
        """The identity that a key of the store names, without device and provider; else None."""
        own, _, rest = key.partition("/")
        home, _, rest = rest.partition("/")
        kind, _, number = rest.partition("/")
        if own != "own" or kind not in _NAMES or not number:
            return None
        return cls(home, _NAMES[kind], number)

    @functools.cached_property
    def label(self) -> str:
        """A short name, unique in the cluster, for heartbeats and events."""
        return f"{self.home}/{self.kind.value}/{self.number}"

    def __str__(self) -> str:
        return f"{self.kind.value} {self.number} of {self.home}"

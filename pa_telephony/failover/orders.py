"""What operators have ordered, as it stands in the store. Pure.

==========================  =====================  ============================================
key                         value                  meaning
==========================  =====================  ============================================
``stop/S``                  ``stop`` | ``alone``   S shall not run; with ``alone`` no server stands
                            | ``drain:SECONDS``    in either; with ``drain`` once its calls have
                                                   ended, or had so many seconds
``move/H``                  ``F`` |                F shall serve H, although H could; calls on H's
                            ``F:SECONDS``          ports have so many seconds, or all their time
``return/H``                ``H:token:SECONDS``    what a stand-in has of H comes home at once;
                                                   calls on H's ports have so many seconds. It
                                                   counts for that session of H alone
``hold/H``                  ``held``               nothing of H comes home while it stands: who
                                                   stands in keeps it, although H is back
==========================  =====================  ============================================

An order stands until it is taken back; one to return until that is done. To return takes ``move``
and ``hold`` back, and each of them takes it back. A value that has more behind another colon is of
a later release, and what is known of it counts.
"""

from __future__ import annotations

import enum
from collections.abc import Container
from dataclasses import dataclass

from pa_telephony.failover.transaction import Snapshot

__all__ = ["Orders", "Stop", "held_back", "move", "orders_of", "returning", "stop"]


def stop(server: str) -> str:
    """The key of an operator's order that a server be stopped."""
    return f"stop/{server}"


def move(home: str) -> str:
    """The key of an operator's order that a stand-in serve a home."""
    return f"move/{home}"


def returning(home: str) -> str:
    """The key of an operator's order that a home have its own back now."""
    return f"return/{home}"


def held_back(home: str) -> str:
    """The key of an operator's order that nothing of a home come home."""
    return f"hold/{home}"


class Stop(enum.Enum):
    """How an operator wants a server stopped; the value stands in the store."""

    FAIL_OVER = "stop"
    """Others stand in, as after a crash (F14)."""
    ALONE = "alone"
    """No other server stands in (Q15)."""
    DRAIN = "drain"
    """It takes no new calls, hands over what is free, and leaves when its calls have ended or the
    seconds after the colon are over: ``drain:600`` (Q15)."""


_HOW = {each.value: each for each in Stop}


@dataclass(frozen=True)
class Orders:
    """All that operators have ordered of one server, and what counts of it now."""

    stop: Stop | None = None
    drains_within: float = 0.0
    """How many seconds calls have after the order to drain."""
    moved_to: str | None = None
    """The stand-in that shall serve what is the server's own."""
    moves_within: float | None = None
    """How many seconds calls have that delay the move; None for all their time."""
    returns_within: float | None = None
    """How many seconds calls have that delay the return that is ordered; None when none is."""
    held_back: bool = False
    """Whether nothing of it shall come home."""

    def why_calls_end(self, home: str) -> str:
        """The order that ends calls on ports of ``home``, in words."""
        if self.returns_within is not None:
            return f"an operator has {home} return"
        return f"an operator moves {home} to {self.moved_to}"


_NONE = Orders()


def orders_of(
    snapshot: Snapshot, server: str, candidates: Container[str], token: int | None
) -> Orders:
    """What the store says of ``server``, which may be moved to one of ``candidates``.

    ``token`` is that of its session; None without one.
    """
    how, moved = _value(snapshot, stop(server)), _value(snapshot, move(server))
    returns, held = _value(snapshot, returning(server)), held_back(server) in snapshot.entries
    if not (how or moved or returns or held):
        return _NONE
    stopped = _HOW.get(how[0], Stop.FAIL_OVER) if how else None
    to = moved[0] if moved and moved[0] in candidates else None
    return Orders(
        stop=stopped,
        drains_within=_seconds(how[1:]) or 0.0,
        moved_to=to,
        moves_within=_seconds(moved[1:]) if to else None,
        returns_within=_seconds(returns[2:]) if returns[:2] == [server, str(token)] else None,
        held_back=held,
    )


def _value(snapshot: Snapshot, key: str) -> list[str]:
    """The parts of a value, which colons separate; none without that key."""
    entry = snapshot.entries.get(key)
    return entry.value.split(":") if entry is not None else []


def _seconds(parts: list[str]) -> float | None:
    return float(parts[0]) if parts and parts[0].isdecimal() else None

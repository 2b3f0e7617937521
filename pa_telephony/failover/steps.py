"""What a server plans: steps, each a transaction for the store with what it is for. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from pa_telephony.failover.identity import Identity
from pa_telephony.failover.transaction import Put, Transaction
from pa_telephony.failover.world import Bearer

__all__ = ["Plan", "Step", "StepKind", "owned"]


class StepKind(enum.Enum):
    """The purpose of a transaction; the most urgent comes first."""

    LEAVE = "leave"
    """End my session: stopped, or unable to read the store while others wait for what I have."""
    ENTER = "enter"
    """Begin a session in the store."""
    DEPOSE = "depose"
    """End the session of a dead or silent server."""
    CHOOSE_NODE = "choose node"
    """Have the whole cluster go to another call manager of the providers' lists."""
    GIVE_UP = "give up"
    """Own nothing of a home any more: another server reaches providers of it that I have lost."""
    ACQUIRE = "acquire"
    """Own what is mine by configuration and has no owner."""
    TAKE_HOME = "take home"
    """Stand in: everything of a home, and its claim, in one transaction."""
    HAND_BACK = "hand back"
    """Make the home the owner of identities that I have given up (or, with linger, not yet)."""
    HAND_OVER = "hand over"
    """Make a stand-in the owner of what is mine, as an operator wants it, and drop no call."""
    RELEASE = "release"
    """Drop the claim of a home that has everything back."""
    RETURNED = "returned"
    """Take back the order that I have my own back: another has nothing of it."""
    RETIRE = "retire"
    """Own no more what the configuration does not have any more."""
    WANT = "want"
    """Ask the stand-in for what is mine (F25)."""
    UNWANT = "unwant"
    """Stop asking for what is mine."""


@dataclass(frozen=True)
class Step:
    """A transaction and its purpose, for the log.

    ``server`` is a home or a deposed one, and of a choice of the node the hosts there.
    """

    kind: StepKind
    transaction: Transaction
    server: str
    identities: tuple[Identity, ...] = ()

    def __str__(self) -> str:
        count = f", {len(self.identities)} identities" if self.identities else ""
        return f"{self.kind.value} {self.server}{count}"


@dataclass(frozen=True)
class Plan:
    """What a server has to do now: steps for the store, and registrations to hold or give."""

    steps: tuple[Step, ...] = ()
    hold: frozenset[Identity] = frozenset()
    """The identities to be registered at the call manager and served."""
    give: frozenset[Identity] = frozenset()
    """The identities to be unregistered politely: free, and wanted by their home. A call manager
    that refuses (NAK) keeps its call and we keep the identity."""
    end: frozenset[Identity] = frozenset()
    """The media ports whose calls are to be ended now: an operator's order gave them so long."""


def owned(by: Bearer, identities: Iterable[Identity]) -> tuple[Put, ...]:
    """What makes a server the owner of ``identities``."""
    return tuple(Put(identity.key, str(by)) for identity in identities)

"""The mark in a store's file that the cluster goes to an etcd, or has gone there. Pure.

It is the one place where a move is decided. While it says ``copying`` nobody writes anything else,
so that what is copied is what there is; a move is taken back by deleting it, and is done once it
says ``done``. Each compares the mark as it was seen, so that of both only one can happen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from pa_telephony.failover.transaction import (
    Compare,
    Delete,
    Put,
    Snapshot,
    StoreMoved,
    Transaction,
)

__all__ = ["MOVED", "Mark", "mark_in", "moved", "set_mark", "take_back"]

MOVED = "moved"
"""The key of the mark; only who names it in a transaction writes while it is there."""


@dataclass(frozen=True)
class Mark:
    """Where a cluster goes, and whether it is there."""

    to: str
    """The line that names the etcd."""
    attempt: str
    """What tells this move from others, in the etcd too."""
    done: bool = False

    @classmethod
    def decode(cls, value: str) -> Mark:
        """Read what :meth:`encode` wrote; raises StoreMoved for anything else."""
        try:
            said: dict[str, Any] = dict(json.loads(value))
            return cls(str(said["to"]), str(said["attempt"]), bool(said["done"]))
        except (ValueError, TypeError, KeyError) as error:
            raise StoreMoved(f"where the store was moved to cannot be read: {error!r}") from None

    def encode(self) -> str:
        """Write it as JSON on one line."""
        return json.dumps(vars(self), separators=(",", ":"))

    @property
    def heir(self) -> str:
        """The life that has the names in the etcd until their processes have come after."""
        return f"moved {self.attempt}"

    def __str__(self) -> str:
        return f"it was moved to {self.to}" if self.done else f"it is being moved to {self.to}"


def mark_in(snapshot: Snapshot) -> Mark | None:
    """The mark in a snapshot of the file; None when there is none. Raises StoreMoved."""
    entry = snapshot.entries.get(MOVED)
    return None if entry is None else Mark.decode(entry.value)


def set_mark(mark: Mark) -> Transaction:
    """Stop all writing, if nobody has."""
    return Transaction((Compare(MOVED, modified=0),), (Put(MOVED, mark.encode()),))


def moved(mark: Mark, revision: int) -> Transaction:
    """Decide that the cluster is where the mark says, which was set at ``revision``."""
    done = replace(mark, done=True)
    return Transaction((Compare(MOVED, modified=revision),), (Put(MOVED, done.encode()),))


def take_back(revision: int) -> Transaction:
    """Decide that the cluster stays, if the mark is as it was set at ``revision``."""
    return Transaction((Compare(MOVED, modified=revision),), (Delete(MOVED),))

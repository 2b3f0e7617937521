"""What a store holds and how it is changed: entries with revisions, compare-and-swap.

The model is etcd's, because it is the smallest that the protocol needs: every
committed transaction has the next *revision*; an entry knows the revision that created it and the
one that changed it last. Nothing here does I/O.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field

from pa_telephony.errors import ConnectionLost

__all__ = [
    "Compare",
    "Delete",
    "Entry",
    "Outcome",
    "Put",
    "Snapshot",
    "StoreMissing",
    "StoreMoved",
    "StoreReplaced",
    "Transaction",
    "apply",
]


class StoreReplaced(ConnectionLost):
    """The store was lost or replaced: what was agreed on in it holds no more.

    A server that acts on it must stop at once, without waiting for its guard to end.
    """


class StoreMissing(ConnectionLost):
    """An etcd that answers has no store of this cluster yet: its first server begins it."""


class StoreMoved(ConnectionLost):
    """The cluster is being moved to another store, or was: nothing was written to this one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A key's value and the revisions (1, 2, …) that created and last changed it.

    A key that was deleted and put again has a new ``created``: that is what makes it a token.
    """

    value: str
    created: int
    modified: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All entries at one revision.

    ``dead`` names the servers whose process is proven to be gone. It is established *after* the
    entries were read, so a session in ``entries`` of a name in ``dead`` has no process any more;
    a store that cannot prove deaths leaves it empty.

    ``running`` names the servers whose process is seen to run, with a session or without; None
    when the store cannot tell. Nothing is decided by it: it is for people.

    ``source`` names the store that was read: when it changes, the store was lost and begun anew,
    and nothing that was read before counts any more.

    ``as_of`` is a time of the boot clock, in seconds, at which nothing was missing in it that had
    been committed; None when that is the time at which it was asked for.
    """

    revision: int
    entries: Mapping[str, Entry]
    dead: frozenset[str] = frozenset()
    running: frozenset[str] | None = None
    source: str = ""
    as_of: float | None = None

    def under(self, prefix: str) -> list[str]:
        """The keys that begin with ``prefix``."""
        # In C: a large cluster has thousands, and snapshots come twenty times a second.
        begins = map(str.startswith, self.entries, itertools.repeat(prefix))
        return list(itertools.compress(self.entries, begins))

    def changed_since(self, other: Snapshot) -> list[str]:
        """The keys of the entries that ``other`` has not, or has otherwise."""
        mine, theirs = self.entries, other.entries
        others = map(operator.is_not, mine.values(), map(theirs.get, mine))
        return [key for key in itertools.compress(mine, others) if mine[key] != theirs.get(key)]

    def modified(self, key: str) -> int:
        """The revision that last changed ``key``; 0 when there is none."""
        entry = self.entries.get(key)
        return entry.modified if entry else 0


@dataclass(frozen=True, slots=True)
class Compare:
    """A condition on one key; a missing key counts as revision 0 in both."""

    key: str
    created: int | None = None
    modified: int | None = None

    def holds(self, entries: Mapping[str, Entry]) -> bool:
        """Whether the condition is true of ``entries``."""
        entry = entries.get(self.key)
        created, modified = (entry.created, entry.modified) if entry else (0, 0)
        return self.created in (None, created) and self.modified in (None, modified)


@dataclass(frozen=True, slots=True)
class Put:
    """Set the value of a key, which is created if it is missing."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a key; nothing happens when it is not there."""

    key: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """All operations at one revision if every compare holds, else nothing.

    A key stands in at most one operation (etcd refuses more). What is not ``urgent``, such as
    a heartbeat without news, may reach others' watches some tenths of a second later.
    """

    compares: tuple[Compare, ...]
    operations: tuple[Put | Delete, ...]
    urgent: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a transaction was committed, and the store's ``revision`` afterwards."""

    committed: bool
    revision: int = field(compare=False)


def apply(entries: MutableMapping[str, Entry], transaction: Transaction, revision: int) -> Outcome:
    """Run ``transaction`` on ``entries``, which stand at ``revision``; they change in place."""
    if not all(compare.holds(entries) for compare in transaction.compares):
        return Outcome(False, revision)
    revision += 1
    for operation in transaction.operations:
        if isinstance(operation, Delete):
            entries.pop(operation.key, None)
        else:
            old = entries.get(operation.key)
            entries[operation.key] = Entry(
                operation.value, old.created if old else revision, revision
            )
    return Outcome(True, revision)

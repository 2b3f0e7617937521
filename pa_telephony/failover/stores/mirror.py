"""What is known of the keys of a cluster in an etcd, kept up by what has changed. Pure.

The present state comes in two ways, and both end in the same: *events*, in the order of their
revisions, and *changes*, the keys that were modified after a revision, with the number of all keys
there are. A key that was deleted is in no change; the number tells that one is missing, and then
everything has to be read anew.

Keys that begin with ``!`` are the store's own (:data:`INNER`) and no entries of the cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from pa_telephony.failover.transaction import Entry

__all__ = ["INNER", "Event", "Mirror"]

INNER = "!"
"""What the store's own keys begin with."""


class Event(NamedTuple):
    """A key that was put, or deleted: then ``entry`` is None."""

    key: str
    entry: Entry | None
    revision: int


class Mirror:
    """The entries at one revision; ``inner`` are the store's own keys.

    ``is_pulse`` says of a key, its old and its new entry that this is no news.
    """

    def __init__(
        self, is_pulse: Callable[[str, Entry, Entry], bool] = lambda _key, _old, _new: False
    ) -> None:
        self._is_pulse = is_pulse
        self.revision = 0
        """The revision up to which nothing is missing."""
        self.changed = 0
        """The last revision at which an entry was changed."""
        self.last = 0
        """The last revision at which any key is known to have been put."""
        self.news = 0
        """The last revision at which an entry was changed by more than a pulse."""
        self._entries: dict[str, Entry] = {}
        self._given = False
        self.inner: dict[str, Entry] = {}

    @property
    def entries(self) -> Mapping[str, Entry]:
        """The entries; whoever was given them may keep them, as they are not changed any more."""
        self._given = True
        return self._entries

    def replace(self, found: Mapping[str, Entry], revision: int) -> None:
        """Take everything that there is at ``revision``."""
        entries = {key: entry for key, entry in found.items() if not key.startswith(INNER)}
        if entries != self._entries:
            self._entries, self._given = entries, False
            self.changed = self.news = revision
        self.inner = {key: entry for key, entry in found.items() if key.startswith(INNER)}
        self.last = max((entry.modified for entry in found.values()), default=self.last)
        self.revision = revision

    def merge(self, changes: Mapping[str, Entry], count: int, revision: int) -> bool:
        """Take what was changed since :attr:`revision`; False when something is missing then.

        ``count`` is the number of all keys at ``revision``. What is older than what is known
        already changes nothing.
        """
        if revision < self.revision:
            return True
        newer = {
            key: entry for key, entry in changes.items() if entry.modified > self._modified(key)
        }
        kept = len((self._entries.keys() | self.inner.keys()) | newer.keys())
        if kept != count:
            return False
        self._take([Event(key, entry, entry.modified) for key, entry in newer.items()])
        self.revision = revision
        return True

    def apply(self, events: Iterable[Event], revision: int) -> None:
        """Take events in their order; those that are known already change nothing.

        ``revision`` is the last one of which all events are here.
        """
        self._take([event for event in events if event.revision > self.revision])
        self.revision = max(self.revision, revision)

    def _modified(self, key: str) -> int:
        known = self.inner.get(key) if key.startswith(INNER) else self._entries.get(key)
        return known.modified if known is not None else 0

    def _take(self, events: Iterable[Event]) -> None:
        for key, entry, revision in events:
            self.last = max(self.last, revision)
            if key.startswith(INNER):
                target = self.inner
            else:
                target = self._own_entries()
                self.changed = max(self.changed, revision)
                old = target.get(key)
                if old is None or entry is None or not self._is_pulse(key, old, entry):
                    self.news = max(self.news, revision)
            if entry is None:
                target.pop(key, None)
            else:
                target[key] = entry

    def _own_entries(self) -> dict[str, Entry]:
        """The entries to be changed: a copy of them once somebody was given them."""
        if self._given:
            self._entries, self._given = dict(self._entries), False
        return self._entries

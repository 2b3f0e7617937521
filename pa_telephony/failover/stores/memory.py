"""A store inside one process: for tests, and for several servers in one program."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

import trio

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.transaction import Entry, Outcome, Snapshot, Transaction, apply

__all__ = ["MemoryStore"]


class MemoryStore:
    """Entries in a dictionary; one object is shared between the servers of a process."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._revision = 0
        self._alive: set[str] = set()
        self._known: set[str] = set()
        self._changed = trio.Event()

    async def snapshot(self) -> Snapshot:
        """A copy of all entries, with the servers that are proven dead."""
        await trio.lowlevel.checkpoint()
        entries = dict(self._entries)
        return Snapshot(self._revision, entries, self._dead(), frozenset(self._alive))

    async def transact(self, transaction: Transaction) -> Outcome:
        """Commit a transaction or not; the outcome is always known."""
        await trio.lowlevel.checkpoint_if_cancelled()
        outcome = apply(self._entries, transaction, self._revision)
        self._revision = outcome.revision
        if outcome.committed:
            self._notify()
        await trio.lowlevel.cancel_shielded_checkpoint()
        return outcome

    async def watch(self, seen: Snapshot) -> None:
        """Return once a snapshot would differ from ``seen``."""
        await trio.lowlevel.checkpoint()
        while seen.revision == self._revision and seen.dead == self._dead():
            await self._changed.wait()

    @contextlib.asynccontextmanager
    async def alive(self, name: str) -> AsyncGenerator[None]:
        """Hold ``name`` as living until the block is left, which proves its death."""
        await trio.lowlevel.checkpoint()
        if name in self._alive:
            raise ConfigurationError(f"{name} runs already", field="server_name")
        self._alive.add(name)
        self._known.add(name)
        self._notify()
        try:
            yield
        finally:
            self._alive.discard(name)
            self._notify()

    def _dead(self) -> frozenset[str]:
        return frozenset(self._known - self._alive)

    def _notify(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

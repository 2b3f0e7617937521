"""A cluster moved from its file to an etcd while it runs: copied, decided, followed.

Writing stops by a mark in the file, what there is is copied to an empty prefix, and the mark
decides (:mod:`stores.move_mark`); each process then goes on there by itself
(:mod:`stores.movable`). All of it takes some tenths of a second. A move that takes longer than a
quarter of the time of the guard is given up and taken back by itself; one whose process has died is
taken back by the others.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace

import trio

from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover import validation
from pa_telephony.failover.agents import agents, process_name
from pa_telephony.failover.beat import MOVES
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.rolling import rolling
from pa_telephony.failover.stored import current, past
from pa_telephony.failover.stores import etcd_copy, etcd_forms as forms
from pa_telephony.failover.stores.etcd_address import EtcdAddress, is_etcd, state_directory
from pa_telephony.failover.stores.etcd_gateway import Gateway, open_gateway
from pa_telephony.failover.stores.etcd_places import AT, Place
from pa_telephony.failover.stores.locks import process_of
from pa_telephony.failover.stores.machine import machine_name
from pa_telephony.failover.stores.move_mark import (
    MOVED,
    Mark,
    mark_in,
    moved,
    set_mark,
    take_back,
)
from pa_telephony.failover.stores.sqlite import SqliteStore, open_sqlite
from pa_telephony.failover.transaction import Snapshot, StoreMoved
from pa_telephony.failover.world import Stop, World

__all__ = ["Moved", "move_cluster"]

_LOOK = 0.05


@dataclass(frozen=True)
class Moved:
    """What a move has done."""

    to: str
    entries: int
    revisions: int
    """How many revisions of the configuration the history has."""
    seconds: float
    """How long nothing could be written."""
    here: tuple[str, ...]
    """The processes, by their names, that go on in the etcd."""
    behind: tuple[str, ...]
    """Those that run, and have not come after within the time of the guard."""


async def move_cluster(cluster: Cluster, to: str) -> Moved:
    """Move a cluster from its file to the empty prefix of an etcd; finish a move that broke off.

    Raises ConfigurationError when it may not be moved now, with the reason, and ConnectionLost when
    the file or the etcd cannot be used; the cluster is in its file then.
    """
    if is_etcd(cluster.store):
        raise ConfigurationError(
            "is in an etcd: only a cluster in a file is moved", field="store", file=cluster.store
        )
    address = EtcdAddress.parse(to)
    # Whoever is to go on there needs this machine's own directory.
    await trio.to_thread.run_sync(machine_name, state_directory(to))
    opening = open_sqlite(cluster.store_path, create=False, settle=cluster.timing.take)
    async with opening as store, open_gateway(address) as gateway:
        return await _Move(cluster, str(address), store, gateway).run()


class _Move:
    """One attempt to move a cluster."""

    def __init__(self, cluster: Cluster, to: str, store: SqliteStore, gateway: Gateway) -> None:
        self._cluster = cluster
        self._store = store
        self._gateway = gateway
        self._mark = Mark(to, secrets.token_hex(8))
        self._identity = ""

    async def run(self) -> Moved:
        snapshot = await self._store.snapshot()
        self._identity = snapshot.source.partition("/")[0]
        found = mark_in(snapshot)
        if found is not None and not found.done:
            snapshot = await self._end_earlier()
            found = mark_in(snapshot)
        if found is not None:
            return await self._finish_earlier(found, snapshot)
        self._check(snapshot)
        await etcd_copy.claim(self._gateway, self._mark.attempt, self._identity)
        try:
            snapshot, seconds = await self._copy()
        except BaseException:
            with trio.move_on_after(2.0, shield=True):
                await self._tidy_up()
            raise
        return await self._finish(snapshot, seconds)

    def _check(self, snapshot: Snapshot) -> None:
        cluster = current(self._cluster, snapshot)
        for why in _against(cluster, snapshot):
            raise ConfigurationError(f"cannot be moved now: {why}", file=self._cluster.store_name)
        validation.check(replace(cluster, store=self._mark.to))

    async def _copy(self) -> tuple[Snapshot, float]:
        """Stop writing, copy, and decide; what the file had, and how long that took in seconds."""
        most = self._cluster.timing.own / 4
        began = trio.current_time()
        with trio.move_on_after(most):
            outcome = await self._store.transact(set_mark(self._mark))
            if not outcome.committed:
                raise ConfigurationError("another move has begun meanwhile", field="store")
            snapshot = await self._store.snapshot()
            # Processes that have a session have their lock as well; nothing new comes now.
            self._check(snapshot)
            entries = {key: each for key, each in snapshot.entries.items() if key != MOVED}
            # The decision is one more revision of the file.
            await etcd_copy.copy(
                self._gateway,
                self._mark.attempt,
                self._identity,
                entries,
                snapshot.revision + 1,
                self._places(snapshot),
            )
            decided = await self._store.transact(moved(self._mark, outcome.revision))
            if not decided.committed:
                raise ConnectionLost("the move was taken back by a server: it took too long")
            return snapshot, trio.current_time() - began
        raise ConnectionLost(
            f"{self._gateway.name}: the copy took longer than {most:g} s, for which the servers may"
            " wait: nothing was moved"
        )

    def _places(self, snapshot: Snapshot) -> dict[str, Place]:
        locks = self._cluster.locks_path
        host, heir = socket.gethostname(), self._mark.heir
        return {
            name: Place("", host, process_of(locks, name) or 0, heir)
            for name in snapshot.running or ()
        }

    async def _tidy_up(self) -> None:
        """Let the servers write again, if the move is not done, and remove the copy."""
        try:
            snapshot = await self._store.snapshot()
            found = mark_in(snapshot)
            if found == self._mark:
                await self._store.transact(take_back(snapshot.modified(MOVED)))
            elif found is not None and found.done and found.attempt == self._mark.attempt:
                return
            await etcd_copy.empty(self._gateway, self._mark.attempt, self._identity)
        except (ConnectionLost, StoreMoved):
            pass  # The servers take it back, and the next attempt removes the copy.

    # ---------------------------------------------------------------------- earlier attempts

    async def _end_earlier(self) -> Snapshot:
        """Wait for a move that is under way, and take it back when it stands still."""
        timing = self._cluster.timing
        until = trio.current_time() + timing.own / 2
        while True:
            snapshot = await self._store.snapshot()
            found = mark_in(snapshot)
            if found is None or found.done:
                break
            if trio.current_time() > until:
                await self._store.transact(take_back(snapshot.modified(MOVED)))
            await trio.sleep(_LOOK)
        if found is None:
            # Every server says that it lives before it is kept from that again.
            await trio.sleep(2 * timing.heartbeat)
            return await self._store.snapshot()
        return snapshot

    async def _finish_earlier(self, found: Mark, snapshot: Snapshot) -> Moved:
        if found.to != self._mark.to:
            raise ConfigurationError(
                f"was moved to {found.to} already", file=self._cluster.store_name, field="store"
            )
        self._mark = found
        return await self._finish(snapshot, 0.0)

    # ---------------------------------------------------------------------------- the end

    async def _finish(self, snapshot: Snapshot, seconds: float) -> Moved:
        try:
            await etcd_copy.finish(self._gateway, self._mark.attempt, self._identity)
            return await self._report(snapshot, seconds)
        except ConnectionLost as lost:
            lost.add_note(
                "the cluster is moved, and goes on there once the etcd answers; the same command"
                " says then who does"
            )
            raise

    async def _report(self, snapshot: Snapshot, seconds: float) -> Moved:
        names = snapshot.running or frozenset()
        behind = names
        with trio.move_on_after(self._cluster.timing.own):
            while behind:
                behind = names & await self._awaited()
                await trio.sleep(_LOOK)
        revisions = len(past(snapshot.entries))
        here = tuple(sorted(names - behind))
        entries = len(snapshot.entries) - 1
        return Moved(self._mark.to, entries, revisions, seconds, here, tuple(sorted(behind)))

    async def _awaited(self) -> frozenset[str]:
        """The names that are kept in the etcd for processes that have not come after."""
        prefix = self._gateway.address.prefix
        said = await self._gateway.ask("/v3/kv/range", forms.everything(prefix), repeatable=True)
        return frozenset(
            key.removeprefix(AT)
            for key, entry in forms.read_changes(prefix, said).found.items()
            if key.startswith(AT) and Place.decode(entry.value).life == self._mark.heir
        )


def _against(cluster: Cluster, snapshot: Snapshot) -> Iterator[str]:
    """The reasons why the cluster may not be moved now. Pure."""
    roll = rolling(snapshot)
    if roll is not None and roll.goes_on:
        yield "a rolling restart goes on"
    world = World(cluster, snapshot)
    for name, found in world.sessions.items():
        if name in world.names and world.stopped(name) is Stop.DRAIN:
            yield f"{name} is drained, and its calls have not ended"
        if found.beat.protocol < MOVES:
            yield f"{name} is of a release that cannot follow: restart it with this one first"
    for report in agents(snapshot):
        if report.protocol < MOVES:
            name = process_name(report.machine)
            yield f"{name} is of a release that cannot follow: restart it with this one first"
    for key, entry in snapshot.entries.items():
        if len(entry.value.encode()) > etcd_copy.MOST_BYTES:
            yield f"the entry {key} is longer than {etcd_copy.MOST_BYTES >> 20} MiB"

"""Which process has which name, among the machines of a cluster: the keys ``!at/NAME``.

On a machine the lock tells (:mod:`locks`). Among machines the key does: a process takes it when
nobody has it, when the one that has it is of its own machine, whose lock it holds now, or when that
one gives no sign of life: its session, or its report, stays as it is for longer than it may act.
To take it compares that very sign, and every write of whoever has a name compares the key. So a
process that was thought dead and is not commits nothing any more, and learns why.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import secrets
import socket
from collections.abc import Generator, Mapping
from typing import Any, NamedTuple, Protocol

import trio

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import agents, world
from pa_telephony.failover.stores import etcd_forms as forms
from pa_telephony.failover.stores.locks import Locks
from pa_telephony.failover.stores.mirror import INNER
from pa_telephony.failover.transaction import (
    Compare,
    Delete,
    Entry,
    Outcome,
    Put,
    Snapshot,
    Transaction,
)
from pa_telephony.tasks import map_os_errors

__all__ = ["AT", "Place", "Places", "proofs"]

AT = f"{INNER}at/"
_POLL = 0.2
_AGENT_TELLS = 25.0
"""An agent says something every ten seconds at the latest."""


class KeyStore(Protocol):
    """The store in which a name is taken."""

    async def snapshot(self) -> Snapshot:
        """All entries as they are now."""
        ...

    async def transact(self, transaction: Transaction) -> Outcome:
        """Commit a transaction or not."""
        ...

    async def watch(self, seen: Snapshot) -> Snapshot | None:
        """Wait for the next snapshot."""
        ...

    @property
    def inner(self) -> Mapping[str, Entry]:
        """The store's own keys, which are in no snapshot."""
        ...


class Place(NamedTuple):
    """A process that has a name, and where it runs."""

    machine: str
    host: str
    process: int
    life: str

    @classmethod
    def decode(cls, value: str) -> Place:
        """Read what :meth:`encode` wrote; what another release wrote is of no machine we know."""
        return _decode(value)

    def encode(self) -> str:
        """Write it as JSON on one line."""
        return json.dumps(self._asdict(), separators=(",", ":"))


@functools.lru_cache(maxsize=1024)
def _decode(value: str) -> Place:
    try:
        said: dict[str, Any] = dict(json.loads(value))
        process = int(said["process"])
        return Place(str(said["machine"]), str(said["host"]), process, str(said["life"]))
    except (ValueError, TypeError, KeyError):
        return Place("", "a machine that is not known", 0, "")


def proofs(
    inner: Mapping[str, Entry], machine: str, free: frozenset[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """The names whose process is proven gone, and those whose process is said to run.

    ``free`` are the names whose lock on ``machine`` nobody holds: a proof for those whose last
    process was of this machine, and for those that were given back, which nobody has anywhere.
    """
    there = {
        key.removeprefix(AT): Place.decode(entry.value).machine
        for key, entry in inner.items()
        if key.startswith(AT)
    }
    dead = frozenset(name for name in free if there.get(name, machine) == machine)
    return dead, frozenset(there) - dead


class Places:
    """The names that this process has; ``settle`` is in seconds."""

    def __init__(self, machine: str, locks: Locks, settle: float) -> None:
        self._machine = machine
        self._locks = locks
        self._settle = settle
        self.names: dict[str, str] = {}
        """What the key of each name has while it is ours."""

    def proofs(self, inner: Mapping[str, Entry]) -> tuple[frozenset[str], frozenset[str]]:
        """The names that are proven dead, and those that are said to run."""
        free, _ = self.here()
        return proofs(inner, self._machine, free)

    def here(self) -> tuple[frozenset[str], str]:
        """The names whose lock nobody holds on this machine, and why that tells nothing, or ""."""
        with map_os_errors(str(self._locks.path)):
            return self._locks.dead(), self._locks.lost()

    async def wait(self) -> None:
        """Wait until a process of this machine may have ended, 0.2 s at most."""
        with map_os_errors(str(self._locks.path)):
            self._locks.silence()
            descriptor = self._locks.waits_on(self._locks.dead())
        with trio.move_on_after(_POLL):
            await trio.lowlevel.wait_readable(descriptor)

    def check(self, inner: Mapping[str, Entry]) -> None:
        """Raise ConfigurationError when another process has a name of ours, or may have it."""
        for name, mine in self.names.items():
            entry = inner.get(AT + name)
            if entry is None:
                raise ConfigurationError(f"{name} is nobody's any more: {AT}{name} was removed")
            if entry.value != mine:
                raise ConfigurationError(f"{name} runs {_where(entry.value)} now")
        if self.names and (why := self._locks.lost()):
            raise ConfigurationError(f"{', '.join(self.names)} cannot be told to live: {why}")

    def compares(self, prefix: str) -> list[forms.Json]:
        """The compares that hold while our names are ours."""
        return [forms.same(prefix, AT + name, mine) for name, mine in self.names.items()]

    def leaving(self, prefix: str, name: str) -> forms.Json:
        """The request that gives a name of ours back."""
        mine = self.names.pop(name, "")
        gone = Transaction((), (Delete(AT + name),))
        return forms.transaction(prefix, gone, [forms.same(prefix, AT + name, mine)])

    @contextlib.contextmanager
    def locked(self, name: str) -> Generator[None]:
        """Hold the lock of a name on this machine; ConfigurationError when another does."""
        with map_os_errors(str(self._locks.path)):
            self._locks.take(name)
        try:
            yield
        finally:
            self._locks.release(name)

    async def take(self, name: str, store: KeyStore, heir: str = "") -> None:
        """Have the key of a name, whose lock is held; ConfigurationError when another lives.

        The process of the life ``heir`` is known to be this one, or dead.
        """
        sign = _sign(name)
        place = Place(self._machine, socket.gethostname(), os.getpid(), secrets.token_hex(4))
        mine = place.encode()
        while True:
            snapshot = await store.snapshot()
            entry = store.inner.get(AT + name)
            compares = [Compare(AT + name, modified=0 if entry is None else entry.modified)]
            if entry is not None and self._may_live(Place.decode(entry.value), heir):
                snapshot = await self._see_no_sign(name, sign, entry.value, snapshot, store)
                compares.append(Compare(sign, modified=snapshot.modified(sign)))
            taking = Transaction(tuple(compares), (Put(AT + name, mine),))
            if (await store.transact(taking)).committed:
                await store.snapshot()
                self.names[name] = mine
                return

    def _may_live(self, place: Place, heir: str) -> bool:
        return place.machine != self._machine and (not heir or place.life != heir)

    async def take_again(self, store: KeyStore) -> None:
        """Have all our names again in a store that was begun anew."""
        names, self.names = tuple(self.names), {}
        for name in names:
            await self.take(name, store)

    async def _see_no_sign(
        self, name: str, sign: str, value: str, snapshot: Snapshot, store: KeyStore
    ) -> Snapshot:
        """Wait until the process of another machine can act no more; the snapshot that shows it."""
        within = _AGENT_TELLS if sign != world.session(name) else self._settle
        before = snapshot.modified(sign)
        if not before:
            return snapshot
        with trio.move_on_after(within):
            while True:
                told = None
                with trio.move_on_after(_POLL):
                    told = await store.watch(snapshot)
                snapshot = told or await store.snapshot()
                now = snapshot.modified(sign)
                if now not in (0, before):
                    raise ConfigurationError(
                        f"{name} runs already, {_where(value)}", field="server_name"
                    )
                if not now:
                    break
        return snapshot


def _sign(name: str) -> str:
    """The key that changes for as long as the process of this name lives and has something."""
    machine = agents.machine_of(name)
    return world.session(name) if machine is None else agents.key(machine)


def _where(value: str) -> str:
    place = Place.decode(value)
    return f"on {place.host} as process {place.process}"

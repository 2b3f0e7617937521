"""A store in an etcd, for several machines: compare-and-swap, one watch, no leases.

etcd is spoken to as JSON over HTTP (:mod:`etcd_gateway`). All keys begin with the cluster's prefix.
Those of the store itself begin with ``!`` behind it and are in no snapshot:

* ``!id``: drawn when the store is begun. Another one means another store.
* ``!at/NAME``: which process has the name of a server, or of an agent (:mod:`etcd_places`). Every
  write of that process compares it, so that one that was displaced commits nothing any more.
* ``!pen/CLIENT``: the number of the last write of a client that must not be done twice. Each such
  write compares and raises it. When its answer is lost, a second one does the same and nothing
  else: if that one commits, the first never will; if not, the first has.

*Reading.* A snapshot is a read through the quorum of what has changed since the last one. A watch
gives the next one from events, with the time at which it was known to be complete (see
:mod:`etcd_reader`). An event that is missing half a second after it was known of is sought through
another member.

*Death* is proven on the machine alone on which a server ran, by the lock that the kernel released
(:mod:`locks`), in a directory of that machine; its agent tells the others by ending the session.
``running`` is what the ``!at`` keys say, which a machine that vanishes leaves behind.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from pathlib import Path
from typing import NamedTuple

import trio

from pa_telephony.errors import ConfigurationError, ConnectionLost, RemoteProtocolError
from pa_telephony.failover.clock import boot_clock
from pa_telephony.failover.stores import etcd_forms as forms
from pa_telephony.failover.stores.etcd_address import EtcdAddress
from pa_telephony.failover.stores.etcd_gateway import Gateway, Unanswered, open_gateway
from pa_telephony.failover.stores.etcd_places import Places, proofs
from pa_telephony.failover.stores.etcd_reader import IDENTITY, MOVING, EtcdReader
from pa_telephony.failover.stores.locks import Locks, look as look_at
from pa_telephony.failover.stores.machine import known_machine, machine_name
from pa_telephony.failover.stores.mirror import INNER
from pa_telephony.failover.transaction import (
    Delete,
    Entry,
    Outcome,
    Put,
    Snapshot,
    StoreMissing,
    StoreReplaced,
    Transaction,
)
from pa_telephony.tasks import background, map_os_errors

__all__ = ["EtcdStore", "EtcdView", "open_etcd"]

_PEN = f"{INNER}pen/"
_TXN, _WATCH = "/v3/kv/txn", "/v3/watch"
_FRESH = 0.7
"""How many seconds old a snapshot from events may be; our own heartbeats make it younger."""
_GATHER = 0.1
"""Seconds after which a watch tells of heartbeats that say nothing new, of all in one."""
_MISSED = 0.5
_PAUSE = 0.1
_POLL = 0.2
_SETTLE = 5.0
HALF_MOVED = (
    "a cluster is being moved to it, or such a move was broken off: pa-telephony cluster move"
    " again finishes it"
)


class _Lost(NamedTuple):
    """A write whose answer was lost, when it was sent, and the pen that it would leave."""

    transaction: Transaction
    sent: float
    pen: str


class EtcdStore:
    """A store in an etcd, made by :func:`open_etcd`; see the module."""

    def __init__(
        self,
        gateway: Gateway,
        places: Places,
        *,
        create: bool,
        settle: float,
        clock: Callable[[], float],
    ) -> None:
        self._gateway = gateway
        self._places = places
        self._create = create
        self._settle = settle
        self._clock = clock
        self._prefix = gateway.address.prefix
        self._name = gateway.name
        self._reader = EtcdReader(self._prefix, self._name, clock)
        self._came = trio.Event()
        self._changed = trio.Event()
        self._writing = trio.Lock()
        self._beginning = trio.Lock()
        self._pen_key = f"{_PEN}{secrets.token_hex(4)}"
        self._pen = ""
        self._lost: _Lost | None = None
        self._replaced = ""
        self._settled_at = float("-inf")
        self._generation = 0
        self._stream = trio.CancelScope()
        self._held: dict[str, contextlib.ExitStack] = {}

    # -------------------------------------------------------------------------- interface

    async def snapshot(self) -> Snapshot:
        """All entries as they are at this moment, read through the quorum."""
        while self._replaced or not self._reader.source:
            async with self._beginning:
                await self._begin()
        with self._noticing():
            await self._reader.read(self._gateway)
        self._check()
        return self._present()

    async def transact(self, transaction: Transaction) -> Outcome:
        """Commit a transaction or not; a lost answer is found out. Cancelling waits for it.

        Raises ConfigurationError when another process has displaced the one that has a name here,
        and for a transaction that is larger than what etcd does at once.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        self._check()
        _check_size(transaction, 1 + len(self._places.names))
        outcome: Outcome | None = None
        with trio.CancelScope(shield=True):
            if forms.is_repeatable(transaction):
                outcome = await self._beat(transaction)
            else:
                async with self._writing:
                    outcome = await self._write(transaction)
            if not outcome.committed:
                # What was in its way is known at once, where that is possible.
                with contextlib.suppress(ConnectionLost):
                    await self.snapshot()
        assert outcome is not None
        return outcome

    async def watch(self, seen: Snapshot) -> Snapshot | None:
        """The next snapshot from events; None where it has to be read, to be young enough."""
        await trio.lowlevel.checkpoint()
        while True:
            self._places.check(self._reader.mirror.inner)
            if self._replaced or self._source != seen.source:
                return None
            present = self._present()
            if self._reader.mirror.changed > seen.revision or present.dead != seen.dead:
                return present if self._clock() - self._reader.as_of <= _FRESH else None
            came, changed = self._came, self._changed
            await came.wait()
            with trio.move_on_after(_GATHER):
                await changed.wait()

    @contextlib.asynccontextmanager
    async def alive(self, name: str) -> AsyncGenerator[None]:
        """Have the name until the block is left, on this machine and among all of them.

        ConfigurationError says where the process is that has it. One of another machine may be dead
        with its machine: it is waited for, and must give no sign of life for ``settle`` seconds.
        """
        await self.take(name)
        try:
            yield
        finally:
            await self.leave(name)

    async def take(self, name: str, heir: str = "") -> None:
        """Have the name from now on, until :meth:`leave`.

        ``heir`` is the life of whoever has it by a lock beside a file, which this process holds.
        """
        with contextlib.ExitStack() as undo:
            undo.enter_context(self._places.locked(name))
            await self._places.take(name, self, heir)
            self._held[name] = undo.pop_all()

    def has(self, name: str) -> bool:
        """Whether the name is taken here."""
        return name in self._held

    async def leave(self, name: str) -> None:
        """Give the name back, to etcd where it can be told, and on this machine."""
        with trio.CancelScope(shield=True), contextlib.suppress(ConnectionLost):
            await self._ask(self._places.leaving(self._prefix, name), repeatable=True)
        if held := self._held.pop(name, None):
            held.close()

    # ---------------------------------------------------------------------------- reading

    @property
    def inner(self) -> Mapping[str, Entry]:
        """The store's own keys, which are in no snapshot."""
        return self._reader.mirror.inner

    @property
    def _source(self) -> str:
        return f"{self._reader.source}/{self._generation}"

    def _present(self) -> Snapshot:
        mirror = self._reader.mirror
        dead, running = self._places.proofs(mirror.inner)
        return Snapshot(
            mirror.revision, mirror.entries, dead, running, self._source, self._reader.as_of
        )

    def _check(self) -> None:
        """Raise what keeps this process from using the store."""
        if self._replaced:
            raise StoreReplaced(self._replaced)
        self._places.check(self._reader.mirror.inner)

    @contextlib.contextmanager
    def _noticing(self) -> Generator[None]:
        """Note a store that was replaced, and wake whoever watches: at once when there is news."""
        revision, news = self._reader.mirror.revision, self._reader.mirror.news
        try:
            yield
        except StoreReplaced as replaced:
            if not self._replaced:
                self._replaced = str(replaced)
                self._settled_at = self._clock() + self._settle
            raise
        finally:
            if self._replaced or self._reader.mirror.news != news:
                self._wake()
            elif self._reader.mirror.revision != revision:
                self._wake_later()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
        self._wake_later()

    def _wake_later(self) -> None:
        """Have whoever watches look in a moment, at what has come until then."""
        self._came.set()
        self._came = trio.Event()

    async def _begin(self) -> None:
        """Read the store for the first time, or the one that is there now in place of a lost one.

        Not before everybody who may still act on the lost one has stopped by himself.
        """
        if self._reader.source and not self._replaced:
            return
        if self._clock() < self._settled_at:
            raise StoreReplaced(
                f"{self._replaced}; a new beginning no sooner than {self._settle:g} s after that"
            )
        reader = EtcdReader(self._prefix, self._name, self._clock)
        await reader.read(self._gateway)
        if not reader.source:
            if MOVING in reader.mirror.inner:
                raise ConnectionLost(f"store {self._name}: {HALF_MOVED}")
            if not self._create:
                raise ConnectionLost(
                    f"store {self._name}: there is none; no server of this cluster has run with it"
                )
            identity = Put(IDENTITY, secrets.token_hex(8))
            first = [forms.absent(self._prefix, each) for each in (IDENTITY, MOVING)]
            wanted = forms.transaction(self._prefix, Transaction((), (identity,)), first)
            await self._ask(wanted, repeatable=True)
            await reader.read(self._gateway)
        if self._replaced:
            self._generation += 1
        self._reader, self._replaced, self._pen, self._lost = reader, "", "", None
        self._pen_key = f"{_PEN}{secrets.token_hex(4)}"
        self._stream.cancel()
        self._wake()
        await self._places.take_again(self)

    async def follow(self) -> None:
        """Follow the events, through one member after the other, without end."""
        member = self._gateway.best
        while True:
            self._stream = trio.CancelScope()
            with self._stream, contextlib.suppress(ConnectionLost, RemoteProtocolError):
                await self._follow(member)
            member += 1
            await trio.sleep(_PAUSE)

    async def _follow(self, member: int) -> None:
        reader = self._reader
        while not reader.source or self._replaced:
            await self._changed.wait()
            reader = self._reader
        reader.streamed = reader.mirror.revision
        request = forms.watching(self._prefix, reader.streamed, reader.tokens)
        async with self._gateway.follow(_WATCH, request, member) as messages:
            async for said in messages:
                told = forms.read_told(self._prefix, said, reader.tokens)
                if told.ended:
                    # What was compacted away is read, and the watch goes on from there.
                    await self.snapshot()
                    return
                with self._noticing():
                    reader.told(told)

    async def see_that_events_come(self) -> None:
        """Begin the watch anew, through another member, when it does not tell what is known."""
        missed = 0
        while True:
            await trio.sleep(_MISSED)
            if missed > self._reader.streamed:
                self._stream.cancel()
            missed = self._reader.known

    async def see_deaths(self) -> None:
        """Wake whoever watches when a process of this machine has ended, or has begun."""
        told = self._places.here()
        while True:
            await self._places.wait()
            before, told = told, self._places.here()
            if told != before:
                self._wake()

    # ---------------------------------------------------------------------------- writing

    async def _ask(self, body: forms.Json, *, repeatable: bool) -> forms.Answer:
        said = await self._gateway.ask(_TXN, body, repeatable=repeatable)
        try:
            return forms.read_transaction(self._prefix, said, self._reader.tokens)
        except RemoteProtocolError as error:
            raise Unanswered(f"store {self._name}: {error}") from error

    async def _beat(self, transaction: Transaction) -> Outcome:
        sent, reader = self._clock(), self._reader
        places = self._places.compares(self._prefix)
        body = forms.transaction(self._prefix, transaction, places, tokens=reader.tokens)
        answer = await self._ask(body, repeatable=True)
        return self._outcome(reader, answer.committed, answer.revision, sent)

    async def _write(self, transaction: Transaction) -> Outcome:
        """Write what must not be done twice, with the pen."""
        if self._lost is not None:
            lost, outcome = self._lost, await self._find_out()
            if lost.transaction == transaction:
                # Whoever asked may want something else by now.
                return outcome
        for _ in range(2):
            sent, reader = self._clock(), self._reader
            pen = str(int(self._pen.partition(" ")[0] or 0) + 1)
            body = forms.transaction(
                self._prefix,
                transaction,
                [*self._places.compares(self._prefix), self._pen_as(self._pen)],
                [Put(self._pen_key, pen)],
                [forms.one(self._prefix, self._pen_key)],
                reader.tokens,
            )
            try:
                answer = await self._ask(body, repeatable=False)
            except Unanswered:
                self._lost = _Lost(transaction, sent, pen)
                return await self._find_out()
            found = pen if answer.committed else self._pen_in(answer)
            if answer.committed or found == self._pen:
                self._pen = found
                return self._outcome(reader, answer.committed, answer.revision, sent)
            # Somebody has removed our pen, and the transaction was not tried.
            self._pen = found
        raise ConnectionLost(f"store {self._name}: {self._pen_key} is changed by somebody else")

    async def _find_out(self) -> Outcome:
        """Find out the outcome of the write whose answer was lost, and make it final."""
        lost, reader = self._lost, self._reader
        assert lost is not None
        void = f"{lost.pen} void"
        body = forms.transaction(
            self._prefix,
            Transaction((), ()),
            [self._pen_as(self._pen)],
            [Put(self._pen_key, void)],
            [forms.one(self._prefix, self._pen_key)],
        )
        answer = await self._ask(body, repeatable=True)
        self._lost = None
        self._pen = void if answer.committed else self._pen_in(answer)
        if self._pen == void:
            return self._outcome(reader, False, answer.revision, lost.sent)
        if self._pen == lost.pen and answer.read is not None:
            revision = answer.read.found[self._pen_key].modified
            return self._outcome(reader, True, revision, lost.sent)
        raise ConnectionLost(
            f"store {self._name}: {self._pen_key} was changed by somebody else: whether a write was"
            " done is not known"
        )

    def _outcome(self, reader: EtcdReader, committed: bool, revision: int, sent: float) -> Outcome:
        if committed:
            with self._noticing():
                reader.wrote(revision, sent)
        return Outcome(committed, revision)

    def _pen_as(self, value: str) -> forms.Json:
        if not value:
            return forms.absent(self._prefix, self._pen_key)
        return forms.same(self._prefix, self._pen_key, value)

    def _pen_in(self, answer: forms.Answer) -> str:
        entry = answer.read.found.get(self._pen_key) if answer.read is not None else None
        return entry.value if entry is not None else ""

    async def close(self) -> None:
        """Remove our pen, where that is possible."""
        if self._pen and not self._replaced:
            gone = Transaction((), (Delete(self._pen_key),))
            with contextlib.suppress(ConnectionLost):
                await self._ask(forms.transaction(self._prefix, gone), repeatable=True)


def _check_size(transaction: Transaction, more: int) -> None:
    compares = sum(
        (each.created is not None) + (each.modified is not None) for each in transaction.compares
    )
    size = max(compares, len(transaction.operations)) + more
    if size > forms.MOST_OPERATIONS:
        raise ConfigurationError(
            f"a change of {size} steps is more than the {forms.MOST_OPERATIONS} that etcd does at"
            " once: fewer numbers for each server",
            field="store",
        )


@contextlib.asynccontextmanager
async def open_etcd(
    address: EtcdAddress,
    directory: Path,
    *,
    create: bool = True,
    settle: float = _SETTLE,
    clock: Callable[[], float] = boot_clock,
) -> AsyncGenerator[EtcdStore]:
    """The store in the etcd at ``address``; begun there if there is none, unless told not to.

    ``directory`` is this machine's own (``etcd_address.state_directory``). ``settle`` is how many
    seconds a process may act after its last word, at most. Raises ConnectionLost when neither etcd
    nor the directory can be used, and ConfigurationError for files of the address.
    """
    machine = await trio.to_thread.run_sync(machine_name, directory)
    with map_os_errors(str(directory)):
        locks = Locks(directory / "locks")
    with contextlib.closing(locks):
        places = Places(machine, locks, settle)
        async with open_gateway(address) as gateway:
            store = EtcdStore(gateway, places, create=create, settle=settle, clock=clock)
            await store.snapshot()
            async with background() as tasks:
                tasks.start_soon(store.follow)
                tasks.start_soon(store.see_that_events_come)
                tasks.start_soon(store.see_deaths)
                try:
                    yield store
                finally:
                    with trio.CancelScope(shield=True):
                        await store.close()
                    tasks.cancel_scope.cancel()


class EtcdView:
    """The store for mere readers: it makes and changes nothing, and keeps no connection."""

    def __init__(
        self, address: EtcdAddress, directory: Path, clock: Callable[[], float] = boot_clock
    ) -> None:
        self._address = address
        self._directory = directory
        self._clock = clock
        self._reader: EtcdReader | None = None

    async def snapshot(self) -> Snapshot:
        """All entries, then the locks of this machine, so that ``dead`` is a proof."""
        async with open_gateway(self._address) as gateway:
            reader = self._reader or EtcdReader(self._address.prefix, gateway.name, self._clock)
            self._reader = None
            await reader.read(gateway)
            if MOVING in reader.mirror.inner:
                raise ConnectionLost(f"store {gateway.name}: {HALF_MOVED}")
            if not reader.source:
                raise StoreMissing(
                    f"store {gateway.name}: there is none; no server of this cluster has run with"
                    " it, or `store` names another prefix"
                )
            self._reader = reader
        with map_os_errors(str(self._directory)):
            free = look_at(self._directory / "locks").dead
            machine = known_machine(self._directory)
        mirror = reader.mirror
        dead, running = proofs(mirror.inner, machine, free)
        return Snapshot(mirror.revision, mirror.entries, dead, running, reader.source, reader.as_of)

    async def watch(self, seen: Snapshot) -> Snapshot | None:
        """Look five times a second, and give the next snapshot that differs from ``seen``."""
        while True:
            found = await self.snapshot()
            same = (found.source, found.dead) == (seen.source, seen.dead)
            if not same or found.entries != seen.entries:
                return found
            await trio.sleep(_POLL)

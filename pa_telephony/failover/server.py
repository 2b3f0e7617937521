"""A server of a cluster: the member's decisions carried out, with trio, sockets and a store.

Decisions are made in :mod:`member` (pure); what is at the call manager is in :mod:`holder`. This
file moves actions from the one to the other and reports back. :mod:`links` watches the links to the
call managers, :mod:`calls` brings each call to the application.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Iterable

import trio

from pa_telephony import cti, rtp, sccp
from pa_telephony.errors import ConnectionLost, TelephonyError
from pa_telephony.failover import registration
from pa_telephony.failover.actions import (
    Action,
    Close,
    EndCalls,
    Register,
    Transact,
    Unregister,
)
from pa_telephony.failover.application import Application
from pa_telephony.failover.calls import Calls
from pa_telephony.failover.chronicle import Chronicle
from pa_telephony.failover.clock import boot_clock
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.config import JtapiProvider, SkinnyProvider
from pa_telephony.failover.following import Following
from pa_telephony.failover.holder import (
    LEAVE_WITHIN,
    PORT_CONFIG,
    Holder,
    PortHolder,
    RoutePointHolder,
)
from pa_telephony.failover.identity import Identity, Kind
from pa_telephony.failover.journal import BY_CALLERS, Journal
from pa_telephony.failover.links import Links
from pa_telephony.failover.machines import elsewhere, store_warning
from pa_telephony.failover.member import Member
from pa_telephony.failover.rehearsal import rehearse_media_port, rehearse_route_points
from pa_telephony.failover.status import ServerStatus, cluster_status
from pa_telephony.failover.steps import Step, StepKind
from pa_telephony.failover.stored import current, offered, read
from pa_telephony.failover.stores import Store, open_store
from pa_telephony.failover.stores.etcd_address import is_etcd
from pa_telephony.failover.stores.movable import moved_to
from pa_telephony.failover.tracing import PackageTrace, traced
from pa_telephony.failover.transaction import Snapshot, StoreReplaced, Transaction
from pa_telephony.faults import NEWS, Seldom
from pa_telephony.secrecy import warn_of_readers
from pa_telephony.tasks import Background, background
from pa_telephony.trace import EventRecord, Trace, guarded

__all__ = ["Server", "open_server"]

_LOG = logging.getLogger("pa_telephony.failover")
_MOST_OF_CALLERS = 20
"""How many lines about calls the log has within a minute; the trace has all."""

_STORE_RETRY = 0.1
_OWN_WANT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Errors of a lack that another server may not have: a port that fails for these is better off
there."""


class Server:
    """One running server, made by :func:`open_server`."""

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        application: Application,
        store: Store,
        address: str,
        engine: rtp.Engine,
        trace: PackageTrace | None,
        clock: Callable[[], float],
        file: Cluster,
    ) -> None:
        self.name = cluster.server(name).server_name
        self.application = application
        self.on_configured: Callable[[Cluster], None] | None = None
        """Called when the configuration in the store has changed, after it was taken up."""
        self._store = store
        self._address = address
        self._engine = engine
        self._packages = trace
        self._trace = guarded(trace)
        self._clock = clock
        self._member = Member(
            cluster,
            self.name,
            instance=uuid.uuid4().hex,
            now=clock(),
            offers=offered(cluster, at=time.time(), by=self.name),
        )
        self._following = Following(self._member, file, cluster, self._event, self._configured)
        self._provided: set[str] = set()
        self._chronicle = Chronicle(
            self.name, heartbeat=cluster.timing.heartbeat, take=cluster.timing.take
        )
        self._calls = Calls(self._member, application, clock, self._event, self._woken)
        self._holders: dict[Identity, Holder] = {}
        self._links = Links(
            self._member, address, clock, self._event, self._woken, self._in_use, self._trace
        )
        self._wake = trio.Event()
        self._tasks: Background | None = None
        self._journal = Journal()
        self._told_of_callers = Seldom(at_once=_MOST_OF_CALLERS)
        self._differences: dict[str, tuple[str, ...]] = {}
        self._store_trouble: dict[str, str] = {}
        self._starved: set[Identity] = set()
        """The ports that got no UDP ports for lack of descriptors or memory."""
        self.unconfirmed: dict[str, str] = {}
        """Why each identity ended without the call manager's answer, by label; once :meth:`run` is
        over, only those that its end has closed."""

    def __repr__(self) -> str:
        return f"<Server {self.name} holds {len(self._holders)}>"

    @property
    def cluster(self) -> Cluster:
        """The configuration that is followed: the store's."""
        return self._following.cluster

    @property
    def application_errors(self) -> int:
        """How many exceptions the application has raised; each ended its own call."""
        return self._calls.application_errors

    @property
    def last_application_error(self) -> Exception | None:
        """The newest exception of the application, None if there was none."""
        return self._calls.last_application_error

    @property
    def silent_calls(self) -> int:
        """How many calls were ended because nothing was heard of them (Timing.media_silence)."""
        return self._calls.silent

    @property
    def holds(self) -> tuple[Identity, ...]:
        """The identities that are registered here now."""
        return tuple(
            identity
            for identity in self._holders
            if self._member.state(identity) is registration.State.REGISTERED
        )

    def status(self) -> tuple[ServerStatus, ...]:
        """The status page of the whole cluster, as this server last read the store."""
        return cluster_status(self.cluster, self._member.world.snapshot)

    async def run(self) -> None:
        """Serve, take over for others, give back, until cancelled; then close everything.

        Returns when the process has to begin anew, as the configuration in the store says
        otherwise of what is done only once: its address, its UDP ports. It is stopped then.
        """
        try:
            async with background() as tasks:
                self._tasks = tasks
                self._provide(tasks)
                tasks.start_soon(self._observe)
                tasks.start_soon(self._leave_in_time)
                await self._act(tasks)
        finally:
            self._tasks = None
            if self.unconfirmed:
                self._event("left", unconfirmed=self.unconfirmed)

    def _provide(self, tasks: Background) -> None:
        """Keep a link to each provider that is used; one that is used no more stays."""
        for name in self.cluster.used_providers:
            if name in self._provided:
                continue
            self._provided.add(name)
            if isinstance(self.cluster.provider(name), JtapiProvider):
                tasks.start_soon(self._links.provide, name, self._close_all)
            else:
                tasks.start_soon(self._links.look_for, name, self._ports_at)
            tasks.start_soon(self._links.look_elsewhere, name)

    def _configured(self, cluster: Cluster) -> None:
        """Hand a new configuration on to what is not the member's."""
        if self._packages is not None:
            self._packages.change(cluster.server(self.name).trace_package_list)
        try:
            self.application.configured(cluster)
        except Exception as error:  # noqa: BLE001 - the application's bug ends nobody's call
            self._event("application.error", identity="[application]", error=repr(error))
        if self.on_configured is not None:
            self.on_configured(cluster)

    async def _leave_in_time(self) -> None:
        """When all is over, wait for connections to close, and cut those that take too long.

        With nothing registered any more the session is ended, so that others need no proof that
        this process is gone, which only its own machine has.
        """
        try:
            await trio.sleep_forever()
        finally:
            self.unconfirmed.clear()
            with trio.CancelScope(shield=True):
                with trio.move_on_after(LEAVE_WITHIN):
                    await self._close_all()
                for holder in list(self._holders.values()):
                    holder.close(at_once=True)
                farewell = self._member.farewell()
                if farewell is not None and not self._holders:
                    with trio.move_on_after(LEAVE_WITHIN):
                        await self._try_to_write(farewell)

    async def _close_all(self, provider: str = "") -> None:
        """Close registrations politely, at one provider or at all, and wait for the end."""
        holders = [
            holder
            for identity, holder in self._holders.items()
            if identity.provider == provider or not provider
        ]
        for holder in holders:
            holder.close()
        for holder in holders:
            await holder.ended.wait()

    def _in_use(self, provider: str) -> bool:
        """Whether anything is held here at a provider."""
        return any(identity.provider == provider for identity in self._holders)

    def _ports_at(self, provider: str, place: int) -> tuple[list[bool], str]:
        """Whether each media port held here is registered at that host of its provider.

        And why one cannot even be tried.
        """
        ports = [
            holder.registered and holder.place == place
            for identity, holder in self._holders.items()
            if identity.provider == provider and isinstance(holder, PortHolder)
        ]
        return ports, self._still_starved(provider)

    def _still_starved(self, provider: str) -> str:
        """Why a port that is to be held here has no UDP ports, if that is for lack of resources."""
        self._starved &= self._member.plan.hold
        for identity in list(self._starved):
            if identity.provider == provider:
                try:
                    self._engine.unreserve(self._reserve_port(identity))
                except rtp.PortUnavailable as error:
                    return str(error)
                self._starved.discard(identity)
        return ""

    async def _observe(self) -> None:
        told: Snapshot | None = None
        while True:
            asked = self._clock()
            try:
                snapshot, told = told or await self._store.snapshot(), None
                asked = asked if snapshot.as_of is None else snapshot.as_of
                self._note(self._member.observe(snapshot, self._clock(), asked=asked))
                if self._following.look() and self._tasks is not None:
                    self._provide(self._tasks)
                self._chronicle.observe(self._member.world, self._clock())
                if self._member.news:
                    self._compare_files()
                    self._woken()
                self._store_works("read")
                # Our own heartbeats end the wait long before, unless nothing is to be heard.
                with trio.move_on_after(self.cluster.timing.own / 4):
                    told = await self._store.watch(snapshot)
            except ConnectionLost as lost:
                if isinstance(lost, StoreReplaced):
                    self._member.forget(self._clock())
                    self._woken()
                self._store_fails("read", lost)
                await trio.sleep(_STORE_RETRY)

    def _compare_files(self) -> None:
        """Report when our file differs from a home's, or agrees again; see :mod:`agreement`."""
        world = self._member.world
        for home in world.names:
            groups = world.differs(self.name, home)
            if groups != self._differences.get(home, ()):
                self._differences[home] = groups
                self._event("configuration", home=home, differs_in=list(groups))

    def _store_fails(self, what: str, error: ConnectionLost) -> None:
        """Report trouble of the store at once, but the same trouble only once."""
        if self._store_trouble.get(what) != str(error):
            self._store_trouble[what] = str(error)
            self._event("store.lost", what=what, why=str(error))

    def _store_works(self, what: str) -> None:
        if self._store_trouble.pop(what, None) is not None:
            self._event("store.back", what=what)

    async def _act(self, tasks: Background) -> None:
        while True:
            self._wake = trio.Event()
            self._links.follow()
            for action in self._member.actions(self._clock()):
                self._perform(tasks, action)
            self._write_down(tasks)
            anew = self._following.begins_anew
            if anew and not self._holders and self._member.world.session(self.name) is None:
                self._event("configuration.anew", why=anew)
                return
            wait = self._member.next_deadline(self._clock()) - self._clock()
            with trio.move_on_after(max(wait, 0.0)):
                await self._wake.wait()

    def _write_down(self, tasks: Background) -> None:
        """Tell the chronicle the present state, and write the episodes that it gives."""
        now = self._clock()
        acts = self._member.may_act(now)
        why = "; ".join(dict.fromkeys(self._store_trouble.values()))
        self._chronicle.acting(acts, set(self.holds), now, time.time(), why)
        transaction = self._chronicle.writes()
        if transaction is not None:
            tasks.start_soon(self._try_to_write, transaction)

    async def _try_to_write(self, transaction: Transaction) -> None:
        with contextlib.suppress(ConnectionLost):
            await self._store.transact(transaction)

    def _woken(self) -> None:
        self._wake.set()

    # Actions.

    def _perform(self, tasks: Background, action: Action) -> None:
        match action:
            case Transact():
                tasks.start_soon(self._transact, action)
            case Register(identity, node):
                holder = self._holders.get(identity)
                if holder is not None:
                    tasks.start_soon(holder.again)
                else:
                    self._start(tasks, identity, node)
            case Unregister(identity):
                holder = self._holders.get(identity)
                if holder is None:
                    self.unregistered(identity)
                else:
                    tasks.start_soon(holder.unregister)
            case Close(identity, at_once):
                holder = self._holders.get(identity)
                if holder is None:
                    self.closed(identity)
                else:
                    holder.close(at_once=at_once)
                    tasks.start_soon(holder.leave)
            case EndCalls(identity, why):
                tasks.start_soon(self._calls.end_calls, identity, why)

    async def _transact(self, action: Transact) -> None:
        outcome = None
        try:
            outcome = await self._store.transact(action.transaction)
        except ConnectionLost as lost:
            self._store_fails("write", lost)
        else:
            self._store_works("write")
        self._note(self._member.finished(action, outcome, self._clock()))
        beaten = action.step is None and outcome is not None and outcome.committed
        if not beaten or self._member.withheld:
            self._woken()

    def _note(self, committed: Iterable[Step]) -> None:
        for step in committed:
            labels = [identity.label for identity in step.identities]
            self._chronicle.committed(step, self._clock(), time.time())
            self._event(_EVENTS[step.kind], home=step.server, identities=labels)

    def _start(self, tasks: Background, identity: Identity, node: int) -> None:
        provider = self.cluster.provider(identity.provider)
        place = self.cluster.place(identity.provider, node)
        holder: Holder
        if isinstance(provider, SkinnyProvider):
            try:
                index = self._reserve_port(identity)
            except rtp.PortUnavailable as error:
                # A port without sound gets no calls.
                if isinstance(error.__cause__, OSError) and error.__cause__.errno in _OWN_WANT:
                    self._starved.add(identity)
                self.refused(identity, str(error))
                return
            holder = PortHolder(
                identity,
                self,
                call_manager=provider.hosts[place],
                place=place,
                engine=self._engine,
                port_index=index,
                local_address=self._address,
                media_at_signalling_host=provider.media_at_signalling_host,
                longest_back_off=self.cluster.timing.back_off,
                trace=self._trace,
            )
        else:
            opened = self._links.session(provider.name, place)
            if opened is None:
                self.refused(identity, f"{provider.name} is not in service")
                return
            holder = RoutePointHolder(identity, self, opened)
        self._holders[identity] = holder
        tasks.start_soon(holder.run)
        tasks.start_soon(holder.again)

    def _reserve_port(self, identity: Identity) -> int:
        """Reserve a UDP port: for our own its own index, for another's the lowest free one behind.

        Ports that other programs have bound behind ours are passed over. Raises PortUnavailable.
        """
        if identity.home == self.name:
            try:
                self._engine.reserve(identity.index)
            except rtp.PortUnavailable:
                # A port that came before it, and goes when its call has ended, may have that one.
                if not self._is_ours(identity.index):
                    raise
            else:
                return identity.index
        return self._engine.reserve_from(self.cluster.server(self.name).number_of_media_ports)

    def _is_ours(self, index: int) -> bool:
        """Whether a media port that is held here has this index of UDP ports."""
        held = (each for each in self._holders.values() if isinstance(each, PortHolder))
        return any(each.port_index == index for each in held)

    # Reports of holders.

    def registered(self, identity: Identity) -> None:
        """Note that the call manager has registered the identity from here."""
        self._member.registered(identity, self._clock())
        self._event("registered", identity=identity.label)
        self._woken()

    def refused(self, identity: Identity, why: str) -> None:
        """Note that the call manager has refused the registration."""
        self._member.refused(identity, self._clock(), why)
        self._event("refused", identity=identity.label, why=why)
        self._woken()

    def lost(self, identity: Identity, why: str) -> None:
        """Note that the connection is gone, or that no answer came."""
        self._member.lost(identity, self._clock(), why)
        self._event("lost", identity=identity.label, why=why)
        self._woken()

    def unregistered(self, identity: Identity) -> None:
        """Note that the call manager has nothing from here: it said so, or the session is over."""
        self._member.unregistered(identity, self._clock())
        self._event("unregistered", identity=identity.label)
        self._woken()

    def kept(self, identity: Identity) -> None:
        """Note that the call manager refused to unregister the identity, because a call is up."""
        self._member.kept(identity, self._clock())
        self._woken()

    def closed(self, identity: Identity, unconfirmed: str = "") -> None:
        """Note that the holder has ended; ``unconfirmed`` is why no call manager confirmed it."""
        if unconfirmed:
            self.unconfirmed[identity.label] = unconfirmed
        holder = self._holders.pop(identity, None)
        if isinstance(holder, PortHolder):
            self._engine.unreserve(holder.port_index)
        if holder is not None:
            why = {"why": unconfirmed} if unconfirmed else {}
            self._event("closed", identity=identity.label, **why)
        self._member.set_busy(identity, False)
        self._calls.busy(identity.number, False)
        self._member.closed(identity, self._clock())
        self._woken()

    def busy(self, identity: Identity, busy: bool) -> None:
        """Note that the first call, or routing decision, has begun, or the last one has ended."""
        self._member.set_busy(identity, busy)
        if identity.kind is Kind.PORT:
            self._calls.busy(identity.number, busy)
            self._event("busy" if busy else "idle", identity=identity.label)
        self._woken()

    async def media_call(self, identity: Identity, call: sccp.Call) -> None:
        """Serve a call at a media port."""
        await self._calls.media_call(identity, call)

    async def routed_call(self, identity: Identity, session: cti.RouteSession) -> None:
        """Serve a call at a route point or an interceptor."""
        await self._calls.routed_call(identity, session)

    # Events for trace and log.

    def warn(self, kind: str, why: str) -> None:
        """Write a warning into trace and log."""
        self._event(kind, why=why)

    def _event(self, kind: str, **fields: object) -> None:
        line = self._journal.line(kind, fields)
        if line is not None:
            level, words = line
            told = self._told_of_callers
            if kind not in BY_CALLERS:
                extra = NEWS if kind in _EVENTS.values() else None
                _LOG.log(level, "%s: %s", self.name, words, extra=extra)
            elif told.due(self._clock()):
                # What an application is refused explains itself; a bug of its own does not.
                bug = self.last_application_error if kind == "application.error" else None
                bug = None if isinstance(bug, TelephonyError) else bug
                _LOG.log(level, "%s: %s%s", self.name, words, told.times(), exc_info=bug)
        if self._trace is not None:
            self._trace(
                EventRecord(time.time(), f"failover.{kind}", {"server": self.name, **fields})
            )


_EVENTS = {kind: kind.value.replace(" ", "_") for kind in StepKind}


def _engine_ports(cluster: Cluster, name: str) -> int:
    """How many ports may come to the server, at least the engine's default for consultations."""
    return max(rtp.EngineConfig().max_ports, cluster.most_ports(name))


async def _resolve(host: str, cluster: Cluster) -> str:
    try:
        found = await trio.socket.getaddrinfo(
            host, None, family=socket.AF_INET, type=socket.SOCK_DGRAM
        )
    except OSError as error:
        raise ConnectionLost(f"{cluster.file}: {host}: {error}") from error
    return str(found[0][4][0])


@contextlib.asynccontextmanager
async def open_server(
    cluster: Cluster,
    name: str,
    *,
    application: Application,
    store: Store | None = None,
    engine: rtp.Engine | None = None,
    trace: Trace | None = None,
    clock: Callable[[], float] = boot_clock,
) -> AsyncGenerator[Server]:
    """Run the server ``name`` of a cluster; serve by :meth:`Server.run`.

    Entered means that its name, its address and its store are ours. Left means that everything it
    had registered is closed; others may act at once.

    Where the store has a configuration, that one counts; where it has none, ``cluster`` becomes it
    (``pa-telephony cluster`` shows and changes it). A ``cluster`` that differs is reported and
    ignored.

    ``store`` is the one that the configuration names when left out. ``engine`` is the media engine
    that carries the sound of its ports; when left out, one is opened at the server's address and
    UDP range. Raises :class:`ConfigurationError` for a name that is no server, or runs already, and
    :class:`ConnectionLost` when the store cannot be used.
    """
    cluster.server(name)
    if any(isinstance(each, JtapiProvider) and each.password for each in cluster.providers):
        warn_of_readers(cluster.file, "the passwords of providers")
    async with contextlib.AsyncExitStack() as stack:
        # With the paths as they are in the store.
        warning, file = "", read(offered(cluster), cluster)
        if store is None:
            store = await stack.enter_async_context(open_store(cluster))
            if not is_etcd(cluster.store) and not moved_to(store):
                warning = store_warning(cluster, await elsewhere(cluster))
        with contextlib.suppress(ConnectionLost):
            # Later it is the member that takes the store's configuration up.
            cluster = current(file, await store.snapshot())
        server = cluster.server(name)
        address = await _resolve(server.hostname_or_ip_address, cluster)
        if any(isinstance(each, SkinnyProvider) for each in cluster.providers):
            rehearse_media_port(PORT_CONFIG)
        if any(isinstance(each, JtapiProvider) for each in cluster.providers):
            rehearse_route_points()
        await stack.enter_async_context(store.alive(server.server_name))
        packages = traced(server.trace_package_list, trace)
        if engine is None:
            engine = await stack.enter_async_context(
                rtp.open_engine(
                    address=address,
                    first_port=server.media_termination_udp_beginning_port,
                    config=rtp.EngineConfig(max_ports=_engine_ports(cluster, server.server_name)),
                    trace=packages,
                )
            )
        opened = Server(cluster, name, application, store, address, engine, packages, clock, file)
        if warning:
            opened.warn("store.local", warning)
        yield opened

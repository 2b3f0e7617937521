"""The links of a server to the call managers, one for each provider that the cluster uses.

A CTI link is a session, kept open. For media ports there is none besides their own connections, so
a call manager is looked for while one of these is missing.
"""

from __future__ import annotations

import functools
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import trio

from pa_telephony import cti
from pa_telephony.address import parse_peers
from pa_telephony.errors import ConfigurationError, ConnectionLost, RequestFailed
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.config import JtapiProvider, SkinnyProvider
from pa_telephony.failover.journal import WriteEvent
from pa_telephony.failover.member import Member
from pa_telephony.tasks import map_os_errors
from pa_telephony.trace import Trace

__all__ = ["Links"]

Provided = TypeVar("Provided", JtapiProvider, SkinnyProvider)

_PROBE = 0.5
_PROBE_IDLE = 2.0
"""Seconds between two looks of a server without media ports for a call manager that was there: each
look is a connection."""
_PROBE_WITHIN = 1.0
_PROBE_STAYS = 0.2
"""How many seconds a connection on which nothing is sent must stand to count as a call
manager's."""
_SKINNY_PORT = 2000
_CTI_PORT = 2748
_CTI_TLS_PORT = 2749
_REFUSED_FOR = 300.0
"""Seconds for which the host of another node that has refused a login counts as not reached: the
shortest that JTAPI waits before it goes back to a CTI manager, by default."""
_ELSEWHERE = "the cluster has gone to another call manager"


class Links:
    """The links of one server to its providers.

    ``changed`` is called when the member has to look again. ``in_use`` tells whether anything
    depends on the CTI session of a provider.
    """

    def __init__(
        self,
        member: Member,
        address: str,
        clock: Callable[[], float],
        event: WriteEvent,
        changed: Callable[[], None],
        in_use: Callable[[str], bool],
        trace: Trace | None,
    ) -> None:
        self._opened: dict[str, cti.Provider] = {}
        """The CTI sessions that are open, by the names of their providers."""
        self._sessions: dict[str, trio.CancelScope] = {}
        """What ends each of them, or the attempts to open it."""
        self._places: dict[str, int] = {}
        """At which of its hosts each provider is used."""
        self._seen: set[tuple[str, int]] = set()
        """The hosts that are reached, by provider and place."""
        self._refused_at: dict[tuple[str, int], float] = {}
        self._in_use = in_use
        self._member = member
        self._address = address
        self._clock = clock
        self._event = event
        self._changed = changed
        self._trace = trace
        self._told: dict[str, bool] = {}
        self._refusals: dict[str, str] = {}
        """The providers that have refused us since they were last reached, and why."""

    @property
    def _cluster(self) -> Cluster:
        return self._member.cluster

    def place(self, name: str) -> int:
        """Which of its hosts a provider is used at now; 0 for one that is configured no more."""
        try:
            return self._cluster.place(name, self._member.world.node)
        except ConfigurationError:
            return 0

    def session(self, name: str, place: int) -> cti.Provider | None:
        """The CTI session with the host at ``place``, if it is open."""
        return self._opened.get(name) if self._places.get(name) == place else None

    def follow(self) -> None:
        """Go where the cluster is, after every look at the store.

        What is reached there counts from now on. A CTI session ends when nothing depends on it.
        """
        for name, before in list(self._places.items()):
            place = self.place(name)
            if place == before:
                continue
            session = self._sessions.get(name)
            if session is None:
                self._places[name] = place
                self._linked(name, (name, place) in self._seen, _ELSEWHERE)
            else:
                self._linked(name, False, _ELSEWHERE)
                if not self._in_use(name):
                    session.cancel()

    async def provide(self, name: str, close_all: Callable[[str], Awaitable[None]]) -> None:
        """Keep a CTI session open; before one is closed, ``close_all`` ends what depends on it.

        Each session is with what the configuration says of the provider when it begins, at the host
        where the cluster is.
        """
        provider: JtapiProvider | None = None
        while True:
            provider = _named(self._cluster, name, JtapiProvider) or provider
            if provider is None:
                return
            place = self._places[name] = min(self.place(name), len(provider.hosts) - 1)
            with trio.CancelScope() as self._sessions[name]:
                await self._provide(provider, place, close_all)
                await trio.sleep(self._cluster.timing.retry)

    async def _provide(
        self, provider: JtapiProvider, place: int, close_all: Callable[[str], Awaitable[None]]
    ) -> None:
        name = provider.name
        try:
            tls = await tls_context(provider, self._cluster.directory)
            async with cti.open_provider(
                (provider.hosts[place],),
                user=provider.user,
                password=provider.password,
                tls=tls,
                config=cti.ProviderConfig(longest_back_off=self._cluster.timing.back_off),
                trace=self._trace,
                local_address=self._address,
                on_trouble=functools.partial(self._reached, name, place, False),
            ) as opened:
                self._opened[name] = opened
                try:
                    while True:
                        self._reached(name, place, True)
                        await opened.wait_out_of_service()
                        self._reached(name, place, False, opened.last_error)
                        await opened.wait_in_service()
                finally:
                    # What depends on the session is closed one by one before all of it ends.
                    with trio.CancelScope(shield=True):
                        await close_all(name)
        except (RequestFailed, ConfigurationError) as error:
            # A login that is refused today may be allowed tomorrow; a missing file may be there
            # then.
            self._refusals[name] = str(error)
            self._refused_at[name, place] = self._clock()
            self._reached(name, place, False, str(error))
            self._event("provider.refused", provider=name, why=str(error))
        finally:
            self._opened.pop(name, None)

    async def look_for(
        self, name: str, ports_at: Callable[[str, int], tuple[list[bool], str]]
    ) -> None:
        """Watch whether media ports can be registered: all that are held are, or could be.

        ``ports_at`` tells of each port that is held whether it is registered at that host, and why
        one cannot be. One that is not may lack what the others have: a call manager is looked for
        then, and a server without a descriptor for one more connection, or for the sound, does not
        reach it.
        """
        provider: SkinnyProvider | None = None
        while True:
            provider = _named(self._cluster, name, SkinnyProvider) or provider
            if provider is None:
                return
            place = self._places[name] = min(self.place(name), len(provider.hosts) - 1)
            ports, why = ports_at(name, place)
            if not why and (not ports or not all(ports)):
                why = await _missing((provider.hosts[place],), self._address)
            self._reached(name, place, not why, why)
            hurry = why or (ports and not any(ports))
            await trio.sleep(_PROBE if hurry else _PROBE_IDLE)

    async def look_elsewhere(self, name: str) -> None:
        """Watch the hosts of a provider where the cluster is not, but might go."""
        self._places.setdefault(name, self.place(name))
        while True:
            for place, host in enumerate(_hosts(self._cluster, name)):
                if place != self._places.get(name):
                    why = await self._missing_elsewhere(name, place, host)
                    if place != self._places.get(name):
                        self._sees(name, place, not why)
            await trio.sleep(_PROBE_IDLE)

    async def _missing_elsewhere(self, name: str, place: int, host: str) -> str:
        refused = self._refused_at.get((name, place))
        if refused is not None and self._clock() < refused + _REFUSED_FOR:
            return "refuses us"
        provider = _named(self._cluster, name, JtapiProvider)
        if provider is None:
            return await _missing((host,), self._address)
        port = _CTI_TLS_PORT if provider.tls else _CTI_PORT
        return await _missing((host,), self._address, port)

    def _reached(self, provider: str, place: int, reachable: bool, why: str = "") -> None:
        """Note of the host that is used whether it is reached."""
        self._sees(provider, place, reachable)
        if place == self.place(provider):
            self._linked(provider, reachable, why)

    def _sees(self, provider: str, place: int, reachable: bool) -> None:
        host = provider, place
        if reachable != (host in self._seen):
            (self._seen.add if reachable else self._seen.discard)(host)
            self._changed()
        self._member.sees(provider, place, reachable, self._clock())

    def _linked(self, provider: str, reachable: bool, why: str = "") -> None:
        refusal = self._refusals.get(provider, "")
        if reachable:
            self._refusals.pop(provider, None)
        elif refusal and refusal != why:
            # A peer that was refused is kept waiting at the next attempts; the refusal says why.
            why = f"{refusal}; then {why}" if why else refusal
        self._member.link(provider, reachable, self._clock(), why)
        if self._told.get(provider) is not reachable:
            self._told[provider] = reachable
            self._event("link", provider=provider, reachable=reachable, why=why)
            self._changed()


def _hosts(cluster: Cluster, name: str) -> tuple[str, ...]:
    """The hosts of a provider, none of one that the configuration has no more."""
    return next((each.hosts for each in cluster.providers if each.name == name), ())


def _named(cluster: Cluster, name: str, kind: type[Provided]) -> Provided | None:
    """The provider of that name and kind, if the configuration still has it."""
    found = next((each for each in cluster.providers if each.name == name), None)
    return found if isinstance(found, kind) else None


async def _missing(hosts: Sequence[str], local_address: str, port: int = _SKINNY_PORT) -> str:
    """The reasons why none of ``hosts`` is reached, at ``port`` if they name none; "" if one is."""
    why: list[str] = []
    for peer in parse_peers(hosts, port):
        failed = await _turned_away(*peer, local_address)
        if not failed:
            return ""
        why.append(failed)
    return ", ".join(why)


async def _turned_away(host: str, port: int, local_address: str) -> str:
    """Connect, and see whether the other side keeps the connection; "" if it does.

    Nothing is sent: what call managers make of a message before a registration differs.
    """
    peer = f"{host}:{port}"
    try:
        with trio.move_on_after(_PROBE_WITHIN), map_os_errors(peer):
            async with await trio.open_tcp_stream(host, port, local_address=local_address) as link:
                with trio.move_on_after(_PROBE_STAYS):
                    await link.receive_some(1)
                    return f"{peer} closes connections at once"
                return ""
    except ConnectionLost as error:
        return str(error)
    return f"{peer} does not answer"


async def tls_context(provider: JtapiProvider, directory: Path) -> ssl.SSLContext | None:
    """The context of an encrypted link; None for a plain one. Raises ConfigurationError."""
    if not provider.tls:
        return None
    file = str(directory / provider.tls_authorities) if provider.tls_authorities else None
    try:
        return await trio.to_thread.run_sync(
            functools.partial(ssl.create_default_context, cafile=file)
        )
    except OSError as error:
        raise ConfigurationError(
            f"{file}: {error.strerror or error}",
            section=f"provider {provider.name!r}",
            field="tls_authorities",
        ) from error

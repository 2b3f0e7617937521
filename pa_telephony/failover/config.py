"""A cluster in one TOML file: the Server Configuration and Telephony pages, field by field.

Source of fields and defaults: the pages in Cisco's document 44922, "Personal Assistant Failover
Configuration Example"; field names are their labels in snake case. Anything marked *ours* is not
there. The rules are in :mod:`~pa_telephony.failover.validation`; a file is read, and all of it
checked, in :mod:`~pa_telephony.failover.cluster`. Durations are seconds.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.identity import Identity, Kind
from pa_telephony.failover.speech import SpeechConfig
from pa_telephony.failover.stores.etcd_address import is_etcd, state_directory

__all__ = [
    "ApplicationConfig",
    "ClusterConfig",
    "JtapiProvider",
    "ServerConfig",
    "SkinnyProvider",
    "Timing",
]


@dataclass(frozen=True)
class ServerConfig:
    """One form of the Server Configuration page.

    A *spare* has no route address, no beginning address, no media ports and no interceptor
    ports (F6); it may still name providers, they then mean nothing.
    """

    server_name: str
    """The server's name, unique in the cluster whatever the case: 1..32 letters, digits, ``-``,
    ``_``, ``.``."""
    hostname_or_ip_address: str
    """The host name or IPv4 address where it runs; its media leave from this address."""
    media_termination_udp_beginning_port: int = 32000
    """The first UDP port of RTP, even, 1024..65534; port ``k`` uses this + 2k and + 2k + 1."""
    route_address_provider: str = ""
    """The name of a JTAPI provider; blank means the first one, when a route address is given."""
    route_address: str = ""
    """The number that people dial; a CTI route point of the call manager."""
    aa_route_address: str = ""
    """A second route point, for the automated attendant; it uses the same provider."""
    media_port_provider: str = ""
    """The name of a Skinny provider."""
    media_port_beginning_address: str = ""
    """The directory number of the first media port, digits; the others follow one by one."""
    number_of_media_ports: int = 0
    """How many media ports it has, 0..1000; more than the capacity is allowed after a takeover
    (F9)."""
    interceptor_port_provider: str = ""
    """The name of a JTAPI provider."""
    interceptor_ports: tuple[str, ...] = ()
    """Extensions whose incoming calls are intercepted: ``2007``, ``2XXX``, ``3.2XXX``."""
    fail_over_server_names: tuple[str, ...] = ()
    """The servers that may stand in, tried in this order; server names, never DNS names or IP
    addresses."""
    trace_package_list: tuple[str, ...] = ()
    """``package=level`` pairs, for example ``sccp=off``: what its trace holds.

    Packages are failover, sccp, cti and rtp. ``debug`` is everything, ``info`` and above the events
    without frames and packets, ``off`` nothing; a package that is not listed is traced whole.
    """
    capacity: int = 36
    """Ours: how many calls at once (an MCS-7835-1000 does 36); the next caller hears busy."""
    route_point_device: str = ""
    """Ours: device name of the route point; blank means the provider's device with that line."""

    @property
    def spare(self) -> bool:
        """Whether the server owns nothing and only stands in."""
        return not (
            self.route_address
            or self.aa_route_address
            or self.number_of_media_ports
            or self.interceptor_ports
        )

    @property
    def media_addresses(self) -> tuple[str, ...]:
        """The directory numbers of its media ports, as wide as the first (0099 → 0100)."""
        first = self.media_port_beginning_address
        if not first:
            return ()
        return tuple(
            f"{int(first) + index:0{len(first)}d}" for index in range(self.number_of_media_ports)
        )


@dataclass(frozen=True)
class JtapiProvider:
    """A provider of route points: a user of one or more CTI managers."""

    name: str
    hosts: tuple[str, ...] = ()
    """CTI managers, primary first; ``host`` or ``host:port`` (2748 when left out)."""
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    """Ours: whether to log in encrypted (port 2749 when left out)."""
    tls_authorities: str = ""
    """Ours: the PEM file of the authorities to trust, relative to the cluster's file; "" for the
    system's."""
    type: str = "jtapi"


@dataclass(frozen=True)
class SkinnyProvider:
    """A provider of media ports: SCCP stations at one or more call managers."""

    name: str
    hosts: tuple[str, ...] = ()
    """Call managers, primary first; ``host`` or ``host:port`` (2000 when left out)."""
    device_name_prefix: str = ""
    """Device names are this prefix + 1, 2, … over all ports of the provider, in order of their
    numbers; where ``devices`` gives that name to another number, the next count that is free.

    One table for the provider, because two servers that share it would collide if each
    counted from 1. The order of servers in the file means nothing.
    """
    devices: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Ours: the device name of each directory number for which the prefix does not give it. It
    stays with that number while others come and go."""
    return_to_preferred: bool = False
    """Whether to go back to a higher call manager of the list when it is there again.

    The servers of a cluster go together, and with them what is at JTAPI providers.
    """
    media_at_signalling_host: bool = False
    """Ours: whether sound goes only to the host of the call manager, whatever address it orders.

    Right where that host carries all sound itself; a call manager connects phones directly.
    """
    type: str = "skinny"

    def names(self, numbers: Sequence[str]) -> Iterator[tuple[str, str]]:
        """The device name of each of all its numbers, which are in order."""
        given = frozenset(self.devices.values())
        counted = [f"{self.device_name_prefix}{count}" for count in range(1, len(numbers) + 1)]
        used = given.union(
            name
            for number, name in zip(numbers, counted, strict=True)
            if number not in self.devices
        )
        free = (
            name
            for count in itertools.count(1)
            if (name := f"{self.device_name_prefix}{count}") not in used
        )
        for number, name in zip(numbers, counted, strict=True):
            if number in self.devices:
                yield number, self.devices[number]
            else:
                yield number, name if name not in given else next(free)


@dataclass(frozen=True)
class Timing:
    """The times of failover: when a server is given up, when it gets its own back. All are ours."""

    heartbeat: float = 0.5
    """Seconds between two heartbeats of a server."""
    own: float = 4.0
    """How long a server may act after it sent its last committed heartbeat; then it fences."""
    take: float = 5.0
    """How long a server is silent before it is deposed; above ``own``, or two servers could act at
    once."""
    grace: float = 2.0
    """How long after its start a server takes nothing from others (simultaneous power-on)."""
    hold: float = 1.0
    """How long an owner must ask, without a break, before its ports go back; 0 = at once."""
    hold_longest: float = 30.0
    """The most that ``hold`` is doubled to, for each further takeover within ``flap_window``."""
    flap_window: float = 600.0
    steady: float = 15.0
    """How long without a break a server must have reached the call manager to be an heir of one
    that lives. Well above ``back_off``: a call manager that restarts would otherwise move whatever
    the quicker of two servers finds unserved (Q9). Besides a wait, an owner may need 5 s for an
    attempt that gets no answer."""
    back_off: float = 1.0
    """The longest wait between two attempts to reach a call manager that is gone. The first waits
    are a tenth of a second, for one that restarts; each is twice as long as the one before."""
    registration: float = 0.4
    """How much must be left of ``own`` for a registration to be begun."""
    linger: float = 1.0
    """How long an identity that went home is served here, at most, until the owner has it too.

    That goes for route points and interceptors: the number is then answered without a gap (F28);
    call managers allow two applications at one route point (JTAPI guide). 0 = give it up first.
    """
    retry: float = 1.0
    """Seconds between two attempts to register an identity that the call manager refused.

    The second comes after a tenth of it, and each of the next after as much time as has passed
    since the first: a call manager may hear late that a dead server's connection has ended.
    """
    media_silence: float = 300.0
    """How long nothing of a call is heard, neither RTP nor RTCP, before it is ended; 0 = never.

    The call manager is told at half of the time. A call on hold is not silent.
    """
    long_call: float = 14400.0
    """A call that is longer is an alarm, in the log and the status; it goes on (Q10). 0 = never."""


@dataclass(frozen=True)
class ApplicationConfig:
    """What the built-in application does with a call at a media port; all of it is ours."""

    greeting: str = ""
    """The WAV file to play, relative to the directory of the cluster's file; blank plays a tone."""
    transfer: str = ""
    """The number that a caller goes to after the greeting; blank hangs up."""
    digits: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The number to transfer to, for each digit that may be pressed during the greeting."""


def _numerically(number: str) -> tuple[int, str]:
    return int(number), number


@dataclass(frozen=True)
class ClusterConfig:
    """Every server and provider of one cluster, as configured and not checked yet."""

    servers: tuple[ServerConfig, ...]
    providers: tuple[JtapiProvider | SkinnyProvider, ...] = ()
    timing: Timing = Timing()
    application: ApplicationConfig = ApplicationConfig()
    speech: SpeechConfig = field(default_factory=SpeechConfig)
    store: str = "state/cluster.db"
    """The SQLite file of the store, relative to the directory of ``file``; or an etcd, as
    ``etcd://HOST[:PORT],…/PREFIX``, for servers on several machines. Anything else that looks like
    a URL is refused."""
    capacity_aware: bool = False
    """Whether a stand-in that would overflow is skipped when a later one would not (Q5)."""
    file: str = ""
    """The file it was loaded from; the start of every error."""

    def server(self, name: str) -> ServerConfig:
        """The server of that name, whatever the case; raises ConfigurationError for none."""
        found = self._by_name.get(name) or self._by_name.get(name.casefold())
        if found is not None:
            return found
        known = ", ".join(server.server_name for server in self.servers)
        raise ConfigurationError(
            f"there is no server {name!r}, only {known}", file=self.file, field="server_name"
        )

    def provider(self, name: str) -> JtapiProvider | SkinnyProvider:
        """The provider of that name; raises ConfigurationError for none."""
        for provider in self.providers:
            if provider.name == name:
                return provider
        raise ConfigurationError(
            f"there is no provider {name!r}", file=self.file, field="providers"
        )

    @property
    def directory(self) -> Path:
        """The directory where relative paths start: that of the cluster's file."""
        return Path(self.file).parent if self.file else Path()

    @property
    def store_path(self) -> Path:
        """The path of the store's file; with an etcd, of what this machine has to itself."""
        if is_etcd(self.store):
            return state_directory(self.store) / "cluster"
        return self.directory / self.store

    @property
    def locks_path(self) -> Path:
        """The directory of the locks of this machine's processes."""
        if is_etcd(self.store):
            return state_directory(self.store) / "locks"
        return self.store_path.with_name(f"{self.store_path.name}.locks")

    @property
    def store_name(self) -> str:
        """What names the store from anywhere on this machine: a path, or the address of an etcd."""
        return self.store if is_etcd(self.store) else str(self.store_path.absolute())

    def candidates(self, home: str) -> tuple[str, ...]:
        """The servers that may stand in for ``home``, first choice first, in their own spelling."""
        return self._candidates[self.server(home).server_name]

    def stands_in_for(self, name: str) -> tuple[str, ...]:
        """The servers whose fail-over lists hold ``name``."""
        return tuple(home for home, names in self._candidates.items() if name in names)

    def largest_takeover(self, name: str) -> int:
        """The most ports that one takeover can bring to ``name``."""
        return max(
            (self.server(home).number_of_media_ports for home in self.stands_in_for(name)),
            default=0,
        )

    def most_ports(self, name: str) -> int:
        """How many media ports ``name`` has if it stands in for all servers at once."""
        return self.server(name).number_of_media_ports + sum(
            self.server(home).number_of_media_ports for home in self.stands_in_for(name)
        )

    @functools.cached_property
    def _by_name(self) -> Mapping[str, ServerConfig]:
        return {
            name: server
            for server in reversed(self.servers)
            for name in (server.server_name.casefold(), server.server_name)
        }

    @functools.cached_property
    def _candidates(self) -> Mapping[str, tuple[str, ...]]:
        return {
            server.server_name: tuple(
                self.server(name).server_name for name in server.fail_over_server_names
            )
            for server in self.servers
        }

    @functools.cached_property
    def devices(self) -> Mapping[tuple[str, str], str]:
        """The device name of each (Skinny provider, directory number), over all servers."""
        table: dict[tuple[str, str], str] = {}
        for provider in self.providers:
            if not isinstance(provider, SkinnyProvider):
                continue
            numbers = (
                number
                for server in self.servers
                if server.media_port_provider == provider.name
                for number in server.media_addresses
            )
            for number, name in provider.names(sorted(numbers, key=_numerically)):
                table[provider.name, number] = name
        return MappingProxyType(table)

    @functools.cached_property
    def _identities(self) -> Mapping[str, tuple[Identity, ...]]:
        return {server.server_name: tuple(self._make(server)) for server in self.servers}

    def identities(self, home: str) -> tuple[Identity, ...]:
        """All identities that ``home`` owns: ports, interceptors, route points, in that order."""
        return self._identities[home]

    @functools.cached_property
    def _needs(self) -> Mapping[str, frozenset[str]]:
        return {
            home: frozenset(identity.provider for identity in identities)
            for home, identities in self._identities.items()
        }

    def needs(self, home: str) -> frozenset[str]:
        """The names of the providers at which identities of ``home`` are registered."""
        return self._needs[home]

    @functools.cached_property
    def used_providers(self) -> tuple[str, ...]:
        """The names of the providers that any server needs, in the order of the file."""
        used = frozenset[str]().union(*self._needs.values())
        return tuple(each.name for each in self.providers if each.name in used)

    @functools.cached_property
    def nodes(self) -> int:
        """How many hosts a provider that is used names at most: :mod:`nodes`; at least 1."""
        return max((len(self.provider(name).hosts) for name in self.used_providers), default=1)

    def place(self, provider: str, node: int) -> int:
        """Which of its hosts, from 0, a provider is used at while the cluster is at ``node``."""
        return min(node, len(self.provider(provider).hosts) - 1)

    def hosts_at(self, node: int) -> tuple[str, ...]:
        """The hosts at which the providers are used while the cluster is at ``node``."""
        names = self.used_providers
        return tuple(
            dict.fromkeys(self.provider(name).hosts[self.place(name, node)] for name in names)
        )

    @functools.cached_property
    def goes_back(self) -> bool:
        """Whether the cluster goes back to an earlier node: all Skinny providers in use say so."""
        used = map(self.provider, self.used_providers)
        return all(p.return_to_preferred for p in used if isinstance(p, SkinnyProvider))

    def _make(self, server: ServerConfig) -> list[Identity]:
        home = server.server_name
        first_jtapi = next((p.name for p in self.providers if isinstance(p, JtapiProvider)), "")
        made = [
            Identity(
                home=home,
                kind=Kind.PORT,
                number=number,
                index=index,
                device=self.devices.get((server.media_port_provider, number), ""),
                provider=server.media_port_provider,
            )
            for index, number in enumerate(server.media_addresses)
        ]
        made += [
            Identity(
                home=home,
                kind=Kind.INTERCEPTOR,
                number=text.upper(),
                index=index,
                provider=server.interceptor_port_provider,
            )
            for index, text in enumerate(server.interceptor_ports)
        ]
        for kind, number, device in (
            (Kind.AA_ROUTE_POINT, server.aa_route_address, ""),
            (Kind.ROUTE_POINT, server.route_address, server.route_point_device),
        ):
            if number:
                made.append(
                    Identity(
                        home=home,
                        kind=kind,
                        number=number,
                        device=device,
                        provider=server.route_address_provider or first_jtapi,
                    )
                )
        return made

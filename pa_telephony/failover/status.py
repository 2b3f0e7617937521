"""The Server Status page: which servers are up, stand in, and serve what, and why not. Pure.

Source: the page in Cisco's document 44922. What a page of the product shows as an arrow up or down
is ``up`` here; a row that it leaves out is absent. A heartbeat is believed for ``Timing.own``
seconds only: by then a server that cannot renew it has closed everything. How old one is comes from
:class:`Ages`, which needs a clock and therefore a caller.
"""

from __future__ import annotations

import enum
import functools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.agents import kept
from pa_telephony.failover.agreement import Configured
from pa_telephony.failover.alarm_kinds import Alarm, AlarmKind
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.capacity import calls
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.identity import Identity, Kind
from pa_telephony.failover.nodes import LOST, STEADY
from pa_telephony.failover.stored import stored
from pa_telephony.failover.transaction import Snapshot
from pa_telephony.failover.world import Orders, Stop, World

__all__ = [
    "Ages",
    "ResourceStatus",
    "ServerStatus",
    "Severity",
    "cluster_status",
    "late",
    "patience",
    "seconds",
    "server_status",
    "worst",
]


class Severity(enum.IntEnum):
    """How bad a state is, in the values of monitoring plug-ins and of ``pa-telephony status``."""

    NORMAL = 0
    WARNING = 1
    """Every number is served by one server, but not all is as it should be."""
    DOWN = 2
    """A number is not served, or is held by two servers at once."""


@dataclass(frozen=True)
class ResourceStatus:
    """The state of one identity on the status page."""

    identity: Identity
    up: bool
    holder: str
    """The server that serves it, or owns it without serving it; "" for none."""
    busy: bool
    why: str
    """Why it is not up: what the holder does or was told; of one that is up, why callers do not
    reach it all the same: it is registered where they are not. Otherwise ""."""
    also: tuple[str, ...] = ()
    """The servers that have it registered besides the holder."""
    doubled: bool = False
    """Whether two servers hold it, and no return that runs explains it."""


@dataclass(frozen=True)
class ServerStatus:
    """The status page of one server."""

    name: str
    up: bool
    stopped: bool
    """Whether an operator stopped it."""
    spare: bool
    reaches_call_manager: bool
    """Whether it reaches at least one of the providers."""
    fail_over_server: str
    """The server that stands in now; "" for none."""
    resources: tuple[ResourceStatus, ...]
    age: float | None = None
    """Seconds since its last heartbeat; None when it has no session or the age cannot be told."""
    alarms: tuple[Alarm, ...] = ()
    """What is wrong with the server itself, and with its resources, by kind."""
    stands_in_for: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    """The providers that its own identities need and that it does not reach."""
    moved_to: str = ""
    """The stand-in that an operator wants for it; "" for none."""
    drained: bool = False
    """Whether it is to stop once its calls have ended, and runs still."""
    protocol: int | None = None
    """The number of what it says in the store (:data:`beat.PROTOCOL`); None without a session."""
    orders: Orders = field(default_factory=Orders)
    """What operators have ordered of it."""
    calls: int = 0
    """How many media ports have a call at it, its own and those of homes it stands in for."""
    hold: float = 0.0
    """How many seconds it has to ask before the stand-in gives anything back; 0 once it does."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about trouble of the server itself."""
        return tuple(each.text for each in self.alarms if not each.identity)

    @property
    def state(self) -> str:
        """The state of the server in words, as the arrows of the page say together."""
        ups = [resource.up for resource in self.resources]
        if any(resource.doubled for resource in self.resources):
            return "held by two servers at once"
        if self.up and self.drained:
            left = seconds(self.orders.drains_within)
            words = f"takes no new calls, ends the others after {left}"
            homes = ", ".join(self.stands_in_for)
            return f"{words}, stands in for {homes}" if homes else words
        if self.spare:
            if not self.up:
                return "down"
            homes = ", ".join(self.stands_in_for)
            return f"spare, stands in for {homes}" if homes else "idle spare"
        if not self.up:
            if not self.fail_over_server:
                return "down, nobody stands in"
            standing = "stands in" if all(ups) else "takes over"
            keeps = " and will keep it" if self.orders.held_back else ""
            return f"down, {self.fail_over_server} {standing}{keeps}"
        if not self.reaches_call_manager:
            standing = f", {self.fail_over_server} stands in" if self.fail_over_server else ""
            return f"call manager not reachable{standing}"
        if self.moved_to and self.fail_over_server == self.moved_to:
            away = sum(each.holder == self.moved_to for each in self.resources)
            if away == len(self.resources):
                return f"moved to {self.moved_to}"
            there = f"moves to {self.moved_to}, which has {away} of {len(self.resources)} numbers"
            return there + _ending(self.orders.moves_within)
        if self.fail_over_server and self.orders.held_back:
            return f"held at {self.fail_over_server} by an operator"
        if self.fail_over_server and self.orders.returns_within is not None:
            return f"returns by order{_ending(self.orders.returns_within)}"
        if self.fail_over_server and self.lacks:
            return f"does not reach {', '.join(self.lacks)}, {self.fail_over_server} stands in"
        if self.fail_over_server:
            hold = f" after a hold of {seconds(self.hold)}" if self.hold else ""
            return f"back, {self.fail_over_server} gives back{hold}"
        if not all(ups):
            return "not everything is registered"
        elsewhere = any(each.why for each in self.resources)
        words = "works, with a warning" if self.notes or elsewhere else "normal"
        return f"{words}; what a stand-in takes is held there" if self.orders.held_back else words

    @property
    def severity(self) -> Severity:
        """How bad the state of this server and of what it owns is."""
        if any(resource.doubled or not resource.up for resource in self.resources):
            return Severity.DOWN
        elsewhere = any(resource.why for resource in self.resources)
        if not self.up or self.fail_over_server or self.notes or elsewhere:
            return Severity.WARNING
        return Severity.NORMAL

    def of_kind(self, *kinds: Kind) -> tuple[ResourceStatus, ...]:
        """The resources of the given kinds."""
        return tuple(each for each in self.resources if each.identity.kind in kinds)

    @property
    def media_ports_in_use(self) -> int:
        """How many of its media ports have a call, whichever servers hold them."""
        return sum(each.busy for each in self.of_kind(Kind.PORT))


def worst(pages: Sequence[ServerStatus]) -> Severity:
    """The severity of the worst page; NORMAL without pages."""
    return max((page.severity for page in pages), default=Severity.NORMAL)


class Ages:
    """The ages of the servers' heartbeats, from looks at the store.

    The first look goes by the sender's own clock, which is this machine's when both run on it, and
    gives no age when that cannot be; later ones go by what was seen to come. ``now`` is seconds
    since this machine booted.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, float]] = {}

    def look(self, cluster: Cluster, snapshot: Snapshot, now: float) -> dict[str, float]:
        """Seconds since the last heartbeat of each server; left out where that is not known.

        To be given one snapshot after the other.
        """
        world = World(cluster, snapshot)
        ages: dict[str, float] = {}
        for name in world.names:
            session = world.session(name)
            if session is None:
                self._seen.pop(name, None)
                continue
            at = session.beat.at
            modified, since = self._seen.get(name, (0, now))
            if modified == session.modified:
                ages[name] = now - since
            elif not modified and 0 < at <= now:
                since = at
                ages[name] = now - since
            elif modified:
                ages[name] = 0.0
                since = now
            self._seen[name] = (session.modified, since)
        return ages


def cluster_status(
    cluster: Cluster, snapshot: Snapshot, ages: Mapping[str, float] | None = None
) -> tuple[ServerStatus, ...]:
    """Every server's page, from one snapshot of the store.

    A server without an entry in ``ages`` (:class:`Ages`) is taken as up.
    """
    # A reader from outside has a file of its own; a server compares files by itself.
    reader = _Reader(World(cluster, snapshot), ages or {}, has_file=ages is not None)
    return tuple(reader.page(name) for name in reader.world.names)


def server_status(world: World, name: str) -> ServerStatus:
    """One server's page; every heartbeat counts as fresh."""
    return _Reader(world, {}, has_file=False).page(name)


def patience(cluster: Cluster) -> float:
    """Seconds within which heartbeats come and a returned route point is given up."""
    return max(late(cluster), cluster.timing.linger + cluster.timing.heartbeat)


def late(cluster: Cluster) -> float:
    """Seconds after which a heartbeat is late."""
    return 2 * cluster.timing.heartbeat + cluster.timing.registration


_NOBODY: Sequence[str] = ()
_SILENT = Beat("")


class _Reader:
    def __init__(self, world: World, ages: Mapping[str, float], *, has_file: bool) -> None:
        self.world = world
        try:
            self._present = stored(world.snapshot)
        except ConfigurationError:
            self._present = None
        self._cluster = world.cluster
        self._ages = ages
        # Servers that follow the store's configuration have no files that could differ.
        compares = has_file and self._present is None
        self._file = Configured.of(world.cluster) if compares else None
        # By what is asked of each number and each server: a cluster has thousands of numbers.
        self._serving = defaultdict[str, list[str]](list)
        self._busy = set[str]()
        self._suspecting = defaultdict[str, list[str]](list)
        for name in filter(self._is_up, world.names):
            beat = self._said(name)
            self._busy |= beat.busy
            for label in beat.up:
                self._serving[label].append(name)
            for suspect in beat.suspects - {name}:
                self._suspecting[suspect].append(name)
        self._claimants = {home: world.claimant(home) for home in world.names}

    @functools.cached_property
    def _ports(self) -> Counter[str | None]:
        """How many media ports each server owns."""
        return Counter(
            self.world.owner(each)
            for home in self.world.names
            for each in self._cluster.identities(home)
            if each.kind is Kind.PORT
        )

    def page(self, name: str) -> ServerStatus:
        world = self.world
        beat = self._said(name)
        claimant = self._claimants[name] or ""
        drained = world.stopped(name) is Stop.DRAIN and self._is_up(name)
        resources = tuple(self._resource(each) for each in self._cluster.identities(name))
        troubles = self._notes(name)
        return ServerStatus(
            name=name,
            up=self._is_up(name),
            stopped=world.stopped(name) is not None and not drained,
            moved_to=world.moved(name) or "",
            drained=drained,
            orders=world.orders(name),
            spare=self._cluster.server(name).spare,
            reaches_call_manager=beat.link,
            fail_over_server=claimant,
            resources=resources,
            age=self._ages.get(name) if world.session(name) is not None else None,
            protocol=beat.protocol if world.session(name) is not None else None,
            alarms=(*troubles, *self._alarms(resources)),
            stands_in_for=tuple(home for home, other in self._claimants.items() if other == name),
            lacks=tuple(
                each for each in sorted(self._cluster.needs(name)) if not beat.reaches(each)
            ),
            calls=len(beat.busy),
            hold=self._said(claimant).holds.get(name, 0.0),
        )

    def _is_up(self, name: str) -> bool:
        """Whether a server has a session, a process, and a heartbeat that is not too old."""
        world = self.world
        alive = world.session(name) is not None and name not in world.snapshot.dead
        return alive and self._ages.get(name, 0.0) <= self._cluster.timing.own

    def _said(self, name: str) -> Beat:
        session = self.world.sessions.get(name)
        return session.beat if session is not None else _SILENT

    # ------------------------------------------------------------------------- resources

    def _resource(self, identity: Identity) -> ResourceStatus:
        owner, label = self.world.owner(identity), identity.label
        # A route point on its way home is served by its last holder until it has arrived.
        serving = self._serving.get(label, _NOBODY)
        if len(serving) > 1:
            serving = sorted(serving, key=lambda name: name != owner)
        also = tuple(serving[1:])
        # Both servers have a route point while it goes home; never a port.
        returns = identity.kind is not Kind.PORT and self._claimants[identity.home] is not None
        return ResourceStatus(
            identity,
            up=bool(serving),
            holder=serving[0] if serving else (owner or ""),
            busy=label in self._busy,
            why=(
                self._said(serving[0]).why.get(label, "") if serving else self._why(identity, owner)
            ),
            also=also,
            doubled=bool(also) and not returns,
        )

    def _why(self, identity: Identity, owner: str | None) -> str:
        """Why no server serves the identity; a sentence about the owner, if it has one."""
        if owner is None:
            if not self._is_up(identity.home):
                return self._nobody(identity.home)
            owner = identity.home
        elif not self._is_up(owner):
            return self._absence(owner)
        beat = self._said(owner)
        if not beat.reaches(identity.provider):
            return self._unreached(identity.provider, beat)
        return beat.why.get(identity.label, "not registered yet")

    def _nobody(self, home: str) -> str:
        world = self.world
        if world.stopped(home) is Stop.ALONE:
            return "stopped without a stand-in"
        candidates = self._cluster.candidates(home)
        if not candidates:
            return "nobody is named to stand in"
        return "nobody can stand in: " + ", ".join(
            f"{name} {self._uselessness(name, home)}" for name in candidates
        )

    def _could(self, name: str, home: str) -> bool:
        """Whether ``name`` could stand in for all of ``home``."""
        return self._is_up(name) and self.world.reach(name, home) == self._cluster.needs(home)

    def _uselessness(self, name: str, home: str) -> str:
        """Why ``name`` does not serve ``home``."""
        if not self._is_up(name):
            return self._absence(name)
        beat = self._said(name)
        if not beat.reads:
            return "cannot read the store"
        if groups := self.world.differs(name, home):
            return f"has another configuration of {home} ({', '.join(groups)})"
        for provider in sorted(self._cluster.needs(home)):
            if not beat.reaches(provider):
                return self._unreached(provider, beat)
        return "has not taken over yet"

    def _unreached(self, provider: str, beat: Beat) -> str:
        why = beat.unreached.get(provider, "")
        return f"does not reach {provider}" + (f" ({why})" if why else "")

    # --------------------------------------------------------------------------- servers

    def _absence(self, name: str) -> str:
        """Why a server is not up, as the end of a sentence."""
        world = self.world
        running = world.snapshot.running
        runs = None if running is None else name in running
        if world.stopped(name) is not None:
            process = " (no process of it runs)" if runs is False else ""
            return f"was stopped by an operator{process}"
        if name in world.snapshot.dead or runs is False:
            said = kept(world.snapshot, name)
            return "has no process that runs" + (f" (its agent: {said})" if said else "")
        if world.session(name) is not None:
            return f"is silent for {seconds(self._ages.get(name, 0.0))}"
        if runs:
            return "runs without a session: it starts, or has fenced itself, or stands still"
        return "has no session"

    def _alarms(self, resources: Iterable[ResourceStatus]) -> Iterator[Alarm]:
        for each in resources:
            if each.doubled or each.why or not each.up:
                yield self._alarm(each)

    def _alarm(self, resource: ResourceStatus) -> Alarm:
        home, label = resource.identity.home, resource.identity.label
        if resource.doubled:
            text = " and ".join((resource.holder, *resource.also)) + " have it"
            return Alarm(AlarmKind.NUMBER_TWICE, home, text, label)
        if resource.up:
            text = f"{resource.holder} {resource.why}"
            return Alarm(AlarmKind.REGISTERED_ELSEWHERE, home, text, label)
        refused = resource.why and resource.why == self._said(resource.holder).why.get(label)
        kind = AlarmKind.NUMBER_REFUSED if refused else AlarmKind.NUMBER_DOWN
        text = f"{resource.holder} {resource.why}".strip() or "not served"
        return Alarm(kind, home, text, label)

    def _notes(self, name: str) -> list[Alarm]:
        found: list[Alarm] = []

        def note(kind: AlarmKind, text: str) -> None:
            found.append(Alarm(kind, name, text))

        if self._is_up(name):
            self._troubles(name, note)
        else:
            note(AlarmKind.SERVER_DOWN, f"it {self._absence(name)}")
            session = self.world.session(name)
            if session is not None and name in (self.world.snapshot.running or ()):
                own = seconds(self._cluster.timing.own)
                note(
                    AlarmKind.SERVER_DOWN,
                    f"it stands still, or has closed everything {own} after its last word",
                )
        if suspecting := self._suspecting.get(name):
            note(AlarmKind.SERVER_LATE, f"not heard by {', '.join(suspecting)}")
        return found

    def _troubles(self, name: str, note: Callable[[AlarmKind, str], None]) -> None:
        """Note what is wrong with a server that is up."""
        beat = self._said(name)
        age = self._ages.get(name, 0.0)
        if age > late(self._cluster):
            note(AlarmKind.SERVER_LATE, f"no heartbeat for {seconds(age)}")
        if not beat.reads:
            note(AlarmKind.STORE_UNREACHABLE, "it cannot read the store")
        for text in self._differences(name, beat):
            note(AlarmKind.CONFIGURATION_DIFFERS, text)
        homes = [name, *self._cluster.stands_in_for(name)]
        needed = dict.fromkeys(each for home in homes for each in sorted(self._cluster.needs(home)))
        for provider in needed:
            if not beat.reaches(provider):
                note(AlarmKind.PROVIDER_UNREACHABLE, f"it {self._unreached(provider, beat)}")
        if text := self._left(beat):
            note(AlarmKind.CALL_MANAGER_LEFT, text)
        ports = self._ports[name]
        capacity = self._cluster.server(name).capacity
        if ports > capacity:
            text = f"holds {ports} media ports, and may have {calls(capacity)} at once"
            if len(beat.busy) >= capacity:
                text += ": it has them, so the next caller hears busy"
            note(AlarmKind.CAPACITY_EXCEEDED, text)
        long = seconds(self._cluster.timing.long_call)
        for label in sorted(beat.long):
            note(AlarmKind.CALL_LONG, f"a call at {label} lasts longer than {long}")
        candidates = self._cluster.candidates(name)
        if candidates and not any(self._could(each, name) for each in candidates):
            reasons = ", ".join(f"{each} {self._uselessness(each, name)}" for each in candidates)
            note(AlarmKind.REDUNDANCY_LOST, f"nobody could stand in for it: {reasons}")

    def _left(self, beat: Beat) -> str:
        """Why the cluster is not at its first call manager, as a server that is up sees it."""
        cluster = self._cluster
        if not self.world.node or not beat.nodes:
            return ""
        here = ", ".join(cluster.hosts_at(self.world.node))
        first = ", ".join(cluster.hosts_at(0))
        letters = {name: said[:1] for name, said in beat.nodes.items()}
        lost = sorted(name for name, letter in letters.items() if letter == LOST)
        if lost:
            return f"all is at {here}: it does not reach {first} ({', '.join(lost)})"
        if not cluster.goes_back:
            return ""
        if set(letters.values()) == {STEADY}:
            return f"all is at {here}: it reaches {first}, and waits for the other servers"
        return (
            f"all is at {here}: it reaches {first} for less than {seconds(cluster.timing.steady)}"
        )

    def _differences(self, name: str, beat: Beat) -> list[str]:
        """In what a server that is up has another configuration."""
        found = [
            f"its configuration of {home} is another: {', '.join(groups)}"
            for home in self.world.names
            if (groups := self.world.differs(name, home))
        ]
        running, present = self.world.configured(name), self._present
        if present is not None and beat.configuration not in ("", present.hash):
            found.append(f"it has not taken up revision {present.number} of the configuration yet")
        if self._file is not None and running is not None:
            found += [
                f"it runs with another configuration of {home} than this file: {', '.join(groups)}"
                for home in dict.fromkeys((*self.world.names, *running.homes))
                if (groups := self._file.differs(home, running))
            ]
        return found


def _ending(within: float | None) -> str:
    return "" if within is None else f", ends calls after {seconds(within)}"


def seconds(value: float) -> str:
    """A duration for people: ``40 ms``, ``1.4 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if value < 0.9995:
        return f"{max(0.0, value) * 1000:.0f} ms"
    if value < 10:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"

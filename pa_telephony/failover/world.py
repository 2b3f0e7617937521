"""What the entries of the store mean: sessions, owners, claims, wishes, orders.

==========================  =====================  ============================================
key                         value                  meaning
==========================  =====================  ============================================
``srv/S``                   :class:`Beat`, JSON    session of server S, rewritten twice a second;
                                                   the revision that *created* the key is the
                                                   session's token
``conf/S``                  :class:`Configured`    what S's file says of every home, written with
                                                   its session; it stays when the session ends
``own/H/kind/number``       ``S:token``            the server that owns that identity of H
``claim/H``                 ``F:token``            the one server that stands in for H
``want/H``                  ``H:token``            H asks for what is its own (F25)
``coming/S``                ``begins``             S's new process has ended the session of its
                                                   predecessor and begins its own: nobody takes
                                                   its home meanwhile
``stop/S``, ``move/H`` …    :mod:`orders`          what operators have ordered
``node``                    a number               at which call manager of the providers' lists
                                                   all servers are, from 0: :mod:`nodes`
``rolling``                 a roll, JSON           servers to be restarted one after the other, and
                                                   how far that is: :mod:`rolling`
``cluster``                 a revision, JSON       the configuration of the cluster, and with
                                                   ``cluster/00`` … the last ones: :mod:`stored`
``log/S/00`` …              an episode, JSON       what S did of late, for people: :mod:`chronicle`
``moved``                   a mark, JSON           in a file alone: that the cluster goes to an
                                                   etcd, or has gone: :mod:`stores.move_mark`
==========================  =====================  ============================================

``S:token`` counts only while ``srv/S`` exists and was created at revision ``token``. One delete of
``srv/S`` therefore voids all that S owned, claimed or wanted. A token never comes back. An
identity without an owner that counts is an *orphan*. F and Q are the rules and questions of
docs/failover-design.md, here and in all of this package.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pa_telephony.failover.agents import agents
from pa_telephony.failover.agreement import Configured
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.identity import Identity, Kind
from pa_telephony.failover.nodes import LOST, STEADY, Reach
from pa_telephony.failover.orders import (
    Orders,
    Stop,
    held_back,
    move,
    orders_of,
    returning,
    stop,
)
from pa_telephony.failover.stored import CONFIGURATION
from pa_telephony.failover.transaction import Compare, Entry, Snapshot

__all__ = [
    "NODE",
    "Bearer",
    "Orders",
    "Session",
    "Stop",
    "World",
    "claim",
    "coming",
    "configuration",
    "held_back",
    "is_pulse",
    "move",
    "returning",
    "session",
    "stop",
    "want",
]


_SESSIONS = "srv/"
_OWNERS = "own/"


def session(server: str) -> str:
    """The key of a server's session."""
    return _SESSIONS + server


def configuration(server: str) -> str:
    """The key of what a server's file says."""
    return f"conf/{server}"


def claim(home: str) -> str:
    """The key that names the stand-in of a home."""
    return f"claim/{home}"


def want(home: str) -> str:
    """The key by which a home asks for its own."""
    return f"want/{home}"


def coming(server: str) -> str:
    """The key by which a server's new process says that its session is about to begin."""
    return f"coming/{server}"


NODE = "node"
"""The key that says at which node the cluster is; without it, at the first."""


class Bearer(NamedTuple):
    """A server in one of its sessions, as values of the store name it."""

    server: str
    token: int

    def __str__(self) -> str:
        return f"{self.server}:{self.token}"


class Session(NamedTuple):
    """A server's session as the store has it."""

    server: str
    token: int
    modified: int
    beat: Beat


def is_pulse(key: str, old: Entry, new: Entry) -> bool:
    """Whether an entry was rewritten by a heartbeat that says nothing new."""
    return (
        key.startswith(_SESSIONS)
        and old.created == new.created
        and Beat.decode(old.value).still == Beat.decode(new.value).still
    )


class World:
    """A snapshot read with a cluster's configuration in hand; its methods only answer questions.

    It is read sooner where there is one ``before`` it, of which most has not changed.
    """

    def __init__(
        self,
        cluster: Cluster,
        snapshot: Snapshot,
        *,
        readable: bool = True,
        before: World | None = None,
    ) -> None:
        self.cluster = cluster
        self.snapshot = snapshot
        self.readable = readable
        """Whether ``cluster`` is the configuration of the snapshot, if it has one: else this
        release cannot read that."""
        self.names = tuple(server.server_name for server in cluster.servers)
        self.sessions: dict[str, Session] = {}
        """Every session by the name of its server, also of one that only another server's file
        has."""
        self._since: tuple[Snapshot, list[str]] | None = None
        if before is not None:
            self._since = before.snapshot, snapshot.changed_since(before.snapshot)
            for name, found in before.sessions.items():
                if session(name) in snapshot.entries:
                    self.sessions[name] = found
        for key in snapshot.under(_SESSIONS) if self._since is None else self._since[1]:
            if key.startswith(_SESSIONS):
                name, entry = key.removeprefix(_SESSIONS), snapshot.entries[key]
                beat = Beat.decode(entry.value)
                self.sessions[name] = Session(name, entry.created, entry.modified, beat)
        self._orders: dict[str, Orders] = {}
        self._configured: dict[str, Configured | None] = {}
        self._differences: dict[tuple[str, str], tuple[str, ...]] = {}
        self._reaches: dict[tuple[str, str, bool], frozenset[str]] = {}

    def has_news_since(self, other: World) -> bool:
        """Whether anything but the pulse of heartbeats differs from ``other``.

        If nothing does, no new plan is needed.
        """
        mine, theirs = self.snapshot, other.snapshot
        if mine.dead != theirs.dead or len(mine.entries) != len(theirs.entries):
            return True
        since = self._since
        changed = since[1] if since and since[0] is theirs else mine.changed_since(theirs)
        for key in changed:
            old = theirs.entries.get(key)
            if old is None or not is_pulse(key, old, mine.entries[key]):
                return True
        return False

    def all_speak(self, protocol: int) -> bool:
        """Whether every server with a session, and every agent, speaks so much at least."""
        beats = all(found.beat.protocol >= protocol for found in self.sessions.values())
        return beats and all(each.protocol >= protocol for each in agents(self.snapshot))

    def session(self, server: str) -> Session | None:
        """The session of ``server``, if it has one."""
        return self.sessions.get(server)

    def configured(self, server: str) -> Configured | None:
        """What the file of ``server`` says, or said when it ran last; None when that is unknown."""
        if server not in self._configured:
            self._configured[server] = self._read_configured(server)
        return self._configured[server]

    def _read_configured(self, server: str) -> Configured | None:
        entry, found = self.snapshot.entries.get(configuration(server)), self.session(server)
        if entry is None or (found is not None and found.token != entry.modified):
            # None, or left over: another release has begun that session without writing it.
            return None
        return Configured.decode(entry.value)

    def differs(self, server: str, home: str) -> tuple[str, ...]:
        """The groups in which ``server`` disagrees with what ``home`` says, or said, of itself.

        Groups of :data:`agreement.GROUPS`; none when they agree or that is unknown, and of servers
        that have the one configuration of the store. A server that differs does not stand in.
        """
        if server in self._agreeing and home in self._agreeing:
            return ()
        key = server, home
        if key not in self._differences:
            one, other = self.configured(server), self.configured(home)
            self._differences[key] = one.differs(home, other) if one and other else ()
        return self._differences[key]

    @functools.cached_property
    def _agreeing(self) -> frozenset[str]:
        """The servers that have the store's configuration, or will have it when they begin."""
        found = {name for name, each in self.sessions.items() if each.beat.configuration}
        if CONFIGURATION in self.snapshot.entries:
            found.update(name for name in self.names if name not in self.sessions)
        return frozenset(found)

    @functools.cached_property
    def strays(self) -> tuple[Identity, ...]:
        """The identities with an entry in the store that the configuration does not have any more.

        Their owner gives them up when their calls have ended.
        """
        own = {each.key for name in self.names for each in self.cluster.identities(name)}
        found = (Identity.parse(key) for key in self.snapshot.entries if key not in own)
        return tuple(each for each in found if each is not None)

    @functools.cached_property
    def _leaving(self) -> frozenset[tuple[Kind, str]]:
        strays = (each for each in self.strays if self.owner(each) is not None)
        return frozenset((each.kind, each.number) for each in strays)

    def is_leaving(self, identity: Identity) -> bool:
        """Whether the number of ``identity`` is still of another home, which gives it up."""
        return (identity.kind, identity.number) in self._leaving

    def bearer(self, key: str) -> Bearer | None:
        """The server that the value of ``key`` names, if that session still exists."""
        entry = self.snapshot.entries.get(key)
        return None if entry is None else self._counting.get(entry.value)

    @functools.cached_property
    def _counting(self) -> Mapping[str, Bearer]:
        """The servers in the sessions that they have now, by how values name them."""
        bearers = (Bearer(each.server, each.token) for each in self.sessions.values())
        return {str(each): each for each in bearers}

    def owner(self, identity: Identity) -> str | None:
        """The server that owns ``identity`` now; None for an orphan."""
        bearer = self.bearer(identity.key)
        return bearer.server if bearer is not None else None

    def claimant(self, home: str) -> str | None:
        """The server that stands in for ``home``, None for none."""
        bearer = self.bearer(claim(home))
        return bearer.server if bearer else None

    def wants(self, home: str) -> Bearer | None:
        """``home`` in its session while it asks for its own, else None."""
        bearer = self.bearer(want(home))
        return bearer if bearer and bearer.server == home else None

    def coming(self, home: str) -> int:
        """The revision at which the new process of ``home`` said that it begins a session; else 0.

        It counts only while that session is still to come, and the process may be there.
        """
        waits = home not in self.sessions and home not in self.snapshot.dead
        return self.snapshot.modified(coming(home)) if waits and not self.stopped(home) else 0

    @functools.cached_property
    def node(self) -> int:
        """The node at which the cluster is, from 0; the first where the store names no such one."""
        entry = self.snapshot.entries.get(NODE)
        said = int(entry.value) if entry is not None and entry.value.isdecimal() else 0
        return said if said < self.cluster.nodes else 0

    def reaches(self) -> Iterator[Reach]:
        """What the servers say that they reach at each node: those that live and shall run."""
        nodes, providers = range(self.cluster.nodes), self.cluster.used_providers
        for name, found in self.sessions.items():
            said = found.beat.nodes
            if name in self.snapshot.dead or not found.beat.reads or self.stopped(name) is not None:
                continue
            letters = {each: said.get(each, "").ljust(len(nodes), LOST) for each in providers}
            yield Reach(
                tuple(frozenset(p for p in providers if letters[p][n] != LOST) for n in nodes),
                tuple(frozenset(p for p in providers if letters[p][n] == STEADY) for n in nodes),
            )

    def orders(self, server: str) -> Orders:
        """What operators have ordered of ``server``."""
        if server not in self._orders:
            mine = self.session(server)
            self._orders[server] = orders_of(
                self.snapshot,
                server,
                self.cluster.candidates(server),
                mine.token if mine is not None else None,
            )
        return self._orders[server]

    def stopped(self, server: str) -> Stop | None:
        """The operator's order that ``server`` be stopped; None = it shall run."""
        return self.orders(server).stop

    def moved(self, home: str) -> str | None:
        """The stand-in that an operator wants for ``home``; None = it shall serve itself."""
        return self.orders(home).moved_to

    def drains_within(self, server: str) -> float:
        """How many seconds the calls of ``server`` have left after the order to drain it; or 0."""
        return self.orders(server).drains_within

    def calls_end_within(self, home: str, server: str) -> tuple[int, float] | None:
        """The order that ends calls on ports of ``home`` at ``server``, if one counts now.

        Its revision, and how many seconds the calls have from now on. An order that cannot be
        obeyed now does not count, nor one to move to ``server`` itself: what that gives away has
        another reason.
        """
        returns = self.orders(home).returns_within
        if returns is not None:
            asks = self.asks(home) is not None
            return (self.snapshot.modified(returning(home)), returns) if asks else None
        to, within = self.moved(home), self.orders(home).moves_within
        if to is None or within is None or to == server:
            return None
        reach = self.reach(to, home)
        can = bool(reach) and self.reach(home, home) <= reach
        return (self.snapshot.modified(move(home)), within) if can else None

    def reach(self, server: str, home: str, *, steady: bool = False) -> frozenset[str]:
        """Names of the providers through which ``server`` could serve ``home`` now.

        They are those that identities of ``home`` need and ``server`` reaches; none at all when
        it has no session, is to be stopped, cannot read the store, or does not agree with what
        ``home`` says of itself. ``steady``: only those that it has reached for ``Timing.steady``.
        """
        key = server, home, steady
        if key not in self._reaches:
            self._reaches[key] = self._find_reach(server, home, steady)
        return self._reaches[key]

    def _find_reach(self, server: str, home: str, steady: bool) -> frozenset[str]:
        found = self.sessions.get(server)
        if found is None or not found.beat.reads or self.stopped(server) is not None:
            return frozenset()
        if self.differs(server, home):
            return frozenset()
        reaches = found.beat.is_steady if steady else found.beat.reaches
        return frozenset(filter(reaches, self.cluster.needs(home)))

    def session_of(self, server: str, instance: str) -> Session | None:
        """The session of that process of ``server``; a predecessor's of its name is another."""
        found = self.session(server)
        return found if found is not None and found.beat.instance == instance else None

    def asks(self, home: str) -> Bearer | None:
        """``home`` in its session while it asks for its own and could serve some of it."""
        asking = self.wants(home)
        return asking if asking is not None and self.reach(home, home) else None

    def as_read(self, server: str, home: str) -> Compare:
        """A compare that fails as soon as ``server`` may reach more of ``home`` than as read here.

        One reason is enough, and the most lasting one is taken: an intent, another configuration,
        an absent session, a session that says in this very heartbeat what it reaches.
        """
        if self.stopped(server) is not None:
            return self.unchanged(stop(server))
        if self.sessions.get(server) is not None and self.differs(server, home):
            return self.unchanged(configuration(server))
        return self.unchanged(session(server))

    def unchanged(self, key: str) -> Compare:
        """The compare that ``key`` is as in this snapshot, absence included."""
        return Compare(key, modified=self.snapshot.modified(key))

    def ports(self, server: str) -> int:
        """How many media ports ``server`` has to serve: its own and those of homes that it claims.

        From configuration and claims only, so that a few compares can pin it down (F8).
        """
        return self.cluster.server(server).number_of_media_ports + sum(
            self.cluster.server(home).number_of_media_ports
            for home in self.cluster.stands_in_for(server)
            if self.claimant(home) == server
        )

    def homes_of(self, server: str) -> frozenset[str]:
        """The homes of which ``server`` owns something now, in one pass over the entries."""
        found = self.sessions.get(server)
        if found is None:
            return frozenset()
        mine = str(Bearer(server, found.token))
        return frozenset(
            key.split("/", 2)[1]
            for key, entry in self.snapshot.entries.items()
            if entry.value == mine and key.startswith(_OWNERS)
        )

    def has_anything(self, server: str) -> bool:
        """Whether ``server`` owns an identity or has a claim."""
        return any(
            self.claimant(home) == server
            or any(self.owner(identity) == server for identity in self.cluster.identities(home))
            for home in self.names
        ) or any(self.owner(identity) == server for identity in self.strays)

    def held(self, server: str) -> tuple[Identity, ...]:
        """Every identity that ``server`` owns now, whichever home it belongs to."""
        return tuple(
            identity
            for home in self.names
            for identity in self.cluster.identities(home)
            if self.owner(identity) == server
        )

"""A server of the cluster without its I/O: snapshots, outcomes and reports in, actions out. Pure.

It adds to :mod:`ownership` what has to be remembered between two plans: the guard, since when each
server has been silent, how long a home has asked, and each identity's registration. A driver::

    member = Member(cluster, "PA1", instance=unique_text, now=clock())
    # task 1
    while True:
        snapshot = await store.snapshot()
        member.observe(snapshot, clock(), asked=before);  wake task 2
        await store.watch(snapshot), but look again after ``own`` / 4 at the latest
    # task 2
    while True:
        for action in member.actions(clock()):     # nothing awaited in this loop …
            start_soon(perform, action)            # … but Close acts before it returns
        await woken_or(member.next_deadline(clock()))
    # perform
    Transact   → member.finished(action, outcome or None when unknown, clock())
    Register   → member.registered(…) | refused(…) | lost(…), and lost(…) whenever it goes later
    Unregister → member.unregistered(…) | kept(…) | lost(…)
    EndCalls   → nothing but set_busy(…), as for every call that ends
    Close      → member.closed(…), always, after the connection is gone
    # all along: member.link(provider, reachable, now), member.sees(provider, place, …) where
    # providers have several hosts, member.set_busy(identity, busy), and
    # member.may_answer(identity, clock()) right before anything visible is done for a caller

After every input the driver calls :meth:`Member.actions` again. ``now`` is seconds of a clock that
also counts while the machine sleeps (CLOCK_BOOTTIME), never a wall clock.
"""

from __future__ import annotations

from dataclasses import replace

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import ownership, world as keys
from pa_telephony.failover.actions import Action, Beating, Flight, Transact
from pa_telephony.failover.beat import PROTOCOL, RUNS, Beat
from pa_telephony.failover.capacity import exceeds
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.deadlines import Deadlines
from pa_telephony.failover.duties import View
from pa_telephony.failover.identity import Identity
from pa_telephony.failover.ledger import GIVEN_UP, Ledger, Registration
from pa_telephony.failover.orders import Stop
from pa_telephony.failover.others import Others
from pa_telephony.failover.reached import Reached
from pa_telephony.failover.registration import Input, State
from pa_telephony.failover.steps import Plan, Step, StepKind
from pa_telephony.failover.stored import Revision, read, stored
from pa_telephony.failover.transaction import Compare, Outcome, Put, Snapshot, Transaction
from pa_telephony.failover.world import World

__all__ = ["Member"]

# How much sooner than the next heartbeat changed contents are told, and how soon a transaction with
# an unknown outcome is repeated: this part of the heartbeat's period.
_SOON = 0.1


class Member:
    """The decisions of one server; see the module.

    ``instance`` must be unique to this process and object. ``alone``: the caller holds the store's
    proof that no other process has this name. ``offers`` is ``cluster`` as a revision, to be the
    configuration of a store that has none.
    """

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        *,
        instance: str,
        now: float,
        alone: bool = True,
        offers: Revision | None = None,
    ) -> None:
        self.cluster = cluster
        """The configuration that is followed: the store's, and ``cluster`` while it has none."""
        self.unread = ""
        """Why the store's configuration is not followed; "" when it is."""
        self._offers = offers
        self._hash: str = offers.hash if offers is not None else ""
        self.name = cluster.server(name).server_name
        self._timing = cluster.timing
        self._alone = alone
        self._world = World(cluster, Snapshot(0, {}))
        self._known = False
        self._floor = 0
        self._committed_at = 0
        self._read = now
        self._ended = False
        self._source: str | None = None
        self._beat = Beat(instance, configuration=self._hash, protocol=PROTOCOL)
        self._told = self._beat
        self._told_about: tuple[object, ...] = ()
        self._next_beat = now
        self._last_beat = now
        self._guard = now
        self._entered = now
        self._reached = Reached()
        self._reached.follow(cluster, now)
        self._last_sent = now
        self._sequence = 0
        self._beating: Beating | None = None
        self.withheld = False
        """Whether there may be news to tell, and the last heartbeat is under way or too fresh."""
        self._flight: Flight | None = None
        self._ledger = Ledger(
            self._timing.retry,
            {
                identity: Registration()
                for server in cluster.servers
                for identity in cluster.identities(server.server_name)
            },
        )
        self._others = Others(self._timing, steady_since=now)
        self._deadlines = Deadlines()
        self._rests_until = 0.0
        """The time until which all is as planned: only heartbeats are due, if nothing comes in."""
        self.plan = Plan()
        """The plan that was made last, and is followed."""
        self._viewed: View | None = None
        self.news = True
        """Whether the last snapshot had anything to plan for; heartbeats of others are no news."""

    # ------------------------------------------------------------------------- questions

    @property
    def world(self) -> World:
        """The last snapshot, read with the configuration."""
        return self._world

    @property
    def guard(self) -> float:
        """The time until which the server may act; heartbeats and looks at the store extend it.

        A server that cannot read the store does not see that it was stopped, or what is asked.
        """
        return min(self._guard, self._read + self._timing.own)

    def may_act(self, now: float) -> bool:
        """Whether anything that is visible to others may be done at all."""
        return now < self.guard

    def serves(self, identity: Identity, now: float) -> bool:
        """Whether a call that has come to ``identity`` is ours to serve, to route for instance.

        A call that comes proves that the call manager has the identity from us, which its report
        may not say yet (a registration that came back by itself) or not any more (asked to
        unregister, it offered the call first and will answer with NAK). Only an identity that was
        given up, or is being closed, takes none (F28).
        """
        return self.may_act(now) and self.state(identity) not in GIVEN_UP

    def may_answer(self, identity: Identity, now: float) -> bool:
        """Whether a new call may be answered: one above the capacity is refused (F10)."""
        return not self.turns_away(identity, now)

    def turns_away(self, identity: Identity, now: float, *, sent: bool = False) -> str:
        """Why a new call at a port may not be answered; "" when it may.

        ``sent``: it was sent there from here, perhaps before the order to drain was read.
        """
        if not self.may_act(now):
            return "the guard is over"
        ordered = self._world.stopped(self.name)
        if ordered is not None and not (sent and ordered is Stop.DRAIN):
            return "it is to stop, and takes no new calls"
        if identity in self.plan.end:
            return "an operator's order ends the calls on it"
        if not self.serves(identity, now):
            return f"it is given up here: {self.state(identity).value}"
        calls = self._ledger.ports_with_calls(but=identity)
        capacity = self.cluster.server(self.name).capacity
        return exceeds(calls, capacity)

    @property
    def calls(self) -> int:
        """How many of the media ports that are held here have a call."""
        return self._ledger.ports_with_calls()

    def holds_port(self, number: str) -> bool:
        """Whether the media port ``number`` is held here, or being given up."""
        return self._ledger.holds_port(number)

    def state(self, identity: Identity) -> State:
        """The state of the registration of ``identity``."""
        found = self._ledger.registrations.get(identity)
        return State.IDLE if found is None else found.state

    def reasons(self) -> dict[str, str]:
        """Why each identity to be held here is not up, or is not where the callers are, by label.

        The first is its last refusal or loss.
        """
        return {**self._ledger.reasons(self.plan.hold), **self._elsewhere()}

    def _elsewhere(self) -> dict[str, str]:
        if self._world.cluster.nodes == 1:
            return {}
        return {
            identity.label: f"is registered at {self._host(identity, found.node)}, where the"
            f" callers are not; it goes to {self._host(identity, self._ledger.node)} when"
            " its call has ended"
            for identity, found in self._ledger.registrations.items()
            if found.state is State.REGISTERED and self._ledger.is_elsewhere(identity)
        }

    def _host(self, identity: Identity, node: int) -> str:
        try:
            hosts = self.cluster.provider(identity.provider).hosts
            return hosts[self.cluster.place(identity.provider, node)]
        except ConfigurationError:
            return f"host {node + 1}"  # The configuration has that provider no more.

    # ---------------------------------------------------------------------------- inputs

    def forget(self, now: float) -> None:
        """Forget the lost store: fence at once, and begin anew with the next snapshot."""
        self._guard = min(self._guard, now)
        self._known = False
        self._floor = self._committed_at = 0
        self._source = None
        self._world = World(self.cluster, Snapshot(0, {}))
        self._flight = self._beating = None
        self._others.forget()
        self._deadlines = Deadlines()
        self.plan = Plan()
        self._viewed = None

    def observe(
        self, snapshot: Snapshot, now: float, *, asked: float | None = None
    ) -> tuple[Step, ...]:
        """Take a snapshot, asked for at ``asked``; one older than a commit of ours is ignored.

        Returns the step that it shows to have committed, if its outcome was not known. Whether
        there is anything to plan is :attr:`news` afterwards.
        """
        if self._source not in (None, snapshot.source):
            self.forget(now)
        self._source = snapshot.source
        if snapshot.revision < self._floor:
            self.news = False
            return ()
        self._floor = snapshot.revision
        self._follow_configuration(snapshot, now)
        before, known = self._world, self._known
        world = World(self.cluster, snapshot, readable=not self.unread, before=before)
        # To read again is news by itself: where no other server lives, nothing in the store
        # changes.
        blind = not self._beat.reads or self._is_deaf(now)
        self._known = True
        self._ended = False
        self._read = max(self._read, now if asked is None else asked)
        self._world = world
        self._ledger.go_to(world.node)
        self._others.observe(world, now)
        self._deadlines.observe(world, self.name, now)
        recognised = self._recognise(now)
        self.news = not known or blind or bool(recognised) or world.has_news_since(before)
        if self.news:
            self._rests_until = 0.0
            self._ledger.meet(world.strays)
        return recognised

    def _follow_configuration(self, snapshot: Snapshot, now: float) -> None:
        """Take up the configuration that the store has, if it is another; else say why not."""
        try:
            revision = stored(snapshot)
            if revision is None:
                return
            if revision.hash == self._hash:
                self.unread = ""
                return
            cluster = read(revision, self.cluster)
            cluster.server(self.name)
        except ConfigurationError as error:
            self.unread = str(error)
            return
        self.unread = ""
        self._hash, self._offers = revision.hash, revision
        self.cluster, self._timing = cluster, cluster.timing
        self._others.timing, self._ledger.retry = cluster.timing, cluster.timing.retry
        self._ledger.follow(
            (
                identity
                for server in cluster.servers
                for identity in cluster.identities(server.server_name)
            ),
            World(cluster, snapshot).strays,
        )
        self._reached.follow(cluster, now)
        self._beat = replace(self._beat, configuration=revision.hash)
        self._rests_until = 0.0

    def finished(self, action: Transact, outcome: Outcome | None, now: float) -> tuple[Step, ...]:
        """Take the outcome of a transaction; None = unknown (store unreachable, no answer).

        Returns the step that is known to have committed now, if one is.
        """
        if outcome is not None:
            self._floor = max(self._floor, outcome.revision)
        if action.step is None:
            self._beaten(action, outcome, now)
            return ()
        flight = self._flight
        if flight is None or flight.action is not action:
            return ()
        if outcome is None:
            flight.repeat_at = now + _SOON * self._timing.heartbeat
            flight.repeated = True
            return ()
        if outcome.committed:
            self._flight = None
            self._known = False
            self._committed_at = outcome.revision
            self._committed(flight.step, flight.sent, now)
            return (flight.step,)
        self._known = self._known and self._world.snapshot.revision >= outcome.revision
        if flight.repeated:
            flight.refused = outcome.revision
            if not self._is_deaf(now):
                return self._recognise(now)
            self._committed_at = outcome.revision  # for all we know
        self._flight = None
        if flight.step.kind is StepKind.LEAVE:
            self._ended = True
        return ()

    def _recognise(self, now: float) -> tuple[Step, ...]:
        """The step under way, if the snapshot shows its commit: only its answer is missing."""
        flight = self._flight
        if flight is None:
            return ()
        if self._stands(flight.action.transaction):
            self._flight = None
            self._committed(flight.step, flight.first, now)
            return (flight.step,)
        if flight.refused is not None and self._world.snapshot.revision >= flight.refused:
            self._flight = None
        return ()

    def _stands(self, transaction: Transaction) -> bool:
        """Whether all that the transaction puts is in the snapshot; a session by its instance."""
        found = [
            (put, self._world.snapshot.entries.get(put.key))
            for put in transaction.operations
            if isinstance(put, Put)
        ]
        session = keys.session(self.name)
        return bool(found) and all(
            entry is not None
            and (
                entry.value == put.value
                if put.key != session
                else Beat.decode(entry.value).instance == self._beat.instance
            )
            for put, entry in found
        )

    def _beaten(self, action: Transact, outcome: Outcome | None, now: float) -> None:
        flight = self._beating
        if flight is None or flight.action is not action:
            return
        self._beating = None
        if outcome is None:
            self._others.steady_since = now
            self._next_beat = now + _SOON * self._timing.heartbeat
        elif outcome.committed:
            self._alive(flight.sent, now)
        else:
            # Deposed. Whoever did it may act already: stop before anything else.
            self._guard = now
            self._ended = True
            self._known = self._world.snapshot.revision >= outcome.revision

    def _alive(self, sent: float, now: float) -> None:
        period = self._timing.heartbeat
        if now > self._last_beat + 2 * period + self._timing.registration:
            self._others.steady_since = now
        self._last_beat = now
        self._guard = max(self._guard, sent + self._timing.own)

    def _committed(self, step: Step, sent: float, now: float) -> None:
        if step.kind in (StepKind.ENTER, StepKind.LEAVE):
            self._beating = None  # A heartbeat of the session before says nothing of this one.
        if step.kind is StepKind.ENTER:
            self._entered = self._others.steady_since = now
            self._last_beat = now
            self._guard = max(self._guard, sent + self._timing.own)
            self._next_beat = sent + self._timing.heartbeat
        elif step.kind is StepKind.LEAVE:
            self._guard = now
            self._ended = True
        elif step.kind is StepKind.TAKE_HOME:
            self._others.took(step.server, now)
        elif step.kind in (StepKind.HAND_BACK, StepKind.HAND_OVER):
            for identity in step.identities:
                self._ledger.linger(identity, now + self._timing.linger)

    def link(self, provider: str, reachable: bool, now: float, why: str = "") -> None:
        """Note whether the provider of that name can be reached, and why not; False until then."""
        self._rests_until = 0.0
        if self._reached.link(provider, reachable, now, why):
            self._beat = self._reached.said(self._beat, self.cluster, self._timing, now)

    def sees(self, provider: str, place: int, reachable: bool, now: float) -> None:
        """Note whether the host at ``place`` of a provider's list can be reached."""
        if self._reached.host((provider, place), reachable, now):
            self._rests_until = 0.0

    def set_busy(self, identity: Identity, busy: bool) -> None:
        """Note whether ``identity`` has a call (a routing decision, for a route point)."""
        self._ledger.set_busy(identity, busy)

    def set_long(self, identity: Identity) -> None:
        """Note that the call of ``identity`` is longer than a call should be."""
        self._ledger.set_long(identity)

    def registered(self, identity: Identity, now: float) -> None:
        """Note that the call manager has registered the identity."""
        self._ledger.report(identity, Input.REGISTERED, now, "")

    def refused(self, identity: Identity, now: float, why: str = "refused") -> None:
        """Note that the call manager has refused the identity, or has unregistered it by itself."""
        self._ledger.report(identity, Input.REFUSED, now, why)

    def lost(self, identity: Identity, now: float, why: str = "connection lost") -> None:
        """Note that the connection is gone, or that an answer did not come."""
        self._ledger.report(identity, Input.LOST, now, why)

    def unregistered(self, identity: Identity, now: float) -> None:
        """Note that the call manager has confirmed the unregistration."""
        self._ledger.report(identity, Input.UNREGISTERED, now, "")

    def kept(self, identity: Identity, now: float) -> None:
        """Note that the call manager has refused the unregistration, because there is a call."""
        self._ledger.report(identity, Input.KEPT, now, "")

    def closed(self, identity: Identity, now: float) -> None:
        """Note that the connection which :class:`Close` was about is closed."""
        self._ledger.report(identity, Input.CLOSED, now, "")

    # --------------------------------------------------------------------------- outputs

    def actions(self, now: float) -> list[Action]:
        """Everything to be done now, in this order; each action is given once."""
        until = min(self._rests_until, self._guard, self._read + self._timing.own / 2)
        if now < until and not self._ledger.changed:
            self._heartbeat(now)
        else:
            self._look(now)
        done, self._ledger.pending = self._ledger.pending, []
        return done

    def _look(self, now: float) -> None:
        """Look at everything: plan, follow the plan, and see when to look again."""
        self._look_at_myself(now)
        view, plan, rests = self._view(now), None, False
        if self._known and view.session is None:
            self._guard = min(self._guard, now)
        if not self.may_act(now):
            # The fence: local, immediate, whatever the store says or does not say.
            for identity in self._ledger.registrations:
                self._ledger.input(identity, Input.DROP, at_once=True)
        elif self._known:
            self.plan = plan = self._planned(view)
            self._ledger.moved = False
            rests = self._follow_all(now)
        may_send = self._known and (view.session is None or self.may_act(now))
        if may_send or (self._is_deaf(now) and not self._ended):
            # Planned again when something has changed: what was closed or released just now counts.
            if plan is None or self._ledger.moved:
                plan = ownership.plan(self._view(now))
            self._send(plan, now)
        self._repeat(now)
        self._heartbeat(now)
        rests = rests and self._flight is None
        self._rests_until = min(self._times(now), default=float("inf")) if rests else 0.0

    def _planned(self, view: View) -> Plan:
        """The plan of ``view``; the last one again if nothing that it looked at has changed.

        Heartbeats of others change revisions alone, and those are in the compares of steps.
        """
        last, self._viewed = self._viewed, view
        if last is None or not last.resembles(view):
            return ownership.plan(view)
        if last.world is view.world or not (
            self.plan.steps or view.world.has_news_since(last.world)
        ):
            return self.plan
        return ownership.plan(view)

    def next_deadline(self, now: float) -> float:
        """The time to call :meth:`actions` at the latest, if nothing happens before."""
        own = self._timing.own
        times = [self._guard, self._read + own / 2, self._read + own, self._next_beat]
        if self.withheld:
            times.append(self._last_sent + _SOON * self._timing.heartbeat)
        times += (self._rests_until,) if now < self._rests_until else self._times(now)
        return min((time for time in times if time > now), default=now + self._timing.heartbeat)

    def _times(self, now: float) -> list[float]:
        """The times when there may be something to do or to plan, if nothing comes in before."""
        timing = self._timing
        times = [
            self._entered + timing.grace,
            *self._reached.times(timing),
            *self._others.times(self._world, now),
            *self._deadlines.times(),
            *self._ledger.times(),
        ]
        if self._flight is not None and self._flight.repeat_at is not None:
            times.append(self._flight.repeat_at)
        return [time for time in times if time > now]

    def _look_at_myself(self, now: float) -> None:
        """Update what the heartbeat says of this server and changes with time alone."""
        self._beat = self._reached.said(self._beat, self.cluster, self._timing, now)
        reads = now < self._read + self._timing.own / 2
        if reads != self._beat.reads:
            self._beat = replace(self._beat, reads=reads)

    def _is_deaf(self, now: float) -> bool:
        return self._read + self._timing.own <= now

    def _view(self, now: float) -> View:
        timing, mine = self._timing, self._ledger.summary()
        return View(
            world=self._world,
            me=self.name,
            beat=self._beat,
            alone=self._alone,
            settled=self._entered + timing.grace <= now,
            deaf=self._is_deaf(now),
            known=self._committed_at <= self._world.snapshot.revision,
            cut_off=self._reached.cut_off(timing, now),
            unquiet=mine.unquiet,
            silent=self._others.silent(self._world, now) if self._beat.reads else frozenset(),
            coming=self._others.coming(now),
            overdue=self._deadlines.drained.at <= now,
            ending=self._deadlines.over(now),
            offers=self._offers,
            granted=self._others.granted(now),
            free=mine.free,
            released=mine.released,
            lingers=timing.linger > 0,
        )

    def _follow_all(self, now: float) -> bool:
        """Bring every registration nearer to the plan; True when all of them are there already."""
        mine, hold = self._ledger.summary(), self.plan.hold
        away = (hold - mine.registered) | (mine.there - hold) | self.plan.give | mine.elsewhere
        if away:
            # In the order of the configuration.
            for identity in [each for each in self._ledger.registrations if each in away]:
                self._follow(identity, now)
        for identity in self.plan.end:
            orders = self._world.orders(identity.home)
            self._ledger.end_calls(identity, orders.why_calls_end(identity.home))
        return not away

    def _follow(self, identity: Identity, now: float) -> None:
        found = self._ledger.registrations[identity]
        holds, gives = identity in self.plan.hold, identity in self.plan.give
        flight = self._flight
        if flight is not None and flight.gives(identity):
            return  # Perhaps it is no longer ours; the outcome will say.
        may_register = (
            not (flight is not None and flight.gives_up(identity))
            and identity.provider in self._beat.links
            and found.retry_at <= now
            and self.guard - now > self._timing.registration
        )
        connected = found.state not in (State.IDLE, State.LOST, State.RELEASED)
        if holds and self._leaves_a_node(identity):
            # Given up politely where it is registered, and then held anew at the cluster's node.
            if identity in self._ledger.busy:
                pass
            elif found.state is not State.REGISTERED:
                self._ledger.input(identity, Input.DROP)
            elif found.retry_at <= now:
                self._ledger.input(identity, Input.GIVE)
        elif holds:
            if connected or (may_register and not self._is_early(identity)):
                self._ledger.input(identity, Input.HOLD)
        elif gives:
            waits = found.state is State.REGISTERED and found.retry_at > now
            if not waits and (may_register or found.state is not State.LOST):
                self._ledger.input(identity, Input.GIVE)
        elif found.state is not State.LINGERING or self._lingered(identity, now):
            self._ledger.input(identity, Input.DROP)

    def _leaves_a_node(self, identity: Identity) -> bool:
        """Whether what is to be held has to leave another node than the cluster's first."""
        state = self._ledger.registrations[identity].state
        there = state in (State.REGISTERED, State.REGISTERING, State.LOST)
        return there and self._ledger.is_elsewhere(identity)

    def _is_early(self, identity: Identity) -> bool:
        """Whether identities that have to be up first still wait for the call manager (F27).

        One that has been tried in vain before delays no other.
        """
        stage = identity.kind.stage
        return stage > 0 and any(
            found.state is State.REGISTERING and not found.why
            for found in (
                self._ledger.registrations[other]
                for other in self.cluster.identities(identity.home)
                if other.kind.stage < stage
            )
        )

    def _lingered(self, identity: Identity, now: float) -> bool:
        owner = self._world.owner(identity)
        session = self._world.session(owner) if owner is not None else None
        arrived = session is not None and identity.label in session.beat.up
        decided = identity not in self._ledger.busy
        lingers = self._ledger.registrations[identity]
        return (arrived and decided) or lingers.linger_until <= now

    def _send(self, plan: Plan, now: float) -> None:
        if plan.steps and self._flight is None:
            step = plan.steps[0]
            action = Transact(step.transaction, step)
            self._flight = Flight(action, step, sent=now, first=now)
            self._ledger.pending.append(action)

    def _repeat(self, now: float) -> None:
        flight = self._flight
        if flight is not None and flight.repeat_at is not None and flight.repeat_at <= now:
            flight.repeat_at = None
            flight.sent = now
            self._ledger.pending.append(flight.action)

    def _suspects(self, now: float) -> frozenset[str]:
        """The servers of which nothing was heard for over two heartbeats, while we could read."""
        long = 2 * self._timing.heartbeat + self._timing.registration
        return self._others.unheard(long, now) - {self.name} if self._beat.reads else frozenset()

    def farewell(self) -> Transaction | None:
        """What ends this server's session, for a process that ends in order; None without one.

        It may be committed once nothing is registered here any more and nothing will be: others
        need not wait until they know that the process is gone.
        """
        session = self._world.session_of(self.name, self._beat.instance)
        if session is None:
            return None
        return ownership.leaving(Compare(keys.session(self.name), created=session.token))

    def _heartbeat(self, now: float) -> None:
        soon = self._last_sent + _SOON * self._timing.heartbeat
        # Whether there was something to tell is not looked at when it could not be told yet.
        self.withheld = self._beating is not None or (now < self._next_beat and now < soon)
        if self.withheld or self._ended:
            return
        session = self._world.session_of(self.name, self._beat.instance)
        if session is None:
            return
        mine, suspects = self._ledger.summary(), self._suspects(now)
        holds = {
            home: hold
            for home, hold in self._others.holds(now).items()
            if self._world.claimant(home) == self.name
        }
        about = mine, self.plan, self._beat, self._reached.why, suspects, holds
        if self._next_beat > now and about == self._told_about:
            return
        self._told_about = about
        beat = replace(
            self._beat,
            up=mine.up,
            busy=mine.busy,
            why=self.reasons(),
            unreached=self._reached.reasons(self._beat),
            suspects=suspects,
            long=mine.long,
            holds=holds,
        )
        if self._next_beat > now and beat == self._told:
            return
        urgent = beat != self._told
        self._told = beat
        self._last_sent = now
        self._next_beat = now + self._timing.heartbeat
        self._sequence += 1
        said = replace(beat, sequence=self._sequence, at=now)
        value = said.encode(runs=self._world.all_speak(RUNS))
        key = keys.session(self.name)
        transaction = Transaction(
            (Compare(key, created=session.token),), (Put(key, value),), urgent
        )
        action = Transact(transaction)
        self._beating = Beating(action, now)
        self._ledger.pending.append(action)

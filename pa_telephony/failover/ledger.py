"""The state of each identity at the call manager, and which of them have a call. Pure.

One :mod:`registration` for each identity of the cluster. Reports of the driver and decisions of the
member go in; what the driver shall do about them is found in :attr:`Ledger.pending`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pa_telephony.failover import registration
from pa_telephony.failover.actions import Action, Close, EndCalls, Register, Unregister
from pa_telephony.failover.identity import Identity, Kind
from pa_telephony.failover.registration import Effect, Input, State

__all__ = ["GIVEN_UP", "Ledger", "Registration", "Summary"]

# States in which the call manager has the identity from us.
_UP = frozenset({State.REGISTERED, State.UNREGISTERING, State.LINGERING})
# States in which it has nothing from us, and nothing is under way.
_QUIET = frozenset({State.IDLE, State.RELEASED})
GIVEN_UP = _QUIET | {State.CLOSING}
"""States in which it is not ours at the call manager, or is being taken from there with its
calls."""


_AT_FIRST = 0.1
"""The part of ``retry`` after which a first refusal is tried again."""


@dataclass
class Registration:
    """The registration of one identity; ``why`` is the last refusal or loss, "" for none."""

    state: State = State.IDLE
    why: str = ""
    retry_at: float = 0.0
    refused_since: float = 0.0
    """When it was refused first, if it has been refused ever since."""
    linger_until: float = 0.0
    node: int = 0
    """The node at which it was begun last (:mod:`nodes`)."""


@dataclass(frozen=True, eq=False)
class Summary:
    """What follows from a ledger, as long as nothing in it changes.

    A new object means that something has changed.
    """

    unquiet: frozenset[str]
    """The homes of which something is registered, or being registered or closed."""
    free: frozenset[Identity]
    """The identities without a call."""
    there: frozenset[Identity]
    """The identities with which something is, or was and is not settled: all but the idle."""
    registered: frozenset[Identity]
    """The identities that are registered from here, and are to stay."""
    elsewhere: frozenset[Identity]
    """The identities that are at another node than registrations are begun at."""
    released: frozenset[Identity]
    """The identities of which the call manager has confirmed that it has nothing from here."""
    up: frozenset[str]
    """The labels of the identities that the call manager has from here."""
    busy: frozenset[str]
    """The labels of the media ports that have a call."""
    long: frozenset[str]
    """The labels of the identities whose call is longer than a call should be."""


@dataclass
class Ledger:
    """The registrations of all identities of the cluster at one server."""

    retry: float
    """Seconds until a refused or lost registration is tried again, at most (``Timing.retry``)."""
    registrations: dict[Identity, Registration]
    busy: set[Identity] = field(default_factory=set[Identity])
    long: set[Identity] = field(default_factory=set[Identity])
    ended: set[Identity] = field(default_factory=set[Identity])
    """The busy ports whose calls the driver was told to end."""
    pending: list[Action] = field(default_factory=list[Action])
    """Actions that the driver has not been given yet."""
    moved: bool = False
    """Whether a state has changed since a caller set this to False."""
    node: int = 0
    """The node at which registrations are begun now; change it by :meth:`go_to`."""
    _summary: Summary | None = None
    _there: dict[Identity, Registration] = field(init=False)
    """The registrations that are not idle: a few of a cluster's hundreds."""
    _timed: set[Identity] = field(default_factory=set[Identity])
    """Those with a time at which they are tried again, or stop lingering."""

    def __post_init__(self) -> None:
        self._find_there()

    def _find_there(self) -> None:
        found = self.registrations.items()
        self._there = {i: each for i, each in found if each.state is not State.IDLE}
        self._timed.intersection_update(self.registrations)

    @property
    def changed(self) -> bool:
        """Whether anything has changed since the last call of :meth:`summary`."""
        return self._summary is None

    def summary(self) -> Summary:
        """The summary of the ledger; the same object as long as nothing changes."""
        if self._summary is None:
            there = self._there.items()
            self._summary = Summary(
                unquiet=frozenset(i.home for i, each in there if each.state not in _QUIET),
                free=frozenset(self.registrations.keys() - self.busy),
                there=frozenset(self._there),
                registered=frozenset(i for i, each in there if each.state is State.REGISTERED),
                elsewhere=frozenset(i for i in self._there if self.is_elsewhere(i)),
                released=frozenset(i for i, each in there if each.state is State.RELEASED),
                up=frozenset(i.label for i, each in there if each.state in _UP),
                # Decisions last milliseconds and concern no other server.
                busy=frozenset(i.label for i in self.busy if i.kind is Kind.PORT),
                long=frozenset(i.label for i in self.long),
            )
        return self._summary

    def follow(self, identities: Iterable[Identity], strays: Iterable[Identity]) -> None:
        """Have a registration for each of these; others stay until there is nothing of them.

        ``strays`` are identities of the store that are configured no more; one that was never
        registered from here may be ours all the same.
        """
        leaving = set(strays)
        # The keys that are here know their device and provider.
        self.meet(leaving)
        old = dict(self.registrations)
        kept = {each: old.pop(each) if each in old else Registration() for each in identities}
        others = {
            each: found
            for each, found in old.items()
            if each in leaving or found.state is not State.IDLE
        }
        self.registrations = {**kept, **others}
        self._find_there()
        self.moved = True
        self.touch()

    def touch(self) -> None:
        """Note that something in the ledger has changed."""
        self._summary = None

    def meet(self, strays: Iterable[Identity]) -> None:
        """Have a registration for these, too, which the configuration does not have.

        They may be ours: given to us by a configuration that was undone before we read it.
        """
        new = {each: Registration() for each in strays if each not in self.registrations}
        if new:
            self.registrations.update(new)
            self.moved = True
            self.touch()

    def go_to(self, node: int) -> None:
        """Begin registrations at that node from now on."""
        if node != self.node:
            self.node = node
            self.touch()

    def is_elsewhere(self, identity: Identity) -> bool:
        """Whether ``identity`` is at another node than registrations are begun at."""
        found = self.registrations[identity]
        return found.state not in _QUIET and found.node != self.node

    def set_busy(self, identity: Identity, busy: bool) -> None:
        """Note whether ``identity`` has a call."""
        (self.busy.add if busy else self.busy.discard)(identity)
        if not busy:
            self.long.discard(identity)
            self.ended.discard(identity)
        self.touch()

    def end_calls(self, identity: Identity, why: str) -> None:
        """Have the driver end the calls of ``identity``, once."""
        if identity in self.busy and identity not in self.ended:
            self.ended.add(identity)
            self.pending.append(EndCalls(identity, why))

    def set_long(self, identity: Identity) -> None:
        """Note that the call of ``identity`` is longer than a call should be."""
        self.long.add(identity)
        self.touch()

    def report(self, identity: Identity, input: Input, now: float, why: str) -> None:
        """Take a report of the driver about ``identity``; ``why`` is its reason."""
        found = self.registrations.get(identity)
        if found is None:
            return  # The last word of a connection, about what is configured no more.
        if input is Input.REFUSED and not found.why:
            found.refused_since = now
        if why or input in (Input.REGISTERED, Input.UNREGISTERED):
            # A connection that is closed after a refusal says nothing new.
            found.why = why
            self.touch()
        if input is Input.REFUSED:
            # A call manager may not have heard yet that the connections of a dead server ended, so
            # it is asked again soon, and then when as much time has passed again.
            wait = max(now - found.refused_since, self.retry * _AT_FIRST)
            found.retry_at = now + min(wait, self.retry)
            self._timed.add(identity)
        elif input in (Input.LOST, Input.KEPT):
            found.retry_at = now + self.retry
            self._timed.add(identity)
        self.input(identity, input)

    def input(self, identity: Identity, input: Input, at_once: bool = False) -> None:
        """Apply an input to ``identity``; ``at_once`` if a close must not wait for answers."""
        found = self.registrations[identity]
        before = found.state
        found.state, effect = registration.step(before, input)
        if found.state is not before:
            if found.state is State.IDLE:
                self._there.pop(identity, None)
            else:
                self._there[identity] = found
            self.moved = True
            self.touch()
        if effect is Effect.REGISTER:
            found.node = self.node
            self.pending.append(Register(identity, self.node))
        elif effect is Effect.UNREGISTER:
            self.pending.append(Unregister(identity))
        elif effect is Effect.CLOSE:
            self.pending.append(Close(identity, at_once))

    def linger(self, identity: Identity, until: float) -> None:
        """Keep ``identity``, which was given away, until its call has gone over or ``until``."""
        found = self.registrations.get(identity)
        if found is None:
            return  # The outcome of a step comes late; it is configured no more.
        found.linger_until = until
        self._timed.add(identity)
        self.input(identity, Input.LINGER)

    def reasons(self, hold: Iterable[Identity]) -> dict[str, str]:
        """The last refusal or loss of each identity in ``hold`` that is not up, by its label."""
        return {
            # What is to be held by a plan that is older than the configuration may be gone.
            identity.label: found.why
            for identity in hold
            if (found := self.registrations.get(identity)) is not None
            and found.state not in _UP
            and found.why
        }

    def holds_port(self, number: str) -> bool:
        """Whether the media port ``number`` is held here, or being given up."""
        return any(
            identity.kind is Kind.PORT and identity.number == number
            for identity, found in self._there.items()
            if found.state not in _QUIET
        )

    def ports_with_calls(self, *, but: Identity | None = None) -> int:
        """How many media ports have a call, without that of ``but``."""
        return sum(each.kind is Kind.PORT and each != but for each in self.busy)

    def times(self) -> Iterator[float]:
        """The times when a registration may be tried again or stops lingering; some have passed."""
        for identity in self._timed:
            found = self.registrations[identity]
            yield found.retry_at
            yield found.linger_until

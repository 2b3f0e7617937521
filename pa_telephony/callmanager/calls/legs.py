"""The exchange: every leg there is, and the few things that can happen to one.

The features (:mod:`~pa_telephony.callmanager.calls.transfer` and its neighbours) are written with
these; the state tables and the public verbs are in :mod:`~pa_telephony.callmanager.calls.verbs`.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

from pa_telephony.callmanager.calls.dialplan import translate
from pa_telephony.callmanager.calls.media import MediaPlan
from pa_telephony.callmanager.calls.model import (
    ACTIONS,
    ATTEMPTS,
    REMOTE,
    TRUE,
    WAITING,
    Action,
    Appearance,
    Capabilities,
    Forward,
    Leg,
    LegState,
    Party,
    Purpose,
    Reason,
    Shown,
    Side,
    Stream,
    Watcher,
)
from pa_telephony.callmanager.calls.routing import REASONS, Route, Router
from pa_telephony.callmanager.config import CallManagerConfig, DeviceKind
from pa_telephony.errors import RequestFailed
from pa_telephony.q850 import Cause

__all__ = ["Exchange", "failure", "offered_elsewhere", "raise_all"]

_FORWARD_OF = {
    Cause.USER_BUSY: Forward.BUSY,
    Cause.NO_ANSWER: Forward.NO_ANSWER,
    Cause.OUT_OF_ORDER: Forward.FAILURE,
}


def failure(cause: Cause, what: str = "") -> RequestFailed:
    """The error of a request that failed for ``cause``."""
    name = cause.name.lower().replace("_", " ")
    return RequestFailed(cause, f"{what}: {name}" if what else name)


def raise_all(errors: Sequence[Exception]) -> None:
    """Raise what :meth:`Exchange.contain` gave for several legs, if it gave anything."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup(f"{len(errors)} errors, each at a leg of its own", errors)


class Exchange:
    """All legs, the devices they are on, and the watchers.

    ``now`` is a monotonic clock in seconds.
    """

    def __init__(self, config: CallManagerConfig, now: Callable[[], float]) -> None:
        self.config = config
        self.now = now
        self.legs: dict[int, Leg] = {}
        self.parties = 0
        """How many ends of calls there are: a party on a shared line is one, on however many phones
        it shows."""
        self._of_device: dict[str, dict[int, Leg]] = {}
        self.sides: dict[str, Side] = {}
        self.watchers: list[Watcher] = []
        self.refused = 0
        self.router = Router(config, self.sides.__contains__, self.calls_of)
        self.media = MediaPlan(
            self.side,
            self.watchers,
            self._incompatible,
            self.without_media,
            now,
            config.timing.media_exchange,
        )
        self._ids = itertools.count(0x1000001)

    # Devices, legs and limits.

    def side(self, leg: Leg) -> Side:
        """The device of a leg; a device that does nothing, once it is gone."""
        return self.sides.get(leg.device, _NOBODY)

    def legs_of(self, device: str) -> list[Leg]:
        """The legs of a device, oldest first."""
        return list(self._of_device.get(device, {}).values())

    def calls_of(self, appearance: Appearance) -> int:
        """How many calls an appearance has, those of other devices on its line aside."""
        return sum(
            leg.appearance is appearance and leg.state not in REMOTE
            for leg in self._of_device.get(appearance.device, {}).values()
        )

    @property
    def full(self) -> bool:
        """Whether there are as many parties as the configuration allows."""
        return self.parties >= self.config.max_calls

    def require(self, leg: Leg, action: Action) -> None:
        """Raise :class:`RequestFailed` unless the table allows ``action``."""
        if leg.state not in ACTIONS[action]:
            raise self.refusal(Cause.WRONG_STATE, f"{action.value} while {leg.state.value}")

    def refusal(self, cause: Cause, what: str = "") -> RequestFailed:
        """Count a request that cannot be done, and give the error to raise."""
        self.refused += 1
        return failure(cause, what)

    # What can happen to a leg.

    def new_call_id(self) -> int:
        """A new number for a call that is about to be made."""
        return next(self._ids)

    def new_leg(
        self, appearance: Appearance, call_id: int, party: list[Leg], *, incoming: bool
    ) -> Leg:
        """Add a leg, IDLE so far, that shows ``party``: an empty list for a party of its own.

        It is counted with what it shows in one step: if anything fails meanwhile, no leg is counted
        that is never taken out again.
        """
        leg = Leg(next(self._ids), call_id, appearance, incoming)
        leg.appearances = party
        of_device = self._of_device.setdefault(leg.device, {})
        of_device[leg.id] = self.legs[leg.id] = leg
        self.parties += not party
        party.append(leg)
        return leg

    def new_call(
        self,
        appearance: Appearance,
        call_id: int | None = None,
        *,
        consult_of: Leg | None = None,
        purpose: Purpose = Purpose.TRANSFER,
    ) -> Leg:
        """The first leg of a new call, off hook. ``call_id`` is one of :meth:`new_call_id`."""
        leg = self.new_leg(appearance, call_id or next(self._ids), [], incoming=False)
        leg.calling = appearance.party
        leg.consult_of, leg.purpose = consult_of, purpose
        leg.deadline = self.now() + self.config.timing.between_digits * 4
        self.set(leg, LegState.DIAL_TONE)
        return leg

    def off_hook(self, appearance: Appearance, call_id: int | None = None) -> Leg:
        """Begin a call where there is room for one; the device's other call makes way."""
        kept = sum(
            leg.appearance is appearance
            and leg.state in (LegState.CONNECTED, LegState.HELD, LegState.OFFERED)
            for leg in self.legs_of(appearance.device)
        )
        if kept >= appearance.config.max_calls or self.full:
            raise self.refusal(Cause.RESOURCE_UNAVAILABLE, "no room for a call")
        self.make_way(appearance)
        return self.new_call(appearance, call_id)

    def show(self, leg: Leg) -> None:
        """Stop the audio that a changed leg should not have any more, and tell of the change."""
        self.media.changed(leg)
        self.side(leg).show(leg)
        for watcher in self.watchers:
            watcher.leg_changed(leg)

    def set(self, leg: Leg, state: LegState) -> None:
        """Give a leg a state; the other appearances of a shared line follow."""
        leg.state = state
        self.show(leg)
        seen = state in (LegState.CONNECTED, LegState.HELD)
        # A call waits here after it was connected if it was transferred, or resumed.
        if (seen and len(leg.line.appearances) > 1) or (
            state in WAITING and len(leg.appearances) > 1
        ):
            self._show_elsewhere(leg)

    def _show_elsewhere(self, leg: Leg) -> None:
        state = LegState.REMOTE_HELD if leg.state is LegState.HELD else LegState.REMOTE_IN_USE
        known = {each.appearance for each in leg.appearances}
        for appearance in leg.line.appearances:
            if appearance not in known and appearance.device in self.sides:
                self.new_leg(appearance, leg.call_id, leg.appearances, incoming=leg.incoming)
        for other in leg.appearances:
            if other is leg:
                continue
            before = _seen(other)
            other.state, other.peer, other.deadline = state, None, None
            other.call_id, other.calling, other.called = leg.call_id, leg.calling, leg.called
            other.last_redirecting = leg.last_redirecting
            if _seen(other) != before:
                self.show(other)

    def make_way(self, appearance: Appearance, leg: Leg | None = None) -> None:
        """Hold or end the other call of a device, as it talks in one call at a time.

        ``leg`` is the one that the way is for. A route point is no device to talk at.
        """
        if appearance.kind is DeviceKind.ROUTE_POINT:
            return
        for other in self.legs_of(appearance.device):
            if other is leg:
                continue
            if other.state is LegState.CONNECTED:
                self.set(other, LegState.HELD)
            elif other.state in ATTEMPTS:
                self.end(other, Cause.NORMAL)

    def take_over(self, leg: Leg) -> None:
        """Take the call that another device of a shared line holds, and hold it at this device."""
        owner = next(each for each in leg.appearances if each.state is LegState.HELD)
        peer = owner.peer
        if peer is not None and not self.media.compatible(leg, peer):
            raise self.refusal(Cause.INCOMPATIBLE, "no common codec")
        for each in self.legs_of(owner.device):
            if each.consult_of is owner:
                self._on_its_own(each)
        if peer is not None:
            self.part(owner)
            self.pair(leg, peer)
        if owner.conference is not None:
            owner.conference.replace(owner, leg)
        if owner.parking is not None:
            owner.parking.move_to(leg)
        leg.incoming, leg.reason = owner.incoming, owner.reason
        leg.calling, leg.called = owner.calling, owner.called
        leg.original_called, leg.last_redirecting = owner.original_called, owner.last_redirecting
        leg.call_id, leg.hops, leg.passed = owner.call_id, owner.hops, owner.passed
        owner.state, leg.state = LegState.REMOTE_HELD, LegState.HELD

    def pair(self, one: Leg, other: Leg) -> None:
        """Make two legs each other's peer; all that ring of a shared line have the caller."""
        for leg, peer in ((one, other), (other, one)):
            leg.peer = peer
            for each in leg.appearances:
                if each.state is LegState.OFFERED:
                    each.peer = peer

    def part(self, leg: Leg) -> Leg | None:
        """Separate a leg from its peer; gives the peer."""
        peer, leg.peer = leg.peer, None
        for each in leg.appearances:
            each.peer = None
        if peer is not None:
            peer.peer = None
        return peer

    def connect(self, leg: Leg, other: Leg) -> None:
        """Let two legs talk from now on, unless one of them is on hold."""
        self.pair(leg, other)
        leg.call_id = other.call_id
        for each in (other, leg):
            each.deadline = None
            self.set(each, LegState.HELD if each.state is LegState.HELD else LegState.CONNECTED)

    def name_other(self, leg: Leg, party: Party) -> None:
        """Set the party that a leg is shown to be talking to."""
        if leg.incoming:
            leg.calling = party
        else:
            leg.called = party

    def fail(self, leg: Leg, cause: Cause) -> None:
        """Let a leg fail with ``cause``, so that its user hears why; one on hold is ended."""
        if leg.state in (LegState.HELD, LegState.OFFERED):
            self.clear(leg, cause)
            return
        leg.cause, leg.deadline = cause, None
        try:
            self._retire_all([each for each in leg.appearances if each is not leg], cause)
        finally:
            self.set(leg, LegState.FAILED)

    def clear(self, leg: Leg, cause: Cause = Cause.NORMAL) -> None:
        """End a party with all its appearances; the other side is not told."""
        self.part(leg)
        self._retire_all([leg, *(each for each in leg.appearances if each is not leg)], cause)

    def _retire_all(self, legs: Sequence[Leg], cause: Cause) -> None:
        """Retire legs one after the other, also when telling of one raises an error."""
        with contextlib.ExitStack() as still_to_do:
            for leg in reversed(legs):
                still_to_do.callback(self._retire, leg, cause)

    def _retire(self, leg: Leg, cause: Cause) -> None:
        # A leg that is idle and still counted is one whose beginning went wrong.
        if leg.state is LegState.IDLE and leg.id not in self.legs:
            return
        # Steps that need memory come first: a leg that is half out would be counted for ever.
        alone, party, of_device = [leg], leg.appearances, self._of_device.get(leg.device) or {}
        self.legs.pop(leg.id, None)
        of_device.pop(leg.id, None)
        if not of_device:
            self._of_device.pop(leg.device, None)
        party.remove(leg)
        self.parties -= not party
        leg.appearances = alone
        leg.cause, leg.state, leg.deadline, leg.peer = cause, LegState.IDLE, None, None
        leg.consult_of = None
        if leg.parking is not None:
            leg.parking.forget()
        try:
            self.show(leg)
        finally:
            for other in self.legs_of(leg.device):
                if other.consult_of is leg:
                    self._on_its_own(other)

    def _on_its_own(self, leg: Leg) -> None:
        """Make a consultation whose call has ended a call of its own, which completes nothing."""
        leg.consult_of = None
        self.side(leg).show(leg)

    def end(self, leg: Leg, cause: Cause) -> None:
        """A leg hangs up: a conference goes on without it, an ordinary call is over."""
        if leg.state in REMOTE or (leg.state is LegState.OFFERED and offered_elsewhere(leg)):
            self.withdraw(leg, cause)
            return
        peer, conference = leg.peer, leg.conference
        try:
            self.clear(leg, cause)
        finally:
            # An error in telling of it must not leave the others without a peer.
            if conference is not None:
                conference.leave(leg)
            if peer is not None and peer.state is not LegState.IDLE:
                if peer.state in WAITING and cause is not Cause.NORMAL:
                    self.fail(peer, cause)
                else:
                    self.clear(peer, cause)

    def contain(self, leg: Leg, step: Callable[[Leg], None]) -> list[Exception]:
        """Take a step that no device asked for, and give the errors that show in it.

        The leg they show at ends, and a peer that it leaves alone is told; other steps are still
        taken.
        """
        peer = leg.peer
        try:
            step(leg)
        except Exception as error:  # noqa: BLE001  # the caller raises it when all is done
            errors = [error]
            for each, stop in ((leg, self.end), (peer, self.fail)):
                if each is None or (each is peer and not _is_alone(each)):
                    continue
                try:
                    if each.state is not LegState.IDLE:
                        stop(each, Cause.TEMPORARY_FAILURE)
                except Exception as again:  # noqa: BLE001  # likewise
                    errors.append(again)
            return errors
        return []

    def withdraw(self, leg: Leg, cause: Cause) -> None:
        """Remove one appearance of a shared line; the call goes on at the others."""
        caller = leg.peer
        if caller is not None and caller.peer is leg:
            caller.peer = next(
                each for each in leg.appearances if each is not leg and each.peer is caller
            )
        self._retire(leg, cause)

    # Ringing.

    def offer(
        self,
        caller: Leg,
        route: Route,
        *,
        reason: Reason = Reason.DIRECT,
        shown: Shown = TRUE,
    ) -> None:
        """Let the appearances of a route ring for ``caller``."""
        caller.hops, caller.passed = route.hops, route.passed
        redirected = reason if route.reason is Reason.DIRECT else route.reason
        called = Party(route.number, route.appearances[0].config.name)
        rings = [self.sides[each.device].rings_at_once(each) for each in route.appearances]
        legs: list[Leg] = []
        for appearance in route.appearances:
            self.new_leg(appearance, caller.call_id, legs, incoming=True)
        for leg, alerting in zip(legs, rings, strict=True):
            leg.peer = caller
            leg.alerting = alerting
            leg.reason = redirected
            leg.calling = caller.calling if not caller.incoming else caller.party
            leg.called = called
            leg.original_called = caller.original_called if not caller.incoming else called
            leg.last_redirecting = route.redirecting
            if shown.calling:
                leg.calling = Party(shown.calling)
            if shown.original_called:
                leg.original_called = Party(shown.original_called)
            leg.deadline = self.now() + self._may_ring_for(leg)
        caller.peer = legs[0]
        self.name_other(caller, called)
        try:
            self.wait(caller, rings=any(rings))
        finally:
            # Not before: the caller may be on hold at one of these phones, where nothing rings yet.
            # And after an error in telling of it, too: what is not offered is never cleared.
            for leg in legs:
                leg.state = LegState.OFFERED
        for leg in legs[:]:
            self.show(leg)

    def wait(self, caller: Leg, *, rings: bool) -> None:
        """Let a caller wait for an answer: on hold, hearing it ring, or in silence.

        One who has heard it ring goes on hearing that, wherever the call is sent.
        """
        state = LegState.RINGING_OUT if rings else LegState.PROCEEDING
        keeps = caller.state in (LegState.HELD, LegState.RINGING_OUT)
        self.set(caller, caller.state if keeps else state)

    def _may_ring_for(self, leg: Leg) -> float:
        """Seconds that an offered call has in its present state."""
        timing, line = self.config.timing, leg.line
        if not leg.alerting:
            return timing.new_call_accept
        if Forward.NO_ANSWER not in line.forwards:
            return timing.alerting
        return line.config.no_answer or timing.no_answer

    def accept(self, leg: Leg) -> None:
        """Let an offered call ring, which its caller hears from now on."""
        if leg.alerting:
            return
        leg.alerting = True
        leg.deadline = self.now() + self._may_ring_for(leg)
        self.show(leg)
        caller = leg.peer
        if caller is not None and caller.state is LegState.PROCEEDING:
            self.set(caller, LegState.RINGING_OUT)

    def not_in_time(self, leg: Leg) -> None:
        """Send an offered call on that nobody has answered, or no application has accepted.

        The latter goes where calls go that are not answered, or else those of a device that is
        gone. At other devices of a shared line it rings on.
        """
        if not leg.alerting and offered_elsewhere(leg):
            self.withdraw(leg, Cause.NO_ANSWER)
            return
        gone = not leg.alerting and Forward.NO_ANSWER not in leg.line.forwards
        self.turn_away(leg, Cause.OUT_OF_ORDER if gone else Cause.NO_ANSWER)

    def turn_away(self, leg: Leg, cause: Cause) -> None:
        """Refuse an offered call at its line: forward it if there is a forward for ``cause``."""
        caller, line = leg.peer, leg.line
        kind = _FORWARD_OF.get(cause)
        target = line.forwards.get(kind) if kind is not None else None
        number, offered = leg.called.number, leg.party
        self.clear(leg, cause)
        if caller is None or caller.state is LegState.IDLE:
            return
        if target is None:
            self.fail(caller, cause)
            return
        route = self.router.route(
            translate(target, number),
            line.forward_search_space,
            caller=caller.appearance,
            hops=caller.hops + 1,
            passed=caller.passed | {line},
        )
        if route.cause is not Cause.NORMAL or not route.appearances:
            self.fail(caller, route.cause if route.cause is not Cause.NORMAL else cause)
            return
        assert kind is not None
        self.send_on(caller, route, Party(number, offered.name), REASONS[kind])

    def send_on(
        self,
        caller: Leg,
        route: Route,
        by: Party,
        reason: Reason,
        shown: Shown = TRUE,
    ) -> None:
        """Offer a caller to another number; ``by`` is the party that sends it there."""
        if route.redirecting == Party():
            route = replace(route, redirecting=by)
        self.offer(caller, route, reason=reason, shown=shown)

    def _incompatible(self, leg: Leg) -> None:
        """Part two legs without a common codec: the caller is told, the other side is ended."""
        peer = self.part(leg)
        caller, called = (peer, leg) if leg.incoming else (leg, peer)
        for each in (called, caller):
            if each is not None and each is called:
                self.clear(each, Cause.INCOMPATIBLE)
            elif each is not None:
                self.fail(each, Cause.INCOMPATIBLE)

    def without_media(self, leg: Leg) -> None:
        """End a leg whose device has no receive channel, or has not said in time where."""
        if leg.state is not LegState.IDLE:
            self.end(leg, Cause.RESOURCE_UNAVAILABLE)


def offered_elsewhere(leg: Leg) -> bool:
    """Whether the call of a leg is offered at another device of a shared line, too."""
    return any(each is not leg and each.state is LegState.OFFERED for each in leg.appearances)


def _is_alone(leg: Leg) -> bool:
    """Whether a leg has lost the other side of its call, and does not show it."""
    return (
        leg.state not in (LegState.IDLE, LegState.FAILED)
        and leg.peer is None
        and leg.conference is None
        and leg.parking is None
    )


def _seen(leg: Leg) -> tuple[object, ...]:
    return leg.state, leg.call_id, leg.calling, leg.called, leg.last_redirecting


class _Nobody:
    """The side of a device that is gone: it does nothing."""

    def capabilities(self, leg: Leg) -> Capabilities:
        return Capabilities((), 0)

    def rings_at_once(self, appearance: Appearance) -> bool:
        return True

    def show(self, leg: Leg) -> None: ...

    def digit(self, leg: Leg, digit: str) -> None: ...

    def open_media(self, stream: Stream) -> None: ...

    def send_media(self, stream: Stream, address: tuple[str, int]) -> None: ...

    def close_media(self, stream: Stream) -> None: ...


_NOBODY: Side = _Nobody()

"""The calls of a call manager, without I/O: what can be asked of them, and how changes are told.

A device acts on its legs through the verbs of :class:`Calls`. A verb that cannot be done raises
:class:`RequestFailed` with a :class:`Cause` as its code, and has changed nothing, unless it says
otherwise. Each device is told of its legs through its :class:`Side`; the :class:`Watcher` objects
in :attr:`Calls.watchers` are told of all changes.

======================================  =====================================================
verb                                    what becomes of it
======================================  =====================================================
``originate(device, line, digits)``     off hook, and the number; gives the new leg
``dial``, ``digit``, ``erase``          the number; keys while dialling and in a call
``answer``, ``release``                 pick up; hang up
``refuse(leg, cause)``                  an offered call is not taken: USER_BUSY, NO_ANSWER and
                                        OUT_OF_ORDER go where the line forwards such calls
                                        (a route point without a free media port is busy)
``hold``, ``resume``                    ``resume`` also at another device of a shared line
``redirect(leg, number)``               the other party is sent to ``number``, blind
``consult(leg, purpose)``               hold, and a new leg for the same line
``transfer(first, second)``             the others of two legs are connected, both legs end
``join(first, second, ...)``            a conference of the others and this device
``drop(leg, member)``                   the controller sends a member away, by default the last
``transfer_key``, ``conference_key``    what the keys of a phone do: consult, then complete
``park(leg, number)``                   the other party waits; dialling the number gets it back
``pick_up(device, line, group)``        answer what rings in a group (the line's own by default)
``set_forward(line, kind, number)``     at run time; "" cancels
``set_message_waiting(line, on)``       the lamp of a line
``set_do_not_disturb(device, mode)``    ring silently, or be busy
======================================  =====================================================

Audio is ordered by none of these: :mod:`~pa_telephony.callmanager.calls.media` derives it from the
states of the legs. A side answers :meth:`Side.open_media` with :meth:`Calls.receiving`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from pa_telephony.callmanager.calls import conference, pickup, transfer
from pa_telephony.callmanager.calls.dialling import Dialling
from pa_telephony.callmanager.calls.legs import Exchange, offered_elsewhere, raise_all
from pa_telephony.callmanager.calls.model import (
    ACTIONS,
    TRUE,
    Action,
    Appearance,
    Capabilities,
    DoNotDisturb,
    Forward,
    Leg,
    LegState,
    Line,
    MediaAddress,
    MediaFormat,
    MediaResource,
    Mix,
    Parked,
    Party,
    Purpose,
    Reason,
    Shown,
    Side,
    Stream,
    StreamUse,
    Watcher,
)
from pa_telephony.callmanager.calls.parking import ParkedCall, Parking
from pa_telephony.callmanager.config import CallManagerConfig, DeviceConfig
from pa_telephony.digits import plain
from pa_telephony.q850 import Cause

__all__ = [
    "ACTIONS",
    "Action",
    "Appearance",
    "Calls",
    "Capabilities",
    "Cause",
    "DoNotDisturb",
    "Forward",
    "Leg",
    "LegState",
    "Line",
    "MediaAddress",
    "MediaFormat",
    "Mix",
    "Parked",
    "ParkedCall",
    "Party",
    "Purpose",
    "Reason",
    "Shown",
    "Side",
    "Stream",
    "StreamUse",
    "Watcher",
]

P = ParamSpec("P")
R = TypeVar("R")


def _verb(method: Callable[Concatenate[Calls, P], R]) -> Callable[Concatenate[Calls, P], R]:
    """Open the audio that is wanted after a verb, whether it succeeded or not."""

    @functools.wraps(method)
    def run(self: Calls, /, *arguments: P.args, **named: P.kwargs) -> R:
        try:
            return method(self, *arguments, **named)
        finally:
            self._exchange.media.settle()  # pyright: ignore[reportPrivateUsage]

    return run


class Calls:
    """All calls of a call manager.

    ``now`` is a monotonic clock in seconds.
    """

    def __init__(self, config: CallManagerConfig, now: Callable[[], float]) -> None:
        self._exchange = Exchange(config, now)
        self._parking = Parking(self._exchange)
        self._dialling = Dialling(self._exchange, self._parking, self.set_forward)
        self.legs = self._exchange.legs
        """Every live leg, by its id."""
        self.watchers = self._exchange.watchers
        self.now = now

    # Devices and lines.

    @property
    def refused(self) -> int:
        """How many requests were refused."""
        return self._exchange.refused

    @property
    def parked(self) -> dict[str, ParkedCall]:
        """The parties that wait to be retrieved, by park number."""
        return self._parking.parked

    def use_media(self, resource: MediaResource | None) -> None:
        """Set the source of conferences, and of tones for callers on hold."""
        self._exchange.media.resource = resource

    def add_device(self, device: DeviceConfig) -> None:
        """Let the numbers of a device be dialled."""
        self._exchange.router.add_device(device)

    def remove_device(self, device: str) -> None:
        """Forget a device and its numbers; its calls end."""
        try:
            self.unregister(device)
        finally:
            self._exchange.router.remove_device(device)

    def register(self, device: str, side: Side) -> None:
        """Let a device be called from now on; ``side`` is told of its legs."""
        self._exchange.sides[device] = side
        self._device_changed(device)

    @_verb
    def unregister(self, device: str) -> None:
        """Take a device out of service: its calls end, and calls that ring there are forwarded.

        Forwards are those on failure. All calls are ended, also when an error shows at one; it is
        raised afterwards.
        """
        exchange = self._exchange
        known = exchange.sides.pop(device, None) is not None
        errors: list[Exception] = []
        for leg in exchange.legs_of(device):
            errors += exchange.contain(leg, self._cut_off)
        try:
            raise_all(errors)
        finally:
            if known:
                self._device_changed(device)

    def is_registered(self, device: str) -> bool:
        """Whether the device can be called."""
        return device in self._exchange.sides

    @property
    def parties(self) -> int:
        """How many ends of calls there are, which ``max_calls`` limits."""
        return self._exchange.parties

    def legs_of(self, device: str) -> list[Leg]:
        """The live legs of a device, oldest first."""
        return self._exchange.legs_of(device)

    def appearance(self, device: str, line_index: int) -> Appearance | None:
        """A line of a device, counted from 1; None when there is no such line."""
        return self._exchange.router.appearances.get((device, line_index))

    def line(self, number: str, partition: str = "") -> Line | None:
        """The line of a number, or of a pattern; None when there is none."""
        return self._exchange.router.lines.get((plain(number), partition))

    def line_seen_from(self, appearance: Appearance, number: str) -> Line | None:
        """The line that would ring if a line called its number; None where none would."""
        found = self._exchange.router.find(number, appearance.config.search_space).target
        return found if isinstance(found, Line) and found.number == number else None

    def lines(self) -> list[Line]:
        """Every line, in the order of the configuration."""
        return list(self._exchange.router.lines.values())

    def do_not_disturb(self, device: str) -> DoNotDisturb:
        """What a device does with calls that come."""
        return self._exchange.router.do_not_disturb.get(device, DoNotDisturb.OFF)

    def new_call_id(self) -> int:
        """A number that :meth:`originate` and :meth:`consult` take for their call."""
        return self._exchange.new_call_id()

    def consultation_of(self, leg: Leg) -> Leg | None:
        """The consultation that was begun from a held leg."""
        return transfer.consultation_of(self._exchange, leg)

    # The verbs.

    @_verb
    def originate(
        self,
        device: str,
        line_index: int = 1,
        digits: str = "",
        *,
        collects: Forward | None = None,
        call_id: int | None = None,
    ) -> Leg:
        """Take a line off hook, and dial ``digits``; the device's other call is held.

        With ``collects`` the number is not called but becomes the target of that forward.
        """
        leg = self._exchange.off_hook(self._appearance(device, line_index), call_id)
        leg.collects = collects
        self._dialling.number(leg, digits)
        return leg

    @_verb
    def digit(self, leg: Leg, digit: str) -> None:
        """Press a key: part of the number while dialling, for the other side afterwards."""
        self._exchange.require(leg, Action.DIGIT)
        if leg.state is not LegState.CONNECTED:
            self._dialling.digit(leg, digit)
        elif leg.conference is not None:
            for member in leg.conference.members:
                if member is not leg and member.state is LegState.CONNECTED:
                    self._exchange.side(member).digit(member, digit)
        elif leg.peer is not None:
            self._exchange.side(leg.peer).digit(leg.peer, digit)

    @_verb
    def dial(self, leg: Leg, digits: str) -> None:
        """Dial the whole number at a line that is off hook, in place of what is dialled so far."""
        self._exchange.require(leg, Action.DIAL)
        self._dialling.number(leg, digits)

    def call_as(self, leg: Leg, number: str) -> None:
        """Let those who are called see ``number``, in place of the line's, as the caller's."""
        self._exchange.require(leg, Action.DIAL)
        leg.calling = Party(number)

    @_verb
    def erase(self, leg: Leg) -> None:
        """Take back the digit dialled last."""
        self._dialling.erase(leg)

    @_verb
    def accept(self, leg: Leg) -> None:
        """Let an offered call ring, as phones do at once; until then its caller hears nothing."""
        self._exchange.require(leg, Action.ACCEPT)
        self._exchange.accept(leg)

    @_verb
    def answer(self, leg: Leg) -> None:
        """Pick up an offered call; the device's other call is held.

        Without a common codec both legs end, and INCOMPATIBLE is raised.
        """
        exchange = self._exchange
        exchange.require(leg, Action.ANSWER)
        caller = leg.peer
        assert caller is not None
        if not exchange.media.compatible(leg, caller):
            exchange.clear(leg, Cause.INCOMPATIBLE)
            exchange.fail(caller, Cause.INCOMPATIBLE)
            raise exchange.refusal(Cause.INCOMPATIBLE, "no common codec")
        if caller.device == leg.device:
            # A phone has called its other line, and talks at one end of it at a time.
            exchange.set(caller, LegState.HELD)
        exchange.make_way(leg.appearance, leg)
        exchange.name_other(caller, leg.party)
        exchange.connect(leg, caller)

    @_verb
    def refuse(self, leg: Leg, cause: Cause = Cause.CALL_REJECTED) -> None:
        """Refuse an offered call; it is forwarded if the line has a forward for ``cause``."""
        self._exchange.require(leg, Action.REFUSE)
        self._turn_away(leg, cause)

    @_verb
    def release(self, leg: Leg, cause: Cause = Cause.NORMAL) -> None:
        """Hang up: a conference goes on, and a consultation's held call stays held."""
        self._exchange.require(leg, Action.RELEASE)
        self._exchange.end(leg, cause)

    def release_soon(self, leg: Leg, seconds: float) -> None:
        """Let a failed leg hang up by itself after ``seconds``."""
        if leg.state is LegState.FAILED:
            leg.deadline = self._exchange.now() + seconds

    @_verb
    def hold(self, leg: Leg) -> None:
        """Put a call on hold; the other side hears a tone."""
        self._exchange.require(leg, Action.HOLD)
        self._exchange.set(leg, LegState.HELD)

    @_verb
    def resume(self, leg: Leg) -> None:
        """Talk again in a held call, or take over one that another device of a shared line holds.

        The device's other call is held. Raises INCOMPATIBLE, and nothing has changed, when this
        device has no codec in common with the other side.
        """
        exchange = self._exchange
        exchange.require(leg, Action.RESUME)
        if leg.state is LegState.REMOTE_HELD:
            exchange.take_over(leg)
        exchange.make_way(leg.appearance, leg)
        peer = leg.peer
        if peer is not None and peer.state is LegState.OFFERED:
            rings = any(each.alerting for each in peer.appearances)
            exchange.set(leg, LegState.RINGING_OUT if rings else LegState.PROCEEDING)
        else:
            exchange.set(leg, LegState.CONNECTED)

    @_verb
    def redirect(
        self,
        leg: Leg,
        number: str,
        search_space: str | None = None,
        *,
        shown: Shown = TRUE,
        reason: Reason = Reason.REDIRECT,
    ) -> None:
        """Send the other party to ``number`` and leave the call.

        ``shown`` is what the phone there shows, and ``reason`` what brought the call to it.
        When the number cannot take the call nothing has changed, and another can be tried.
        """
        space = leg.appearance.config.search_space if search_space is None else search_space
        transfer.redirect(self._exchange, leg, number, space, shown, reason)

    @_verb
    def consult(
        self, leg: Leg, purpose: Purpose, digits: str = "", *, call_id: int | None = None
    ) -> Leg:
        """Hold a call, and take the line off hook for another; gives the new leg."""
        consultation = transfer.consult(self._exchange, leg, purpose, call_id)
        self._dialling.number(consultation, digits)
        return consultation

    @_verb
    def transfer(self, first: Leg, second: Leg) -> None:
        """Connect the other parties of two legs of one device; both legs end.

        ``second`` may still be ringing out. The call of ``first`` survives.
        """
        transfer.transfer(self._exchange, first, second)

    @_verb
    def join(self, *legs: Leg) -> Mix:
        """Make a conference of the other parties of ``legs`` and their device.

        The first leg stays, and its call survives; legs in conferences bring their members.
        """
        return conference.join(self._exchange, legs)

    @_verb
    def drop(self, leg: Leg, member: Leg | None = None) -> None:
        """Remove a member of a conference, by default the last that joined.

        Only the controller of the conference may.
        """
        conference.drop(self._exchange, leg, member)

    @_verb
    def transfer_key(self, leg: Leg) -> None:
        """The Transfer key: the first press consults, the second connects the other parties."""
        pair = self._consulting(leg)
        if pair is None:
            transfer.consult(self._exchange, leg, Purpose.TRANSFER)
        else:
            transfer.transfer(self._exchange, *pair)

    @_verb
    def conference_key(self, leg: Leg) -> None:
        """The Conference key: the first press consults, the second joins all parties."""
        pair = self._consulting(leg)
        if pair is None:
            transfer.consult(self._exchange, leg, Purpose.CONFERENCE)
        else:
            conference.join(self._exchange, pair)

    @_verb
    def park(self, leg: Leg, number: str = "") -> ParkedCall:
        """Let the other party wait at a park number, by default the first free one."""
        return self._parking.park(leg, number)

    @_verb
    def pick_up(self, device: str, line_index: int = 1, group: str = "") -> Leg:
        """Answer at a line a call that rings in ``group``, by default the line's own.

        Without a common codec the new leg fails, which its user hears.
        """
        exchange = self._exchange
        appearance = self._appearance(device, line_index)
        group = group or appearance.config.pickup_group
        if pickup.ringing_in(exchange, group, device) is None:
            raise exchange.refusal(Cause.FACILITY_REJECTED, "nothing to pick up")
        leg = exchange.off_hook(appearance)
        pickup.pick_up(exchange, leg, group)
        return leg

    def set_forward(self, line: Line, kind: Forward, number: str) -> None:
        """Set a forward of a line, or cancel it ("").

        Raises UNALLOCATED_NUMBER when there is no such number, ROUTING_ERROR when the calls would
        come back to the line.
        """
        exchange = self._exchange
        if number == line.forwards.get(kind, ""):
            return
        if number:
            cause = exchange.router.why_not_forwarded(line, number)
            if cause is not Cause.NORMAL:
                raise exchange.refusal(cause, number)
            line.forwards[kind] = number
        else:
            del line.forwards[kind]
        for watcher in self.watchers:
            watcher.forward_changed(line, kind)

    def set_message_waiting(self, line: Line, on: bool) -> None:
        """Switch the message waiting lamp of a line."""
        if line.message_waiting is not on:
            line.message_waiting = on
            for watcher in self.watchers:
                watcher.message_waiting_changed(line)

    def set_do_not_disturb(self, device: str, mode: DoNotDisturb) -> None:
        """Set what a device does with calls that come."""
        if self.do_not_disturb(device) is not mode:
            self._exchange.router.do_not_disturb[device] = mode
            for watcher in self.watchers:
                watcher.do_not_disturb_changed(device)

    def receiving(self, stream: Stream, address: MediaAddress | None) -> None:
        """Note that a side opened its receive channel at ``address``; None: it could not.

        A stream that was closed in the meantime is ignored.
        """
        self._exchange.media.receiving(stream, address)

    # Time.

    def next_deadline(self) -> float | None:
        """The time to call :meth:`handle_deadline`, None when there is none."""
        times = [leg.deadline for leg in self.legs.values() if leg.deadline is not None]
        others = self._parking.next_deadline(), self._exchange.media.next_deadline()
        return min([*times, *(each for each in others if each is not None)], default=None)

    @_verb
    def handle_deadline(self, now: float) -> None:
        """End the dialling, the ringing, or the waiting that took too long, for sound as well.

        An error ends the leg that it shows at; it is raised when all others have had their turn.
        """
        errors: list[Exception] = []
        for leg in list(self.legs.values()):
            if leg.deadline is None or now < leg.deadline or leg.state is LegState.IDLE:
                continue
            leg.deadline = None
            errors += self._exchange.contain(leg, self._took_too_long)
        errors += self._parking.handle_deadline(now)
        for stream in self._exchange.media.handle_deadline(now):
            step = functools.partial(self._without_media, stream)
            errors += self._exchange.contain(stream.leg, step)
        raise_all(errors)

    # Helpers of the verbs.

    def _without_media(self, stream: Stream, leg: Leg) -> None:
        """Tell that a leg has no media, and end its call unless it waits for a tone only."""
        try:
            self._exchange.media.tell_missing(stream)
        finally:
            if stream.use is not StreamUse.HOLD_TONE:
                self._exchange.without_media(leg)

    def _took_too_long(self, leg: Leg) -> None:
        if leg.state is LegState.DIALLING:
            self._dialling.done(leg)
        elif leg.state is LegState.DIAL_TONE:
            self._exchange.end(leg, Cause.NORMAL)
        elif leg.state is LegState.FAILED:
            self._exchange.end(leg, leg.cause)
        elif leg.state is LegState.OFFERED:
            self._exchange.not_in_time(leg)

    def _cut_off(self, leg: Leg) -> None:
        """End a leg whose device is gone; it may have ended already, with the one before it."""
        if leg.state is LegState.OFFERED:
            self._turn_away(leg, Cause.OUT_OF_ORDER)
        elif leg.state is not LegState.IDLE:
            self._exchange.end(leg, Cause.OUT_OF_ORDER)
        elif leg.id in self.legs:
            # The leg never got a state, because its beginning went wrong.
            self._exchange.clear(leg, Cause.OUT_OF_ORDER)

    def _device_changed(self, device: str) -> None:
        for watcher in self.watchers:
            watcher.device_changed(device)

    def _appearance(self, device: str, line_index: int) -> Appearance:
        appearance = self.appearance(device, line_index)
        if appearance is None:
            raise self._exchange.refusal(
                Cause.UNALLOCATED_NUMBER, f"no line {line_index} at {device}"
            )
        return appearance

    def _consulting(self, leg: Leg) -> tuple[Leg, Leg] | None:
        """The held leg and its consultation, whichever of them ``leg`` is."""
        if leg.consult_of is not None:
            return leg.consult_of, leg
        consultation = self.consultation_of(leg)
        return None if consultation is None else (leg, consultation)

    def _turn_away(self, leg: Leg, cause: Cause) -> None:
        if offered_elsewhere(leg):
            self._exchange.withdraw(leg, cause)
        else:
            self._exchange.turn_away(leg, cause)

"""The lines one application has open, and the calls it was told of there (§4, §7)."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pa_telephony.cti import enums, messages
from pa_telephony.cti.encoded import Encoded, LineEvent
from pa_telephony.cti.enums import CALLSTATE, CTIFAILURE
from pa_telephony.cti.messages import structs
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.cti.server import call_events, device_events
from pa_telephony.cti.server.backend import (
    ConferenceChanged,
    ConferenceEnded,
    ConferenceStarted,
    DeviceChanged,
    DigitHeard,
    ForwardChanged,
    LegChanged,
    LegInfo,
    TransferEnded,
    TransferStarted,
)
from pa_telephony.cti.server.handles import Session
from pa_telephony.cti.server.responses import CALL_MANAGER, answer
from pa_telephony.errors import RequestFailed

__all__ = ["Line", "LineHandles"]

_KEYS = "0123456789ABCD*#"
_REMEMBERED = 1000
_NEW, _CALL_ID, _STATE = "new", "call id", "state"
"""Keys of the events that tell of a changed leg; that of changed parties is the leg before."""
_MAX_FORWARDS = 8
"""How many forwards one request may set; each is told to all sessions that have the line open.
JTAPI sends one."""


@dataclass(slots=True, eq=False)
class Line:
    """An open line; ``legs`` are the calls that the application knows there, as it knows them."""

    handle: int
    device: str
    index: int
    filter: structs.LineEventFilter
    legs: dict[int, LegInfo] = field(default_factory=dict[int, LegInfo])


class LineHandles:
    """The line handles of one session."""

    def __init__(self, session: Session) -> None:
        self.requests: Mapping[type[CtiMessage], Callable[[Any], CtiMessage]] = {
            messages.LineOpenRequest: self._open,
            messages.LineCloseRequest: self._close,
            messages.LineChangeEventFilterRequest: self._change_filter,
            messages.LineAutoAcceptChangeRequest: self._change_auto_accept,
            messages.LineSetForwardRequest: self._set_forward,
            messages.LineGetForwardInfoRequest: self._get_forward,
            messages.LineSetMessageWaitingRequest: self._set_message_waiting,
            messages.LineSetRingerStatusRequest: self._set_ringer,
        }
        self._session = session
        self._lines: dict[int, Line] = {}
        self._by_place: dict[tuple[str, int], list[Line]] = {}
        self._conference_changes = itertools.count(1)
        self._gone: deque[int] = deque(maxlen=_REMEMBERED)

    def __len__(self) -> int:
        return len(self._lines)

    def takes_calls(self, device: str) -> bool:
        """Whether new calls at a line of ``device`` are told to the application."""
        return any(
            line.device == device and line.filter.b_new_call_event for line in self._lines.values()
        )

    def line(self, handle: int) -> Line:
        """The open line with that handle; raises :class:`RequestFailed` for an unknown one."""
        try:
            return self._lines[handle]
        except KeyError:
            raise RequestFailed(CTIFAILURE.INVALID_LINE_HANDLE) from None

    def leg(self, handle: int, leg_id: int) -> int:
        """Check that the application was told of a call on that line; gives the leg.

        Raises :class:`RequestFailed` for any other call.
        """
        if leg_id not in self.line(handle).legs:
            raise RequestFailed(CTIFAILURE.ILLEGAL_HANDLE, f"no call leg {leg_id}")
        return leg_id

    def leg_beside(self, handle: int, leg_id: int) -> int:
        """Check that the application was told of a call on any line of that line's device.

        Transfers and conferences go across the lines of a device (documented). Raises
        :class:`RequestFailed` for any other call.
        """
        device = self.line(handle).device
        beside = (each for each in self._lines.values() if each.device == device)
        if not any(leg_id in each.legs for each in beside):
            raise RequestFailed(CTIFAILURE.ILLEGAL_HANDLE, f"no call leg {leg_id}")
        return leg_id

    def is_gone(self, leg_id: int) -> bool:
        """Whether the application knew a call that ended not long ago.

        Cisco's client drops a call by hanging up at every terminal that it observes; the first
        request ends all (observed).
        """
        return leg_id in self._gone

    def end(self) -> None:
        """Close all lines without telling the application."""
        for line in list(self._lines.values()):
            self._forget(line)

    # The events of the call manager.

    def device_changed(self, event: DeviceChanged) -> None:
        """Tell that the lines of a device are in or out of service with it."""
        for index in range(1, len(event.device.lines) + 1):
            for line in self._by_place.get((event.device.name, index), ()):
                self._session.send_event(
                    device_events.line_service(line.handle, event.device.registered)
                )

    def device_removed(self, name: str) -> None:
        """Close the lines of a device that the application may use no more."""
        for line in [each for each in self._lines.values() if each.device == name]:
            self._forget(line)
            self._session.send_event(
                messages.LineClosedEvent(
                    line_call_manager_id=CALL_MANAGER,
                    line_id=line.handle,
                    reason=enums.LINECLOSEREASON(0),
                )
            )

    def leg_changed(self, event: LegChanged) -> None:
        """Tell of a changed leg on each handle of its line whose filter wants it."""
        for line in self._by_place.get((event.leg.device, event.leg.line), ()):
            self._show(line, event)

    def digit_heard(self, event: DigitHeard) -> None:
        """Tell that the other side of a leg pressed a key."""
        for line in self._knowing(event.leg):
            if line.filter.dtmf and event.digit in _KEYS:
                self._session.send_event(
                    messages.DtmfEvent(
                        line_call_manager_id=CALL_MANAGER,
                        line_id=line.handle,
                        call_call_manager_id=CALL_MANAGER,
                        call_leg_id=event.leg.leg_id,
                        digit=enums.KEYPADBUTTON(_KEYS.index(event.digit)),
                    )
                )

    def forward_changed(self, event: ForwardChanged) -> None:
        """Tell that a line forwards its calls elsewhere, or no more."""
        for line in self._by_place.get((event.device, event.line), ()):
            if line.filter.b_line_cfwd_all_status:
                self._session.send_event(
                    messages.LineForwardEvent(
                        line_call_manager_id=CALL_MANAGER,
                        line_id=line.handle,
                        forward_array=_forward(event.target),
                    )
                )

    def transfer_started(self, event: TransferStarted) -> None:
        """Tell of a transfer that begins, once on each line that takes part."""
        for line in self._taking_part(event.legs):
            if line.filter.b_transfer_started:
                self._session.send_event(call_events.transfer_started(line.handle, event))

    def transfer_ended(self, event: TransferEnded) -> None:
        """Tell of a transfer that is over, once on each line that took part."""
        for line in self._taking_part(event.legs):
            if line.filter.b_transfer_ended:
                controlling = _is_at(line, event.controller)
                self._session.send_event(
                    call_events.transfer_ended(line.handle, event, controlling=controlling)
                )

    def conference_started(self, event: ConferenceStarted) -> None:
        """Tell of a conference that begins, once on each line that takes part."""
        for line in self._taking_part(event.legs):
            if line.filter.b_conference_started:
                self._session.send_event(call_events.conference_started(line.handle, event))

    def conference_ended(self, event: ConferenceEnded) -> None:
        """Tell of a conference that was made, once on each line that took part."""
        for line in self._taking_part(event.legs):
            if line.filter.b_conference_ended:
                controlling = _is_at(line, event.controller)
                self._session.send_event(
                    call_events.conference_ended(line.handle, event, controlling=controlling)
                )

    def conference_changed(self, event: ConferenceChanged) -> None:
        """Tell that a party joined or left a conference."""
        for line in self._knowing(event.leg):
            if line.filter.b_conference_started:
                number = next(self._conference_changes)
                self._session.send_event(call_events.conference_changed(line.handle, event, number))

    # The requests of the application.

    def _open(self, request: messages.LineOpenRequest) -> CtiMessage:
        device = self._session.device(request.device_name)
        index = next(
            (
                index
                for index, each in enumerate(device.lines, 1)
                if each.number == request.line_name
                and (not request.partition or request.partition == each.partition)
            ),
            0,
        )
        if not index:
            raise RequestFailed(CTIFAILURE.UNDEFINED_LINE, f"no line {request.line_name!r}")
        handle = self._session.new_handle(len(self._by_place.get((device.name, index), ())))
        line = Line(handle, device.name, index, request.filter)
        self._lines[line.handle] = line
        self._by_place.setdefault((line.device, index), []).append(line)
        self._session.follow(line.device)
        if request.auto_accept_status:
            self._session.backend.set_auto_accept(line.device, index, line, True)
        if device.registered:
            self._session.send_event(device_events.line_service(line.handle, True))
        self._show_existing(line)
        return answer(
            request,
            line_call_manager_id=CALL_MANAGER,
            line_id=line.handle,
            auto_accept_status=request.auto_accept_status,
        )

    def _close(self, request: messages.LineCloseRequest) -> CtiMessage:
        line = self._lines.get(request.line_id)
        if line is not None:
            self._forget(line)
        return answer(request)

    def _change_filter(self, request: messages.LineChangeEventFilterRequest) -> CtiMessage:
        line = self.line(request.line_id)
        line.filter = request.filter
        self._show_existing(line)
        return answer(request)

    def _change_auto_accept(self, request: messages.LineAutoAcceptChangeRequest) -> CtiMessage:
        line = self.line(request.line_id)
        status = request.auto_accept_status
        self._session.backend.set_auto_accept(line.device, line.index, line, bool(status))
        self._session.send_event(
            messages.LineAutoAcceptStatusEvent(
                line_call_manager_id=CALL_MANAGER,
                line_id=line.handle,
                auto_accept_status=status,
            )
        )
        return answer(request, auto_accept_status=status)

    def _set_forward(self, request: messages.LineSetForwardRequest) -> CtiMessage:
        line = self.line(request.line_id)
        if len(request.fwd_destn_info) > _MAX_FORWARDS:
            raise RequestFailed(CTIFAILURE.CFWDALL_DESTN_INVALID, "too many at once")
        for each in request.fwd_destn_info:
            on = each.cfwd_type is enums.CCNCallForwardInformation.FORWARD_ALL_ON
            target = each.call_fwd_destination if on else ""
            self._session.backend.set_forward(line.device, line.index, target)
        return answer(request)

    def _get_forward(self, request: messages.LineGetForwardInfoRequest) -> CtiMessage:
        line = self.line(request.line_id)
        target = self._session.backend.forward_of(line.device, line.index)
        return answer(request, cti_fwd_array=_forward(target))

    def _set_message_waiting(self, request: messages.LineSetMessageWaitingRequest) -> CtiMessage:
        line = self.line(request.line_id)
        on = request.lamp_mode is not enums.LAMPMODE.OFF
        self._session.backend.set_message_waiting(
            line.device, line.index, request.line_name, on, self._session.controls
        )
        return answer(request)

    def _set_ringer(self, request: messages.LineSetRingerStatusRequest) -> CtiMessage:
        self.line(request.line_id)
        raise RequestFailed(CTIFAILURE.COMMAND_NOT_IMPLEMENTED_ON_DEVICE, "ringer")

    def _forget(self, line: Line) -> None:
        del self._lines[line.handle]
        place = line.device, line.index
        self._by_place[place].remove(line)
        if not self._by_place[place]:
            del self._by_place[place]
        # It is the application's wish, and goes with it.
        self._session.backend.set_auto_accept(line.device, line.index, line, False)
        self._session.free_handle()
        self._session.unfollow(line.device)

    def _knowing(self, leg: LegInfo) -> Iterator[Line]:
        for line in self._by_place.get((leg.device, leg.line), ()):
            if leg.leg_id in line.legs:
                yield line

    def _taking_part(self, legs: tuple[LegInfo, ...]) -> list[Line]:
        places = dict.fromkeys((leg.device, leg.line) for leg in legs)
        return [line for place in places for line in self._by_place.get(place, ())]

    def _show_existing(self, line: Line) -> None:
        if not line.filter.b_existing_call_event:
            return
        backend = self._session.backend
        for leg in backend.legs_of(line.device):
            if leg.line == line.index and leg.leg_id not in line.legs:
                line.legs[leg.leg_id] = leg
                members = backend.members_of(leg.leg_id)
                self._session.send_event(call_events.existing_call(line.handle, leg, members))
        if line.filter.b_existing_call_completed:
            self._session.send_event(
                messages.ExistingCallCompletedEvent(
                    line_call_manager_id=CALL_MANAGER, line_id=line.handle
                )
            )

    def _show(self, line: Line, event: LegChanged) -> None:
        leg = event.leg

        def tell(what: object, make: Callable[[int], CtiMessage]) -> None:
            made = event.made_of_it.get(what)
            if made is None:
                made = event.made_of_it[what] = Encoded(make(line.handle))
            assert isinstance(made, Encoded)
            self._session.send_event(LineEvent(made, line.handle))

        states = [leg.state]
        before = line.legs.get(leg.leg_id)
        if before is None:
            if leg.state is CALLSTATE.IDLE or not line.filter.b_new_call_event:
                return
            if leg.state is CALLSTATE.ACCEPTED:
                # Phones and lines that accept by themselves are offered a call all the same (§7.3).
                states.insert(0, CALLSTATE.OFFERING)
            first = states[0]
            tell((_NEW, first), partial(call_events.new_call, leg=leg, state=first))
        else:
            if leg.call_id != before.call_id and line.filter.global_call_handle_changed:
                tell(_CALL_ID, partial(call_events.call_id_changed, leg=leg))
            if _parties(leg) != _parties(before) and line.filter.party_info_changed:
                tell(before, partial(call_events.parties_changed, leg=leg, before=before))
            if (leg.state, leg.remote_in_use) == (before.state, before.remote_in_use):
                states = []
        if leg.state is CALLSTATE.IDLE:
            if line.legs.pop(leg.leg_id, None) is not None:
                self._gone.append(leg.leg_id)
        else:
            line.legs[leg.leg_id] = leg
        if line.filter.call_state_changed:
            for state in states:
                tell((_STATE, state), partial(call_events.state_changed, leg=leg, state=state))


def _parties(leg: LegInfo) -> tuple[object, ...]:
    return leg.calling, leg.called, leg.original_called, leg.last_redirecting


def _is_at(line: Line, leg: LegInfo) -> bool:
    return (line.device, line.index) == (leg.device, leg.line)


def _forward(target: str) -> tuple[structs.CtiCallForwardInformation, ...]:
    on = enums.CCNCallForwardInformation.FORWARD_ALL_ON
    off = enums.CCNCallForwardInformation.FORWARD_ALL_OFF
    return (
        structs.CtiCallForwardInformation(
            cfwd_type=on if target else off, call_fwd_destination=target
        ),
    )

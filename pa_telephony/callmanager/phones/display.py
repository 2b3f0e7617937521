"""What a phone shows of a leg: state, soft keys, prompt, lamp, ring, tone.

The order of messages is that of captured calls (docs/protocol/sccp.md §6); where there is no
capture it is that of other call managers. Texts are phrase numbers (§8), so that a phone shows them
in its own language.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from pa_telephony.callmanager.calls.model import OFF_HOOK, Party
from pa_telephony.callmanager.calls.verbs import Cause, Leg, LegState, Purpose
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import (
    CallPrivacy,
    CallSecurityStatusType,
    CallType,
    DCallState,
    DeviceStimulus,
    DeviceTone,
    LampMode,
    PhoneFeatures,
    RingDuration,
    RingMode,
    SoftKeyEvent,
    SoftKeySet,
    SpeakerMode,
)
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server.device import (
    PACKED,
    name_of,
    notify,
    number_of,
    prompt,
    time_date,
)
from pa_telephony.sccp.server.soft_keys import select_soft_keys

__all__ = ["Screen", "channel_at", "information", "lamp", "refusal", "show"]

_PRIORITY = 5
"""The priority of the notification of a call that comes (captured)."""
_ALERT = RingDuration.NORMAL_RING

ENTER_NUMBER, RING_OUT, FROM, CONNECTED = "\x80\x20", "\x80\x16", "\x80\x17", "\x80\x18"
HOLD, IN_USE_REMOTE, CONFERENCE = "\x80\x03", "\x80\x1f", "\x80\x34"
CALL_PARK_AT, FORWARDED_TO = "\x80\x21", "\x80\x25"
KEY_IS_NOT_ACTIVE = "\x80\x2d"
YOUR_CURRENT_OPTIONS = "\x80\x13"
DO_NOT_DISTURB_IS_ACTIVE = "\x1e\x39"

_STATES = {
    LegState.DIAL_TONE: (DCallState.OFF_HOOK, SoftKeySet.OFF_HOOK, ENTER_NUMBER),
    LegState.PROCEEDING: (DCallState.PROCEED, SoftKeySet.RING_OUT, ""),
    LegState.RINGING_OUT: (DCallState.RING_OUT, SoftKeySet.RING_OUT, RING_OUT),
    LegState.OFFERED: (DCallState.RING_IN, SoftKeySet.RINGIN, FROM),
    LegState.CONNECTED: (DCallState.CONNECTED, SoftKeySet.CONNECTED, CONNECTED),
    LegState.HELD: (DCallState.HOLD, SoftKeySet.ON_HOLD, HOLD),
    LegState.REMOTE_IN_USE: (
        DCallState.CALL_REMOTE_MULTILINE,
        SoftKeySet.IN_USE_HINT,
        IN_USE_REMOTE,
    ),
    LegState.REMOTE_HELD: (DCallState.REMOTE_HOLD, SoftKeySet.ON_HOLD, HOLD),
}

_TALKED = frozenset({LegState.CONNECTED, LegState.HELD, LegState.REMOTE_HELD})
"""The states of a leg that was sent on, when it waits."""

_CONSULTING = {
    (LegState.DIAL_TONE, Purpose.TRANSFER): SoftKeySet.OFF_HOOK_FEAT,
    (LegState.DIAL_TONE, Purpose.CONFERENCE): SoftKeySet.OFF_HOOK_FEAT,
    (LegState.RINGING_OUT, Purpose.TRANSFER): SoftKeySet.CONN_TRANS,
    (LegState.CONNECTED, Purpose.TRANSFER): SoftKeySet.CONN_TRANS,
    (LegState.CONNECTED, Purpose.CONFERENCE): SoftKeySet.CONN_CONF,
}

_FAILURES = {
    Cause.USER_BUSY: (DCallState.BUSY, DeviceTone.LINE_BUSY_TONE, "\x80\x19"),
    Cause.CALL_REJECTED: (DCallState.BUSY, DeviceTone.LINE_BUSY_TONE, "\x80\x19"),
    Cause.UNALLOCATED_NUMBER: (DCallState.INVALID_NUMBER, DeviceTone.REORDER_TONE, "\x80\x38"),
    Cause.ROUTING_ERROR: (DCallState.CONGESTION, DeviceTone.REORDER_TONE, "\x1e\x3a"),
    Cause.FACILITY_REJECTED: (DCallState.CONGESTION, DeviceTone.REORDER_TONE, "\x80\x49"),
    Cause.RESOURCE_UNAVAILABLE: (DCallState.CONGESTION, DeviceTone.REORDER_TONE, "\x1e\x25"),
    Cause.INCOMPATIBLE: (DCallState.CONGESTION, DeviceTone.REORDER_TONE, "\x80\x46"),
}
"""Busy; Unknown number; CFwdALL loop detected; Service is not active; No resources; Incompatible
device type. Any other cause is shown as Temp fail."""
_TEMPORARY = (DCallState.CONGESTION, DeviceTone.REORDER_TONE, "\x80\x23")

_REFUSALS = {
    (SoftKeyEvent.CONFRN, Cause.RESOURCE_UNAVAILABLE): "\x80\x27",
    (SoftKeyEvent.CONFRN, Cause.FACILITY_REJECTED): "\x80\x26",
    (SoftKeyEvent.TRANSFER, Cause.FACILITY_REJECTED): "\x80\x52",
    (SoftKeyEvent.PARK, Cause.FACILITY_REJECTED): "\x80\x47",
    (SoftKeyEvent.ANSWER, Cause.INCOMPATIBLE): "\x80\x46",
    (SoftKeyEvent.RESUME, Cause.INCOMPATIBLE): "\x80\x46",
    (SoftKeyEvent.TRANSFER, Cause.INCOMPATIBLE): "\x80\x46",
}
"""No conference bridge; Can not complete conference; ... transfer; No park number available;
Incompatible device type."""

_LAMPS = (
    (frozenset({LegState.OFFERED}), LampMode.BLINK),
    (OFF_HOOK, LampMode.ON),
    (frozenset({LegState.HELD, LegState.REMOTE_HELD}), LampMode.WINK),
    (frozenset({LegState.REMOTE_IN_USE}), LampMode.ON),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Screen:
    """The phone that a leg is shown on: its session, its legs, and what it should not do."""

    version: int
    legs: Collection[Leg]
    clock: Callable[[], datetime.datetime]
    """Gives the local time; it is shown when a call is over, and asked for only then."""
    before: LegState = LegState.IDLE
    """The state in which the phone was shown the leg last."""
    features: PhoneFeatures = PhoneFeatures.DYNAMIC_MESSAGES
    silent: bool = False
    """Whether to flash instead of ringing."""
    hidden: frozenset[SoftKeyEvent] = frozenset()
    """Soft keys that this call manager has nothing to offer for."""

    def talks(self, besides: Leg) -> bool:
        """Whether the phone's user is in another call."""
        return any(leg is not besides and leg.state in OFF_HOOK for leg in self.legs)


def show(leg: Leg, screen: Screen) -> list[SccpMessage]:
    """All messages that show a leg in its present state."""
    match leg.state:
        case LegState.IDLE:
            return _idle(leg, screen)
        case LegState.FAILED:
            return _failed(leg, screen)
        case LegState.DIALLING:
            return [
                messages.StopTone(line_instance=leg.line_index, call_reference=leg.id),
                select_soft_keys(SoftKeySet.DIGITS_FOLL, line=leg.line_index, call=leg.id),
            ]
        case _:
            return _state(leg, screen)


def channel_at(shown: list[SccpMessage]) -> int:
    """Where orders about the channel stand among what shows a leg connected, or idle (captured)."""
    states = (DCallState.CONNECTED, DCallState.ON_HOOK)
    return next(
        (
            at
            for at, each in enumerate(shown)
            if isinstance(each, messages.CallState) and each.call_state in states
        ),
        0,
    )


def lamp(line: int, legs: Iterable[Leg]) -> SccpMessage:
    """The lamp of a line with these legs: a call that rings counts more than a held one."""
    states = {leg.state for leg in legs if leg.appearance.index == line}
    mode = next((mode for of, mode in _LAMPS if states & of), LampMode.OFF)
    return messages.SetLamp(stimulus=DeviceStimulus.LINE, stimulus_instance=line, lamp_mode=mode)


def refusal(key: SoftKeyEvent, cause: int) -> str:
    """The text on the display when a key cannot be served."""
    return _REFUSALS.get((key, Cause(cause)), KEY_IS_NOT_ACTIVE)


def _state(leg: Leg, screen: Screen) -> list[SccpMessage]:
    line, reference = leg.line_index, leg.id
    state, _, text = _STATES[leg.state]
    if leg.state is LegState.OFFERED:
        name = name_of(leg.calling.name, screen.features, screen.version)
        text += number_of(leg.calling.number, screen.version) or name
    elif leg.conference is not None and leg.state is LegState.CONNECTED:
        text = CONFERENCE
    shown: list[SccpMessage] = [_call_state(leg, state)]
    if leg.state is not LegState.PROCEEDING or screen.before in _TALKED:
        # Those of dialling stay while a number is on its way (captured).
        keys = select_soft_keys(
            _keys(leg), line=line, call=reference, without=_without(leg, screen)
        )
        shown.append(keys)
    if text:
        shown.append(prompt(text, screen.version, line=line, call=reference))
    elif screen.before in _TALKED:
        shown.append(messages.ClearPromptStatus(line_instance=line, call_reference=reference))
    # Speaker, lamp and line are set once, when the call becomes the one that the user is in.
    begins = screen.before not in OFF_HOOK
    active: list[SccpMessage] = (
        [_quiet(), _speaker(SpeakerMode.ON), lamp(line, screen.legs)] if begins else []
    )
    plane = [messages.ActivateCallPlane(line_instance=line)] if begins else []
    match leg.state:
        case LegState.DIAL_TONE:
            shown[:0] = active
            shown += plane
            shown.append(_tone(leg, DeviceTone.INSIDE_DIAL_TONE))
        case LegState.PROCEEDING if leg.peer is None:
            dialled = messages.DialedNumber(
                dialed_number=leg.digits, line_instance=line, call_reference=reference
            )
            shown.insert(0, dialled)
            shown.append(information(leg, screen))
        case LegState.PROCEEDING | LegState.RINGING_OUT:
            rings = leg.state is LegState.RINGING_OUT
            shown[:0] = [*active, _tone(leg, DeviceTone.ALERTING_TONE)] if rings else active
            shown += plane
            shown.append(information(leg, screen))
        case LegState.OFFERED:
            shown += [
                notify(text, screen.version, priority=_PRIORITY),
                information(leg, screen),
                lamp(line, screen.legs),
                *_alert(leg, screen),
            ]
        case LegState.CONNECTED:
            stop = messages.StopTone(line_instance=line, call_reference=reference)
            if screen.before is LegState.OFFERED:
                shown[:0] = [
                    *active,
                    _call_state(leg, DCallState.OFF_HOOK),
                    *plane,
                    _quiet(leg),
                    stop,
                ]
            else:
                shown[:0] = [*active, *plane, stop]
            shown.append(information(leg, screen))
        case _:
            if leg.state is LegState.HELD:
                # A call that rang out is put on hold when the phone answers it at its other line.
                shown.insert(0, messages.StopTone(line_instance=line, call_reference=reference))
            shown.append(information(leg, screen))
            shown.append(lamp(line, screen.legs))
            if screen.before is LegState.OFFERED:
                # It has been answered elsewhere.
                shown.append(messages.ClearPriNotify(priority=_PRIORITY))
            if not screen.talks(leg):
                shown += _rest(screen)
    return shown


def _keys(leg: Leg) -> SoftKeySet:
    if leg.consult_of is not None and (leg.state, leg.purpose) in _CONSULTING:
        return _CONSULTING[leg.state, leg.purpose]
    conference = leg.conference
    if leg.state is LegState.CONNECTED and conference and conference.controller is leg:
        return SoftKeySet.CONN_CONF
    return _STATES[leg.state][1]


def _without(leg: Leg, screen: Screen) -> set[SoftKeyEvent]:
    hidden = set(screen.hidden)
    if not leg.appearance.config.pickup_group:
        hidden |= {SoftKeyEvent.PICK_UP, SoftKeyEvent.GRP_PICKUP}
    if leg.conference is None:
        hidden.add(SoftKeyEvent.RM_LST_C)
    else:
        hidden |= {SoftKeyEvent.PARK, SoftKeyEvent.TRANSFER}
    if leg.parking is not None:
        hidden |= {SoftKeyEvent.PARK, SoftKeyEvent.TRANSFER, SoftKeyEvent.CONFRN}
    return hidden


def _alert(leg: Leg, screen: Screen) -> list[SccpMessage]:
    """Ring, or play the call-waiting tone to a user who is talking."""
    if screen.talks(leg):
        return [_tone(leg, DeviceTone.CALL_WAITING_TONE)]
    return [
        messages.SetRinger(
            ring_mode=RingMode.FLASH_ONLY if screen.silent else RingMode.INSIDE_RING,
            ring_duration=_ALERT,
            line_instance=leg.line_index,
            call_reference=leg.id,
        )
    ]


def _failed(leg: Leg, screen: Screen) -> list[SccpMessage]:
    state, tone, text = _FAILURES.get(leg.cause, _TEMPORARY)
    return [
        _call_state(leg, state),
        select_soft_keys(SoftKeySet.RING_OUT, line=leg.line_index, call=leg.id),
        _tone(leg, tone),
        prompt(text, screen.version, line=leg.line_index, call=leg.id),
    ]


def _idle(leg: Leg, screen: Screen) -> list[SccpMessage]:
    line, reference = leg.line_index, leg.id
    shown: list[SccpMessage] = [
        messages.StopTone(line_instance=line, call_reference=reference),
        lamp(line, screen.legs),
        messages.ClearPromptStatus(line_instance=line, call_reference=reference),
    ]
    if leg.cause is Cause.NOT_SELECTED:
        # No missed call, as another answered it: the way of chan-sccp-b.
        shown.append(_call_state(leg, DCallState.CONNECTED, CallPrivacy.FULL))
    shown += [
        _call_state(leg, DCallState.ON_HOOK),
        select_soft_keys(SoftKeySet.ON_HOOK),
        time_date(screen.clock()),
    ]
    if screen.before is LegState.OFFERED:
        shown.append(messages.ClearPriNotify(priority=_PRIORITY))
    if not screen.talks(leg):
        shown += _rest(screen)
    return shown


def _rest(screen: Screen) -> list[SccpMessage]:
    """Ring aloud for a call that came during a conversation, now that it is over."""
    ringing = [each for each in screen.legs if each.state is LegState.OFFERED]
    alert = _alert(ringing[0], screen) if ringing else [_quiet()]
    return [_speaker(SpeakerMode.OFF), *alert]


def _call_state(
    leg: Leg, state: DCallState, privacy: CallPrivacy = CallPrivacy.NONE
) -> SccpMessage:
    return messages.CallState(
        call_state=state,
        line_instance=leg.line_index,
        call_reference=leg.id,
        privacy=privacy,
        precedence_level=4,
    )


def _quiet(leg: Leg | None = None) -> SccpMessage:
    """Stop the ringing of one leg, or whatever rings."""
    return messages.SetRinger(
        ring_mode=RingMode.RING_OFF,
        ring_duration=_ALERT,
        line_instance=0 if leg is None else leg.line_index,
        call_reference=0 if leg is None else leg.id,
    )


def _speaker(mode: SpeakerMode) -> SccpMessage:
    return messages.SetSpeakerMode(speaker_mode=mode)


def _tone(leg: Leg, tone: DeviceTone) -> SccpMessage:
    return messages.StartTone(tone=tone, line_instance=leg.line_index, call_reference=leg.id)


def information(leg: Leg, screen: Screen) -> SccpMessage:
    """Who the parties of a leg are, with the values that CUCM has for the rest (captured)."""

    def name(party: Party) -> str:
        return name_of(party.name, screen.features, screen.version)

    def number(party: Party) -> str:
        return number_of(party.number, screen.version)

    connected = leg.state in (LegState.CONNECTED, LegState.HELD)
    calling = number(leg.calling)
    form: Callable[..., SccpMessage] = messages.CallInfo
    if screen.version >= PACKED:
        form = functools.partial(
            messages.CallInfoV2, alternate_calling_party=calling if leg.incoming else ""
        )
    return form(
        line_instance=leg.line_index,
        call_reference=leg.id,
        call_type=CallType.IN_BOUND_CALL if leg.incoming else CallType.OUT_BOUND_CALL,
        call_instance=1,
        call_security_status=CallSecurityStatusType.NOT_AUTHENTICATED
        if connected
        else CallSecurityStatusType.UNKNOWN,
        calling_party=calling,
        calling_party_name=name(leg.calling),
        called_party=number(leg.called),
        called_party_name=name(leg.called),
        original_called_party=number(leg.original_called),
        original_called_party_name=name(leg.original_called),
        last_redirecting_party=number(leg.last_redirecting),
        last_redirecting_party_name=name(leg.last_redirecting),
    )

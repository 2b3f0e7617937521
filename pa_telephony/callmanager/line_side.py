"""The SCCP side of the call manager: legs shown to stations, keys of stations done to legs.

The order of messages is that of captured calls (protocol notes §6).
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress

from pa_telephony.callmanager.calls import (
    Calls,
    Capabilities,
    Leg,
    LegState,
    MediaAddress,
    Stream,
)
from pa_telephony.callmanager.config import CallManagerConfig, DeviceConfig, DeviceKind
from pa_telephony.errors import RequestFailed
from pa_telephony.rtp.packet import Codec
from pa_telephony.sccp import messages
from pa_telephony.sccp.directory import (
    PACKED,
    Device,
    LineAppearance,
    prompt,
    select_soft_keys,
    time_date,
)
from pa_telephony.sccp.enums import (
    CallType,
    DCallState,
    DeviceStimulus,
    DeviceTone,
    LampMode,
    MediaPayloadType,
    MediaStatus,
    RingDuration,
    RingMode,
    SoftKeyEvent,
    SoftKeySet,
    SpeakerMode,
)
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server import StationSession

__all__ = ["LineSide"]

_KEYS = "0123456789ABCD*#+"
_CODECS = {
    MediaPayloadType.G711_ULAW64K: Codec.PCMU,
    MediaPayloadType.G711_ALAW64K: Codec.PCMA,
}
_PAYLOAD = {codec: payload for payload, codec in _CODECS.items()}
_RFC2833 = 257
_TELEPHONE_EVENT = 101
_EXPEDITED = 184
"""The TOS byte CUCM asks for (captured)."""

_DTMF_TONES = {
    **{str(number): DeviceTone(number or 10) for number in range(10)},
    **{key: DeviceTone(14 + number) for number, key in enumerate("*#ABCD")},
}

_SHOWN = {
    LegState.DIAL_TONE: (DCallState.OFF_HOOK, SoftKeySet.OFF_HOOK, "\x80\x20"),
    LegState.PROCEEDING: (DCallState.PROCEED, SoftKeySet.DIGITS_FOLL, ""),
    LegState.RINGING_OUT: (DCallState.RING_OUT, SoftKeySet.RING_OUT, "\x80\x16"),
    LegState.OFFERED: (DCallState.RING_IN, SoftKeySet.RINGIN, "\x80\x17"),
    LegState.CONNECTED: (DCallState.CONNECTED, SoftKeySet.CONNECTED, "\x80\x18"),
    LegState.HELD: (DCallState.HOLD, SoftKeySet.ON_HOLD, "Hold"),
    LegState.REMOTE_IN_USE: (
        DCallState.CALL_REMOTE_MULTILINE,
        SoftKeySet.IN_USE_HINT,
        "\x80\x1f",
    ),
    LegState.REMOTE_HELD: (DCallState.REMOTE_HOLD, SoftKeySet.ON_HOLD, "Hold"),
}


class LineSide:
    """All stations of a call manager: a Directory to the server, a Side to the calls."""

    def __init__(self, config: CallManagerConfig, calls: Calls) -> None:
        self.sessions: dict[str, StationSession] = {}
        self._calls = calls
        self._devices: dict[str, Device] = {}
        for device in config.devices:
            self.add_device(device)
        self._streams: dict[int, Stream] = {}

    def add_device(self, device: DeviceConfig) -> None:
        """Let a phone or media port register; other kinds are not reached over SCCP."""
        if device.kind in (DeviceKind.PHONE, DeviceKind.MEDIA_PORT):
            self._devices[device.name] = _as_device(device)

    def remove_device(self, name: str) -> None:
        """Close a device's connection; it does not get in again."""
        self._devices.pop(name, None)
        session = self.sessions.get(name)
        if session is not None:
            session.close("removed")

    # Directory: what the server asks.

    def find_device(self, name: str) -> Device | None:
        """The device of this name, None if there is none."""
        return self._devices.get(name)

    def registered(self, session: StationSession) -> None:
        """A station can be called from now on."""
        self.sessions[session.name] = session
        self._calls.register(session.name, self)

    def unregistered(self, session: StationSession, reason: str) -> None:
        """A station is gone, its calls with it."""
        if self.sessions.get(session.name) is session:
            del self.sessions[session.name]
            self._calls.unregister(session.name)

    def may_unregister(self, session: StationSession) -> bool:
        """Not while a call is up."""
        return not self._calls.legs_of(session.name)

    def received(self, session: StationSession, message: SccpMessage) -> None:
        """A station did something. What is not possible now stays undone."""
        with contextlib.suppress(RequestFailed):
            self._received(session, message)

    def _received(self, session: StationSession, message: SccpMessage) -> None:
        match message:
            case messages.OffHook():
                self._off_hook(session, message.line_instance, message.call_reference)
            case messages.OnHook():
                leg = self._find(session, message.call_reference)
                if leg is not None:
                    self._calls.release(leg)
            case messages.KeypadButton():
                leg = self._find(session, message.call_reference)
                if leg is None and not self._calls.legs_of(session.name):
                    leg = self._calls.originate(session.name, max(1, message.line_instance))
                if leg is not None and 0 <= message.kp_button < len(_KEYS):
                    self._calls.digit(leg, _KEYS[message.kp_button])
            case messages.EnblocCall():
                line = max(1, message.line_instance)
                self._calls.originate(session.name, line, message.called_party)
            case messages.SoftKeyEvent():
                self._soft_key(
                    session, message.soft_key_event, message.line_instance, message.call_reference
                )
            case messages.Stimulus():
                self._stimulus(session, message)
            case messages.OpenReceiveChannelAck():
                self._channel_opened(session, message)
            case _:
                pass

    def _off_hook(self, session: StationSession, line: int, reference: int) -> None:
        leg = self._find(session, reference, LegState.OFFERED)
        if leg is not None:
            self._calls.answer(leg)
        else:
            self._calls.originate(session.name, max(1, line))

    def _soft_key(
        self, session: StationSession, key: SoftKeyEvent, line: int, reference: int
    ) -> None:
        if key is SoftKeyEvent.NEW_CALL:
            self._calls.originate(session.name, max(1, line))
            return
        state = {SoftKeyEvent.ANSWER: LegState.OFFERED, SoftKeyEvent.RESUME: LegState.HELD}
        leg = self._find(session, reference, state.get(key))
        if leg is None:
            return
        match key:
            case SoftKeyEvent.ANSWER:
                self._calls.answer(leg)
            case SoftKeyEvent.END_CALL:
                self._calls.release(leg)
            case SoftKeyEvent.HOLD:
                self._calls.hold(leg)
            case SoftKeyEvent.RESUME:
                self._calls.resume(leg)
            case SoftKeyEvent.TRANSFER:
                self._calls.transfer_key(leg)
            case _:
                pass

    def _stimulus(self, session: StationSession, message: messages.Stimulus) -> None:
        key = {
            DeviceStimulus.HOLD: SoftKeyEvent.HOLD,
            DeviceStimulus.TRANSFER: SoftKeyEvent.TRANSFER,
        }.get(message.stimulus)
        if message.stimulus == DeviceStimulus.LINE:
            self._off_hook(session, message.line_instance, message.call_reference)
        elif key is SoftKeyEvent.HOLD and self._find(session, 0, LegState.HELD) is not None:
            # Button phones have one key for both (captured from CM 2.x).
            self._soft_key(session, SoftKeyEvent.RESUME, message.line_instance, 0)
        elif key is not None:
            self._soft_key(session, key, message.line_instance, message.call_reference)

    def _find(
        self, session: StationSession, reference: int, state: LegState | None = None
    ) -> Leg | None:
        leg = self._calls.legs.get(reference)
        if leg is not None and leg.device == session.name:
            return leg
        if reference:
            return None
        # 0 means "the call I am in": hook events of newer phones carry nothing (captured).
        legs = self._calls.legs_of(session.name)
        wanted = [leg for leg in legs if state in (None, leg.state)]
        active = [leg for leg in wanted if leg.state not in (LegState.HELD, LegState.OFFERED)]
        if state is None:
            return active[0] if active else None
        return wanted[0] if wanted else None

    def _channel_opened(
        self, session: StationSession, message: messages.OpenReceiveChannelAck
    ) -> None:
        stream = self._streams.get(message.pass_through_party_id)
        if stream is None or stream.leg.device != session.name:
            # Another station's channel is not this one's to answer for.
            return
        usable = _is_ipv4(message.ip_addr) and 1 <= message.port_number <= 65535
        if message.media_reception_status == MediaStatus.OK and usable:
            self._calls.receiving(stream, (message.ip_addr, message.port_number))
        else:
            self._calls.receiving(stream, None)

    # Side: what the calls tell.

    def show(self, leg: Leg) -> None:
        """Tell the station what its leg looks like now."""
        session = self.sessions.get(leg.device)
        if session is None:
            return
        match leg.state:
            case LegState.IDLE:
                self._show_idle(session, leg)
            case LegState.DIALLING:
                session.send(
                    messages.StopTone(line_instance=leg.line_index, call_reference=leg.id),
                    select_soft_keys(SoftKeySet.DIGITS_FOLL, line=leg.line_index, call=leg.id),
                )
            case LegState.FAILED:
                self._show_failed(session, leg)
            case _:
                self._show_state(session, leg)

    def capabilities(self, leg: Leg) -> Capabilities:
        """What the station says it can do; G.711 while it has said nothing."""
        session = self.sessions.get(leg.device)
        if session is None or not session.capabilities:
            return Capabilities(telephone_event=0)
        said = {capability.payload_capability for capability in session.capabilities}
        codecs = tuple(codec for payload, codec in _CODECS.items() if payload in said)
        return Capabilities(codecs, _TELEPHONE_EVENT if _RFC2833 in said else 0)

    def open_media(self, stream: Stream) -> None:
        """Ask the station for a receive channel."""
        session = self.sessions.get(stream.leg.device)
        if session is None:
            return
        self._streams[stream.id] = stream
        session.send(
            messages.OpenReceiveChannel(
                conference_id=stream.leg.id,
                pass_through_party_id=stream.id,
                milli_second_packet_size=stream.format.packet_ms,
                compression_type=_PAYLOAD[stream.format.codec],
                call_reference=stream.leg.id,
                rfc2833_payload_type=stream.format.telephone_event,
                source_ip_addr="0.0.0.0",
                # CUCM's placeholder until the far end has told its port (captured).
                source_port_number=4000,
            )
        )

    def send_media(self, stream: Stream, address: MediaAddress) -> None:
        """Tell the station where to send."""
        session = self.sessions.get(stream.leg.device)
        if session is None:
            return
        events = stream.format.telephone_event
        session.send(
            messages.StartMediaTransmission(
                conference_id=stream.leg.id,
                pass_through_party_id=stream.id,
                remote_ip_addr=address[0],
                remote_port_number=address[1],
                milli_second_packet_size=stream.format.packet_ms,
                compression_type=_PAYLOAD[stream.format.codec],
                precedence_value=_EXPEDITED,
                call_reference=stream.leg.id,
                rfc2833_payload_type=events,
                dtmf_type=10 if events else 0,
            )
        )

    def close_media(self, stream: Stream) -> None:
        """Stop both directions."""
        self._streams.pop(stream.id, None)
        session = self.sessions.get(stream.leg.device)
        if session is not None:
            leg = stream.leg.id
            session.send(
                messages.CloseReceiveChannel(
                    conference_id=leg, pass_through_party_id=stream.id, call_reference=leg
                ),
                messages.StopMediaTransmission(
                    conference_id=leg, pass_through_party_id=stream.id, call_reference=leg
                ),
            )

    def digit(self, leg: Leg, digit: str) -> None:
        """Let a key of the other side be heard: where events are in the audio, it already was."""
        session = self.sessions.get(leg.device)
        events = leg.stream is not None and leg.stream.format.telephone_event
        if session is not None and digit in _DTMF_TONES and not events:
            session.send(
                messages.StartTone(
                    tone=_DTMF_TONES[digit], line_instance=leg.line_index, call_reference=leg.id
                )
            )

    def _show_state(self, session: StationSession, leg: Leg) -> None:
        line, reference = leg.line_index, leg.id
        state, keys, text = _SHOWN[leg.state]
        shown = [
            messages.CallState(
                call_state=state, line_instance=line, call_reference=reference, precedence_level=4
            ),
            select_soft_keys(keys, line=line, call=reference),
        ]
        if leg.state is LegState.OFFERED:
            text += leg.calling.name or leg.calling.number
        if text:
            shown.append(prompt(text, session.version, line=line, call=reference))
        match leg.state:
            case LegState.DIAL_TONE:
                ringer = messages.SetRinger(ring_mode=RingMode.RING_OFF)
                speaker = messages.SetSpeakerMode(speaker_mode=SpeakerMode(1))
                shown[:0] = [ringer, speaker, _lamp(leg, LampMode.ON)]
                shown.append(messages.ActivateCallPlane(line_instance=line))
                shown.append(_tone(leg, DeviceTone.INSIDE_DIAL_TONE))
            case LegState.PROCEEDING:
                shown.insert(
                    0,
                    messages.DialedNumber(
                        dialed_number=leg.digits, line_instance=line, call_reference=reference
                    ),
                )
                shown.append(_information(leg, session.version))
            case LegState.RINGING_OUT:
                shown.insert(0, _tone(leg, DeviceTone.ALERTING_TONE))
                shown.append(_information(leg, session.version))
            case LegState.OFFERED:
                shown += [
                    _information(leg, session.version),
                    _lamp(leg, LampMode.BLINK),
                    messages.SetRinger(
                        ring_mode=RingMode.INSIDE_RING,
                        ring_duration=RingDuration.NORMAL_RING,
                        line_instance=line,
                        call_reference=reference,
                    ),
                ]
            case LegState.CONNECTED:
                shown[:0] = [
                    messages.SetRinger(ring_mode=RingMode.RING_OFF),
                    messages.SetSpeakerMode(speaker_mode=SpeakerMode(1)),
                    _lamp(leg, LampMode.ON),
                    messages.StopTone(line_instance=line, call_reference=reference),
                ]
                shown.append(_information(leg, session.version))
            case _:
                shown.append(_lamp(leg, LampMode.WINK))
        session.send(*shown)

    def _show_failed(self, session: StationSession, leg: Leg) -> None:
        busy = leg.cause.name == "USER_BUSY"
        unknown = leg.cause.name == "UNALLOCATED_NUMBER"
        state = DCallState.INVALID_NUMBER if unknown else DCallState.CONGESTION
        session.send(
            messages.CallState(
                call_state=DCallState.BUSY if busy else state,
                line_instance=leg.line_index,
                call_reference=leg.id,
                precedence_level=4,
            ),
            _tone(leg, DeviceTone.LINE_BUSY_TONE if busy else DeviceTone.REORDER_TONE),
            prompt(
                "Busy" if busy else "Number not in service",
                session.version,
                line=leg.line_index,
                call=leg.id,
            ),
        )

    def _show_idle(self, session: StationSession, leg: Leg) -> None:
        line, reference = leg.line_index, leg.id
        session.send(
            messages.StopTone(line_instance=line, call_reference=reference),
            _lamp(leg, LampMode.OFF),
            messages.ClearPromptStatus(line_instance=line, call_reference=reference),
            messages.CallState(
                call_state=DCallState.ON_HOOK,
                line_instance=line,
                call_reference=reference,
                precedence_level=4,
            ),
            select_soft_keys(SoftKeySet.ON_HOOK),
            time_date(datetime.datetime.now().astimezone()),
            messages.SetSpeakerMode(speaker_mode=SpeakerMode(2)),
            messages.SetRinger(ring_mode=RingMode.RING_OFF),
        )


def _is_ipv4(address: str) -> bool:
    """The only family that every session version can carry, so the only one that is offered."""
    try:
        ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return True


def _as_device(config: DeviceConfig) -> Device:
    return Device(
        name=config.name,
        lines=tuple(
            LineAppearance(number=line.number, display_name=line.name) for line in config.lines
        ),
        description=config.description,
    )


def _lamp(leg: Leg, mode: LampMode) -> SccpMessage:
    return messages.SetLamp(
        stimulus=DeviceStimulus.LINE, stimulus_instance=leg.line_index, lamp_mode=mode
    )


def _tone(leg: Leg, tone: DeviceTone) -> SccpMessage:
    return messages.StartTone(tone=tone, line_instance=leg.line_index, call_reference=leg.id)


def _information(leg: Leg, version: int) -> SccpMessage:
    form = messages.CallInfoV2 if version >= PACKED else messages.CallInfo
    return form(
        line_instance=leg.line_index,
        call_reference=leg.id,
        call_type=CallType.IN_BOUND_CALL if leg.incoming else CallType.OUT_BOUND_CALL,
        calling_party=leg.calling.number,
        calling_party_name=leg.calling.name,
        called_party=leg.called.number,
        called_party_name=leg.called.name,
        original_called_party=leg.original_called.number,
        original_called_party_name=leg.original_called.name,
        last_redirecting_party=leg.last_redirecting.number,
        last_redirecting_party_name=leg.last_redirecting.name,
    )

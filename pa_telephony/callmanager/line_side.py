"""The SCCP side of the call manager: legs shown to stations, keys of stations done to legs.

What is shown is written in :mod:`~pa_telephony.callmanager.display`; the keys are two tables at
the end of this module.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Callable, Mapping

from pa_telephony.callmanager import display
from pa_telephony.callmanager.calls import (
    Calls,
    Capabilities,
    DoNotDisturb,
    Forward,
    Leg,
    LegState,
    Line,
    MediaAddress,
    ParkedCall,
    Stream,
    Watcher,
)
from pa_telephony.callmanager.config import CallManagerConfig, DeviceConfig, DeviceKind
from pa_telephony.callmanager.display import Screen
from pa_telephony.errors import RequestFailed
from pa_telephony.rtp.packet import Codec
from pa_telephony.sccp import messages
from pa_telephony.sccp.directory import Device, LineAppearance, forwards, notify, prompt
from pa_telephony.sccp.enums import (
    DeviceStimulus,
    DeviceTone,
    LampMode,
    MediaPayloadType,
    MediaStatus,
    SoftKeyEvent,
)
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server import StationSession

__all__ = ["LineSide"]

_DIGITS = "0123456789ABCD*#+"
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
_REMOTE = (LegState.REMOTE_IN_USE, LegState.REMOTE_HELD)
_OFF_HOOK = (
    LegState.DIAL_TONE,
    LegState.DIALLING,
    LegState.PROCEEDING,
    LegState.RINGING_OUT,
    LegState.CONNECTED,
)


class LineSide(Watcher):
    """All stations of a call manager: a Directory to the server, a Side to the calls."""

    def __init__(self, config: CallManagerConfig, calls: Calls) -> None:
        self.sessions: dict[str, StationSession] = {}
        self.data_received: Callable[[str, bytes], None] | None = None
        """Told of what phones send to applications."""
        self._calls = calls
        self._devices: dict[str, DeviceConfig] = {}
        for device in config.devices:
            self.add_device(device)
        self._streams: dict[int, Stream] = {}
        self._redial: dict[str, str] = {}
        self._hidden = frozenset(() if config.park_numbers else {SoftKeyEvent.PARK})
        calls.watchers.append(self)

    def add_device(self, device: DeviceConfig) -> None:
        """Let a phone or media port register; other kinds are not reached over SCCP."""
        if device.kind in (DeviceKind.PHONE, DeviceKind.MEDIA_PORT):
            self._devices[device.name] = device

    def remove_device(self, name: str) -> None:
        """Close a device's connection; it does not get in again."""
        self._devices.pop(name, None)
        session = self.sessions.get(name)
        if session is not None:
            session.close("removed")

    # Directory: what the server asks.

    def find_device(self, name: str) -> Device | None:
        """The device of this name as it is now, None if there is none."""
        device = self._devices.get(name)
        return None if device is None else self._as_device(device)

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
        """Not while a call is up, those of a shared line's other devices aside."""
        return all(leg.state in _REMOTE for leg in self._calls.legs_of(session.name))

    def address_for(self, leg: Leg) -> str:
        """The address of ours that a leg's station has found."""
        session = self.sessions.get(leg.device)
        return session.local_address[0] if session is not None else "127.0.0.1"

    def send_data(self, device: str, data: bytes) -> bool:
        """Show data (XML of IP phone services) on a phone; False when it is not there."""
        session = self.sessions.get(device)
        if session is None:
            return False
        # The application id is guessed: captures only have those of CUCM's own services.
        session.send(messages.UserToDeviceDataVersion1(application_id=0, xmldata=data))
        return True

    def received(self, session: StationSession, message: SccpMessage) -> None:
        """A station did something."""
        match message:
            case (
                messages.DeviceToUserData()
                | messages.DeviceToUserDataResponse()
                | messages.DeviceToUserDataVersion1()
                | messages.DeviceToUserDataResponseVersion1()
            ):
                if self.data_received is not None:
                    self.data_received(session.name, message.xmldata)
            case messages.OffHook():
                self._off_hook(session, message.line_instance, message.call_reference)
            case messages.OnHook():
                self.press(session, SoftKeyEvent.END_CALL, 0, message.call_reference)
            case messages.KeypadButton():
                if 0 <= message.kp_button < len(_DIGITS):
                    digit = _DIGITS[message.kp_button]
                    self._digit(session, digit, message.line_instance, message.call_reference)
            case messages.EnblocCall():
                self._originate(session, message.line_instance, message.called_party)
            case messages.SoftKeyEvent():
                key, line = message.soft_key_event, message.line_instance
                self.press(session, key, line, message.call_reference)
            case messages.Stimulus():
                self._stimulus(session, message)
            case messages.OpenReceiveChannelAck():
                self._channel_opened(session, message)
            case messages.RegisterAvailableLines():
                self._show_features(session)
            case _:
                pass

    def press(self, session: StationSession, key: SoftKeyEvent, line: int, reference: int) -> None:
        """A soft key. What can not be done is said on the display."""
        leg = self._find(session, reference, _SUBJECT.get(key))
        on_hook, in_call = _ON_HOOK_KEYS.get(key), _CALL_KEYS.get(key)
        try:
            if on_hook is not None:
                on_hook(self, session, leg, max(1, line))
            elif in_call is None:
                self._say(session, display.KEY_IS_NOT_ACTIVE)
            elif leg is not None:
                in_call(self._calls, leg)
        except RequestFailed as failed:
            self._say(session, display.refusal(key, failed.code))

    def _off_hook(self, session: StationSession, line: int, reference: int) -> None:
        leg = self._find(session, reference, LegState.OFFERED)
        if leg is not None:
            self.press(session, SoftKeyEvent.ANSWER, line, leg.id)
        elif not any(leg.state in _OFF_HOOK for leg in self._calls.legs_of(session.name)):
            # Else the handset is lifted after the line key (pyskinny does both): one call.
            self.press(session, SoftKeyEvent.NEW_CALL, line, 0)

    def _line_key(self, session: StationSession, line: int) -> None:
        """A line button: answer what rings there, take back what is held, or go off hook."""
        legs = [leg for leg in self._calls.legs_of(session.name) if leg.line_index == line]
        for state, key in (
            (LegState.OFFERED, SoftKeyEvent.ANSWER),
            (LegState.HELD, SoftKeyEvent.RESUME),
            (LegState.REMOTE_HELD, SoftKeyEvent.RESUME),
        ):
            for leg in legs:
                if leg.state is state:
                    self.press(session, key, line, leg.id)
                    return
        if not any(leg.state is LegState.CONNECTED for leg in legs):
            self.press(session, SoftKeyEvent.NEW_CALL, line, 0)

    def _stimulus(self, session: StationSession, message: messages.Stimulus) -> None:
        stimulus, line = message.stimulus, max(1, message.line_instance)
        if stimulus == DeviceStimulus.LINE:
            self._line_key(session, line)
        elif stimulus == DeviceStimulus.SPEED_DIAL:
            dials = self._devices[session.name].speed_dials
            if line <= len(dials):
                self._speed_dial(session, dials[line - 1].number)
        elif stimulus in _BUTTONS:
            key = _BUTTONS[stimulus]
            held = self._find(session, 0, LegState.HELD)
            if key is SoftKeyEvent.HOLD and held is not None:
                # Button phones have one key for both (captured from CM 2.x).
                active = self._find(session, 0)
                if active is None or active.state is not LegState.CONNECTED:
                    key = SoftKeyEvent.RESUME
            self.press(session, key, line, message.call_reference)

    def _digit(self, session: StationSession, digit: str, line: int, reference: int) -> None:
        leg = self._find(session, reference)
        with contextlib.suppress(RequestFailed):
            if leg is None and not self._calls.legs_of(session.name):
                leg = self._calls.originate(session.name, max(1, line))
            if leg is not None:
                self._calls.digit(leg, digit)

    def _originate(self, session: StationSession, line: int, number: str) -> None:
        try:
            self._calls.originate(session.name, max(1, line), number)
        except RequestFailed as failed:
            self._say(session, display.refusal(SoftKeyEvent.NEW_CALL, failed.code))

    def _speed_dial(self, session: StationSession, number: str) -> None:
        leg = self._find(session, 0)
        if leg is not None and leg.state is LegState.DIAL_TONE:
            for digit in number:
                self._digit(session, digit, leg.line_index, leg.id)
        else:
            self._originate(session, 1, number)

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
        if state is not None:
            return next((leg for leg in legs if leg.state is state), None)
        idle = (LegState.HELD, LegState.OFFERED, *_REMOTE)
        return next((leg for leg in legs if leg.state not in idle), None)

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

    # What the keys do.

    def new_call(self, session: StationSession, leg: Leg | None, line: int) -> None:
        """Off hook."""
        self._calls.originate(session.name, line)

    def redial(self, session: StationSession, leg: Leg | None, line: int) -> None:
        """The number dialled last."""
        number = self._redial.get(session.name)
        if number:
            self._speed_dial(session, number)

    def forward_all(self, session: StationSession, leg: Leg | None, line: int) -> None:
        """Cancel the forward, or take a number for one."""
        appearance = self._calls.appearance(session.name, line)
        if appearance is None:
            return
        if leg is not None and leg.state is LegState.DIAL_TONE:
            self._calls.release(leg)
        if Forward.ALL in appearance.line.forwards:
            self._calls.set_forward(appearance.line, Forward.ALL, "")
        else:
            self._calls.originate(session.name, line, collects=Forward.ALL)

    def pick_up(self, session: StationSession, leg: Leg | None, line: int) -> None:
        """Answer what rings in the group of the line."""
        self._calls.pick_up(session.name, line)

    def do_not_disturb(self, session: StationSession, leg: Leg | None, line: int) -> None:
        """Ring silently from now on, or ring again."""
        off = self._calls.do_not_disturb(session.name) is DoNotDisturb.OFF
        mode = DoNotDisturb.RINGER_OFF if off else DoNotDisturb.OFF
        self._calls.set_do_not_disturb(session.name, mode)

    # Side: what the calls tell.

    def show(self, leg: Leg) -> None:
        """Tell the station what its leg looks like now."""
        session = self.sessions.get(leg.device)
        if session is None:
            return
        if leg.state is LegState.PROCEEDING and leg.digits:
            self._redial[leg.device] = leg.digits
        screen = Screen(
            version=session.version,
            legs=self._calls.legs_of(leg.device),
            silent=self._calls.do_not_disturb(leg.device) is not DoNotDisturb.OFF,
            hidden=self._hidden,
        )
        session.send(*display.show(leg, screen))

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

    # Watcher: what is not about one leg.

    def call_parked(self, parked: ParkedCall) -> None:
        """Tell who parked it where."""
        session = self.sessions.get(parked.by.device)
        if session is not None:
            self._say(session, f"{display.CALL_PARK_AT} {parked.number}")

    def forward_changed(self, line: Line, kind: Forward) -> None:
        """Tell every phone of the line."""
        for appearance in line.appearances:
            session = self.sessions.get(appearance.device)
            if session is not None:
                session.update(self._as_device(self._devices[session.name]))
                self._show_forwards(session, appearance.index, line)

    def message_waiting_changed(self, line: Line) -> None:
        """Switch the lamp of every phone of the line."""
        for appearance in line.appearances:
            session = self.sessions.get(appearance.device)
            if session is not None:
                session.send(_message_lamp(appearance.index, line.message_waiting))

    def do_not_disturb_changed(self, device: str) -> None:
        """Tell the phone."""
        session = self.sessions.get(device)
        if session is not None:
            self._show_do_not_disturb(session)

    def _show_features(self, session: StationSession) -> None:
        """What a phone that has just registered has to know: lamps and forwards that are on."""
        for index, _ in enumerate(session.device.lines, 1):
            appearance = self._calls.appearance(session.name, index)
            if appearance is None:
                continue
            session.send(_message_lamp(index, appearance.line.message_waiting))
            if Forward.ALL in appearance.line.forwards:
                self._show_forwards(session, index, appearance.line)
        if self._calls.do_not_disturb(session.name) is not DoNotDisturb.OFF:
            self._show_do_not_disturb(session)

    def _show_forwards(self, session: StationSession, index: int, line: Line) -> None:
        to = line.forwards.get(Forward.ALL, "")
        text = f"{display.FORWARDED_TO} {to}" if to else display.YOUR_CURRENT_OPTIONS
        session.send(
            forwards(session.device, index),
            messages.SetLamp(
                stimulus=DeviceStimulus.FORWARD_ALL,
                stimulus_instance=index,
                lamp_mode=LampMode.ON if to else LampMode.OFF,
            ),
            prompt(text, session.version),
        )

    def _show_do_not_disturb(self, session: StationSession) -> None:
        on = self._calls.do_not_disturb(session.name) is not DoNotDisturb.OFF
        session.send(
            messages.SetLamp(
                stimulus=DeviceStimulus.DO_NOT_DISTURB,
                stimulus_instance=1,
                lamp_mode=LampMode.ON if on else LampMode.OFF,
            ),
            prompt(
                display.DO_NOT_DISTURB_IS_ACTIVE if on else display.YOUR_CURRENT_OPTIONS,
                session.version,
            ),
        )

    def _say(self, session: StationSession, text: str) -> None:
        session.send(notify(text, session.version))

    def _as_device(self, config: DeviceConfig) -> Device:
        lines: list[LineAppearance] = []
        for index, line in enumerate(config.lines, 1):
            appearance = self._calls.appearance(config.name, index)
            now = appearance.line.forwards if appearance is not None else {}
            lines.append(
                LineAppearance(
                    number=line.number,
                    display_name=line.name,
                    forward_all=now.get(Forward.ALL, ""),
                    forward_busy=now.get(Forward.BUSY, ""),
                    forward_no_answer=now.get(Forward.NO_ANSWER, ""),
                )
            )
        return Device(
            name=config.name,
            lines=tuple(lines),
            speed_dials=tuple((each.number, each.name) for each in config.speed_dials),
            description=config.description,
        )


_ON_HOOK_KEYS: Mapping[
    SoftKeyEvent, Callable[[LineSide, StationSession, Leg | None, int], object]
] = {
    SoftKeyEvent.NEW_CALL: LineSide.new_call,
    SoftKeyEvent.REDIAL: LineSide.redial,
    SoftKeyEvent.CFWD_ALL: LineSide.forward_all,
    SoftKeyEvent.PICK_UP: LineSide.pick_up,
    # The number of the group is dialled after it.
    SoftKeyEvent.GRP_PICKUP: LineSide.new_call,
    SoftKeyEvent.DND: LineSide.do_not_disturb,
}
"""Keys that need no call."""

_CALL_KEYS: Mapping[SoftKeyEvent, Callable[[Calls, Leg], object]] = {
    SoftKeyEvent.ANSWER: Calls.answer,
    SoftKeyEvent.END_CALL: Calls.release,
    SoftKeyEvent.HOLD: Calls.hold,
    SoftKeyEvent.RESUME: Calls.resume,
    SoftKeyEvent.TRANSFER: Calls.transfer_key,
    SoftKeyEvent.CONFRN: Calls.conference_key,
    SoftKeyEvent.PARK: Calls.park,
    SoftKeyEvent.RM_LST_C: Calls.drop,
    SoftKeyEvent.BACK_SPACE: Calls.erase,
}
"""Keys that do one thing to the call they are pressed for."""

_SUBJECT = {SoftKeyEvent.ANSWER: LegState.OFFERED, SoftKeyEvent.RESUME: LegState.HELD}
"""Which leg a key means when it does not say."""

_BUTTONS = {
    DeviceStimulus.LAST_NUMBER_REDIAL: SoftKeyEvent.REDIAL,
    DeviceStimulus.HOLD: SoftKeyEvent.HOLD,
    DeviceStimulus.TRANSFER: SoftKeyEvent.TRANSFER,
    DeviceStimulus.FORWARD_ALL: SoftKeyEvent.CFWD_ALL,
    DeviceStimulus.CONFERENCE: SoftKeyEvent.CONFRN,
    DeviceStimulus.CALL_PARK: SoftKeyEvent.PARK,
    DeviceStimulus.CALL_PICK_UP: SoftKeyEvent.PICK_UP,
    DeviceStimulus.GROUP_CALL_PICK_UP: SoftKeyEvent.GRP_PICKUP,
    DeviceStimulus.DO_NOT_DISTURB: SoftKeyEvent.DND,
    DeviceStimulus.REMOVE_LAST_PARTICIPANT: SoftKeyEvent.RM_LST_C,
    DeviceStimulus.NEW_CALL: SoftKeyEvent.NEW_CALL,
    DeviceStimulus.END_CALL: SoftKeyEvent.END_CALL,
}
"""The buttons of a phone without soft keys, and what they are on one with them."""


def _is_ipv4(address: str) -> bool:
    """The only family that every session version can carry, so the only one that is offered."""
    try:
        ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return True


def _message_lamp(line: int, on: bool) -> SccpMessage:
    return messages.SetLamp(
        stimulus=DeviceStimulus.VOICE_MAIL,
        stimulus_instance=line,
        lamp_mode=LampMode.ON if on else LampMode.OFF,
    )

"""The SCCP side of the call manager: the stations, what each is shown, and its media.

What is shown is written in :mod:`~pa_telephony.callmanager.phones.display`, what keys do in
:mod:`~pa_telephony.callmanager.phones.keys`.
"""

from __future__ import annotations

import datetime
import functools
import logging
from collections.abc import Callable

from pa_telephony.callmanager.calls.model import REMOTE
from pa_telephony.callmanager.calls.verbs import (
    Appearance,
    Calls,
    Capabilities,
    DoNotDisturb,
    Forward,
    Leg,
    LegState,
    Line,
    MediaAddress,
    Parked,
    Stream,
    StreamUse,
    Watcher,
)
from pa_telephony.callmanager.config import CallManagerConfig, DeviceConfig, DeviceKind
from pa_telephony.callmanager.phones import display, orders
from pa_telephony.callmanager.phones.display import Screen
from pa_telephony.callmanager.phones.keys import Keys
from pa_telephony.callmanager.phones.lamps import BusyLamps
from pa_telephony.faults import Seldom
from pa_telephony.printable import printable
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import (
    DeviceStimulus,
    LampMode,
    MediaStatus,
    SoftKeyEvent,
)
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server.device import (
    CALL_MANAGERS_OWN,
    BusyLamp,
    Device,
    LineAppearance,
    feature,
    forwards,
    notify,
    prompt,
    question_of_abilities,
)
from pa_telephony.sccp.server.session import StationSession
from pa_telephony.sccp.tones import TONES

__all__ = ["LineSide"]

_log = logging.getLogger("pa_telephony.callmanager")

_RFC2833 = 257
_TELEPHONE_EVENT = 101


class LineSide(Watcher):
    """All stations of a call manager: a Directory to the server, a Side to the calls.

    ``clock`` gives the local time that displays show.
    """

    def __init__(
        self, config: CallManagerConfig, calls: Calls, clock: Callable[[], datetime.datetime]
    ) -> None:
        self.sessions: dict[str, StationSession] = {}
        self.data_received: Callable[[str, bytes], None] | None = None
        """A function that is given the data that phones send to applications."""
        self._calls = calls
        self._clock = clock
        self._devices: dict[str, DeviceConfig] = {}
        self._lamps = BusyLamps(calls)
        for device in config.devices:
            self.add_device(device)
        self._streams: dict[int, Stream] = {}
        self._seen: dict[int, LegState] = {}
        """The state in which each leg was shown last, by its id."""
        self._behind_channel: dict[str, list[SccpMessage]] = {}
        """What a phone is told of a connected call when its channel has been ordered."""
        self._closing: dict[str, list[SccpMessage]] = {}
        """The end of the channels of a phone that has hung up, until its display is cleared."""
        self._keys = Keys(calls, self._devices)
        self._hidden = frozenset(() if config.park_numbers else {SoftKeyEvent.PARK})
        self._strict_media = config.media_at_signalling_host
        self._behind_nat = config.media_behind_nat
        self._told_elsewhere, self._told_nat = Seldom(), Seldom()
        calls.watchers.append(self)

    def add_device(self, device: DeviceConfig) -> None:
        """Let a phone or media port register; other kinds are not reached over SCCP."""
        if device.kind in (DeviceKind.PHONE, DeviceKind.MEDIA_PORT):
            self._devices[device.name] = device
            self._lamps.add_device(device)

    def remove_device(self, name: str) -> None:
        """Close a device's connection; it can register no more."""
        device = self._devices.pop(name, None)
        if device is not None:
            self._lamps.remove_device(device)
        self._keys.forget(name)
        session = self.sessions.get(name)
        if session is not None:
            session.close("removed")

    # Directory: the questions of the server.

    def find_device(self, name: str) -> Device | None:
        """The device of this name as it is now, None if there is none."""
        device = self._devices.get(name)
        return None if device is None else self._as_device(device)

    def registered(self, session: StationSession) -> None:
        """Let a station that has registered be called from now on."""
        if self._calls.legs_of(session.name):
            # A new connection has no calls: these are left from one whose end went wrong.
            self._calls.unregister(session.name)
        self.sessions[session.name] = session
        self._calls.register(session.name, self)

    def unregistered(self, session: StationSession, reason: str) -> None:
        """End the calls of a station that is gone."""
        if self.sessions.get(session.name) is session:
            del self.sessions[session.name]
            self._calls.unregister(session.name)

    def may_unregister(self, session: StationSession) -> bool:
        """Whether no call is up, those of a shared line's other devices aside."""
        return all(leg.state in REMOTE for leg in self._calls.legs_of(session.name))

    def address_for(self, leg: Leg) -> str:
        """Our address on the connection of a leg's station; 127.0.0.1 without one."""
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
        """Take a message from a station: data, an opened channel, or a key."""
        match message:
            case (
                messages.DeviceToUserDataResponse() | messages.DeviceToUserDataResponseVersion1()
            ) if message.application_id == CALL_MANAGERS_OWN:
                # The answer to getDeviceCaps, which is in the trace; nothing here depends on it.
                pass
            case (
                messages.DeviceToUserData()
                | messages.DeviceToUserDataResponse()
                | messages.DeviceToUserDataVersion1()
                | messages.DeviceToUserDataResponseVersion1()
            ):
                if self.data_received is not None:
                    self.data_received(session.name, message.xmldata)
            case messages.OpenReceiveChannelAck():
                self._channel_opened(session, message)
            case messages.MiscellaneousCommand():
                self._relay(session, message)
            case messages.CapabilitiesRes():
                session.send(*question_of_abilities(session.device_type, session.version))
            case messages.RegisterAvailableLines():
                self._show_features(session)
            case _:
                self._keys.pressed(session, message)

    def _relay(self, session: StationSession, message: messages.MiscellaneousCommand) -> None:
        """Hand a command about sound or pictures to the phone at the other end of its call."""
        legs = self._calls.legs_of(session.name)
        leg = next((leg for leg in legs if leg.id == message.call_reference), None)
        if leg is None or leg.peer is None or leg.peer.device not in self.sessions:
            return
        other = leg.peer
        self.sessions[other.device].send(
            messages.MiscellaneousCommand(
                conference_id=other.id,
                passthru_party_id=other.stream.id if other.stream is not None else 0,
                call_reference=other.id,
                command=message.command,
                u=message.u,
            )
        )

    def _channel_opened(
        self, session: StationSession, message: messages.OpenReceiveChannelAck
    ) -> None:
        stream = self._streams.get(message.pass_through_party_id)
        if stream is None or stream.leg.device != session.name:
            # A station may only answer for channels of its own.
            return
        host = self._host_of(session, stream, message.ip_addr)
        usable = orders.is_ipv4(host) and 1 <= message.port_number <= 65535
        if self._strict_media and host != session.address[0]:
            usable = False
            if self._told_elsewhere.due(self._calls.now()):
                _log.warning(
                    "%s wants its sound at %s and signals from %s: refused%s "
                    "(media_at_signalling_host)",
                    *(session.name, printable(message.ip_addr), session.address[0]),
                    self._told_elsewhere.times(),
                )
        if message.media_reception_status == MediaStatus.OK and usable:
            self._calls.receiving(stream, (host, message.port_number))
        else:
            self._calls.receiving(stream, None)

    def _host_of(self, session: StationSession, stream: Stream, announced: str) -> str:
        """Where a station can be sent the sound of a stream: mostly where it says."""
        far = stream.far.leg if stream.far is not None else stream.leg
        other = None if far is stream.leg else self.sessions.get(far.device)
        seen_from = None if other is None else other.address[0]
        host = announced
        if self._behind_nat:
            host = orders.reachable(announced, session.address[0], seen_from)
        if host != announced and self._told_nat.due(self._calls.now()):
            _log.info(
                "%s announces %s for its sound and signals from %s: sent there%s "
                "(media_behind_nat)",
                *(session.name, announced, host, self._told_nat.times()),
            )
        return host

    # Side: changes of the calls.

    def show(self, leg: Leg) -> None:
        """Show the station its leg as it is now."""
        before = self._seen.get(leg.id, LegState.IDLE)
        self._seen[leg.id] = leg.state
        session = self.sessions.get(leg.device)
        if session is None:
            return
        if leg.state is LegState.PROCEEDING and leg.peer is None and leg.digits:
            self._keys.dialled(leg)
        self._show_rest(leg.device)
        shown = display.show(leg, self._screen(session, before))
        if leg.state is LegState.CONNECTED:
            at = display.channel_at(shown)
            self._behind_channel[leg.device] = shown[at:]
            shown = shown[:at]
        elif leg.state is LegState.IDLE:
            at = display.channel_at(shown)
            shown[at:at] = self._closing.pop(leg.device, ())
        session.send(*shown)

    def _show_rest(self, device: str) -> None:
        session, rest = self.sessions.get(device), self._behind_channel.pop(device, ())
        if session is not None:
            session.send(*rest)

    def _screen(self, session: StationSession, before: LegState = LegState.IDLE) -> Screen:
        return Screen(
            version=session.version,
            features=session.features,
            legs=self._calls.legs_of(session.name),
            clock=self._clock,
            before=before,
            silent=self._calls.do_not_disturb(session.name) is not DoNotDisturb.OFF,
            hidden=self._hidden,
        )

    def capabilities(self, leg: Leg) -> Capabilities:
        """The codecs that the station has announced; G.711 while it has announced none."""
        session = self.sessions.get(leg.device)
        if session is None or not session.capabilities:
            return Capabilities(telephone_event=0)
        said = {capability.payload_capability for capability in session.capabilities}
        codecs = tuple(codec for payload, codec in orders.CODECS.items() if payload in said)
        return Capabilities(codecs, _TELEPHONE_EVENT if _RFC2833 in said else 0)

    def rings_at_once(self, appearance: Appearance) -> bool:
        """Whether a call rings as soon as it is offered: at a station always."""
        return True

    def open_media(self, stream: Stream) -> None:
        """Ask the station for a receive channel."""
        session = self.sessions.get(stream.leg.device)
        if session is None:
            return
        self._streams[stream.id] = stream
        session.send(orders.open_channel(stream))
        self._show_rest(session.name)

    def send_media(self, stream: Stream, address: MediaAddress) -> None:
        """Tell the station where to send its audio."""
        session = self.sessions.get(stream.leg.device)
        if session is not None:
            session.send(orders.start_sending(stream, address))

    def close_media(self, stream: Stream) -> None:
        """Close the station's channel in both directions.

        Where its own user has hung up that waits for the display, which is shown next (captured).
        """
        self._streams.pop(stream.id, None)
        session = self.sessions.get(stream.leg.device)
        if session is None:
            return
        closing = orders.close_channel(stream)
        if stream.leg.state is LegState.IDLE:
            self._closing[session.name] = closing
        else:
            session.send(*closing)

    def digit(self, leg: Leg, digit: str) -> None:
        """Play a key of the other side as a tone, unless it comes in the audio as an event."""
        session = self.sessions.get(leg.device)
        events = leg.stream is not None and leg.stream.format.telephone_event
        if session is not None and digit in TONES and not events:
            session.send(
                messages.StartTone(
                    tone=TONES[digit], line_instance=leg.line_index, call_reference=leg.id
                )
            )

    # Watcher: the audio of legs, and changes that are not about one leg.

    def both_ways(self, stream: Stream) -> None:
        """Tell the phone once more who the parties are, now that they can talk (captured)."""
        session = self.sessions.get(stream.leg.device)
        if session is not None and stream.use is not StreamUse.HOLD_TONE:
            session.send(display.information(stream.leg, self._screen(session)))

    def settled(self) -> None:
        """Show connected calls whose channels were not ordered, as the other side is on hold."""
        for device in list(self._behind_channel):
            self._show_rest(device)
        while self._closing:
            # Its leg was not shown, because telling of its end went wrong before that.
            device, closing = self._closing.popitem()
            if device in self.sessions:
                self.sessions[device].send(*closing)

    def leg_changed(self, leg: Leg) -> None:
        """Tell the phones that show what a number does."""
        if leg.state is LegState.IDLE:
            # One that ends because its phone is gone is not shown any more.
            self._seen.pop(leg.id, None)
        self._show_lamps(leg.line)

    def device_changed(self, device: str) -> None:
        """Tell the phones that show what the numbers of a device do."""
        if device in self._devices:
            for index, _ in enumerate(self._devices[device].lines, 1):
                appearance = self._calls.appearance(device, index)
                if appearance is not None:
                    self._show_lamps(appearance.line)

    def _show_lamps(self, line: Line) -> None:
        for device, index in self._lamps.changed(line):
            session = self.sessions.get(device)
            if session is not None:
                session.update(self._as_device(self._devices[device]))
                shown = session.device.spelt(session.features, session.version)
                session.send(feature(shown, index, session.version))

    def call_parked(self, parked: Parked) -> None:
        """Show the phone that parked a call the number where it waits."""
        session = self.sessions.get(parked.by.device)
        if session is not None:
            self._say(session, f"{display.CALL_PARK_AT} {parked.number}")

    def forward_changed(self, line: Line, kind: Forward) -> None:
        """Tell every phone of the line of a changed forward."""
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
                session.send(_message_lamp(appearance.index, on=line.message_waiting))

    def do_not_disturb_changed(self, device: str) -> None:
        """Show the phone the new mode; calls that ring there ring as they should now."""
        self.device_changed(device)
        session = self.sessions.get(device)
        if session is not None:
            self._show_do_not_disturb(session)
            for leg in self._calls.legs_of(device):
                if leg.state is LegState.OFFERED:
                    self.show(leg)

    def _show_features(self, session: StationSession) -> None:
        """Tell a phone that has just registered of the lamps and forwards that are on."""
        for index, _ in enumerate(session.device.lines, 1):
            appearance = self._calls.appearance(session.name, index)
            if appearance is None:
                continue
            if appearance.line.message_waiting:
                session.send(_message_lamp(index, on=True))
            if Forward.ALL in appearance.line.forwards:
                self._show_forwards(session, index, appearance.line)
        if self._calls.do_not_disturb(session.name) is not DoNotDisturb.OFF:
            self._show_do_not_disturb(session)

    def _show_forwards(self, session: StationSession, index: int, line: Line) -> None:
        session.send(
            forwards(session.device, index),
            messages.SetLamp(
                stimulus=DeviceStimulus.FORWARD_ALL,
                stimulus_instance=index,
                lamp_mode=LampMode.ON if Forward.ALL in line.forwards else LampMode.OFF,
            ),
        )
        self._show_options(session)

    def _show_do_not_disturb(self, session: StationSession) -> None:
        on = self._calls.do_not_disturb(session.name) is not DoNotDisturb.OFF
        session.send(
            messages.SetLamp(
                stimulus=DeviceStimulus.DO_NOT_DISTURB,
                stimulus_instance=1,
                lamp_mode=LampMode.ON if on else LampMode.OFF,
            )
        )
        self._show_options(session)

    def _show_options(self, session: StationSession) -> None:
        """Set the prompt of the idle phone, which has room for one text: the most important one."""
        text = display.YOUR_CURRENT_OPTIONS
        if self._calls.do_not_disturb(session.name) is not DoNotDisturb.OFF:
            text = display.DO_NOT_DISTURB_IS_ACTIVE
        for line in session.device.lines:
            if line.forward_all:
                text = f"{display.FORWARDED_TO} {line.forward_all}"
                break
        session.send(prompt(text, session.version))

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
            busy_lamps=self._lamps.of_device(config),
            description=config.description,
            keep_alive_interval=config.keep_alive or None,
            state_of=functools.partial(self._state_of, config.name),
        )

    def _state_of(self, device: str, number: str) -> BusyLamp | None:
        """What a number does, for a phone's lists of calls; None unless it may call that number."""
        own = self._calls.appearance(device, 1)
        line = None if own is None else self._calls.line_seen_from(own, number)
        return None if line is None else self._lamps.state_of(line)


def _message_lamp(line: int, *, on: bool) -> SccpMessage:
    return messages.SetLamp(
        stimulus=DeviceStimulus.VOICE_MAIL,
        stimulus_instance=line,
        lamp_mode=LampMode.ON if on else LampMode.OFF,
    )

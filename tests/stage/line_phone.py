"""A phone at the line side without sockets: its session, and what a user sees, hears and presses.

Screen and calls are those of our own station, which messages alone change. Tones and notifications
are kept here. Whatever no real phone would understand (a message about a call that is not shown, a
channel that is not open) is noted in ``faults``.
"""

from __future__ import annotations

from typing import cast

from bare_house import House
from company import PHONES

from pa_telephony.callmanager.config import CallManagerConfig
from pa_telephony.callmanager.phones.phones import LineSide
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import (
    DCallState,
    DeviceTone,
    DeviceType,
    MediaPayloadType,
    MediaStatus,
    PhoneFeatures,
    SoftKeyEvent,
    SoftKeySet,
)
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.server.device import Device
from pa_telephony.sccp.server.server import local_time
from pa_telephony.sccp.server.session import StationSession
from pa_telephony.sccp.server.soft_keys import select_soft_keys, soft_key_sets, soft_key_template
from pa_telephony.sccp.station.call_view import CallView, CallViews
from pa_telephony.sccp.station.screen import Screen

__all__ = ["BOTH_LAWS", "LineHouse", "Phone"]

BOTH_LAWS = (MediaPayloadType.G711_ULAW64K, MediaPayloadType.G711_ALAW64K)
PASSING = (DeviceTone.CALL_WAITING_TONE, *(DeviceTone(n) for n in range(1, 20)))
"""Tones that end by themselves."""


class LineHouse(House):
    """The calls of :mod:`bare_house` with their line side, where phones are yet to register."""

    def __init__(self, config: CallManagerConfig | None = None) -> None:
        super().__init__(config)
        for name in PHONES:
            self.leave(name)
        self.side = LineSide(self.config, self.calls, local_time)


class Phone:
    """One phone. ``opens`` says how it answers for a channel: "at once", "late", "badly"."""

    local_address = ("127.0.0.1", 2000)
    address = ("127.0.0.1", 50000)
    features = PhoneFeatures.UTF8
    device_type = DeviceType.CISCO_7970

    def __init__(self, side: LineSide, name: str, version: int = 20) -> None:
        self.side = side
        self.name = name
        self.version = version
        self.capabilities: tuple[messages.Capability, ...] = ()
        self.can(*BOTH_LAWS)
        found = side.find_device(name)
        assert found is not None
        self.device: Device = found
        self.screen = Screen()
        self.views = CallViews(100)
        self.sent: list[SccpMessage] = []
        """All it was sent."""
        self.tone = DeviceTone.SILENCE
        self.tone_of = 0
        self.call_waiting = 0
        """How often it beeped behind a conversation."""
        self.notification = ""
        self.prompts: dict[int, str] = {}
        self.receiving: dict[int, messages.OpenReceiveChannel] = {}
        self.sending: dict[int, messages.StartMediaTransmission] = {}
        self.unanswered: list[messages.OpenReceiveChannel] = []
        self.opens = "at once"
        self.faults: list[str] = []
        for message in (soft_key_template(), soft_key_sets(), select_soft_keys(SoftKeySet.ON_HOOK)):
            self.screen.handle_message(message)
        side.registered(self.session)
        self.press_message(messages.RegisterAvailableLines(max_num_of_avail_lines=2))

    @property
    def session(self) -> StationSession:
        return cast("StationSession", self)

    def can(self, *payloads: MediaPayloadType) -> None:
        self.capabilities = tuple(
            messages.Capability(payload_capability=each, max_frames_per_packet=20)
            for each in payloads
        )

    # As the line side sees its session.

    def send(self, *what: SccpMessage) -> None:
        for message in what:
            messages.encode(message, self.version)
            self._take(message)

    def update(self, device: Device) -> None:
        self.device = device

    def close(self, reason: str) -> None:
        self.side.unregistered(self.session, reason)

    # What it shows and plays.

    @property
    def calls(self) -> dict[int, CallView]:
        return self.views.calls

    def _take(self, message: SccpMessage) -> None:
        self.sent.append(message)
        reference: int = getattr(message, "call_reference", 0)
        known = reference in (0, *self.calls)
        self.views.handle_message(message)
        self.screen.handle_message(message)
        match message:
            case messages.CallState():
                if reference not in self.calls:
                    self.screen.forget_call(reference)
                    self.prompts.pop(reference, None)
                    if self.tone_of == reference:
                        self.tone = DeviceTone.SILENCE
                elif message.call_state is DCallState.OFF_HOOK:
                    # What announced an answered call is not taken away (captured): it has its time.
                    self.notification = ""
                return
            case messages.StartTone(tone=tone) if tone in PASSING:
                self.call_waiting += tone == DeviceTone.CALL_WAITING_TONE
            case messages.StartTone(tone=tone):
                self.tone, self.tone_of = DeviceTone(tone), reference
            case messages.StopTone():
                if reference in (0, self.tone_of):
                    self.tone = DeviceTone.SILENCE
                return
            case messages.DisplayPriNotify() | messages.DisplayPriNotifyV2():
                self.notification = message.notify
            case messages.ClearPriNotify():
                self.notification = ""
            case messages.DisplayPromptStatus() | messages.DisplayPromptStatusV2():
                self.prompts[reference] = message.prompt_status
            case messages.ClearPromptStatus():
                self.prompts.pop(reference, None)
                return
            case messages.OpenReceiveChannel():
                self._open(message)
            case messages.StartMediaTransmission():
                self.sending[message.pass_through_party_id] = message
            case messages.CloseReceiveChannel() | messages.StopMediaTransmission():
                channels = (
                    self.receiving
                    if isinstance(message, messages.CloseReceiveChannel)
                    else self.sending
                )
                channels.pop(message.pass_through_party_id, None)
                return
            case _:
                pass
        if not known:
            self.faults.append(f"{type(message).__name__} about no call")

    def _open(self, order: messages.OpenReceiveChannel) -> None:
        if order.pass_through_party_id in self.receiving:
            self.faults.append("a channel opened twice")
        self.receiving[order.pass_through_party_id] = order
        self.unanswered.append(order)

    def acknowledge(self, *, late: bool = False) -> bool:
        """Answer for channels as ``opens`` says; whether there was one to answer for."""
        if self.opens == "late" and not late:
            return False
        waiting, self.unanswered = self.unanswered, []
        for order in waiting:
            self.say_opened(order.pass_through_party_id, works=self.opens != "badly")
        return bool(waiting)

    def say_opened(self, party: int, *, works: bool = True) -> None:
        self.press_message(
            messages.OpenReceiveChannelAck(
                media_reception_status=MediaStatus.OK if works else MediaStatus.NOT_ENOUGH_CHANNELS,
                ip_addr="10.0.0.1" if works else "0.0.0.0",
                port_number=20000 + party % 10000 if works else 0,
                pass_through_party_id=party,
            )
        )

    # What its user does.

    def press_message(self, message: SccpMessage) -> None:
        self.side.received(self.session, message)

    def press(self, key: SoftKeyEvent, reference: int = 0, line: int = 0) -> None:
        call = self.calls.get(reference)
        self.press_message(
            messages.SoftKeyEvent(
                soft_key_event=key,
                line_instance=call.line if call is not None else line,
                call_reference=reference,
            )
        )

    def dial(self, number: str, reference: int = 0) -> None:
        for digit in number:
            self.press_message(
                messages.KeypadButton(kp_button=int(digit), call_reference=reference)
            )

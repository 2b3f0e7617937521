"""A station of any style without I/O: its registration is a table, its calls are views.

Everything is stimulus and response: the station reports keys, and every visible change comes
from the call manager (docs/protocol/sccp.md §6). So a :class:`CallView` is only ever changed by a
message, and the machine (:mod:`~pa_telephony.sccp.station.registration`) is about the registration
alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from pa_telephony.errors import RemoteProtocolError
from pa_telephony.printable import printable
from pa_telephony.sccp import messages
from pa_telephony.sccp.connection import Connection, ConnectionClosed, Role
from pa_telephony.sccp.enums import (
    ButtonType,
    DeviceResetType,
    DeviceUnregisterStatus,
    KeyPadButton,
    MediaPathEvent,
    MediaPathID,
    SpeakerMode,
)
from pa_telephony.sccp.messages import SccpMessage, UnknownMessage
from pa_telephony.sccp.station.call_view import CallView, CallViews, no_channel, port_answer
from pa_telephony.sccp.station.registration import TABLE, Effect, Input, State
from pa_telephony.sccp.station.screen import Screen
from pa_telephony.sccp.station.style import (
    HABITS,
    PATHS_SINCE,
    StationConfig,
    abilities,
    alarm,
    capabilities,
    length_of_capabilities,
    length_of_request,
    most_calls,
    paths,
    register_request,
)

__all__ = [
    "CallChanged",
    "MayReturn",
    "MustWait",
    "Registered",
    "Rejected",
    "ScreenChanged",
    "SessionLost",
    "StationCore",
    "StationEvent",
    "StatisticsAsked",
    "UnregisterRefused",
    "Unregistered",
    "key_of",
]


_USUAL_INTERVAL = 30.0
"""Seconds between keepalives (captured from CUCM, its documented default)."""
_LONGEST_INTERVAL = 3600.0
"""Seconds between keepalives, whatever the call manager announces, so that a dead link is found
some day (guessed; 30 is captured)."""
_MAX_LINES = 42
_MAX_BUTTONS = 256
_ANSWERS = (
    messages.ButtonTemplateRes,
    messages.ConfigStatRes,
    messages.ConfigStatV2Res,
    messages.ForwardStatRes,
    messages.LineStatRes,
    messages.LineStatV2Res,
    messages.SoftKeySetRes,
    messages.SoftKeyTemplateRes,
    messages.SpeedDialStatRes,
    messages.SpeedDialStatV2Res,
    messages.VersionRes,
)
"""Answers while configuring; with each of them the time to wait for the next one starts anew."""
_DIALS = (ButtonType.SPEED_DIAL, ButtonType.BUSY_LAMP_FIELD_SPEEDDIAL)
"""Buttons that call a number; they are counted together, those with a lamp and those without."""
_CONFIGURES = (State.CONFIGURING, State.FINISHING)


@dataclass(frozen=True, slots=True)
class Registered:
    """The call manager has registered us, and calls can come."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The call manager refused to register us; the connection is to be closed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unregistered:
    """We have left; the connection is to be closed.

    ``reset``: what the call manager wants next. RESTART is the same again; RESET is to start from
    nothing, the list of call managers included. None: nothing, we wanted to leave. ``confirmed``:
    the call manager has said so; otherwise the link broke, or it did not answer.
    """

    reset: DeviceResetType | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class UnregisterRefused:
    """The call manager said NAK: a call is up, and we stay registered."""


@dataclass(frozen=True, slots=True)
class SessionLost:
    """The link is broken or silent; the connection is to be closed."""

    reason: str


@dataclass(frozen=True, slots=True)
class CallChanged:
    """A call began, changed, or ended; ``message`` did it."""

    call: CallView
    message: SccpMessage


@dataclass(frozen=True, slots=True)
class MayReturn:
    """A call manager that we stand by at would register us: it gave a token, or knows none."""


@dataclass(frozen=True, slots=True)
class MustWait:
    """A call manager would not register us now; ``seconds`` is when to ask again."""

    seconds: int


@dataclass(frozen=True, slots=True)
class ScreenChanged:
    """A lamp, a prompt, the soft keys, a line's number … changed; ``message`` did it."""

    message: SccpMessage


@dataclass(frozen=True, slots=True)
class StatisticsAsked:
    """The call manager wants to know how a call sounded; it waits for an answer."""

    request: messages.ConnectionStatisticsReq


StationEvent: TypeAlias = (
    Registered
    | Rejected
    | Unregistered
    | UnregisterRefused
    | SessionLost
    | CallChanged
    | StatisticsAsked
    | ScreenChanged
    | MayReturn
    | MustWait
)

_DigitsAnswer: TypeAlias = (
    messages.SubscribeDtmfPayloadRes
    | messages.SubscribeDtmfPayloadErr
    | messages.UnSubscribeDtmfPayloadRes
)
_DIGITS = {
    **{str(digit): KeyPadButton(digit) for digit in range(10)},
    **dict(zip("ABCD*#+", (KeyPadButton(n) for n in range(10, 17)), strict=True)),
}


def key_of(digit: str) -> KeyPadButton:
    """The keypad button of one of ``0`` to ``9``, ``A`` to ``D``, ``* # +``.

    Raises :class:`ValueError` for anything else.
    """
    try:
        return _DIGITS[digit.upper()]
    except KeyError:
        raise ValueError(f"no key {digit!r} on a telephone") from None


class StationCore:
    """One station's session with one call manager; made anew for every connection.

    After a :class:`RemoteProtocolError` it is offline: what it is asked to send raises that again.
    """

    def __init__(self, name: str, config: StationConfig, local_ip: str = "0.0.0.0") -> None:
        self.name = name
        self.config = config
        self._habits = HABITS[config.style]
        self.state = State.OFFLINE
        self._views = CallViews(most_calls(config))
        self.calls = self._views.calls
        self.lines: dict[int, str] = {}
        self.screen = Screen()
        self.last_end = ""
        """Why the session before this one ended, for the alarm of a phone; "" for none."""
        self.unknown_messages = 0
        """How many messages were undeclared, or for the other side to receive."""
        self._local_ip = local_ip
        self._connection = Connection(Role.STATION, config.limits)
        self._events: deque[StationEvent] = deque()
        self._deadline: float | None = None
        self._keep_alive_at: float | None = None
        self._interval = _USUAL_INTERVAL
        self.standby_interval = 60.0
        """Seconds between the keepalives to another call manager, as this one wants it."""
        self._unanswered = 0
        self._reset_wanted: DeviceResetType | None = None
        self._reason = ""
        self._buttons: list[int] = []
        self._lines_wanted = 1
        self._dials_wanted = 0
        self._wait = 0
        self._now = 0.0

    @property
    def idle(self) -> bool:
        """Whether no call is up here; those of a shared line's other phones do not count."""
        return all(call.elsewhere for call in self.calls.values())

    @property
    def version(self) -> int:
        """The negotiated session version; 0 before."""
        return self._connection.version

    def watch_frames(
        self, received: Callable[[bytes], None], sent: Callable[[bytes], None] | None = None
    ) -> None:
        """Let ``received`` have every whole frame that comes in, ``sent`` those that go out.

        A frame that comes in is told of before it is decoded: this is for traces.
        """
        self._connection.on_frame, self._connection.on_sent = received, sent

    def connected(self, now: float) -> None:
        """Ask to be registered, now that the TCP connection is up."""
        self._now = now
        self._step(Input.CONNECTED)

    def stand_by(self, now: float, interval: float) -> None:
        """Stand by on a TCP connection that is up, with a keepalive every ``interval`` seconds."""
        self._now = now
        self._interval = interval
        self._step(Input.STAND_BY)

    def come_back(self, now: float) -> None:
        """Ask whether we may register here; :class:`MayReturn` or :class:`MustWait` follows."""
        self._now = now
        self._step(Input.COME_BACK)

    def leave(self, now: float) -> None:
        """Ask to unregister; :class:`Unregistered` or :class:`UnregisterRefused` follows."""
        self._now = now
        self._step(Input.LEAVE)

    def receive_data(self, data: bytes, now: float) -> None:
        """Take bytes from the call manager; raises :class:`RemoteProtocolError` for wrong ones."""
        self._now = now
        try:
            self._connection.receive_data(data)
        except RemoteProtocolError:
            self._broken()
            raise

    def receive_eof(self, now: float) -> None:
        """Note that the call manager closed its side."""
        self._now = now
        self._connection.receive_eof()

    def connection_lost(self, reason: str, now: float) -> None:
        """Note that the link broke; :class:`SessionLost` or :class:`Unregistered` follows."""
        self._now = now
        self._reason = reason
        self._step(Input.LOST)

    def next_event(self) -> StationEvent | None:
        """The next thing that happened; None when more bytes are needed.

        Raises :class:`RemoteProtocolError`.
        """
        while not self._events:
            try:
                message = self._connection.next_event()
            except RemoteProtocolError:
                self._broken()
                raise
            if message is None:
                return None
            if isinstance(message, ConnectionClosed):
                self.connection_lost("closed by the call manager", self._now)
                return self._events.popleft() if self._events else None
            if isinstance(message, UnknownMessage):
                self.unknown_messages += 1
                continue
            self._handle_message(message)
        return self._events.popleft()

    def send(self, message: SccpMessage) -> None:
        """Queue a message to the call manager."""
        self._connection.send(message)

    @property
    def unsent(self) -> int:
        """Bytes that wait for :meth:`data_to_send`."""
        return self._connection.unsent

    def data_to_send(self) -> bytes:
        """The bytes queued since the last call."""
        return self._connection.data_to_send()

    def next_deadline(self) -> float | None:
        """The time to call :meth:`handle_deadline`, None when there is none."""
        times = [at for at in (self._deadline, self._keep_alive_at) if at is not None]
        return min(times, default=None)

    def handle_deadline(self, now: float) -> None:
        """Send a keepalive that is due, or give up on a call manager that stays silent."""
        self._now = now
        if self._deadline is not None and now >= self._deadline:
            self._reason = f"no answer while {self.state.value}"
            self._step(Input.DEADLINE)
        if self._keep_alive_at is not None and now >= self._keep_alive_at:
            if self._unanswered >= self.config.missed_keep_alives:
                self._reason = f"{self._unanswered} keepalives unanswered"
                self._step(Input.LOST)
            else:
                self._unanswered += 1
                self._keep_alive_at = now + self._interval
                self.send(messages.KeepAliveReq())
                self._reset_when_idle()

    def _handle_message(self, message: SccpMessage) -> None:
        if self.state in _CONFIGURES and isinstance(message, _ANSWERS):
            self._deadline = self._now + self.config.register_within
        match message:
            case messages.RegisterAck():
                # 0 means that no interval is given (guessed): CUCM's usual one is taken.
                interval = float(message.keep_alive_interval) or _USUAL_INTERVAL
                self._interval = min(max(1.0, interval), _LONGEST_INTERVAL)
                standby = float(message.secondary_keep_alive_interval) or self.standby_interval
                self.standby_interval = min(max(1.0, standby), _LONGEST_INTERVAL)
                self._step(Input.ACK)
            case messages.RegisterTokenAck():
                self._step(Input.TOKEN)
            case messages.RegisterTokenReject():
                self._wait = message.wait_time_before_next_req
                self._step(Input.NO_TOKEN)
            case messages.RegisterReject():
                self._reason = message.text
                self._step(Input.REJECT)
            case messages.KeepAliveAck():
                self._unanswered = 0
            case messages.CapabilitiesReq():
                length = length_of_capabilities(self.config)
                self._connection.send(capabilities(self.config), length)
            case messages.ButtonTemplateRes():
                if self._learn_buttons(message):
                    self._forget_buttons()
                    self._step(Input.BUTTONS)
            case messages.LineStatRes() | messages.LineStatV2Res():
                if self._learn_line(message.line_number, printable(message.line_dir_number)):
                    self._events.append(ScreenChanged(message))
            case messages.TimeDateRes() | messages.VersionRes():
                # The time is pushed, too, whenever a call manager likes.
                if isinstance(message, self._habits.configured_by):
                    self._step(Input.CONFIGURED)
            case messages.UnregisterAck():
                refused = message.status == DeviceUnregisterStatus.NAK
                self._step(Input.REFUSED if refused else Input.LEFT)
            case messages.Reset():
                kind = message.reset_type
                if kind not in (DeviceResetType.RESTART, DeviceResetType.APPLY_CONFIG):
                    kind = DeviceResetType.RESET
                # The lower the number, the more is reset: a lower kind includes each higher one.
                self._reset_wanted = min(kind, self._reset_wanted or kind)
                self._reset_when_idle()
            case messages.ConnectionStatisticsReq():
                self._events.append(StatisticsAsked(message))
            case messages.UserToDeviceDataVersion1():
                if (answer := abilities(message, self.config)) is not None:
                    self.send(answer)
            case _:
                was_idle, speaker = self.idle, self.screen.speaker
                if self.screen.handle_message(message):
                    self._events.append(ScreenChanged(message))
                if self.screen.speaker is not speaker and self._tells_of_paths:
                    self._tell_speaker()
                calls = self._views.handle_message(message)
                self._answer(message, bool(calls))
                for call in calls:
                    self._events.append(CallChanged(call, message))
                    if call.ended and call.call_reference not in self.calls:
                        self.screen.forget_call(call.call_reference)
                if self.idle and not was_idle:
                    self._reset_when_idle()

    def _answer(self, message: SccpMessage, known: bool) -> None:
        """Answer messages that need no call: about digits, and about streams that do not exist."""
        match message:
            case messages.SubscribeDtmfPayloadReq() | messages.UnSubscribeDtmfPayloadReq():
                answer: type[_DigitsAnswer] = messages.SubscribeDtmfPayloadRes
                if isinstance(message, messages.UnSubscribeDtmfPayloadReq):
                    # This is the answer also when the subscription has ended with its stream.
                    answer = messages.UnSubscribeDtmfPayloadRes
                elif not known:
                    answer = messages.SubscribeDtmfPayloadErr
                self.send(
                    answer(
                        payload_dtmf=message.payload_dtmf,
                        conference_id=message.conference_id,
                        passthru_party_id=message.passthru_party_id,
                    )
                )
            case messages.OpenReceiveChannel() if not known:
                self.send(no_channel(message))
            case messages.PortReq() if not known:
                self.send(port_answer(message))
            case _:
                pass

    @property
    def _tells_of_paths(self) -> bool:
        return self._habits.is_phone and self.version >= PATHS_SINCE

    def _tell_speaker(self) -> None:
        on = self.screen.speaker is SpeakerMode.ON
        self.send(
            messages.MediaPathEvent(
                media_path_id=MediaPathID.SPEAKER,
                media_path_event=MediaPathEvent.ON if on else MediaPathEvent.OFF,
            )
        )

    def _learn_line(self, line: int, number: str) -> bool:
        known = self.lines.get(line, "")
        if number and (known or len(self.lines) < _MAX_LINES):
            self.lines[line] = number
        elif known:
            del self.lines[line]
        return known != self.lines.get(line, "")

    def _learn_buttons(self, message: messages.ButtonTemplateRes) -> bool:
        """Take a part of the button template; gives whether it was the last one."""
        del self._buttons[message.button_offset :]
        self._buttons += [int(button.button_definition) for button in message.definition]
        del self._buttons[_MAX_BUTTONS:]
        self._lines_wanted = min(max(1, self._buttons.count(ButtonType.LINE)), _MAX_LINES)
        self._dials_wanted = sum(button in _DIALS for button in self._buttons)
        return len(self._buttons) >= min(message.total_button_count, _MAX_BUTTONS)

    def _forget_buttons(self) -> None:
        for line in [line for line in self.lines if line > self._lines_wanted]:
            del self.lines[line]
        self.screen.forget_speed_dials(self._dials_wanted)

    def _reset_when_idle(self) -> None:
        # Real phones finish the call first (documented). What is refused, because the next call
        # has come meanwhile, is asked for again behind that, or with the next keepalive.
        wanted = self._reset_wanted
        if wanted is None or not self.idle:
            return
        if wanted is DeviceResetType.APPLY_CONFIG:
            self._step(Input.APPLY_CONFIG)
        else:
            self._step(Input.RESET)

    def _step(self, step: Input) -> None:
        before = self.state
        self.state, effect = TABLE[before, step]
        match effect:
            case Effect.STAND_BY:
                self._keep_alive_at = self._now + self._interval
                # At once, so that the call manager knows what the connection is for.
                self.send(messages.KeepAliveReq())
                self._unanswered += 1
            case Effect.ASK_TOKEN:
                self._deadline = self._now + self.config.token_within
                self.send(
                    messages.RegisterTokenReq(
                        device_name=self.name,
                        station_ip_addr=self._local_ip,
                        device_type=self.config.device_type,
                    )
                )
            case Effect.MAY_COME:
                self._deadline = None
                self._events.append(MayReturn())
            case Effect.MUST_WAIT:
                self._deadline = None
                self._events.append(MustWait(self._wait))
            case Effect.REGISTER:
                self._deadline = self._now + self.config.register_within
                # Some acknowledge no keepalives before RegisterReq (wazo,
                # docs/protocol/sccp.md §10).
                self._keep_alive_at = None
                self._reset_wanted = None
                if self._habits.is_phone:
                    self.send(alarm(self.name, self._local_ip, self.config, self.last_end))
                request = register_request(self.name, self._local_ip, self.config)
                self._connection.send(request, length_of_request(self.config))
            case Effect.ASK:
                self._deadline = self._now + self.config.register_within
                self._keep_alive_at = self._now + self._interval
                self._unanswered = 0
                self._ask()
                if not self._habits.line_questions:
                    self._step(Input.NO_MORE)
            case Effect.ASK_AGAIN:
                self._reset_wanted = None
                self._ask()
            case Effect.ASK_LINES:
                self._ask_lines()
            case Effect.READY:
                self._deadline = None
                if self._tells_of_paths:
                    for path in paths():
                        self.send(path)
                self._events.append(Registered())
                self._reset_when_idle()
            case Effect.GIVE_UP:
                self._close(Rejected(self._reason))
            case Effect.UNREGISTER | Effect.RESTART:
                self._deadline = self._now + self.config.unregister_within
                self.send(messages.UnregisterReq())
            case Effect.GONE:
                reset = self._reset_wanted if before is State.RESTARTING else None
                self._close(Unregistered(reset, confirmed=step is Input.LEFT))
            case Effect.STAY:
                self._deadline = None
                self._events.append(UnregisterRefused())
            case Effect.FAIL:
                self._close(SessionLost(self._reason))
            case Effect.NOTHING:
                pass

    def _close(self, event: StationEvent) -> None:
        self._deadline = self._keep_alive_at = None
        self._events.append(event)

    def _broken(self) -> None:
        # The error tells everything: no event follows.
        self.state = State.OFFLINE
        self._deadline = self._keep_alive_at = None

    def _ask(self) -> None:
        for question in self._habits.questions(self.config):
            self.send(question)

    def _ask_lines(self) -> None:
        for question in self._habits.ask_about(self._lines_wanted, self._dials_wanted):
            self.send(question)

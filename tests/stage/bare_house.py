"""A call manager's calls without sockets: devices that note what they are told, and a clock."""

from __future__ import annotations

from dataclasses import replace

from company import BOB, COMPANY, PHONES, changed, route_point

from pa_telephony.callmanager.calls.model import MOVES
from pa_telephony.callmanager.calls.verbs import (
    Appearance,
    Calls,
    Capabilities,
    Leg,
    LegState,
    MediaAddress,
    Stream,
    StreamUse,
    Watcher,
)
from pa_telephony.callmanager.config import CallManagerConfig, Timing
from pa_telephony.rtp.packet import Codec


class Clock:
    """Time as the test wants it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Device:
    """A device, or the media resource: opens every channel at once, or when told to."""

    def __init__(self, calls: Calls, name: str = "") -> None:
        self.calls = calls
        self.name = name
        self.can = Capabilities()
        self.prompt = True
        self.works = True
        self.rings = True
        self.room = 100
        self.streams: list[Stream] = []
        self.waiting: list[Stream] = []
        self.sends: dict[Stream, MediaAddress] = {}
        self.digits: list[str] = []
        self.shown: list[tuple[int, LegState]] = []

    def capabilities(self, leg: Leg) -> Capabilities:
        return self.can

    def has_room(self, streams: int) -> bool:
        return len(self.streams) + streams <= self.room

    def rings_at_once(self, appearance: Appearance) -> bool:
        return self.rings

    def show(self, leg: Leg) -> None:
        self.shown.append((leg.id, leg.state))

    def digit(self, leg: Leg, digit: str) -> None:
        self.digits.append(digit)

    def open_media(self, stream: Stream) -> None:
        self.streams.append(stream)
        if self.prompt:
            self.tell(stream)
        else:
            self.waiting.append(stream)

    def tell(self, stream: Stream) -> None:
        self.calls.receiving(stream, ("10.0.0.1", stream.id & 0xFFFF) if self.works else None)

    def send_media(self, stream: Stream, address: MediaAddress) -> None:
        assert stream in self.streams
        self.sends[stream] = address

    def close_media(self, stream: Stream) -> None:
        self.streams.remove(stream)
        self.sends.pop(stream, None)


class Log(Watcher):
    """A watcher that writes down every event as text, and knows which states follow which."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.states: dict[int, LegState] = {}

    def leg_changed(self, leg: Leg) -> None:
        # What comes first may have been lost: some tests let the telling of it fail.
        before = self.states.get(leg.id, leg.state)
        assert leg.state is before or leg.state in MOVES[before], (
            f"{before.name} to {leg.state.name}"
        )
        self.states[leg.id] = leg.state

    def calls_joined(self, reason: object, by: Leg, survivor: int, gone: object) -> None:
        self.events.append(f"{reason} joins")

    def call_parked(self, parked: object) -> None:
        self.events.append("parked")

    def call_unparked(self, parked: object, reason: object) -> None:
        self.events.append(f"unparked {reason}")

    def forward_changed(self, line: object, kind: object) -> None:
        self.events.append(f"{kind} changed")

    def message_waiting_changed(self, line: object) -> None:
        self.events.append("message waiting changed")


def a_config(**of_bob: object) -> CallManagerConfig:
    """The company with a pickup group, few places to park and confer, and three route points.

    ``of_bob`` are fields of Bob's own line. Whom 5600 does not serve goes in a circle of forwards.
    """
    config = changed(COMPANY, BOB, **of_bob)
    for name in PHONES:
        config = changed(config, name, pickup_group="8")
    circle = (("5600", "5700"), ("5700", "5800"), ("5800", "5600"))
    points = (
        route_point(f"RP{number}", number, forward_busy=busy, forward_failure=busy)
        for number, busy in circle
    )
    return replace(
        config,
        devices=(*(each for each in config.devices if each.name in PHONES), *points),
        timing=Timing(no_answer=10.0, between_digits=4.0, park_reversion=30.0),
        park_numbers=("70[01]",),
        max_conference=4,
        users=(),
    )


class House:
    """The calls of :func:`a_config`, all devices registered."""

    def __init__(self, config: CallManagerConfig | None = None) -> None:
        self.config = config or a_config()
        self.clock = Clock()
        self.calls = Calls(self.config, self.clock)
        self.log = Log()
        self.calls.watchers.append(self.log)
        self.resource = Device(self.calls)
        self.calls.use_media(self.resource)
        self.devices: dict[str, Device] = {}
        for device in self.config.devices:
            self.arrive(device.name)

    def arrive(self, name: str) -> None:
        self.devices[name] = Device(self.calls, name)
        self.calls.register(name, self.devices[name])

    def leave(self, name: str) -> None:
        self.calls.unregister(name)
        del self.devices[name]

    def leg(self, device: str, state: LegState | None = None) -> Leg:
        """The newest leg of a device (in a state)."""
        return [leg for leg in self.calls.legs_of(device) if state in (None, leg.state)][-1]

    def states(self, device: str) -> list[LegState]:
        return [leg.state for leg in self.calls.legs_of(device)]

    def call(self, device: str, number: str, line: int = 1) -> Leg:
        return self.calls.originate(device, line, number)

    def talk(self, device: str, number: str, other: str, line: int = 1) -> tuple[Leg, Leg]:
        """A connected call: the caller's leg and the other's."""
        caller = self.call(device, number, line)
        called = self.leg(other, LegState.OFFERED)
        self.calls.answer(called)
        return caller, called

    def wait(self, seconds: float) -> None:
        self.clock.now += seconds
        self.calls.handle_deadline(self.clock.now)

    def hears(self, leg: Leg) -> str:
        """What a leg is connected to: a device, "tone", "mix", or nothing."""
        stream = leg.stream
        if stream is None or stream.far is None:
            return ""
        if stream.use is StreamUse.TALK:
            return stream.far.leg.device
        return "mix" if stream.use is StreamUse.CONFERENCE else "tone"


ALAW_ONLY = Capabilities((Codec.PCMA,), 0)
ULAW_ONLY = Capabilities((Codec.PCMU,), 0)

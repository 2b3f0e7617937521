"""What a call consists of: lines and their appearances, legs, states, causes, and observers.

A :class:`Line` is a directory number. It appears on one device, or on several (a shared line).
A :class:`Leg` is one appearance's part in a call: two legs that are each other's ``peer`` make
an ordinary call, the members of a ``conference`` hear each other, and the ``appearances`` of a
leg are the same party on all devices of its line. Which protocol a device speaks is not known
here, so phones and CTI devices meet in one model.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from pa_telephony.callmanager.config import DeviceKind, LineConfig
from pa_telephony.printable import printable
from pa_telephony.q850 import Cause
from pa_telephony.rtp.packet import Codec

__all__ = [
    "ACTIONS",
    "ATTEMPTS",
    "COLLECTING",
    "MOVES",
    "OFF_HOOK",
    "REMOTE",
    "TRUE",
    "WAITING",
    "Action",
    "Appearance",
    "Capabilities",
    "DoNotDisturb",
    "Forward",
    "Leg",
    "LegState",
    "Line",
    "MediaAddress",
    "MediaEnd",
    "MediaFormat",
    "MediaResource",
    "Mix",
    "Parked",
    "Party",
    "Purpose",
    "Reason",
    "Shown",
    "Side",
    "Stream",
    "StreamUse",
    "Watcher",
]

MediaAddress: TypeAlias = tuple[str, int]


class Reason(enum.Enum):
    """What brought a leg into its call."""

    DIRECT = "direct"
    FORWARD_ALL = "forward all"
    FORWARD_BUSY = "forward busy"
    FORWARD_NO_ANSWER = "forward no answer"
    FORWARD_FAILURE = "forward failure"
    REDIRECT = "redirect"
    TRANSFER = "transfer"
    BLIND_TRANSFER = "blind transfer"
    """JTAPI's single-step transfer: a redirect that is told as a transfer."""
    CONFERENCE = "conference"
    PARK = "park"
    PARK_REVERSION = "park reversion"
    UNPARK = "unpark"
    PICKUP = "pickup"


class Forward(enum.Enum):
    """When a line sends its calls elsewhere; the values are fields of :class:`LineConfig`."""

    ALL = "forward_all"
    BUSY = "forward_busy"
    NO_ANSWER = "forward_no_answer"
    FAILURE = "forward_failure"


class DoNotDisturb(enum.Enum):
    """What a device does with calls that come: nothing special, ring silently, be busy."""

    OFF = "off"
    RINGER_OFF = "ringer off"
    REJECT = "reject"


class Purpose(enum.Enum):
    """What a consultation is for."""

    TRANSFER = "transfer"
    CONFERENCE = "conference"


class LegState(enum.Enum):
    """What one party of a call sees; remote states are for a shared line's other devices."""

    DIAL_TONE = "dial tone"
    DIALLING = "dialling"
    PROCEEDING = "proceeding"
    RINGING_OUT = "ringing out"
    OFFERED = "offered"
    CONNECTED = "connected"
    HELD = "held"
    REMOTE_IN_USE = "in use elsewhere"
    REMOTE_HELD = "held elsewhere"
    FAILED = "failed"
    IDLE = "idle"

    # A member is itself only, so this is as good as that of Enum, which is not written in C: each
    # phone of a shared line asks some hundred times for each call.
    __hash__ = object.__hash__


class Action(enum.Enum):
    """What a party can ask for."""

    DIAL = "dial"
    DIGIT = "digit"
    ERASE = "erase"
    ACCEPT = "accept"
    ANSWER = "answer"
    REFUSE = "refuse"
    HOLD = "hold"
    RESUME = "resume"
    CONSULT = "consult"
    TRANSFER = "transfer"
    CONFERENCE = "conference"
    DROP = "drop"
    PARK = "park"
    REDIRECT = "redirect"
    RELEASE = "release"


_S = LegState
REMOTE = frozenset({_S.REMOTE_IN_USE, _S.REMOTE_HELD})
"""The states of an appearance whose call is another device's."""
ATTEMPTS = frozenset(
    {_S.DIAL_TONE, _S.DIALLING, _S.PROCEEDING, _S.RINGING_OUT, _S.FAILED},
)
"""The states of a leg that is off hook and not yet connected, or no longer."""
WAITING = frozenset({_S.PROCEEDING, _S.RINGING_OUT})
"""The states of a leg whose other party has not answered: in silence, or hearing it ring."""
COLLECTING = frozenset({_S.DIAL_TONE, _S.DIALLING})
"""The states of a leg that takes a number, for a call or for whatever it collects."""
OFF_HOOK = ATTEMPTS | {_S.CONNECTED}
"""The states of the call that a device's user is in. A device has one such leg at most."""

ACTIONS: dict[Action, frozenset[LegState]] = {
    Action.DIAL: COLLECTING,
    Action.DIGIT: COLLECTING | {_S.CONNECTED},
    Action.ERASE: frozenset({_S.DIALLING}),
    Action.ACCEPT: frozenset({_S.OFFERED}),
    Action.ANSWER: frozenset({_S.OFFERED}),
    Action.REFUSE: frozenset({_S.OFFERED}),
    Action.HOLD: frozenset({_S.CONNECTED}),
    Action.RESUME: frozenset({_S.HELD, _S.REMOTE_HELD}),
    Action.CONSULT: frozenset({_S.CONNECTED}),
    Action.TRANSFER: frozenset({_S.CONNECTED, _S.RINGING_OUT, _S.HELD}),
    Action.CONFERENCE: frozenset({_S.CONNECTED, _S.HELD}),
    Action.DROP: frozenset({_S.CONNECTED, _S.HELD}),
    Action.PARK: frozenset({_S.CONNECTED}),
    Action.REDIRECT: frozenset({_S.OFFERED, _S.CONNECTED, _S.HELD}),
    Action.RELEASE: frozenset(_S) - REMOTE - {_S.IDLE},
}
"""In which states an action is allowed; elsewhere it is refused and changes nothing."""

MOVES: dict[LegState, frozenset[LegState]] = {
    _S.IDLE: frozenset({_S.DIAL_TONE, _S.OFFERED, *REMOTE}),
    # Connected at once by a pickup, and by a park number.
    _S.DIAL_TONE: frozenset({_S.DIALLING, _S.CONNECTED, _S.FAILED, _S.IDLE}),
    _S.DIALLING: frozenset({_S.PROCEEDING, _S.FAILED, _S.IDLE}),
    # A caller that waits may lie on hold, if the call was transferred to it.
    _S.PROCEEDING: frozenset({_S.RINGING_OUT, _S.CONNECTED, _S.HELD, _S.FAILED, _S.IDLE}),
    _S.RINGING_OUT: frozenset({_S.CONNECTED, _S.HELD, _S.FAILED, _S.IDLE}),
    _S.OFFERED: frozenset({_S.CONNECTED, _S.REMOTE_IN_USE, _S.IDLE}),
    # The other side of a transfer or a redirect waits for the next destination.
    _S.CONNECTED: frozenset({_S.HELD, *WAITING, _S.FAILED, _S.IDLE}),
    # Another device of a shared line resumes what this one holds.
    _S.HELD: frozenset({_S.CONNECTED, *WAITING, _S.REMOTE_IN_USE, _S.IDLE}),
    _S.REMOTE_IN_USE: frozenset({_S.REMOTE_HELD, _S.IDLE}),
    _S.REMOTE_HELD: frozenset({_S.CONNECTED, *WAITING, _S.REMOTE_IN_USE, _S.IDLE}),
    _S.FAILED: frozenset({_S.IDLE}),
}
"""The states that can follow each state of a leg, as its device and all watchers are told."""


@dataclass(frozen=True, slots=True)
class Party:
    """A number and the name that goes with it, as people are shown them.

    Characters that a terminal would act on are escaped: the texts come from phones and
    applications.
    """

    number: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        for name, text in (("number", self.number), ("name", self.name)):
            if not text.isprintable():
                object.__setattr__(self, name, printable(text, len(text)))


@dataclass(frozen=True, slots=True)
class Shown:
    """Numbers that an application wants shown in place of the true ones; "" for the true one."""

    calling: str = ""
    original_called: str = ""


TRUE = Shown()
"""Everybody is shown as who they are."""


@dataclass(eq=False, slots=True)
class Line:
    """A directory number (or a route point's pattern), with what can be changed while it runs."""

    number: str
    partition: str
    appearances: list[Appearance] = field(default_factory=list["Appearance"])
    forwards: dict[Forward, str] = field(default_factory=dict[Forward, str])
    """The number that calls are forwarded to, for each kind of forward that is set."""
    message_waiting: bool = False

    @property
    def config(self) -> LineConfig:
        """The configuration, the same for all appearances but for names and limits."""
        return self.appearances[0].config

    @property
    def forward_search_space(self) -> str:
        """The calling search space in which forwards are looked up."""
        return self.config.forward_search_space or self.config.search_space


@dataclass(frozen=True, eq=False, slots=True)
class Appearance:
    """A line on a device: its ``index``-th button, from 1."""

    device: str
    kind: DeviceKind
    index: int
    config: LineConfig
    line: Line

    @property
    def party(self) -> Party:
        """The number and the name that the others see."""
        return Party(self.line.number, self.config.name)


class Mix(Protocol):
    """Several legs whose parties all hear each other: a conference."""

    id: int
    """The call id that all members have."""
    members: list[Leg]
    """The legs in the conference, in the order of joining."""
    controller: Leg | None
    """The leg that made the conference; None once that one has left."""

    def leave(self, leg: Leg) -> None:
        """Remove a member; the others may be left with an ordinary call, or none."""
        ...

    def replace(self, old: Leg, new: Leg) -> None:
        """Put another device of the same shared line in a member's place."""
        ...


class Parked(Protocol):
    """A party that waits at a park number to be retrieved."""

    number: str
    leg: Leg
    by: Appearance
    """The line that parked the call, and gets it back when it has waited for too long."""

    def forget(self, reason: Reason = Reason.DIRECT) -> None:
        """Free the number: the party waits there no more."""
        ...

    def move_to(self, leg: Leg) -> None:
        """Let the party wait at another device of its shared line."""
        ...


@dataclass(eq=False, slots=True)
class Leg:
    """The part of one appearance in a call; only the call manager changes it."""

    id: int
    call_id: int
    appearance: Appearance
    incoming: bool
    state: LegState = LegState.IDLE
    cause: Cause = Cause.NORMAL
    reason: Reason = Reason.DIRECT
    digits: str = ""
    calling: Party = field(default_factory=Party)
    called: Party = field(default_factory=Party)
    original_called: Party = field(default_factory=Party)
    last_redirecting: Party = field(default_factory=Party)
    peer: Leg | None = None
    """The other side of an ordinary call; the caller, while the call is offered."""
    alerting: bool = False
    """Whether an offered call rings, so that the caller hears it; an application accepts first."""
    conference: Mix | None = None
    parking: Parked | None = None
    """The park number where the party waits to be retrieved."""
    appearances: list[Leg] = field(default_factory=list["Leg"])
    """This party's legs on all devices of a shared line, this one included."""
    consult_of: Leg | None = None
    """The held leg that this consultation belongs to."""
    purpose: Purpose = Purpose.TRANSFER
    collects: Forward | None = None
    """The forward whose target is dialled, for digits that make no call."""
    stream: Stream | None = None
    hops: int = 0
    passed: frozenset[Line] = frozenset()
    """The lines that have sent this caller on, one forward after the other."""
    deadline: float | None = None

    @property
    def device(self) -> str:
        """The name of the device that the leg is on."""
        return self.appearance.device

    @property
    def line_index(self) -> int:
        """Which line of the device the leg is on, from 1."""
        return self.appearance.index

    @property
    def line(self) -> Line:
        """The directory number that the leg is on."""
        return self.appearance.line

    @property
    def party(self) -> Party:
        """The number and the name that the others see."""
        return self.appearance.party

    @property
    def other(self) -> Party:
        """The party at the other end, as far as is known."""
        return self.calling if self.incoming else self.called


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The codecs a device has for a leg, and its RTP payload type for telephone events (0: none).

    An empty ``codecs`` is a device without media: nothing can be connected to it.
    """

    codecs: tuple[Codec, ...] = (Codec.PCMU, Codec.PCMA)
    telephone_event: int = 101


@dataclass(frozen=True, slots=True)
class MediaFormat:
    """The codec, packet length and telephone events that two ends of a stream have agreed on."""

    codec: Codec
    packet_ms: int = 20
    telephone_event: int = 0


class StreamUse(enum.Enum):
    """What a stream carries: speech, a tone, or the mix of a conference."""

    TALK = "talk"
    HOLD_TONE = "hold tone"
    CONFERENCE = "conference"


@dataclass(eq=False, slots=True)
class Stream:
    """The audio of one leg from one re-negotiation to the next; ``far`` is its other end.

    ``address`` is where this end receives, None while that is not known; at ``deadline`` that has
    taken too long.
    """

    id: int
    leg: Leg
    format: MediaFormat
    use: StreamUse
    end: MediaEnd
    far: Stream | None = None
    conference: Mix | None = None
    address: MediaAddress | None = None
    open: bool = True
    deadline: float | None = None


class MediaEnd(Protocol):
    """An end of streams, from which audio can be ordered.

    Its methods must not block.
    """

    def open_media(self, stream: Stream) -> None:
        """Open a receive channel, and tell :meth:`Calls.receiving` where (at once, or later)."""
        ...

    def send_media(self, stream: Stream, address: MediaAddress) -> None:
        """Send the stream to ``address`` from now on."""
        ...

    def close_media(self, stream: Stream) -> None:
        """Stop both directions of the stream."""
        ...


class MediaResource(MediaEnd, Protocol):
    """The call manager's own audio: a tone for callers on hold, a mix for each conference."""

    def has_room(self, streams: int) -> bool:
        """Whether so many more streams can be opened."""
        ...


class Side(MediaEnd, Protocol):
    """A registered device, told of changes of its legs; must not block, and not call back.

    The one thing a side may call at any time is :meth:`Calls.receiving`.
    """

    def capabilities(self, leg: Leg) -> Capabilities:
        """The codecs that the device has for the audio of a leg."""
        ...

    def rings_at_once(self, appearance: Appearance) -> bool:
        """Whether a call rings as soon as it is offered; otherwise :meth:`Calls.accept` lets it."""
        ...

    def show(self, leg: Leg) -> None:
        """Show the leg, whose state or parties have changed."""
        ...

    def digit(self, leg: Leg, digit: str) -> None:
        """Take a key that the other side of a leg pressed."""
        ...


class Watcher:
    """Is told of all changes at all devices; override the methods of interest.

    Must not block, and not call back.
    """

    def leg_changed(self, leg: Leg) -> None:
        """A leg is new, changed, or gone (IDLE)."""

    def device_changed(self, device: str) -> None:
        """A device can be called from now on, or no more."""

    def calls_joined(self, reason: Reason, by: Leg, survivor: int, gone: tuple[int, ...]) -> None:
        """All parties of the calls ``gone`` are in call ``survivor`` from now on.

        ``reason`` is TRANSFER or CONFERENCE. Told once for all calls, before the legs change;
        ``by`` is the leg whose device did it.
        """

    def calls_were_joined(self, reason: Reason, by: Leg) -> None:
        """The transfer or the conference that :meth:`calls_joined` announced is made."""

    def party_left(self, gone: Leg, members: tuple[Leg, ...], controller: Leg | None) -> None:
        """A leg has left a conference, which mostly ends when two ``members`` are left."""

    def receiving(self, stream: Stream) -> None:
        """A device receives a leg's audio at ``stream.address``."""

    def sending(self, stream: Stream, address: MediaAddress) -> None:
        """A device sends a leg's audio to ``address``."""

    def both_ways(self, stream: Stream) -> None:
        """Both ends of a leg's audio know where the other receives it."""

    def media_missing(self, stream: Stream) -> None:
        """A device has not said in time where it receives a leg's audio; told before it ends."""

    def media_closed(self, stream: Stream) -> None:
        """A device neither receives nor sends a leg's audio any more."""

    def settled(self) -> None:
        """What was asked for is done, and its audio ordered."""

    def call_parked(self, parked: Parked) -> None:
        """A call waits at a park number."""

    def call_unparked(self, parked: Parked, reason: Reason) -> None:
        """A call waits no more: UNPARK, PARK_REVERSION, or DIRECT when the caller hung up."""

    def forward_changed(self, line: Line, kind: Forward) -> None:
        """A forward of a line was set or cancelled."""

    def message_waiting_changed(self, line: Line) -> None:
        """The message waiting lamp of a line was switched."""

    def do_not_disturb_changed(self, device: str) -> None:
        """Do not disturb was switched on or off at a device."""

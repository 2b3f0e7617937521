"""What a CTI Manager asks of the call manager behind it; no wire messages here.

The call manager implements :class:`CallControl`; each session of an application is an
:class:`Observer` of its events. Requests that fail raise :class:`RequestFailed` with a
:class:`~pa_telephony.cti.enums.CTIFAILURE`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from pa_telephony.cti.enums import CALLORIGIN, CALLREASON, CALLSTATE, CTIFAILURE, MEDIAPAYLOAD

__all__ = [
    "CTI_PORT",
    "ROUTE_POINT",
    "CallControl",
    "ChannelWanted",
    "ConferenceChanged",
    "ConferenceEnded",
    "ConferenceStarted",
    "DataReceived",
    "DeviceAdded",
    "DeviceChanged",
    "DeviceInfo",
    "DeviceRemoved",
    "DigitHeard",
    "DoNotDisturbChanged",
    "Event",
    "ForwardChanged",
    "LegChanged",
    "LegInfo",
    "LineInfo",
    "MediaAddress",
    "MediaRegistration",
    "MediaStopped",
    "Observer",
    "Participant",
    "Party",
    "Purpose",
    "ReceptionStarted",
    "RedirectOptions",
    "Termination",
    "TransferEnded",
    "TransferStarted",
    "TransmissionStarted",
]

CTI_PORT = 72
ROUTE_POINT = 73
"""Device types that Cisco's client makes a media terminal and a route terminal of (observed)."""

MediaAddress: TypeAlias = tuple[str, int]
"""An IPv4 address and a UDP port."""


@dataclass(frozen=True, slots=True)
class Party:
    """A number, its name, and its device where that is known."""

    number: str = ""
    name: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class LineInfo:
    """One line of a device.

    ``number`` may be a pattern. ``line_id`` is the same for every line with the same number.
    """

    number: str
    name: str = ""
    partition: str = ""
    max_calls: int = 4
    line_id: int = 0


class Termination(enum.Enum):
    """Which side terminates the media of a CTI device (docs/protocol/ctiqbe.md §5.1)."""

    NONE = 0
    STATIC = 1
    DYNAMIC = 2


@dataclass(frozen=True, slots=True)
class MediaRegistration:
    """How a CTI device is registered: ``address`` receives every call of a static one."""

    termination: Termination = Termination.NONE
    address: MediaAddress | None = None
    codecs: tuple[MEDIAPAYLOAD, ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """One device an application may control."""

    name: str
    device_type: int
    lines: tuple[LineInfo, ...]
    registered: bool
    description: str = ""
    device_id: int = 0
    registration: MediaRegistration | None = None
    do_not_disturb: bool = False


@dataclass(frozen=True, slots=True)
class Participant:
    """One party of a conference."""

    leg_id: int
    party: Party


@dataclass(frozen=True, slots=True)
class LegInfo:
    """The part of one line in a call, as it is now; ``line`` counts from 1, ``cause`` is Q.850."""

    leg_id: int
    call_id: int
    device: str
    line: int
    state: CALLSTATE
    incoming: bool
    calling: Party
    called: Party
    original_called: Party
    last_redirecting: Party
    cause: int = 0
    reason: CALLREASON = CALLREASON.DIRECTCALL
    origin: CALLORIGIN = CALLORIGIN.INBOUNDINTERNAL
    remote_in_use: bool = False
    """Another device that shares the line has the call."""


class Purpose(enum.Enum):
    """What a consultation call is for."""

    TRANSFER = "transfer"
    CONFERENCE = "conference"


@dataclass(frozen=True, slots=True)
class RedirectOptions:
    """What may go with a redirect (docs/protocol/ctiqbe.md §6.2); "" keeps what is there."""

    original_called: str = ""
    calling: str = ""
    by_calling_search_space: bool = False
    """Whether to look the destination up as the calling party would."""
    transfer: bool = False
    """Whether this is JTAPI's single-step transfer: the reason is shown as blind transfer."""


# The events that an observer is told.


@dataclass(frozen=True, slots=True)
class LegChanged:
    """A leg is new, changed, or gone (state IDLE)."""

    leg: LegInfo
    made_of_it: dict[object, object] = field(
        default_factory=dict[object, object], compare=False, repr=False
    )
    """Encoded messages that observers have made of the event, for the next ones to use: there may
    be hundreds."""


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """A device was registered or unregistered, as ``device`` tells."""

    device: DeviceInfo


@dataclass(frozen=True, slots=True)
class DeviceAdded:
    """A device was added to those of one or more users."""

    device: DeviceInfo


@dataclass(frozen=True, slots=True)
class DeviceRemoved:
    """A device was removed from those of one or more users."""

    device: DeviceInfo


@dataclass(frozen=True, slots=True)
class DigitHeard:
    """The other side of a leg pressed a key."""

    leg: LegInfo
    digit: str


@dataclass(frozen=True, slots=True)
class ChannelWanted:
    """A leg of a dynamically registered device needs an address to receive at."""

    leg: LegInfo
    codec: MEDIAPAYLOAD
    packet_ms: int


@dataclass(frozen=True, slots=True)
class ReceptionStarted:
    """A leg's device receives at ``address``."""

    leg: LegInfo
    address: MediaAddress
    codec: MEDIAPAYLOAD
    packet_ms: int


@dataclass(frozen=True, slots=True)
class TransmissionStarted:
    """A leg's device sends to ``address``."""

    leg: LegInfo
    address: MediaAddress
    codec: MEDIAPAYLOAD
    packet_ms: int


@dataclass(frozen=True, slots=True)
class MediaStopped:
    """A leg's device neither sends nor receives any more."""

    leg: LegInfo


@dataclass(frozen=True, slots=True)
class ForwardChanged:
    """A line forwards all calls to ``target``, or none when that is ""."""

    device: str
    line: int
    target: str


@dataclass(frozen=True, slots=True)
class DoNotDisturbChanged:
    """Do not disturb was switched on or off at a device."""

    device: str
    on: bool


@dataclass(frozen=True, slots=True)
class DataReceived:
    """A phone sent data for the application."""

    device: str
    data: bytes


@dataclass(frozen=True, slots=True)
class TransferStarted:
    """``controller`` joins the other sides of its two legs, and leaves."""

    transaction: int
    controller: LegInfo
    consult: LegInfo
    legs: tuple[LegInfo, ...]
    """All legs that take part in the transfer."""


@dataclass(frozen=True, slots=True)
class TransferEnded:
    """The transfer with the same transaction number is over."""

    transaction: int
    controller: LegInfo
    consult: LegInfo
    legs: tuple[LegInfo, ...]
    success: bool = True


@dataclass(frozen=True, slots=True)
class ConferenceStarted:
    """``controller`` joins the calls of ``others`` to its own."""

    transaction: int
    controller: LegInfo
    others: tuple[LegInfo, ...]
    legs: tuple[LegInfo, ...]


@dataclass(frozen=True, slots=True)
class ConferenceEnded:
    """The conference with the same transaction number is made, or has failed."""

    transaction: int
    controller: LegInfo
    others: tuple[LegInfo, ...]
    legs: tuple[LegInfo, ...]
    success: bool = True


@dataclass(frozen=True, slots=True)
class ConferenceChanged:
    """A party came to a conference or left it; told once for each leg in it."""

    leg: LegInfo
    changed: Participant
    added: bool
    others: tuple[Participant, ...]
    controller: Participant


Event: TypeAlias = (
    LegChanged
    | DeviceChanged
    | DeviceAdded
    | DeviceRemoved
    | DigitHeard
    | ChannelWanted
    | ReceptionStarted
    | TransmissionStarted
    | MediaStopped
    | ForwardChanged
    | DoNotDisturbChanged
    | DataReceived
    | TransferStarted
    | TransferEnded
    | ConferenceStarted
    | ConferenceEnded
    | ConferenceChanged
)


class Observer(Protocol):
    """A session of an application that is told events, in order.

    It must not block, and not call back.
    """

    def notify(self, event: Event) -> None:
        """Take an event of the call manager."""
        ...


class CallControl(Protocol):
    """The call manager, as its CTI Manager needs it; a leg is named by its number."""

    def log_in(self, user: str, password: str) -> CTIFAILURE:
        """Check a login: 0 when the user may come in, else why not; compares in constant time."""
        ...

    def controls_any_device(self, user: str) -> bool:
        """Whether the user is a super provider, who may control every device."""
        ...

    def device_names(self, user: str) -> Sequence[str]:
        """The names of the devices that the user may control."""
        ...

    def device(self, name: str) -> DeviceInfo:
        """One device, whichever users control it; raises :class:`RequestFailed` if unknown."""
        ...

    def may_control(self, user: str, device: str) -> bool:
        """Whether a device is one of the user's."""
        ...

    def register(self, device: str, owner: object, media: MediaRegistration) -> None:
        """Put a CTI device in service for ``owner``; more than one may register it alike (§6.3)."""
        ...

    def unregister(self, device: str, owner: object) -> None:
        """End the registration of one owner; the last one takes the device out of service."""
        ...

    def receive_at(self, leg_id: int, address: MediaAddress) -> None:
        """Set the address at which a leg of a dynamically registered device receives."""
        ...

    def legs_of(self, device: str) -> Sequence[LegInfo]:
        """The live legs of a device."""
        ...

    def members_of(self, leg_id: int) -> Sequence[Participant]:
        """All parties of the conference that a leg is in, the one that controls it first."""
        ...

    def new_call_id(self) -> int:
        """A new number for a call that is about to be made."""
        ...

    def originate(self, device: str, line: int, number: str, call_id: int) -> LegInfo:
        """Call ``number`` from a line; "" only takes the line off hook."""
        ...

    def dial(self, leg_id: int, digits: str) -> None:
        """Dial more digits in a call that is being dialled."""
        ...

    def set_auto_accept(self, device: str, line: int, owner: object, on: bool) -> None:
        """Set whether calls to a line alert by themselves: they do while one owner says so."""
        ...

    def accept(self, leg_id: int) -> None:
        """Let an offered call alert."""
        ...

    def answer(self, leg_id: int) -> None:
        """Answer an offered call; another connected call of the device is held."""
        ...

    def disconnect(self, leg_id: int) -> None:
        """Hang up a call, or refuse one that is offered."""
        ...

    def hold(self, leg_id: int) -> None:
        """Put a call on hold, so that both sides stop talking."""
        ...

    def retrieve(self, leg_id: int) -> None:
        """Take a call back from hold."""
        ...

    def redirect(self, leg_id: int, number: str, options: RedirectOptions) -> None:
        """Send the other party to ``number``; nothing changes when that fails."""
        ...

    def consult(self, leg_id: int, number: str, call_id: int, purpose: Purpose) -> LegInfo:
        """Hold a call, and call ``number`` from the same line; gives the new leg."""
        ...

    def transfer(self, leg_id: int, other_leg_id: int) -> None:
        """Join the other sides of two legs of one device, and leave both."""
        ...

    def join(self, leg_id: int, other_leg_ids: Sequence[int]) -> None:
        """Make a conference of several legs of one device."""
        ...

    def drop_party(self, leg_id: int, party_leg_id: int) -> None:
        """Remove another party from a conference."""
        ...

    def park(self, leg_id: int) -> str:
        """Leave the other party at a number that any phone can dial; gives the number."""
        ...

    def send_digits(self, leg_id: int, digits: str) -> None:
        """Press keys for the other side of a call."""
        ...

    def forward_of(self, device: str, line: int) -> str:
        """The number that a line forwards all calls to, "" for none."""
        ...

    def set_forward(self, device: str, line: int, target: str) -> None:
        """Forward all calls of a line to ``target``; "" cancels."""
        ...

    def set_message_waiting(
        self, device: str, line: int, number: str, on: bool, controls: Callable[[str], bool]
    ) -> None:
        """Switch the message waiting lamp of ``number``; "" is the line itself.

        Raises :class:`RequestFailed` unless ``controls`` is true of a device that has the number.
        """
        ...

    def set_do_not_disturb(self, device: str, on: bool) -> None:
        """Switch do not disturb on, so that a phone does not ring, or off."""
        ...

    def send_data(self, device: str, data: bytes) -> None:
        """Send data (XML of IP phone services) to a phone's screen."""
        ...

    def watch(self, observer: Observer) -> None:
        """Tell ``observer`` of devices that are registered, added and removed."""
        ...

    def unwatch(self, observer: Observer) -> None:
        """Tell ``observer`` of nothing any more."""
        ...

    def follow(self, observer: Observer, device: str) -> None:
        """Tell ``observer`` of what happens at ``device`` and in its calls, too."""
        ...

    def unfollow(self, observer: Observer, device: str) -> None:
        """Tell ``observer`` no more of what happens at ``device``."""
        ...

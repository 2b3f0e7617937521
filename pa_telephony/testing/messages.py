"""The messages that went over the wire, decoded at once, and the problems among them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pa_telephony.callmanager import media_reports
from pa_telephony.cti import messages as cti_messages
from pa_telephony.cti.messages.base import CtiMessage
from pa_telephony.errors import DecodeError
from pa_telephony.rtp import mismatch
from pa_telephony.sccp import messages as sccp_messages
from pa_telephony.sccp.connection import NEWEST_VERSION, announced_by, negotiate
from pa_telephony.sccp.messages.base import SccpMessage, Sender
from pa_telephony.trace import Address, EventRecord, FrameRecord
from pa_telephony.wire.declaration import Message, UnknownMessage

__all__ = ["Log", "Problem", "Seen", "message_names"]

_SCCP_HEADER = 12
_NO_MEDIA = (media_reports.KIND, mismatch.KIND)


@dataclass(frozen=True, slots=True)
class Seen:
    """One message between the call manager and a phone or an application.

    ``time`` is in seconds since the epoch, ``sender`` the side that sent it, ``peer`` the phone's
    or application's address. ``message`` is None where ``error`` says why it cannot be decoded.
    """

    time: float
    protocol: Literal["sccp", "cti"]
    sender: Literal["call manager", "phone", "application"]
    peer: Address
    name: str
    message: Message | UnknownMessage | None
    data: bytes = field(repr=False)
    error: str = ""

    def __str__(self) -> str:
        host, port = self.peer
        arrow = "->" if self.sender == "call manager" else "<-"
        return f"call manager {arrow} {host}:{port}  {self.protocol} {self.name}"


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem that a test should know of; ``kind`` is one of the words below.

    ``"undecodable"``, ``"protocol error"``, ``"unknown message"``, ``"misdirected"`` (it is for the
    other side to receive), ``"refused registration"``, ``"refused login"``, ``"refused request"``,
    ``"no media"``, ``"internal error"``.
    """

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


def message_names() -> list[str]:
    """The names of all SCCP and CTI messages, each once."""
    kinds = (*SccpMessage.registry.values(), *CtiMessage.registry.values())
    return sorted({kind.__name__ for kind in kinds})


class _Connection:
    """The SCCP version and the open CTI requests of one connection."""

    def __init__(self) -> None:
        self.offered = 0
        self.version = 0
        self.requests: dict[int, str] = {}


class Log:
    """All messages and problems so far, from the call manager's own trace records."""

    def __init__(self) -> None:
        self.messages: list[Seen] = []
        self.problems: list[Problem] = []
        self._connections: dict[tuple[Address, Address], _Connection] = {}

    def feed(self, record: FrameRecord | EventRecord) -> None:
        """Take one trace record, and note its message or problem."""
        if isinstance(record, EventRecord):
            if record.kind.endswith(".protocol_error"):
                who = record.fields.get("device") or record.fields.get("user") or "somebody"
                protocol = record.kind.partition(".")[0]
                self._problem(
                    "protocol error", f"{protocol}: {who} sent: {record.fields.get('error')}"
                )
            elif record.kind.endswith(".internal_error"):
                who, error = record.fields.get("who") or "somebody", record.fields.get("error")
                self._problem("internal error", f"{record.kind}: serving {who}: {error}")
            elif record.kind in _NO_MEDIA:
                self._problem("no media", str(record.fields.get("reason")))
            return
        connection = self._connections.setdefault((record.local, record.remote), _Connection())
        seen = _decode(record, connection)
        self.messages.append(seen)
        self._judge(seen, connection)

    def _problem(self, kind: str, text: str) -> None:
        self.problems.append(Problem(kind, text))

    def _judge(self, seen: Seen, connection: _Connection) -> None:
        if seen.message is None:
            self._problem("undecodable", f"{seen}: {seen.error}: {seen.data.hex()}")
        elif isinstance(seen.message, UnknownMessage):
            self._problem("unknown message", f"{seen}: {seen.data.hex()}")
        elif isinstance(seen.message, SccpMessage) and seen.message.sender is (
            Sender.STATION if seen.sender == "call manager" else Sender.CALL_MANAGER
        ):
            self._problem("misdirected", f"{seen}: {seen.data.hex()}")
        match seen.message:
            case sccp_messages.RegisterReq():
                connection.offered = min(seen.message.protocol_ver, NEWEST_VERSION)
                connection.version = 0
            case sccp_messages.RegisterAck():
                connection.version = negotiate(connection.offered, announced_by(seen.data))
            case sccp_messages.RegisterReject():
                self._problem("refused registration", f"{seen}: {seen.message.text}")
            case cti_messages.ProviderOpenCompletedEvent() if seen.message.reason:
                self._problem("refused login", f"{seen}: {seen.message.failure_description}")
            case cti_messages.FailureResponse():
                asked = connection.requests.get(seen.message.sequence_number, "a request")
                result = seen.message.result
                why = f"{getattr(result, 'name', result)} {seen.message.description}".rstrip()
                self._problem("refused request", f"{seen} to {asked}: {why}")
            case _ if seen.protocol == "cti" and seen.sender == "application":
                number = getattr(seen.message, "sequence_number", None)
                if isinstance(number, int):
                    connection.requests[number] = seen.name
            case _:
                pass


def _decode(record: FrameRecord, connection: _Connection) -> Seen:
    message: Message | UnknownMessage | None = None
    error = ""
    try:
        if record.protocol == "cti":
            message = cti_messages.decode(record.data)
        else:
            number = int.from_bytes(record.data[8:12], "little")
            version = connection.version or connection.offered
            message = sccp_messages.decode(number, record.data[_SCCP_HEADER:], version)
    except DecodeError as undecodable:
        error = str(undecodable)
    if isinstance(message, UnknownMessage):
        name = f"Unknown(0x{message.id:04x})"
    else:
        name = type(message).__name__ if message is not None else "undecodable"
    sender: Literal["call manager", "phone", "application"] = "call manager"
    if record.direction == "received":
        sender = "application" if record.protocol == "cti" else "phone"
    return Seen(
        record.time, record.protocol, sender, record.remote, name, message, record.data, error
    )

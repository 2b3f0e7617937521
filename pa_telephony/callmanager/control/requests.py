"""What can be asked of a call manager over its control socket, and what is answered. Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pa_telephony.callmanager.control.rows import TOPICS
from pa_telephony.errors import TelephonyError

__all__ = [
    "EVERY",
    "VERBS",
    "Ask",
    "Change",
    "Code",
    "ControlRefused",
    "Drop",
    "Failure",
    "Id",
    "MessageWaiting",
    "Reply",
    "Request",
    "Reset",
    "Restart",
    "Result",
    "SetForward",
    "Unwatch",
    "Verb",
    "Watch",
]

Id: TypeAlias = int | str
"""What an answer names its request by; chosen by whoever asks."""

EVERY = (0.2, 3600.0)
"""The least and the most seconds between two looks of a watch."""


class Code(enum.Enum):
    """Why a request was refused."""

    NOT_JSON = "not_json"
    BAD_REQUEST = "bad_request"
    UNKNOWN_VERB = "unknown_verb"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    FORBIDDEN = "forbidden"
    UNKNOWN_DEVICE = "unknown_device"
    UNKNOWN_LINE = "unknown_line"
    UNKNOWN_CALL = "unknown_call"
    UNKNOWN_WATCH = "unknown_watch"
    NOT_REGISTERED = "not_registered"
    NOT_POSSIBLE = "not_possible"
    INTERNAL = "internal"


class ControlRefused(TelephonyError):
    """A call manager does not do what was asked; ``code`` and ``reason`` say why.

    ``code`` is a value of :class:`Code`, or a text that a newer call manager has.
    """

    def __init__(self, code: Code | str, reason: str) -> None:
        super().__init__(reason)
        self.code = code.value if isinstance(code, Code) else code
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Be shown a topic, or which call manager it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Be told of changes of these topics, first of all that there is."""

    of: tuple[str, ...] = tuple(TOPICS)
    every: float = 1.0
    """Seconds between two looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwatch:
    """Be told no more; ``watch`` is the id of the request that began it."""

    watch: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """Have a phone or media port start anew, once it has no call."""

    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """Have a phone or media port register anew, once it has no call."""

    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageWaiting:
    """Switch the message waiting lamp of a line."""

    line: str
    on: bool
    partition: str | None = None
    """None: that in which the number is, as long as it is in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetForward:
    """Send calls of a line elsewhere; without a number no more."""

    line: str
    kind: str
    """``all``, ``busy``, ``no_answer`` or ``failure`` (nobody has it registered)."""
    number: str = ""
    partition: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """End a call, with everybody in it."""

    call: int


Verb: TypeAlias = Ask | Watch | Unwatch | Reset | Restart | MessageWaiting | SetForward | Drop

VERBS: Mapping[str, type[Any]] = {
    "about": Ask,
    **dict.fromkeys(TOPICS, Ask),
    "watch": Watch,
    "unwatch": Unwatch,
    "reset": Reset,
    "restart": Restart,
    "message_waiting": MessageWaiting,
    "forward": SetForward,
    "drop": Drop,
}
"""The verb of each request, with what goes with it."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request that could be read."""

    id: Id
    name: str
    verb: Verb


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a request that is done."""

    id: Id
    result: Any


@dataclass(frozen=True, slots=True)
class Failure:
    """The answer to one that is not; without an id where the request has none that can be read."""

    id: Id | None
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """What has changed since a watch was told last: by topic, rows that are new, and keys gone."""

    id: Id
    rows: Mapping[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    gone: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])


Reply: TypeAlias = Result | Failure | Change

"""One connection of the control socket without I/O: bytes in, requests out; answers in, bytes out.

Both sides: :class:`ControlCore` is the call manager's, :class:`ClientCore` that of a program which
asks. Each line is one JSON object.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pa_telephony.callmanager.config import ControlLimits
from pa_telephony.callmanager.control.coding import (
    NotJson,
    NotReadable,
    encoded_line,
    parsed_line,
    plain,
    read,
)
from pa_telephony.callmanager.control.requests import (
    EVERY,
    VERBS,
    Change,
    Code,
    Failure,
    Id,
    Reply,
    Request,
    Result,
    Watch,
)
from pa_telephony.callmanager.control.rows import TOPICS, Row
from pa_telephony.errors import RemoteProtocolError
from pa_telephony.printable import printable

__all__ = ["ClientCore", "ControlCore", "ControlCounters", "LookDue"]

_LONGEST_ID = 64
_LONGEST_ANSWER = 64 * 1024 * 1024
"""Bytes; 2,000 devices are some 500 KiB."""


class ControlCounters:
    """What the control socket has seen; plain numbers."""

    def __init__(self) -> None:
        self.connections = 0
        self.refused_connections = 0
        """Of these: because there were too many, or another user's process asked."""
        self.requests = 0
        self.refused_requests = 0
        """Of these: those that were answered by an error; unreadable lines are among them."""
        self.slow = 0
        """Connections that were closed because their answers were not read."""
        self.internal_errors = 0


@dataclass(frozen=True, slots=True)
class LookDue:
    """It is time to give a watch the rows of a topic: :meth:`ControlCore.show`."""

    id: Id
    topic: str
    last: bool
    """Whether it is the last topic of this look."""


@dataclass(eq=False, slots=True)
class _Watch:
    of: tuple[str, ...]
    every: float
    due: float
    told: dict[str, dict[str, Row]] = field(default_factory=dict[str, dict[str, Row]])
    rows: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    """What is new in this look, until its last topic has been looked at."""
    gone: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    first: bool = True


class _Lines:
    """Cuts bytes into lines of at most ``most`` bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rest = bytearray()

    def cut(self, data: bytes) -> Iterator[bytes]:
        """The lines that are whole now; raises :class:`RemoteProtocolError` for one too long."""
        self._rest += data
        begin = 0
        try:
            while (end := self._rest.find(b"\n", begin)) >= 0:
                self._check(end - begin)
                line, begin = bytes(self._rest[begin:end]), end + 1
                yield line
            self._check(len(self._rest) - begin)
        finally:
            del self._rest[:begin]

    def _check(self, length: int) -> None:
        if length > self._most:
            raise RemoteProtocolError(f"a line of more than {self._most} bytes")


class ControlCore:
    """The call manager's side of one connection. ``now`` is any monotonic clock, in seconds.

    A line that cannot be read is answered by an error and the next one is looked at; one that is
    too long ends the connection, since nobody knows where it ends.
    """

    def __init__(self, limits: ControlLimits, counters: ControlCounters) -> None:
        self.closed = False
        self._limits = limits
        self._counters = counters
        self._lines = _Lines(limits.max_line)
        self._events: deque[Request | LookDue] = deque()
        self._watches: dict[Id, _Watch] = {}
        self._out = bytearray()

    @property
    def watches(self) -> int:
        """How many watches the connection has."""
        return len(self._watches)

    def receive_data(self, data: bytes, now: float) -> None:
        """Take bytes; what is wrong with them is answered, and may close the connection."""
        if self.closed:
            return
        try:
            for line in self._lines.cut(data):
                self._take(line)
        except RemoteProtocolError as error:
            self._counters.requests += 1
            self.send(Failure(None, Code.TOO_LONG.value, str(error)))
            self.closed = True

    def receive_eof(self, now: float) -> None:
        """Note that the peer says no more: what it asked is answered, and its watches end."""
        self._watches.clear()
        self.closed = True

    def next_event(self) -> Request | LookDue | None:
        """The next request, or watch to be looked for; None when there is none."""
        while self._events:
            event = self._events.popleft()
            if isinstance(event, Request) or event.id in self._watches:
                return event
        return None

    def send(self, message: Reply) -> None:
        """Queue an answer."""
        match message:
            case Result(id, result):
                said: dict[str, Any] = {"id": id, "result": plain(result)}
            case Failure(id, code, text):
                self._counters.refused_requests += 1
                said = {"id": id, "error": {"code": code, "text": printable(text, 1000)}}
            case Change(id, rows, gone):
                said = {"id": id, "rows": plain(rows), "gone": gone}
        self._out += encoded_line(said)

    def data_to_send(self) -> bytes:
        """The bytes queued since the last call."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def next_deadline(self) -> float | None:
        """When the next watch is due."""
        return min((each.due for each in self._watches.values()), default=None)

    def handle_deadline(self, now: float) -> None:
        """Ask for the rows of the watches that are due."""
        for asked, each in self._watches.items():
            if each.due <= now:
                each.due = now + each.every
                for topic in each.of:
                    self._events.append(LookDue(asked, topic, topic == each.of[-1]))

    # Watches.

    def begin_watch(self, id: Id, watch: Watch, now: float) -> Failure | None:
        """Begin one, due at once; gives the failure where what it wants cannot be."""
        wrong = ""
        least, most = EVERY
        if id in self._watches:
            wrong = "there is a watch of this id"
        elif not watch.of or any(each not in TOPICS for each in watch.of):
            wrong = f"of: must be some of {', '.join(TOPICS)}"
        elif not least <= watch.every <= most:
            wrong = f"every: must be {least:g} to {most:g} seconds"
        if wrong:
            return Failure(id, Code.BAD_REQUEST.value, wrong)
        of = tuple(dict.fromkeys(watch.of))
        self._watches[id] = _Watch(of, watch.every, now)
        return None

    def end_watch(self, id: Id) -> bool:
        """End one; False when there is none of this id."""
        return self._watches.pop(id, None) is not None

    def show(self, due: LookDue, present: Sequence[Row]) -> None:
        """Give a watch the rows of a topic; what has changed in all of them goes out in one."""
        watch = self._watches.get(due.id)
        if watch is None:
            return
        before, after = watch.told.get(due.topic, {}), {each.key: each for each in present}
        watch.told[due.topic] = after
        if new := [each for key, each in after.items() if before.get(key) != each]:
            watch.rows[due.topic] = new
        if old := [key for key in before if key not in after]:
            watch.gone[due.topic] = old
        if due.last and (watch.rows or watch.gone or watch.first):
            self.send(Change(due.id, watch.rows, watch.gone))
            watch.rows, watch.gone, watch.first = {}, {}, False

    # Lines.

    def _take(self, line: bytes) -> None:
        self._counters.requests += 1
        asked: Id | None = None
        try:
            said = parsed_line(line)
            asked = _id_of(said)
            name = said.pop("verb", None)
            if not isinstance(name, str):
                raise NotReadable("verb: must be a text")
            if name not in VERBS:
                words = f"{printable(name, 40)}: unknown; known are {', '.join(VERBS)}"
                self.send(Failure(asked, Code.UNKNOWN_VERB.value, words))
                return
            verb = read(VERBS[name], said, strict=True)
        except NotReadable as error:
            code = Code.NOT_JSON if isinstance(error, NotJson) else Code.BAD_REQUEST
            self.send(Failure(asked, code.value, str(error)))
            return
        if len(self._events) >= self._limits.max_requests:
            words = f"more than {self._limits.max_requests} requests wait for their answers"
            self.send(Failure(asked, Code.TOO_MANY.value, words))
            return
        self._events.append(Request(asked, name, verb))


def _id_of(said: dict[str, Any]) -> Id:
    asked: Id = read(cast("type[Id]", int | str), said.pop("id", None), strict=True, where="id")
    if isinstance(asked, str) and len(asked) > _LONGEST_ID:
        raise NotReadable(f"id: must have at most {_LONGEST_ID} characters")
    return asked


class ClientCore:
    """The side of a program that asks. It believes its call manager, which is its user's own."""

    def __init__(self) -> None:
        self._lines = _Lines(_LONGEST_ANSWER)
        self._events: deque[Reply] = deque()
        self._out = bytearray()

    def receive_data(self, data: bytes, now: float) -> None:
        """Take bytes; raises :class:`RemoteProtocolError` for what is no answer."""
        for line in self._lines.cut(data):
            try:
                self._events.append(_reply(parsed_line(line)))
            except NotReadable as error:
                raise RemoteProtocolError(f"an answer that cannot be read: {error}") from error

    def receive_eof(self, now: float) -> None:
        """Note that no more answers come."""

    def next_event(self) -> Reply | None:
        """The next answer; None when more bytes are needed."""
        return self._events.popleft() if self._events else None

    def send(self, message: Request) -> None:
        """Queue a request."""
        said = {"id": message.id, "verb": message.name, **plain(message.verb)}
        self._out += encoded_line(said)

    def data_to_send(self) -> bytes:
        """The bytes queued since the last call."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def next_deadline(self) -> float | None:
        """Never: an answer has the time that its caller gives it."""
        return None

    def handle_deadline(self, now: float) -> None:
        """Do nothing, as nothing is ever due."""


def _reply(said: dict[str, Any]) -> Reply:
    raw = said.get("id")
    asked = None if raw is None else _id_of(said)
    error = said.get("error")
    if isinstance(error, dict):
        told = cast("dict[str, Any]", error)
        return Failure(asked, str(told.get("code", "")), str(told.get("text", "")))
    if asked is None:
        raise NotReadable("id: must be there")
    if "result" in said:
        return Result(asked, said["result"])
    rows = read(cast("type[dict[str, Any]]", Mapping[str, Any]), said.get("rows", {}))
    gone = read(cast("type[dict[str, Any]]", Mapping[str, Any]), said.get("gone", {}))
    return Change(asked, rows, gone)

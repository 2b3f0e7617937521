"""Ask a running call manager of this user what is so, and have it do something."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import trio

from pa_telephony.callmanager.control import place
from pa_telephony.callmanager.control.coding import NotReadable, read
from pa_telephony.callmanager.control.core import ClientCore
from pa_telephony.callmanager.control.requests import (
    Ask,
    Change,
    ControlRefused,
    Drop,
    Failure,
    MessageWaiting,
    Reply,
    Request,
    Reset,
    Restart,
    Result,
    SetForward,
    Unwatch,
    Verb,
    Watch,
)
from pa_telephony.callmanager.control.rows import (
    TOPICS,
    About,
    Application,
    Call,
    Counter,
    Device,
    Notice,
    Picture,
    RoutePoint,
    Row,
)
from pa_telephony.errors import ConnectionLost, RemoteProtocolError
from pa_telephony.tasks import background, map_os_errors

__all__ = ["Control", "find_control", "open_control"]

T = TypeVar("T")

_READ = 65536


class _Waiting:
    """A request whose answer is waited for, or a watch, whose newest picture is."""

    def __init__(self) -> None:
        self.news = trio.Event()
        self.reply: Reply | None = None
        self.rows: dict[str, dict[str, Row]] = {}
        """What a watch has been told so far, by topic and key."""
        self.changed = False
        """Whether a watch has been told something that its reader does not have yet."""


class Control:
    """A call manager as :func:`open_control` reaches it.

    Every method raises :class:`ConnectionLost` when the call manager ends,
    :class:`ControlRefused` with its reason when it does not do what it is asked, and
    :class:`RemoteProtocolError` for an answer of another shape. A method that is cancelled may have
    been done all the same.
    """

    def __init__(self, path: Path, stream: trio.SocketStream) -> None:
        self.path = path
        self.about = About()
        self._stream = stream
        self._core = ClientCore()
        self._sending = trio.Lock()
        self._ids = itertools.count(1)
        self._waiting: dict[int, _Waiting] = {}
        self._lost: ConnectionLost | RemoteProtocolError | None = None

    async def devices(self) -> tuple[Device, ...]:
        """Every device, in the order of the configuration."""
        return await self._rows(Device, "devices")

    async def route_points(self) -> tuple[RoutePoint, ...]:
        """Every number of a route point, and who serves it."""
        return await self._rows(RoutePoint, "route_points")

    async def calls(self) -> tuple[Call, ...]:
        """The calls that are up."""
        return await self._rows(Call, "calls")

    async def applications(self) -> tuple[Application, ...]:
        """The applications that are logged in."""
        return await self._rows(Application, "applications")

    async def counters(self) -> Mapping[str, int]:
        """What the call manager has counted, as ``sccp.registrations``."""
        return {each.name: each.value for each in await self._rows(Counter, "counters")}

    async def warnings(self) -> tuple[str, ...]:
        """Sentences about what is probably not meant, or not well."""
        return tuple(each.text for each in await self._rows(Notice, "warnings"))

    async def reset(self, device: str) -> None:
        """Have a phone or media port start anew, as soon as it has no call."""
        await self._ask("reset", Reset(device=device))

    async def restart(self, device: str) -> None:
        """Have a phone or media port register anew, as soon as it has no call."""
        await self._ask("restart", Restart(device=device))

    async def set_message_waiting(
        self, line: str, on: bool, *, partition: str | None = None
    ) -> None:
        """Switch the message waiting lamp of a line; ``partition`` where a number is in several."""
        await self._ask("message_waiting", MessageWaiting(line=line, on=on, partition=partition))

    async def set_forward(
        self, line: str, kind: str, number: str, *, partition: str | None = None
    ) -> None:
        """Send calls of a line to ``number``; "" takes it back.

        ``kind`` is ``all``, ``busy``, ``no_answer`` or ``failure`` (nobody has it registered).
        """
        asked = SetForward(line=line, kind=kind, number=number, partition=partition)
        await self._ask("forward", asked)

    async def drop(self, call: int) -> None:
        """End a call, with everybody in it; ``call`` is :attr:`Call.id`."""
        await self._ask("drop", Drop(call=call))

    @contextlib.asynccontextmanager
    async def watch(
        self, *topics: str, every: float = 1.0
    ) -> AsyncGenerator[AsyncIterator[Picture]]:
        """Follow what is so: ``async with control.watch("calls") as pictures``, then iterate.

        Without ``topics`` it is all. The first picture comes at once, each further one when
        something has changed, looked at every so many seconds (0.2 to 3600); who is slow misses
        pictures in between, never the newest.
        """
        asked, waiting = self._begin()
        waiting.rows = {topic: {} for topic in topics or TOPICS}
        try:
            await self._send(asked, "watch", Watch(of=topics or tuple(TOPICS), every=every))
            await self._answered(waiting)
            yield _Pictures(self, waiting)
        finally:
            self._waiting.pop(asked, None)
            if self._lost is None:
                # What the call manager still says of it is for nobody.
                with trio.move_on_after(1) as scope:
                    scope.shield = True
                    with contextlib.suppress(ConnectionLost):
                        await self._send(next(self._ids), "unwatch", Unwatch(watch=asked))

    # Requests and answers.

    async def _rows(self, kind: type[T], topic: str) -> tuple[T, ...]:
        rows = cast("type[tuple[T, ...]]", tuple[kind, ...])  # type: ignore[valid-type]
        return await self._asked_of(rows, topic)

    async def _asked_of(self, kind: type[T], name: str) -> T:
        """The answer, as ``kind``; RemoteProtocolError for one that is not of that shape."""
        try:
            return read(kind, await self._ask(name, Ask()))
        except NotReadable as error:
            raise RemoteProtocolError(f"{self.path}: {name}: {error}") from error

    async def introduce(self) -> None:
        """Ask the call manager what it is, which is told by ``about`` then."""
        self.about = await self._asked_of(About, "about")

    async def _ask(self, name: str, verb: Verb) -> Any:
        asked, waiting = self._begin()
        try:
            await self._send(asked, name, verb)
            return await self._answered(waiting)
        finally:
            self._waiting.pop(asked, None)

    def _begin(self) -> tuple[int, _Waiting]:
        asked, waiting = next(self._ids), _Waiting()
        self._waiting[asked] = waiting
        return asked, waiting

    async def _send(self, asked: int, name: str, verb: Verb) -> None:
        if self._lost is not None:
            raise self._lost
        async with self._sending:
            self._core.send(Request(asked, name, verb))
            with map_os_errors(str(self.path)):
                await self._stream.send_all(self._core.data_to_send())

    async def next_picture(self, waiting: _Waiting) -> Picture:
        """Wait until a watch is told something new."""
        while not waiting.changed:
            if waiting.reply is not None:
                await self._answered(waiting)
            await self._news(waiting)
        waiting.changed = False
        named = {topic: tuple(known.values()) for topic, known in waiting.rows.items()}
        return Picture(**cast("dict[str, Any]", named))

    async def _answered(self, waiting: _Waiting) -> Any:
        while waiting.reply is None:
            await self._news(waiting)
        reply, waiting.reply = waiting.reply, None
        if isinstance(reply, Failure):
            raise ControlRefused(reply.code, reply.text)
        return reply.result if isinstance(reply, Result) else None

    async def _news(self, waiting: _Waiting) -> None:
        if self._lost is not None:
            raise self._lost
        waiting.news = trio.Event()
        await waiting.news.wait()

    async def run(self) -> None:
        """Read answers until the connection ends."""
        try:
            while True:
                with map_os_errors(str(self.path)):
                    data = bytes(await self._stream.receive_some(_READ))
                if not data:
                    raise ConnectionLost(f"{self.path}: the call manager has ended")
                self._core.receive_data(data, trio.current_time())
                while (reply := self._core.next_event()) is not None:
                    self._take(reply)
        except (ConnectionLost, RemoteProtocolError) as error:
            self._lost = error
            for each in self._waiting.values():
                each.news.set()

    def _take(self, reply: Reply) -> None:
        if reply.id is None:
            # Of no request: the whole connection is refused.
            assert isinstance(reply, Failure)
            raise ConnectionLost(f"{self.path}: {reply.text}")
        waiting = self._waiting.get(reply.id) if isinstance(reply.id, int) else None
        if waiting is None:
            return
        if isinstance(reply, Change):
            _apply(reply, waiting.rows)
            waiting.changed = True
        else:
            waiting.reply = reply
        waiting.news.set()


class _Pictures(AsyncIterator[Picture]):
    """The pictures of one watch; leaving the watch ends them."""

    def __init__(self, control: Control, waiting: _Waiting) -> None:
        self._control = control
        self._waiting = waiting

    async def __anext__(self) -> Picture:
        await trio.lowlevel.checkpoint()
        return await self._control.next_picture(self._waiting)


def _apply(change: Change, known: dict[str, dict[str, Row]]) -> None:
    for topic, keys in change.gone.items():
        for key in cast("Sequence[str]", keys):
            known.get(topic, {}).pop(key, None)
    for topic, rows in change.rows.items():
        if topic not in TOPICS or topic not in known:
            continue
        try:
            for each in rows:
                row = read(TOPICS[topic], each)
                known[topic][row.key] = row
        except NotReadable as error:
            raise RemoteProtocolError(f"a change that cannot be read: {error}") from error


def _is_answered(path: Path) -> bool:
    """Whether a call manager is there, and no socket that one has left behind."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.setblocking(False)
        try:
            asking.connect(os.fspath(path))
        except BlockingIOError:
            return True
        except OSError:
            return False
    return True


def find_control() -> Path:
    """The socket of this user's call manager, of which there has to be one alone.

    Raises :class:`ConnectionLost`, which names what there is.
    """
    known = [each for each in place.known_sockets() if _is_answered(each)]
    if len(known) == 1:
        return known[0]
    if not known:
        where = place.well_known_directory()
        raise ConnectionLost(f"no call manager of this user runs here: none answers in {where}")
    names = ", ".join(str(each) for each in known)
    raise ConnectionLost(f"there are several call managers; which one? {names}")


@contextlib.asynccontextmanager
async def open_control(path: str | os.PathLike[str] | None = None) -> AsyncGenerator[Control]:
    """Reach a running call manager of this user; entered means that it has answered.

    ``path`` is its socket; None: the only one in the well-known place (:func:`find_control`).
    Raises :class:`ConnectionLost` with the path and the reason when there is none, and
    :class:`RemoteProtocolError` when what answers there is no call manager's socket.
    """
    where = find_control() if path is None else Path(path)
    with map_os_errors(f"no call manager answers at {where}"):
        stream = await trio.open_unix_socket(where)
    async with stream:
        control = Control(where, stream)
        async with background() as tasks:
            tasks.start_soon(control.run)
            await control.introduce()
            yield control

"""The control socket of a running call manager: who is let in, and one task for each connection."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import math
import os
import socket
import stat
import struct
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import trio

from pa_telephony.callmanager.control import place
from pa_telephony.callmanager.control.coding import plain
from pa_telephony.callmanager.control.core import ControlCore, ControlCounters, LookDue
from pa_telephony.callmanager.control.deeds import do, in_words
from pa_telephony.callmanager.control.look import Look, Times
from pa_telephony.callmanager.control.requests import (
    Ask,
    Code,
    ControlRefused,
    Failure,
    Reply,
    Request,
    Result,
    Unwatch,
    Watch,
)
from pa_telephony.callmanager.control.rows import About, Row
from pa_telephony.errors import ConnectionLost, LocalProtocolError
from pa_telephony.faults import NEWS, Seldom, report_bug
from pa_telephony.printable import printable_reason
from pa_telephony.serving import serve_connections
from pa_telephony.tasks import background, map_os_errors
from pa_telephony.trace import EventRecord, Trace, guarded

if TYPE_CHECKING:
    from pa_telephony.callmanager.manager import CallManager

__all__ = ["ControlServer", "offer_control"]

_READ = 8192
_BACKLOG = 64
_MOST_LINES = 100
"""How many actions the log has within a minute; the trace has all."""
_FRESH = 0.2
"""Seconds for which all watches are given the same rows."""
_CREDENTIALS = struct.Struct("3i")
_LOG = logging.getLogger("pa_telephony.callmanager")


class _Peer(NamedTuple):
    """Who is at the other end, as the kernel says: process and user; -1 where it does not."""

    process: int
    user: int


class ControlServer:
    """What :func:`offer_control` gives: where the socket is, and what it has counted."""

    def __init__(self, manager: CallManager, path: Path, trace: Trace | None) -> None:
        now = manager.calls.now()
        self.path = path
        self.counters = ControlCounters()
        self.times = Times(manager.calls.now)
        self._manager = manager
        self._limits = manager.config.control
        self._trace = trace
        self._look = Look(manager, self.times, self.counters, time.time() - now)
        self._connections = 0
        self._watches = 0
        self._rows: dict[str, tuple[float, Sequence[Row]]] = {}
        self._told, self._told_refused = Seldom(at_once=_MOST_LINES), Seldom()
        self._about = About(
            process=os.getpid(),
            sccp=manager.sccp_address,
            cti=manager.cti_address,
            since=round(time.time(), 3),
        )

    async def handle(self, stream: trio.SocketStream) -> None:
        """Serve one connection until it ends."""
        self.counters.connections += 1
        peer = _peer_of(stream.socket)
        refused = self._refusal(peer)
        core = ControlCore(self._limits, self.counters)
        if refused is not None:
            self.counters.refused_connections += 1
            core.send(refused)
            with contextlib.suppress(ConnectionLost):
                await self._flush(stream, core)
            return
        self._connections += 1
        watches = 0
        turn = self._manager.turns.turn()
        turn.known()
        try:
            with contextlib.suppress(ConnectionLost):
                while not core.closed:
                    await self._read(stream, core)
                    while (event := core.next_event()) is not None:
                        await turn.begin()
                        try:
                            self._answer(core, event, peer)
                        finally:
                            turn.end()
                        self._watches += core.watches - watches
                        watches = core.watches
                        await self._flush(stream, core)
                    await self._flush(stream, core)
        finally:
            self._connections -= 1
            self._watches -= watches

    def _refusal(self, peer: _Peer) -> Failure | None:
        """Why a connection is not served; None where it is."""
        if peer.user not in (-1, 0, os.geteuid()):
            if (times := self._told_refused.told(trio.current_time())) is not None:
                _LOG.warning("control: user %d is not let in%s", peer.user, times)
            return Failure(None, Code.FORBIDDEN.value, "this is another user's call manager")
        if self._connections >= self._limits.max_connections:
            if (times := self._told_refused.told(trio.current_time())) is not None:
                _LOG.warning("control: process %d finds no place%s", peer.process, times)
            most = self._limits.max_connections
            return Failure(None, Code.TOO_MANY.value, f"there are {most} connections already")
        return None

    async def _read(self, stream: trio.SocketStream, core: ControlCore) -> None:
        """Wait for bytes, or until a watch is due."""
        deadline = core.next_deadline()
        data: bytes | None = None
        until = trio.CancelScope(deadline=math.inf if deadline is None else deadline)
        with until, map_os_errors(str(self.path)):
            data = bytes(await stream.receive_some(_READ))
        now = trio.current_time()
        if data == b"":
            core.receive_eof(now)
        elif data is not None:
            core.receive_data(data, now)
        core.handle_deadline(now)

    async def _flush(self, stream: trio.SocketStream, core: ControlCore) -> None:
        """Send what is queued; raises :class:`ConnectionLost` for who does not read it."""
        data = core.data_to_send()
        if not data:
            return
        with trio.move_on_after(self._limits.taken_within), map_os_errors(str(self.path)):
            await stream.send_all(data)
            return
        self.counters.slow += 1
        raise ConnectionLost(f"{self.path}: answers are not read")

    # One turn: nothing is awaited in here.

    def _answer(self, core: ControlCore, event: Request | LookDue, peer: _Peer) -> None:
        """Answer one request, or look at one topic for a watch."""
        try:
            if isinstance(event, LookDue):
                core.show(event, self._fresh(event.topic))
            else:
                core.send(self._reply(core, event, peer))
        except Exception as error:  # noqa: BLE001  # reported; the others go on
            self.counters.internal_errors += 1
            report_bug(error, part="callmanager", trace=self._trace, now=time.time())
            core.send(Failure(event.id, Code.INTERNAL.value, "internal error; the log has it"))

    def _reply(self, core: ControlCore, asked: Request, peer: _Peer) -> Reply:
        match asked.verb:
            case Ask() if asked.name == "about":
                return Result(asked.id, self._about)
            case Ask():
                return Result(asked.id, self._look.rows(asked.name))
            case Watch():
                return self._watch(core, asked, asked.verb)
            case Unwatch(watch=watch):
                if core.end_watch(watch):
                    return Result(asked.id, {})
                return Failure(asked.id, Code.UNKNOWN_WATCH.value, "there is no watch of this id")
            case _:
                pass
        try:
            do(self._manager, asked.verb)
        except ControlRefused as refused:
            self._note(asked, peer, refused.reason)
            return Failure(asked.id, refused.code, refused.reason)
        except Exception:
            self._note(asked, peer, "internal error")
            raise
        self._note(asked, peer, "")
        # What was done is to be seen by the next look.
        self._rows.clear()
        return Result(asked.id, {})

    def _watch(self, core: ControlCore, asked: Request, watch: Watch) -> Reply:
        most = self._limits.max_watches
        if self._watches >= most:
            return Failure(asked.id, Code.TOO_MANY.value, f"there are {most} watches already")
        failed = core.begin_watch(asked.id, watch, trio.current_time())
        return failed or Result(asked.id, {"of": list(watch.of)})

    def _fresh(self, topic: str) -> Sequence[Row]:
        """The rows for a watch: those of a moment ago, if another one has just had them made."""
        now = trio.current_time()
        made, rows = self._rows.get(topic, (-math.inf, ()))
        if now - made >= _FRESH:
            rows = self._look.rows(topic)
            self._rows[topic] = now, rows
        return rows

    def _note(self, asked: Request, peer: _Peer, refused: str) -> None:
        """Say in log and trace who did what, or wanted it and was refused."""
        if (times := self._told.told(trio.current_time())) is not None:
            words = in_words(asked.verb) + (f": refused, {refused}" if refused else "")
            who = f"user {peer.user} (process {peer.process})"
            _LOG.info("control: %s %s%s", who, printable_reason(words), times, extra=NEWS)
        if self._trace is not None:
            said: dict[str, Any] = {"user": peer.user, "process": peer.process, "verb": asked.name}
            fields = {**said, **plain(asked.verb), "refused": refused}
            self._trace(EventRecord(time.time(), "callmanager.control", fields))


def _peer_of(connection: trio.socket.SocketType | socket.socket) -> _Peer:
    if not hasattr(socket, "SO_PEERCRED"):
        # The directory, which is its user's alone, lets nobody else come so far.
        return _Peer(-1, -1)
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    process, user, _ = _CREDENTIALS.unpack(raw)
    return _Peer(process, user)


@contextlib.asynccontextmanager
async def offer_control(
    manager: CallManager, path: str | os.PathLike[str] | None = None, *, trace: Trace | None = None
) -> AsyncGenerator[ControlServer]:
    """Let other programs of this user see and steer a call manager, while the block lasts.

    ``path`` is where the socket will be; None is the well-known place, which
    :func:`~pa_telephony.callmanager.open_control` finds by itself: a directory of the user's own
    under ``$XDG_RUNTIME_DIR``, else ``/tmp``, and in it a name with the address for phones. A
    socket that nobody answers at is replaced. Raises :class:`ConnectionLost` with the reason where
    another call manager answers, or the directory is not safe.
    """
    where = place.well_known_path(manager.sccp_address) if path is None else Path(path)
    listening = _listen(where)
    try:
        known = os.lstat(where)
        server = ControlServer(manager, where, guarded(trace))
        manager.calls.watchers.append(server.times)
        try:
            async with background() as tasks:
                listener = trio.SocketListener(trio.socket.from_stdlib_socket(listening))
                tasks.start_soon(serve_connections, [listener], server.handle, _LOG)
                yield server
        finally:
            manager.calls.watchers.remove(server.times)
            with contextlib.suppress(OSError):
                now = os.lstat(where)
                if (now.st_dev, now.st_ino) == (known.st_dev, known.st_ino):
                    where.unlink()
    finally:
        listening.close()


def _listen(path: Path) -> socket.socket:
    """A socket that listens at ``path``, for this user alone; raises :class:`ConnectionLost`."""
    if not hasattr(socket, "AF_UNIX"):
        raise LocalProtocolError("this system has no Unix sockets")
    place.make_directory(path)
    try:
        with _alone_in(path.parent):
            _check_free(path)
            made_in = Path(tempfile.mkdtemp(prefix=".control-", dir=path.parent))
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                # Its directory is closed to others until it is closed to them itself.
                listening.bind(os.fspath(made_in / "s"))
                (made_in / "s").chmod(0o600)
                listening.listen(_BACKLOG)
                (made_in / "s").replace(path)
            except BaseException:
                listening.close()
                with contextlib.suppress(OSError):
                    (made_in / "s").unlink()
                raise
            finally:
                made_in.rmdir()
    except OSError as error:
        raise ConnectionLost(f"{path}: {error.strerror}") from error
    return listening


@contextlib.contextmanager
def _alone_in(directory: Path) -> Generator[None]:
    """Keep others from looking for a free place there at the same moment."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConnectionLost(f"{directory}: another program opens a socket there") from None
        yield
    finally:
        os.close(descriptor)


def _check_free(path: Path) -> None:
    """Let a socket through that nobody answers at, and what is not there."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise ConnectionLost(f"{path} is there already, and no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.setblocking(False)
        try:
            asking.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return
        except BlockingIOError:
            raise ConnectionLost(f"{path}: another call manager has it, and is busy") from None
        process = _peer_of(asking).process
    raise ConnectionLost(f"{path}: another call manager has it (process {process})")

"""One connection that a server has accepted: its bytes, its turns, its end, over a protocol's core.

What a peer sends wrong closes its own connection, is counted, and touches nobody else; and so does
a bug, of ours or of the call manager's, that it brings out. Both servers are written with
:class:`ServedPeer`; a subclass says what the events of its core mean.
"""

from __future__ import annotations

import abc
import contextlib
import functools
import os
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, NamedTuple, Protocol, TypeVar

import trio

from pa_telephony.core import Core
from pa_telephony.errors import ConnectionLost, InternalError, RemoteProtocolError
from pa_telephony.faults import Seldom, report_fault, told_of
from pa_telephony.serving import PeerCounters
from pa_telephony.tasks import map_os_errors
from pa_telephony.trace import EventRecord, FrameTrace, Trace
from pa_telephony.turns import Turns

__all__ = ["LINGER", "Dialect", "PeerServer", "ServedCore", "ServedPeer"]

LINGER = 1.0
"""Seconds that the last messages get to leave."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """What the reports and traces of a connection say of its protocol."""

    protocol: Literal["sccp", "cti"]
    peer: str
    """What a peer is called in a trace: its field there has its name."""
    id_at: int
    """Where in a frame the number of the message stands, 32 bits little endian."""
    spelling: str
    """How a number is written, as :meth:`str.format` has it."""
    kinds: Mapping[int, type]
    """The messages by their numbers."""
    keyed: Collection[int]
    """The numbers of messages that may hold what a person has keyed."""
    public: Callable[[bytes], bytes | None]
    """Gives a frame without what a person has keyed; None where it has nothing of that."""


class ServedCore(Core[Any, Any], Protocol):
    """The core of a connection at a server."""

    @property
    def closed(self) -> bool:
        """Whether the session is over: from then on nothing of the peer's is looked at."""
        ...

    def end_session(self, reason: str) -> None:
        """End the session, which an event says; what is queued is still sent."""
        ...

    def watch_frames(
        self, received: Callable[[bytes], None], sent: Callable[[bytes], None] | None
    ) -> None:
        """Let ``received`` have every whole frame that comes in, and ``sent`` all that go out."""
        ...


class PeerServer(Protocol):
    """What a connection needs of the server that accepted it."""

    @property
    def counters(self) -> PeerCounters:
        """What the server counts."""
        ...

    trace: Trace | None
    turns: Turns
    told_bugs: Seldom


Server = TypeVar("Server", bound=PeerServer)
CoreOfPeer = TypeVar("CoreOfPeer", bound=ServedCore)


class _Step(NamedTuple):
    """A step that waits for a turn, and until the time ``at`` before that."""

    run: Callable[[], None]
    at: float = 0.0
    size: int = 0
    """How many bytes are answered; 0 is what is left of those before."""
    last: bool = False
    """Whether the connection is gone."""


class ServedPeer(abc.ABC, Generic[Server, CoreOfPeer]):
    """One connected peer of a server. What others call never blocks: messages wait for the socket.

    ``stream`` is what is read and written, ``transport`` the TCP connection under it.
    """

    dialect: ClassVar[Dialect]
    read_size: ClassVar[int]
    """Bytes taken at a time; no more is read before they are answered."""
    writes_at_once: ClassVar[bool]
    """Whether what others cause is written at once, too; otherwise in one go, by a task."""

    def __init__(
        self,
        server: Server,
        stream: trio.abc.Stream,
        transport: trio.SocketStream,
        core: CoreOfPeer,
    ) -> None:
        local, remote = transport.socket.getsockname(), transport.socket.getpeername()
        self.local_address: tuple[str, int] = (local[0], local[1])
        self.address: tuple[str, int] = (remote[0], remote[1])
        self.turns = server.turns.turn(remote[0])
        self._server = server
        self._core = core
        self._stream = stream
        # A socket that somebody else's factory made may be none of the kernel's.
        ours = stream is transport and transport.socket.fileno() >= 0
        self._socket = transport.socket if ours else None
        """Where bytes can be read and written without a stream; None under TLS."""
        self._outgoing = bytearray()
        self._writing = False
        """Whether a task sends what the socket did not take at once."""
        self._in_turn = False
        self._put_off: _Step | None = None
        """What the peer said, or is owed, and has to wait for; until then nothing else is read."""
        self._nursery: trio.Nursery | None = None
        self._scope = trio.CancelScope()
        self._alarm = trio.CancelScope()
        """Ends when the session has to be looked at."""
        self._ending = ""
        self._left = False
        self._frame = b""
        """What the peer said that is being answered."""
        traced = None
        if server.trace is not None:
            dialect = self.dialect
            traced = FrameTrace(
                server.trace,
                time.time,
                dialect.protocol,
                self.local_address,
                self.address,
                dialect.public,
            )
        self._traced = traced
        core.watch_frames(self._note_frame, traced.sent if traced is not None else None)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name or 'of a stranger'} {self.address[0]}>"

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """Who the peer is; "" before it has said so and was believed."""

    @abc.abstractmethod
    def _handle_event(self, event: Any) -> None:
        """Deal with an event of the core."""

    @abc.abstractmethod
    def _leave(self) -> None:
        """Tell whom it concerns that the session is over; called once."""

    @abc.abstractmethod
    def _most_unsent(self) -> int:
        """How many bytes may wait for the peer to read them."""

    @abc.abstractmethod
    def _note_slow(self) -> None:
        """Count a peer that does not read what it is sent."""

    @property
    def ended(self) -> bool:
        """Whether the session is over, and has left or tried to."""
        return self._left

    def told_at_end(self) -> dict[str, object]:
        """What the trace is told when the connection is over."""
        return {
            self.dialect.peer: self.name,
            "local": self.local_address,
            "remote": self.address,
            "reason": self._ending,
        }

    def close(self, reason: str) -> None:
        """End the session; what is queued is still sent."""
        self._turn(lambda: self._core.end_session(reason))

    async def run(self) -> None:
        """Serve the connection until it ends."""
        peer = f"{self.address[0]}:{self.address[1]}"
        try:
            async with trio.open_nursery() as nursery:
                self._nursery, self._scope = nursery, nursery.cancel_scope
                await self._converse(map_os_errors(peer))
                self._end("connection closed")
        except* ConnectionLost as lost:
            self._end(str(lost.exceptions[0]))
        except* Exception as bugs:  # noqa: BLE001  # reported, and this session ended
            self._report(bugs)
            self._end("internal error")
        finally:
            self._end("server closed")

    async def _converse(self, os_errors: AbstractContextManager[None]) -> None:
        """Read and answer, and look at the core's deadlines, until the session is over."""
        while not self._ending:
            with trio.CancelScope() as self._alarm:
                self._look_sooner()
                await self._read(os_errors)
            if self._alarm.cancelled_caught and not self._ending:
                await self.turns.begin()
                self._turn(self._look_at_clock)
                self.turns.end()

    async def _read(self, os_errors: AbstractContextManager[None]) -> None:
        """Read and answer; an alarm leaves what waits for its turn where it is."""
        while not self._ending:
            if self._put_off is None:
                try:
                    with os_errors:
                        data = await self._receive_some()
                except ConnectionLost as lost:
                    # When hundreds are gone at once, that is much to do.
                    await self.turns.begin(last=True)
                    self._end(str(lost))
                    self.turns.end()
                    return
                said = functools.partial(self._receive, bytes(data))
                self._put_off = _Step(said, size=len(data), last=not data)
                # Thousands that are quiet would each keep what they said last.
                del data, said
            await self._answer()

    async def _receive_some(self) -> bytes | bytearray:
        """What the peer says next; nothing when it has closed its side."""
        if self._socket is None:
            return await self._stream.receive_some(self.read_size)
        # A stream tries first, where mostly nothing is there, and takes twice as long.
        while True:
            await trio.lowlevel.wait_readable(self._socket)
            try:
                return os.read(self._socket.fileno(), self.read_size)
            except BlockingIOError:
                pass

    async def _answer(self) -> None:
        """Take what the peer said, or that it closed its side, in as many turns as that needs."""
        while (step := self._put_off) is not None and not self._ending:
            if step.at:
                await trio.sleep_until(step.at)
            await self.turns.begin(step.size, last=step.last)
            self._put_off = None
            if not self._ending:
                self._turn(step.run, splits=True)
            self.turns.end()

    def _receive(self, data: bytes) -> None:
        if data:
            self._core.receive_data(data, trio.current_time())
        else:
            self._core.receive_eof(trio.current_time())

    def _turn(self, step: Callable[[], None], *, splits: bool = False) -> None:
        """Do something to the session, and deal with what comes of it: the guard around it.

        Whatever goes wrong ends this session, before anybody else's turn: others send to us until
        we end. There is nothing to await in here, so no cancellation can come this way.

        One that ``splits`` leaves the rest to another turn when this one has been long enough.
        """
        core, turns = self._core, self._server.turns
        outermost = not turns.in_turn
        self._in_turn = turns.in_turn = True
        try:
            step()
            while (self._put_off is None and not self._ending) or core.closed:
                event = core.next_event()
                if event is None:
                    break
                try:
                    self._handle_event(event)
                except RemoteProtocolError as error:
                    raise _not_of_the_peer(error) from error
                if splits and self._put_off is None and self.turns.is_over():
                    self._put_off = _GO_ON
            if outermost:
                # Who is told of a turn knows of it before the one whose turn it is has an answer.
                turns.let_go()
            self._flush(at_once=True)
        except RemoteProtocolError as error:
            self._server.counters.protocol_errors += 1
            self._record_error(error)
            self._end(f"protocol error: {error}")
        except Exception as error:  # noqa: BLE001  # reported, and this session ended
            self._report(error)
            self._end("internal error")
        finally:
            self._in_turn = False
            if outermost:
                try:
                    turns.let_go()
                finally:
                    turns.in_turn = False
        self._frame = b""

    def _put_off_for(self, seconds: float, step: Callable[[], None]) -> None:
        """Take the step in a later turn; until then nothing else of the peer's is looked at."""

        def guarded() -> None:
            try:
                step()
            except RemoteProtocolError as error:
                raise _not_of_the_peer(error) from error

        self._put_off = _Step(guarded, trio.current_time() + seconds)

    def _tell(self, say: Callable[[], None]) -> None:
        """Queue messages by ``say``; dropped when the session is over.

        What cannot be sent ends this session as a bug does: whoever sends is in the middle of
        something, most often of another peer's call.
        """
        if self._ending:
            return
        try:
            say()
            if not self._in_turn:
                self._server.turns.afterwards(self._flush_told)
        except Exception as error:  # noqa: BLE001  # reported, and this session ended
            self._report(error)
            self._abandon("internal error")

    def _flush_told(self) -> None:
        try:
            self._flush(at_once=self.writes_at_once)
        except Exception as error:  # noqa: BLE001  # reported, and this session ended
            self._report(error)
            self._abandon("internal error")

    def _flush(self, *, at_once: bool) -> None:
        """Give the socket what is queued; what it does not take at once a task sends."""
        data = self._core.data_to_send()
        if at_once and data and not self._outgoing:
            data = data[self._written(data) :]
        if not data:
            return
        self._outgoing += data
        if len(self._outgoing) > self._most_unsent() and not self._ending:
            self._note_slow()
            self._abandon("does not read what it is sent")
        elif not self._writing and not self._scope.cancel_called:
            # A lost link cancels before its task runs and says so; then nobody writes any more.
            assert self._nursery is not None
            self._writing = True
            self._nursery.start_soon(self._write)

    def _written(self, data: bytes) -> int:
        """How many bytes the socket takes now: nearly always all, and no task has to be woken."""
        if self._socket is None:
            return 0
        try:
            return os.write(self._socket.fileno(), data)
        except OSError:
            # Full or broken: a task waits, or finds out and ends the session.
            return 0

    async def _write(self) -> None:
        """Send what the socket did not take at once, and what is queued meanwhile."""
        with map_os_errors(f"{self.address[0]}:{self.address[1]}"):
            while self._outgoing:
                data = bytes(self._outgoing)
                await self._stream.send_all(data)
                del self._outgoing[: len(data)]
        self._writing = False
        if self._ending:
            self._scope.cancel()

    def _look_at_clock(self) -> None:
        core = self._core
        was_closed = core.closed
        core.handle_deadline(trio.current_time())
        self._server.counters.timeouts += core.closed and not was_closed

    def _look_sooner(self) -> None:
        """Set the alarm by the deadline of the core, which may have come nearer."""
        deadline = self._core.next_deadline()
        if deadline is not None:
            self._alarm.deadline = deadline

    def _note_frame(self, frame: bytes) -> None:
        self._frame = frame
        if self._traced is not None:
            self._traced.received(frame)

    def _record_error(self, error: BaseException) -> None:
        trace = self._server.trace
        if trace is not None:
            fields = {self.dialect.peer: self.name, "remote": self.address, "error": str(error)}
            trace(EventRecord(time.time(), f"{self.dialect.protocol}.protocol_error", fields))

    def _report(self, error: Exception) -> None:
        server, dialect = self._server, self.dialect
        server.counters.internal_errors += 1
        message, frame = told_of(
            self._frame,
            id_at=dialect.id_at,
            spelling=dialect.spelling,
            kinds=dialect.kinds,
            keyed=dialect.keyed,
        )
        report_fault(
            error,
            protocol=dialect.protocol,
            who=self.name,
            remote=self.address,
            message=message,
            frame=frame,
            trace=server.trace,
            now=time.time(),
            times=server.told_bugs.told(trio.current_time()),
        )

    def _abandon(self, reason: str) -> None:
        """End as soon as our own task runs: the owner may be in the middle of another's call."""
        self._stop(reason)
        self._scope.cancel()

    def _linger(self) -> None:
        """Leave the peer little time to close the connection itself."""
        self._scope.deadline = min(self._scope.deadline, trio.current_time() + LINGER)

    def _stop(self, reason: str) -> None:
        if self._ending:
            return
        self._ending = reason
        # Where there is no memory for the last messages, the session ends without them.
        with contextlib.suppress(Exception):
            self._flush(at_once=True)
        if self._outgoing:
            # A peer that does not read loses them.
            self._linger()
        else:
            self._scope.cancel()

    def _end(self, reason: str) -> None:
        self._stop(reason)
        if self._left:
            return
        self._left = True
        try:
            self._leave()
        except Exception as error:  # noqa: BLE001  # reported; the session has ended already
            self._report(error)


def _not_of_the_peer(error: RemoteProtocolError) -> InternalError:
    """The bug behind an error that shows when whole frames of the peer's are dealt with.

    It comes from whoever was told of them, and the peer is not to blame.
    """
    return InternalError(f"{type(error).__name__}: {error}")


def _do_nothing() -> None:
    """Take no step: there was more to do than a turn is long."""


_GO_ON = _Step(_do_nothing)

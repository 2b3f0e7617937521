"""A connection that a server has accepted: what waits for its turn, and the clock meanwhile."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import trio
import trio.testing

from pa_telephony import cti
from pa_telephony.cti.server.application import ApplicationSession
from pa_telephony.faults import Seldom
from pa_telephony.peer import ServedPeer
from pa_telephony.serving import PeerCounters
from pa_telephony.turns import Turns

LATE = 10.0


class Core:
    """Says each piece of data as an event, and wants to be looked at at stated times."""

    def __init__(self, *deadlines: float) -> None:
        self.closed = False
        self.looked_at: list[float] = []
        self.told: list[str] = []
        """Who was told something, in order."""
        self._deadlines = list(deadlines)
        self._events: list[str] = []

    def receive_data(self, data: bytes, now: float) -> None:
        self._events.append(data.decode())

    def receive_eof(self, now: float) -> None:
        self._events.append("eof")

    def next_event(self) -> str | None:
        return self._events.pop(0) if self._events else None

    def next_deadline(self) -> float | None:
        return self._deadlines[0] if self._deadlines else None

    def handle_deadline(self, now: float) -> None:
        self.looked_at.append(now)
        del self._deadlines[0]

    def end_session(self, reason: str) -> None:
        self.closed = True

    def data_to_send(self) -> bytes:
        self.told.append("the peer")
        return b""

    def watch_frames(self, received: object, sent: object) -> None:
        pass


class Peer(ServedPeer[Any, Any]):
    """Answers what it is told LATE s later."""

    dialect = ApplicationSession.dialect
    read_size = 100
    writes_at_once = True

    def __init__(self, core: Core) -> None:
        self.answered: list[tuple[float, str]] = []
        turns = self.turns_of_all = Turns(work=float)
        server = SimpleNamespace(
            counters=PeerCounters(), trace=None, turns=turns, told_bugs=Seldom()
        )
        address = ("127.0.0.1", 2748)
        of = SimpleNamespace(getsockname=lambda: address, getpeername=lambda: address)
        self.other, stream = trio.testing.memory_stream_pair()
        transport = cast("trio.SocketStream", SimpleNamespace(socket=of))
        super().__init__(server, stream, transport, core)

    @property
    def name(self) -> str:
        return "peer"

    def _handle_event(self, event: str) -> None:
        if event == "eof":
            self._stop("closed")
        else:
            self._put_off_for(LATE, lambda: self._answered(event))

    def _answered(self, event: str) -> None:
        self.turns_of_all.afterwards(lambda: self._core.told.append("another"))
        self.answered.append((trio.current_time(), event))

    def _leave(self) -> None:
        pass

    def _most_unsent(self) -> int:
        return cti.CtiManagerConfig().max_unsent

    def _note_slow(self) -> None:
        pass


async def serve(core: Core, *said: bytes) -> list[tuple[float, str]]:
    """When each of the things that are said, one a second, was answered, in s from the start."""
    peer = Peer(core)
    begin = trio.current_time()
    assert begin == 0
    with trio.fail_after(1000):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(peer.run)
            for each in said:
                await peer.other.send_all(each)
                await trio.sleep(1)
            await trio.sleep(100)
            await peer.other.aclose()
    assert peer.ended
    return peer.answered


async def test_an_alarm_leaves_an_answer_that_waits_where_it_is() -> None:
    core = Core(4.0, 7.0)
    assert await serve(core, b"a") == [(LATE, "a")]
    assert core.looked_at == [4.0, 7.0]


async def test_an_alarm_at_a_time_of_silence_loses_nothing_that_comes_later() -> None:
    core = Core(0.5, 50.0)
    assert await serve(core, b"a", b"b") == [(LATE, "a"), (2 * LATE, "b")]
    assert core.looked_at == [0.5, 50.0]


async def test_without_a_deadline_nobody_looks_at_the_clock() -> None:
    core = Core()
    await serve(core, b"a")
    assert core.looked_at == []


async def test_others_are_told_of_a_turn_before_the_one_whose_turn_it_is() -> None:
    core = Core()
    await serve(core, b"a")
    assert core.told[: core.told.index("another") + 2] == ["the peer", "another", "the peer"]

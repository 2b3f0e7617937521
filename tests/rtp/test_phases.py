"""Ports are served in phases: no burst of all, a steady rhythm, and nothing is left unread."""

from __future__ import annotations

import contextlib
import itertools
import socket
from collections.abc import AsyncGenerator, Iterator
from typing import cast

import numpy as np
import pytest
import trio
from loopback import HOST

from pa_telephony import rtp
from pa_telephony.rtp import Audio, Codec, Engine, EngineConfig, Media, Packet, Port
from pa_telephony.rtp.g711 import Samples, ulaw_decode, ulaw_encode
from pa_telephony.rtp.mixer import Loop
from pa_telephony.rtp.pacing import Pacer
from pa_telephony.rtp.phase import TICK, Phase
from pa_telephony.rtp.rows import holds, numbers, whole

pytestmark = pytest.mark.usefixtures("both_ways")

BETWEEN_TICKS = 1.4 * TICK
"""After so long the engine has ticked once, and nothing that is done is done during a tick."""


@contextlib.asynccontextmanager
async def an_engine(first_port: int, ports: int = 8) -> AsyncGenerator[Engine]:
    config = EngineConfig(max_ports=ports, quarantine=0.0)
    async with rtp.open_engine(address=HOST, first_port=first_port, config=config) as engine:
        yield engine


class Peer:
    """The far end of one port: sends what it is told to, and hears how much comes."""

    def __init__(self, port: Port) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._socket.setblocking(False)
        self._port = port
        self._sent = 0
        port.start_receiving()
        port.start_sending(self._socket.getsockname())

    def send(self, packets: int = 1) -> None:
        for _ in range(packets):
            number = self._sent
            packet = Packet(sequence_number=number, timestamp=number * 160, payload=bytes(160))
            self.send_data(bytes(packet))
            self._sent += 1

    def send_data(self, data: bytes) -> None:
        self._socket.sendto(data, self._port.local_address)

    async def talk(self, ticks: int) -> None:
        for _ in range(ticks):
            self.send()
            await trio.sleep(TICK)

    def heard(self) -> int:
        count = 0
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(2048):
                count += 1
        return count

    def close(self) -> None:
        self._socket.close()


def phases_of(ports: list[Port]) -> list[float]:
    """How far into the 20 ms ports are served, in ms, each once."""
    first = ports[0].next_tick
    return sorted({round((port.next_tick - first) % TICK * 1000, 3) % 20 for port in ports})


async def test_a_few_ports_are_one_phase_and_cost_one_wake_up() -> None:
    async with an_engine(42400) as engine:
        assert phases_of([engine.open_port() for _ in range(8)]) == [0.0]


async def test_many_ports_are_spread_over_the_20_ms() -> None:
    async with an_engine(30000, 1500) as engine:
        ports = [engine.open_port() for _ in range(1500)]
        assert phases_of(ports) == [0.0, 2.5, 5.0, 10.0, 12.5, 15.0]


async def test_a_port_keeps_its_rhythm_when_others_come_and_go() -> None:
    async with an_engine(30000, 800) as engine:
        ports = [engine.open_port() for _ in range(800)]
        before = [port.next_tick for port in ports[::100]]
        for port in ports[1::2]:
            port.close()
        await trio.sleep(10 * TICK)
        for port in [engine.open_port() for _ in range(100)]:
            assert port.next_tick > 0
        ticks = [
            (port.next_tick - due) / TICK for port, due in zip(ports[::100], before, strict=True)
        ]
        assert ticks == pytest.approx([round(each) for each in ticks], abs=1e-6)


async def test_ports_of_every_phase_send_and_hear() -> None:
    async with an_engine(30000, 800) as engine:
        ports = [engine.open_port() for _ in range(800)]
        spread = ports[::200]
        assert len(phases_of(spread)) > 1
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(contextlib.closing(Peer(port))) for port in spread]
            await trio.sleep(BETWEEN_TICKS)
            for _ in range(50):
                for peer in peers:
                    peer.send()
                await trio.sleep(TICK)
            assert [port.stats.received for port in spread] == [50] * len(spread)
            assert all(50 <= peer.heard() <= 52 for peer in peers)


async def test_what_ports_need_now_and_then_is_never_done_for_all_in_one_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With 1,300 calls all their reports fell into the same 20 ms, and made packets 8 ms late."""
    seen: dict[tuple[float, int], list[tuple[int, list[int]]]] = {}
    in_turn = Phase.in_turn

    def watched(phase: Phase, every: int) -> list[int]:
        rows = in_turn(phase, every)
        seen.setdefault((phase.offset, every), []).append((phase.ticks, rows))
        return rows

    monkeypatch.setattr(Phase, "in_turn", watched)
    async with an_engine(30000, 600) as engine:
        ports = [engine.open_port() for _ in range(600)]
        await trio.sleep(101 * TICK)
        assert len(phases_of(ports)) == 3
    assert {every for _, every in seen} == {25, 50}
    for (_, every), turns in seen.items():
        ticks = [ticks for ticks, rows in turns if rows]
        most = max(len(rows) for _, rows in turns)
        assert {later - earlier for earlier, later in itertools.pairwise(ticks)} == {5}
        assert most == 250 * 5 // every or most == 100 * 5 // every
        there = sorted(row for _, rows in turns[1 : 1 + every] for row in rows)
        assert there == sorted(set(there))
        assert len(there) in {250, 100}
    first = {offset: turns[0][0] % 5 for (offset, _), turns in seen.items()}
    assert len(set(first.values())) == len(first), "phases have their turns in different ticks"


async def test_a_closed_port_has_no_next_tick() -> None:
    async with an_engine(42420) as engine:
        port = engine.open_port()
        port.close()
        assert port.next_tick == float("inf")


async def test_a_burst_behind_a_gap_is_read_at_once() -> None:
    async with an_engine(42440) as engine:
        port = engine.open_port()
        with contextlib.closing(Peer(port)) as peer:
            await trio.sleep(BETWEEN_TICKS)
            await peer.talk(40)
            await trio.sleep(5 * TICK)
            peer.send(6)
            await trio.sleep(TICK)
            assert port.stats.received == 46


@pytest.mark.parametrize("silent", [5, 15, 90])
async def test_a_peer_that_was_silent_for_ticks_is_heard_again_in_the_next(silent: int) -> None:
    async with an_engine(42460) as engine:
        port = engine.open_port()
        with contextlib.closing(Peer(port)) as peer:
            await trio.sleep(BETWEEN_TICKS)
            await peer.talk(40)
            await trio.sleep(silent * TICK)
            for heard in range(41, 60):
                await peer.talk(1)
                assert port.stats.received == heard


async def test_what_a_fast_sender_is_ahead_does_not_wait_for_long() -> None:
    async with an_engine(42480) as engine:
        port = engine.open_port()
        with contextlib.closing(Peer(port)) as peer:
            await trio.sleep(BETWEEN_TICKS)
            await peer.talk(40)
            peer.send(2)
            for _ in range(16):
                await peer.talk(1)
            assert port.stats.received == 58


async def test_an_engine_that_missed_ticks_reads_all_that_came_meanwhile() -> None:
    async with an_engine(42500) as engine:
        port = engine.open_port()
        with contextlib.closing(Peer(port)) as peer:
            await trio.sleep(BETWEEN_TICKS)
            await peer.talk(40)
            peer.send(7)
            engine.tick(trio.current_time(), missed=6)
            assert port.stats.received == 47


async def test_what_came_while_it_was_held_up_is_heard_in_order_and_none_is_left_out() -> None:
    """30 packets are more than a playout ring has slots for; each is heard in its own tick."""
    heard: list[int] = []
    async with an_engine(42510) as engine:
        port = engine.open_port()
        with contextlib.closing(Peer(port)) as peer:
            await trio.sleep(BETWEEN_TICKS)
            await peer.talk(40)
            port.listeners.append(lambda frame: heard.append(int(frame[0])))
            for number in range(40, 70):
                sound = Packet(
                    sequence_number=number, timestamp=number * 160, payload=bytes([number]) * 160
                )
                peer.send_data(bytes(sound))
            engine.tick(trio.current_time(), missed=29)
            assert len(heard) == 30
            assert heard[-27:] == ulaw_decode(bytes(range(40, 67))).tolist()
            stats = port.stats
            assert (stats.received, stats.late, stats.skipped, stats.restarts) == (70, 0, 0, 0)


@contextlib.asynccontextmanager
async def three_calls(first_port: int) -> AsyncGenerator[tuple[Engine, list[Port], list[Peer]]]:
    """Calls that have gone on for 40 ticks; a key that the first one presses ends the others."""
    async with an_engine(first_port) as engine:
        ports = [engine.open_port() for _ in range(3)]
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(contextlib.closing(Peer(port))) for port in ports]
            for port in ports:
                port.start_receiving(dtmf_payload_type=101)
            await trio.sleep(BETWEEN_TICKS)
            for _ in range(40):
                for peer in peers:
                    peer.send()
                await trio.sleep(TICK)

            def end(_digit: str) -> None:
                for port in ports[1:]:
                    port.close()

            ports[0].on_digit = end
            yield engine, ports, peers


def a_key(number: int) -> bytes:
    """The packet of that number, in which key 5 begins."""
    event = b"\5\n\0\xa0"
    timestamp = number * 160
    return bytes(
        Packet(payload_type=101, sequence_number=number, timestamp=timestamp, payload=event)
    )


@pytest.mark.parametrize("missed", [1, 2, 5])
async def test_a_key_may_end_other_calls_in_a_tick_that_is_made_up_for(missed: int) -> None:
    async with three_calls(42530) as (engine, ports, peers):
        for peer in peers:
            peer.send(2)
        peers[0].send_data(a_key(42))
        for peer in peers[1:]:
            peer.send(6)
        engine.tick(trio.current_time(), missed=missed)
        assert [port.closed for port in ports] == [False, True, True]
        assert ports[0].stats.received == 43
        await trio.sleep(2 * TICK)
        assert engine.statistics.broken_ticks == 0


async def test_a_key_may_end_other_calls_in_the_tick_in_which_it_is_read() -> None:
    async with three_calls(42520) as (engine, ports, peers):
        peers[0].send_data(a_key(40))
        for peer in peers[1:]:
            peer.send(3)
        await trio.sleep(2 * TICK)
        assert [port.closed for port in ports] == [False, True, True]
        assert engine.statistics.broken_ticks == 0


class Ready:
    """A sound that lies ready as payloads, all but its end."""

    def __init__(self, payloads: Iterator[bytes], rest: Samples) -> None:
        self._payloads = payloads
        self._rest = rest

    def payloads(self, codec: Codec) -> Iterator[bytes]:
        assert codec is Codec.PCMU
        return self._payloads

    def read(self, count: int) -> Samples:
        rest, self._rest = self._rest[:count], self._rest[count:]
        return rest


def loud(samples: int) -> Samples:
    return np.full(samples, 8031, np.int16)


LOUD = ulaw_encode(loud(160))


async def test_a_sound_that_lies_ready_is_heard_with_its_end_and_once() -> None:
    async with an_engine(42540) as engine:
        left, right = engine.open_port(), engine.open_port()
        for one, other in ((left, right), (right, left)):
            one.start_receiving()
            one.start_sending(other.local_address)
        left.source = Ready(iter([LOUD] * 5), loud(40))
        with Media(right).record() as recording:
            await trio.sleep(20 * TICK)
        assert np.flatnonzero(recording.samples).size == 5 * 160 + 40
        assert left.source is None


async def test_a_sound_that_begins_when_the_one_before_has_ended_ends_in_silence() -> None:
    """What was to fall silent in that tick had no silence behind its next sound."""
    async with an_engine(42560) as engine:
        left, right = engine.open_port(), engine.open_port()
        for one, other in ((left, right), (right, left)):
            one.start_receiving()
            one.start_sending(other.local_address)
        sounds = [loud(200), loud(200)]

        def begin_next(_frame: Samples) -> None:
            if left.source is None and sounds:
                left.source = Ready(iter([LOUD] * 2), sounds.pop())

        left.listeners.append(begin_next)
        with Media(right).record() as recording:
            await trio.sleep(40 * TICK)
        assert np.flatnonzero(recording.samples).size == 2 * (2 * 160 + 200)


async def test_a_sound_goes_on_where_it_was_when_the_codec_changes() -> None:
    # So far apart that both laws tell them from each other.
    steps = np.repeat(np.arange(1, 32, dtype=np.int16) * 260, 160)
    async with an_engine(42640) as engine:
        left, right = engine.open_port(), engine.open_port()
        right.start_receiving()
        right.start_sending(left.local_address)
        left.start_sending(right.local_address)
        with Media(right).record() as recording:
            left.source = Loop(Audio(steps))
            await trio.sleep(10.5 * TICK)
            left.stop_sending()
            right.start_receiving(Codec.PCMA)
            left.start_sending(right.local_address, Codec.PCMA)
            await trio.sleep(20 * TICK)
        heard = [round(int(each) / 260) for each in recording.samples[80::160] if each > 130]
        # What waited to be played goes with the stream that is closed.
        assert heard[:5] == [1, 2, 3, 4, 5]
        assert heard == sorted(set(heard))
        assert max(heard) >= 20


def test_a_sound_is_encoded_once_for_all_who_play_it() -> None:
    sound = Audio(loud(480))
    first, second = (list(sound.payloads(Codec.PCMU, range(3))) for _ in range(2))
    assert first == [LOUD] * 3
    assert all(one is other for one, other in zip(first, second, strict=True))


def test_a_sound_above_five_minutes_is_not_encoded_all_at_once() -> None:
    minutes = 60 * 8000
    assert Audio(np.zeros(5 * minutes, np.int16)).whole_frames == 5 * 60 * 50
    assert Audio(np.zeros(5 * minutes + 160, np.int16)).whole_frames == 0


@pytest.mark.parametrize(
    "payload", [None, "no octets", "x" * 160, np.zeros((160, 2)), [1, 2, 3], [1] * 160, 7]
)
async def test_payloads_that_are_none_end_their_own_sound_alone(payload: object) -> None:
    async with an_engine(42620) as engine:
        ports = [engine.open_port() for _ in range(2)]
        for port in ports:
            port.start_sending((HOST, 9))
        ports[0].source = Ready(cast("Iterator[bytes]", iter([payload])), loud(0))
        ports[1].source = Ready(iter([LOUD] * 100), loud(0))
        await trio.sleep(5 * TICK)
        assert [port.source is None for port in ports] == [True, False]
        assert engine.statistics.broken_ticks == 0


@pytest.mark.makes_bugs
async def test_payloads_that_fail_end_their_own_sound_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def failing() -> Iterator[bytes]:
        yield LOUD
        raise OverflowError("no more")

    async with an_engine(42560) as engine:
        ports = [engine.open_port() for _ in range(4)]
        for port in ports:
            port.start_sending((HOST, 9))
        ports[1].source = Ready(failing(), loud(0))
        for port in (ports[0], ports[2]):
            port.source = Ready(iter([LOUD] * 100), loud(0))
        await trio.sleep(10 * TICK)
        assert [port.source is None for port in ports] == [False, True, False, True]
        assert engine.statistics.broken_ticks == 0
    assert "no more" in caplog.text


async def test_behind_a_key_that_puts_its_call_on_hold_nothing_is_heard() -> None:
    async with an_engine(42580) as engine:
        port = engine.open_port()
        with contextlib.closing(Peer(port)) as peer:
            port.start_receiving(dtmf_payload_type=101)
            port.on_digit = lambda _digit: port.stop_receiving()
            await trio.sleep(BETWEEN_TICKS)
            await peer.talk(40)
            heard: list[int] = []
            await trio.sleep(4 * TICK)
            port.listeners.append(lambda frame: heard.append(int(np.abs(frame).max())))
            key = Packet(
                payload_type=101, sequence_number=40, timestamp=6400, payload=b"\5\n\0\xa0"
            )
            peer.send_data(bytes(key))
            peer.send(3)
            await trio.sleep(10 * TICK)
            assert set(heard) == {0}
            assert (port.stats.received, port.stats.foreign) == (41, 3)


@pytest.mark.parametrize("through", [0.25, 0.5, 1.0])
async def test_a_port_opened_when_the_last_one_is_closed_has_a_rhythm_of_its_own(
    through: float,
) -> None:
    async with an_engine(42600) as engine:
        port = engine.open_port()
        await trio.sleep((3 + through) * TICK)
        port.close()
        port = engine.open_port()
        due = port.next_tick
        with contextlib.closing(Peer(port)) as peer:
            await trio.sleep_until(due - TICK / 10)
            assert peer.heard() == 0
            for _ in range(5):
                await trio.sleep(TICK)
                assert peer.heard() == 1
        assert engine.statistics.missed_ticks == 0


class Source:
    """A source that gives whatever it was made with."""

    def __init__(self, samples: object) -> None:
        self._samples = cast("Samples", samples)

    def read(self, count: int) -> Samples:
        return self._samples


@pytest.mark.makes_bugs
@pytest.mark.parametrize(
    "samples",
    [np.ones(161, np.int16), np.ones((160, 2), np.int16), None],
    ids=["long", "2", "none"],
)
async def test_a_source_that_gives_no_frame_is_told_of_and_left(
    samples: object, caplog: pytest.LogCaptureFixture
) -> None:
    async with an_engine(42580) as engine:
        ports = [engine.open_port() for _ in range(2)]
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(contextlib.closing(Peer(port))) for port in ports]
            for port in ports:
                port.source = Source(samples if port is ports[0] else np.ones(160, np.int16))
            await trio.sleep(5 * TICK + TICK / 2)
            assert [peer.heard() for peer in peers] == [5, 5]
        assert [port.source is None for port in ports] == [True, False]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_the_pacer_follows_a_clock_that_a_test_moves() -> None:
    pacer = Pacer()
    started = trio.current_time()
    for step in range(1, 100):
        await pacer.until(started + step * TICK)
        assert trio.current_time() == pytest.approx(started + step * TICK)
    pacer.close()


@pytest.mark.real_time
async def test_the_pacer_never_wakes_early_and_passes_a_time_that_is_over() -> None:
    pacer = Pacer()
    for _ in range(5):
        due = trio.current_time() + 0.003
        await pacer.until(due)
        assert trio.current_time() >= due - 1e-6
        await pacer.until(due)
    pacer.close()
    pacer.close()


async def test_a_pacer_can_be_cancelled_while_it_waits() -> None:
    pacer = Pacer()
    with trio.move_on_after(0.001) as scope:
        await pacer.until(trio.current_time() + 0.5)
    assert scope.cancelled_caught
    pacer.close()


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([], slice(0, 0)),
        ([3], slice(3, 4)),
        ([2, 3, 4], slice(2, 5)),
        ([2, 4, 5], None),
        ([3, 2], None),
    ],
)
def test_rows_that_follow_each_other_are_a_slice(rows: list[int], named: slice | None) -> None:
    found = whole(np.array(rows, np.int64))
    assert (found == named) if named is not None else not isinstance(found, slice)
    assert numbers(found).tolist() == rows
    assert [row for row in range(8) if holds(found, row)] == sorted(rows)

"""A sender's clock may jump, stand still or run wrong: whoever talks in time is heard."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import trio
from hypothesis import given, strategies as st
from loopback import HOST

from pa_telephony import rtp
from pa_telephony.rtp.g711 import ULAW_TO_LINEAR
from pa_telephony.rtp.inbound import Inbound
from pa_telephony.rtp.jitter import FRAME, PATIENCE, JitterBuffer
from pa_telephony.rtp.packet import Codec, Packet

SECOND = 50 * FRAME

CLOCKS: dict[str, Callable[[int], int]] = {
    "as it should be": lambda i: 1000 + FRAME * i,
    "once ahead": lambda i: 1000 + FRAME * i + (160_000 if i >= 500 else 0),
    "once back": lambda i: 10**6 + FRAME * i - (160_000 if i >= 500 else 0),
    "ahead, rarely": lambda i: 1000 + FRAME * i + SECOND * (i // 50),
    "ahead, every 10": lambda i: 1000 + FRAME * i + SECOND * (i // 10),
    "ahead, every 5": lambda i: 1000 + FRAME * i + SECOND * (i // 5),
    "ahead, every 3": lambda i: 1000 + FRAME * i + SECOND * (i // 3),
    "ahead by little": lambda i: 1000 + FRAME * i + 2 * FRAME * (i // 7),
    "ahead by odd samples": lambda i: 1000 + FRAME * i + 333 * (i // 7),
    "back, every 10": lambda i: 10**7 + FRAME * i - 800 * (i // 10),
    "back, every 5": lambda i: 10**7 + FRAME * i - 800 * (i // 5),
    "back by little": lambda i: 10**7 + FRAME * i - 2 * FRAME * (i // 7),
    "two in turn": lambda i: 1000 + FRAME * i + (40_000 if i % 2 else 0),
    "standing still": lambda _: 1000,
    "twice as fast": lambda i: 1000 + 2 * FRAME * i,
    "half as fast": lambda i: 1000 + FRAME * i // 2,
    "counting packets": lambda i: 1000 + i,
    "running backwards": lambda i: 10**7 - FRAME * i,
    "158 and 162": lambda i: 1000 + FRAME * i - (2 if i % 2 else 0),
    "160 and a bit": lambda i: 1000 + FRAME * i + (i * 37 % 15 - 7),
    "161": lambda i: 1000 + 161 * i,
    "anything": lambda i: random.Random(i).randrange(1 << 32),
}


@dataclass
class Arrival:
    """A packet of 20 ms, by the tick in which it comes."""

    tick: int
    sequence: int
    timestamp: int
    sound: int = 1

    @property
    def data(self) -> bytes:
        return bytes(
            Packet(
                sequence_number=self.sequence & 0xFFFF,
                timestamp=self.timestamp & 0xFFFFFFFF,
                ssrc=1,
                payload=bytes([self.sound]) * FRAME,
            )
        )


def stream(clock: Callable[[int], int], count: int = 1000) -> list[Arrival]:
    return [Arrival(i, 65_000 + i, clock(i), 1 + i % 100) for i in range(count)]


class Hearing:
    """What a row of the engine plays of packets; which sound each frame is, None for silence."""

    def __init__(self, arrivals: Iterable[Arrival], ticks: int) -> None:
        self.inbound = Inbound(1)
        self.inbound.open(0)
        self.inbound.listen(0, Codec.PCMU, None, 0.0)
        self.frames: list[int | None] = []
        queue = sorted(arrivals, key=lambda arrival: arrival.tick)
        for tick in range(ticks):
            while queue and queue[0].tick <= tick:
                data = queue.pop(0).data
                self.inbound.views[0][: len(data)] = data
                self.inbound.accept(np.array([0]), [len(data)], tick * 0.02)
            self.inbound.take(np.array([0]))
            first = int(self.inbound.frame[0][0])
            whole = (self.inbound.frame[0] == first).all()
            self.frames.append(SOUNDS.get(first) if whole else None)

    @property
    def played(self) -> list[int]:
        return [frame for frame in self.frames if frame is not None]

    def count(self, name: str) -> int:
        return int(getattr(self.inbound, name)[0])


SOUNDS = {int(ULAW_TO_LINEAR[sound]): sound for sound in range(1, 101)}


@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
def test_whoever_talks_in_time_is_heard_whatever_the_clock(clock: Callable[[int], int]) -> None:
    packets = stream(clock)
    hearing = Hearing(packets, 1060)
    assert len(hearing.played) >= 990
    counts = ("lost", "late", "duplicates", "reordered", "skipped")
    assert {name: hearing.count(name) for name in counts} == dict.fromkeys(counts, 0)


@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
def test_the_reference_hears_it_without_sequence_numbers(clock: Callable[[int], int]) -> None:
    buffer = JitterBuffer()
    played = 0
    for number in range(1060):
        if number < 1000:
            buffer.insert(clock(number) & 0xFFFFFFFF, bytes(FRAME))
        played += sum(sample is not None for sample in buffer.take())
    assert played >= 990 * FRAME


def test_a_jump_is_counted_and_what_was_queued_is_played_before_it() -> None:
    hearing = Hearing(stream(CLOCKS["once ahead"]), 1060)
    assert hearing.played == [packet.sound for packet in stream(CLOCKS["once ahead"])]
    assert hearing.count("restarts") == 1
    # The jitter of RFC 3550 does not tell of 20 s.
    assert hearing.inbound.jitter[0] < FRAME


def test_a_pause_of_the_sender_is_a_pause_of_what_is_heard() -> None:
    packets = stream(CLOCKS["as it should be"], 100)
    for packet in packets[50:]:
        packet.tick += 25
        packet.timestamp += 25 * FRAME
    hearing = Hearing(packets, 160)
    assert hearing.frames[3:53] == [packet.sound for packet in packets[:50]]
    assert hearing.frames[53:78] == [None] * 25
    assert hearing.frames[78:128] == [packet.sound for packet in packets[50:]]
    assert hearing.count("restarts") == hearing.count("late") == 0


def test_a_pause_in_which_the_clock_stands_is_a_pause_of_what_is_heard() -> None:
    packets = stream(CLOCKS["as it should be"], 100)
    for packet in packets[50:]:
        packet.tick += 250
    hearing = Hearing(packets, 450)
    assert hearing.played == [packet.sound for packet in packets]


@pytest.mark.parametrize("together", [2, 5, 10, 13])
def test_packets_that_come_in_bursts_are_all_played(together: int) -> None:
    packets = stream(CLOCKS["as it should be"])
    late = [replace(each, tick=(each.tick // together + 1) * together) for each in packets]
    hearing = Hearing(late, 1100)
    assert hearing.played == [packet.sound for packet in packets]
    assert hearing.count("lost") == 0


def test_what_a_network_holds_up_for_a_moment_is_played_then_and_the_delay_comes_back() -> None:
    packets = stream(CLOCKS["as it should be"], 4000)
    late = [replace(each, tick=112 if 100 <= each.tick < 112 else each.tick) for each in packets]
    hearing = Hearing(late, 4060)
    # More waits for a while than before, and is left out frame by frame.
    skipped = hearing.count("skipped")
    assert 5 <= skipped <= 4000 / PATIENCE
    assert len(hearing.played) == 4000 - skipped
    assert hearing.played[:120] == [packet.sound for packet in packets[:120]]
    # The more waits, the sooner: twelve frames in 20 s, one each five seconds took a minute.
    assert hearing.frames[100 + 21 * 50] == packets[97 + 21 * 50].sound
    assert hearing.frames[3990] == packets[3987].sound
    assert hearing.count("late") == 1
    assert hearing.count("lost") == 0


@pytest.mark.parametrize("pace", [0.98, 0.995, 0.999, 1.001, 1.005, 1.02])
def test_a_clock_that_drifts_loses_no_more_than_the_drift(pace: float) -> None:
    packets = stream(CLOCKS["as it should be"], 2000)
    drifting = [replace(each, tick=int(each.tick * pace)) for each in packets]
    hearing = Hearing(drifting, int(2000 * pace) + 60)
    assert len(hearing.played) >= 2000 * min(1.0, pace) - 2
    assert hearing.count("lost") == 0


def test_loss_is_what_never_came_and_all_else_has_its_own_counter() -> None:
    packets = stream(CLOCKS["as it should be"], 200)
    packets[20].tick += 1
    packets[21].tick -= 1
    packets[50].tick += 10
    arrived = [each for number, each in enumerate(packets) if number not in (70, 71, 90)]
    arrived += [packets[30], packets[100], packets[100]]
    hearing = Hearing(arrived, 260)
    counts = ("lost", "late", "duplicates", "reordered", "restarts", "skipped", "packets")
    assert {name: hearing.count(name) for name in counts} == {
        "lost": 3,
        "late": 1,
        "duplicates": 3,
        "reordered": 2,
        "restarts": 0,
        "skipped": 0,
        "packets": 200,
    }
    missing = {50, 70, 71, 90}
    assert hearing.played == [each.sound for n, each in enumerate(packets) if n not in missing]


def test_losses_across_sources_add_up() -> None:
    hearing = Hearing([], 0)
    inbound = hearing.inbound
    for ssrc, numbers in ((1, (5, 7)), (2, (100, 101, 104))):
        now = ssrc * 10.0
        for number in numbers:
            data = bytes(Packet(sequence_number=number, ssrc=ssrc, payload=bytes(FRAME)))
            inbound.views[0][: len(data)] = data
            inbound.accept(np.array([0]), [len(data)], now)
    # The first packet of another source is on probation.
    assert hearing.count("lost") == 1 + 2


@given(
    st.lists(
        st.tuples(
            st.sampled_from([1] * 12 + [0, 2, 3, -1, -2, 20]),
            st.sampled_from([0] * 12 + [FRAME, -FRAME, 2, 41, -800, 10**6, -(10**6)]),
            st.sampled_from([FRAME] * 12 + [80, 240]),
            st.sampled_from([1] * 9 + [0, 2, 10]),
        ),
        max_size=80,
    ),
    st.sampled_from([0, 0xFFFF - 20]),
)
def test_the_engine_plays_what_the_reference_plays(
    packets: list[tuple[int, int, int, int]], first: int
) -> None:
    inbound, buffer = Inbound(1), JitterBuffer()
    inbound.open(0)
    inbound.listen(0, Codec.PCMU, None, 0.0)
    newest, timestamp, seen = first, 0xFFFFFF00, {first}
    for number, (step, jump, size, ticks) in enumerate(packets):
        timestamp = timestamp + jump
        sequence = newest + step if number else newest
        fresh = number == 0 or (sequence not in seen and sequence >= first)
        seen.add(sequence)
        packet = Packet(
            sequence_number=sequence & 0xFFFF,
            timestamp=timestamp & 0xFFFFFFFF,
            ssrc=1,
            payload=bytes([number + 1]) * size,
        )
        if number == 0 or sequence >= first:
            data = bytes(packet)
            inbound.views[0][: len(data)] = data
            inbound.accept(np.array([0]), [len(data)], number * 0.02)
            step = (step if number else 1) if fresh else 0
            buffer.insert(timestamp & 0xFFFFFFFF, packet.payload, step)
        newest = max(newest, sequence)
        timestamp += size
        for _ in range(ticks):
            inbound.take(np.array([0]))
            played = [0 if each is None else int(ULAW_TO_LINEAR[each]) for each in buffer.take()]
            assert inbound.frame[0].tolist() == played


async def test_a_caller_whose_clock_jumps_is_heard_through_the_engine_and_it_is_counted() -> None:
    async with rtp.open_engine(address=HOST, first_port=42300) as engine:
        port = engine.open_port()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind((HOST, 0))
            port.start_receiving()
            port.start_sending(peer.getsockname())
            with rtp.Media(port).record() as recording:
                for packet in stream(CLOCKS["ahead, every 3"], 50):
                    peer.sendto(packet.data, port.local_address)
                    await trio.sleep(0.02)
                await trio.sleep(0.2)
    assert np.count_nonzero(recording.samples) == 50 * FRAME
    stats = port.stats
    assert (stats.received, stats.lost, stats.late, stats.duplicates) == (50, 0, 0, 0)
    assert stats.restarts == 16

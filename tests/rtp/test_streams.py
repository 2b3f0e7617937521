"""Digits, jitter and sequence numbers come out right whatever the network does to packets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pa_telephony.rtp.dtmf import (
    DigitMerger,
    EventReceiver,
    EventSender,
    digit_of,
    event_of,
)
from pa_telephony.rtp.inbound import Inbound
from pa_telephony.rtp.jitter import FRAME, Inserted, JitterBuffer
from pa_telephony.rtp.packet import Codec, Packet
from pa_telephony.rtp.session import SOURCE_SILENT, Source, SourceFollower

DIGITS = st.text("0123456789*#ABCD", min_size=1, max_size=6)


def packets_of(digits: str) -> list[tuple[bytes, int, bool]]:
    """What a sender sends for digits, a packet each 20 ms."""
    sender = EventSender()
    for digit in digits:
        sender.add(digit)
    sent = []
    timestamp = 0
    while sender.busy:
        packet = sender.next_packet(timestamp)
        if packet is not None:
            payload, stamp, marker = packet
            sent.append((bytes(payload), stamp, marker))
        timestamp += FRAME
    return sent


def heard(packets: list[tuple[bytes, int, bool]]) -> str:
    receiver = EventReceiver()
    events = [
        event
        for number, (payload, stamp, marker) in enumerate(packets)
        for event in receiver.receive(payload, stamp, number * 0.02, marker=marker)
    ]
    return "".join(digit_of(event) or "?" for event in events)


@given(DIGITS)
def test_digits_sent_are_the_digits_heard(digits: str) -> None:
    assert heard(packets_of(digits)) == digits


@given(DIGITS, st.data())
def test_a_lost_packet_in_each_event_loses_no_digit(digits: str, data: st.DataObject) -> None:
    packets = packets_of(digits)
    lost: set[int] = set()
    for stamp in {stamp for _, stamp, _ in packets}:
        mine = [n for n, packet in enumerate(packets) if packet[1] == stamp]
        lost.add(data.draw(st.sampled_from(mine)))
    assert heard([packet for n, packet in enumerate(packets) if n not in lost]) == digits


@given(DIGITS)
def test_duplicated_packets_double_no_digit(digits: str) -> None:
    assert heard([packet for packet in packets_of(digits) for _ in range(2)]) == digits


def take(inbound: Inbound, packet: Packet, now: float) -> list[int]:
    """Let a packet come in at the first row; the telephone events that begin in it."""
    data = bytes(packet)
    inbound.views[0][: len(data)] = data
    return [event for _, event in inbound.accept(np.array([0]), [len(data)], now)]


def digits_across_a_closed_stream(
    digits: str, closed_after: int, *, ssrc_after: int = 1, stamp_after: int = 0
) -> str:
    """What a port hears whose stream is closed and opened again (a hold) after so many packets."""
    inbound = Inbound(1)
    inbound.open(0)
    inbound.listen(0, Codec.PCMU, 101, 10.0)
    begun = []
    for number, (payload, stamp, marker) in enumerate(packets_of(digits)):
        before = number < closed_after
        if number == closed_after:
            inbound.forget(0)
            inbound.listen(0, Codec.PCMU, 101, 10.0 + number * 0.02)
        packet = Packet(
            payload_type=101,
            sequence_number=number,
            timestamp=stamp if before else stamp + stamp_after,
            ssrc=1 if before else ssrc_after,
            payload=payload,
            marker=marker,
        )
        begun += take(inbound, packet, 10.0 + number * 0.02)
    return "".join(digit_of(event) or "?" for event in begun)


@given(DIGITS, st.integers(0, 50))
def test_a_stream_closed_in_the_midst_of_a_digit_and_opened_again_doubles_none(
    digits: str, closed_after: int
) -> None:
    """A hold right after a key press: rows of packets on their way reach the opened stream."""
    assert digits_across_a_closed_stream(digits, closed_after) == digits


def test_after_a_closed_stream_the_same_key_of_another_source_or_time_is_a_press() -> None:
    assert digits_across_a_closed_stream("5", 3) == "5"
    assert digits_across_a_closed_stream("5", 3, ssrc_after=2) == "55"
    assert digits_across_a_closed_stream("5", 3, stamp_after=FRAME) == "55"
    # A clock that begins anew with the stream, as cheap phones have: no digit is lost to it.
    assert digits_across_a_closed_stream("55", 7, stamp_after=-5 * FRAME) == "55"


def test_a_digit_told_twice_by_two_sources_counts_once() -> None:
    merger = DigitMerger()
    assert merger.offer("5", "signalling", 0.0)
    assert not merger.offer("5", "rtp", 0.1)
    assert merger.offer("5", "rtp", 0.3)


def test_every_event_number_has_its_digit() -> None:
    assert "".join(digit_of(n) or "?" for n in range(16)) == "0123456789*#ABCD"
    assert [event_of(digit) for digit in "09*#AD"] == [0, 9, 10, 11, 12, 15]


def test_reordered_packets_play_in_order_and_a_missing_one_is_a_gap() -> None:
    buffer = JitterBuffer(delay=3)
    for number in (0, 2, 1, 4):
        assert buffer.insert(number * FRAME, bytes([number]) * FRAME) is Inserted.PLACED
    assert buffer.insert(2 * FRAME, bytes([2]) * FRAME) is Inserted.DUPLICATE
    played = [buffer.take()[0] for _ in range(8)]
    assert played == [None, None, None, 0, 1, 2, None, 4]


def test_losses_are_counted_across_the_wrap_of_sequence_numbers() -> None:
    source = Source(65533)
    for number in (65533, 65534, 0, 1, 3):
        source.update(number)
    assert source.extended_maximum == 65536 + 3
    assert (source.expected, source.lost) == (7, 2)


class Ear:
    """One row of the engine on a clock of its own; answers which source each frame came from."""

    def __init__(self) -> None:
        self.now = 10.0
        self.inbound = Inbound(1)
        self.inbound.open(0)
        self.inbound.listen(0, Codec.PCMU, None, self.now)

    def hear(self, ssrc: int, number: int, frames: int = 1) -> bool:
        """Take the packet ``number`` of a source, of so many 20 ms; whether it was good."""
        packet = Packet(
            sequence_number=number,
            timestamp=number * FRAME * frames,
            ssrc=ssrc,
            payload=bytes([ssrc]) * FRAME * frames,
        )
        before = int(self.inbound.packets[0])
        take(self.inbound, packet, self.now)
        return int(self.inbound.packets[0]) > before

    def tick(self) -> None:
        self.inbound.take(np.array([0]))
        self.now += 0.02


def test_forged_packets_of_another_source_silence_nobody_who_is_heard() -> None:
    """Two in sequence, ten times a second, silenced 187 of 200 frames."""
    ear = Ear()
    heard = 0
    for number in range(200):
        heard += ear.hear(1, number)
        if number % 5 == 0:
            assert not ear.hear(2, 7000 + number)
            assert not ear.hear(2, 7001 + number)
        ear.tick()
    assert heard == 200
    assert (int(ear.inbound.source_changes[0]), int(ear.inbound.rivals[0])) == (0, 80)


@pytest.mark.parametrize("frames", [3, 6])
def test_a_source_of_long_packets_is_heard_between_them(frames: int) -> None:
    """A packet of 120 ms comes later than five of 20 ms do."""
    ear = Ear()
    for number in range(20):
        assert ear.hear(1, number, frames)
        for tick in range(frames):
            assert not ear.hear(2, 7000 + number * frames + tick)
            ear.tick()
    ear.now += 5 * 0.02 * frames
    assert [ear.hear(2, 500), ear.hear(2, 501)] == [False, True]


def test_a_source_that_has_fallen_silent_is_followed_by_the_next_one() -> None:
    ear = Ear()
    for number in range(10):
        ear.hear(1, number)
        ear.tick()
    followed = []
    for number in range(20):
        followed.append(ear.hear(2, number))
        ear.tick()
    first = followed.index(True)
    assert 0.02 * first <= SOURCE_SILENT + 0.04
    assert all(followed[first:])


def test_a_goodbye_alone_lets_nobody_else_in() -> None:
    """It is as easily forged as a packet; it spares the next source its probation."""
    ear = Ear()
    ear.hear(1, 0)
    ear.inbound.bye(0, 1)
    assert not ear.hear(2, 500)
    assert ear.hear(1, 1)
    ear.inbound.bye(0, 1)
    ear.now += SOURCE_SILENT + 0.01
    assert ear.hear(2, 501)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 2, 3]),
            st.integers(0, 6),
            st.sampled_from([0.0, 0.02, 0.05, 0.1, 0.3]),
            st.sampled_from([1, 3, 6]),
            st.booleans(),
        )
    )
)
def test_the_engine_follows_sources_as_the_reference_does(
    packets: list[tuple[int, int, float, int, bool]],
) -> None:
    ear, reference = Ear(), SourceFollower()
    for ssrc, number, pause, frames, bye in packets:
        ear.now += pause
        if bye:
            ear.inbound.bye(0, ssrc)
            reference.bye(ssrc)
        good = reference.update(ssrc, number, ear.now, FRAME * frames)
        assert ear.hear(ssrc, number, frames) is good
    assert int(ear.inbound.rivals[0]) == reference.rivals

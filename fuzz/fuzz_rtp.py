"""Fuzz RTP and RTCP: any datagrams, at the parsers, the digits, and the engine's receiving half.

``python fuzz/fuzz_rtp.py [libFuzzer options] [corpus]``; ``make fuzz`` does it all. An input is a
row of datagrams, each behind two octets: its length, and how much time passes after it. Anything
that escapes a parser besides DecodeError is a finding, and so is a packet that changes its meaning
between parsing and building, or a place where the engine's arrays and the plain classes that they
are to follow hear something else.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
from fuzzing import fuzz, instrumented

# The comparisons of arrays are left alone: atheris 3.0 keeps every array that it sees compared
# (36 kB for each input, measured). The plain classes guide it over the same rules.
ARRAYS = ["pa_telephony.rtp.inbound"]

with instrumented(exclude=ARRAYS):
    from pa_telephony.errors import DecodeError
    from pa_telephony.rtp import rtcp
    from pa_telephony.rtp.dtmf import EventReceiver
    from pa_telephony.rtp.g711 import ULAW_TO_LINEAR
    from pa_telephony.rtp.inbound import Inbound
    from pa_telephony.rtp.jitter import JitterBuffer
    from pa_telephony.rtp.packet import Codec, Packet, looks_like_rtcp
    from pa_telephony.rtp.session import Source, SourceFollower

EVENTS = 101
_TIMES = 4
_DELAY = 3
"""Packets in front of the first one that are still played."""


def datagrams(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Each datagram with the number of frames that are played after it."""
    at = 0
    while at + 2 <= len(data):
        length, ticks = data[at], data[at + 1]
        yield data[at + 2 : at + 2 + length], ticks % _TIMES
        at += 2 + length


def check_parsers(data: bytes) -> None:
    """Whatever parses is built again and parses to the same."""
    looks_like_rtcp(data)
    with contextlib.suppress(DecodeError):
        packet = Packet.parse(data)
        assert Packet.parse(bytes(packet)) == packet
        assert bytes(packet)[: len(data) - packet.padding] == data[: len(data) - packet.padding]
    with contextlib.suppress(DecodeError):
        packets = rtcp.parse(data)
        assert rtcp.parse(rtcp.build(packets)) == packets


class Reference:
    """One row of the engine, by the classes that say what is right."""

    def __init__(self) -> None:
        self.follower = SourceFollower()
        self.buffer = JitterBuffer()
        self.events = EventReceiver()
        self.garbage = self.unexpected = 0
        self._ssrc: int | None = None
        self._source: Source | None = None
        self._first = self._highest = 0
        self._seen: set[int] = set()
        """The extended sequence numbers that have come from the source."""

    def accept(self, data: bytes, now: float) -> list[int]:
        try:
            packet = Packet.parse(data)
        except DecodeError:
            self.garbage += 1
            return []
        if packet.payload_type not in (Codec.PCMU, EVENTS, 13, 19):
            self.unexpected += 1
            if packet.ssrc == self._ssrc:
                # It came, though nobody can play it.
                heard_at = self.follower._heard_at
                if self.follower.update(packet.ssrc, packet.sequence_number, now, 0):
                    self._step(packet.sequence_number)
                self.follower._heard_at = heard_at
            return []
        octets = len(packet.payload) if packet.payload_type == Codec.PCMU else 0
        if not self.follower.update(packet.ssrc, packet.sequence_number, now, octets):
            return []
        step = self._step(packet.sequence_number)
        if packet.ssrc != self._ssrc:
            self._ssrc = packet.ssrc
            self.buffer, self.events = JitterBuffer(), EventReceiver()
        if packet.payload_type == EVENTS:
            try:
                return self.events.receive(
                    packet.payload,
                    packet.timestamp,
                    now,
                    marker=packet.marker,
                    sequence_number=packet.sequence_number,
                )
            except DecodeError:
                self.garbage += 1
        elif packet.payload_type == Codec.PCMU and packet.payload:
            self.buffer.insert(packet.timestamp, packet.payload, step)
        return []

    def _step(self, number: int) -> int:
        """How far a packet is ahead of all before it; 0 for one that has come already."""
        source = self.follower.source
        if source is not None and (source is not self._source or source.received == 1):
            self._source, self._seen = source, {number}
            self._first = self._highest = number
            return 1
        step = (number - self._highest + 0x8000 & 0xFFFF) - 0x8000
        extended = self._highest + step
        if step <= 0 and (extended in self._seen or extended < self._first - _DELAY):
            return 0
        self._seen.add(extended)
        self._highest = max(self._highest, extended)
        return step

    def take(self) -> list[int]:
        return [
            0 if sample is None else int(ULAW_TO_LINEAR[sample]) for sample in self.buffer.take()
        ]


def one_input(data: bytes) -> None:
    """One run."""
    inbound, reference = Inbound(2), Reference()
    for row in (0, 1):
        inbound.open(row)
        inbound.listen(row, Codec.PCMU, EVENTS, 0.0)
    rows = np.array([0, 1])
    now = 0.0
    for datagram, ticks in datagrams(data):
        check_parsers(datagram)
        inbound.views[0][: len(datagram)] = datagram
        begun = inbound.accept(np.array([0]), [len(datagram)], now)
        assert [event for _, event in begun] == reference.accept(datagram, now)
        for _ in range(ticks):
            inbound.take(rows)
            assert inbound.frame[0].tolist() == reference.take()
            now += 0.02
    source = reference.follower.source
    if source is not None:
        seen = inbound.reception(0)
        assert seen is not None
        assert (seen.ssrc, seen.first) == (reference.follower.ssrc, source.base)
        assert (seen.expected, seen.received) == (source.expected, source.received)
        assert int(inbound.extended[0]) == source.extended_maximum
    assert (int(inbound.garbage[0]), int(inbound.unexpected[0])) == (
        reference.garbage,
        reference.unexpected,
    )
    # The row beside it heard nothing.
    assert int(inbound.packets[1]) == 0
    assert not inbound.frame[1].any()


if __name__ == "__main__":
    fuzz(one_input)

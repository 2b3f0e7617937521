"""What RFC 3550 asks a receiver and a sender to keep, without sockets, clocks or randomness.

* :class:`Source`: sequence numbers (appendix A.1), loss (A.3) and jitter (A.8) of one SSRC;
* :class:`SourceFollower`: which SSRC is being heard, and when to change over;
* :class:`Latch`: from which address packets are taken, and to which ours go (symmetric RTP);
* :class:`ReportTimer`: when the next RTCP report is due (section 6.3, A.7).

A peer that sends with our SSRC is heard like any other (8.2 calls it a collision, or a loop): its
address is known by signalling, and who tests with an echo wants to hear it.

``now`` is any monotonic clock in seconds; random numbers come from the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pa_telephony.rtp.packet import CLOCK_RATE

__all__ = [
    "MAX_DROPOUT",
    "MAX_MISORDER",
    "SOURCE_SILENT",
    "Address",
    "Latch",
    "ReportTimer",
    "Source",
    "SourceFollower",
    "rtcp_interval",
    "silent_after",
]

Address = tuple[str, int]
"""An IPv4 address and a UDP port."""

MAX_DROPOUT = 3000
"""A jump ahead by fewer packets counts as loss (A.1)."""
MAX_MISORDER = 100
"""A step back by at most so many packets counts as reordering (A.1)."""
SOURCE_SILENT = 0.1
"""Seconds without a good packet of the source that is heard, after which another may take over.

Five packets of 20 ms: a sender that starts anew under another SSRC leaves such a gap by itself,
and one that forges packets beside a stream that goes on does not. Our choice; RFC 3550 (8.2, A.1)
leaves it to the receiver. Longer packets come less often: :func:`silent_after`.
"""
_SILENT_PACKETS = 5
_SEQ_MOD = 1 << 16
_NO_SEQ = _SEQ_MOD + 1


class Source:
    """Reception statistics of one SSRC, from its first packet on.

    Unlike A.1 there is no probation for the first source: its address was announced by signalling,
    and the first 20 ms of speech are worth more. A *change* of SSRC is put on probation by
    :class:`SourceFollower`.
    """

    def __init__(self, sequence_number: int) -> None:
        self.received = 0
        self.jitter = 0.0
        """Interarrival jitter in timestamp units."""
        self._start(sequence_number)

    def _start(self, sequence_number: int) -> None:
        self.base = self.maximum = sequence_number
        self.cycles = 0
        self.received = 0
        self._bad = _NO_SEQ
        self._transit: int | None = None
        self._expected_prior = self._received_prior = 0

    def update(self, sequence_number: int) -> bool:
        """Count a packet; False when its sequence number does not fit, or not yet."""
        step = sequence_number - self.maximum & 0xFFFF
        if step < MAX_DROPOUT:
            if sequence_number < self.maximum:
                self.cycles += _SEQ_MOD
            self.maximum = sequence_number
        elif step <= _SEQ_MOD - MAX_MISORDER:
            if sequence_number != self._bad:
                self._bad = sequence_number + 1 & 0xFFFF
                return False
            # Two in sequence: the other side restarted without telling us.
            self._start(sequence_number)
        self.received += 1
        return True

    def arrived(self, timestamp: int, now: float, rate: int = CLOCK_RATE) -> None:
        """Update the jitter estimate (A.8) with a packet's timestamp and arrival time."""
        transit = int(now * rate) - timestamp & 0xFFFFFFFF
        if self._transit is not None:
            d = abs((transit - self._transit + 0x80000000 & 0xFFFFFFFF) - 0x80000000)
            self.jitter += (d - self.jitter) / 16
        self._transit = transit

    @property
    def extended_maximum(self) -> int:
        """The highest sequence number, with the count of wraps above the lower 16 bits."""
        return self.cycles + self.maximum

    @property
    def expected(self) -> int:
        """How many packets were sent, by their sequence numbers."""
        return self.extended_maximum - self.base + 1

    @property
    def lost(self) -> int:
        """Packets expected minus received; negative when duplicates outnumber losses (A.3)."""
        return self.expected - self.received

    def fraction_lost(self) -> int:
        """Loss since the last call in 256ths, 0 to 255 (A.3). Starts a new interval."""
        expected = self.expected - self._expected_prior
        received = self.received - self._received_prior
        self._expected_prior, self._received_prior = self.expected, self.received
        return fraction_lost(expected, received)


class PeerReport(NamedTuple):
    """A sender report that came: whose, the NTP time that it says, and when that was."""

    ssrc: int
    ntp: int
    at: float


class Reception(NamedTuple):
    """What was heard of a source, as reports tell it."""

    ssrc: int
    first: int
    """The sequence number with which it began."""
    highest: int
    """The highest one, with the count of wraps above 16 bits."""
    received: int
    """Packets that came; doubled ones came twice."""
    jitter: float
    """Interarrival jitter in timestamp units."""

    @property
    def expected(self) -> int:
        """How many packets should have come, by their numbers (RFC 3550 A.3)."""
        return self.highest - self.first + 1


def fraction_lost(expected: int, received: int) -> int:
    """The loss of an interval in 256ths, 0 to 255 (A.3); 0 where more came than was expected."""
    lost = expected - received
    return 0 if expected <= 0 or lost <= 0 else min((lost << 8) // expected, 255)


def silent_after(octets: int) -> float:
    """Seconds after which a source counts as silent if its longest packet had ``octets``.

    Five packets, and at least :data:`SOURCE_SILENT`.
    """
    return max(SOURCE_SILENT, _SILENT_PACKETS * octets / CLOCK_RATE)


class SourceFollower:
    """Follows one SSRC as long as it is heard.

    Once it has been silent (:func:`silent_after`), another takes over with its second packet
    in sequence, or with its first one when the old source had said goodbye (RTCP BYE). A BYE
    alone changes nothing: it is as easily forged as a packet. ``ssrc`` and ``source`` are None
    before the first packet. ``changes`` counts take-overs, ``rivals`` the packets of others that
    were not played.
    """

    def __init__(self) -> None:
        self.ssrc: int | None = None
        self.source: Source | None = None
        self.changes = 0
        self.rivals = 0
        self._heard_at = 0.0
        self._longest = 0
        self._left = False
        self._candidate: tuple[int, int] | None = None

    def update(self, ssrc: int, sequence_number: int, now: float, octets: int = 0) -> bool:
        """Whether the packet that has come at ``now`` (seconds, any monotonic clock) is played.

        ``octets`` of sound are in it, one for each sample.
        """
        if self.source is None:
            self._follow(ssrc, sequence_number)
        elif ssrc != self.ssrc:
            if not self._may_follow(ssrc, sequence_number, now):
                self.rivals += 1
                return False
            self.changes += 1
            self._follow(ssrc, sequence_number)
        else:
            self._candidate = None
        assert self.source is not None
        good = self.source.update(sequence_number)
        if good:
            self._heard_at = now
            self._left = False
            self._longest = max(self._longest, octets)
        return good

    def bye(self, ssrc: int) -> None:
        """Note that the source said goodbye: the next one is taken with its first packet."""
        self._left |= ssrc == self.ssrc

    def _may_follow(self, ssrc: int, sequence_number: int, now: float) -> bool:
        if now - self._heard_at < silent_after(self._longest):
            self._candidate = None
            return False
        if self._left or self._candidate == (ssrc, sequence_number):
            return True
        self._candidate = (ssrc, sequence_number + 1 & 0xFFFF)
        return False

    def _follow(self, ssrc: int, sequence_number: int) -> None:
        self.ssrc = ssrc
        self.source = Source(sequence_number)
        self._candidate = None
        self._longest = 0


class Latch:
    """Where our packets go, and from which addresses packets are taken.

    Ours go to the announced address, always: an endpoint may send from another port than it
    receives on (pyskinny does), and nothing in RFC 3550 forbids it. Packets are taken from the
    announced address at once, and from another *port* of the announced host after ``packets`` of
    them with nothing from the announced port in between; once that is heard, only from there.
    Packets from another host are never taken.

    With ``symmetric`` the announced address is a first guess, for peers behind a NAT (RFC 4961):
    whoever sends ``packets`` of them first, from wherever, is followed, and gets ours. Once
    somebody is followed nobody else is, before silence.
    """

    def __init__(self, announced: Address, *, packets: int = 3, symmetric: bool = False):
        self.announced = announced
        self.remote = announced
        """Where our packets go."""
        self.verified = False
        """Whether :attr:`remote` itself was heard: the socket may be connected to it."""
        self._symmetric = symmetric
        self._packets = packets
        self._candidate: Address | None = None
        self._count = 0

    def offer(self, origin: Address) -> bool:
        """Whether a packet from ``origin`` belongs to this session."""
        if self.verified:
            return origin == self.remote
        if origin in (self.announced, self.remote):
            self._verify(origin)
            return True
        if origin[0] != self.announced[0] and not self._symmetric:
            return False
        if origin != self._candidate:
            self._candidate, self._count = origin, 0
        self._count += 1
        if self._count < self._packets:
            return False
        if self._symmetric:
            self._verify(origin)
        return True

    def release(self) -> None:
        """Note that the verified address fell silent: others may be heard again."""
        self.verified = False

    def _verify(self, origin: Address) -> None:
        self.remote = origin
        self.verified = True
        self._candidate = None


_COMPENSATION = 1.21828
"""e - 3/2: makes up for the timer reconsideration, which converges below the mean (A.7)."""


def rtcp_interval(
    *,
    members: int,
    senders: int,
    bandwidth: float,
    we_sent: bool,
    average_size: float,
    initial: bool,
    random: float,
    minimum: float = 5.0,
) -> float:
    """Seconds to the next report (RFC 3550 section 6.3.1, code in A.7).

    ``bandwidth`` is RTCP's share in octets per second, ``random`` a number in [0, 1).
    """
    if initial:
        minimum /= 2
    n = members
    if 0 < senders <= members * 0.25:
        if we_sent:
            bandwidth *= 0.25
            n = senders
        else:
            bandwidth *= 0.75
            n -= senders
    interval = max(average_size * n / bandwidth, minimum) if bandwidth > 0 else minimum
    return interval * (random + 0.5) / _COMPENSATION


class ReportTimer:
    """RTCP deadlines of one two-party session."""

    def __init__(
        self,
        now: float,
        random: Callable[[], float],
        *,
        bandwidth: float = 400.0,
        minimum: float = 5.0,
    ) -> None:
        self._random = random
        self._bandwidth = bandwidth
        self._minimum = minimum
        self._average_size = 100.0
        self._initial = True
        self._previous = now
        self._due = now + self._interval(we_sent=False)

    def _interval(self, *, we_sent: bool) -> float:
        return rtcp_interval(
            members=2,
            senders=2,
            bandwidth=self._bandwidth,
            we_sent=we_sent,
            average_size=self._average_size,
            initial=self._initial,
            random=self._random(),
            minimum=self._minimum,
        )

    def next_deadline(self) -> float:
        """When the next report is due, by the clock that ``now`` comes from."""
        return self._due

    def sent(self, now: float, size: int) -> None:
        """Note that a report of ``size`` octets (UDP and IP headers included) went out."""
        self._heard_size(size)
        self._initial = False
        self._previous = now
        self._due = now + self._interval(we_sent=True)

    def received(self, size: int) -> None:
        """Note the peer's report, which counts for the average size too (section 6.3.3)."""
        self._heard_size(size)

    def _heard_size(self, size: int) -> None:
        self._average_size += (size - self._average_size) / 16

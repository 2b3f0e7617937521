"""The sending half of the engine: one prepared packet per row, stamped for all rows at once.

The packet of the next tick lies ready in an array, so that the sends of a tick wait for no other
work. The RTP clock of every row runs with the engine's ticks whether the row sends or not, so a
pause is silence of the right length for the far side, and sequence numbers have no gap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from pa_telephony.rtp.dtmf import EventSender
from pa_telephony.rtp.g711 import LINEAR_TO_ALAW, LINEAR_TO_ULAW, SILENCE, Samples
from pa_telephony.rtp.jitter import FRAME
from pa_telephony.rtp.packet import HEADER_SIZE, Codec, Packet
from pa_telephony.rtp.rows import Rows, addresses_of, holds

__all__ = ["PACKET", "Outbound", "Special"]

PACKET = HEADER_SIZE + FRAME
"""Octets of a packet of 20 ms."""

_VERSION_2, _MARKER = 0x8000, 0x80
_TABLES = {Codec.PCMU: LINEAR_TO_ULAW, Codec.PCMA: LINEAR_TO_ALAW}


@dataclass
class Special:
    """A row that does not simply send 160 samples per tick: digits, or another packet length."""

    payload_octets: int = FRAME
    event_type: int | None = None
    events: EventSender = field(default_factory=EventSender)
    pending: bytearray = field(default_factory=bytearray)
    pending_timestamp: int = 0
    in_event: bool = False

    @property
    def idle(self) -> bool:
        """Whether the row sends like any other now: 20 ms of audio per packet, no digit."""
        return not (
            self.payload_octets != FRAME or self.events.busy or self.in_event or self.pending
        )


class Outbound:
    """The send state of ``rows`` ports."""

    def __init__(self, rows: int, random: Callable[[], float]) -> None:
        self._random = random
        self._packets = np.zeros((rows, PACKET), np.uint8)
        self._words = self._packets.view(">u4")
        self._halves = self._packets.view(">u2")
        self.views = [row.data for row in self._packets]
        """The packet of each row that goes out in the next tick."""
        self.addresses = addresses_of(self._packets)
        """Where these lie in memory."""
        self._sound = self._packets[:, HEADER_SIZE:]
        self.ssrc = np.zeros(rows, np.int64)
        # What each packet makes greater by one stands side by side.
        self._counts = np.zeros((rows, 2), np.int64)
        self.packets = self._counts[:, 0]
        """The packets that have left a row since it was opened."""
        self._sequence = self._counts[:, 1]
        """The sequence number of the packet that lies ready in each row, and its wraps."""
        self.timestamp = np.zeros(rows, np.uint32)
        """The RTP timestamp of the frame that is being prepared in each row."""
        self._type = np.zeros(rows, np.uint8)
        self._marked: set[int] = set()
        """The rows whose next packet has the marker bit."""
        self._odd_octets = np.zeros(rows, np.int64)
        """By how much a row has sent more than 160 octets a packet."""
        self._before = np.zeros((rows, 2), np.int64)
        """The packets and octets of each row's earlier SSRCs."""

    def open(self, row: int) -> None:
        """Make a row new: random SSRC, sequence number and timestamp (RFC 3550 section 5.1)."""
        self.timestamp[row] = self._number(32)
        self.packets[row] = self._odd_octets[row] = 0
        self.renew(row)

    def renew(self, row: int) -> None:
        """Be another source from now on, with an SSRC and a sequence number of its own.

        After a BYE: a receiver may take what still comes from that SSRC for stragglers (RFC 3550
        section 6.2.1).
        """
        self.ssrc[row] = self._number(32)
        self._sequence[row] = self._number(16)
        self._before[row] = self.packets[row], self.octets(row)

    def of_source(self, row: int) -> tuple[int, int]:
        """The packets and octets of the present SSRC, which sender reports tell (section 6.4.1)."""
        packets, octets = self._before[row].tolist()
        return int(self.packets[row]) - packets, self.octets(row) - octets

    def take_back(self, row: int, octets: int) -> None:
        """Count one packet less, of so many octets of sound: the system did not send it.

        Its sequence number stays used, so that the peer counts a lost packet.
        """
        self.packets[row] -= 1
        self._odd_octets[row] -= octets - FRAME

    def octets(self, row: int) -> int:
        """The octets of sound and digits that have left a row since it was opened."""
        return int(self.packets[row]) * FRAME + int(self._odd_octets[row])

    def _number(self, bits: int) -> int:
        return int(self._random() * (1 << bits)) & ((1 << bits) - 1)

    def talk(self, row: int, codec: Codec) -> None:
        """Begin a talk spurt: silence in ``codec`` lies ready, with the marker bit."""
        self._type[row] = codec
        self._marked.add(row)
        self._halves[row, 0] = _VERSION_2 | _MARKER | codec
        self._words[row, 2] = self.ssrc[row]
        self.hush(row)
        self.stamp(slice(row, row + 1))

    def hush(self, row: int) -> None:
        """Let the row send silence until there is sound for it again."""
        self._sound[row] = SILENCE[self.codec_of(row)]

    def codec_of(self, row: int) -> Codec:
        """The codec of a row's present talk spurt, or of its last one."""
        return Codec(int(self._type[row]))

    def advance(self, ticks: int, rows: Rows) -> None:
        """Move the RTP clock of ``rows`` on by ``ticks`` frames."""
        self.timestamp[rows] += ticks * FRAME

    def put(self, rows: Rows, octets: bytes) -> None:
        """Put sound that is encoded, 160 octets for each of ``rows``, into their packets."""
        self._sound[rows] = np.frombuffer(octets, np.uint8).reshape(-1, FRAME)

    def encode(self, codec: Codec, rows: Rows, samples: Samples) -> None:
        """Put linear samples, 160 for each of ``rows``, into their packets."""
        linear = samples.view(np.uint16).reshape(-1, FRAME)
        # No sample is outside of the table; not to check that takes two thirds of the time.
        self._sound[rows] = _TABLES[codec].take(linear, mode="wrap")

    def stamp(self, rows: Rows) -> None:
        """Write the RTP headers of the packets of ``rows``."""
        self._halves[rows, 1] = self._sequence[rows]
        self._words[rows, 1] = self.timestamp[rows]

    def sent(self, rows: Rows) -> None:
        """Note that the packets of ``rows`` went out: counts and sequence numbers move on."""
        self._counts[rows] += 1
        for row in [each for each in self._marked if holds(rows, each)]:
            self._unmark(row)

    def _unmark(self, row: int) -> None:
        self._marked.discard(row)
        self._halves[row, 0] = _VERSION_2 | int(self._type[row])

    # ------------------------------------------------------------------ one row at a time

    def special_event(self, row: int, special: Special) -> bytes | None:
        """The telephone-event packet of this tick, which takes the place of audio, or None."""
        if special.event_type is None:
            return None
        event = special.events.next_packet(int(self.timestamp[row]))
        special.in_event = event is not None
        if event is None:
            return None
        payload, timestamp, marker = event
        special.pending.clear()
        return self._single(row, special.event_type, timestamp, bytes(payload), marker)

    def event_ends(self, row: int, special: Special) -> list[bytes]:
        """The packets that end the telephone event which goes out, before its time."""
        if special.event_type is None:
            return []
        return [
            self._single(row, special.event_type, timestamp, bytes(payload), marker)
            for payload, timestamp, marker in special.events.cut()
        ]

    def special_audio(self, row: int, special: Special) -> list[bytes]:
        """The audio packets that are full now, of whatever length was agreed."""
        if not special.pending:
            special.pending_timestamp = int(self.timestamp[row])
        special.pending += self._sound[row].tobytes()
        packets: list[bytes] = []
        while len(special.pending) >= special.payload_octets:
            payload = bytes(special.pending[: special.payload_octets])
            del special.pending[: special.payload_octets]
            packets.append(
                self._single(
                    row,
                    int(self._type[row]),
                    special.pending_timestamp,
                    payload,
                    row in self._marked,
                )
            )
            self._unmark(row)
            special.pending_timestamp += special.payload_octets
            special.pending_timestamp &= 0xFFFFFFFF
        return packets

    def _single(
        self, row: int, payload_type: int, timestamp: int, payload: bytes, marker: bool
    ) -> bytes:
        data = bytes(
            Packet(
                payload_type=payload_type,
                sequence_number=int(self._sequence[row]) & 0xFFFF,
                timestamp=timestamp,
                ssrc=int(self.ssrc[row]),
                payload=payload,
                marker=marker,
            )
        )
        self._counts[row] += 1
        self._odd_octets[row] += len(payload) - FRAME
        return data

"""RTP and RTCP packets survive the wire, and garbage does no more than raise DecodeError."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, strategies as st

from pa_telephony.errors import DecodeError
from pa_telephony.rtp import rtcp
from pa_telephony.rtp.packet import Packet, looks_like_rtcp

WORD = st.integers(0, 0xFFFFFFFF)
PACKETS = st.builds(
    Packet,
    payload_type=st.integers(0, 127),
    sequence_number=st.integers(0, 0xFFFF),
    timestamp=WORD,
    ssrc=WORD,
    payload=st.binary(max_size=200),
    marker=st.booleans(),
    csrc=st.lists(WORD, max_size=15).map(tuple),
    extension=st.none()
    | st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=9).map(lambda data: data * 4)),
    padding=st.integers(0, 255),
)
BLOCK = st.builds(
    rtcp.ReportBlock,
    ssrc=WORD,
    fraction_lost=st.integers(0, 255),
    lost=st.integers(-(1 << 23), (1 << 23) - 1),
    highest=WORD,
    jitter=WORD,
    last_report=WORD,
    delay=WORD,
)
BLOCKS = st.lists(BLOCK, max_size=3).map(tuple)
REPORTS = st.builds(
    rtcp.SenderReport,
    ssrc=WORD,
    ntp=st.integers(0, (1 << 64) - 1),
    timestamp=WORD,
    packets=WORD,
    octets=WORD,
    reports=BLOCKS,
) | st.builds(rtcp.ReceiverReport, ssrc=WORD, reports=BLOCKS)


@given(PACKETS)
def test_a_packet_parses_to_what_was_built(packet: Packet) -> None:
    assert Packet.parse(bytes(packet)) == packet


def test_the_header_is_the_one_of_rfc_3550() -> None:
    packet = Packet(sequence_number=0x1234, timestamp=160, ssrc=0xDEADBEEF, payload=b"\xff" * 160)
    assert bytes(packet)[:12] == bytes.fromhex("8000 1234 000000a0 deadbeef")


@given(PACKETS, st.data())
def test_a_packet_cut_anywhere_parses_or_raises_decode_error(
    packet: Packet, data: st.DataObject
) -> None:
    whole = bytes(packet)
    with contextlib.suppress(DecodeError):
        Packet.parse(whole[: data.draw(st.integers(0, len(whole)))])


@given(st.binary(max_size=100))
def test_garbage_parses_or_raises_decode_error(data: bytes) -> None:
    looks_like_rtcp(data)
    with contextlib.suppress(DecodeError):
        Packet.parse(data)
    with contextlib.suppress(DecodeError):
        rtcp.parse(data)


@pytest.mark.parametrize("data", [b"", b"\x80", bytes(12), b"\x8f" + bytes(11), b"\xa0" * 12])
def test_what_is_no_rtp_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        Packet.parse(data)


@given(REPORTS, st.text("abc@.", min_size=1, max_size=20))
def test_a_compound_packet_parses_to_what_was_built(
    report: rtcp.SenderReport | rtcp.ReceiverReport, cname: str
) -> None:
    packets = [report, rtcp.description(report.ssrc, cname), rtcp.Bye(ssrcs=(report.ssrc,))]
    data = rtcp.build(packets)
    assert looks_like_rtcp(data)
    assert rtcp.parse(data) == packets


def test_scapy_reads_the_same_packet() -> None:
    """An independent decoder agrees."""
    layers = pytest.importorskip("scapy.layers.rtp")
    packet = Packet(
        payload_type=8, sequence_number=7, timestamp=320, ssrc=99, marker=True, payload=b"abc"
    )
    theirs = layers.RTP(bytes(packet))
    assert (theirs.version, theirs.payload_type, theirs.marker) == (2, 8, 1)
    assert (theirs.sequence, theirs.timestamp, theirs.sourcesync) == (7, 320, 99)
    assert bytes(theirs.payload) == b"abc"

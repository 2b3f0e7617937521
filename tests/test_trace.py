"""Traces: what is written is what Wireshark, and our own reader, find again."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from pa_telephony import pcap
from pa_telephony.cti import keyed as cti_keyed
from pa_telephony.errors import DecodeError
from pa_telephony.sccp import keyed as sccp_keyed, messages as sccp
from pa_telephony.sccp.enums import DeviceTone
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.tones import TONES
from pa_telephony.trace import (
    EventRecord,
    FrameRecord,
    JsonLinesTrace,
    PcapTrace,
    Record,
    RtpRecord,
    guarded,
    only,
    tee,
)

CLIENT, SERVER = ("127.0.0.11", 40000), ("127.0.0.10", 2000)
KEEP_ALIVE = bytes.fromhex("040000000000000000000000")
KEEP_ALIVE_ACK = bytes.fromhex("040000000000000000010000")


def frame(time: float, data: bytes, direction: str = "sent") -> FrameRecord:
    return FrameRecord(time, "sccp", direction, CLIENT, SERVER, data)  # type: ignore[arg-type]


def test_tcp_frames_are_read_back_in_both_directions(tmp_path: Path) -> None:
    with PcapTrace(tmp_path / "a.pcap") as trace:
        trace(frame(1.5, KEEP_ALIVE))
        trace(frame(1.6, KEEP_ALIVE_ACK, "received"))
        trace(EventRecord(1.7, "nothing.for.pcap"))
    segments = [
        s
        for s in pcap.datagrams(pcap.read_pcap(tmp_path / "a.pcap"))
        if isinstance(s, pcap.Segment) and s.payload
    ]
    assert [(s.time, s.source, s.destination, s.payload) for s in segments] == [
        (1.5, CLIENT, SERVER, KEEP_ALIVE),
        (1.6, SERVER, CLIENT, KEEP_ALIVE_ACK),
    ]


def test_rtp_is_read_back_with_its_real_addresses(tmp_path: Path) -> None:
    with PcapTrace(tmp_path / "a.pcap") as trace:
        trace(RtpRecord(2.0, "sent", ("127.0.0.11", 32000), ("127.0.0.20", 32002), b"\x80" * 172))
        trace(RtpRecord(2.1, "sent", ("::1", 32000), ("::2", 32002), b"odd"))
    assert list(pcap.datagrams(pcap.read_pcap(tmp_path / "a.pcap"))) == [
        pcap.Datagram(2.0, ("127.0.0.11", 32000), ("127.0.0.20", 32002), b"\x80" * 172),
        pcap.Datagram(2.1, ("::1", 32000), ("::2", 32002), b"odd"),
    ]


def test_wireshark_reassembles_what_we_write(tmp_path: Path) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    path = tmp_path / "a.pcap"
    with PcapTrace(path) as trace:
        trace(frame(1.0, KEEP_ALIVE[:9]))
        trace(frame(1.1, KEEP_ALIVE[9:] + KEEP_ALIVE))
        trace(frame(1.2, KEEP_ALIVE_ACK, "received"))
    done = subprocess.run(
        f"tshark -r {path} -o tcp.check_checksum:TRUE -T fields -e skinny.messageId"
        " -e tcp.checksum.status -e _ws.expert.message",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    ids = [n for line in done.stdout.splitlines() for n in line.split("\t")[0].split(",") if n]
    assert [int(n, 0) for n in ids] == [0, 0, 0x100]
    assert {line.split("\t")[1] for line in done.stdout.splitlines()} == {"1"}
    assert "alformed" not in done.stdout


def test_nothing_is_lost_without_a_close(tmp_path: Path) -> None:
    """Each record is in the file when the call returns: a SIGKILL may follow."""
    trace = PcapTrace(tmp_path / "a.pcap")
    trace(frame(1.0, KEEP_ALIVE))
    assert len(list(pcap.read_pcap(tmp_path / "a.pcap"))) == 4
    trace.close()
    trace(frame(1.0, KEEP_ALIVE))
    assert len(list(pcap.read_pcap(tmp_path / "a.pcap"))) == 4


def test_a_file_cut_in_the_middle_of_a_packet_ends_before_it(tmp_path: Path) -> None:
    whole = pcap.file_header() + pcap.record(1.0, b"x" * 40) + pcap.record(2.0, b"y" * 40)
    (tmp_path / "cut.pcap").write_bytes(whole[:-1])
    assert [p.data for p in pcap.read_pcap(tmp_path / "cut.pcap")] == [b"x" * 40]


def test_what_is_no_capture_is_a_decode_error(tmp_path: Path) -> None:
    (tmp_path / "no.pcap").write_bytes(b"PK\3\4" + bytes(100))
    with pytest.raises(DecodeError, match="no pcap file"):
        pcap.read_pcap(tmp_path / "no.pcap")


def test_merge_orders_packets_by_time(tmp_path: Path) -> None:
    for name, times in {"a": (1.0, 3.0), "b": (2.0, 4.0)}.items():
        with PcapTrace(tmp_path / name) as trace:
            for time in times:
                trace(RtpRecord(time, "sent", CLIENT, SERVER, name.encode()))
    assert pcap.merge([tmp_path / "a", tmp_path / "b"], tmp_path / "all.pcap") == 4
    merged = pcap.datagrams(pcap.read_pcap(tmp_path / "all.pcap"))
    assert [(d.time, d.payload) for d in merged] == [(1, b"a"), (2, b"b"), (3, b"a"), (4, b"b")]


def test_ethernet_with_vlan_and_big_endian_nanoseconds_is_read(tmp_path: Path) -> None:
    ip = pcap.PacketMaker().udp(CLIENT, SERVER, b"hello")
    packet = bytes(12) + b"\x81\x00\x00\x05" + b"\x08\x00" + ip + bytes(6)
    head = struct.pack(">IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
    body = struct.pack(">IIII", 7, 500_000_000, len(packet), len(packet)) + packet
    (tmp_path / "e.pcap").write_bytes(head + body)
    (found,) = pcap.datagrams(pcap.read_pcap(tmp_path / "e.pcap"))
    assert found == pcap.Datagram(7.5, CLIENT, SERVER, b"hello")


def test_pcapng_is_read(tmp_path: Path) -> None:
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))

    ip = pcap.PacketMaker().udp(CLIENT, SERVER, b"hello")
    ticks = 1_500_000_000
    (tmp_path / "n.pcapng").write_bytes(
        block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
        + block(1, struct.pack("<HHI", 101, 0, 0) + struct.pack("<HHB3xI", 9, 1, 9, 0))
        + block(6, struct.pack("<IIIII", 0, 0, ticks, len(ip), len(ip)) + ip)
    )
    (found,) = pcap.datagrams(pcap.read_pcap(tmp_path / "n.pcapng"))
    assert found == pcap.Datagram(1.5, CLIENT, SERVER, b"hello")


def test_json_lines_hold_frames_in_hex_and_events_as_they_are(tmp_path: Path) -> None:
    with JsonLinesTrace(tmp_path / "a.jsonl") as trace:
        trace(frame(1.0, b"\x01\x02"))
        trace(EventRecord(2.0, "takeover.started", {"owner": "PA1"}))
    first, second = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    assert (first["protocol"], first["data"], first["local"]) == ("sccp", "0102", list(CLIENT))
    assert second == {"time": 2.0, "kind": "takeover.started", "owner": "PA1"}


def test_tee_and_only_route_records() -> None:
    everything: list[Record] = []
    events: list[Record] = []
    trace = tee(everything.append, None, only(EventRecord, events.append))
    assert trace is not None
    trace(frame(1.0, b""))
    trace(EventRecord(2.0, "x"))
    assert len(everything) == 2
    assert events == [EventRecord(2.0, "x")]
    assert tee(None, None) is None


@st.composite
def shuffled_segments(draw: st.DrawFn) -> tuple[bytes, list[pcap.Segment]]:
    parts = draw(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=8))
    start = draw(st.sampled_from([0, 1, 0xFFFFFFF0, 0x7FFFFFFC]))
    segments, sequence = [], start + 1
    for part in parts:
        segments.append(
            pcap.Segment(0.0, CLIENT, SERVER, sequence & 0xFFFFFFFF, False, False, part)
        )
        sequence += len(part)
    syn = pcap.Segment(0.0, CLIENT, SERVER, start, True, False, b"")
    order = draw(st.permutations(segments + draw(st.lists(st.sampled_from(segments), max_size=3))))
    return b"".join(parts), [syn, *order]


@given(shuffled_segments())
def test_segments_out_of_order_and_repeated_give_the_stream_once(
    case: tuple[bytes, list[pcap.Segment]],
) -> None:
    stream, segments = case
    reader = pcap.TcpStream()
    assert b"".join(data for s in segments for _, data in reader.add(s)) == stream


def test_a_hole_is_given_up_when_too_much_waits_behind_it() -> None:
    reader = pcap.TcpStream(limit=10)
    assert reader.add(pcap.Segment(0.0, CLIENT, SERVER, 1, False, False, b"ab"))
    assert reader.add(pcap.Segment(0.0, CLIENT, SERVER, 103, False, False, b"12345678")) == []
    assert reader.add(pcap.Segment(0.0, CLIENT, SERVER, 111, False, False, b"9abc")) == [
        ("gap", b""),
        ("data", b"12345678"),
        ("data", b"9abc"),
    ]
    assert reader.lost == 100


@given(st.binary(max_size=400))
def test_any_bytes_in_a_packet_are_read_or_left_out(data: bytes) -> None:
    for link_type in (101, 1, 113, 276, 0, 999):
        for found in pcap.datagrams([pcap.Packet(0.0, link_type, data)]):
            assert len(found.payload) <= len(data)


# ---------------------------------------------------------- files that fail, fill and are private


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A directory with room for 64 KiB; needs to be root, as in a container."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"mount: {mounted.stderr.decode()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("kind", [JsonLinesTrace, PcapTrace])
def test_a_full_disk_costs_records_and_is_told_once(
    small_disk: Path,
    kind: type[JsonLinesTrace | PcapTrace],
    caplog: pytest.LogCaptureFixture,
) -> None:
    filler = small_disk / "filler"
    with kind(small_disk / "trace") as trace:
        trace(frame(1.0, KEEP_ALIVE))
        filler.write_bytes(bytes(52 << 10))
        for number in range(200):
            trace(frame(2.0 + number, bytes(1000)))
        assert trace.lost > 100
        told = [each.getMessage() for each in caplog.records]
        assert len(told) == 1
        assert "No space left on device" in told[0]
        filler.unlink()
        trace(frame(999.0, KEEP_ALIVE_ACK))
        assert "is written again" in caplog.records[-1].getMessage()
    # What is there is whole, up to the last.
    if kind is PcapTrace:
        times = [packet.time for packet in pcap.read_pcap(small_disk / "trace")]
    else:
        lines = (small_disk / "trace").read_text().splitlines()
        times = [json.loads(line)["time"] for line in lines]
    assert times[0] == 1.0
    assert times[-1] == 999.0


@pytest.mark.parametrize("kind", [JsonLinesTrace, PcapTrace])
def test_a_file_that_is_full_is_kept_and_a_new_one_begins(
    tmp_path: Path, kind: type[JsonLinesTrace | PcapTrace]
) -> None:
    path = tmp_path / "trace"
    with kind(path, limit=10_000) as trace:
        for number in range(300):
            trace(frame(float(number), bytes(100)))
            assert path.stat().st_size <= 10_000
    assert sorted(each.name for each in tmp_path.iterdir()) == ["trace", "trace.1"]
    assert (tmp_path / "trace.1").stat().st_size > 9_000
    if kind is PcapTrace:
        times = [
            each.time
            for name in ("trace.1", "trace")
            for each in pcap.datagrams(pcap.read_pcap(tmp_path / name))
            if isinstance(each, pcap.Segment) and each.payload
        ]
    else:
        text = (tmp_path / "trace.1").read_text() + path.read_text()
        times = [json.loads(line)["time"] for line in text.splitlines()]
    assert times == [float(number) for number in range(300)][-len(times) :]


@pytest.mark.parametrize("kind", [JsonLinesTrace, PcapTrace])
@pytest.mark.parametrize("refused", ["open", "write", "fchmod"])
def test_a_new_file_that_cannot_be_had_at_once_is_had_later(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[JsonLinesTrace | PcapTrace],
    refused: str,
) -> None:
    """Without a descriptor to rotate with, everything behind was left out for good."""
    path = tmp_path / "trace"

    def refuse(*_: object) -> int:
        raise OSError(errno.EMFILE, "refused by the test")

    with kind(path, limit=1000) as trace:
        while not trace.lost:
            if path.stat().st_size > 600:
                monkeypatch.setattr(os, refused, refuse)
            trace(frame(1.0, bytes(300)))
        trace(frame(2.0, bytes(300)))
        assert trace.lost == 2
        # An empty file in its place does not replace the one that was full.
        assert max(each.stat().st_size for each in tmp_path.iterdir()) > 600
        monkeypatch.undo()
        trace(frame(3.0, bytes(300)))
        trace(frame(4.0, bytes(300)))
        assert trace.lost == 2
    if kind is PcapTrace:
        times = {packet.time for packet in pcap.read_pcap(path)}
    else:
        times = {json.loads(line)["time"] for line in path.read_text().splitlines()}
    assert 4.0 in times
    assert (tmp_path / "trace.1").stat().st_size > 600


def test_a_trace_is_its_owner_s_alone_and_follows_no_link(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("for everybody")
    old.chmod(0o644)
    for path in (old, tmp_path / "new"):
        with JsonLinesTrace(path, limit=200) as trace:
            assert path.read_text() == ""
            for _ in range(9):
                trace(EventRecord(1.0, "x" * 50))
        for each in (path, Path(f"{path}.1")):
            assert stat.S_IMODE(each.stat().st_mode) == 0o600
    target = tmp_path / "target"
    target.write_text("precious")
    link = tmp_path / "link"
    link.symlink_to(target)
    with pytest.raises(OSError, match="symbolic links"):
        JsonLinesTrace(link)
    assert target.read_text() == "precious"


def test_a_file_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("precious")
    monkeypatch.setattr(os, "geteuid", lambda: theirs.stat().st_uid + 1)
    with pytest.raises(PermissionError, match="somebody else"):
        PcapTrace(theirs)
    assert theirs.read_text() == "precious"


def test_the_end_of_a_connection_is_its_fin_and_the_next_begins_with_a_handshake(
    tmp_path: Path,
) -> None:
    ends = {"local": CLIENT, "remote": SERVER, "reason": "gone"}
    with PcapTrace(tmp_path / "a.pcap") as trace:
        for _ in range(2):
            trace(frame(1.0, KEEP_ALIVE))
            trace(frame(1.1, KEEP_ALIVE_ACK, "received"))
            trace(EventRecord(1.2, "sccp.connection_closed", ends))
        trace(EventRecord(1.3, "cti.connection_closed", ends))
        assert not len(trace._packets)
    found = pcap.datagrams(pcap.read_pcap(tmp_path / "a.pcap"))
    segments = [s for s in found if isinstance(s, pcap.Segment)]
    assert sum(s.syn for s in segments) == 4
    assert sum(s.fin for s in segments) == 4
    reader = pcap.TcpStream()
    pieces = [p for s in segments if s.source == CLIENT for p in reader.add(s)]
    assert pieces == [("data", KEEP_ALIVE)] * 2


def test_connections_that_nobody_closed_are_forgotten_in_the_end() -> None:
    maker = pcap.PacketMaker(most=100)
    for port in range(1024, 61024):
        maker.tcp(("10.0.0.1", port), SERVER, KEEP_ALIVE)
        if port % 10 == 0:
            # Who speaks is remembered.
            assert len(maker.tcp(("10.0.0.2", 1), SERVER, KEEP_ALIVE)) == (4 if port < 1040 else 1)
    assert len(maker) == 100


@pytest.mark.makes_bugs
def test_one_sink_that_fails_leaves_the_others(caplog: pytest.LogCaptureFixture) -> None:
    def fails(record: Record) -> None:
        raise ZeroDivisionError

    got: list[Record] = []
    trace = guarded(tee(fails, got.append))
    assert trace is not None
    assert guarded(trace) is trace
    assert guarded(None) is None
    for _ in range(3):
        trace(EventRecord(1.0, "x"))
    assert len(got) == 3
    assert len(caplog.records) == 1


PIN = "8150"
SCCP_KEYED: list[SccpMessage] = [
    sccp.KeypadButton(kp_button=8, line_instance=7, call_reference=0x1234),
    sccp.NotifyDtmfTone(tone=8),
    sccp.SendDtmfTone(tone=8),
    sccp.StartTone(tone=TONES["8"], line_instance=7),
    sccp.EnblocCall(called_party=PIN),
    sccp.DeviceToUserData(application_id=1, xmldata=PIN.encode()),
    sccp.DeviceToUserDataResponse(application_id=1, xmldata=PIN.encode()),
    sccp.DeviceToUserDataVersion1(application_id=1, xmldata=PIN.encode()),
    sccp.DeviceToUserDataResponseVersion1(application_id=1, xmldata=PIN.encode()),
]


@pytest.mark.parametrize("message", SCCP_KEYED, ids=lambda each: type(each).__name__)
def test_what_is_keyed_over_sccp_is_covered_and_the_frame_still_read(message: SccpMessage) -> None:
    whole = sccp.encode(message, 20)
    public = sccp_keyed.without_keyed(whole)
    assert public is not None
    assert len(public) == len(whole)
    assert PIN.encode() not in public
    read = sccp.decode(message.id, public[12:], 20)
    assert type(read) is type(message)
    if isinstance(read, sccp.KeypadButton):
        assert read.kp_button == 0xFFFFFFFF
        assert (read.line_instance, read.call_reference) == (7, 0x1234)


def test_what_nobody_keyed_is_left_as_it_is() -> None:
    for message in (sccp.KeepAliveReq(), sccp.StartTone(tone=DeviceTone.INSIDE_DIAL_TONE)):
        assert sccp_keyed.without_keyed(sccp.encode(message, 20)) is None
    assert sccp_keyed.without_keyed(b"") is None
    assert cti_keyed.without_keyed(b"") is None


def test_files_have_what_is_keyed_only_when_they_are_asked_for_it(tmp_path: Path) -> None:
    whole = sccp.encode(sccp.EnblocCall(called_party=PIN), 20)
    record = FrameRecord(
        1.0, "sccp", "sent", CLIENT, SERVER, whole, sccp_keyed.without_keyed(whole)
    )
    for keyed in (False, True):
        with (
            JsonLinesTrace(tmp_path / "a.jsonl", keyed=keyed) as lines,
            PcapTrace(tmp_path / "a.pcap", keyed=keyed) as packets,
        ):
            lines(record)
            packets(record)
        (line,) = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
        assert (PIN.encode().hex() in line["data"]) is keyed
        assert line.get("covered", False) is not keyed
        assert (PIN.encode() in (tmp_path / "a.pcap").read_bytes()) is keyed

"""``pa-telephony decode`` shows frames whole, whatever TCP did to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given, strategies as st

from pa_telephony import pcap
from pa_telephony.cli.capture import decode_frame, read_capture
from pa_telephony.cli.hexdump import hexdump
from pa_telephony.cli.main import cli
from pa_telephony.cti import messages as cti
from pa_telephony.rtp.packet import Packet
from pa_telephony.sccp import enums, messages
from pa_telephony.sccp.enums import DeviceTone
from pa_telephony.trace import FrameRecord, PcapTrace, RtpRecord

FLOW = "127.0.0.20:40000 → 127.0.0.10:2000"
PHONE, MANAGER = ("127.0.0.20", 40000), ("127.0.0.10", 2000)


def write(path: Path, *pieces: tuple[str, bytes]) -> Path:
    with PcapTrace(path) as trace:
        for number, (direction, data) in enumerate(pieces):
            assert direction in ("sent", "received")
            trace(FrameRecord(1.0 + number, "sccp", direction, PHONE, MANAGER, data))  # type: ignore[arg-type]
    return path


def register(version: int) -> tuple[str, bytes]:
    request = messages.RegisterReq(device_name="SEP001122334455", protocol_ver=version)
    return "sent", messages.encode(request, version)


def acknowledge(version: int) -> tuple[str, bytes]:
    answer = messages.RegisterAck(
        keep_alive_interval=30, secondary_keep_alive_interval=30, max_protocol_ver=version
    )
    return "received", messages.encode(answer, version)


def test_the_version_of_a_session_is_what_registration_agreed_on(tmp_path: Path) -> None:
    tone = messages.encode(messages.StartTone(tone=DeviceTone.INSIDE_DIAL_TONE), 17)
    path = write(tmp_path / "a.pcap", register(17), acknowledge(22), ("received", tone))
    assert [(f.name, f.version) for f in read_capture(path).frames][-1] == ("StartTone", 17)


def test_frames_are_put_together_from_any_segments(tmp_path: Path) -> None:
    stream = b"".join(data for _, data in [register(17)] * 3)
    pieces = [("sent", stream[start : start + 13]) for start in range(0, len(stream), 13)]
    capture = read_capture(write(tmp_path / "a.pcap", *pieces))
    assert [f.name for f in capture.frames] == ["RegisterReq"] * 3


def test_a_bad_length_ends_one_session_with_a_note(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", register(17), ("sent", b"\xff" * 20))
    capture = read_capture(path)
    assert [f.name for f in capture.frames] == ["RegisterReq"]
    assert "impossible" in capture.notes[0]


def segments(*pieces: tuple[int, bytes]) -> bytes:
    """A capture of one direction without its handshake: sequence number and bytes of each."""
    whole = pcap.PacketMaker().tcp(PHONE, MANAGER, b"x")[-1]
    header = whole[:40]
    out = pcap.file_header()
    for number, (sequence, data) in enumerate(pieces):
        length = (40 + len(data)).to_bytes(2, "big")
        packet = header[:2] + length + header[4:24] + sequence.to_bytes(4, "big") + header[28:]
        out += pcap.record(1.0 + number, packet + data)
    return out


def test_a_capture_that_begins_inside_a_frame_is_read_from_the_next_one(tmp_path: Path) -> None:
    frame = register(17)[1]
    rest, start = frame[30:], 1000
    pieces = [(start, rest), (start + len(rest), frame), (start + len(rest) + len(frame), frame)]
    (tmp_path / "a.pcap").write_bytes(segments(*pieces))
    assert [f.name for f in read_capture(tmp_path / "a.pcap").frames] == ["RegisterReq"] * 2


def tones(count: int) -> list[bytes]:
    return [
        messages.encode(messages.StartTone(tone=DeviceTone.SILENCE, call_reference=n), 20)
        for n in range(count)
    ]


def references(path: Path) -> list[int]:
    return [getattr(f.message, "call_reference", -1) for f in read_capture(path).frames]


@pytest.mark.parametrize(
    ("order", "read"),
    [
        ((0, 1, 2, 3), [0, 1, 2, 3]),
        ((0, 2, 1, 3), [0, 1, 2, 3]),
        ((0, 0, 1, 2, 1, 3, 3), [0, 1, 2, 3]),
        ((0, 2, 3), [0, 2, 3]),
    ],
    ids=["in order", "out of order", "sent again", "one missing"],
)
def test_segments_may_come_late_twice_or_never(
    order: tuple[int, ...], read: list[int], tmp_path: Path
) -> None:
    size = len(tones(1)[0])
    data = segments(*((1 + n * size, tones(4)[n]) for n in order))
    (tmp_path / "a.pcap").write_bytes(data)
    assert references(tmp_path / "a.pcap") == read
    notes = read_capture(tmp_path / "a.pcap").notes
    assert notes == ([] if len(read) == 4 else [f"{FLOW}: {size} bytes are not captured"])


def test_a_retransmission_is_not_waited_for_longer_than_ten_seconds(tmp_path: Path) -> None:
    """What comes behind a hole keeps its time and its place among the other frames."""
    size = len(tones(1)[0])
    late = [(1 + n * size, tones(20)[n]) for n in range(20) if n != 1]
    (tmp_path / "a.pcap").write_bytes(segments(*late))
    frames = read_capture(tmp_path / "a.pcap").frames
    assert [frame.time for frame in frames[:2]] == [1.0, 13.0]
    assert references(tmp_path / "a.pcap") == [0, *range(2, 20)]


def test_packets_that_can_not_be_read_whole_are_counted_in_a_note(tmp_path: Path) -> None:
    data = bytearray(segments((1, tones(1)[0])))
    data[36:40] = (500).to_bytes(4, "little")
    (tmp_path / "a.pcap").write_bytes(data)
    assert read_capture(tmp_path / "a.pcap").notes == [
        "1 packets are captured in part (snap length)"
    ]
    data[20:24] = (105).to_bytes(4, "little")
    (tmp_path / "b.pcap").write_bytes(data)
    assert "1 packets of link type 105, not decoded" in read_capture(tmp_path / "b.pcap").notes


def test_a_session_of_call_manager_2_is_shown_in_its_dialect(tmp_path: Path) -> None:
    ack = bytes.fromhex("1000000000000000810000001e0000004d2f442f59418e09")
    start = bytes.fromhex(
        "28000000000000008a0000000a66ac0b891300001e0000000400000000000000" + 16 * "e4"
    )
    path = write(tmp_path / "a.pcap", register(5), ("received", ack), ("received", start))
    assert [frame.version for frame in read_capture(path).frames][-1] == 0
    assert "'10.102.172.11'" in CliRunner().invoke(cli, ["decode", str(path)]).output


def test_the_version_may_be_given_where_no_registration_tells_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", ("received", tones(1)[0]))
    assert [frame.version for frame in read_capture(path, version=6).frames] == [6]
    assert "SCCP v6" in CliRunner().invoke(cli, ["decode", "--version", "6", str(path)]).output


def test_what_comes_behind_nonsense_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", register(17), ("sent", b"\xff" * 20), register(17))
    capture = read_capture(path)
    assert [f.name for f in capture.frames] == ["RegisterReq"] * 2
    assert len(capture.notes) == 1


def test_the_same_ports_again_are_another_connection(tmp_path: Path) -> None:
    for number, version in enumerate((17, 20)):
        write(tmp_path / f"{number}.pcap", register(version), acknowledge(version))
    pcap.merge([tmp_path / "0.pcap"], tmp_path / "all.pcap")
    later = (tmp_path / "1.pcap").read_bytes()[24:]
    with (tmp_path / "all.pcap").open("ab") as out:
        out.write(later)
    capture = read_capture(tmp_path / "all.pcap")
    assert [f.name for f in capture.frames] == ["RegisterReq", "RegisterAck"] * 2
    assert [f.version for f in capture.frames] == [0, 0, 0, 0]


def test_another_protocol_on_any_port_is_passed_over(tmp_path: Path) -> None:
    lines = [("sent", b"GET /index.html HTTP/1.1\r\n")] * 40
    capture = read_capture(write(tmp_path / "a.pcap", *lines))
    assert (capture.frames, capture.notes) == ([], [])


@given(data=st.data())
def test_no_capture_is_too_broken_to_be_looked_at(data: Any, tmp_path_factory: Any) -> None:
    path = write(
        tmp_path_factory.mktemp("broken") / "a.pcap", register(17), acknowledge(17), register(20)
    )
    octets = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 12))):
        octets[data.draw(st.integers(24, len(octets) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(octets[: data.draw(st.integers(24, len(octets)))])
    runner = CliRunner()
    for command in ("decode", "ladder"):
        done = runner.invoke(cli, [command, str(path)])
        assert done.exit_code in (0, 1)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception


def test_tls_is_skipped_with_a_note(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", ("sent", b"\x16\x03\x01\x02\x00" + bytes(60)))
    capture = read_capture(path)
    assert capture.frames == []
    assert "TLS" in capture.notes[0]


def test_rtp_is_summed_up_by_stream_with_its_losses(tmp_path: Path) -> None:
    with PcapTrace(tmp_path / "a.pcap") as trace:
        for number in (65534, 65535, 0, 3, 4):
            packet = Packet(sequence_number=number, ssrc=7, payload=bytes(160))
            trace(RtpRecord(1.0, "sent", ("127.0.0.11", 32000), PHONE, bytes(packet)))
    (stream,) = read_capture(tmp_path / "a.pcap").streams
    assert (stream.packets, stream.lost, stream.ssrc) == (5, 2, 7)


def test_a_file_is_shown_byte_by_byte(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", register(17))
    done = CliRunner().invoke(cli, ["decode", str(path)])
    assert done.exit_code == 0, done.output
    assert "127.0.0.20:40000 → 127.0.0.10:2000  SCCP v0  RegisterReq (0x0001)" in done.output
    lines = [" ".join(line.split()) for line in done.output.splitlines()]
    assert "0008 01 00 00 00 message_id RegisterReq (0x0001)" in lines
    assert "000c 53 45 50 30 30 31 31 32 device_name 'SEP001122334455'" in lines
    assert "0014 32 33 33 34 34 35 35 00" in lines
    assert "0034 11 protocol_ver 17" in lines
    assert "0069 00 00 00 00 00 00 00 00 firmware_load_name filler, 23 bytes more" in lines


def test_fields_alone_leave_the_bytes_and_what_is_empty_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", register(17))
    done = CliRunner().invoke(cli, ["decode", "--fields", str(path)])
    assert "    device_name = 'SEP001122334455'" in done.output.splitlines()
    assert "53 45 50" not in done.output
    assert "instance" not in done.output


def test_a_cti_message_is_shown_with_its_offsets() -> None:
    frame = cti.encode(cti.ProviderOpenRequest(login="pa", sequence_number=7), to_server=True)
    done = CliRunner().invoke(cli, ["decode", frame.hex()])
    assert done.exit_code == 0, done.output
    lines = [" ".join(line.split()) for line in done.output.splitlines()]
    where = next(line for line in lines if " login → " in line).split("→ ")[1].split(",")[0]
    assert f"{where} 70 00 61 00 login 'pa'" in lines
    assert "0020 07 00 00 00 sequence_number 7" in lines


def test_trailing_bytes_are_marked() -> None:
    frame = messages.encode(messages.OnHook(trailing=b"surprise"), 17)
    done = CliRunner().invoke(cli, ["decode", frame.hex()])
    assert "trailing, 8 bytes" in done.output


def test_sessions_side_by_side_do_not_disturb_each_other(tmp_path: Path) -> None:
    tone = messages.encode(messages.StartTone(tone=DeviceTone.INSIDE_DIAL_TONE), 17)
    other = ("127.0.0.21", 40000)
    login = cti.encode(cti.ProviderOpenRequest(login="pa"), to_server=True)
    with PcapTrace(tmp_path / "a.pcap") as trace:
        for start in range(0, len(tone), 5):
            for phone in (PHONE, other):
                piece = tone[start : start + 5]
                trace(FrameRecord(1.0, "sccp", "received", phone, MANAGER, piece))
            client, server = ("127.0.0.11", 40000), ("127.0.0.10", 2748)
            piece = login[start : start + 5] if start + 5 < len(tone) else login[start:]
            trace(FrameRecord(1.0, "cti", "sent", client, server, piece))
    capture = read_capture(tmp_path / "a.pcap")
    assert sorted(f.name for f in capture.frames) == [
        "ProviderOpenRequest",
        "StartTone",
        "StartTone",
    ]
    assert capture.notes == []


@pytest.mark.parametrize("name", ["sccp-frames", "ctiqbe"])
def test_every_captured_frame_is_shown_without_an_unreadable_byte(name: str) -> None:
    vectors = json.loads((Path(__file__).parents[1] / "vectors" / f"{name}.json").read_text())
    for vector in vectors.get("frames") or vectors["messages"]:
        version = vector.get("version") if name == "sccp-frames" else None
        frame = decode_frame(bytes.fromhex(vector["hex"]), version=version)
        text = click.unstyle("\n".join(hexdump(frame, everything=True)))
        assert "unreadable" not in text
        octets = "".join(line[8:31] for line in text.splitlines())
        assert bytes.fromhex(octets) == frame.data


def test_json_holds_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", register(17), acknowledge(20))
    done = CliRunner().invoke(cli, ["decode", "--json", str(path)])
    found = json.loads(done.output)
    assert [frame["message"] for frame in found["frames"]] == ["RegisterReq", "RegisterAck"]
    assert found["frames"][0]["fields"]["device_name"] == "SEP001122334455"
    assert found["frames"][0]["parts"][3] == {
        "offset": 12,
        "size": 16,
        "kind": "field",
        "name": "device_name",
        "text": "'SEP001122334455'",
    }


def test_a_frame_may_be_given_in_hex() -> None:
    frame = messages.encode(messages.StartTone(tone=DeviceTone.INSIDE_DIAL_TONE), 20)
    done = CliRunner().invoke(cli, ["decode", frame.hex(":") + " " + frame.hex()])
    assert done.exit_code == 0, done.output
    assert done.output.count("SCCP v20  StartTone (0x0082)") == 2
    assert "INSIDE_DIAL_TONE" in done.output


@pytest.mark.parametrize("text", ["no-such-file.pcap", "0400", "040000000000000000000000ff"])
def test_what_is_neither_file_nor_frame_is_a_usage_error(text: str) -> None:
    assert CliRunner().invoke(cli, ["decode", text]).exit_code == 2


def test_hexadecimal_may_come_in_several_words_or_from_standard_input() -> None:
    digits = tones(1)[0].hex(" ")
    whole = CliRunner().invoke(cli, ["decode", digits]).output
    assert "StartTone" in whole
    assert CliRunner().invoke(cli, ["decode", *digits.split()]).output == whole
    assert CliRunner().invoke(cli, ["decode", "-"], input=digits + "\n").output == whole


@pytest.mark.parametrize("options", [[], ["--json"], ["--fields"]])
def test_a_frame_that_is_cut_is_shown_as_far_as_it_goes_and_fails(options: list[str]) -> None:
    done = CliRunner().invoke(cli, ["decode", *options, tones(1)[0][:-4].hex()])
    assert done.exit_code == 1
    assert "the length word says 28 bytes, there are 24" in done.output


@pytest.mark.parametrize("option", ["--fields", "--all"])
def test_json_has_everything_so_what_would_leave_out_or_add_is_refused(option: str) -> None:
    done = CliRunner().invoke(cli, ["decode", "--json", option, "00"])
    assert done.exit_code == 2
    assert "--json has everything: it goes without --fields and --all" in done.output


def test_flags_are_shown_by_name() -> None:
    register = messages.encode(
        messages.RegisterReq(device_name="A", phone_features=enums.PhoneFeatures(0x8572)), 20
    )
    shown = CliRunner().invoke(cli, ["decode", register.hex()]).output
    assert "0x8572 UTF8|DYNAMIC_MESSAGES|ABBREVIATED_DIAL" in shown
    found = json.loads(CliRunner().invoke(cli, ["decode", "--json", register.hex()]).output)
    assert found["frames"][0]["fields"]["phone_features"]["value"] == 0x8572


def test_a_file_that_is_no_capture_is_an_error_without_traceback(tmp_path: Path) -> None:
    (tmp_path / "x.pcap").write_bytes(b"hello")
    done = CliRunner().invoke(cli, ["decode", str(tmp_path / "x.pcap")])
    assert done.exit_code == 1
    assert "no pcap file" in done.output
    assert "Traceback" not in done.output


def test_an_undecodable_frame_is_shown_and_fails(tmp_path: Path) -> None:
    whole = messages.encode(messages.StartTone(tone=DeviceTone.INSIDE_DIAL_TONE), 20)
    short = (4).to_bytes(4, "little") + whole[4:12]
    done = CliRunner().invoke(cli, ["decode", str(write(tmp_path / "a.pcap", ("sent", short)))])
    assert "StartTone" in done.output or "undecodable" in done.output


def test_merged_captures_decode_like_one(tmp_path: Path) -> None:
    one = write(tmp_path / "1.pcap", register(17))
    with PcapTrace(tmp_path / "2.pcap") as trace:
        for number in range(3):
            packet = Packet(sequence_number=number, payload=bytes(160))
            trace(RtpRecord(1.5, "sent", ("127.0.0.11", 32000), PHONE, bytes(packet)))
    pcap.merge([one, tmp_path / "2.pcap"], tmp_path / "all.pcap")
    capture = read_capture(tmp_path / "all.pcap")
    assert (len(capture.frames), len(capture.streams)) == (1, 1)

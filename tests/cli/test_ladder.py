"""``pa-telephony ladder`` tells a call as people do: who, what, when, and what was heard."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner
from company import ALICE, BOB
from loopback import NETWORK
from whole_house import a_manager

from pa_telephony import cti, rtp, sccp
from pa_telephony.cli.capture import read_capture
from pa_telephony.cli.ladder.model import Ladder, build
from pa_telephony.cli.main import cli
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DCallState, MediaStatus
from pa_telephony.trace import FrameRecord, PcapTrace, RtpRecord


async def answers(call: sccp.Call) -> None:
    async with call.answer():
        await call.wait_ended()


async def route(session: cti.RouteSession) -> None:
    await session.select_route("1002")


async def two_calls(path: Path) -> None:
    """1001 calls 1002, and then 6000, which an application routes to 1002."""
    with PcapTrace(path, keyed=True) as trace:
        async with (
            a_manager(trace=trace) as manager,
            rtp.open_engine(address=f"{NETWORK}.20", first_port=42000, trace=trace) as engine,
            sccp.open_station(ALICE, manager.sccp_address, engine=engine) as caller,
            sccp.open_station(BOB, manager.sccp_address, engine=engine) as callee,
            cti.open_provider([manager.cti_address], user="app", password="secret") as provider,
            provider.open_route_point("6000") as route_point,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(callee.serve, answers)
            nursery.start_soon(route_point.serve, route)
            for number in ("1002", "6000"):
                async with caller.call(number) as call:
                    port = (await call.wait_media()).port
                    while min(port.stats.sent, port.stats.received) < 20:  # noqa: ASYNC110
                        await trio.sleep(0.02)
            nursery.cancel_scope.cancel()


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ladder") / "calls.pcap"
    trio.run(two_calls, path)
    return path


@pytest.fixture(scope="module")
def whole(capture: Path) -> Ladder:
    return build(read_capture(capture))


@pytest.fixture
def ladder(capture: Path) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(cli, ["ladder", str(capture), *arguments])
        assert done.exit_code == 0, done.output
        return done.output

    return run


def test_devices_stand_under_their_numbers_around_the_call_manager(whole: Ladder) -> None:
    shown = whole.without_noise()
    assert [column.title for column in shown.columns] == [
        "1001",
        "call manager",
        "application",
        "1002",
    ]
    assert shown.columns[0].details[0] == ALICE


def test_the_legs_of_a_call_are_one_call(whole: Ladder) -> None:
    assert [call.title for call in whole.calls] == ["1001 → 1002", "1001 → 6000"]
    # Two phones; and two phones with the leg at the route point between them.
    assert [len(call.references) for call in whole.calls] == [2, 3]


def test_a_call_is_told_from_off_hook_to_on_hook(whole: Ladder) -> None:
    call = whole.of_call(1).without_noise()
    told = [f"{arrow.name} {arrow.detail}".rstrip() for arrow in call.arrows]
    assert told[0] == "OffHook"
    assert told[-1] == "CallState ON_HOOK"
    assert "KeypadButton 1 0 0 2" in told
    assert "SoftKeyEvent ANSWER" in told
    assert told.count("CallState CONNECTED") == 2


def test_what_an_application_does_with_a_call_belongs_to_it(whole: Ladder) -> None:
    names = [arrow.name for arrow in whole.of_call(2).arrows if arrow.protocol == "cti"]
    assert names[0] == "NewCallEvent"
    assert {"CallRedirectRequest", "CallRedirectResponse"} <= set(names)


def test_streams_are_bars_from_phone_to_phone_with_codec_and_packets(whole: Ladder) -> None:
    streams = whole.of_call(1).streams
    assert {(stream.source, stream.target) for stream in streams} == {
        (ALICE, BOB),
        (BOB, ALICE),
    }
    for stream in streams:
        assert stream.codec == "PCMU"
        assert stream.packets > 15
        assert stream.lost == 0


def test_a_call_is_found_by_its_reference_too(whole: Ladder) -> None:
    reference = whole.calls[1].references[-1]
    assert whole.of_call(reference).calls[0].number == 2


def test_noise_is_left_out_and_counted(ladder: Callable[..., str]) -> None:
    short, long = ladder("--width", "120"), ladder("--width", "120", "--all")
    for name in ("SetLamp", "DisplayPromptStatus", "StartTone", "CapabilitiesRe"):
        assert name not in short
        assert name in long
    assert "lamps" in short.splitlines()[-1]


def test_the_terminal_shows_the_calls_and_the_sound(ladder: Callable[..., str]) -> None:
    text = ladder("--width", "140", "--call", "1")
    heads = text.splitlines()[0].split()
    assert heads == ["1001", "call", "manager", "1002"]
    assert "│─" in text
    assert "▶" in text
    assert "RTP PCMU" in text
    assert "0 lost" in text
    assert "call 1" in text
    assert "6000" not in text


def test_a_device_is_shown_with_those_it_talks_to(whole: Ladder) -> None:
    drawn = whole.of_devices(["1002"]).without_noise()
    signalling = [arrow for arrow in drawn.arrows if BOB not in (arrow.source, arrow.target)]
    assert signalling == []
    assert {stream.call for stream in drawn.streams} == {1, 2}


@pytest.mark.parametrize("wrong", [("--call", "77"), ("--device", "7777")])
def test_what_is_not_there_is_a_usage_error_that_says_what_is(
    capture: Path, wrong: tuple[str, str]
) -> None:
    done = CliRunner().invoke(cli, ["ladder", str(capture), *wrong])
    assert done.exit_code == 2
    assert "1001" in done.output


def test_the_picture_is_svg_with_a_row_for_each_message(
    capture: Path, whole: Ladder, ladder: Callable[..., str]
) -> None:
    out = capture.with_suffix(".svg")
    assert ladder("--svg", str(out)) == ""
    root = ET.fromstring(out.read_text())
    names = {"svg": "http://www.w3.org/2000/svg"}
    labels = root.findall(".//svg:text[@class='label']", names)
    shown = whole.without_noise()
    assert len(labels) == len(shown.arrows) + len(shown.streams)
    height = float(root.attrib["height"])
    assert all(0 < float(label.attrib["y"]) < height for label in labels)


def test_a_picture_has_no_width_of_a_terminal(capture: Path, tmp_path: Path) -> None:
    out = tmp_path / "b.svg"
    done = CliRunner().invoke(cli, ["ladder", str(capture), "--svg", str(out), "--width", "100"])
    assert done.exit_code == 2
    assert "--width is that of the terminal: it goes without --svg" in done.output
    assert not out.exists()


def test_lost_packets_are_counted_and_marked(tmp_path: Path) -> None:
    phone, other = ("127.0.0.20", 41000), ("127.0.0.21", 41000)
    with PcapTrace(tmp_path / "a.pcap") as trace:
        for number in (1, 2, 5, 6):
            packet = rtp.Packet(sequence_number=number, ssrc=7, payload=bytes(160))
            trace(RtpRecord(1.0 + number / 50, "sent", phone, other, bytes(packet)))
    done = CliRunner().invoke(
        cli, ["ladder", str(tmp_path / "a.pcap"), "--svg", str(tmp_path / "a.svg")]
    )
    assert done.exit_code == 0, done.output
    picture = (tmp_path / "a.svg").read_text()
    assert 'class="label lost"' in picture
    assert "2 lost" in picture


def test_sound_between_two_programs_of_one_machine_has_two_ends(tmp_path: Path) -> None:
    phone, manager = ("127.0.0.1", 40000), ("127.0.0.1", 2000)
    ack = messages.OpenReceiveChannelAck(
        media_reception_status=MediaStatus.OK, ip_addr="127.0.0.1", port_number=32000
    )
    request = messages.RegisterReq(device_name=ALICE, protocol_ver=17)
    with PcapTrace(tmp_path / "a.pcap") as trace:
        for message in (request, ack):
            frame = messages.encode(message, 17)
            trace(FrameRecord(1.0, "sccp", "sent", phone, manager, frame))
        for number in (1, 2):
            packet = bytes(rtp.Packet(sequence_number=number, ssrc=7, payload=bytes(160)))
            trace(RtpRecord(2.0, "sent", ("127.0.0.1", 32000), ("127.0.0.1", 32002), packet))
    (stream,) = build(read_capture(tmp_path / "a.pcap")).streams
    assert (stream.source, stream.target) == (ALICE, "127.0.0.1:32002")


@pytest.mark.parametrize(("agreed", "codecs"), [(0, "PCMU, type 101"), (101, "PCMU, digits")])
def test_only_an_agreed_payload_type_is_digits(agreed: int, codecs: str, tmp_path: Path) -> None:
    """0 in OpenReceiveChannel means that none was agreed on, and PCMU has that number."""
    phone, manager = ("127.0.0.20", 40000), ("127.0.0.10", 2000)
    order = messages.OpenReceiveChannel(conference_id=1, rfc2833_payload_type=agreed)
    with PcapTrace(tmp_path / "a.pcap") as trace:
        frame = messages.encode(order, 17)
        trace(FrameRecord(1.0, "sccp", "received", phone, manager, frame))
        for number, kind in enumerate((0, 101)):
            packet = rtp.Packet(
                payload_type=kind, sequence_number=number, ssrc=7, payload=bytes(160)
            )
            ends = ("127.0.0.20", 32000), ("127.0.0.21", 32002)
            trace(RtpRecord(2.0, "sent", *ends, bytes(packet)))
    (stream,) = build(read_capture(tmp_path / "a.pcap")).streams
    assert stream.codec == codecs


def test_a_session_whose_registration_is_missing_still_has_two_sides(tmp_path: Path) -> None:
    phone, manager = ("127.0.0.20", 1999), ("127.0.0.10", 2000)
    state = messages.CallState(call_state=DCallState.RING_IN, line_instance=1, call_reference=5)
    with PcapTrace(tmp_path / "a.pcap") as trace:
        frame = messages.encode(state, 17)
        trace(FrameRecord(1.0, "sccp", "received", phone, manager, frame))
    (arrow,) = build(read_capture(tmp_path / "a.pcap")).arrows
    assert (arrow.source, arrow.target) == ("server 127.0.0.10", "127.0.0.20:1999")


def test_text_of_a_peer_can_not_break_the_picture(tmp_path: Path) -> None:
    phone, manager = ("127.0.0.20", 40000), ("127.0.0.10", 2000)
    request = messages.RegisterReq(device_name="<&\x1b[31m\x07", protocol_ver=17)
    with PcapTrace(tmp_path / "a.pcap") as trace:
        trace(FrameRecord(1.0, "sccp", "sent", phone, manager, messages.encode(request, 17)))
    runner = CliRunner()
    path, svg = str(tmp_path / "a.pcap"), tmp_path / "a.svg"
    assert runner.invoke(cli, ["ladder", path, "--svg", str(svg)]).exit_code == 0
    ET.fromstring(svg.read_text())
    assert "\x1b" not in runner.invoke(cli, ["ladder", path]).output


def test_an_empty_capture_is_no_error(tmp_path: Path) -> None:
    with PcapTrace(tmp_path / "a.pcap"):
        pass
    done = CliRunner().invoke(cli, ["ladder", str(tmp_path / "a.pcap")])
    assert done.exit_code == 0
    assert "nothing to draw" in done.output

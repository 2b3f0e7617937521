"""A connection finds the frames in any stream and the version in any registration."""

from __future__ import annotations

import dataclasses
import json
import struct
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from pa_telephony.errors import DecodeError, LocalProtocolError, RemoteProtocolError
from pa_telephony.sccp import enums, messages
from pa_telephony.sccp.connection import (
    Connection,
    ConnectionClosed,
    Limits,
    Role,
    negotiate,
)
from pa_telephony.sccp.messages import SccpMessage, Sender, UnknownMessage

VECTORS = Path(__file__).parents[1] / "vectors"

REGISTER = messages.RegisterReq(device_name="SEP001122334455", protocol_ver=20)
ACK = messages.RegisterAck(keep_alive_interval=30, max_protocol_ver=21)
RING = messages.OpenReceiveChannel(conference_id=1, pass_through_party_id=2, call_reference=3)


def pair() -> tuple[Connection, Connection]:
    return Connection(Role.STATION), Connection(Role.CALL_MANAGER)


def pump(sender: Connection, receiver: Connection, size: int = 1 << 20) -> list[object]:
    """Move what is queued, ``size`` bytes at a time, and collect the events."""
    data = sender.data_to_send()
    events: list[object] = []
    for start in range(0, len(data), size):
        receiver.receive_data(data[start : start + size])
        while (event := receiver.next_event()) is not None:
            events.append(event)
    return events


def registered() -> tuple[Connection, Connection]:
    station, manager = pair()
    station.send(REGISTER)
    assert pump(station, manager) == [REGISTER]
    manager.send(ACK)
    assert pump(manager, station) == [ACK]
    return station, manager


@pytest.mark.parametrize(
    ("offered", "announced", "version"),
    [
        (20, 21, 20),
        (22, 17, 17),
        (21, 22, 21),
        (17, 22, 17),
        (18, 22, 18),
        (18, 18, 18),
        (7, 6, 6),
        (20, 0, 3),
        (20, None, 0),
        (0, 22, 3),
        (17, 48, 17),
    ],
)
def test_the_version_is_the_lower_one_and_nonsense_is_passed_over(
    offered: int, announced: int | None, version: int
) -> None:
    """Captured pairs; then FreeSWITCH, CallManager 2.x, a station without one, and Asterisk."""
    assert negotiate(offered, announced) == version


def frames_of_call_manager_2() -> list[bytes]:
    """What CallManager 2.x said to a station that offered 5, in the order of the capture."""
    frames = json.loads((VECTORS / "sccp-frames.json").read_text())["frames"]
    return [
        bytes.fromhex(frame["hex"])
        for frame in frames
        if frame["version"] == 0
        and frame["capture"].startswith("pyskinny_cm2")
        and SccpMessage.registry[int.from_bytes(bytes.fromhex(frame["hex"])[8:12], "little")].sender
        is Sender.CALL_MANAGER
    ]


def test_a_session_with_call_manager_2_is_read_in_its_dialect() -> None:
    """Its RegisterAck of 12 bytes tells; the bodies are short, the media orders its own."""
    station, _ = pair()
    station.send(dataclasses.replace(REGISTER, protocol_ver=5))
    frames = frames_of_call_manager_2()
    heard: dict[str, SccpMessage] = {}
    for frame in frames:
        station.receive_data(frame)
        message = station.next_event()
        assert isinstance(message, SccpMessage)
        heard.setdefault(type(message).__name__, message)
    assert station.version == 0
    assert heard["RegisterAck"] == messages.RegisterAck(
        keep_alive_interval=30, date_template="M/D/YA", alignment_padding=2446
    )
    assert heard["StartMediaTransmission"] == messages.StartMediaTransmission(
        remote_ip_addr="10.102.172.11",
        remote_port_number=5001,
        milli_second_packet_size=30,
        compression_type=enums.MediaPayloadType.G711_ULAW64K,
    )
    assert heard["StopMediaTransmission"] == messages.StopMediaTransmission()
    assert heard["LineStatRes"] == messages.LineStatRes(line_number=1, line_dir_number="1091")
    assert heard["CallInfo"] == messages.CallInfo(
        calling_party_name="Line 1091",
        calling_party="1091",
        called_party_name="Line 1092",
        called_party="1092",
    )
    assert len(heard) >= 14


# Bodies of CallManager 2.x by message and length, from docs/reference and docs/protocol/sccp.md
# §2; those that no vector holds (they are deduplicated) are made up from zeros at the lengths seen.
SHORT = [
    (messages.StartTone, 4),
    (messages.StopTone, 0),
    (messages.SetRinger, 4),
    (messages.CallInfo, 128),
    (messages.LineStatRes, 28),
    (messages.RegisterAck, 12),
    (messages.StartMediaTransmission, 36),
    (messages.StopMediaTransmission, 4),
    (messages.StartMediaReception, 24),
    (messages.StopMediaReception, 4),
    (messages.OffHook, 0),
    (messages.OnHook, 0),
    (messages.Stimulus, 8),
    (messages.UnregisterReq, 0),
    (messages.ButtonTemplateReq, 0),
    (messages.RegisterReq, 36),
    (messages.RegisterReq, 44),
    (messages.RegisterReq, 64),
    (messages.OpenReceiveChannelAck, 16),
    (messages.CallState, 12),
]


@pytest.mark.parametrize(("declaration", "length"), SHORT)
@pytest.mark.parametrize("version", [0, 3, 6])
def test_the_short_bodies_of_old_peers_are_read(
    declaration: type[SccpMessage], length: int, version: int
) -> None:
    message = messages.decode(declaration.id, bytes(length), version)
    assert type(message) is declaration
    assert messages.decode(declaration.id, messages.encode(message, version)[12:], version) == (
        message
    )


def test_both_sides_agree_on_the_version() -> None:
    station, manager = registered()
    assert (station.version, manager.version) == (20, 20)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 11, 12, 13, 100, 1 << 20])
def test_frames_are_found_however_the_stream_is_cut(size: int) -> None:
    station, manager = registered()
    for _ in range(5):
        manager.send(RING)
        manager.send(messages.KeepAliveAck())
    assert pump(manager, station, size) == [RING, messages.KeepAliveAck()] * 5


def test_the_header_carries_the_version_after_registration_and_0_before() -> None:
    station, manager = pair()
    station.send(REGISTER)
    assert station.data_to_send()[4:8] == bytes(4)
    station, manager = registered()
    manager.send(RING)
    assert manager.data_to_send()[4:8] == b"\x14\0\0\0"


def test_any_header_version_is_accepted() -> None:
    station, manager = registered()
    manager.send(RING)
    frame = manager.data_to_send()
    station.receive_data(frame[:4] + b"\xff\xff\xff\xff" + frame[8:])
    assert station.next_event() == RING


@pytest.mark.parametrize("length", [0, 3, 4097, 0x7FFFFFFF, 0xFFFFFFFF])
def test_an_impossible_length_ends_the_connection_and_stays_an_error(length: int) -> None:
    station, _ = registered()
    station.receive_data(struct.pack("<III", length, 0, 0))
    for _ in range(2):
        with pytest.raises(DecodeError, match=f"data length {length}"):
            station.next_event()
    with pytest.raises(DecodeError):
        station.receive_data(b"")
    with pytest.raises(DecodeError):
        station.send(messages.KeepAliveReq())


def test_more_than_the_buffer_holds_is_refused() -> None:
    manager = Connection(Role.CALL_MANAGER, Limits(buffered=1000))
    with pytest.raises(RemoteProtocolError, match="1001 bytes"):
        manager.receive_data(bytes(1001))


def test_an_end_between_frames_is_told_once() -> None:
    station, _ = registered()
    station.receive_eof()
    assert station.next_event() == ConnectionClosed()
    assert station.next_event() is None


def test_an_end_inside_a_frame_is_an_error() -> None:
    station, _ = registered()
    station.receive_data(b"\x04\0\0")
    station.receive_eof()
    with pytest.raises(DecodeError, match="ends inside a frame"):
        station.next_event()


def test_a_message_for_the_other_side_is_not_sent_and_passed_over_when_it_comes() -> None:
    station, manager = registered()
    with pytest.raises(LocalProtocolError, match="OpenReceiveChannel"):
        station.send(RING)
    manager.send(RING)
    frame = manager.data_to_send()
    station.send(messages.KeepAliveReq())
    manager.receive_data(frame + station.data_to_send())
    assert manager.next_event() == UnknownMessage(id=RING.id, body=frame[12:])
    assert manager.misdirected == 1
    assert manager.next_event() == messages.KeepAliveReq()
    assert manager.misdirected == 1


def test_an_unknown_message_is_handed_on_and_the_next_one_is_found() -> None:
    station, manager = registered()
    manager.send(UnknownMessage(id=0x7777, body=b"\1\2\3\4"))
    manager.send(RING)
    assert pump(manager, station) == [UnknownMessage(id=0x7777, body=b"\1\2\3\4"), RING]


@given(st.binary(max_size=300), st.integers(1, 50))
def test_garbage_gives_messages_or_one_typed_error(data: bytes, size: int) -> None:
    for role in Role:
        connection = Connection(role)
        try:
            for start in range(0, len(data), size):
                connection.receive_data(data[start : start + size])
                while connection.next_event() is not None:
                    pass
        except RemoteProtocolError:
            with pytest.raises(RemoteProtocolError):
                connection.next_event()

"""One CTI connection without I/O: frames in any cut, heartbeats in virtual time, bad peers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from pa_telephony.cti import messages
from pa_telephony.cti.connection import ConnectionClosed, Limits, Role, WireConnection
from pa_telephony.cti.messages.codec import HEADER
from pa_telephony.errors import DecodeError, LocalProtocolError, RemoteProtocolError

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "ctiqbe.json").read_text())
TO_SERVER = [bytes.fromhex(each["hex"]) for each in VECTORS["messages"] if each["to_server"]]
REQUEST = messages.ProviderGetCapabilitiesRequest(sequence_number=7)


def client_frame(message: messages.CtiMessage = REQUEST) -> bytes:
    return WireConnection(Role.CLIENT).send(message)


def events(connection: WireConnection) -> list[object]:
    return list(iter(connection.next_event, None))


def test_a_frame_that_arrives_byte_by_byte_is_one_message() -> None:
    server = WireConnection(Role.SERVER)
    for byte in client_frame():
        assert events(server) == []
        server.receive_data(bytes([byte]), 0.0)
    assert events(server) == [REQUEST]


def test_frames_that_arrive_together_come_out_one_by_one() -> None:
    server = WireConnection(Role.SERVER)
    server.receive_data(client_frame() * 3, 0.0)
    assert events(server) == [REQUEST] * 3


def test_what_ciscos_client_sends_comes_through_in_any_cut() -> None:
    stream = b"".join(TO_SERVER)
    for size in (1000, 4096, 65536):
        server = WireConnection(Role.SERVER)
        count = 0
        for start in range(0, len(stream), size):
            server.receive_data(stream[start : start + size], 0.0)
            count += len(events(server))
        heartbeats = sum(frame[16] == 120 and frame[17] == 0 for frame in TO_SERVER)
        assert count == len(TO_SERVER) - heartbeats


def test_the_server_answers_in_the_version_of_its_client() -> None:
    server = WireConnection(Role.SERVER)
    frame = bytearray(client_frame())
    frame[12:16] = (0x00100000).to_bytes(4, "little")
    server.receive_data(bytes(frame), 0.0)
    events(server)
    assert server.send(messages.Heartbeat())[12:16] == frame[12:16]


@pytest.mark.parametrize(("offset", "value"), [(8, 0), (0, 0), (0, 23), (0, 1 << 30)])
def test_a_header_that_lies_is_one_error_for_ever(offset: int, value: int) -> None:
    server = WireConnection(Role.SERVER)
    frame = bytearray(client_frame())
    frame[offset : offset + 4] = value.to_bytes(4, "little")
    server.receive_data(bytes(frame), 0.0)
    with pytest.raises(RemoteProtocolError) as first:
        server.next_event()
    with pytest.raises(RemoteProtocolError) as second:
        server.receive_data(client_frame(), 0.0)
    assert (type(second.value), str(second.value)) == (type(first.value), str(first.value))


def test_more_bytes_than_the_limit_are_not_kept() -> None:
    server = WireConnection(Role.SERVER, Limits(frame=1000, buffered=2000))
    with pytest.raises(RemoteProtocolError, match="2001 bytes wait"):
        server.receive_data(bytes(2001), 0.0)


def test_a_message_for_the_other_side_is_refused() -> None:
    server = WireConnection(Role.SERVER)
    server.receive_data(WireConnection(Role.SERVER).send(messages.LineInServiceEvent()), 0.0)
    with pytest.raises(RemoteProtocolError, match="LineInServiceEvent"):
        server.next_event()


def test_the_end_between_frames_is_told_once_and_inside_one_is_an_error() -> None:
    server = WireConnection(Role.SERVER)
    server.receive_data(client_frame(), 0.0)
    server.receive_eof(0.0)
    assert events(server) == [REQUEST, ConnectionClosed()]
    with pytest.raises(LocalProtocolError):
        server.receive_data(b"x", 0.0)
    cut = WireConnection(Role.SERVER)
    cut.receive_data(client_frame()[:-1], 0.0)
    cut.receive_eof(0.0)
    with pytest.raises(RemoteProtocolError, match="ends inside"):
        cut.next_event()


def test_a_day_of_heartbeats() -> None:
    client, server = WireConnection(Role.CLIENT), WireConnection(Role.SERVER)
    for side in (client, server):
        side.start_heartbeats(30.0, 90.0, 0.0)
    sent = 0
    now = 0.0
    while now < 86400.0:
        now = min(client.next_deadline() or now, server.next_deadline() or now)
        for side, other in ((client, server), (server, client)):
            side.handle_deadline(now)
            data = side.data_to_send()
            sent += len(data) // 32
            if data:
                other.receive_data(data, now)
            assert other.next_event() is None
    assert sent == 2 * 86400 // 30


def test_a_silent_peer_is_missed() -> None:
    server = WireConnection(Role.SERVER)
    server.start_heartbeats(30.0, 90.0, 0.0)
    server.handle_deadline(89.9)
    with pytest.raises(RemoteProtocolError, match="silent for 90 s"):
        server.handle_deadline(90.0)


def test_an_interval_of_zero_does_not_become_a_flood() -> None:
    server = WireConnection(Role.SERVER)
    server.start_heartbeats(0.0, 90.0, 0.0)
    assert server.next_deadline() == 1.0


@given(st.binary(max_size=400))
def test_garbage_is_a_typed_error_or_waits_for_more(data: bytes) -> None:
    for role in Role:
        connection = WireConnection(role)
        try:
            connection.receive_data(data, 0.0)
            events(connection)
        except RemoteProtocolError:
            pass


@given(st.sampled_from(TO_SERVER), st.data())
def test_a_damaged_frame_is_a_typed_error_or_a_message(frame: bytes, data: st.DataObject) -> None:
    damaged = bytearray(frame)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(frame) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    server = WireConnection(Role.SERVER)
    try:
        server.receive_data(bytes(damaged), 0.0)
        events(server)
    except RemoteProtocolError:
        pass


# ------------------------------------------------------------------------------ before the login


def a_stranger() -> WireConnection:
    return WireConnection(Role.SERVER, logged_in=False)


def header_of(message: messages.CtiMessage, length: int) -> bytes:
    """The header of a frame, with a length of ours."""
    client = WireConnection(Role.CLIENT)
    client.send(message)
    return length.to_bytes(4, "little") + client.data_to_send()[4 : HEADER.size]


def test_before_the_login_only_its_messages_are_looked_at_and_decoded() -> None:
    for message, name in (
        (messages.ProviderGetAllDevicesAndLinesRequest(), "ProviderGetAllDevicesAndLinesRequest"),
        (messages.CallPlayDtmfRequest(), "CallPlayDtmfRequest"),
    ):
        connection = a_stranger()
        # The header is enough: nothing behind it is waited for.
        connection.receive_data(header_of(message, 100_000), 0.0)
        with pytest.raises(RemoteProtocolError, match=f"{name} before the login"):
            connection.next_event()
    connection = a_stranger()
    client = WireConnection(Role.CLIENT)
    client.send(messages.ProviderInitRequest(provider="x"))
    connection.receive_data(client.data_to_send(), 0.0)
    assert isinstance(connection.next_event(), messages.ProviderInitRequest)
    connection.logged_in = True
    client.send(messages.ProviderGetAllDevicesAndLinesRequest())
    connection.receive_data(client.data_to_send(), 0.0)
    assert isinstance(connection.next_event(), messages.ProviderGetAllDevicesAndLinesRequest)


def test_before_the_login_a_message_is_short() -> None:
    connection = a_stranger()
    connection.receive_data(header_of(messages.ProviderOpenRequest(), 8193), 0.0)
    with pytest.raises(DecodeError, match="length 8193, at most 8192"):
        connection.next_event()


def test_a_connection_that_has_failed_keeps_nothing_of_what_came() -> None:
    connection = WireConnection(Role.SERVER)
    number = header_of(messages.ProviderOpenRequest(), (1 << 20) - 8)
    connection.receive_data(number + b"\xff" * ((1 << 20) - len(number)), 0.0)
    with pytest.raises(DecodeError) as first:
        connection.next_event()
    with pytest.raises(DecodeError) as second:
        connection.next_event()
    assert str(first.value) == str(second.value)
    assert (second.value.offset, second.value.path) == (first.value.offset, first.value.path)
    assert connection._error is not None
    assert connection._error.__traceback__ is None
    assert not connection._received

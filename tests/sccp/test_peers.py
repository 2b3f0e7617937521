"""Call managers and stations of other makers, scripted: each quirk that is known, as they do it.

What chan_skinny (Asterisk 20), chan-sccp-b 4.3.5, FreeSWITCH 1.10.2 and pyskinny do was observed
by running them (docs/protocol/sccp.md §10); docs/interop.md says what ours did with the real ones.

First what they say to a station of ours, by maker; then how they refuse and close, over sockets.
Elsewhere:

* what crashed or hung them, and pyskinny as a client, at our server: test_crashes.py;
* calls at scripted call managers, over sockets: test_peer_calls.py;
* keepalives before registration, and what stands by: test_station.py, test_registrar.py;
* labels of soft keys in Cisco's codes, templates of other sizes: test_screen.py;
* RTP from another port than the one announced (pyskinny), and RTP that has to be symmetric
  (FreeSWITCH; a port of ours is one socket): tests/rtp/test_engine.py;
* lengths and bodies of all other kinds, streams cut anywhere: test_hostile.py;
* call managers that know no tokens or drop the question: tests/callmanager/test_call_managers.py;
* two registrations of one name, an unregistration during a call (NAK): test_phones.py there.
"""

from __future__ import annotations

import contextlib
import itertools
import struct
from typing import TypeVar

import pytest
import trio

from pa_telephony import sccp
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import (
    DCallState,
    DeviceResetType,
    MediaPayloadType,
)
from pa_telephony.sccp.messages import SccpMessage
from pa_telephony.sccp.station.core import (
    CallChanged,
    Registered,
    Rejected,
    SessionLost,
    StationCore,
    StationEvent,
    StatisticsAsked,
    Unregistered,
)
from pa_telephony.sccp.station.registration import State
from pa_telephony.sccp.station.style import StationConfig

T = TypeVar("T", bound=SccpMessage)

ALICE, BOB, OLD = "SEP020000000001", "SEP020000000002", "SEP020000000003"


def raw(number: int, body: bytes, word: int = 0) -> bytes:
    """A frame as the peer lays it out."""
    return struct.pack("<III", len(body) + 4, word, number) + body


def words(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


SKINNY_ACK = raw(0x81, words(30) + b"D-M-YA\x30\x00" + words(30) + b"\x30\x00\x00\x00")
"""Asterisk's: a date without its NUL, and a version byte of 48."""
FREESWITCH_ACK = raw(0x81, words(30) + b"D/M/Y\0\0\0" + words(30) + bytes(4))
ONE_LINE = raw(0x97, words(0, 1, 1) + b"\x01\x09" + b"\xff" * 82)
TIME = messages.encode(messages.TimeDateRes(w_year=2026), 3)


class Peer:
    """A station of ours, and a call manager of bytes."""

    def __init__(self, version: int = 20) -> None:
        self.version = version
        self.core = StationCore(ALICE, StationConfig(protocol_version=version))
        self.events: list[StationEvent] = []
        self.core.connected(0.0)

    def says(self, *frames: bytes, now: float = 0.0) -> list[StationEvent]:
        self.core.receive_data(b"".join(frames), now)
        found: list[StationEvent] = []
        while (event := self.core.next_event()) is not None:
            found.append(event)
        self.events += found
        return found

    def heard(self) -> list[int]:
        """The numbers of what the station said."""
        data, found = self.core.data_to_send(), []
        while data:
            length, _, number = struct.unpack_from("<III", data)
            found.append(number)
            data = data[length + 8 :]
        return found

    def registered(self, ack: bytes = SKINNY_ACK) -> None:
        self.says(ack, ONE_LINE, TIME)
        assert self.core.state is State.REGISTERED
        self.heard()

    def message(self, message: SccpMessage, word: int | None = None) -> bytes:
        return messages.encode(message, self.core.version or self.version, word)


# ------------------------------------------------------------------------------- chan_skinny


def test_lamps_before_the_ack_and_a_version_byte_of_48_do_no_harm() -> None:
    peer = Peer(version=17)
    lamp = raw(0x86, words(15, 1, 1))
    peer.says(lamp, lamp, SKINNY_ACK)
    assert peer.core.state is State.CONFIGURING
    assert peer.core.version == 17
    # Its LineStatRes is the old one, whatever version was agreed.
    line = raw(0x92, words(1) + b"6001".ljust(24, b"\0") + b"6001".ljust(40, b"\0") + bytes(44))
    peer.says(ONE_LINE, line, TIME)
    assert peer.core.lines == {1: "6001"}
    assert peer.core.state is State.REGISTERED


def test_questions_that_are_never_answered_hold_nothing_up() -> None:
    """No ConfigStatRes and no ForwardStatRes ever come."""
    peer = Peer()
    peer.says(SKINNY_ACK)
    assert 0x0C in peer.heard()
    peer.says(ONE_LINE)
    assert 0x0D in peer.heard()
    assert peer.says(TIME) == [Registered()]


def test_a_call_manager_that_closes_instead_of_an_unregister_ack_lets_go() -> None:
    peer = Peer()
    peer.registered()
    peer.core.leave(0.0)
    assert peer.heard() == [0x27]
    peer.core.receive_eof(0.0)
    assert isinstance(peer.core.next_event(), Unregistered)


def test_a_rejection_that_leaves_the_connection_open_is_a_rejection() -> None:
    peer = Peer()
    assert peer.says(raw(0x9D, b"No Authority: ".ljust(36, b"\0"))) == [Rejected("No Authority: ")]


def skinny_channel(party: int) -> bytes:
    """OpenReceiveChannel of 168 bytes in all versions, its call reference 0."""
    return raw(0x105, words(party, party, 20, 4, 0, 0).ljust(168, b"\0"))


def test_media_without_a_call_reference_belongs_to_its_conference_and_closes_by_its_party() -> None:
    peer = Peer(version=11)
    peer.registered()
    state = raw(0x111, words(5, 1, 7, 0, 0, 0))
    opened, connected = peer.says(skinny_channel(7), state)
    assert isinstance(opened, CallChanged)
    assert isinstance(connected, CallChanged)
    assert opened.call is connected.call
    assert opened.call.media.receive is not None
    # Both with conference 0, and only then the audio of this call is over.
    peer.says(raw(0x106, words(0, 7, 0, 0, 0)), raw(0x8B, words(0, 7, 0, 0, 0)))
    assert opened.call.media.receive is None


def test_media_that_was_never_opened_is_closed_and_the_time_told_twice_without_harm() -> None:
    peer = Peer()
    peer.registered()
    late = (raw(0x8B, words(0, 9, 0, 0, 0)), raw(0x106, words(0, 9, 0, 0, 0)), TIME, TIME)
    assert peer.says(*late) == []
    assert peer.core.state is State.REGISTERED


def test_what_we_write_is_whole_frames_that_the_smallest_reader_takes() -> None:
    """It drops a connection whose header comes in two pieces, and frames above 1992 bytes."""
    peer = Peer()
    written = [peer.core.data_to_send()]
    for said in (SKINNY_ACK, raw(0x9B, b""), ONE_LINE):
        peer.says(said)
        written.append(peer.core.data_to_send())
    for data in filter(None, written):
        start = 0
        while start < len(data):
            (length,) = struct.unpack_from("<I", data, start)
            assert 4 <= length <= 1992
            start += length + 8
        assert start == len(data)


def test_keepalives_go_out_whatever_else_is_said() -> None:
    """Nothing else keeps a connection alive there."""
    peer = Peer()
    peer.registered()
    for second in range(1, 31):
        peer.core.send(messages.TimeDateReq())
        peer.says(TIME, now=float(second))
    peer.core.handle_deadline(30.0)
    assert 0x00 in peer.heard()


@pytest.mark.parametrize("stands_by", [False, True])
def test_a_connection_that_is_closed_for_not_having_registered_is_lost(stands_by: bool) -> None:
    """After 30 s, one that stands by included; the station connects again after its back-off."""
    core = StationCore(ALICE, StationConfig())
    if stands_by:
        core.stand_by(0.0, 60.0)
    else:
        core.connected(0.0)
    core.receive_eof(30.0)
    assert isinstance(core.next_event(), SessionLost)
    assert core.next_deadline() is None


# ------------------------------------------------------------------------------- chan-sccp-b


def sccp_b_ack(version: int, keep_alive: int = 30) -> bytes:
    features = b"\x20\xf1\x00"
    return raw(0x81, words(keep_alive) + b"D.M.Y\0\0\0" + words(30) + bytes([version]) + features)


@pytest.mark.parametrize(("version", "word"), [(5, 0), (11, 11), (17, 17), (22, 22)])
def test_the_header_word_follows_the_session_or_not_and_means_nothing(
    version: int, word: int
) -> None:
    peer = Peer(version)
    peer.registered(sccp_b_ack(version))
    assert peer.core.version == version
    shown = messages.CallState(
        call_state=DCallState.OFF_HOOK, line_instance=1, call_reference=0xFFFFFFF0
    )
    for other in (word, 0, 99):
        (changed,) = peer.says(peer.message(shown, other))
        assert isinstance(changed, CallChanged)
    peer.core.leave(0.0)
    # The last word is 0 again.
    assert peer.says(raw(0x118, words(0))) == [Unregistered(confirmed=True)]


def test_acknowledgements_that_nobody_asked_for_are_not_counted() -> None:
    """It answers what it does not know with a KeepAliveAck."""
    peer = Peer()
    peer.registered(sccp_b_ack(20))
    assert peer.says(*[raw(0x100, b"")] * 10) == []
    for _ in range(peer.core.config.missed_keep_alives):
        peer.core.handle_deadline(peer.core.next_deadline() or 0.0)
    assert peer.core.state is State.REGISTERED
    peer.core.handle_deadline(peer.core.next_deadline() or 0.0)
    assert isinstance(peer.core.next_event(), SessionLost)


@pytest.mark.parametrize("interval", [22, 25, 30])
def test_the_keepalive_interval_is_the_one_that_was_drawn_for_us(interval: int) -> None:
    peer = Peer()
    peer.registered(sccp_b_ack(20, interval))
    assert peer.core.next_deadline() == interval


def test_a_reset_in_front_of_the_close_starts_the_station_anew() -> None:
    """Its answer to a length that it does not like."""
    peer = Peer()
    peer.registered(sccp_b_ack(20))
    peer.says(peer.message(messages.Reset(reset_type=DeviceResetType.RESET)))
    peer.core.receive_eof(0.0)
    event = peer.core.next_event()
    assert isinstance(event, Unregistered)
    assert event.reset is DeviceResetType.RESET


CHANNELS = [(5, 108), (11, 108), (17, 128), (22, 168)]
TRANSMISSIONS = [(5, 116), (11, 116), (17, 132), (22, 168)]


@pytest.mark.parametrize(("version", "size"), CHANNELS)
def test_a_channel_of_its_size_opens_with_a_party_above_the_signed_numbers(
    version: int, size: int
) -> None:
    peer = Peer(version)
    peer.registered(sccp_b_ack(version))
    body = words(1, 0xFFFFFFFE, 20, 4, 0, 0, 5).ljust(size, b"\0")
    (opened,) = peer.says(raw(0x105, body, version))
    assert isinstance(opened, CallChanged)
    order = opened.call.media.receive
    assert order is not None
    assert order.pass_through_party_id == 0xFFFFFFFE
    assert order.compression_type == MediaPayloadType.G711_ULAW64K


@pytest.mark.parametrize(("version", "size"), TRANSMISSIONS)
def test_a_transmission_of_its_size_has_the_address_where_it_belongs(
    version: int, size: int
) -> None:
    peer = Peer(version)
    peer.registered(sccp_b_ack(version))
    address = bytes((127, 0, 0, 1))
    slot = address if version < 17 else bytes(4) + address + bytes(12)
    body = (words(1, 0xFFFFFFFE) + slot + words(10000, 20, 4, 0xB8)).ljust(size, b"\0")
    (begun,) = peer.says(raw(0x8A, body, version))
    assert isinstance(begun, CallChanged)
    order = begun.call.media.transmit
    assert order is not None
    assert (order.remote_ip_addr, order.remote_port_number) == ("127.0.0.1", 10000)


def test_its_dialed_number_is_longer_than_the_old_one_and_statistics_are_asked_for() -> None:
    peer = Peer(version=5)
    peer.registered(sccp_b_ack(5))
    assert peer.says(raw(0x11D, b"500".ljust(24, b"\0") + words(1, 5, 0))) is not None
    (asked,) = peer.says(raw(0x107, b"500".ljust(24, b"\0") + words(5, 0)))
    assert isinstance(asked, StatisticsAsked)


# -------------------------------------------------------------------------------- FreeSWITCH


def test_a_version_byte_of_zero_means_the_old_layouts_whatever_was_offered() -> None:
    peer = Peer(version=22)
    peer.registered(FREESWITCH_ACK)
    short = {
        "CallState": raw(0x111, words(5, 1, 7)),
        "StopTone": raw(0x83, words(1, 7)),
        "ForwardStatRes": raw(0x90, words(0, 1).ljust(92, b"\0")),
        "OpenReceiveChannel": raw(0x105, words(7, 7, 20, 4, 0, 0, 7).ljust(92, b"\0")),
        "StartMediaTransmission": raw(
            0x8A, words(7, 7) + bytes((127, 0, 0, 1)) + words(11000, 20, 4, 0, 0, 0, 0)
        ),
    }
    peer.says(*short.values())
    (call,) = peer.core.calls.values()
    assert call.state is DCallState.CONNECTED
    assert call.media.receive is not None
    transmit = call.media.transmit
    assert transmit is not None
    assert (transmit.remote_ip_addr, transmit.remote_port_number) == ("127.0.0.1", 11000)
    peer.says(raw(0x106, words(7, 7, 7)), raw(0x8B, words(7, 7, 7)))
    assert call.media.receive is None
    assert call.media.transmit is None


def test_a_line_whose_number_and_label_are_swapped_has_the_label_for_a_number() -> None:
    """Nothing in the message tells; the registration goes on, and calls name no numbers of ours."""
    peer = Peer(version=11)
    line = words(1) + b"Reception".ljust(24, b"\0") + b"6001".ljust(40, b"\0") + bytes(44)
    peer.says(FREESWITCH_ACK, ONE_LINE, raw(0x92, line), TIME)
    assert peer.core.lines == {1: "Reception"}
    assert peer.core.state is State.REGISTERED


def test_an_answer_in_many_small_writes_is_an_answer() -> None:
    peer = Peer(version=11)
    for octet in FREESWITCH_ACK + ONE_LINE + TIME:
        peer.says(bytes([octet]))
    assert peer.core.state is State.REGISTERED


# ----------------------------------------------------------------------------- sizes of all three

SIZES = {
    "SetRinger": (0x85, {5: (16, 20), 17: (16, 20)}),
    "StopMediaTransmission": (0x8B, {5: (12, 16, 20), 22: (16, 20)}),
    "CloseReceiveChannel": (0x106, {5: (12, 16, 20), 22: (16, 20)}),
    "StopTone": (0x83, {5: (8, 12), 22: (12,)}),
    "CallState": (0x111, {5: (12, 24), 22: (24,)}),
    "CallInfo": (0x8F, {5: (384,)}),
    "CallInfoV2": (0x14A, {11: (76,), 17: (64, 80), 22: (80,)}),
    "ForwardStatRes": (0x90, {5: (92, 96), 22: (96,)}),
    "LineStatRes": (0x92, {5: (112,), 17: (112,)}),
    "LineStatV2Res": (0x147, {17: (36,), 22: (36,)}),
    "ButtonTemplateRes": (0x97, {5: (96, 124), 22: (124,)}),
    "ConnectionStatisticsReq": (0x107, {5: (32,), 22: (36,)}),
    "SoftKeyTemplateRes": (0x108, {5: (652, 1292), 17: (652, 1292)}),
    "SoftKeySetRes": (0x109, {5: (780, 784), 17: (780, 784)}),
    "DisplayPromptStatus": (0x112, {5: (44, 56)}),
    "DisplayPromptStatusV2": (0x145, {17: (16, 20), 22: (16,)}),
    "DialedNumber": (0x11D, {5: (32, 36), 22: (32, 36)}),
    "ClearDisplay": (0x9A, {5: (0,), 22: (0,)}),
    "ClearPriNotify": (0x121, {5: (4,), 22: (4,)}),
}
"""Bodies in bytes by session version, as the three were seen to send them."""


@pytest.mark.parametrize("name", SIZES)
def test_a_message_is_known_in_every_size_in_which_a_peer_sends_it(name: str) -> None:
    number, by_version = SIZES[name]
    for version, sizes in by_version.items():
        peer = Peer(version)
        peer.registered(sccp_b_ack(version))
        for size in sizes:
            peer.says(raw(number, bytes(size)))
        assert peer.core.unknown_messages == 0
        assert peer.core.state is State.REGISTERED


# --------------------------------------------------------------------------------- pyskinny


def test_a_simulator_that_acknowledges_no_keepalive_before_the_time_was_asked_registers_us() -> (
    None
):
    peer = Peer(version=5)
    peer.says(sccp_b_ack(5), ONE_LINE, TIME)
    assert peer.core.state is State.REGISTERED
    # It closes on a RegisterReq that is shorter than this.
    assert len(messages.encode(messages.RegisterReq(device_name=ALICE), 5)) >= 12 + 36


# ------------------------------------------------------------------- how they refuse and close

REFUSALS: dict[str, tuple[bytes, bool]] = {
    "closed at once, as the 51st connection of chan_skinny": (b"", True),
    "chan-sccp-b, while the old session is torn down": (
        raw(0x9D, b"Crossover session".ljust(32, b"\0")),
        True,
    ),
    "chan_skinny, which leaves the connection open": (
        raw(0x9D, b"No Authority: ".ljust(36, b"\0")),
        False,
    ),
}


@pytest.mark.parametrize("kind", REFUSALS)
async def test_a_station_that_is_refused_comes_back_after_longer_and_longer(kind: str) -> None:
    """Its old session may live on there for a while; a backlog of 2 wants patience too."""
    refusal, closes = REFUSALS[kind]
    at: list[float] = []

    async def serve(stream: trio.SocketStream) -> None:
        at.append(trio.current_time())
        if len(at) <= 3:
            if refusal:
                await stream.receive_some(4096)
                await stream.send_all(refusal)
            if not closes:
                # Until the station goes.
                assert await stream.receive_some(4096) == b""
            await stream.aclose()
            return
        await stream.receive_some(4096)
        await stream.send_all(SKINNY_ACK + ONE_LINE + TIME)
        with contextlib.suppress(trio.BrokenResourceError):
            while await stream.receive_some(4096):
                pass

    config = StationConfig(first_back_off=0.05, rejections=4)
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, serve, listeners)
            host, port = listeners[0].socket.getsockname()
            async with sccp.open_station(ALICE, f"{host}:{port}", config=config) as station:
                assert station.registrations == 1
            nursery.cancel_scope.cancel()
    assert len(at) == 4
    for wait, (before, after) in zip((0.025, 0.05, 0.1), itertools.pairwise(at), strict=True):
        assert after - before >= wait

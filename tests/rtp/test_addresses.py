"""From where sound is taken, where it goes, and what is said when it cannot flow."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import AsyncGenerator, Iterator

import pytest
import trio
from hypothesis import given, strategies as st
from loopback import HOST, NETWORK

from pa_telephony import rtp
from pa_telephony.rtp import EngineConfig, Packet, Port
from pa_telephony.rtp.mismatch import KIND
from pa_telephony.rtp.session import Latch
from pa_telephony.trace import EventRecord, Record

pytestmark = pytest.mark.usefixtures("both_ways")

INNER, OUTER, OTHER = ("10.0.0.9", 41000), ("192.0.2.1", 1024), ("192.0.2.2", 1024)
ADDRESSES = st.sampled_from([INNER, (INNER[0], 5), OUTER, (OUTER[0], 5), OTHER])


@contextlib.contextmanager
def a_socket(host: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.setblocking(False)
        udp.bind((host, 0))
        yield udp


@contextlib.asynccontextmanager
async def a_port(
    first_port: int,
    records: list[Record],
    *,
    symmetric: bool = False,
    announced_only: bool = False,
) -> AsyncGenerator[Port]:
    config = EngineConfig(max_ports=4, symmetric_rtp=symmetric, announced_only=announced_only)
    async with rtp.open_engine(
        address=HOST, first_port=first_port, config=config, trace=records.append
    ) as engine:
        port = engine.open_port()
        port.start_receiving(dtmf_payload_type=101)
        yield port


async def say(
    udp: socket.socket, port: Port, count: int, *, payload_type: int = 0, first: int = 0
) -> None:
    for number in range(first, first + count):
        packet = Packet(
            payload_type=payload_type,
            sequence_number=number,
            timestamp=number * 160,
            ssrc=7,
            payload=bytes(160),
        )
        udp.sendto(bytes(packet), port.local_address)
        await trio.sleep(0.02)
    # The engine may tick a moment later.
    await trio.sleep(0.03)


def received(udp: socket.socket) -> int:
    count = 0
    with contextlib.suppress(BlockingIOError):
        while udp.recv(2048):
            count += 1
    return count


def reasons(records: list[Record]) -> list[str]:
    return [
        str(record.fields["reason"])
        for record in records
        if isinstance(record, EventRecord) and record.kind == KIND
    ]


async def test_sound_from_another_host_than_announced_is_told_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    records: list[Record] = []
    async with a_port(42320, records) as port:
        with a_socket(f"{NETWORK}.98") as announced, a_socket(f"{NETWORK}.99") as peer:
            port.start_sending(announced.getsockname())
            with caplog.at_level(logging.WARNING):
                await say(peer, port, 200)
            origin = peer.getsockname()
    stats = port.stats
    assert (stats.received, stats.foreign, stats.foreign_from) == (0, 200, origin)
    (said,) = reasons(records)
    assert f"sound comes from {origin[0]}:{origin[1]}" in said
    assert said in caplog.text


async def test_a_stranger_beside_a_caller_who_is_heard_is_not_told_of() -> None:
    records: list[Record] = []
    async with a_port(42340, records) as port:
        with a_socket(f"{NETWORK}.98") as peer, a_socket(f"{NETWORK}.99") as stranger:
            port.start_sending(peer.getsockname())
            async with trio.open_nursery() as nursery:
                nursery.start_soon(say, stranger, port, 150)
                await say(peer, port, 150)
    assert port.stats.received == 150
    assert reasons(records) == []


async def test_a_payload_type_that_nobody_agreed_on_is_told_of_though_sound_flows() -> None:
    records: list[Record] = []
    async with a_port(42360, records) as port:
        with a_socket(HOST) as peer:
            port.start_sending(peer.getsockname())
            await say(peer, port, 20)
            await say(peer, port, 10, payload_type=97, first=20)
            await say(peer, port, 20, first=30)
            assert (port.stats.unexpected, port.stats.unexpected_type) == (10, 97)
            # Of the next stream nothing is to be told.
            port.start_receiving(dtmf_payload_type=101)
            await say(peer, port, 20, first=50)
    (said,) = reasons(records)
    assert "payload type 97 comes, which was not agreed on" in said


@pytest.mark.parametrize(("named", "heard"), [(True, 100), (False, 98)])
async def test_music_that_comes_one_way_is_heard(named: bool, heard: int) -> None:
    """Music on hold of CallManager is sent to who is held, and nothing is sent back (simplex)."""
    async with a_port(42324, []) as port:
        with a_socket(HOST) as music, a_socket(f"{NETWORK}.99") as stranger:
            port.stop_receiving()
            port.start_receiving(source=music.getsockname() if named else None)
            await say(music, port, 50)
            await say(stranger, port, 10)
            # A pause of more than two seconds costs nothing, either.
            await trio.sleep(3)
            await say(music, port, 50, first=50)
            origin = stranger.getsockname()
    assert (port.stats.received, port.stats.foreign_from) == (heard, origin)


async def test_music_of_a_type_that_nobody_agreed_on_is_told_of() -> None:
    records: list[Record] = []
    async with a_port(42326, records) as port:
        with a_socket(HOST) as music:
            await say(music, port, 50, payload_type=9)
            await trio.sleep(1)
    assert [why.partition(": ")[2] for why in reasons(records)] == [
        "payload type 9 comes, which was not agreed on: not heard"
    ]


async def test_the_peer_that_is_named_is_the_only_one_heard_from_then_on() -> None:
    async with a_port(42328, []) as port:
        with a_socket(f"{NETWORK}.98") as early, a_socket(HOST) as peer:
            await say(early, port, 10)
            assert port.stats.received == 8
            port.start_sending(peer.getsockname())
            await say(early, port, 10, first=10)
            assert port.stats.received == 8


async def test_a_port_that_hears_announced_peers_only_hears_nobody_before_it_sends() -> None:
    async with a_port(42332, [], announced_only=True) as port:
        with a_socket(HOST) as peer:
            await say(peer, port, 10)
            assert (port.stats.received, port.stats.foreign) == (0, 10)
            port.start_sending(peer.getsockname())
            await say(peer, port, 10)
            assert port.stats.received == 10


async def test_what_came_from_the_peer_before_it_was_named_is_no_complaint_about_it() -> None:
    records: list[Record] = []
    async with a_port(42336, records, announced_only=True) as port:
        with a_socket(HOST) as peer:
            await say(peer, port, 15)
            port.start_sending(peer.getsockname())
            await say(peer, port, 50)
            await trio.sleep(3)
    assert reasons(records) == []


async def test_sound_and_reports_are_marked_for_expedited_forwarding() -> None:
    async with a_port(42348, []) as port:
        marks = [
            udp.getsockopt(socket.IPPROTO_IP, socket.IP_TOS)
            for udp in (port.rtp_socket, port.rtcp_socket)
        ]
        assert marks == [0xB8, 0xB8]


@pytest.mark.parametrize("tos", [-1, 256])
async def test_a_mark_that_no_header_has_room_for_is_refused(tos: int) -> None:
    with pytest.raises(ValueError, match=f"tos {tos} must be 0 to 255"):
        async with rtp.open_engine(address=HOST, config=EngineConfig(tos=tos)):
            pass


async def test_a_peer_that_is_followed_is_heard_at_once_after_a_pause() -> None:
    async with a_port(42352, [], symmetric=True) as port:
        with a_socket(f"{NETWORK}.98") as announced, a_socket(f"{NETWORK}.99") as peer:
            port.start_sending(announced.getsockname())
            for spurt in range(3):
                await say(peer, port, 25, first=25 * spurt)
                await trio.sleep(3)
            assert (port.stats.received, port.stats.foreign) == (73, 2)


async def test_a_phone_behind_a_nat_is_followed_where_that_is_asked_for() -> None:
    records: list[Record] = []
    async with a_port(42380, records, symmetric=True) as port:
        with a_socket(f"{NETWORK}.98") as announced, a_socket(f"{NETWORK}.99") as peer:
            port.start_sending(announced.getsockname())
            await say(peer, port, 50)
            assert port.stats.received == 48
            assert port.remote_address == peer.getsockname()
            assert received(peer) >= 40
            # Once somebody is followed, nobody else is heard.
            await say(announced, port, 50)
            assert port.stats.received == 48
    assert reasons(records) == []


async def test_a_stranger_who_sends_no_sound_is_left_after_two_seconds_of_it() -> None:
    records: list[Record] = []
    async with a_port(42400, records, symmetric=True) as port:
        with a_socket(f"{NETWORK}.98") as peer, a_socket(f"{NETWORK}.99") as stranger:
            port.start_sending(peer.getsockname())
            for _ in range(3):
                stranger.sendto(b"hello", port.local_address)
            await trio.sleep(0.1)
            await say(peer, port, 400)
            assert received(peer) > 0
    assert port.stats.received > 250


async def test_one_port_of_an_engine_may_be_symmetric_alone() -> None:
    async with a_port(42400, []) as port:
        assert not port.symmetric
        port.symmetric = True
        with a_socket(f"{NETWORK}.98") as announced, a_socket(f"{NETWORK}.99") as peer:
            port.start_sending(announced.getsockname())
            await say(peer, port, 10)
            assert port.remote_address == peer.getsockname()


@given(st.lists(ADDRESSES, max_size=30))
def test_without_the_option_another_host_is_never_believed(origins: list[tuple[str, int]]) -> None:
    latch = Latch(INNER)
    for origin in origins:
        assert not latch.offer(origin) or origin[0] == INNER[0]
        assert latch.remote == INNER


@given(st.lists(ADDRESSES, max_size=30))
def test_a_symmetric_latch_follows_the_first_who_sends_three_in_a_row(
    origins: list[tuple[str, int]],
) -> None:
    latch = Latch(INNER, symmetric=True)
    followed = None
    for number, origin in enumerate(origins):
        if followed is None and (
            origin == INNER or (number >= 2 and origins[number - 2 : number + 1] == [origin] * 3)
        ):
            followed = origin
        assert latch.offer(origin) is (origin == followed)
        assert latch.remote == (followed or INNER)
    latch.release()
    assert not latch.verified

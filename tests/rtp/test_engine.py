"""The media engine over real UDP sockets on loopback, judged by what is heard.

Ticks follow each other at once: what is heard does not depend on what else the machine does.
"""

from __future__ import annotations

import contextlib
import socket

import numpy as np
import pytest
import trio
from loopback import HOST, NETWORK

from pa_telephony import rtp
from pa_telephony.errors import CallEnded, ConfigurationError, LocalProtocolError
from pa_telephony.rtp import (
    Codec,
    EngineConfig,
    Media,
    Packet,
    Port,
    PortUnavailable,
    rtcp,
    tones,
)
from pa_telephony.rtp.g711 import Samples
from pa_telephony.trace import Record, RtpRecord

pytestmark = pytest.mark.usefixtures("both_ways")

FAST = EngineConfig(max_ports=8, quarantine=0.3, report_interval=0.2)


def loudness(samples: Samples, frequency: float) -> float:
    """How much of a tone is in ``samples``: 1 is all of a full-scale sine."""
    if not len(samples):
        return 0.0
    at = np.arange(len(samples))
    wave = np.exp(-2j * np.pi * frequency / 8000 * at)
    return float(2 * abs(np.dot(samples, wave)) / len(samples) / 32768)


def a_call(
    left: Port, right: Port, codec: Codec = Codec.PCMU, *, ms: int = 20, event: int | None = 101
) -> None:
    """Connect two ports, both ways."""
    for one, other in ((left, right), (right, left)):
        one.start_receiving(codec, packet_ms=ms, dtmf_payload_type=event)
        one.start_sending(other.local_address, codec, packet_ms=ms, dtmf_payload_type=event)


@pytest.mark.parametrize("codec", [Codec.PCMU, Codec.PCMA])
@pytest.mark.parametrize("ms", [10, 20, 60])
@pytest.mark.parametrize("event", [None, 101])
async def test_each_side_hears_the_tone_that_the_other_plays(
    codec: Codec, ms: int, event: int | None
) -> None:
    with trio.fail_after(5):
        async with rtp.open_engine(address=HOST, first_port=42000, config=FAST) as engine:
            left, right = engine.open_port(), engine.open_port()
            assert (left.local_address[1], right.local_address[1]) == (42000, 42002)
            a_call(left, right, codec, ms=ms, event=event)
            one, other = Media(left), Media(right)
            with one.record() as at_left, other.record() as at_right:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(one.play, tones.sine(440, 0.5))
                    nursery.start_soon(other.play, tones.sine(1000, 0.5))
                await trio.sleep(0.2)
            assert loudness(at_right.samples, 440) > 0.05 > 0.01 > loudness(at_right.samples, 1000)
            assert loudness(at_left.samples, 1000) > 0.05 > 0.01 > loudness(at_left.samples, 440)
            assert left.stats.lost == right.stats.lost == 0


async def test_a_tone_arrives_without_a_gap_and_as_long_as_it_was() -> None:
    with trio.fail_after(5):
        async with rtp.open_engine(address=HOST, first_port=42020, config=FAST) as engine:
            left, right = engine.open_port(), engine.open_port()
            a_call(left, right)
            hearing = Media(right)
            with hearing.record() as recording:
                await Media(left).play(tones.sine(500, 0.6))
                await trio.sleep(0.2)
            frames = recording.samples[: len(recording.samples) // 80 * 80].reshape(-1, 80)
            loud = np.abs(frames).max(axis=1) > 1000
            first, last = np.flatnonzero(loud)[[0, -1]]
            assert loud[first : last + 1].all()
            assert abs((last - first + 1) * 0.01 - 0.6) < 0.03


async def test_digits_arrive_once_each_and_cut_the_prompt() -> None:
    with trio.fail_after(5):
        async with rtp.open_engine(address=HOST, first_port=42040, config=FAST) as engine:
            left, right = engine.open_port(), engine.open_port()
            a_call(left, right)
            caller, ivr = Media(left), Media(right)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(caller.send_digits, "11#")
                assert await ivr.ask(tones.sine(500, 30.0), digits=4) == "11"
            assert right.source is None


async def test_a_digit_reported_by_signalling_and_by_audio_counts_once() -> None:
    async with rtp.open_engine(address=HOST, first_port=42060, config=FAST) as engine:
        left, right = engine.open_port(), engine.open_port()
        a_call(left, right)
        ivr = Media(right)
        await Media(left).send_digits("5")
        await trio.sleep(0.1)
        ivr.feed_digit("5")
        ivr.feed_digit("6")
        assert [await ivr.read_digit(), await ivr.read_digit()] == ["5", "6"]


async def test_digits_need_to_be_negotiated() -> None:
    async with rtp.open_engine(address=HOST, first_port=42080, config=FAST) as engine:
        left, right = engine.open_port(), engine.open_port()
        a_call(left, right, event=None)
        with pytest.raises(LocalProtocolError):
            await Media(left).send_digits("1")


async def test_every_verb_of_an_ended_call_raises_call_ended() -> None:
    with trio.fail_after(5):
        async with rtp.open_engine(address=HOST, first_port=42100, config=FAST) as engine:
            left, right = engine.open_port(), engine.open_port()
            a_call(left, right)
            media = Media(left)

            async def end() -> None:
                await trio.sleep(0.1)
                media.end(17)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(end)
                with pytest.raises(CallEnded) as ended:
                    await media.ask(tones.sine(500, 30.0))
            assert ended.value.cause == 17
            for verb in (media.read_digit, lambda: media.play(tones.sine(500, 1.0))):
                with pytest.raises(CallEnded):
                    await verb()
            assert [digit async for digit in media.digits()] == []


async def test_garbage_and_foreign_packets_are_counted_and_not_heard() -> None:
    with trio.fail_after(5):
        async with rtp.open_engine(address=HOST, first_port=42120, config=FAST) as engine:
            port = engine.open_port()
            with (
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer,
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
            ):
                peer.bind(("127.0.0.1", 0))
                stranger.bind(("127.0.0.2", 0))
                port.start_receiving(Codec.PCMU)
                port.start_sending(peer.getsockname()[:2])
                for junk in (b"", b"\x80", bytes(12), b"\xff" * 172, bytes(4000)):
                    peer.sendto(junk, port.local_address)
                    stranger.sendto(junk, port.local_address)
                    peer.sendto(junk, (port.local_address[0], port.local_address[1] + 1))
                await trio.sleep(0.1)
            stats = port.stats
            assert stats.foreign == 5
            assert stats.garbage + stats.unexpected >= 5
            assert stats.received == 0


async def test_a_peer_that_sends_from_another_port_than_it_listens_on_hears_and_is_heard() -> None:
    """As pyskinny does; seen with its client at our call manager."""
    with trio.fail_after(5):
        async with rtp.open_engine(address=HOST, first_port=42130, config=FAST) as engine:
            port = engine.open_port()
            with (
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listens,
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sends,
            ):
                listens.setblocking(False)
                for each in (listens, sends):
                    each.bind(("127.0.0.1", 0))
                port.start_receiving(Codec.PCMU)
                port.start_sending(listens.getsockname())
                for number in range(20):
                    packet = Packet(
                        payload_type=0,
                        sequence_number=number,
                        timestamp=160 * number,
                        ssrc=7,
                        payload=bytes(160),
                    )
                    sends.sendto(bytes(packet), port.local_address)
                    await trio.sleep(0.02)
                await trio.sleep(0.06)
                assert port.stats.received == 18  # the first two were not yet believed
                assert port.stats.foreign == 2
                heard = 0
                while True:
                    try:
                        listens.recv(2048)
                    except BlockingIOError:
                        break
                    heard += 1
                assert 17 <= heard <= 27


async def test_once_the_announced_port_is_heard_nobody_else_is() -> None:
    with trio.fail_after(5):
        async with rtp.open_engine(address=HOST, first_port=42134, config=FAST) as engine:
            port = engine.open_port()
            with (
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer,
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
            ):
                for each in (peer, other):
                    each.bind(("127.0.0.1", 0))
                port.start_receiving(Codec.PCMU)
                port.start_sending(peer.getsockname())
                for number in range(30):
                    for ssrc, each in ((1, peer), (2, other)):
                        packet = Packet(
                            payload_type=0,
                            sequence_number=number,
                            timestamp=160 * number,
                            ssrc=ssrc,
                            payload=bytes(160),
                        )
                        each.sendto(bytes(packet), port.local_address)
                    await trio.sleep(0.02)
                await trio.sleep(0.04)
                assert port.connected
                assert port.stats.received == 30
                assert port.stats.lost == 0


async def test_a_udp_port_rests_before_the_next_call_gets_it_and_can_be_had_by_name() -> None:
    async with rtp.open_engine(address=HOST, first_port=42140, config=FAST) as engine:
        first = engine.open_port()
        first.close()
        first.close()
        assert engine.open_port().index == 1
        again = engine.open_port(0)
        assert again.local_address == first.local_address
        with pytest.raises(PortUnavailable):
            engine.open_port(0)
        again.close()
        await trio.sleep(0.6)
        assert engine.open_port().index == 0


async def test_a_port_that_somebody_else_has_is_unavailable() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, 42161))
        async with rtp.open_engine(address=HOST, first_port=42160, config=FAST) as engine:
            with pytest.raises(PortUnavailable, match="42161"):
                engine.open_port(0)
            assert engine.open_port(1).index == 1


async def test_a_reserved_port_is_bound_before_during_and_after_a_call() -> None:
    def is_bound(number: int) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            try:
                other.bind((HOST, number))
            except OSError:
                return True
            return False

    async with rtp.open_engine(address=HOST, first_port=42180, config=FAST) as engine:
        engine.reserve(0)
        assert is_bound(42180)
        assert is_bound(42181)
        with pytest.raises(PortUnavailable, match="reserved already"):
            engine.reserve(0)
        assert engine.open_port().index == 1
        port = engine.open_port(0)
        port.close()
        await trio.sleep(2.5 * FAST.quarantine)
        assert is_bound(42180)
        engine.open_port(0).close()
        engine.unreserve(0)
        await trio.sleep(2.5 * FAST.quarantine)
        assert not is_bound(42180)
        engine.reserve(2)
    assert not is_bound(42184)


async def test_what_somebody_else_has_can_not_be_reserved_and_is_passed_over() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, 42201))
        async with rtp.open_engine(address=HOST, first_port=42200, config=FAST) as engine:
            with pytest.raises(PortUnavailable, match="42201"):
                engine.reserve(0)
            assert [engine.reserve_from(0), engine.reserve_from(0)] == [1, 2]


async def test_reports_are_exchanged_and_the_end_is_said_with_bye() -> None:
    def sent(records: list[Record]) -> list[list[type]]:
        """Kinds of packets, by datagram from the RTCP port of the first port."""
        return [
            [type(packet) for packet in rtcp.parse(each.data)]
            for each in records
            if isinstance(each, RtpRecord) and each.local[1] == 42181
        ]

    records: list[Record] = []
    with trio.fail_after(5):
        async with rtp.open_engine(
            address=HOST, first_port=42180, config=FAST, trace=records.append
        ) as engine:
            left, right = engine.open_port(), engine.open_port()
            a_call(left, right)
            # When it comes is random (RFC 3550 §6.3.5).
            while [rtcp.SenderReport, rtcp.SourceDescription] not in sent(records):  # noqa: ASYNC110
                await trio.sleep(0.02)
            left.close()
    assert sent(records)[-1][-1] is rtcp.Bye


async def test_an_engine_that_was_stopped_catches_up_without_a_burst() -> None:
    with trio.fail_after(5):
        async with rtp.open_engine(address=HOST, first_port=42200, config=FAST) as engine:
            left, right = engine.open_port(), engine.open_port()
            a_call(left, right, event=None)
            await trio.sleep(0.1)
            before = left.stats.sent
            engine.tick(trio.current_time(), missed=10)
            assert left.stats.sent == before + 1
            with Media(right).record() as recording:
                engine.tick(trio.current_time(), missed=10)
            assert recording.seconds == pytest.approx(11 * 0.02)


async def test_a_sound_on_hold_waits_and_goes_on() -> None:
    with trio.fail_after(5):
        async with rtp.open_engine(address=HOST, first_port=42220, config=FAST) as engine:
            left, right = engine.open_port(), engine.open_port()
            a_call(left, right)
            media = Media(left)
            started = trio.current_time()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(media.play, tones.sine(500, 0.3))
                await trio.sleep(0.1)
                left.stop_sending()
                await trio.sleep(0.4)
                left.start_sending(right.local_address)
            assert trio.current_time() - started > 0.6


def goodbyes(udp: socket.socket) -> int:
    """How many reports with BYE came to a socket."""
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            count += any(isinstance(each, rtcp.Bye) for each in rtcp.parse(udp.recv(2048)))
    return count


async def test_who_was_sent_to_is_told_when_that_is_over_and_who_was_sent_nothing_is_not() -> None:
    with contextlib.ExitStack() as stack:
        beside: list[socket.socket] = []
        for _ in range(3):
            udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            udp.bind((HOST, 0))
            udp.setblocking(False)
            beside.append(udp)
        first, second, third = ((HOST, udp.getsockname()[1] - 1) for udp in beside)
        async with rtp.open_engine(address=HOST, first_port=42234, config=FAST) as engine:
            port = engine.open_port()
            port.start_sending(first)
            port.start_sending(second)
            await trio.sleep(0.1)
            port.start_sending(second, Codec.PCMA)
            await trio.sleep(0.1)
            assert [goodbyes(udp) for udp in beside] == [0, 0, 0]
            port.start_sending(third)
            assert [goodbyes(udp) for udp in beside] == [0, 1, 0]


async def test_after_a_hold_another_source_speaks_whose_reports_count_its_own_packets() -> None:
    records: list[Record] = []

    def sent(number: int) -> list[bytes]:
        return [
            each.data for each in records if isinstance(each, RtpRecord) and each.local[1] == number
        ]

    async with rtp.open_engine(
        address=HOST, first_port=42252, config=FAST, trace=records.append
    ) as engine:
        port = engine.open_port()
        for _ in range(2):
            port.start_sending((HOST, 42000))
            await trio.sleep(0.2)
            port.stop_sending()
        packets = [Packet.parse(each) for each in sent(42252)]
        last = [rtcp.parse(each) for each in sent(42253)]
        byes = [each for each in last if isinstance(each[-1], rtcp.Bye)]
        assert port.stats.sent == len(packets)
    sources = list(dict.fromkeys(each.ssrc for each in packets))
    assert len(sources) == 2
    for source, told in zip(sources, byes, strict=True):
        of_source = [each for each in packets if each.ssrc == source]
        report = told[0]
        assert isinstance(report, rtcp.SenderReport)
        assert (report.ssrc, report.packets, report.octets) == (
            source,
            len(of_source),
            160 * len(of_source),
        )
        assert told[-1] == rtcp.Bye(ssrcs=(source,))


async def test_a_port_on_all_addresses_has_the_machine_s_name_in_its_reports() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as beside:
        beside.bind((HOST, 0))
        async with rtp.open_engine(address="0.0.0.0", first_port=42244, config=FAST) as engine:
            port = engine.open_port()
            port.start_sending((HOST, beside.getsockname()[1] - 1))
            await trio.sleep(0.1)
            port.stop_sending()
            (told,) = (
                each
                for each in rtcp.parse(beside.recv(2048))
                if isinstance(each, rtcp.SourceDescription)
            )
            assert told.chunks[0][1] == ((1, f"pa-telephony@{socket.gethostname()}".encode()),)


async def test_after_a_long_stop_the_sender_s_clock_is_where_time_is(
    autojump_clock: trio.testing.MockClock,
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((HOST, 0))
        peer.setblocking(False)

        def last_timestamp() -> int:
            found = -1
            with contextlib.suppress(BlockingIOError):
                while True:
                    found = Packet.parse(peer.recv(2048)).timestamp
            return found

        async with rtp.open_engine(address=HOST, first_port=42238, config=FAST) as engine:
            port = engine.open_port()
            port.start_sending(peer.getsockname())
            await trio.sleep(0.11)
            before = last_timestamp()
            autojump_clock.jump(5)
            await trio.sleep(0.1)
            after = last_timestamp()
            assert (after - before & 0xFFFFFFFF) == pytest.approx(5.1 * 8000, abs=320)
            assert engine.statistics.missed_ticks == FAST.most_catching_up


def keys_heard(udp: socket.socket) -> list[tuple[int, int]]:
    """Each key that came to a socket, and how many packets said that it ended."""
    ends: dict[tuple[int, int], int] = {}
    with contextlib.suppress(BlockingIOError):
        while True:
            packet = Packet.parse(udp.recv(2048))
            if packet.payload_type == 101:
                press = packet.timestamp, packet.payload[0]
                ends[press] = ends.get(press, 0) + (packet.payload[1] >> 7)
    return [(key, count) for (_, key), count in ends.items()]


@pytest.mark.parametrize("held", [True, False], ids=["held", "redirected"])
async def test_keys_outlast_a_hold_and_a_redirect_and_the_one_that_goes_out_ends(
    held: bool,
) -> None:
    with trio.fail_after(5), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, 0))
        other.setblocking(False)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first:
            first.bind((HOST, 0))
            first.setblocking(False)
            async with rtp.open_engine(address=HOST, first_port=42226, config=FAST) as engine:
                port = engine.open_port()
                port.start_sending(first.getsockname(), dtmf_payload_type=101)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(Media(port).send_digits, "1234")
                    # A key takes five ticks, and as many for the pause behind it.
                    while port.stats.sent < 13:  # noqa: ASYNC110
                        await trio.sleep(0.005)
                    if held:
                        port.stop_sending()
                        await trio.sleep(0.3)
                    port.start_sending(other.getsockname(), dtmf_payload_type=101)
                assert not port.sends_digits
                assert keys_heard(first) == [(1, 3), (2, 3)]
                assert keys_heard(other) == [(3, 3), (4, 3)]


async def test_keys_that_cannot_be_sent_after_a_redirect_are_told_of() -> None:
    with trio.fail_after(5):
        async with rtp.open_engine(address=HOST, first_port=42230, config=FAST) as engine:
            left, right = engine.open_port(), engine.open_port()
            a_call(left, right)
            with pytest.RaisesGroup(LocalProtocolError):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(Media(left).send_digits, "1234")
                    await trio.sleep(0.1)
                    left.start_sending(right.local_address)


async def test_two_engines_share_a_range_of_ports_as_two_programs_on_a_machine_do() -> None:
    async with (
        rtp.open_engine(address=HOST, first_port=42240, config=FAST) as one,
        rtp.open_engine(address=HOST, first_port=42240, config=FAST) as other,
    ):
        first, second, third = one.open_port(), other.open_port(), one.open_port()
        numbers = [port.local_address[1] for port in (first, second, third)]
        assert numbers == [42240, 42242, 42244]
        with pytest.raises(PortUnavailable):
            other.open_port(0)


async def test_an_engine_without_an_address_has_its_ports_where_they_are_wanted() -> None:
    one, two, its_own = (f"{NETWORK}.{number}" for number in (5, 6, 7))
    async with rtp.open_engine(first_port=42260, config=FAST) as engine:
        for address in (one, two):
            with contextlib.closing(engine.open_port(0, address=address)) as port:
                assert port.local_address == (address, 42260)
        assert engine.open_port().local_address[0] == "127.0.0.1"
    async with rtp.open_engine(address=its_own, first_port=42260, config=FAST) as engine:
        assert engine.open_port(address=one).local_address[0] == its_own
        assert engine.open_spare_port(address=one).local_address[0] == its_own


@pytest.mark.parametrize(
    ("address", "local", "peer", "error"),
    [
        ("127.0.0.1", "10.0.0.1", "10.0.0.5", "127.0.0.1, where nothing comes from 10.0.0.5"),
        ("localhost", "10.0.0.1", "10.0.0.5", "localhost"),
        (None, "fd00::1", "fd00::5", "is not"),
        ("0.0.0.0", "::1", "::1", "is not"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.9", ""),
        ("127.0.0.1", "::1", "::1", ""),
        ("10.0.0.7", "fd00::1", "fd00::5", ""),
        (None, "10.0.0.1", "10.0.0.5", ""),
        (None, "127.0.0.1", "127.0.0.1", ""),
    ],
)
async def test_an_address_where_no_sound_can_come_from_the_call_manager_is_an_error(
    address: str | None, local: str, peer: str, error: str
) -> None:
    async with rtp.open_engine(address=address, first_port=42260, config=FAST) as engine:
        if not error:
            engine.check_signalling(local, peer)
            return
        with pytest.raises(ConfigurationError, match=error):
            engine.check_signalling(local, peer)

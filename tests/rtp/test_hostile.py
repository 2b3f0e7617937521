"""Hostile datagrams at one port of the engine: counted there, and the port beside it hears on."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace

import numpy as np
import pytest
import trio
from hypothesis import given, strategies as st
from loopback import HOST

from pa_telephony import rtp
from pa_telephony.errors import LocalProtocolError
from pa_telephony.rtp import Codec, Engine, EngineConfig, Media, Port, PortUnavailable, rtcp, tones
from pa_telephony.rtp.inbound import Inbound
from pa_telephony.rtp.packet import Packet
from pa_telephony.trace import Record, RtpRecord

pytestmark = pytest.mark.usefixtures("both_ways")

FAST = EngineConfig(max_ports=8, quarantine=0.3, report_interval=0.2)
UNASKED = replace(FAST, report_interval=600.0)
"""Reports go out when the test says so."""


class Stage:
    """A port with a hostile peer, and two ports that talk to each other."""

    def __init__(self, engine: Engine, peer: socket.socket, sent: list[Record]) -> None:
        self._records = sent
        self.engine = engine
        self.peer = peer
        self.port = engine.open_port()
        self.port.start_receiving(Codec.PCMU, dtmf_payload_type=101)
        self.port.start_sending(peer.getsockname()[:2], dtmf_payload_type=101)
        self.left, self.right = engine.open_port(), engine.open_port()
        for one, other in ((self.left, self.right), (self.right, self.left)):
            one.start_receiving(Codec.PCMU)
            one.start_sending(other.local_address)

    @property
    def sent(self) -> list[RtpRecord]:
        return [each for each in self._records if isinstance(each, RtpRecord)]

    def reports(self) -> list[rtcp.SenderReport]:
        """What the port has told its peer."""
        host, number = self.port.local_address
        return [
            packet
            for each in self.sent
            if each.local == (host, number + 1)
            for packet in rtcp.parse(each.data)
            if isinstance(packet, rtcp.SenderReport)
        ]

    def say(self, *datagrams: bytes, control: bool = False) -> None:
        host, number = self.port.local_address
        for data in datagrams:
            self.peer.sendto(data, (host, number + control))

    async def others_hear(self) -> None:
        """A tone between the other two arrives whole."""
        lost = self.right.stats.lost
        with Media(self.right).record() as recording:
            await Media(self.left).play(tones.sine(500, 0.3))
            await trio.sleep(0.1)
        loud = np.abs(recording.samples[: len(recording.samples) // 80 * 80].reshape(-1, 80))
        assert 28 <= int((loud.max(axis=1) > 1000).sum()) <= 32
        stats = self.right.stats
        assert (stats.lost, stats.garbage, stats.foreign, stats.unexpected) == (lost, 0, 0, 0)


@contextlib.asynccontextmanager
async def a_stage(first_port: int, config: EngineConfig = FAST) -> AsyncGenerator[Stage]:
    with trio.fail_after(10), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        sent: list[Record] = []
        async with rtp.open_engine(
            address=HOST, first_port=first_port, config=config, trace=sent.append
        ) as engine:
            yield Stage(engine, peer, sent)


def audio(sequence: int, timestamp: int, ssrc: int = 1, size: int = 160) -> bytes:
    return bytes(
        Packet(
            sequence_number=sequence & 0xFFFF,
            timestamp=timestamp & 0xFFFFFFFF,
            ssrc=ssrc,
            payload=b"\x00" * size,
        )
    )


def report(*packets: rtcp.RtcpPacket) -> bytes:
    return rtcp.build([rtcp.ReceiverReport(ssrc=1), *packets])


async def ticks(engine: Engine, count: int = 10) -> None:
    wanted = engine.statistics.ticks + count
    while engine.statistics.ticks < wanted:  # noqa: ASYNC110
        await trio.sleep(0.01)


GARBAGE = [
    b"",
    b"\x80",
    bytes(12),
    b"\xff" * 172,
    bytes(4000),
    audio(1, 160)[:11],
    b"\x8f" + audio(1, 160)[1:20],
    b"\x90" + audio(1, 160)[1:12] + b"\0\0\xff\xff",
    b"\xa0" + audio(1, 160)[1:-1] + b"\xff",
]


async def test_what_is_no_rtp_is_garbage_and_nothing_of_it_is_heard() -> None:
    async with a_stage(44000) as stage:
        stage.say(*GARBAGE)
        await ticks(stage.engine)
        assert stage.port.stats.garbage == len(GARBAGE)
        assert stage.port.stats.received == 0
        await stage.others_hear()


async def test_other_payload_types_are_unexpected_and_events_that_are_none_are_garbage() -> None:
    async with a_stage(44020) as stage:
        stage.say(*(b"\x80" + bytes([kind]) + audio(1, 160)[2:] for kind in (8, 18, 96, 127)))
        for size in (1, 3, 5):
            stage.say(bytes(Packet(payload_type=101, sequence_number=size, payload=bytes(size))))
        await ticks(stage.engine)
        assert (stage.port.stats.unexpected, stage.port.stats.garbage) == (4, 3)
        await stage.others_hear()


async def test_rtcp_garbage_is_counted_and_every_good_report_survives_it() -> None:
    good = report(rtcp.description(1, "a@b"), rtcp.Bye(ssrcs=(7,), reason=b"x"))
    cut = [good[:size] for size in range(1, len(good)) if size not in (8, 24)]
    async with a_stage(44040) as stage:
        for at in range(0, len(cut), 8):
            stage.say(*cut[at : at + 8], control=True)
            await ticks(stage.engine, 3)
        stage.say(good, bytes(2000), control=True)
        await ticks(stage.engine)
        assert stage.port.stats.garbage == len(cut) + 1
        await stage.others_hear()


async def test_strangers_are_counted_on_both_ports_and_not_heard() -> None:
    async with a_stage(44060) as stage:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.2", 0))
            host, number = stage.port.local_address
            for n in range(5):
                stranger.sendto(audio(n, 160 * n), (host, number))
                stranger.sendto(report(rtcp.Bye(ssrcs=(1,))), (host, number + 1))
            await ticks(stage.engine)
        assert (stage.port.stats.foreign, stage.port.stats.received) == (10, 0)
        assert stage.port.remote_address == stage.peer.getsockname()[:2]
        await stage.others_hear()


async def test_a_port_is_never_told_to_send_to_itself() -> None:
    """Its own sound would come back to it for ever, one packet more each time it is mixed."""
    async with a_stage(44070) as stage:
        host, number = stage.port.local_address
        for own in (number, number + 1):
            with pytest.raises(LocalProtocolError, match="that is this port"):
                stage.port.start_sending((host, own))
        await stage.others_hear()


async def test_a_port_on_every_address_is_not_told_to_send_to_itself_by_any_of_them() -> None:
    async with rtp.open_engine(address="0.0.0.0", first_port=44074) as engine:
        port = engine.open_port()
        number = port.local_address[1]
        for host in ("0.0.0.0", "127.0.0.1", "127.0.0.9"):
            with pytest.raises(LocalProtocolError, match="that is this port"):
                port.start_sending((host, number))
        # An address of documentation (RFC 5737) is nobody's, and other ports here are others'.
        port.start_sending(("192.0.2.1", number))
        port.start_sending(("127.0.0.1", number + 2))


async def test_numbers_that_jump_and_sizes_that_are_odd_disturb_one_port_only() -> None:
    async with a_stage(44080) as stage:
        for n in range(60):
            stage.say(
                audio(n * 2999, n * 0x1234567),
                audio(n * 40000, 0xFFFFFFFF - n, ssrc=n),
                audio(n, 0x80000000, size=(n * 37) % 2030),
            )
            await ticks(stage.engine, 1)
        await ticks(stage.engine)
        assert stage.port.stats.received > 0
        assert stage.port.stats.jitter >= 0
        await stage.others_hear()


async def test_a_flood_drowns_its_own_port_only() -> None:
    async with a_stage(44100) as stage:
        done = trio.Event()

        async def flood() -> None:
            n = 0
            while not done.is_set():
                stage.say(*(audio(n + k, 160 * (n + k)) for k in range(100)))
                stage.say(*([report()] * 20), control=True)
                n += 100
                await trio.sleep(0.005)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(flood)
            await stage.others_hear()
            done.set()
        assert stage.port.stats.received > 0


async def test_sequence_numbers_that_wrap_for_an_hour_do_not_end_the_engine() -> None:
    """The extended number outgrew its 32 bits in the next report, which ended every port."""
    async with a_stage(44120) as stage:
        stage.say(audio(1, 160))
        await ticks(stage.engine, 3)
        row = stage.port.index
        stage.engine._inbound.extended[row] += 0x10000 * 0x10000
        stage.engine._inbound.jitter[row] = 0x7FFFFFFF
        # The last report goes out at once, and is one that can be read.
        stage.port.stop_sending()
        (highest,) = {
            block.highest
            for each in stage.sent
            if each.local == (stage.port.local_address[0], stage.port.local_address[1] + 1)
            for packet in rtcp.parse(each.data)
            if isinstance(packet, rtcp.SenderReport)
            for block in packet.reports
        }
        assert highest == 1
        await stage.others_hear()


async def test_reports_tell_the_loss_of_the_present_source_in_all_and_since_the_last_one() -> None:
    async with a_stage(44130, UNASKED) as stage:

        async def reported(*datagrams: bytes) -> tuple[int, int, int]:
            stage.say(*datagrams)
            await ticks(stage.engine, 3)
            stage.engine._upkeep.report(stage.port, trio.current_time())
            block = last_block(stage)
            return block.ssrc, block.lost, block.fraction_lost

        first = [audio(n, n * 160) for n in range(1, 11) if n != 4]
        assert await reported(*first) == (1, 1, 256 // 10)
        assert await reported(*(audio(n, n * 160) for n in range(11, 21))) == (1, 1, 0)
        # A packet that was late comes at last, and one of two others comes twice.
        assert await reported(audio(4, 640), audio(22, 3520), audio(22, 3520)) == (1, 0, 0)
        # Who speaks next is not to blame for what its predecessor lost.
        await trio.sleep(1)
        second = [audio(n, n * 160, ssrc=2) for n in range(500, 510)]
        assert await reported(*second) == (2, 0, 0)
        await stage.others_hear()


async def test_the_last_report_and_statistics_tell_of_a_stream_that_was_closed_before() -> None:
    """A call manager closes the way to hear first, and asks for statistics after the call."""
    async with a_stage(44138, UNASKED) as stage:
        for number in range(1, 31):
            if number != 7:
                # Irregular enough for some jitter.
                stage.say(audio(number, number * 160 + 400 * (number % 3)))
            await ticks(stage.engine, 1)
        stage.engine._upkeep.report(stage.port, trio.current_time())
        stage.say(audio(31, 31 * 160), audio(34, 34 * 160))
        await ticks(stage.engine, 3)
        jitter = stage.port.stats.jitter
        assert jitter > 0
        stage.port.stop_receiving()
        assert stage.port.stats.jitter == jitter
        stage.port.stop_sending()
        block = last_block(stage)
        assert (block.ssrc, block.lost, block.fraction_lost, block.highest) == (1, 3, 128, 34)
        # The next one who has the port is not told of it.
        stage.port.close()
        await trio.sleep(0.5)
        port = stage.engine.open_port(0)
        assert port.stats.jitter == 0
        port.start_sending(stage.peer.getsockname()[:2])
        stage.engine._upkeep.report(port, trio.current_time())
        assert stage.reports()[-1].reports == ()
        await stage.others_hear()


async def test_what_came_with_a_type_that_nobody_agreed_on_was_not_lost() -> None:
    """Each key of a caller whose keys were not agreed on looked like loss on the network."""
    async with a_stage(44136, UNASKED) as stage:
        for number in range(60):
            data = bytearray(audio(number, number * 160))
            if number % 6 > 2:
                data[1] = 102
            stage.say(bytes(data))
            await ticks(stage.engine, 1)
        await ticks(stage.engine)
        stats = stage.port.stats
        assert (stats.received, stats.unexpected, stats.lost) == (30, 30, 0)
        stage.engine._upkeep.report(stage.port, trio.current_time())
        block = last_block(stage)
        # The last that came was one of these.
        assert (block.lost, block.fraction_lost, block.highest) == (0, 0, 59)
        await stage.others_hear()


async def test_reports_tell_the_time_of_a_report_of_the_present_source_only() -> None:
    async with a_stage(44134, UNASKED) as stage:
        for number, ssrc, known in ((1, 7, 0), (2, 1, 0x00020003)):
            stage.say(audio(number, number * 160))
            said = rtcp.SenderReport(
                ssrc=ssrc, ntp=0x1000200030004, timestamp=0, packets=1, octets=1
            )
            stage.say(rtcp.build([said]), control=True)
            await ticks(stage.engine, 12)
            stage.engine._upkeep.report(stage.port, trio.current_time())
            block = last_block(stage)
            assert block.last_report == known
            assert bool(block.delay) is bool(known)
        await stage.others_hear()


def last_block(stage: Stage) -> rtcp.ReportBlock:
    """What the stage's port has last told of its peer's source."""
    return stage.reports()[-1].reports[0]


async def test_a_key_that_closes_its_port_in_mid_tick_hurts_nobody() -> None:
    async with a_stage(44140) as stage:
        pressed: list[str] = []

        def press(digit: str) -> None:
            pressed.append(digit)
            stage.port.close()

        stage.port.on_digit = press
        event = bytes((5, 10, 0, 160))
        for n in range(5):
            stage.say(
                bytes(Packet(payload_type=101, sequence_number=n, timestamp=n, payload=event * 40))
            )
            stage.say(report(), control=True)
        await ticks(stage.engine)
        assert pressed
        assert stage.port.closed
        await stage.others_hear()


def test_one_packet_full_of_digits_fills_no_more_than_the_queue() -> None:
    inbound = Inbound(1)
    inbound.open(0)
    inbound.listen(0, Codec.PCMU, 101, 0.0)
    payload = b"".join(bytes((n % 16, 10, 0, 1 + n % 7)) for n in range(500))
    data = bytes(Packet(payload_type=101, payload=payload))
    inbound.views[0][: len(data)] = data
    assert len(inbound.accept(np.array([0]), [len(data)], 0.0)) <= 500


@pytest.mark.parametrize(
    "arguments",
    [
        {"remote": ("127.0.0.1", 70000)},
        {"remote": ("127.0.0.1", 0)},
        {"remote": ("127.0.0.1", -1)},
        {"remote": ("::1", 4000)},
        {"remote": ("example.com", 4000)},
        {"packet_ms": 7},
        {"dtmf_payload_type": 0},
        {"dtmf_payload_type": 128},
        {"dtmf_payload_type": 0xFFFFFFFF},
    ],
    ids=str,
)
async def test_what_can_not_be_sent_is_refused_before_a_tick_meets_it(
    arguments: dict[str, object],
) -> None:
    async with rtp.open_engine(address=HOST, first_port=44160, config=FAST) as engine:
        port: Port = engine.open_port()
        with pytest.raises(LocalProtocolError):
            port.start_sending(**{"remote": ("127.0.0.1", 4000), **arguments})  # type: ignore[arg-type]
        assert not port.sending


async def test_a_process_without_descriptors_has_no_port_to_give(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with rtp.open_engine(address=HOST, first_port=44180, config=FAST) as engine:

        def full(*_: object) -> None:
            raise OSError(24, "Too many open files")

        monkeypatch.setattr("pa_telephony.rtp.sockets.socket.socket", full)
        with pytest.raises(PortUnavailable, match="Too many open files"):
            engine.open_port()


def hostile_rows(draw: st.DataObject) -> Iterator[bytes]:
    """Datagrams that are nearly those of a stream."""
    for _ in range(draw.draw(st.integers(1, 30))):
        packet = audio(
            draw.draw(st.integers(0, 0xFFFF)),
            draw.draw(st.integers(0, 0xFFFFFFFF)),
            draw.draw(st.integers(0, 2)),
            draw.draw(st.sampled_from([0, 1, 80, 159, 160, 161, 960, 2035])),
        )
        yield packet if draw.draw(st.booleans()) else draw.draw(st.binary(max_size=200))


@given(st.data())
def test_no_datagrams_touch_the_row_beside_theirs(data: st.DataObject) -> None:
    inbound = Inbound(2)
    for row in (0, 1):
        inbound.open(row)
        inbound.listen(row, Codec.PCMU, 101, 0.0)
    sound = bytes(Packet(payload=b"\x80" * 160))
    inbound.views[1][: len(sound)] = sound
    inbound.accept(np.array([1]), [len(sound)], 0.0)
    heard = []
    for number, datagram in enumerate(hostile_rows(data)):
        inbound.views[0][: len(datagram)] = datagram
        inbound.accept(np.array([0]), [len(datagram)], number * 0.02)
        inbound.take(np.array([0, 1]))
        heard.append(bool(inbound.frame[1].any()))
        assert 0 <= inbound.jitter[0] <= 0x80000000
    assert heard == [number == 3 for number in range(len(heard))]
    assert int(inbound.packets[1]) == 1

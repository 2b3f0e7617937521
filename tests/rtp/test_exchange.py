"""Packets move in one system call for all ports of a phase, or in one for each: both mean the same.

The tests of the engine run in both ways; here is what tells these apart, and how one becomes the
other.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest
import trio
from loopback import HOST

from pa_telephony import rtp
from pa_telephony.rtp import Engine, EngineConfig, Packet, Port, exchange
from pa_telephony.rtp.phase import TICK
from pa_telephony.trace import Record

PORTS = 12


@contextlib.asynccontextmanager
async def an_engine(**fields: bool) -> AsyncGenerator[Engine]:
    config = EngineConfig(max_ports=PORTS, quarantine=0.0, **fields)
    async with rtp.open_engine(address=HOST, first_port=43100, config=config) as engine:
        yield engine


def a_peer(port: Port) -> socket.socket:
    """The far end of a port, which both sends and hears."""
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind((HOST, 0))
    peer.connect(port.local_address)
    peer.setblocking(False)
    port.start_receiving()
    port.start_sending(peer.getsockname())
    return peer


async def talk(peers: list[socket.socket], numbers: range) -> None:
    for number in numbers:
        packet = bytes(Packet(sequence_number=number, timestamp=number * 160, payload=bytes(160)))
        for peer in peers:
            with contextlib.suppress(ConnectionRefusedError):
                peer.send(packet)
        await trio.sleep(TICK)
    # The last packet is read in the tick that comes.
    await trio.sleep(2 * TICK)


def heard(peer: socket.socket) -> list[int]:
    """The sequence numbers of what came to a peer, from its first on."""
    found: list[int] = []
    with contextlib.suppress(BlockingIOError):
        while data := peer.recv(2048):
            found.append(Packet.parse(data).sequence_number)
    return [(number - found[0]) % 65536 for number in found]


@pytest.mark.usefixtures("no_uring")
async def test_a_system_without_io_uring_costs_more_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "pa_telephony.rtp"):
        async with an_engine() as engine:
            assert engine.one_by_one == f"no io_uring with {2 * PORTS} slots in this test"
    assert caplog.messages == [
        f"each RTP packet takes a system call of its own: {engine.one_by_one}"
    ]


async def test_it_can_be_turned_off() -> None:
    async with an_engine(io_uring=False) as engine:
        assert engine.one_by_one == "io_uring is turned off in the configuration"


async def test_what_is_traced_goes_one_by_one() -> None:
    records: list[Record] = []
    async with rtp.open_engine(address=HOST, first_port=43100, trace=records.append) as engine:
        assert engine.one_by_one == "each packet is traced"


@pytest.mark.usefixtures("both_ways")
async def test_every_packet_comes_and_goes_once_and_in_order() -> None:
    async with an_engine() as engine:
        ports = [engine.open_port() for _ in range(PORTS)]
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(a_peer(port)) for port in ports]
            await talk(peers, range(100))
            # One port ends and another one begins in its place while the others go on.
            ports[5].close()
            ports[5] = engine.open_port(5)
            peers[5] = stack.enter_context(a_peer(ports[5]))
            await talk(peers, range(100, 200))
            received = [200] * PORTS
            received[5] = 100
            assert [port.stats.received for port in ports] == received
            for port, peer in zip(ports, peers, strict=True):
                assert heard(peer) == [*range(port.stats.sent)]
                assert port.stats.unsent == 0


@pytest.mark.usefixtures("both_ways")
async def test_a_peer_that_is_gone_costs_its_own_port_packets_and_no_other() -> None:
    async with an_engine() as engine:
        ports = [engine.open_port() for _ in range(3)]
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(a_peer(port)) for port in ports]
            await talk(peers, range(50))
            gone = peers.pop(1)
            gone.close()
            before = ports[1].stats.sent
            await talk(peers, range(50, 80))
            counts = [port.stats for port in ports]
            assert [each.received for each in counts] == [80, 50, 80]
            assert counts[1].sent + counts[1].unsent - before >= 30
            assert [each.unsent for each in (counts[0], counts[2])] == [0, 0]
            assert engine.statistics.broken_ticks == 0


@pytest.mark.usefixtures("both_ways")
async def test_a_packet_that_cannot_be_sent_is_counted_at_its_port_and_told_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with an_engine() as engine:
        ports = [engine.open_port() for _ in range(3)]
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(a_peer(port)) for port in ports]
            await talk(peers, range(50))
            # Nothing is sent from here any more: EPIPE.
            ports[1].rtp_socket.shutdown(socket.SHUT_WR)
            before = ports[1].stats
            await talk(peers, range(50, 80))
            assert ports[1].stats.sent == before.sent, "what never left was not sent"
            assert ports[1].stats.octets_sent == before.octets_sent
            lost = ports[1].stats.unsent
            assert lost >= 29
            assert [port.stats.unsent for port in ports] == [0, lost, 0]
            assert [port.stats.received for port in ports] == [80] * 3
            told = [each for each in caplog.messages if "cannot be sent" in each]
            host, number = peers[1].getsockname()
            assert len(told) == 1
            assert told[0].endswith(f"sound cannot be sent to {host}:{number}: Broken pipe")


@pytest.mark.usefixtures("no_uring")
async def test_a_change_of_plan_that_was_cut_short_is_made_in_the_next_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan, faults = exchange.OneByOne.plan, [MemoryError("none left")]

    def without_memory(self: exchange.OneByOne, *ports: Sequence[Port]) -> None:
        if faults and ports[0]:
            raise faults.pop()
        plan(self, *ports)

    monkeypatch.setattr(exchange.OneByOne, "plan", without_memory)
    async with an_engine() as engine:
        ports = [engine.open_port() for _ in range(3)]
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(a_peer(port)) for port in ports]
            await talk(peers, range(50))
            assert not faults
            assert engine.statistics.broken_ticks == 1
            assert [port.stats.received for port in ports] == [50] * 3
            sent = [port.stats.sent for port in ports]
            # The tick that was broken off may have counted a packet, and not sent it.
            missing = [n - len(heard(peer)) for n, peer in zip(sent, peers, strict=True)]
            assert max(missing) <= 1


async def test_when_the_kernel_takes_no_more_sound_goes_on_one_by_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Forbidden:
        """An io_uring that a filter of system calls has forbidden meanwhile."""

        def __init__(self, slots: int) -> None: ...

        def prepare_sends(self, *_: object) -> None: ...

        def prepare_receives(self, *_: object) -> None: ...

        def run(self, slots: object) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        def close(self) -> None: ...

    monkeypatch.setattr(exchange, "open_uring", Forbidden)
    async with an_engine() as engine:
        ports = [engine.open_port() for _ in range(3)]
        assert engine.one_by_one is None
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(a_peer(port)) for port in ports]
            await talk(peers, range(100))
            assert engine.one_by_one == "io_uring_enter: Operation not permitted"
            assert [port.stats.received for port in ports] == [100] * 3
            assert [heard(peer) for peer in peers] == [[*range(ports[0].stats.sent)]] * 3
            assert engine.statistics.broken_ticks == 0
    assert caplog.text.count("takes a system call of its own now") == 1


@pytest.mark.usefixtures("both_ways")
async def test_an_engine_that_is_left_leaves_no_descriptor() -> None:
    def descriptors() -> set[str]:
        return {each.name for each in Path("/proc/self/fd").iterdir()}

    before = descriptors()
    async with an_engine() as engine:
        port = engine.open_port()
        with contextlib.closing(a_peer(port)) as peer:
            await talk([peer], range(10))
    assert descriptors() == before

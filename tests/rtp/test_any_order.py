"""Ports are opened, closed, held, resumed and redirected in any order, in ticks and between.

Whatever happened, a port that is then given a stream hears all of it.
"""

from __future__ import annotations

import contextlib
import random
import socket

import numpy as np
import pytest
import trio
from loopback import HOST

from pa_telephony import rtp
from pa_telephony.rtp import EngineConfig, Packet, Port
from pa_telephony.rtp.g711 import Samples
from pa_telephony.rtp.packet import Codec
from pa_telephony.rtp.phase import TICK

pytestmark = pytest.mark.usefixtures("both_ways")

FIRST_PORT, PORTS, STEPS = 30000, 8, 200
KEY = b"\5\n\0\xa0"


class Peer:
    """The far end of one port: mostly talks, sometimes presses a key or begins anew."""

    def __init__(self, index: int, chance: random.Random) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._to = HOST, FIRST_PORT + 2 * index
        self._chance = chance
        self._ssrc = self._number = 0
        self.address: tuple[str, int] = self._socket.getsockname()

    def send(self, kind: int = Codec.PCMU) -> None:
        self._number += 1
        packet = Packet(
            payload_type=kind,
            ssrc=self._ssrc,
            sequence_number=self._number,
            timestamp=self._number * 160,
            payload=KEY if kind == 101 else b"\x10" * 160,
        )
        with contextlib.suppress(OSError):  # where its port is closed
            self._socket.sendto(bytes(packet), self._to)

    def do_something(self) -> None:
        if self._chance.random() < 0.05:
            self._ssrc += 1
        for _ in range(self._chance.choice((0, 1, 1, 1, 1, 1, 1, 1, 2, 12))):
            self.send(self._chance.choice((0,) * 12 + (8, 101)))

    def close(self) -> None:
        self._socket.close()


class Restless:
    """Does at random what calls do to ports; also a source and a listener that do the same."""

    def __init__(self, engine: rtp.Engine, peers: list[Peer], chance: random.Random) -> None:
        self.engine = engine
        self.peers = peers
        self.chance = chance
        self.ports: dict[int, Port] = {}
        self.over = False

    def read(self, count: int) -> Samples:
        self.do_seldom()
        return np.ones(count - (self.chance.random() < 0.1), np.int16)

    def hear(self, _frame: Samples) -> None:
        self.do_seldom()

    def do_seldom(self) -> None:
        if self.chance.random() < 0.03 and not self.over:
            self.do_something()

    def do_something(self) -> None:
        index = self.chance.randrange(PORTS)
        port = self.ports.get(index)
        if port is None or port.closed:
            port = self.open(index)
            port.on_digit = lambda _digit: self.do_something()
            port.listeners.append(self.hear)
            self.begin(port, index)
            return
        what = self.chance.choice(
            (port.close, port.stop_receiving, port.stop_sending, None, None, "sound", "digit")
        )
        if what == "sound":
            port.source = self.chance.choice((self, None))
        elif what == "digit":
            if port.can_send_digits:
                port.send_digit("5")
        elif callable(what):
            what()
        else:
            self.begin(port, self.chance.randrange(PORTS))

    def open(self, index: int) -> Port:
        port = self.ports[index] = self.engine.open_port(index)
        return port

    def begin(self, port: Port, peer: int) -> None:
        codec, length = self.chance.choice(list(Codec)), self.chance.choice((10, 20, 30, 60))
        port.symmetric = self.chance.random() < 0.3
        port.start_receiving(codec, packet_ms=length, dtmf_payload_type=101)
        port.start_sending(self.peers[peer].address, codec, packet_ms=length, dtmf_payload_type=101)


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_is_done_to_ports_in_ticks_and_between_they_hear_what_comes_then(
    seed: int,
) -> None:
    chance = random.Random(seed)
    config = EngineConfig(max_ports=PORTS, quarantine=0.0)
    async with rtp.open_engine(address=HOST, first_port=FIRST_PORT, config=config) as engine:
        with contextlib.ExitStack() as stack:
            peers = [
                stack.enter_context(contextlib.closing(Peer(index, chance)))
                for index in range(PORTS)
            ]
            restless = Restless(engine, peers, chance)
            for _ in range(STEPS):
                for _ in range(chance.choice((0, 0, 1, 2))):
                    restless.do_something()
                for peer in peers:
                    peer.do_something()
                await trio.sleep(chance.choice((TICK, TICK, TICK / 2, 3.3 * TICK)))
            restless.over = True
            # What has come in bursts is read by then.
            await trio.sleep(20 * TICK)
            for index, peer in enumerate(peers):
                port = restless.ports.get(index)
                if port is None or port.closed:
                    port = restless.open(index)
                port.symmetric = False
                port.start_receiving()
                port.start_sending(peer.address)
            await trio.sleep(1.4 * TICK)
            before = [restless.ports[index].stats.received for index in range(PORTS)]
            for _ in range(50):
                for peer in peers:
                    peer.send()
                await trio.sleep(TICK)
            heard = [restless.ports[index].stats.received for index in range(PORTS)]
            assert [now - then for now, then in zip(heard, before, strict=True)] == [50] * PORTS
            assert engine.statistics.broken_ticks == 0

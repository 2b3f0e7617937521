"""How long others wait for an answer while one connection floods the server.

python bench/flood.py [SECONDS [FLOOD ...]]

The call manager of 1,000 phones runs on one core. On the other are a flood, as fast as the server
takes it, over SCCP (a registered phone) or over CTI (an application that has logged in, or has
not), and two that are quiet: a phone that sends a keepalive, and an application that sends a small
request, every 50 ms, and note when the answer comes. The goal is that a flood adds no more than
100 ms to any answer: the worst is compared with the worst of a quiet run. Time on a busy machine
is not ours alone: the load average stands at the end.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import trio
from registrar import DEVICE, DEVICES, Habits, Load, frames, pin

from pa_telephony import callmanager
from pa_telephony.callmanager import CallManagerConfig, DeviceConfig, LineConfig, User
from pa_telephony.cti import messages as cti
from pa_telephony.cti.connection import Role, WireConnection
from pa_telephony.cti.login import seal_password
from pa_telephony.sccp import messages

T = TypeVar("T", bound=cti.CtiMessage)

GOAL = 0.1
EVERY = 0.05
QUIET, LOUD, CALLER = 1, 2, 500
"""The quiet phone, the first of the loud ones, and the one that an application calls from."""
KEEP_ALIVE = frames(messages.KeepAliveReq())
USER, PASSWORD = "app", "secret"


def requests(*what: cti.CtiMessage) -> bytes:
    return b"".join(cti.encode(each, to_server=True) for each in what)


CAPABILITIES = requests(cti.ProviderGetCapabilitiesRequest(sequence_number=1))
BEAT = requests(cti.Heartbeat())
CTI_FLOODS = {
    "cti heartbeats": BEAT * 2000,
    "cti unknown": (BEAT[:16] + (9999).to_bytes(4, "little") + BEAT[20:]) * 2000,
    "cti requests": CAPABILITIES * 1000,
    "cti lines": requests(cti.LineOpenRequest(device_name=DEVICE.format(7), line_name="6007"))
    * 500,
    "cti calls": b"",  # needs the handle of a line
    "cti all devices": requests(cti.ProviderGetAllDevicesAndLinesRequest()) * 1000,
    "cti no login": requests(cti.ProviderInitRequest()) * 500,
}
SCCP_FLOODS = {
    "keepalives": KEEP_ALIVE * 2000,
    "questions": frames(messages.SoftKeySetReq(), messages.ButtonTemplateReq()) * 500,
    "calls": frames(messages.OffHook(line_instance=1), messages.OnHook()) * 500,
    "unknown messages": (b"\x04\0\0\0\0\0\0\0\x77\x77\0\0" * 4000),
}


class Server:
    """The call manager in a process of its own, on the other core."""

    device = DEVICE

    def __init__(self) -> None:
        me = [sys.executable, __file__, "serve"]
        self._process = subprocess.Popen(me, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        sccp, application = (int(each) for each in self._process.stdout.readline().split())
        self.address, self.cti_address = ("127.0.0.1", sccp), ("127.0.0.1", application)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def serve() -> None:
    async def main() -> None:
        config = CallManagerConfig(
            devices=tuple(
                DeviceConfig(
                    name=DEVICE.format(index), lines=(LineConfig(number=str(6000 + index)),)
                )
                for index in range(1, DEVICES + 1)
            ),
            users=(User(name=USER, password=PASSWORD),),
        )
        async with callmanager.open_call_manager(config, sccp_port=0, cti_port=0) as manager:
            ports = (manager.sccp_address, manager.cti_address)
            print(*(each.rpartition(":")[2] for each in ports), flush=True)
            await trio.sleep_forever()

    trio.run(main)


class Application:
    """One that speaks when it is told to."""

    def __init__(self, address: tuple[str, int], *, logs_in: bool = True) -> None:
        self.stream = socket.create_connection(address, 30.0)
        self.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = WireConnection(Role.CLIENT)
        if logs_in:
            init = self.ask(cti.ProviderInitRequest(), cti.ProviderInitResponse)
            password, key = seal_password(
                PASSWORD, certificate=init.certificate, nonce=init.nonce, key=secrets.token_hex(8)
            )
            login = cti.ProviderOpenRequest(login=USER, password=password, encrypted_key_data=key)
            assert not self.ask(login, cti.ProviderOpenCompletedEvent).reason
        self.stream.setblocking(False)

    def ask(self, request: cti.CtiMessage, kind: type[T]) -> T:
        """Send, and wait for an answer of that kind."""
        self.stream.setblocking(True)
        self.stream.sendall(requests(request))
        while True:
            self._connection.receive_data(self.stream.recv(1 << 16), 0.0)
            while (message := self._connection.next_event()) is not None:
                if isinstance(message, kind):
                    self.stream.setblocking(False)
                    return message


@dataclass
class Quiet:
    """Who asks every 50 ms and waits for the answer."""

    name: str
    stream: socket.socket
    question: bytes
    due: float = field(default_factory=time.perf_counter)
    sent: float = 0.0
    waits: list[float] = field(default_factory=list)

    def look(self, now: float, *, asks: bool) -> None:
        if asks and not self.sent and now >= self.due:
            self.stream.send(self.question)
            self.sent, self.due = now, now + EVERY
        with contextlib.suppress(BlockingIOError):
            if not self.stream.recv(1 << 16):
                raise ConnectionError(f"the server let go of the quiet {self.name}")
            if self.sent:
                self.waits.append(time.perf_counter() - self.sent)
                self.sent = 0.0


def run(
    quiet: list[Quiet], connect: Callable[[], tuple[socket.socket, bytes]] | None, seconds: float
) -> float:
    """Flood for so long; the megabytes that were said.

    Who asks faster than he reads is dropped by the server, and goes on with a new connection.
    """
    end = time.perf_counter() + seconds
    at = said = 0
    loud: tuple[socket.socket, bytes] | None = None
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(connect) if connect is not None else None
        while (now := time.perf_counter()) < end or any(each.sent for each in quiet):
            for each in quiet:
                each.look(now, asks=now < end)
            if waiting is not None and waiting.done():
                loud, waiting, at = waiting.result(), None, 0
            if loud is None or now >= end:
                continue
            stream, data = loud
            try:
                count = stream.send(data[at : at + 65536])
                at = (at + count) % len(data)
                said += count
                while stream.recv(1 << 20):
                    pass
                raise ConnectionError
            except BlockingIOError:
                pass
            except ConnectionError:
                assert connect is not None
                loud, waiting = None, pool.submit(connect)
    return said / 1e6


def measure(flood: str, seconds: float) -> float:
    """The worst wait of anybody; says all of them."""
    server = Server()
    silent = Habits(calls=1, sound=False, rings=0.0)
    load = Load(server, silent)  # type: ignore[arg-type]  # a server for this side of it
    next_loud = iter(range(LOUD, CALLER))

    def phone() -> tuple[socket.socket, bytes]:
        index = next(next_loud)
        load.connect(index)
        return load.phones[index].stream, SCCP_FLOODS[flood]

    def application() -> tuple[socket.socket, bytes]:
        loud = Application(server.cti_address, logs_in=flood != "cti no login")
        data = CTI_FLOODS[flood]
        if flood == "cti calls":
            opened = loud.ask(
                cti.LineOpenRequest(device_name=DEVICE.format(CALLER), line_name=f"6{CALLER}"),
                cti.LineOpenResponse,
            )
            call = cti.LineCallInitiateRequest(line_id=opened.line_id, dest_address="6999")
            data = requests(call) * 500
        return loud.stream, data

    connect = phone if flood in SCCP_FLOODS else application if flood in CTI_FLOODS else None
    try:
        load.register(range(QUIET, QUIET + 1), 1)
        load.register(range(CALLER, CALLER + 1), 1)
        quiet = [
            Quiet("phone", load.phones[QUIET].stream, KEEP_ALIVE),
            Quiet("application", Application(server.cti_address).stream, CAPABILITIES),
        ]
        said = run(quiet, connect, seconds)
    finally:
        server.stop()
    times = ""
    for each in quiet:
        waits = sorted(each.waits)
        shown = (waits[len(waits) // 2], waits[int(len(waits) * 0.99)], waits[-1])
        times += "".join(f"{wait * 1000:8.2f}" for wait in shown) + "   "
    print(f"{flood:18}{times}{said:8.1f}", flush=True)
    return max(max(each.waits) for each in quiet)


def main(seconds: float, floods: list[str]) -> bool:
    print(f"{seconds:.0f} s each; milliseconds until an answer: median, 99 of 100, worst")
    print(f"{'flood':18}{'phone: keepalive':>24}   {'application: request':>24}   {'MB said':>8}")
    quiet = measure("quiet", seconds)
    worst = max(measure(flood, seconds) for flood in floods or (*SCCP_FLOODS, *CTI_FLOODS))
    print(f"at most {(worst - quiet) * 1000:.0f} ms more than in quiet (goal {GOAL * 1000:.0f})")
    print("load average", *os.getloadavg())
    return worst - quiet <= GOAL


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        pin(1)
        serve()
    else:
        pin(0)
        good = main(float(sys.argv[1]) if sys.argv[1:] else 3.0, sys.argv[2:])
        sys.exit(0 if good else 1)

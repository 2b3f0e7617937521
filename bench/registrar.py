"""How many phones and calls one core of the call manager carries.

python bench/registrar.py [RUNS]

The call manager runs on one core, a scripted load on the other: plain sockets that say what a 7970
says when it starts and when it calls (session version 20), so that what is measured is the server.
Each run has a server of its own. CPU time of the server is what counts on a shared machine; it is
read from the kernel and divided by what was done. Medians of all runs are shown, and the goals:

* 36 phones that connect at once (a power cut) are registered within 50 ms;
* 1,000 phones register, 50 at a time, none lost, for 0.6 ms of CPU each;
* a call from phone to phone (off hook, four digits, answer, media both ways, hang up) takes 2 ms
  of CPU, and at half the load that fills the server 99 of 100 are set up within 20 ms.

Measured on a quieter machine of the same kind, from the same RegisterReq to the same TimeDateRes
(reference/sccp/peers.md): chan-sccp-b 0.55 ms, chan_skinny 0.31 ms, FreeSWITCH 1.9 ms a phone;
4.2, 0.56 and 4.3 ms a call, theirs to an echo, so with one phone instead of two.
"""

from __future__ import annotations

import collections
import os
import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import trio

from pa_telephony import callmanager
from pa_telephony.callmanager import CallManagerConfig, DeviceConfig, LineConfig
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import (
    DCallState,
    DeviceType,
    KeyPadButton,
    MediaPayloadType,
    MediaStatus,
    SoftKeyEvent,
)
from pa_telephony.sccp.messages import SccpMessage

VERSION, DEVICES, BURST, IN_FLIGHT, PAIRS = 20, 1000, 36, 50, 100
SECONDS = 4.0
GOALS = {
    "36 at once, ms": 50.0,
    "CPU a phone, ms": 0.6,
    "CPU a call, ms": 2.0,
    "set-up p99 at half load, ms": 20.0,
}

REGISTER_ACK, TIME_DATE, BUTTONS, CAPABILITIES = 0x81, 0x94, 0x97, 0x9B
OPEN_CHANNEL, START_MEDIA, CALL_STATE = 0x105, 0x8A, 0x111


def pin(core: int) -> None:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})


def name_of(index: int) -> str:
    return f"SEP02{index:010X}"


def frames(*what: SccpMessage) -> bytes:
    return b"".join(messages.encode(each, VERSION) for each in what)


# What the phones say, made once.
CAPABLE = frames(
    messages.CapabilitiesRes(
        caps=tuple(
            messages.Capability(payload_capability=MediaPayloadType(codec))
            for codec in (25, 6, 4, 2, 7, 8, 15, 16, 11, 12, 257)
        )
    )
)
QUESTIONS = frames(
    messages.IpPort(rtp_media_port=3500),
    messages.ButtonTemplateReq(button_capacity=36),
    messages.SoftKeyTemplateReq(),
    messages.SoftKeySetReq(),
    messages.ConfigStatReq(),
)
LINES = frames(
    messages.LineStatReq(line_number=1),
    messages.ForwardStatReq(line_number=1),
    messages.RegisterAvailableLines(max_num_of_avail_lines=1),
    messages.TimeDateReq(),
)
OFF_HOOK, ON_HOOK = frames(messages.OffHook()), frames(messages.OnHook())
ANSWER = frames(messages.SoftKeyEvent(soft_key_event=SoftKeyEvent.ANSWER))


@dataclass
class Phone:
    """One scripted phone: what it heard last, and whom it tells."""

    index: int
    stream: socket.socket
    load: Load
    registered: bool = False
    reference: int = 0
    media: bool = False
    waiting: bytearray = field(default_factory=bytearray)
    call: Call | None = None

    def say(self, data: bytes) -> None:
        # A phone never has much to say: it fits into the socket's buffer, or the bench is wrong.
        assert self.stream.send(data) == len(data)

    def readable(self) -> None:
        try:
            data = self.stream.recv(1 << 16)
        except BlockingIOError:
            return
        if not data:
            raise ConnectionError(f"{name_of(self.index)} was dropped")
        waiting = self.waiting
        waiting += data
        start = 0
        while len(waiting) - start >= 12:
            end = start + 8 + int.from_bytes(waiting[start : start + 4], "little")
            if end > len(waiting):
                break
            self.hear(int.from_bytes(waiting[start + 8 : start + 12], "little"), waiting, start)
            start = end
        del waiting[:start]

    def hear(self, number: int, data: bytearray, start: int) -> None:
        if number == CALL_STATE:
            state = int.from_bytes(data[start + 12 : start + 16], "little")
            reference = int.from_bytes(data[start + 20 : start + 24], "little")
            if self.call is not None:
                self.call.state(self, state, reference)
        elif number == OPEN_CHANNEL:
            party = int.from_bytes(data[start + 16 : start + 20], "little")
            self.say(
                frames(
                    messages.OpenReceiveChannelAck(
                        media_reception_status=MediaStatus.OK,
                        ip_addr="127.0.0.1",
                        port_number=20000 + 2 * self.index,
                        pass_through_party_id=party,
                        call_reference=self.reference,
                    )
                )
            )
        elif number == START_MEDIA:
            self.media = True
            if self.call is not None:
                self.call.media()
        elif number == REGISTER_ACK:
            self.say(QUESTIONS)
        elif number == CAPABILITIES:
            self.say(CAPABLE)
        elif number == BUTTONS:
            self.say(LINES)
        elif number == TIME_DATE and not self.registered:
            self.registered = True
            self.load.done()


@dataclass
class Call:
    """A call of one phone to another: digits, answer, media both ways, hang up."""

    caller: Phone
    callee: Phone
    ended: Callable[[Call], None]
    begun: float = 0.0
    set_up: float = 0.0
    hung_up: int = 0

    def begin(self) -> None:
        self.begun = time.perf_counter()
        self.caller.media = self.callee.media = False
        self.caller.call = self.callee.call = self
        self.caller.say(OFF_HOOK)

    def state(self, phone: Phone, state: int, reference: int) -> None:
        if state == DCallState.OFF_HOOK:
            phone.reference = reference
            for digit in str(6000 + self.callee.index):
                key = KeyPadButton(int(digit))
                phone.say(
                    frames(
                        messages.KeypadButton(
                            kp_button=key, line_instance=1, call_reference=reference
                        )
                    )
                )
        elif state == DCallState.RING_IN:
            phone.reference = reference
            phone.say(ANSWER)
        elif state == DCallState.ON_HOOK:
            phone.call = None
            self.hung_up += 1
            if self.hung_up == 2:
                self.ended(self)

    def media(self) -> None:
        if self.caller.media and self.callee.media:
            self.set_up = time.perf_counter() - self.begun
            self.caller.say(ON_HOOK)


class Load:
    """All phones, on one selector."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.phones: dict[int, Phone] = {}
        self.registered = 0
        self._selector = selectors.EpollSelector()

    def done(self) -> None:
        self.registered += 1

    def connect(self, index: int) -> None:
        stream = socket.create_connection(("127.0.0.1", self.port))
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.setblocking(False)
        phone = self.phones[index] = Phone(index, stream, self)
        self._selector.register(stream, selectors.EVENT_READ, phone)
        phone.say(
            frames(
                messages.RegisterReq(
                    device_name=name_of(index),
                    station_ip_addr="127.0.0.1",
                    device_type=DeviceType.CISCO_7970,
                    max_streams=5,
                    protocol_ver=VERSION,
                    phone_features=0x8572,
                    max_number_of_lines=36,
                )
            )
        )

    def poll(self, wait: float = 1.0) -> None:
        for key, _ in self._selector.select(wait):
            key.data.readable()

    def register(self, indices: range, in_flight: int) -> None:
        wanted = self.registered + len(indices)
        waiting: Iterator[int] = iter(indices)
        started = self.registered
        while self.registered < wanted:
            while started - self.registered < in_flight and started < wanted:
                self.connect(next(waiting))
                started += 1
            self.poll()

    def close(self) -> None:
        for phone in self.phones.values():
            phone.stream.close()
        self._selector.close()

    def calls(self, seconds: float, rate: float | None) -> list[float]:
        """Set-up times of the calls of so many seconds; as many as go, or ``rate`` a second."""
        free = collections.deque(range(0, 2 * PAIRS, 2))
        times: list[float] = []
        running = 0

        def ended(call: Call) -> None:
            nonlocal running
            running -= 1
            times.append(call.set_up)
            free.append(call.caller.index - 1)

        begun = time.perf_counter()
        due = begun
        end = begun + seconds
        busy = 8 if rate is None else PAIRS
        while (now := time.perf_counter()) < end:
            while free and running < busy and (rate is None or due <= now):
                pair = free.popleft()
                Call(self.phones[pair + 1], self.phones[pair + 2], ended).begin()
                running += 1
                due += 0 if rate is None else 1 / rate
            self.poll(1.0 if rate is None else max(0.0, min(due, end) - time.perf_counter()))
        while running:
            self.poll()
        return times


class Server:
    """The call manager in a process of its own, on the other core."""

    def __init__(self) -> None:
        me = [sys.executable, __file__, "serve"]
        self._process = subprocess.Popen(
            me, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def cpu(self) -> float:
        """Seconds of CPU so far: trio has one thread, and the kernel counts it in nanoseconds."""
        with open(f"/proc/{self._process.pid}/schedstat") as file:
            return int(file.read().split()[0]) / 1e9

    def memory(self) -> int:
        """Bytes that are resident."""
        with open(f"/proc/{self._process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def serve() -> None:
    async def main() -> None:
        config = CallManagerConfig(
            devices=tuple(
                DeviceConfig(name=name_of(index), lines=(LineConfig(number=str(6000 + index)),))
                for index in range(1, DEVICES + 1)
            )
        )
        async with callmanager.open_call_manager(config, sccp_port=0) as manager:
            print(manager.sccp_address.rpartition(":")[2], flush=True)
            await trio.sleep_forever()

    trio.run(main)


def run() -> dict[str, float]:
    """One server from its start to its end; milliseconds, bytes and numbers of what was seen."""
    server = Server()
    load = Load(server.port)
    found: dict[str, float] = {}
    try:
        # The first phone finds the code of each message not yet made.
        load.register(range(1, 2), 1)
        begun, before = time.perf_counter(), server.cpu()
        load.register(range(2, BURST + 2), BURST)
        found["36 at once, ms"] = (time.perf_counter() - begun) * 1000
        found["36 at once, CPU a phone, ms"] = (server.cpu() - before) / BURST * 1000
        memory, before, begun = server.memory(), server.cpu(), time.perf_counter()
        rest = DEVICES - BURST - 1
        load.register(range(BURST + 2, DEVICES + 1), IN_FLIGHT)
        found["phones a second"] = rest / (time.perf_counter() - begun)
        found["CPU a phone, ms"] = (server.cpu() - before) / rest * 1000
        found["memory a phone, KiB"] = (server.memory() - memory) / rest / 1024
        load.calls(0.5, None)
        before = server.cpu()
        full = load.calls(SECONDS, None)
        found["calls a second"] = len(full) / SECONDS
        found["CPU a call, ms"] = (server.cpu() - before) / len(full) * 1000
        half = sorted(load.calls(SECONDS, found["calls a second"] / 2))
        found["set-up median at half load, ms"] = statistics.median(half) * 1000
        found["set-up p99 at half load, ms"] = half[int(len(half) * 0.99)] * 1000
        found["registered at the end"] = load.registered
        load.close()
    finally:
        server.stop()
    return found


def main(runs: int) -> bool:
    results = [run() for _ in range(runs)]
    print(f"{runs} runs: median (least, most)")
    kept = True
    for what in results[0]:
        values = [result[what] for result in results]
        median = statistics.median(values)
        goal = GOALS.get(what)
        print(
            f"{what:32}{median:10.2f}  ({min(values):.2f}, {max(values):.2f})"
            + (f"  goal {goal}" if goal is not None else ""),
            flush=True,
        )
        kept = kept and (goal is None or median <= goal)
    return kept and all(result["registered at the end"] == DEVICES for result in results)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve"]:
            pin(1)
            serve()
        case arguments:
            pin(0)
            sys.exit(0 if main(int(arguments[0]) if arguments else 3) else 1)

"""How many phones and calls one core of the call manager carries.

python bench/registrar.py [RUNS] [--peer NAME=HOST:PORT:PID ...]

The call manager runs on one core, a scripted load on the other: plain sockets that say what a 7970
says when it starts and when it calls (session version 20), so that what is measured is the server.
Each run has a server of its own. CPU time of the server is what counts on a shared machine; it is
read from the kernel and divided by what was done. Medians of all runs are shown, and the goals:

* 36 phones that connect at once (a power cut) are registered within 50 ms;
* 1,000 phones register, 50 at a time, none lost, for 0.6 ms of CPU each;
* a call from phone to phone (off hook, four digits, answer, media both ways, hang up) takes 2 ms
  of CPU, and at half the load that fills the server 99 of 100 are set up within 20 ms.

Measured on a quieter machine of the same kind, from the same RegisterReq to the same TimeDateRes
(docs/protocol/sccp.md §10): chan-sccp-b 0.55 ms, chan_skinny 0.31 ms, FreeSWITCH 1.9 ms a phone;
4.2, 0.56 and 4.3 ms a call, theirs to an echo, so with one phone instead of two.

Another SCCP server that you have started is measured in the same runs, by the same load, and shown
beside ours; give it the core that ours has, and 1,000 devices with a line each. A peer that accepts
two connections at a time (chan_skinny) is paced, or it is the kernel's SYN timer that is measured::

    taskset -c 1 asterisk -f &
    python bench/registrar.py --peer chan_skinny=127.0.0.1:2000:$! --pace chan_skinny=2

Device N is ``--device`` (a format of N; SEP02 and ten hexadecimal digits by default), and
``--number`` is what is dialled for it (6001 for the first). A number without a field is an echo:
one phone a call, at the peers only. ``--calls`` is how many calls are up at full load, at every
server: one that waits between the last digit and the call needs more than 8 to fill its core.

Calls from phone to phone at chan-sccp-b 4.3.5 need two things more, which are then done at every
server. ``--sound``: the phones of a call send a packet of silence every 20 ms; what one phone has
told that server (it answers, it hangs up) reaches the other with the next packet (observed).
``--rings MS``: how long a phone rings before it answers; an answer within the first millisecond
may open no channel there (observed). It counts as set-up time.
"""

from __future__ import annotations

import argparse
import collections
import math
import os
import selectors
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
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

VERSION, DEVICES, BURST, IN_FLIGHT, PAIRS, CALLS = 20, 1000, 36, 50, 100, 8
DEVICE, NUMBER = "SEP02{:010X}", "6{:03}"
SECONDS = 4.0
SILENCE = struct.pack("!BBHII", 0x80, 0, 0, 0, 0) + b"\xff" * 160
PATIENCE = 30.0  # seconds without a word from a server, after which it is given up
GOALS = {
    "36 at once, ms": 50.0,
    "CPU a phone, ms": 0.6,
    "CPU a call, ms": 2.0,
    "set-up p99 at half load, ms": 20.0,
}

REGISTER_ACK, REGISTER_REJECT, TIME_DATE = 0x81, 0x9D, 0x94
BUTTONS, CAPABILITIES = 0x97, 0x9B
OPEN_CHANNEL, START_MEDIA, STOP_MEDIA, CALL_STATE = 0x105, 0x8A, 0x8B, 0x111


def pin(core: int) -> None:
    # A process started by one that is pinned would find one core only: its environment has all.
    found = ",".join(map(str, sorted(os.sched_getaffinity(0))))
    cores = [int(each) for each in os.environ.setdefault("BENCH_CORES", found).split(",")]
    os.sched_setaffinity(0, {cores[core % len(cores)]})


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
OFF_HOOK = frames(messages.OffHook())


@dataclass(frozen=True)
class Habits:
    """What the phones of all servers do."""

    calls: int
    """At once, at full load."""
    sound: bool
    rings: float
    """Seconds between the first ring and the answer."""


@dataclass
class Phone:
    """One scripted phone: what it heard last, and whom it tells."""

    index: int
    name: str
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
            raise ConnectionError(f"{self.name} was dropped")
        waiting = self.waiting
        waiting += data
        start = 0
        while len(waiting) - start >= 12:
            end = start + 8 + int.from_bytes(waiting[start : start + 4], "little")
            if end > len(waiting):
                break
            number = int.from_bytes(waiting[start + 8 : start + 12], "little")
            self.hear(number, waiting, start, end)
            start = end
        del waiting[:start]

    def hear(self, number: int, data: bytearray, start: int, end: int) -> None:
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
            self._transmit(bytes(data[start + 12 : end]))
        elif number == STOP_MEDIA:
            self.load.talking.pop(self.index, None)
        elif number == REGISTER_REJECT:
            raise ConnectionRefusedError(f"{self.name} was rejected")
        elif number == REGISTER_ACK:
            self.say(QUESTIONS)
        elif number == CAPABILITIES:
            self.say(CAPABLE)
        elif number == BUTTONS:
            self.say(LINES)
        elif number == TIME_DATE and not self.registered:
            self.registered = True
            self.load.done()

    def _transmit(self, body: bytes) -> None:
        order = messages.decode(START_MEDIA, body, VERSION)
        assert isinstance(order, messages.StartMediaTransmission)
        self.say(
            frames(
                messages.StartMediaTransmissionAck(
                    conference_id=order.conference_id,
                    pass_through_party_id=order.pass_through_party_id,
                    call_reference=self.reference,
                    transmit_ip_addr="127.0.0.1",
                    port_number=20000 + 2 * self.index,
                    media_transmission_status=MediaStatus.OK,
                )
            )
        )
        self.load.talking[self.index] = (order.remote_ip_addr, order.remote_port_number)
        self.media = True
        if self.call is not None:
            self.call.media()


@dataclass
class Call:
    """A call of one phone to another, or to an echo: digits, answer, media, hang up."""

    caller: Phone
    callee: Phone | None
    number: str
    ended: Callable[[Call], None]
    begun: float = 0.0
    set_up: float = 0.0
    dialled: bool = False
    hung_up: int = 0

    @property
    def phones(self) -> tuple[Phone, ...]:
        return (self.caller,) if self.callee is None else (self.caller, self.callee)

    def begin(self) -> None:
        self.begun = time.perf_counter()
        for phone in self.phones:
            phone.media = False
            phone.call = self
        self.caller.say(OFF_HOOK)

    def state(self, phone: Phone, state: int, reference: int) -> None:
        # chan_skinny says OFF_HOOK again when the number is complete.
        if state == DCallState.OFF_HOOK and phone is self.caller and not self.dialled:
            self.dialled = True
            phone.reference = reference
            for digit in self.number:
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
            phone.load.answer(
                phone,
                frames(
                    messages.SoftKeyEvent(
                        soft_key_event=SoftKeyEvent.ANSWER,
                        line_instance=1,
                        call_reference=reference,
                    )
                ),
            )
        elif state == DCallState.ON_HOOK:
            phone.load.talking.pop(phone.index, None)
            phone.call = None
            self.hung_up += 1
            if self.hung_up == len(self.phones):
                self.ended(self)

    def media(self) -> None:
        if not self.set_up and all(phone.media for phone in self.phones):
            self.set_up = time.perf_counter() - self.begun
            # Without its numbers chan-sccp-b may not find a call that has just been connected.
            on_hook = messages.OnHook(line_instance=1, call_reference=self.caller.reference)
            self.caller.say(frames(on_hook))


class Load:
    """All phones, on one selector."""

    def __init__(self, server: Server | Peer, habits: Habits) -> None:
        self.server = server
        self.talking: dict[int, tuple[str, int]] = {}
        """Where each phone was told to send its sound."""
        self.phones: dict[int, Phone] = {}
        self.registered = 0
        self._selector = selectors.EpollSelector()
        self._heard = time.perf_counter()
        self._voice = socket.socket(socket.AF_INET, socket.SOCK_DGRAM) if habits.sound else None
        self._talk_at = 0.0
        self._rings = habits.rings
        self._ringing: collections.deque[tuple[float, Phone, bytes]] = collections.deque()

    def done(self) -> None:
        self.registered += 1

    def connect(self, index: int) -> None:
        stream = socket.create_connection(self.server.address, PATIENCE)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.setblocking(False)
        name = self.server.device.format(index)
        phone = self.phones[index] = Phone(index, name, stream, self)
        self._selector.register(stream, selectors.EVENT_READ, phone)
        phone.say(
            frames(
                messages.RegisterReq(
                    device_name=name,
                    station_ip_addr="127.0.0.1",
                    device_type=DeviceType.CISCO_7970,
                    max_streams=5,
                    protocol_ver=VERSION,
                    phone_features=0x8572,
                    max_number_of_lines=36,
                )
            )
        )

    def answer(self, phone: Phone, key: bytes) -> None:
        if self._rings:
            self._ringing.append((time.perf_counter() + self._rings, phone, key))
        else:
            phone.say(key)

    def poll(self, wait: float = 1.0) -> None:
        now = time.perf_counter()
        if self._voice is not None and self.talking:
            wait = min(wait, max(0.0, self._talk_at - now))
        if self._ringing:
            wait = min(wait, max(0.0, self._ringing[0][0] - now))
        ready = self._selector.select(wait)
        now = time.perf_counter()
        if ready:
            self._heard = now
        elif now - self._heard > PATIENCE:
            raise TimeoutError(f"nothing was heard for {PATIENCE:.0f} s")
        for key, _ in ready:
            key.data.readable()
        while self._ringing and self._ringing[0][0] <= now:
            _, phone, answer = self._ringing.popleft()
            phone.say(answer)
        if self._voice is not None and now >= self._talk_at:
            self._talk_at = now + 0.02
            for address in self.talking.values():
                self._voice.sendto(SILENCE, address)

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
        if self._voice is not None:
            self._voice.close()

    def calls(self, seconds: float, at_once: int, rate: float | None = None) -> list[float]:
        """Set-up times of the calls of so many seconds; as many as go, or ``rate`` a second."""
        number = self.server.number
        echo = number.format(1) == number
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
        while (now := time.perf_counter()) < end:
            while free and running < at_once and (rate is None or due <= now):
                pair = free.popleft()
                callee = None if echo else self.phones[pair + 2]
                Call(self.phones[pair + 1], callee, number.format(pair + 2), ended).begin()
                running += 1
                due += 0 if rate is None else 1 / rate
            self.poll(1.0 if rate is None else max(0.0, min(due, end) - time.perf_counter()))
        while running:
            self.poll()
        return times


class Server:
    """The call manager in a process of its own, on the other core."""

    device, number, pace = DEVICE, NUMBER, DEVICES

    def __init__(self) -> None:
        me = [sys.executable, __file__, "serve"]
        self._process = subprocess.Popen(
            me, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.address = ("127.0.0.1", int(self._process.stdout.readline()))

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


@dataclass(frozen=True)
class Peer:
    """Another SCCP server, started by the user; it lives on from run to run."""

    name: str
    address: tuple[str, int]
    pid: int
    device: str
    number: str
    pace: int

    def cpu(self) -> float:
        """Seconds of CPU so far, of all threads that it has or had.

        /proc/PID/stat says the same in ticks of 10 ms, less than 36 phones cost; so the process's
        clock is read, whose number is made as in clock_getcpuclockid(3) of Linux.
        """
        return time.clock_gettime(~self.pid << 3 | 2)

    def memory(self) -> float:
        """Not told: devices are made when the configuration is read, and kept between runs."""
        return math.nan

    def stop(self) -> None:
        """Wait until it is done with the phones that left: the next server has the core alone."""
        before = self.cpu()
        for _ in range(30):
            time.sleep(1)
            before, last = self.cpu(), before
            if before - last < 0.03:
                return


def serve() -> None:
    async def main() -> None:
        config = CallManagerConfig(
            devices=tuple(
                DeviceConfig(
                    name=DEVICE.format(index), lines=(LineConfig(number=str(6000 + index)),)
                )
                for index in range(1, DEVICES + 1)
            )
        )
        async with callmanager.open_call_manager(config, sccp_port=0) as manager:
            print(manager.sccp_address.rpartition(":")[2], flush=True)
            await trio.sleep_forever()

    trio.run(main)


def run(server: Server | Peer, habits: Habits) -> dict[str, float]:
    """One server from its first phone to its last call: milliseconds, bytes and numbers.

    Of a peer that fails, what was found until then.
    """
    load = Load(server, habits)
    at_once = habits.calls
    found: dict[str, float] = {}
    try:
        # The first phone finds the code of each message not yet made.
        load.register(range(1, 2), 1)
        begun, before = time.perf_counter(), server.cpu()
        load.register(range(2, BURST + 2), min(BURST, server.pace))
        found["36 at once, ms"] = (time.perf_counter() - begun) * 1000
        found["36 at once, CPU a phone, ms"] = (server.cpu() - before) / BURST * 1000
        memory, before, begun = server.memory(), server.cpu(), time.perf_counter()
        rest = DEVICES - BURST - 1
        load.register(range(BURST + 2, DEVICES + 1), min(IN_FLIGHT, server.pace))
        found["phones a second"] = rest / (time.perf_counter() - begun)
        found["CPU a phone, ms"] = (server.cpu() - before) / rest * 1000
        found["memory a phone, KiB"] = (server.memory() - memory) / rest / 1024
        load.calls(0.5, at_once)
        before = server.cpu()
        full = load.calls(SECONDS, at_once)
        found["calls a second"] = len(full) / SECONDS
        found["CPU a call, ms"] = (server.cpu() - before) / len(full) * 1000
        half = sorted(load.calls(SECONDS, PAIRS, found["calls a second"] / 2))
        found["set-up median at half load, ms"] = statistics.median(half) * 1000
        found["set-up p99 at half load, ms"] = half[int(len(half) * 0.99)] * 1000
        found["registered at the end"] = load.registered
    except OSError as error:
        if isinstance(server, Server):
            raise
        print(f"{server.name}: {error}", file=sys.stderr)
    finally:
        load.close()
        server.stop()
    return found


def main(runs: int, peers: Sequence[Peer], habits: Habits) -> bool:
    results: list[dict[str, float]] = []
    theirs: dict[str, list[dict[str, float]]] = {peer.name: [] for peer in peers}
    for _ in range(runs):
        results.append(run(Server(), habits))
        for peer in peers:
            theirs[peer.name].append(run(peer, habits))
    print(f"{runs} runs: median (least, most)")
    if peers:
        load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
        print(f"beside each peer's median: how often it holds ours; load average {load}")
        print(" " * 70 + "".join(f"{peer.name:>24}" for peer in peers))
    kept = True
    for what in results[0]:
        values = [result[what] for result in results]
        median = statistics.median(values)
        goal = GOALS.get(what)
        line = f"{what:32}{median:10.2f}  ({min(values):.2f}, {max(values):.2f})" + (
            f"  goal {goal}" if goal is not None else ""
        )
        for name in theirs:
            seen = [result[what] for result in theirs[name] if what in result]
            other = statistics.median(seen) if seen else math.nan
            column = "-" if math.isnan(other) else f"{other:.2f} ({other / median:.2f} x)"
            line = f"{line:70}{column:>24}" if name == next(iter(theirs)) else f"{line}{column:>24}"
        print(line, flush=True)
        kept = kept and (goal is None or median <= goal)
    for peer in peers:
        if peer.pace < BURST:
            print(f"{peer.name}: {peer.pace} connections at a time, the 36 too")
    return kept and all(result["registered at the end"] == DEVICES for result in results)


def parsed(arguments: Sequence[str]) -> tuple[int, list[Peer], Habits]:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=int, nargs="?", default=3)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=HOST:PORT:PID")
    parser.add_argument("--pace", action="append", default=[], metavar="NAME=CONNECTIONS")
    parser.add_argument("--device", default=DEVICE, metavar="FORMAT")
    parser.add_argument("--number", default=NUMBER, metavar="FORMAT")
    parser.add_argument("--calls", type=int, default=CALLS, help="at once, up to 100")
    parser.add_argument("--sound", action="store_true", help="phones in a call send sound")
    parser.add_argument("--rings", type=int, default=0, metavar="MS", help="before an answer")
    options = parser.parse_args(arguments)
    try:
        paces = {name: int(pace) for name, pace in (each.split("=") for each in options.pace)}
        peers: list[Peer] = []
        for each in options.peer:
            name, _, where = each.partition("=")
            host, port, pid = where.rsplit(":", 2)
            pace = paces.pop(name, DEVICES)
            peers.append(
                Peer(name, (host, int(port)), int(pid), options.device, options.number, pace)
            )
    except ValueError as error:
        parser.error(f"--peer is NAME=HOST:PORT:PID, --pace is NAME=CONNECTIONS: {error}")
    if paces:
        parser.error(f"--pace of no peer: {', '.join(paces)}")
    return options.runs, peers, Habits(options.calls, options.sound, options.rings / 1000)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve"]:
            pin(1)
            serve()
        case arguments:
            pin(0)
            sys.exit(0 if main(*parsed(arguments)) else 1)

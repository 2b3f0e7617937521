"""How long others wait for an answer while one, 250 or 2,000 connections flood the server.

python bench/flood.py [SECONDS [SITUATION ...]]

The call manager of 2,600 phones runs on one core. On the other are a flood, as fast as the server
takes it, and four who are not loud (bench/quiet.py, a process of its own): a phone and an
application that ask something small every 50 ms, and a phone and an application that come, are
let in, and go, every 200 ms. The goal is that no answer to the quiet ones takes more than 100 ms.
Time on a busy machine is not ours alone: the last of each three numbers is without the time for
which the server, or who asks it, was ready and had no core, as the kernel counts it, and that is
what is judged. For how much of a run the server had none is said, and the load average.

Situations: one connection that floods, over SCCP (a registered phone) or over CTI (an application
that has logged in, or has not); 50 phones that call without a pause, each other or a line shared by
40 or by 200, which answer; 250 applications; 250 and 2,000 registered phones; 2,000 strangers, from
16 addresses, that come back when they are let go, with or without a word; 500 or 2,000 that leave
all at once. Whose name is part of a SITUATION is measured (``python bench/flood.py 3 strangers``).
"""

from __future__ import annotations

import argparse
import errno
import itertools
import json
import os
import resource
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

import trio
from quiet import CAPABILITIES, KEEP_ALIVE, PASSWORD, USER, Application, requests
from registrar import DEVICE, Habits, Load, Phone, frames, pin

from pa_telephony import callmanager
from pa_telephony.callmanager import CallManagerConfig, DeviceConfig, LineConfig, User
from pa_telephony.cli.running import keep_for_good
from pa_telephony.cti import messages as cti
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DCallState, KeyPadButton, SoftKeyEvent

GOAL = 0.1
PHONES, SHARED, CALLER = 2600, {"9200": 200, "9040": 40}, 500
"""Phones in all; how many of the last share which line; the one an application calls from."""
LOUD = 3
"""The first of the loud ones, after the quiet and the new one."""
USERS = 10
HERE = "127.0.0.1"
CROWD = tuple(f"127.0.1.{number}" for number in range(1, 17))
"""Where strangers come from."""
CHUNK = 16384

BEAT = requests(cti.Heartbeat())
CTI_FLOODS = {
    "cti heartbeats": BEAT * 2000,
    "cti unknown": (BEAT[:16] + (9999).to_bytes(4, "little") + BEAT[20:]) * 2000,
    "cti requests": CAPABILITIES * 1000,
    "cti lines": requests(cti.LineOpenRequest(device_name=DEVICE.format(7), line_name="6007"))
    * 500,
    "cti calls": b"",  # needs the handle of a line
    "cti all devices": requests(cti.ProviderGetAllDevicesAndLinesRequest()) * 1000,
}
CTI_STRANGER = requests(cti.ProviderInitRequest()) * 200
SCCP_FLOODS = {
    "keepalives": KEEP_ALIVE * 2000,
    "questions": frames(messages.SoftKeySetReq(), messages.ButtonTemplateReq()) * 500,
    "calls": frames(messages.OffHook(line_instance=1), messages.OnHook()) * 500,
    "unknown messages": (b"\x04\0\0\0\0\0\0\0\x77\x77\0\0" * 4000),
}
SCCP_STRANGER = frames(messages.SoftKeySetReq(), messages.TimeDateReq()) * 500


def shared_by() -> dict[int, str]:
    """The number of each phone that shares one."""
    indices = iter(range(PHONES, 0, -1))
    return {next(indices): number for number, many in SHARED.items() for _ in range(many)}


def line(index: int, number: str | None) -> LineConfig:
    if number is None:
        return LineConfig(number=str(6000 + index))
    return LineConfig(number=number, max_calls=60, busy_trigger=60)


def serve() -> None:
    async def main() -> None:
        shared = shared_by()
        config = CallManagerConfig(
            devices=tuple(
                DeviceConfig(name=DEVICE.format(index), lines=(line(index, shared.get(index)),))
                for index in range(1, PHONES + 1)
            ),
            users=tuple(
                User(name=name, password=PASSWORD)
                for name in (USER, *(f"{USER}{number}" for number in range(USERS)))
            ),
        )
        async with callmanager.open_call_manager(config, sccp_port=0, cti_port=0) as manager:
            keep_for_good()
            ports = (manager.sccp_address, manager.cti_address)
            print(*(each.rpartition(":")[2] for each in ports), flush=True)
            await trio.sleep_forever()

    trio.run(main)


class Server:
    """The call manager in a process of its own, on the other core."""

    device = DEVICE

    def __init__(self) -> None:
        me = [sys.executable, __file__, "serve"]
        self._process = subprocess.Popen(me, stdout=subprocess.PIPE, text=True)
        self.pid = self._process.pid
        assert self._process.stdout is not None
        sccp, application = (int(each) for each in self._process.stdout.readline().split())
        self.address, self.cti_address = (HERE, sccp), (HERE, application)

    def waited(self) -> float:
        """Seconds for which it was ready, and somebody else had the core."""
        return int(Path(f"/proc/{self._process.pid}/schedstat").read_text().split()[1]) / 1e9

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@dataclass
class Loud:
    """One that says the same again and again; with nothing to say it waits to be let go."""

    stream: socket.socket
    data: bytes
    again: Callable[[], Loud] | None = None
    """How it comes back; the others stay away."""
    at: int = 0

    def go_on(self) -> None:
        """Say as much as goes, and hear what is there. Raises :class:`OSError` at the end."""
        try:
            while self.stream.recv(1 << 18):
                pass
            raise ConnectionResetError(errno.ECONNRESET, "let go")
        except BlockingIOError:
            pass
        if self.data:
            try:
                said = self.stream.send(self.data[self.at : self.at + CHUNK])
                self.at = (self.at + said) % len(self.data)
            except BlockingIOError:
                pass


@dataclass
class Nonstop:
    """A phone that calls, hangs up when somebody has answered, and calls again."""

    caller: Phone
    number: str
    calls: int = 0
    dialled: bool = False

    def begin(self) -> None:
        self.caller.call = self  # type: ignore[assignment]  # it looks like a Call to a phone
        self.dialled = False
        self.caller.say(frames(messages.OffHook()))

    def state(self, phone: Phone, state: int, reference: int) -> None:
        if state == DCallState.OFF_HOOK and not self.dialled:
            self.dialled = True
            for digit in self.number:
                key = KeyPadButton(int(digit))
                phone.say(
                    frames(
                        messages.KeypadButton(
                            kp_button=key, line_instance=1, call_reference=reference
                        )
                    )
                )
        elif state in (DCallState.CONNECTED, DCallState.BUSY, DCallState.CONGESTION):
            phone.say(frames(messages.OnHook(line_instance=1, call_reference=reference)))
        elif state == DCallState.ON_HOOK:
            self.calls += 1
            self.begin()

    def media(self) -> None:
        pass


@dataclass
class Answers:
    """A phone that answers what rings."""

    phone: Phone

    def state(self, phone: Phone, state: int, reference: int) -> None:
        if state == DCallState.RING_IN:
            phone.say(
                frames(
                    messages.SoftKeyEvent(
                        soft_key_event=SoftKeyEvent.ANSWER,
                        line_instance=1,
                        call_reference=reference,
                    )
                )
            )

    def media(self) -> None:
        pass


@dataclass
class Crowd:
    """Everybody who is loud."""

    server: Server
    load: Load
    returns: int = 0
    callers: list[Nonstop] = field(default_factory=list)
    leaving: list[socket.socket] = field(default_factory=list)
    """Who leaves in the middle, all at once."""
    _selector: selectors.EpollSelector = field(default_factory=selectors.EpollSelector)

    def add(self, loud: Loud) -> None:
        loud.stream.setblocking(False)
        what = selectors.EVENT_READ | (selectors.EVENT_WRITE if loud.data else 0)
        self._selector.register(loud.stream, what, loud)

    def leave(self) -> None:
        reset = (1).to_bytes(4, "little") + bytes(4)
        for stream in self.leaving:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            stream.close()
        self.leaving = []

    def go_on(self) -> None:
        """A round of everybody who can."""
        if self.callers:
            self.load.poll(0.0 if self._selector.get_map() else 0.02)
        if not self._selector.get_map():
            if not self.callers:
                time.sleep(0.02)
            return
        for key, _ in self._selector.select(0.02):
            loud: Loud = key.data
            try:
                loud.go_on()
            except OSError:
                self._selector.unregister(loud.stream)
                loud.stream.close()
                if loud.again is not None:
                    self.returns += 1
                    self.add(loud.again())


def phones(crowd: Crowd, many: int, first: int = LOUD) -> list[Phone]:
    indices = range(first, first + many)
    crowd.load.register(indices, 50)
    return [crowd.load.phones[index] for index in indices]


def loud_phones(flood: str, many: int) -> Callable[[Crowd], None]:
    def begin(crowd: Crowd) -> None:
        fresh = iter(range(LOUD + many, CALLER))

        def again() -> Loud:
            return Loud(phones(crowd, 1, next(fresh))[0].stream, SCCP_FLOODS[flood], again)

        for phone in phones(crowd, many):
            crowd.add(Loud(phone.stream, SCCP_FLOODS[flood], again if many == 1 else None))

    return begin


def loud_applications(flood: str, many: int) -> Callable[[Crowd], None]:
    def begin(crowd: Crowd) -> None:
        if flood == "cti calls":
            phones(crowd, 1, CALLER)
        turns = itertools.count()

        def come() -> Loud:
            loud = Application(crowd.server.cti_address, f"{USER}{next(turns) % USERS}")
            data = CTI_FLOODS[flood]
            if flood == "cti calls":
                name, number = DEVICE.format(CALLER), str(6000 + CALLER)
                opened = loud.ask(
                    cti.LineOpenRequest(device_name=name, line_name=number), cti.LineOpenResponse
                )
                call = cti.LineCallInitiateRequest(line_id=opened.line_id, dest_address="6999")
                data = requests(call) * 500
            return Loud(loud.stream, data, come)

        for _ in range(many):
            crowd.add(come())

    return begin


def strangers(kind: str, data: bytes, many: int) -> Callable[[Crowd], None]:
    def begin(crowd: Crowd) -> None:
        address = crowd.server.address if kind == "sccp" else crowd.server.cti_address
        sources: Iterator[str] = itertools.cycle(CROWD)

        def come() -> Loud:
            # It does not wait: the kernel has a place for it, or tries again.
            stream = socket.socket()
            stream.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
            stream.bind((next(sources), 0))
            stream.setblocking(False)
            stream.connect_ex(address)
            return Loud(stream, data, come)

        for _ in range(many):
            crowd.add(come())

    return begin


def callers(number: str, many: int, watchers: int = 0) -> Callable[[Crowd], None]:
    def begin(crowd: Crowd) -> None:
        shared = [index for index, each in shared_by().items() if each == number]
        calling = phones(crowd, many)
        if shared:
            phones(crowd, len(shared), min(shared))
            for phone in itertools.islice((crowd.load.phones[each] for each in shared), 1):
                phone.call = Answers(phone)  # type: ignore[assignment]  # as a phone sees it
        else:
            for phone in phones(crowd, many, LOUD + 500):
                phone.call = Answers(phone)  # type: ignore[assignment]
        for turn in range(watchers):
            loud = Application(crowd.server.cti_address, f"{USER}{turn % USERS}")
            for index in shared:
                name = DEVICE.format(index)
                loud.ask(
                    cti.LineOpenRequest(device_name=name, line_name=number), cti.LineOpenResponse
                )
            crowd.add(Loud(loud.stream, b""))
        for phone in calling:
            wanted = number if shared else str(6000 + phone.index + 500)
            crowd.callers.append(Nonstop(phone, wanted))
        for each in crowd.callers:
            each.begin()

    return begin


def leaving(many: int, *, registered: bool) -> Callable[[Crowd], None]:
    def begin(crowd: Crowd) -> None:
        if registered:
            crowd.leaving = [each.stream for each in phones(crowd, many)]
            return
        sources = itertools.cycle(CROWD)
        for _ in range(many):
            stream = socket.create_connection(crowd.server.address, 10, (next(sources), 0))
            crowd.leaving.append(stream)

    return begin


SITUATIONS: dict[str, Callable[[Crowd], None]] = {
    **{flood: loud_phones(flood, 1) for flood in SCCP_FLOODS},
    **{flood: loud_applications(flood, 1) for flood in CTI_FLOODS},
    "cti no login": strangers("cti", CTI_STRANGER, 1),
    "50 call each other": callers("", 50),
    "50 call a line of 40": callers("9040", 50),
    "50 call a line of 200": callers("9200", 50),
    "the same, watched by 8": callers("9200", 50, watchers=8),
    "50: keepalives": loud_phones("keepalives", 50),
    "50: calls": loud_phones("calls", 50),
    "250: keepalives": loud_phones("keepalives", 250),
    "250: questions": loud_phones("questions", 250),
    "250: calls": loud_phones("calls", 250),
    "250: cti requests": loud_applications("cti requests", 250),
    "250: cti all devices": loud_applications("cti all devices", 250),
    "2000: keepalives": loud_phones("keepalives", 2000),
    "2000: calls": loud_phones("calls", 2000),
    "2000 strangers": strangers("sccp", SCCP_STRANGER, 2000),
    "2000 silent strangers": strangers("sccp", b"", 2000),
    "2000 cti strangers": strangers("cti", CTI_STRANGER, 2000),
    "2000 silent cti strangers": strangers("cti", b"", 2000),
    "500 strangers leave": leaving(500, registered=False),
    "2000 phones leave": leaving(2000, registered=True),
}


def measure(name: str, begin: Callable[[Crowd], None] | None, seconds: float) -> float:
    """The worst wait of the quiet ones; says those of all."""
    server = Server()
    load = Load(server, Habits(calls=1, sound=False, rings=0.0))  # type: ignore[arg-type]
    crowd = Crowd(server, load)
    pid = str(server.pid)
    ports = (str(server.address[1]), str(server.cti_address[1]))
    quiet = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("quiet.py")), *ports, str(seconds), pid],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert quiet.stdin is not None
        assert quiet.stdout is not None
        quiet.stdout.readline()
        if begin is not None:
            begin(crowd)
        start = time.perf_counter()
        while time.perf_counter() < start + 0.5:
            crowd.go_on()
        quiet.stdin.write("\n")
        quiet.stdin.flush()
        begun, waited = time.perf_counter(), server.waited()
        calls = sum(each.calls for each in crowd.callers)
        watching = selectors.DefaultSelector()
        watching.register(quiet.stdout, selectors.EVENT_READ)
        while not watching.select(0):
            crowd.go_on()
            if crowd.leaving and time.perf_counter() > begun + seconds / 2:
                crowd.leave()
        lasted = time.perf_counter() - begun
        waited = server.waited() - waited
        waits: dict[str, list[tuple[float, float]]] = json.loads(quiet.stdout.readline())
    finally:
        quiet.kill()
        quiet.wait()
        server.stop()
    shown = f"{name:26}"
    for each in waits.values():
        if each:
            took, ours = sorted(wait for wait, _ in each), max(wait for _, wait in each)
            some = (took[len(took) // 2], took[-1], ours)
            shown += "".join(f"{wait * 1000:7.1f}" for wait in some) + "  "
    done: list[str] = []
    if crowd.callers:
        done.append(f"{(sum(each.calls for each in crowd.callers) - calls) / lasted:.0f} calls/s")
    if crowd.returns:
        done.append(f"{crowd.returns / lasted:.0f} returns/s")
    if waited > lasted / 100:
        done.append(f"no core for {waited / lasted:.0%}")
    print(shown + ", ".join(done), flush=True)
    return max((ours for who in ("phone", "application") for _, ours in waits[who]), default=inf)


def main(seconds: float, wanted: list[str]) -> bool:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(f"{seconds:.0f} s each; milliseconds until an answer: median, worst, worst of ours")
    columns = ("phone", "application", "new phone", "new application")
    print(" " * 26 + "  ".join(f"{each:>21}" for each in columns))
    worst = measure("quiet", None, seconds)
    for name, begin in SITUATIONS.items():
        if not wanted or any(each in name for each in wanted):
            worst = max(worst, measure(name, begin, seconds))
    print(f"the quiet ones wait {worst * 1000:.0f} ms at most (goal {GOAL * 1000:.0f})")
    print("load average", *os.getloadavg())
    return worst <= GOAL


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        pin(1)
        serve()
    else:
        parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
        parser.add_argument("seconds", nargs="?", type=float, default=3.0, help="of each flood")
        parser.add_argument("situations", nargs="*", help="only those whose name has one of these")
        asked = parser.parse_args()
        pin(0)
        sys.exit(0 if main(asked.seconds, asked.situations) else 1)

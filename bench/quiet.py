"""What a quiet phone and a quiet application feel, and somebody new, while others are loud.

python bench/quiet.py SCCP_PORT CTI_PORT SECONDS PID

For bench/flood.py, which starts it as a process of its own: how long the flood takes to be sent
must not be measured. It says "ready" when the quiet ones are registered and logged in, begins
when it reads a line, and says, as JSON, how many seconds each answer took, and how many without
the time for which the server (the process PID) or we were ready and somebody else had the core:

* ``phone``: a registered phone sends a keepalive every 50 ms;
* ``application``: one that is logged in sends a small request every 50 ms;
* ``new phone``: every 200 ms one connects and sends RegisterReq, until RegisterAck;
* ``new application``: every 200 ms one connects and logs in, until it is.

The new ones come from an address of their own. What is refused is tried again at once, and its
time goes on.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from registrar import DEVICE, VERSION, frames, pin

from pa_telephony.cti import messages as cti
from pa_telephony.cti.connection import Role, WireConnection
from pa_telephony.cti.login import seal_password
from pa_telephony.sccp import messages
from pa_telephony.sccp.enums import DeviceType

T = TypeVar("T", bound=cti.CtiMessage)

QUIET, NEW = 1, 2
"""The numbers of the quiet phone and of those that come and go."""
EVERY, NEW_EVERY, PATIENCE = 0.05, 0.2, 10.0
USER, PASSWORD = "app", "secret"
ELSEWHERE = "127.0.0.99"
REGISTER_ACK = 0x81


def requests(*what: cti.CtiMessage) -> bytes:
    return b"".join(cti.encode(each, to_server=True) for each in what)


KEEP_ALIVE = frames(messages.KeepAliveReq())
CAPABILITIES = requests(cti.ProviderGetCapabilitiesRequest(sequence_number=1))


def connected(address: tuple[str, int], source: str = "") -> socket.socket:
    stream = socket.create_connection(address, PATIENCE, (source, 0) if source else None)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


def registration(index: int) -> bytes:
    """What a phone says first."""
    request = messages.RegisterReq(
        device_name=DEVICE.format(index),
        station_ip_addr="127.0.0.1",
        device_type=DeviceType.CISCO_7970,
        max_streams=5,
        protocol_ver=VERSION,
        phone_features=0x8572,
        max_number_of_lines=36,
    )
    return frames(request)


def heard(stream: socket.socket) -> bytes:
    """What comes next. Raises :class:`ConnectionError` at the end."""
    data = stream.recv(1 << 16)
    if not data:
        raise ConnectionError("let go")
    return data


def registered_phone(address: tuple[str, int], index: int, source: str = "") -> socket.socket:
    """A phone that has got its RegisterAck."""
    stream = connected(address, source)
    try:
        stream.sendall(registration(index))
        data = b""
        while len(data) < 12:
            data += heard(stream)
        if int.from_bytes(data[8:12], "little") != REGISTER_ACK:
            raise ConnectionRefusedError("rejected")
    except BaseException:
        stream.close()
        raise
    return stream


class Application:
    """One that speaks when it is told to."""

    def __init__(
        self, address: tuple[str, int], user: str = USER, source: str = "", *, logs_in: bool = True
    ) -> None:
        self.stream = connected(address, source)
        self._connection = WireConnection(Role.CLIENT)
        if not logs_in:
            return
        try:
            init = self.ask(cti.ProviderInitRequest(), cti.ProviderInitResponse)
            password, key = seal_password(
                PASSWORD, certificate=init.certificate, nonce=init.nonce, key=secrets.token_hex(8)
            )
            login = cti.ProviderOpenRequest(login=user, password=password, encrypted_key_data=key)
            if self.ask(login, cti.ProviderOpenCompletedEvent).reason:
                raise ConnectionRefusedError(f"{user} is refused")
        except BaseException:
            self.stream.close()
            raise

    def ask(self, request: cti.CtiMessage, kind: type[T]) -> T:
        """Send, and wait for an answer of that kind."""
        self.stream.sendall(requests(request))
        while True:
            self._connection.receive_data(heard(self.stream), 0.0)
            while (message := self._connection.next_event()) is not None:
                if isinstance(message, kind):
                    return message


def no_core(who: str) -> float:
    """Seconds for which a process, or our own thread, was ready and did not run (Linux)."""
    return int(Path(f"/proc/{who}/schedstat").read_text().split()[1]) / 1e9


def repeat(
    what: Callable[[], None],
    every: float,
    until: float,
    pid: str,
    waits: list[tuple[float, float]],
) -> None:
    """Do it every so many seconds, and note how long it takes."""

    def lost() -> float:
        return no_core(pid) + no_core("thread-self")

    due = time.perf_counter()
    while (now := time.perf_counter()) < until:
        if now < due:
            time.sleep(due - now)
            continue
        before = lost()
        what()
        took = time.perf_counter() - now
        waits.append((took, max(0.0, took - (lost() - before))))
        due = now + every


def persistent(come: Callable[[], socket.socket]) -> Callable[[], None]:
    """Come and go; if refused, again, for as long as there is patience."""

    def once() -> None:
        end = time.perf_counter() + PATIENCE
        while time.perf_counter() < end:
            with contextlib.suppress(OSError):
                come().close()
                return

    return once


def main(sccp: tuple[str, int], application: tuple[str, int], seconds: float, pid: str) -> None:
    phone = registered_phone(sccp, QUIET)
    program = Application(application).stream

    def ask_phone() -> None:
        phone.sendall(KEEP_ALIVE)
        heard(phone)

    def ask_program() -> None:
        program.sendall(CAPABILITIES)
        heard(program)

    what = {
        "phone": (ask_phone, EVERY),
        "application": (ask_program, EVERY),
        "new phone": (persistent(lambda: registered_phone(sccp, NEW, ELSEWHERE)), NEW_EVERY),
        "new application": (
            persistent(lambda: Application(application, USER, ELSEWHERE).stream),
            NEW_EVERY,
        ),
    }
    for each, _ in what.values():
        each()
    # What the phone is told after its registration is no answer.
    phone.settimeout(0.3)
    with contextlib.suppress(TimeoutError):
        while True:
            heard(phone)
    phone.settimeout(PATIENCE)
    print("ready", flush=True)
    sys.stdin.readline()
    until = time.perf_counter() + seconds
    waits: dict[str, list[tuple[float, float]]] = {name: [] for name in what}
    threads = [
        threading.Thread(target=repeat, args=(do, every, until, pid, waits[name]))
        for name, (do, every) in what.items()
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    print(json.dumps(waits), flush=True)


if __name__ == "__main__":
    pin(0)
    here = "127.0.0.1"
    main((here, int(sys.argv[1])), (here, int(sys.argv[2])), float(sys.argv[3]), sys.argv[4])

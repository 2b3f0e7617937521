"""What strangers do to a call manager: plain sockets that send what must not be believed."""

from __future__ import annotations

import contextlib
import itertools
import secrets
import socket
import struct
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from quiet import (  # bench/quiet.py
    CAPABILITIES,
    PASSWORD,
    USER,
    Application,
    registration,
    requests,
)
from registrar import SILENCE, frames  # bench/registrar.py

from pa_telephony.cti import messages as cti
from pa_telephony.cti.login import seal_password
from pa_telephony.sccp import messages

__all__ = [
    "CAPABILITIES",
    "CROWD",
    "PASSWORD",
    "SILENCE",
    "USER",
    "Application",
    "ask_for_name",
    "ask_for_token",
    "asked_to_register",
    "connected",
    "crowd",
    "for_seconds",
    "frames",
    "guess",
    "let_go",
    "requests",
    "reset",
    "say",
]

Address = tuple[str, int]
REGISTER_ACK, REGISTER_REJECT = 0x81, 0x9D
CROWD = tuple(f"127.0.1.{number}" for number in range(1, 17))
"""Where strangers come from who are many."""


def connected(address: Address, source: str = "") -> socket.socket:
    """A connection, blocking. From another address than ours with ``source``."""
    stream = socket.create_connection(address, 10.0, (source, 0) if source else None)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


@contextlib.contextmanager
def crowd(
    address: Address, many: int, data: bytes = b"", sources: Iterable[str] = ("",)
) -> Generator[list[socket.socket]]:
    """So many who connect and say this, as far as they are let in; all leave in the end."""
    from_where: Iterator[str] = itertools.cycle(sources)
    streams: list[socket.socket] = []
    try:
        for _ in range(many):
            stream = connected(address, next(from_where))
            streams.append(stream)
            say(stream, data)
        yield streams
    finally:
        for stream in streams:
            stream.close()


def say(stream: socket.socket, data: bytes) -> None:
    """Say as much as is taken."""
    stream.setblocking(False)
    with contextlib.suppress(OSError):
        stream.sendall(data)


def let_go(streams: Iterable[socket.socket]) -> int:
    """How many of them the server has closed."""
    closed = 0
    for stream in streams:
        stream.setblocking(False)
        try:
            while data := stream.recv(1 << 16):
                pass
            closed += not data
        except BlockingIOError:
            pass
        except OSError:
            closed += 1
    return closed


def reset(stream: socket.socket) -> None:
    """End a connection without a goodbye."""
    with contextlib.suppress(OSError):
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()


def asked_to_register(address: Address, index: int, source: str = "") -> int:
    """Ask for a name on a connection of its own: the number of the answer, 0 for none."""
    with connected(address, source) as stream:
        stream.sendall(registration(index))
        stream.settimeout(10.0)
        with contextlib.suppress(OSError):
            data = stream.recv(12, socket.MSG_WAITALL)
            if len(data) == 12:
                return int.from_bytes(data[8:12], "little")
        return 0


def ask_for_name(name: str) -> bytes:
    return frames(messages.RegisterReq(device_name=name, protocol_ver=20))


def ask_for_token(name: str) -> bytes:
    return frames(messages.RegisterTokenReq(device_name=name))


def guess(address: Address, user: str, password: str, source: str = "") -> bool:
    """Try a password. False: wrong, or refused, or no answer."""
    try:
        application = Application(address, source=source, logs_in=False)
    except OSError:
        return False
    with application.stream:
        try:
            init = application.ask(cti.ProviderInitRequest(), cti.ProviderInitResponse)
            sealed, key = seal_password(
                password, certificate=init.certificate, nonce=init.nonce, key=secrets.token_hex(8)
            )
            login = cti.ProviderOpenRequest(login=user, password=sealed, encrypted_key_data=key)
            return not application.ask(login, cti.ProviderOpenCompletedEvent).reason
        except OSError:
            return False


def for_seconds(seconds: float, what: Callable[[], object], pause: float = 0.0) -> int:
    """Do it again and again; how often."""
    end = time.monotonic() + seconds
    done = 0
    while time.monotonic() < end:
        what()
        done += 1
        time.sleep(pause)
    return done


KEEP_ALIVE = frames(messages.KeepAliveReq())
HEARTBEAT = requests(cti.Heartbeat())
INIT = requests(cti.ProviderInitRequest())
MIB = 1 << 20
LONG_SCCP = struct.pack("<III", MIB, 0, 0x01) + b"A" * (MIB - 4)
"""A registration of a mebibyte."""
LONG_CTI = struct.pack("<I", MIB - 8) + INIT[4:] + b"A" * (MIB - len(INIT))
"""A ProviderInitRequest of a mebibyte."""

"""A quiet phone, a quiet application and two newcomers, which note how long each answer took.

``python quiet_ones.py SCCP_PORT CTI_PORT``: stage.py runs it as a process of its own, so that what
it measures is not the time of whoever is loud. It says "ready" when phone and application are
served. Every line that it reads ends a measurement, which it says as one line of JSON, and begins
the next: for ``phone``, ``application``, ``new phone`` and ``new application`` the seconds of each
answer, and what went wrong. Phone and application ask every 50 ms; the newcomers come from another
address, are let in and leave, every 200 ms. What is lost or refused comes back at once, and the
time goes on.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from quiet import (  # bench/quiet.py
    CAPABILITIES,
    ELSEWHERE,
    EVERY,
    KEEP_ALIVE,
    NEW,
    NEW_EVERY,
    QUIET,
    USER,
    Application,
    heard,
    registered_phone,
)

HERE = "127.0.0.1"
KEEP_ALIVE_ACK = 0x100
AGAIN = 0.05
"""Seconds between two tries of whoever was refused."""


class One:
    """A peer that asks, again and again."""

    def __init__(self, ask: Callable[[], None], every: float) -> None:
        self._ask = ask
        self._every = every
        self._lock = threading.Lock()
        self._waits: list[float] = []
        self._wrong: list[str] = []
        self._since: float | None = None

    def run(self) -> None:
        while True:
            with self._lock:
                self._since = since = time.perf_counter()
            while True:
                try:
                    self._ask()
                    break
                except OSError as error:
                    with self._lock:
                        self._wrong.append(f"{type(error).__name__}: {error}")
                    time.sleep(AGAIN)
            now = time.perf_counter()
            with self._lock:
                self._waits.append(now - since)
                self._since = None
            time.sleep(max(0.0, since + self._every - now))

    def told(self) -> dict[str, list[float] | list[str]]:
        """What was measured since the last time; a peer that still waits is counted until now."""
        with self._lock:
            waits, self._waits = self._waits, []
            wrong, self._wrong = self._wrong, []
            if self._since is not None:
                waits.append(time.perf_counter() - self._since)
        return {"waits": waits, "wrong": wrong}


def phone(address: tuple[str, int]) -> Callable[[], None]:
    stream = registered_phone(address, QUIET)
    waiting = bytearray()

    def ask() -> None:
        nonlocal stream
        if stream.fileno() < 0:
            waiting.clear()
            stream = registered_phone(address, QUIET)
        try:
            stream.sendall(KEEP_ALIVE)
            while True:
                waiting.extend(heard(stream))
                while len(waiting) >= 12:
                    end = 8 + int.from_bytes(waiting[:4], "little")
                    if len(waiting) < end:
                        break
                    number = int.from_bytes(waiting[8:12], "little")
                    del waiting[:end]
                    if number == KEEP_ALIVE_ACK:
                        return
        except OSError:
            # The next try is on a connection of its own.
            stream.close()
            raise

    return ask


def application(address: tuple[str, int]) -> Callable[[], None]:
    program = Application(address).stream

    def ask() -> None:
        nonlocal program
        if program.fileno() < 0:
            program = Application(address).stream
        try:
            program.sendall(CAPABILITIES)
            heard(program)
        except OSError:
            program.close()
            raise

    return ask


def main(sccp: tuple[str, int], cti: tuple[str, int]) -> None:
    everybody = {
        "phone": One(phone(sccp), EVERY),
        "application": One(application(cti), EVERY),
        "new phone": One(lambda: registered_phone(sccp, NEW, ELSEWHERE).close(), NEW_EVERY),
        "new application": One(lambda: Application(cti, USER, ELSEWHERE).stream.close(), NEW_EVERY),
    }
    for each in everybody.values():
        threading.Thread(target=each.run, daemon=True).start()
    time.sleep(0.5)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps({name: each.told() for name, each in everybody.items()}), flush=True)


if __name__ == "__main__":
    main((HERE, int(sys.argv[1])), (HERE, int(sys.argv[2])))

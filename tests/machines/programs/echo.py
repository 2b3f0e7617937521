"""Send datagrams to and fro, and say how long each was under way.

python echo.py serve ADDRESS
python echo.py ask ADDRESS COUNT INTERVAL     prints {"sent": 100, "seconds": [0.0403, …]}
python echo.py hold ADDRESS                   keeps a TCP connection
python echo.py hear ADDRESS                   how such a connection ended: "closed", or "silence"
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import sys
import time

_PORT = 7777
_PATIENCE = 1.0
_COPIES = 0.1
"""Seconds in which what came may come again."""


def serve(address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
        it.bind((address, _PORT))
        print("up", flush=True)
        while True:
            data, sender = it.recvfrom(2048)
            it.sendto(data, sender)


def ask(address: str, count: int, interval: float) -> None:
    sent: dict[int, float] = {}
    came: dict[int, list[float]] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
        it.connect((address, _PORT))
        it.send(b"first")  # The addresses are found out before anything is measured.
        select.select([it], [], [], _PATIENCE)
        due = time.monotonic()
        while True:
            now = time.monotonic()
            if len(sent) < count and now >= due:
                sent[len(sent)] = now
                with contextlib.suppress(OSError):
                    it.send(str(len(sent) - 1).encode())
                due += interval
            all_came = len(came) == count
            ends = due + (_COPIES if all_came else _PATIENCE)
            if len(sent) == count and now > ends:
                break
            wait = due - now if len(sent) < count else ends - now
            if select.select([it], [], [], max(wait, 0.0))[0]:
                try:
                    data = it.recv(2048)
                except OSError:  # Nobody is there, or no way to get there.
                    continue
                if data.isdigit():
                    number = int(data)
                    came.setdefault(number, []).append(time.monotonic() - sent[number])
    copies = sum(len(each) for each in came.values())
    seconds = [each[0] for each in came.values()]
    print(json.dumps({"sent": count, "copies": copies, "seconds": seconds}))


def hold(address: str) -> None:
    with socket.create_server((address, _PORT)) as listener:
        print("up", flush=True)
        connection, _ = listener.accept()
        connection.recv(1)


def hear(address: str) -> None:
    with socket.create_connection((address, _PORT)) as it:
        print("up", flush=True)
        it.settimeout(2 * _PATIENCE)
        try:
            it.recv(1)
        except TimeoutError:
            print("silence")
        except OSError:
            print("reset")
        else:
            print("closed")


if __name__ == "__main__":
    what, address, *more = sys.argv[1:]
    match what:
        case "serve":
            serve(address)
        case "ask":
            ask(address, int(more[0]), float(more[1]))
        case "hold":
            hold(address)
        case "hear":
            hear(address)

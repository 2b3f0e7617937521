"""How long a keepalive waits while another connection floods the server.

python bench/flood.py [SECONDS]

The call manager runs on one core; on the other a flood (keepalives or questions, as fast as the
server takes them, or frames of an unknown number) and one phone that sends a keepalive every
50 ms and notes when the answer comes. The goal is that a flood adds no more than 100 ms to any
answer: the worst is compared with the worst of a quiet run. Time on a busy machine is not ours
alone: the load average stands at the end.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time

from registrar import Load, Server, frames, pin

from pa_telephony.sccp import messages

GOAL = 0.1
EVERY = 0.05
KEEP_ALIVE = frames(messages.KeepAliveReq())
FLOODS = {
    "quiet": b"",
    "keepalives": KEEP_ALIVE * 2000,
    "questions": frames(messages.SoftKeySetReq(), messages.ButtonTemplateReq()) * 500,
    "calls": frames(messages.OffHook(line_instance=1), messages.OnHook()) * 500,
    "unknown messages": (b"\x04\0\0\0\0\0\0\0\x77\x77\0\0" * 4000),
}


def answers(load: Load, data: bytes, seconds: float) -> tuple[list[float], float]:
    """Seconds until each keepalive of phone 1 was answered, while phone 2 says ``data``.

    And the megabytes that it said. A flood that asks faster than it reads is dropped by the
    server; then it goes on with a new connection.
    """
    quiet = load.phones[1].stream
    loud = load.phones[2].stream
    at = said = index = 0
    waits: list[float] = []
    sent = 0.0
    due = time.perf_counter()
    end = due + seconds
    while (now := time.perf_counter()) < end or sent:
        if not sent and now >= due:
            quiet.send(KEEP_ALIVE)
            sent, due = now, due + EVERY
        try:
            if data and now < end:
                count = loud.send(data[at : at + 65536])
                at = (at + count) % len(data)
                said += count
            while loud.recv(1 << 20):
                pass
            raise ConnectionError
        except BlockingIOError:
            pass
        except ConnectionError:
            index, at = index + 1, 0
            load.connect(2 + index)
            loud = load.phones[2 + index].stream
        with contextlib.suppress(BlockingIOError):
            if not quiet.recv(1 << 16):
                raise ConnectionError("the server let go of the quiet phone")
            if sent:
                waits.append(time.perf_counter() - sent)
                sent = 0.0
    return sorted(waits), said / 1e6


def main(seconds: float) -> bool:
    worst: dict[str, float] = {}
    print(f"{seconds:.0f} s each; milliseconds until a keepalive is answered")
    print(f"{'flood':20}{'median':>10}{'p99':>10}{'worst':>10}{'MB said':>10}")
    for name, data in FLOODS.items():
        server = Server()
        load = Load(server.port)
        try:
            load.register(range(1, 3), 2)
            waits, said = answers(load, data, seconds)
        finally:
            server.stop()
        worst[name] = waits[-1]
        shown = (waits[len(waits) // 2], waits[int(len(waits) * 0.99)], waits[-1])
        times = "".join(f"{each * 1000:10.2f}" for each in shown)
        print(f"{name:20}{times}{said:10.1f}", flush=True)
    added = max(worst.values()) - worst["quiet"]
    print(f"at most {added * 1000:.0f} ms more than in quiet (goal {GOAL * 1000:.0f})")
    print("load average", *os.getloadavg())
    return added <= GOAL


if __name__ == "__main__":
    pin(0)
    sys.exit(0 if main(float(sys.argv[1]) if sys.argv[1:] else 5.0) else 1)

"""A switch: one TAP device for each machine, and links between them that can be made bad.

python switch.py SEED

Orders are lines of JSON on standard input, each answered with one on standard output:
{"do": "plug", "host": 11, "process": 4711}    a device ``eth0`` in that process's network namespace
{"do": "unplug", "host": 11}                   it vanishes
{"do": "cut", "source": 11, "target": 0}       nothing gets through; 0 is every machine
{"do": "join", "source": 11, "target": 0}
{"do": "quality", "source": 0, "target": 0, "delay": 0.02, "jitter": 0.01, "loss": 0.05}
{"do": "counts"}                               what has become of frames; by how much it was late
It ends with its standard input. TAP and not veth: frames read from a veth have checksums that
nobody has finished.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import select
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from links import ALL, Links, Quality, address_of, host_of

_TUNSETIFF = 0x400454CA
_IFF_TAP = 0x0002
_IFF_NO_PI = 0x1000
_LONGEST_FRAME = 2048
_AT_ONCE = 64
"""Frames that are read of one machine before it is another one's turn."""
_QUALITIES = ("delay", "jitter", "loss", "duplicates")


class Switch:
    """The devices by machine, and the links between them."""

    def __init__(self, seed: int) -> None:
        self.links = Links(seed)
        self.devices: dict[int, int] = {}
        self.late = 0.0
        """By how many seconds a frame was delivered too late, at the most since the last count."""

    def plug(self, host: int, process: int) -> None:
        """Make a machine's device."""
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            name = f"machine{host}"
            request = struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI)
            fcntl.ioctl(descriptor, _TUNSETIFF, request)
            _ip("link", "set", name, "address", address_of(host))
            _ip("link", "set", name, "netns", str(process), "name", "eth0")
        except BaseException:
            os.close(descriptor)
            raise
        self.devices[host] = descriptor

    def unplug(self, host: int) -> None:
        """Close a machine's device, with which it vanishes."""
        descriptor = self.devices.pop(host, None)
        if descriptor is not None:
            os.close(descriptor)
        self.links.forget(host)

    def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Carry out an order; gives its answer."""
        what, source, target = order["do"], order.get("source", ALL), order.get("target", ALL)
        match what:
            case "plug":
                self.plug(order["host"], order["process"])
            case "unplug":
                self.unplug(order["host"])
            case "cut":
                self.links.cut(source, target)
            case "join":
                self.links.join(source, target)
            case "quality":
                quality = Quality(**{each: order.get(each, 0.0) for each in _QUALITIES})
                self.links.set_quality(quality, source, target)
            case "counts":
                late, self.late = self.late, 0.0
                return dataclasses.asdict(self.links.counts) | {"late": late}
            case _:
                raise ValueError(f"no such order: {what!r}")
        return {}

    def read(self, host: int, now: float) -> None:
        """Send what a machine has sent on its way."""
        for _ in range(_AT_ONCE):
            try:
                frame = os.read(self.devices[host], _LONGEST_FRAME)
            except BlockingIOError:
                return
            except OSError:  # Its namespace is gone, and the device with it.
                self.unplug(host)
                return
            target = host_of(frame)
            others = [each for each in self.devices if each != host]
            for each in others if target == ALL else [target]:
                if each in self.devices:
                    self.links.send(host, each, frame, now)

    def deliver(self) -> None:
        """Deliver what has arrived."""
        now = time.monotonic()
        due = self.links.next_arrival()
        if due is not None and due <= now:
            self.late = max(self.late, now - due)
        for host, frame in self.links.arrived(now):
            # A device that is down, or whose queue is full, loses it.
            with contextlib.suppress(OSError):
                if host in self.devices:
                    os.write(self.devices[host], frame)

    def run(self) -> None:
        """Switch until standard input ends."""
        orders = sys.stdin.fileno()
        while True:
            due = self.links.next_arrival()
            wait = None if due is None else max(due - time.monotonic(), 0.0)
            ready, _, _ = select.select([orders, *self.devices.values()], [], [], wait)
            now = time.monotonic()
            by_descriptor = {descriptor: host for host, descriptor in self.devices.items()}
            for each in ready:
                if each in by_descriptor:
                    self.read(by_descriptor[each], now)
            self.deliver()
            if orders in ready:
                line = sys.stdin.buffer.readline()
                if not line:
                    return
                try:
                    answer = self.obey(json.loads(line))
                except (OSError, ValueError, subprocess.CalledProcessError) as error:
                    answer = {"error": f"{error} {getattr(error, 'stderr', '') or ''}".strip()}
                print(json.dumps(answer), flush=True)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


if __name__ == "__main__":
    Switch(int(sys.argv[1])).run()

"""The call manager as a process, with an observer inside: where each device is, each change a line.

python manager.py cm.toml observed.jsonl HOST

{"time": …, "device": "VI1", "by": ["127.0.1.11"], "ports": [40212]}   the addresses that have it
{"time": …, "up": true}                              it has just started: nobody has anything
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import trio

from pa_telephony import callmanager
from pa_telephony.callmanager.config import DeviceKind

LOOK = 0.005
WATCHED = (DeviceKind.MEDIA_PORT, DeviceKind.ROUTE_POINT)


def holders(manager: Any, device: str) -> list[tuple[str, int]]:
    """The addresses of all that have a device registered: an application's session, a station's."""
    registrations = manager._cti_side._registrations._owners
    if device in registrations:
        where = {
            id(part): each.address[:2]
            for each in manager._cti_manager.sessions
            for part in vars(each._core.session).values()
        }
        return [where.get(id(owner), ("?", 0)) for owner in registrations[device]]
    session = manager._line_side.sessions.get(device)
    return [] if session is None else [session.address[:2]]


async def main(config: str, out: str, host: str) -> None:
    loaded = callmanager.load(config)
    watched = [each.name for each in loaded.devices if each.kind in WATCHED]
    async with callmanager.open_call_manager(loaded, host=host) as manager:
        with open(out, "a", buffering=1) as file:  # noqa: ASYNC230 - a line is written at once
            file.write(json.dumps({"time": time.time(), "up": True}) + "\n")
            print("up", flush=True)
            last: dict[str, list[tuple[str, int]]] = {}
            while True:
                for device in watched:
                    by = holders(manager, device)
                    if by != last.get(device, []):
                        last[device] = by
                        hosts, ports = [host for host, _ in by], [port for _, port in by]
                        line = {"time": round(time.time(), 4), "device": device, "by": hosts}
                        file.write(json.dumps(line | {"ports": ports}) + "\n")
                await trio.sleep(LOOK)


if __name__ == "__main__":
    trio.run(main, *sys.argv[1:])

"""Routed calls per second at a CTI Manager with many applications.

python bench/routing.py [APPLICATIONS] [DEVICES_EACH] [ROUTE_POINTS] [CALLS]

One process is the call manager: every application is logged in with a user and devices of its
own, has a line open on each, and of all those devices ROUTE_POINTS are registered route points
that route. Another process holds the applications. Calls come from CTI ports inside the call
manager, so that only CTI is measured: each is offered at a route point, its application asks for
a redirect, and it is done when the call manager has moved the call. Calls in flight at a time: 32.
Memory is the growth of the call manager's resident set over its open lines. Heartbeats of two
seconds run all the while; a session that misses three is closed, and would be counted.
"""

from __future__ import annotations

import argparse
import datetime
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field

import trio
import trio.lowlevel

from pa_telephony import cti
from pa_telephony.callmanager import (
    CallManagerConfig,
    DeviceConfig,
    DeviceKind,
    LineConfig,
    User,
)
from pa_telephony.callmanager.applications.control import CtiSide
from pa_telephony.callmanager.calls.verbs import Calls, Leg, LegState, Watcher
from pa_telephony.cti.login import make_certificate
from pa_telephony.cti.server.backend import MediaRegistration
from pa_telephony.cti.server.handles import CtiManagerConfig
from pa_telephony.cti.server.server import serve_providers

IN_FLIGHT = 32
HEARTBEAT = 2
AGENT, CALLER = "AGENT", "CALLER"


def resident() -> int:
    """Bytes of memory this process has now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def house(applications: int, each: int, route_points: int) -> CallManagerConfig:
    """Devices by user; the first ones of each user are its route points."""
    share = -(-route_points // applications)
    devices = [
        DeviceConfig(
            name=f"A{app:03}D{number:03}",
            kind=DeviceKind.ROUTE_POINT if number < share else DeviceKind.CTI_PORT,
            lines=(LineConfig(number=f"6{app:03}{number:03}"),),
        )
        for app in range(applications)
        for number in range(each)
    ]
    big = IN_FLIGHT * 4
    devices += [
        DeviceConfig(
            name=name,
            kind=DeviceKind.ROUTE_POINT,
            lines=(LineConfig(number=number, max_calls=big, busy_trigger=big),),
        )
        for name, number in ((AGENT, "2000"), (CALLER, "1000"))
    ]
    users = tuple(
        User(
            name=f"app{app:03}",
            password="secret",
            devices=tuple(f"A{app:03}D{number:03}" for number in range(each)),
        )
        for app in range(applications)
    )
    return CallManagerConfig(devices=tuple(devices), users=users)


@dataclass
class Meter(Watcher):
    """Clocks each call from its offer to the answer of the redirect."""

    began: dict[int, float] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)
    done: trio.Event = field(default_factory=trio.Event)

    def leg_changed(self, leg: Leg) -> None:
        if leg.device == AGENT and leg.state is LegState.OFFERED:
            self.took.append(time.perf_counter() - self.began.pop(leg.call_id))
            self.done.set()


class _Nobody:
    """The owner of the devices inside."""


async def call_manager(applications: int, each: int, route_points: int, wanted: int) -> None:
    config = house(applications, each, route_points)
    calls = Calls(config, trio.current_time)
    side = CtiSide(config, calls)
    meter = Meter()
    calls.watchers.append(meter)
    for device in (AGENT, CALLER):
        side.register(device, _Nobody(), MediaRegistration())
    certificate = make_certificate("bench", valid_from=datetime.datetime.now(datetime.UTC))
    before = resident()
    async with trio.open_nursery() as nursery:
        manager, addresses = await nursery.start(
            lambda task_status: serve_providers(
                side,
                certificate,
                port=0,
                config=CtiManagerConfig(heartbeat=HEARTBEAT),
                task_status=task_status,
            )
        )
        address = f"127.0.0.1:{addresses[0][1]}"
        began = time.perf_counter()
        clients = await trio.lowlevel.open_process(
            [
                sys.executable,
                __file__,
                "clients",
                address,
                *map(str, (applications, each, route_points)),
            ],
            stdin=subprocess.PIPE,
        )
        points = [
            device
            for device in config.devices
            if device.kind is DeviceKind.ROUTE_POINT and device.name not in (AGENT, CALLER)
        ]
        while not (  # noqa: ASYNC110 - two processes, polled
            len(manager.sessions) == applications
            and all(calls.is_registered(device.name) for device in points)
            and sum(session.open_lines for session in manager.sessions) == applications * each
        ):
            await trio.sleep(0.1)
        logged_in = time.perf_counter() - began
        memory = (resident() - before) / (applications * each)
        line = iter(range(wanted))
        began = time.perf_counter()
        while (number := next(line, None)) is not None or len(meter.took) < wanted:
            if number is not None and len(meter.began) < IN_FLIGHT:
                call_id = calls.new_call_id()
                meter.began[call_id] = time.perf_counter()
                calls.originate(
                    CALLER, 1, points[number % len(points)].lines[0].number, call_id=call_id
                )
                if len(meter.began) < IN_FLIGHT:
                    continue
            meter.done = trio.Event()
            await meter.done.wait()
            for leg in calls.legs_of(AGENT):
                calls.release(leg)
        seconds = time.perf_counter() - began
        await trio.sleep(3.0)
        counters = manager.counters
        took = sorted(meter.took)
        rows = [
            ("applications", f"{applications}"),
            ("open lines", f"{applications * each:,}"),
            ("registered route points", f"{len(points):,}"),
            ("log in and open everything", f"{logged_in:.1f} s"),
            ("memory of the call manager per open line", f"{memory / 1024:.1f} KiB"),
            ("calls routed", f"{wanted:,}"),
            ("routed calls per second", f"{wanted / seconds:,.0f}"),
            ("offered to redirected, p50", f"{statistics.median(took) * 1000:.1f} ms"),
            ("offered to redirected, p99", f"{took[int(len(took) * 0.99)] * 1000:.1f} ms"),
            ("sessions closed for a missed heartbeat", f"{counters.timeouts}"),
            ("sessions still open", f"{len(manager.sessions)}"),
        ]
        width = max(len(name) for name, _ in rows)
        for name, value in rows:
            print(f"{name:<{width}}  {value:>12}")
        clients.terminate()
        await clients.wait()
        nursery.cancel_scope.cancel()


async def clients(address: str, applications: int, each: int, route_points: int) -> None:
    share = -(-route_points // applications)

    async def route(session: cti.RouteSession) -> None:
        await session.select_route("2000")

    async def application(app: int) -> None:
        async with (
            cti.open_provider(address, user=f"app{app:03}", password="secret") as provider,
            trio.open_nursery() as nursery,
        ):
            await trio.lowlevel.checkpoint()

            async def point(number: str) -> None:
                async with provider.open_route_point(number) as route_point:
                    await route_point.serve(route)

            async def line(number: str) -> None:
                async with provider.open_address(number):
                    await trio.sleep_forever()

            for number in range(each):
                opened = point if number < share else line
                nursery.start_soon(opened, f"6{app:03}{number:03}")

    async with trio.open_nursery() as nursery:
        for app in range(applications):
            nursery.start_soon(application, app)


if __name__ == "__main__":
    if sys.argv[1:2] == ["clients"]:
        trio.run(clients, sys.argv[2], *map(int, sys.argv[3:]))
    else:
        parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
        parser.add_argument("applications", nargs="?", type=int, default=100)
        parser.add_argument("devices_each", nargs="?", type=int, default=50)
        parser.add_argument("route_points", nargs="?", type=int, default=1000)
        parser.add_argument("calls", nargs="?", type=int, default=10_000)
        trio.run(call_manager, *vars(parser.parse_args()).values())

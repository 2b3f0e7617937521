"""Applications whose system refuses them things: run as a program by test_starved_clients.py.

Its argument is the address of its sound. A call manager that is refused nothing has two media
ports, a CTI port and a route point of one application beside it. Again and again the application
calls all of them and loses all connections; meanwhile each address to bind and each module is
refused once, and every second socket of the first forty. Prints "worked", or what went wrong, for
each round, and at the end what was refused.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter

import trio
from refusals import SYSTEM, Refusals

from pa_telephony import cti, rtp, sccp
from pa_telephony.callmanager import (
    CallManager,
    CallManagerConfig,
    DeviceConfig,
    DeviceKind,
    LineConfig,
    User,
    open_call_manager,
)
from pa_telephony.errors import TelephonyError

CONFIG = CallManagerConfig(
    devices=(
        DeviceConfig(name="SEP1", lines=(LineConfig(number="1001"),)),
        DeviceConfig(name="SEP2", lines=(LineConfig(number="1002"),)),
        DeviceConfig(name="CTIP", kind=DeviceKind.CTI_PORT, lines=(LineConfig(number="5001"),)),
        DeviceConfig(name="RP", kind=DeviceKind.ROUTE_POINT, lines=(LineConfig(number="6000"),)),
    ),
    users=(User(name="pa", password="secret"),),
)
STATION = sccp.StationConfig(first_back_off=0.02, longest_back_off=0.1, stand_by=False)
PROVIDER = cti.ProviderConfig(first_back_off=0.02, longest_back_off=0.1)
MOST_ROUNDS = 60
WANTED = 3
"""Rounds in which nothing is refused any more, and everything works."""

refused: Counter[str] = Counter()
sockets = 0


def judge(kind: str, what: str) -> bool:
    global sockets
    if kind == "socket.__new__":
        sockets += 1
        wanted = sockets <= 40 and sockets % 2 == 1
    else:
        wanted = not refused[f"{kind} {what}"]
    refused[f"{kind} {what}"] += wanted
    return wanted


async def pick_up(call: sccp.Call | cti.MediaCall) -> None:
    async with call.answer():
        await call.wait_ended()


async def route(session: cti.RouteSession) -> None:
    await session.select_route("1002")


async def application(manager: CallManager, refusals: Refusals) -> None:
    refusals.guard(trio.lowlevel.current_task())
    address = manager.sccp_address
    async with (
        rtp.open_engine(address=sys.argv[1], first_port=42400) as engine,
        sccp.open_media_port("SEP1", address, engine=engine, port_index=0, config=STATION) as one,
        sccp.open_media_port("SEP2", address, engine=engine, port_index=1, config=STATION) as two,
        cti.open_provider(
            manager.cti_address, user="pa", password="secret", config=PROVIDER
        ) as provider,
        provider.open_media_terminal("5001", engine=engine) as port,
        provider.open_route_point("6000") as route_point,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(two.serve, pick_up)
        nursery.start_soon(port.serve, pick_up)
        nursery.start_soon(route_point.serve, route)
        refusals.arm()
        worked = 0
        for _ in range(MOST_ROUNDS):
            before = refused.total()
            try:
                with trio.fail_after(5):
                    await everything(manager, one)
                print("worked", flush=True)
                worked = worked + 1 if refused.total() == before else 0
            except (TelephonyError, trio.TooSlowError) as error:
                print(type(error).__name__, error, flush=True)
                worked = 0
            if worked == WANTED:
                break
        refusals.disarm()
        nursery.cancel_scope.cancel()


async def everything(manager: CallManager, one: sccp.Station) -> None:
    """Call everybody, with sound, once all are there; then lose every connection."""
    await one.wait_registered()
    while not (  # noqa: ASYNC110
        manager.is_served("RP")
        and all(manager.calls.is_registered(name) for name in ("SEP1", "SEP2", "CTIP"))
    ):
        await trio.sleep(0.01)
    for number in ("1002", "5001", "6000"):
        async with one.call(number) as call:
            await call.wait_media()
    manager.drop_connections()
    while one.registered:  # noqa: ASYNC110
        await trio.sleep(0.01)


async def main(refusals: Refusals) -> None:
    async with open_call_manager(CONFIG, sccp_port=0, cti_port=0) as manager:
        with refusals.installed():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(application, manager, refusals)
    print("still there")
    for what, times in refused.items():
        if times:
            print(what)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    some = Refusals(judge, SYSTEM)
    trio.run(main, some, instruments=[some])

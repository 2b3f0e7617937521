"""Reset, restart and apply-config, between a station of ours and two servers of ours."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable

import trio
from whole_house import until

from pa_telephony import sccp
from pa_telephony.sccp.enums import DeviceResetType
from pa_telephony.sccp.server.device import Device, LineAppearance
from pa_telephony.sccp.server.server import StationSession, serve_stations

NAME = "SEP001122334455"
QUICK = sccp.StationConfig(first_back_off=0.05, fall_back=False)


class Directory:
    """Lets anybody in; ``open`` says whether anybody may."""

    def __init__(self) -> None:
        self.open = True
        self.sessions: list[StationSession] = []
        self.address = ""

    def find_device(self, name: str) -> Device | None:
        return device("1001") if self.open else None

    def registered(self, session: StationSession) -> None:
        self.sessions.append(session)

    def unregistered(self, session: StationSession, reason: str) -> None: ...

    def received(self, session: StationSession, message: object) -> None: ...

    def may_unregister(self, session: StationSession) -> bool:
        return True


def device(number: str) -> Device:
    return Device(name=NAME, lines=(LineAppearance(number=number),))


@contextlib.asynccontextmanager
async def two_servers() -> AsyncGenerator[tuple[Directory, Directory]]:
    directories = Directory(), Directory()
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            for directory in directories:

                async def serve(
                    directory: Directory = directory, *, task_status: trio.TaskStatus[object]
                ) -> None:
                    await serve_stations(directory, port=0, task_status=task_status)

                _, addresses = await nursery.start(serve)
                directory.address = f"{addresses[0][0]}:{addresses[0][1]}"
            yield directories
            nursery.cancel_scope.cancel()


def a_station(*directories: Directory) -> contextlib.AbstractAsyncContextManager[sccp.Station]:
    return sccp.open_station(NAME, [each.address for each in directories], config=QUICK)


def registered(station: sccp.Station, times: int) -> Callable[[], bool]:
    return lambda: station.registered and station.registrations == times


async def test_a_restart_registers_with_the_same_call_manager_although_another_stands_by() -> None:
    async with two_servers() as (one, two), a_station(one, two) as station:
        await until(lambda: station.standing_by)
        one.sessions[0].reset(DeviceResetType.RESTART)
        await until(registered(station, 2))
        assert (len(one.sessions), len(two.sessions)) == (2, 0)


async def test_a_reset_starts_at_the_head_of_the_list_and_a_restart_does_not() -> None:
    async with two_servers() as (one, two):
        one.open = False
        async with a_station(one, two) as station:
            one.open = True
            two.sessions[-1].reset(DeviceResetType.RESTART)
            await until(registered(station, 2))
            assert (len(one.sessions), len(two.sessions)) == (0, 2)
            two.sessions[-1].reset(DeviceResetType.RESET)
            await until(registered(station, 3))
            assert (len(one.sessions), len(two.sessions)) == (1, 2)


async def test_an_applied_configuration_is_known_without_registering_anew() -> None:
    async with two_servers() as (one, _), a_station(one) as station:
        assert station.number == "1001"
        (session,) = one.sessions
        session.update(device("2002"))
        session.reset(DeviceResetType.APPLY_CONFIG)
        await station.wait_shown(lambda screen: station.number == "2002")
        assert registered(station, 1)()
        assert one.sessions == [session]

"""The house that Cisco's client calls into: our call manager, phones, a media engine."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

import trio

from pa_telephony import rtp, sccp
from pa_telephony.callmanager import (
    CallManager,
    CallManagerConfig,
    DeviceConfig,
    DeviceKind,
    LineConfig,
    User,
    open_call_manager,
)
from pa_telephony.errors import CallEnded
from pa_telephony.sccp.enums import DCallState

__all__ = ["CONFIG", "House", "open_house"]

CONFIG = CallManagerConfig(
    devices=(
        DeviceConfig(name="RP1", kind=DeviceKind.ROUTE_POINT, lines=(LineConfig(number="6000"),)),
        DeviceConfig(
            name="CTIP1",
            kind=DeviceKind.CTI_PORT,
            lines=(LineConfig(number="5001", name="Port 1", busy_trigger=4),),
        ),
        DeviceConfig(name="CTIP2", kind=DeviceKind.CTI_PORT, lines=(LineConfig(number="5002"),)),
        DeviceConfig(name="P1", lines=(LineConfig(number="1001", name="Alice"),)),
        DeviceConfig(name="P2", lines=(LineConfig(number="1002", name="Bob"),)),
        DeviceConfig(name="P3", lines=(LineConfig(number="1003", name="Carol"),)),
    ),
    park_numbers=("70X",),
    users=(User(name="app", password="secret", any_device=True),),
)


class House:
    """A running call manager and what is registered with it."""

    def __init__(
        self,
        manager: CallManager,
        manager_scope: trio.CancelScope,
        engine: rtp.Engine,
        nursery: trio.Nursery,
    ) -> None:
        self.manager = manager
        self._manager_scope = manager_scope
        self.engine = engine
        self._nursery = nursery
        self._scopes: dict[str, trio.CancelScope] = {}

    async def phone(self, device: str, *, answers: bool = False) -> sccp.Station:
        """Register a phone with sound; one that answers says nothing."""
        station: sccp.Station = await self._nursery.start(self._keep, device, answers)
        return station

    async def _keep(
        self, device: str, answers: bool, *, task_status: trio.TaskStatus[sccp.Station]
    ) -> None:
        address = self.manager.sccp_address
        with trio.CancelScope() as self._scopes[device]:
            async with sccp.open_station(device, address, engine=self.engine) as station:
                task_status.started(station)
                if answers:
                    await station.serve(pick_up)
                await trio.sleep_forever()

    def die(self) -> None:
        """End the call manager; its phones try to come back for ever."""
        self._manager_scope.cancel()

    def hang_up_on(self, device: str) -> None:
        """Disconnect a phone without a message."""
        self._scopes[device].cancel()


@contextlib.asynccontextmanager
async def open_house(
    config: CallManagerConfig = CONFIG, host: str = "127.0.0.1"
) -> AsyncGenerator[House]:
    """A call manager at the port that Cisco's client insists on."""
    async with (
        trio.open_nursery() as nursery,
        rtp.open_engine(address=host, first_port=43000) as engine,
    ):
        manager, scope = await nursery.start(_manage, config, host)
        yield House(manager, scope, engine, nursery)
        nursery.cancel_scope.cancel()


async def _manage(
    config: CallManagerConfig,
    host: str,
    *,
    task_status: trio.TaskStatus[tuple[CallManager, trio.CancelScope]],
) -> None:
    with trio.CancelScope() as scope:
        async with open_call_manager(config, host=host, sccp_port=0, cti_port=2748) as manager:
            task_status.started((manager, scope))
            await trio.sleep_forever()


async def ringing(station: sccp.Station) -> sccp.Call:
    """The call that rings at a phone, once it does."""
    with trio.fail_after(10):
        while True:
            for call in station.calls.values():
                if call.incoming and call.state is DCallState.RING_IN and call.calling:
                    return call
            await trio.sleep(0.005)


async def pick_up(call: sccp.Call) -> None:
    """Answer as a person does, and stay until the end."""
    with contextlib.suppress(CallEnded):
        async with call.answer():
            await call.wait_ended()

"""Two CTI Managers, and two servers with one route point: what Cisco's client sees of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import trio
from jtapi import Driver
from jtapi_house import open_house, ringing

from pa_telephony import callmanager, failover, sccp
from pa_telephony.callmanager import (
    CallManagerConfig,
    DeviceConfig,
    DeviceKind,
    LineConfig,
    User,
)
from pa_telephony.failover.stores import MemoryStore

pytestmark = pytest.mark.real_time


async def test_when_a_cti_manager_dies_the_client_goes_on_at_the_other_with_its_route_point(
    driver: Driver, tmp_path: Path
) -> None:
    """Lines, registration and route callback come back without any action of the application."""
    async with (
        driver.run(tmp_path, complaints=False) as client,
        open_house() as first,
        open_house(host="127.0.0.2") as second,
    ):
        await client.log_in(managers="127.0.0.1,127.0.0.2")
        await client.say("routes 1002")
        await client.say("register RP1 none 6000")
        await client.say("observe 1001")
        await client.expect("CiscoAddrInServiceEv", "[6000:]")
        one, two = await second.phone("P1"), await second.phone("P2")
        first.die()
        await client.expect("ProvOutOfServiceEv")
        await client.expect("ProvInServiceEv")
        await client.expect("CiscoAddrInServiceEv", "[6000:]")
        async with one.call("6000"):
            await client.expect("routeUsedEvent 1002")
            assert (await ringing(two)).last_redirecting == "6000"


TAKEN_OVER = CallManagerConfig(
    devices=(
        DeviceConfig(name="RP", kind=DeviceKind.ROUTE_POINT, lines=(LineConfig(number="6000"),)),
        DeviceConfig(name="VI1", kind=DeviceKind.MEDIA_PORT, lines=(LineConfig(number="6001"),)),
        DeviceConfig(name="P1", lines=(LineConfig(number="1001"),)),
    ),
    users=(User(name="pa", password="secret"), User(name="app", password="secret")),
)


class Answering(failover.Application):
    """Answers at media ports, and says who did."""

    def __init__(self, name: str, served: list[str]) -> None:
        self._name = name
        self._served = served

    async def media_call(self, call: sccp.Call, identity: failover.Identity) -> None:
        self._served.append(self._name)
        async with call.answer():
            await call.wait_ended()


def a_cluster(manager: callmanager.CallManager) -> failover.Cluster:
    """PA1 with a route point and a port; PA2 stands in."""
    return failover.Cluster(
        servers=(
            failover.ServerConfig(
                server_name="PA1",
                hostname_or_ip_address="127.0.0.11",
                route_address="6000",
                media_port_provider="skinny",
                media_port_beginning_address="6001",
                number_of_media_ports=1,
                interceptor_port_provider="jtapi",
                fail_over_server_names=("PA2",),
            ),
            failover.ServerConfig(server_name="PA2", hostname_or_ip_address="127.0.0.12"),
        ),
        providers=(
            failover.JtapiProvider("jtapi", (manager.cti_address,), "pa", "secret"),
            failover.SkinnyProvider("skinny", (manager.sccp_address,), "VI"),
        ),
        timing=replace(failover.Timing(), hold=0.2, grace=0.2),
    )


async def test_the_client_watches_a_route_point_being_taken_over_by_another_server(
    driver: Driver, tmp_path: Path
) -> None:
    """Out of service when PA1 dies, in service when PA2 has it; the calls before and after."""
    served: list[str] = []
    store = MemoryStore()
    async with (
        open_house(TAKEN_OVER) as house,
        driver.run(tmp_path) as client,
        trio.open_nursery() as nursery,
    ):
        await house.phone("P1")
        cluster = a_cluster(house.manager)
        scopes: dict[str, trio.CancelScope] = {}

        async def serve(name: str, *, task_status: trio.TaskStatus[None]) -> None:
            with trio.CancelScope() as scopes[name]:
                application = Answering(name, served)
                async with failover.open_server(
                    cluster, name, application=application, store=store
                ) as server:
                    task_status.started()
                    await server.run()

        for name in ("PA1", "PA2"):
            await nursery.start(serve, name)
        await client.log_in()
        await client.say("observe 6000")
        await client.expect("CiscoAddrInServiceEv", "[6000:]")
        await client.observe("1001")
        await client.say("call 1001 6000")
        await client.expect("CallCtlConnEstablishedEv", "6001:")
        await client.say("drop 1001")
        scopes["PA1"].cancel()
        await client.expect("CiscoAddrOutOfServiceEv", "[6000:]")
        await client.expect("CiscoAddrInServiceEv", "[6000:]")
        await client.say("call 1001 6000")
        await client.expect("CallCtlConnEstablishedEv", "6001:")
        await client.say("drop 1001")
        assert served == ["PA1", "PA2"]
        nursery.cancel_scope.cancel()

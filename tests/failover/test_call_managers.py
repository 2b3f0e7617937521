"""Two call managers without a trunk, two servers and a phone on real sockets: one dies, returns."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from types import SimpleNamespace

import trio
from loopback import HOST, NETWORK
from test_server import CALL_MANAGER, NUMBERS, House, until

from pa_telephony import callmanager, failover, rtp, sccp

FIRST, SECOND = f"{NETWORK}.20", f"{NETWORK}.30"
TIMING = replace(failover.Timing(), hold=0.2, grace=0.2)


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


class Nodes:
    """Call managers at two addresses, each with the same ports in all of its lives."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.running: dict[str, callmanager.CallManager] = {}
        self._nursery = nursery
        self._scopes: dict[str, trio.CancelScope] = {}
        self._gone: dict[str, trio.Event] = {}
        self._ports: dict[str, tuple[int, int]] = {}

    async def start(self, host: str) -> None:
        await self._nursery.start(self._run, host)

    async def _run(self, host: str, task_status: trio.TaskStatus[None]) -> None:
        self._gone[host] = trio.Event()
        sccp_port, cti_port = self._ports.get(host, (0, 0))
        with trio.CancelScope() as self._scopes[host]:
            async with callmanager.open_call_manager(
                CALL_MANAGER, host=host, sccp_port=sccp_port, cti_port=cti_port
            ) as manager:
                self._ports[host] = port_of(manager.sccp_address), port_of(manager.cti_address)
                self.running[host] = manager
                task_status.started()
                await trio.sleep_forever()
        del self.running[host]
        self._gone[host].set()

    async def die(self, host: str) -> None:
        self._scopes[host].cancel()
        await self._gone[host].wait()

    def hosts(self, which: int) -> tuple[str, ...]:
        """The hosts of a provider: of SCCP for 0, of CTI for 1."""
        return tuple(f"{host}:{self._ports[host][which]}" for host in (FIRST, SECOND))

    def has(self, host: str, server: str, *numbers: str) -> bool:
        """Whether the call manager there has just these devices, and from that server."""
        manager = self.running[host]
        found = {
            number: device.address
            for device in manager.devices()
            if device.registered and not device.name.startswith("SEP")
            for number in device.numbers
        }
        return found.keys() == set(numbers) and all(
            address is None or address[0] == server for address in found.values()
        )


@contextlib.asynccontextmanager
async def two_call_managers(*, goes_back: bool = True) -> AsyncGenerator[SimpleNamespace]:
    """Both run, PA1 has all of its own at the first, and 1001's phone is there."""
    async with trio.open_nursery() as nursery, contextlib.AsyncExitStack() as stack:
        nodes = Nodes(nursery)
        await nodes.start(FIRST)
        await nodes.start(SECOND)
        cluster = failover.Cluster(
            servers=tuple(
                failover.ServerConfig(
                    server_name=name, hostname_or_ip_address=f"{NETWORK}.{place}", **own
                )
                for name, place, own in (("PA1", 11, OWN), ("PA2", 12, {}))
            ),
            providers=(
                failover.JtapiProvider("jtapi", nodes.hosts(1), "pa", "secret"),
                failover.SkinnyProvider(
                    "skinny", nodes.hosts(0), "VI", return_to_preferred=goes_back
                ),
            ),
            timing=TIMING,
        )
        house = House(cluster, nodes.running[FIRST])
        engine = await stack.enter_async_context(rtp.open_engine(address=HOST, first_port=40000))
        phone = await stack.enter_async_context(
            sccp.open_station(
                "SEP1001",
                nodes.hosts(0),
                engine=engine,
                config=sccp.StationConfig(longest_back_off=1.0),
            )
        )
        await house.start(nursery, "PA1", "PA2")
        await house.holds("PA1", *NUMBERS)
        # Until all have reached both for long.
        await trio.sleep(TIMING.steady + 5)
        yield SimpleNamespace(nodes=nodes, house=house, phone=phone, nursery=nursery)
        nursery.cancel_scope.cancel()


OWN = {
    "route_address": "6000",
    "media_port_provider": "skinny",
    "media_port_beginning_address": "6001",
    "number_of_media_ports": 2,
    "interceptor_port_provider": "jtapi",
    "interceptor_ports": ("5XXX",),
    "fail_over_server_names": ("PA2",),
}
PA1, PA2 = f"{NETWORK}.11", f"{NETWORK}.12"


async def comes(condition: Callable[[], bool], it: SimpleNamespace) -> None:
    await until(
        condition,
        lambda: repr({host: each.devices() for host, each in it.nodes.running.items()}),
        seconds=60.0,
    )


async def is_answered(it: SimpleNamespace) -> None:
    await until(lambda: it.phone.registered, seconds=60.0)
    async with it.phone.call("6000") as call:
        await call.wait_media()


async def test_all_go_where_the_callers_go_and_back_and_no_call_is_dropped() -> None:
    async with two_call_managers() as it:
        await is_answered(it)
        await it.nodes.die(FIRST)
        await comes(lambda: it.nodes.has(SECOND, PA1, *NUMBERS), it)
        await is_answered(it)
        async with it.phone.call("6000") as call:
            await call.wait_media()
            (busy,) = {"6001", "6002"} & {call.connected_to}
            await it.nodes.start(FIRST)
            # The phone is in a call and stays; so does its port, and nothing else.
            others = set(NUMBERS) - {busy}
            await comes(lambda: it.nodes.has(FIRST, PA1, *others), it)
            assert it.nodes.has(SECOND, PA1, busy)
            assert call.connected

            def elsewhere() -> list[str]:
                (page, _) = it.house.servers["PA1"].status()
                return [each.identity.number for each in page.resources if each.why]

            await until(lambda: elsewhere() == [busy], lambda: repr(elsewhere()))
        await comes(lambda: it.nodes.has(FIRST, PA1, *NUMBERS), it)
        assert it.nodes.has(SECOND, PA1)
        await until(lambda: it.phone.call_manager[0] == FIRST, seconds=120.0)
        await is_answered(it)
        assert it.house.applications["PA2"].served == []


async def test_a_cluster_that_shall_not_go_back_stays_while_the_second_is_there() -> None:
    async with two_call_managers(goes_back=False) as it:
        await it.nodes.die(FIRST)
        await comes(lambda: it.nodes.has(SECOND, PA1, *NUMBERS), it)
        await it.nodes.start(FIRST)
        await trio.sleep(3 * TIMING.steady)
        assert it.nodes.has(SECOND, PA1, *NUMBERS)
        await it.nodes.die(SECOND)
        await comes(lambda: it.nodes.has(FIRST, PA1, *NUMBERS), it)


async def test_a_stand_in_takes_over_at_the_node_where_the_cluster_is() -> None:
    async with two_call_managers() as it:
        await it.nodes.die(FIRST)
        await comes(lambda: it.nodes.has(SECOND, PA1, *NUMBERS), it)
        await it.house.stop("PA1")
        await comes(lambda: it.nodes.has(SECOND, PA2, *NUMBERS), it)
        await is_answered(it)

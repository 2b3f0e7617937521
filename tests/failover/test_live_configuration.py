"""Servers at a call manager whose configuration changes in the store while calls are up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from test_server import NETWORK, NUMBERS, house, registered_from, until

from pa_telephony import failover
from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import Cluster
from pa_telephony.failover.configuring import save_configuration
from pa_telephony.sccp.enums import DCallState


def changed(old: Cluster, name: str = "PA1", **fields: Any) -> Cluster:
    servers = (
        replace(each, **fields) if each.server_name == name else each for each in old.servers
    )
    return replace(old, servers=tuple(servers))


async def save(it: Any, new: Cluster) -> tuple[str, ...]:
    return (await save_configuration(new, it.house.store)).effect.told


async def test_a_port_with_a_call_goes_when_the_call_has_ended_and_comes_back_when_asked() -> None:
    async with house() as it:
        async with it.phones["1001"].call("6002") as call:
            await call.wait_media()
            one_port = changed(it.house.cluster, number_of_media_ports=1)
            server = it.house.servers["PA1"]
            await until(lambda: server.status()[0].media_ports_in_use == 1)
            assert await save(it, one_port) == ("6002 of PA1 goes when its call has ended",)
            await until(lambda: it.house.servers["PA1"].cluster.servers == one_port.servers)
            await trio.sleep(2.0)
            assert call.state is DCallState.CONNECTED
            await it.house.holds("PA1", *NUMBERS)
        await it.house.holds("PA1", "6001", "5XXX", "6000")
        assert registered_from(it.house.manager, "VI2") is None
        assert await save(it, it.house.cluster) == ("6002 comes to PA1",)
        await it.house.holds("PA1", *NUMBERS)


async def test_a_port_moves_to_the_other_server_and_a_caller_on_another_port_talks_on() -> None:
    async with house() as it, it.phones["1001"].call("6001") as call:
        await call.wait_media()
        new = changed(it.house.cluster, number_of_media_ports=1)
        new = changed(
            new,
            "PA2",
            media_port_provider="skinny",
            media_port_beginning_address="6002",
            number_of_media_ports=1,
        )
        assert await save(it, new) == ("6002 moves to PA2, no call is dropped",)
        await it.house.holds("PA2", "6002")
        assert registered_from(it.house.manager, "VI2") == f"{NETWORK}.12"
        await it.house.holds("PA1", "6001", "5XXX", "6000")
        assert call.state is DCallState.CONNECTED


async def test_what_is_refused_leaves_everything_as_it_was() -> None:
    async with house() as it:
        new = changed(it.house.cluster, hostname_or_ip_address=f"{NETWORK}.13")
        with pytest.raises(ConfigurationError) as raised:
            await save(it, new)
        assert (raised.value.section, raised.value.field) == (
            "server 'PA1'",
            "hostname_or_ip_address",
        )
        await it.house.holds("PA1", *NUMBERS)


async def test_a_stopped_server_s_process_ends_when_its_address_has_changed() -> None:
    async with house() as it:
        await failover.control(it.house.cluster, failover.Command.STOP, ["PA1"], it.house.store)
        await it.house.holds("PA2", *NUMBERS)
        new = changed(it.house.cluster, hostname_or_ip_address=f"{NETWORK}.13")
        await save(it, new)
        with trio.fail_after(8):
            await it.house._gone["PA1"].wait()
        await failover.control(it.house.cluster, failover.Command.START, ["PA1"], it.house.store)
        await it.house.start(it.nursery, "PA1")
        await it.house.holds("PA1", *NUMBERS)
        assert registered_from(it.house.manager, "VI1") == f"{NETWORK}.13"


async def test_a_file_that_differs_is_reported_and_ignored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with house() as it:
        await it.house.stop("PA1")
        it.house.cluster = changed(it.house.cluster, number_of_media_ports=1)
        await it.house.start(it.nursery, "PA1")
        await it.house.holds("PA1", *NUMBERS)
        assert "is ignored until `pa-telephony cluster import`" in caplog.text
        assert "number_of_media_ports: 1 → 2" in caplog.text


class Telling(failover.Application):
    """Remembers what it was told of the configuration, and fails of it."""

    def __init__(self) -> None:
        self.told: list[Cluster] = []

    def configured(self, cluster: Cluster) -> None:
        self.told.append(cluster)
        raise RuntimeError("of the application")


async def test_the_application_is_told_and_its_bug_ends_nothing() -> None:
    async with house() as it:
        application = it.house.servers["PA1"].application = Telling()
        await save(it, changed(it.house.cluster, capacity=3))
        await until(lambda: bool(application.told))
        assert application.told[0].server("PA1").capacity == 3
        await it.house.holds("PA1", *NUMBERS)


def test_the_menu_takes_up_its_greeting_and_keeps_the_old_one_when_it_cannot_be_read(
    tmp_path: Path,
) -> None:
    config = failover.load(Path(__file__).parents[2] / "examples" / "cluster.toml")
    menu = failover.Menu(config)
    other = replace(config.application, transfer="1002")
    menu.configured(replace(config, application=other))
    assert menu._config.transfer == "1002"
    absent = replace(other, greeting=str(tmp_path / "absent.wav"), transfer="1003")
    with pytest.raises(ConfigurationError, match="absent"):
        menu.configured(replace(config, application=absent))
    assert menu._config.transfer == "1002"

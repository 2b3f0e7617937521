"""Servers on several machines and a store that is a file of one: said loudly at the start."""

from __future__ import annotations

import errno
import logging
import socket
from dataclasses import replace

import pytest
import trio
import trio.testing
from worlds import CLUSTER

from pa_telephony import failover
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.machines import elsewhere, store_warning
from pa_telephony.failover.stores import MemoryStore
from pa_telephony.trace import EventRecord, Record


def at(*hosts: str) -> Cluster:
    servers = tuple(
        replace(server, hostname_or_ip_address=host)
        for server, host in zip(CLUSTER.servers, hosts, strict=True)
    )
    return replace(CLUSTER, servers=servers)


def test_servers_of_one_machine_are_no_trouble() -> None:
    assert store_warning(CLUSTER, {}) == ""


def test_the_warning_names_the_servers_the_file_and_what_is_needed() -> None:
    text = store_warning(replace(CLUSTER, file="/etc/pa/cluster.toml"), {"PA2": "192.0.2.7"})
    assert "PA2 (192.0.2.7)" in text
    assert "/etc/pa/state/cluster.db" in text
    assert "Several machines need a store that all of them reach" in text


async def test_an_address_is_ours_when_a_socket_can_have_it() -> None:
    # 192.0.2.0/24 is for documentation (RFC 5737), .invalid for names that nobody has (RFC 6761).
    assert await elsewhere(at("127.0.0.11", "192.0.2.7", "localhost")) == {"PA2": "192.0.2.7"}
    (name,) = (await elsewhere(at("127.0.0.11", "pa.invalid", "127.0.0.13"))).items()
    assert name == ("PA2", "pa.invalid, which has no address here")


async def test_a_start_waits_for_names_that_do_not_resolve_once_and_briefly(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(host: str, *_: object, **__: object) -> list[object]:
        if host == "127.0.0.11":
            return [(0, 0, 0, "", (host, 0))]
        await trio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr(trio.socket, "getaddrinfo", silent)
    began = trio.current_time()
    away = await elsewhere(at("127.0.0.11", "one.invalid", "two.invalid"))
    assert list(away) == ["PA2", "PA3"]
    assert trio.current_time() - began == pytest.approx(2.0)


async def test_a_lack_of_descriptors_says_nothing_about_an_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_more(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", no_more)
    assert await elsewhere(at("127.0.0.11", "127.0.0.12", "127.0.0.13")) == {}


@pytest.mark.parametrize("own_store", [False, True])
async def test_a_server_says_at_its_start_that_others_cannot_share_its_file(
    tmp_path: object, own_store: bool, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = replace(at("127.0.0.11", "192.0.2.7", "127.0.0.13"), file=f"{tmp_path}/cluster.toml")
    records: list[Record] = []
    with caplog.at_level(logging.WARNING):
        async with failover.open_server(
            cluster,
            "PA1",
            application=failover.Menu(cluster),
            store=MemoryStore() if own_store else None,
            trace=records.append,
        ):
            pass
    said = [r for r in records if isinstance(r, EventRecord) and r.kind == "failover.store.local"]
    if own_store:
        # Who brings a store of its own knows what it reaches.
        assert not said
        assert "PA2" not in caplog.text
    else:
        (event,) = said
        assert "PA2 (192.0.2.7)" in str(event.fields["why"])
        assert "PA2 (192.0.2.7)" in caplog.text

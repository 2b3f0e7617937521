"""Which of a cluster's servers run on other machines, and what that means for the store.

A SQLite file is on one machine. Two machines with a file each are two clusters that know nothing of
one another: each sees the other's servers as gone, and takes over what is served there.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import trio

if TYPE_CHECKING:
    from pa_telephony.failover.cluster import Cluster

__all__ = ["elsewhere", "store_warning"]

_RESOLVE_WITHIN = 2.0
"""How many seconds a start may wait for the names of all servers to be resolved."""


def store_warning(cluster: Cluster, away: Mapping[str, str]) -> str:
    """The warning about a store in a file; "" when all servers are on this machine.

    ``away`` has the address of each server that is elsewhere, by its name. Pure.
    """
    if not away:
        return ""
    servers = ", ".join(f"{name} ({where})" for name, where in away.items())
    return (
        f"not on this machine: {servers}. The store {cluster.store_path} is a file that only"
        " servers of one machine share: servers on another machine do not see this one's"
        " heartbeats, and both would take over what the other serves. Several machines need a"
        " store that all of them reach"
    )


async def elsewhere(cluster: Cluster) -> dict[str, str]:
    """The addresses of the servers that are not on this machine, by the servers' names.

    A name that cannot be resolved within 2 s counts as elsewhere: nothing here answers to it.
    """
    found: dict[str, str] = {}

    async def look(name: str, host: str) -> None:
        found[name] = await _where(host)

    names = [server.server_name for server in cluster.servers]
    async with trio.open_nursery() as nursery:
        for server in cluster.servers:
            nursery.start_soon(look, server.server_name, server.hostname_or_ip_address)
    return {name: found[name] for name in names if found[name]}


async def _where(host: str) -> str:
    """The place of ``host`` when it is not this machine; "" when it is."""
    resolved: list[Any] = []
    with trio.move_on_after(_RESOLVE_WITHIN), contextlib.suppress(OSError):
        resolved += await trio.socket.getaddrinfo(
            host, 0, family=socket.AF_INET, type=socket.SOCK_DGRAM
        )
    addresses = sorted({str(each[4][0]) for each in resolved})
    if not addresses:
        return f"{host}, which has no address here"
    if any(map(_is_ours, addresses)):
        return ""
    where = ", ".join(addresses)
    return where if host in addresses else f"{host}, {where}"


def _is_ours(address: str) -> bool:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError as error:
        # Any other trouble (a lack of descriptors) says nothing about whose address it is.
        return error.errno != errno.EADDRNOTAVAIL
    return True

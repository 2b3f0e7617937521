"""Which of a cluster's servers run on other machines, and what that means for the store.

A SQLite file is on one machine. Two machines with a file each are two clusters that know nothing of
one another: each sees the other's servers as gone, and takes over what is served there.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from pa_telephony.failover.config import Cluster

__all__ = ["elsewhere", "store_warning"]


def store_warning(cluster: Cluster, away: Mapping[str, str]) -> str:
    """What an operator has to know of a store in a file; "" when all servers are on this machine.

    ``away``: names of servers that are not here → where they are. Pure.
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
    """Names of the servers whose address is not one of this machine's, and their addresses.

    A name that cannot be resolved counts as elsewhere: nothing here answers to it.
    """
    found: dict[str, str] = {}
    for server in cluster.servers:
        host = server.hostname_or_ip_address
        try:
            resolved = await trio.socket.getaddrinfo(
                host, 0, family=socket.AF_INET, type=socket.SOCK_DGRAM
            )
        except OSError:
            found[server.server_name] = f"{host}, which has no address here"
            continue
        addresses = sorted({str(each[4][0]) for each in resolved})
        if not any(map(_is_ours, addresses)):
            where = ", ".join(addresses)
            found[server.server_name] = where if host in addresses else f"{host}, {where}"
    return found


def _is_ours(address: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            # Any other trouble (a lack of descriptors) says nothing about whose address it is.
            return error.errno != errno.EADDRNOTAVAIL
    return True

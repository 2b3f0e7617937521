"""What of a cluster an etcd takes at once: a step of failover is one transaction. Pure.

etcd refuses a transaction of more than 128 compares, or operations. The largest is a takeover, with
all identities of a home, since they go over together; Stop All has an operation for each server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.stores.etcd_address import EtcdAddress, is_etcd
from pa_telephony.failover.stores.etcd_forms import MOST_OPERATIONS

if TYPE_CHECKING:
    from pa_telephony.failover.config import ClusterConfig

__all__ = ["BESIDES", "check_etcd"]

BESIDES = 12
"""How many keys a takeover compares besides its identities and the candidates, at most."""


class Fail(Protocol):
    """Notes a rule that is broken."""

    def __call__(self, rule: str, section: str = "", field: str = "") -> None:
        """Note it of a field."""
        ...


def check_etcd(cluster: ClusterConfig, fail: Fail) -> None:
    """See that the line that names the store can be read, and that every step fits an etcd."""
    try:
        if not is_etcd(cluster.store):
            return
        EtcdAddress.parse(cluster.store)
    except ConfigurationError as error:
        fail(error.rule, field="store")
    for server in cluster.servers:
        numbers = server.number_of_media_ports + len(server.interceptor_ports)
        numbers += bool(server.route_address) + bool(server.aa_route_address)
        most = MOST_OPERATIONS - BESIDES - len(server.fail_over_server_names)
        if numbers > most:
            fail(
                f"{numbers} numbers are more than the {most} that go over at once in an etcd",
                f"server {server.server_name!r}",
                "number_of_media_ports",
            )
    most = MOST_OPERATIONS - BESIDES
    if len(cluster.servers) > most:
        rule = f"{len(cluster.servers)} are more than the {most} that stop at once in an etcd"
        fail(rule, field="servers")

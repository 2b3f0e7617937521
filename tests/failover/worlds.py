"""Snapshots of a store, written as one sentence: who has a session, owns, claims, asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pa_telephony.failover import (
    Cluster,
    Identity,
    JtapiProvider,
    Kind,
    ServerConfig,
    SkinnyProvider,
)
from pa_telephony.failover.beat import Beat
from pa_telephony.failover.transaction import Delete, Entry, Put, Snapshot, Transaction, apply
from pa_telephony.failover.world import (
    Bearer,
    Stop,
    World,
    claim,
    configuration,
    session,
    stop,
    want,
)

__all__ = ["CLUSTER", "INTERCEPTOR", "PORTS", "ROUTE_POINT", "Worlds"]

CLUSTER = Cluster(
    servers=(
        ServerConfig(
            server_name="PA1",
            hostname_or_ip_address="127.0.0.11",
            route_address="6000",
            media_port_provider="skinny",
            media_port_beginning_address="6001",
            number_of_media_ports=2,
            interceptor_port_provider="jtapi",
            interceptor_ports=("5XXX",),
            fail_over_server_names=("PA2", "PA3"),
        ),
        ServerConfig(server_name="PA2", hostname_or_ip_address="127.0.0.12", capacity=2),
        ServerConfig(server_name="PA3", hostname_or_ip_address="127.0.0.13"),
    ),
    providers=(
        JtapiProvider(name="jtapi", hosts=("127.0.0.10",), user="pa", password="x"),
        SkinnyProvider(name="skinny", hosts=("127.0.0.10",), device_name_prefix="PA-VI"),
    ),
)
"""PA1 owns 6000, 6001, 6002, 5XXX; PA2 and then PA3 stand in, PA2 for two calls at once."""

PORTS = tuple(i for i in CLUSTER.identities("PA1") if i.kind is Kind.PORT)
(INTERCEPTOR,) = (i for i in CLUSTER.identities("PA1") if i.kind is Kind.INTERCEPTOR)
(ROUTE_POINT,) = (i for i in CLUSTER.identities("PA1") if i.kind is Kind.ROUTE_POINT)


class Worlds:
    """A store without I/O that a test writes by hand; transactions run on it as on a real one."""

    def __init__(self, cluster: Cluster = CLUSTER) -> None:
        self.cluster = cluster
        self.entries: dict[str, Entry] = {}
        self.revision = 0
        self.dead: set[str] = set()

    def commit(self, transaction: Transaction) -> bool:
        """Run it; whether it committed."""
        outcome = apply(self.entries, transaction, self.revision)
        self.revision = outcome.revision
        return outcome.committed

    def put(self, key: str, value: str) -> None:
        self.commit(Transaction((), (Put(key, value),)))

    def delete(self, key: str) -> None:
        self.commit(Transaction((), (Delete(key),)))

    def enter(
        self,
        *names: str,
        link: bool = True,
        up: Iterable[Identity] = (),
        busy: Iterable[Identity] = (),
        why: Mapping[str, str] | None = None,
    ) -> None:
        """These servers have a session that says so; an existing one is rewritten."""
        labels = [frozenset(each.label for each in some) for some in (up, busy)]
        for name in names:
            links = frozenset(self.cluster.used_providers if link else ())
            beat = Beat(
                f"instance of {name}", links, links, up=labels[0], busy=labels[1], why=why or {}
            )
            self.put(session(name), beat.encode())

    def beat(self, name: str, links: frozenset[str], steady: frozenset[str] | None = None) -> None:
        """``name`` says in its heartbeat that it reaches these providers, all of them for long."""
        beat = Beat(f"instance of {name}", links, links if steady is None else steady)
        self.put(session(name), beat.encode())

    def configure(self, name: str, cluster: Cluster) -> None:
        """``name`` has begun a session with this in its file."""
        puts = (
            Put(session(name), Beat(f"instance of {name}").encode()),
            Put(configuration(name), cluster.configured),
        )
        self.delete(session(name))
        self.commit(Transaction((), puts))
        self.enter(name)

    def die(self, name: str) -> None:
        self.delete(session(name))

    def _bearer(self, name: str) -> str:
        return str(Bearer(name, self.entries[session(name)].created))

    def own(self, name: str, *identities: Identity) -> None:
        for identity in identities:
            self.put(identity.key, self._bearer(name))

    def claim(self, name: str, home: str) -> None:
        self.put(claim(home), self._bearer(name))

    def want(self, home: str) -> None:
        self.put(want(home), self._bearer(home))

    def stop(self, name: str, how: Stop = Stop.FAIL_OVER) -> None:
        self.put(stop(name), how.value)

    def snapshot(self) -> Snapshot:
        return Snapshot(self.revision, dict(self.entries), frozenset(self.dead))

    def world(self) -> World:
        return World(self.cluster, self.snapshot())

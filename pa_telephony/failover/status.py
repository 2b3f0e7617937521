"""The Server Status page: who is up, who stands in, what is served and by whom. Pure.

Source: personal-assistant.md §2.6. What a page of the product shows as an arrow up or down is
``up`` here; a row that it leaves out is absent.
"""

from __future__ import annotations

from dataclasses import dataclass

from pa_telephony.failover.config import Cluster
from pa_telephony.failover.identity import Identity, Kind
from pa_telephony.failover.transaction import Snapshot
from pa_telephony.failover.world import Beat, World

__all__ = ["ResourceStatus", "ServerStatus", "cluster_status"]


@dataclass(frozen=True)
class ResourceStatus:
    """One identity. ``holder`` is who serves it, "" for nobody; ``why`` it is not up."""

    identity: Identity
    up: bool
    holder: str
    busy: bool
    why: str


@dataclass(frozen=True)
class ServerStatus:
    """One server's page."""

    name: str
    up: bool
    stopped: bool
    """An operator stopped it."""
    spare: bool
    reaches_call_manager: bool
    fail_over_server: str
    """Who stands in now; "" for nobody."""
    resources: tuple[ResourceStatus, ...]

    @property
    def state(self) -> str:
        """In words, what the arrows say together."""
        ups = [resource.up for resource in self.resources]
        if self.spare:
            return "idle spare" if self.up else "down"
        if not self.up:
            if not self.fail_over_server:
                return "down, nobody stands in"
            standing = "stands in" if all(ups) else "takes over"
            return f"down, {self.fail_over_server} {standing}"
        if not self.reaches_call_manager:
            return "call manager not reachable"
        if self.fail_over_server:
            return f"back, {self.fail_over_server} gives back"
        return "normal" if all(ups) else "not everything is registered"

    def of_kind(self, *kinds: Kind) -> tuple[ResourceStatus, ...]:
        """The resources of some kinds."""
        return tuple(each for each in self.resources if each.identity.kind in kinds)

    @property
    def media_ports_in_use(self) -> int:
        """How many of its media ports have a call, whoever holds them."""
        return sum(each.busy for each in self.of_kind(Kind.PORT))


def cluster_status(cluster: Cluster, snapshot: Snapshot) -> tuple[ServerStatus, ...]:
    """Every server's page, from one snapshot of the store."""
    world = World(cluster, snapshot)
    return tuple(_server(world, name) for name in world.names)


def _alive(world: World, name: str) -> bool:
    return world.session(name) is not None and name not in world.snapshot.dead


def _server(world: World, name: str) -> ServerStatus:
    session = world.session(name)
    return ServerStatus(
        name=name,
        up=_alive(world, name),
        stopped=world.stopped(name) is not None,
        spare=world.cluster.server(name).spare,
        reaches_call_manager=session is not None and session.beat.link,
        fail_over_server=world.claimant(name) or "",
        resources=tuple(_resource(world, each) for each in world.cluster.identities(name)),
    )


def _resource(world: World, identity: Identity) -> ResourceStatus:
    owner = world.owner(identity)
    # A route point on its way home is served by whom it comes from until it has arrived.
    serving = [
        name
        for name in sorted(world.names, key=lambda name: name != owner)
        if _alive(world, name) and identity.label in _said(world, name).up
    ]
    busy = any(
        identity.label in _said(world, name).busy for name in world.names if _alive(world, name)
    )
    why = ""
    if not serving and owner is not None and _alive(world, owner):
        why = _said(world, owner).why.get(identity.label, "")
    holder = serving[0] if serving else (owner or "")
    return ResourceStatus(identity, bool(serving), holder, busy, why)


def _said(world: World, name: str) -> Beat:
    session = world.session(name)
    return session.beat if session is not None else Beat("")

"""What a new configuration changes, and whether it may be applied while servers run. Pure.

Numbers come and go without touching a call: one that goes is given up when its call has ended, and
one that comes is taken by the server that serves its home. What would need a server to begin anew
(its address, its UDP ports, the times that all agree on) is refused while that server has a session
in the store: an operator stops it first. F and Q are of docs/failover-design.md.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pa_telephony.errors import ConfigurationError
from pa_telephony.failover import devices
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.config import SkinnyProvider
from pa_telephony.failover.identity import Identity, Kind
from pa_telephony.failover.world import World, session

__all__ = ["Change", "Effect", "differences", "effect"]

_SECRET = frozenset({"password"})
_OF_THE_PROCESS = ("hostname_or_ip_address", "media_termination_udp_beginning_port")
"""What a server's process does once, when it begins."""
_ROOM = 512
"""For how many ports a server has room, at least."""
_KINDS = {
    Kind.PORT: "number_of_media_ports",
    Kind.INTERCEPTOR: "interceptor_ports",
    Kind.AA_ROUTE_POINT: "aa_route_address",
    Kind.ROUTE_POINT: "route_address",
}
"""The field that says that a server has an identity of the kind."""
_PROVIDERS = {
    Kind.PORT: "media_port_provider",
    Kind.INTERCEPTOR: "interceptor_port_provider",
    Kind.AA_ROUTE_POINT: "route_address_provider",
    Kind.ROUTE_POINT: "route_address_provider",
}


@dataclass(frozen=True)
class Change:
    """One field that differs; ``section`` is as in errors of a configuration, "" for the top."""

    section: str
    field: str
    before: str
    after: str

    def __str__(self) -> str:
        where = f"{self.section}: " if self.section else ""
        if not self.field:
            return f"{where}{self.before or self.after}"
        return f"{where}{self.field}: {self.before} → {self.after}"


@dataclass(frozen=True)
class Effect:
    """What happens when a configuration is saved now."""

    told: tuple[str, ...] = ()
    """Sentences for people: what comes, goes, moves and stays."""
    refused: tuple[ConfigurationError, ...] = ()
    """Why it may not be saved now, each with server, field and rule; empty when it may."""
    relies_on: tuple[str, ...] = ()
    """The keys of the store that have to be as they were when this was found out."""


# -------------------------------------------------------------------------------- differences


def differences(old: Cluster, new: Cluster) -> tuple[Change, ...]:
    """Every field in which ``new`` differs from ``old``; a password's value is not told."""
    found = [
        *_tables(
            "server",
            {s.server_name: s for s in old.servers},
            {s.server_name: s for s in new.servers},
        ),
        *_tables(
            "provider", {p.name: p for p in old.providers}, {p.name: p for p in new.providers}
        ),
        *_fields("timing", old.timing, new.timing),
        *_fields("application", old.application, new.application),
        *_fields("speech", old.speech, new.speech),
    ]
    if old.capacity_aware != new.capacity_aware:
        found.append(
            Change("", "capacity_aware", _told(old.capacity_aware), _told(new.capacity_aware))
        )
    for field, before, after in (
        ("servers", [s.server_name for s in old.servers], [s.server_name for s in new.servers]),
        ("providers", [p.name for p in old.providers], [p.name for p in new.providers]),
    ):
        if before != after and sorted(before) == sorted(after):
            found.append(Change("", field, ", ".join(before), ", ".join(after)))
    return tuple(found)


def _tables(what: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for name in dict.fromkeys((*old, *new)):
        section = f"{what} {name!r}"
        if name not in new:
            yield Change(section, "", "goes", "")
        elif name not in old:
            yield Change(section, "", "", "is new")
        else:
            yield from _fields(section, old[name], new[name])


def _fields(section: str, old: Any, new: Any) -> Iterator[Change]:
    names = dict.fromkeys(each.name for part in (old, new) for each in dataclasses.fields(part))
    for name in names:
        before, after = getattr(old, name, None), getattr(new, name, None)
        if before != after:
            words = ("(one)", "(another)") if name in _SECRET else (_told(before), _told(after))
            yield Change(section, name, *words)


def _told(value: Any) -> str:
    match value:
        case None | "" | ():
            return "nothing"
        case bool():
            return "true" if value else "false"
        case tuple():
            return ", ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case int() | float() | str():
            return str(value)
        case _:
            return ", ".join(f"{key} = {each}" for key, each in value.items()) or "nothing"


# ------------------------------------------------------------------------------------- effect


def effect(new: Cluster, world: World) -> Effect:
    """What it would do to save ``new`` now; ``world`` is the store with the present one."""
    return _Comparison(world, new).effect()


class _Comparison:
    def __init__(self, world: World, new: Cluster) -> None:
        self._world = world
        self._old, self._new = world.cluster, new
        self._told: list[str] = []
        self._refused: list[ConfigurationError] = []
        self._relies: list[str] = []

    def effect(self) -> Effect:
        self._releases()
        self._servers()
        self._providers()
        self._numbers()
        if self._old.timing != self._new.timing:
            names = [
                each.field for each in differences(self._old, self._new) if each.section == "timing"
            ]
            for name in self._world.names:
                self._stopped_first(
                    name, "timing", names[0], "times change only while no server runs"
                )
        if self._old.application != self._new.application:
            self._told.append("the next calls are greeted and transferred as [application] says")
        if self._old.speech != self._new.speech:
            self._told.append("speech services are kept; there is no engine that they would change")
        return Effect(tuple(self._told), tuple(self._refused), tuple(dict.fromkeys(self._relies)))

    def _refuse(self, rule: str, section: str, field: str) -> None:
        error = ConfigurationError(rule, file=self._new.file, section=section, field=field)
        if str(error) not in map(str, self._refused):
            self._refused.append(error)

    def _stopped_first(self, name: str, section: str, field: str, rule: str) -> bool:
        """Refuse, unless the server has no session; then that has to stay so until it is saved."""
        if self._world.session(name) is not None:
            self._refuse(f"{rule}: stop {name} first", section, field)
            return False
        self._relies.append(session(name))
        return True

    def _releases(self) -> None:
        for name, found in self._world.sessions.items():
            if not found.beat.configuration:
                rule = f"{name} runs a release that has the configuration from a file of its own"
                self._refuse(f"{rule}: stop it first", f"server {name!r}", "")

    def _servers(self) -> None:
        old = {each.server_name: each for each in self._old.servers}
        new = {each.server_name: each for each in self._new.servers}
        for name in dict.fromkeys((*old, *new)):
            section = f"server {name!r}"
            if name not in new:
                if self._stopped_first(name, section, "server_name", "it goes while it runs"):
                    self._told.append(f"{name} is a server no more")
                continue
            if name not in old:
                self._told.append(f"{name} is a new server; nothing runs there yet")
                continue
            for field in _OF_THE_PROCESS:
                if getattr(old[name], field) != getattr(new[name], field):
                    self._stopped_first(name, section, field, "a server has it from its start on")
            most = self._new.most_ports(name)
            if most > max(_ROOM, self._old.most_ports(name)):
                rule = f"its process has no room for {most} ports"
                self._stopped_first(name, section, "number_of_media_ports", rule)
            if old[name].fail_over_server_names != new[name].fail_over_server_names:
                names = ", ".join(self._new.candidates(name))
                self._told.append(f"{names or 'nobody'} may stand in for {name}; nothing moves now")

    def _providers(self) -> None:
        old = {each.name: each for each in self._old.providers}
        for provider in self._new.providers:
            before = old.get(provider.name)
            if before is None or before == provider:
                continue
            if isinstance(before, SkinnyProvider) and provider == dataclasses.replace(
                before, devices=getattr(provider, "devices", {})
            ):
                continue  # what becomes of the ports is told of each
            if before.type != provider.type:
                rule = "cannot become one of another type: give the new one another name"
                self._refuse(rule, f"provider {provider.name!r}", "type")
            else:
                self._told.append(
                    f"{provider.name} is as it says now from the next connection on;"
                    " connections that stand stay"
                )

    # ------------------------------------------------------------------------------- numbers

    def _numbers(self) -> None:
        old = {each.key: each for each in _identities(self._old)}
        new = {each.key: each for each in _identities(self._new)}
        goes = [each for key, each in old.items() if key not in new]
        comes = [each for key, each in new.items() if key not in old]
        leaving = [each for each in self._world.strays if self._world.owner(each) is not None]
        for identity in (*comes, *self._altered(old, new)):
            for other in leaving:
                self._refuse(
                    f"{other.number} of {other.home} is still in use since an earlier change:"
                    " wait until its call has ended",
                    f"server {identity.home!r}",
                    _KINDS[identity.kind],
                )
        self._devices(goes, comes)
        self._told += devices.told(self._old, self._new)
        moved = {(each.kind, each.number): each for each in goes}
        for identity in comes:
            before = moved.pop((identity.kind, identity.number), None)
            self._tell_of(identity, before)
        for identity in moved.values():
            self._told.append(
                f"{self._number(identity)} of {identity.home} goes{self._when(identity)}"
            )

    def _tell_of(self, identity: Identity, before: Identity | None) -> None:
        number = self._number(identity)
        if before is not None:
            when = self._when(before) or ", no call is dropped"
            self._told.append(f"{number} moves to {identity.home}{when}")
            return
        holder = self._world.claimant(identity.home)
        at = f"; {holder} serves it until then" if holder else ""
        self._told.append(f"{number} comes to {identity.home}{at}")

    def _number(self, identity: Identity) -> str:
        return (
            identity.number
            if identity.kind is Kind.PORT
            else f"{identity.kind.value} {identity.number}"
        )

    def _when(self, identity: Identity) -> str:
        owner = self._world.owner(identity)
        found = self._world.session(owner) if owner is not None else None
        busy = found is not None and identity.label in found.beat.busy
        return " when its call has ended" if busy else ""

    def _altered(self, old: dict[str, Identity], new: dict[str, Identity]) -> Iterator[Identity]:
        """Numbers that stay and would be registered otherwise: no server may have them."""
        for key, identity in new.items():
            before = old.get(key)
            if before is None:
                continue
            section = f"server {identity.home!r}"
            for field, one, other in (
                (_PROVIDERS[identity.kind], before.provider, identity.provider),
                (
                    "route_point_device"
                    if identity.kind is Kind.ROUTE_POINT
                    else _KINDS[identity.kind],
                    before.device,
                    identity.device,
                ),
            ):
                if one == other:
                    continue
                yield identity
                self._relies.append(key)
                owner = self._world.owner(identity)
                if owner is not None:
                    self._refuse(
                        f"{identity.number} would be {other or 'another'} in place of"
                        f" {one or 'none'} while {owner} has it: stop {identity.home} without"
                        " failover first (stop --alone), or give its device in `devices` of the"
                        " provider",
                        section,
                        field,
                    )

    def _devices(self, goes: list[Identity], comes: list[Identity]) -> None:
        """A device that a number leaves may be in use until its call has ended."""
        left = {(each.provider, each.device): each for each in goes if each.device}
        for identity in comes:
            before = left.get((identity.provider, identity.device))
            if before is None or before.number == identity.number:
                continue
            self._relies.append(before.key)
            if self._world.owner(before) is not None:
                self._refuse(
                    f"{identity.number} would get {identity.device}, the device of {before.number},"
                    " which goes: change one after the other",
                    f"server {identity.home!r}",
                    _KINDS[identity.kind],
                )


def _identities(cluster: Cluster) -> Iterator[Identity]:
    for server in cluster.servers:
        yield from cluster.identities(server.server_name)

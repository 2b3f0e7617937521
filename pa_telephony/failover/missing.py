"""The devices that a call manager needs for a cluster and does not have, with the lines to paste.

They are lines for the configuration of our embedded call manager; what another one needs is the
same: a route point for each number that people dial and each pattern that is intercepted, and a
station for each media port.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pa_telephony.digits import plain
from pa_telephony.failover.config import ClusterConfig
from pa_telephony.failover.identity import Identity, Kind

__all__ = ["KnownDevice", "KnownLine", "MissingDevice", "missing_devices", "toml_lines"]

_LONGEST_NAME = 15
_ROUTE_POINT, _MEDIA_PORT = "route point", "media port"


class KnownLine(Protocol):
    """A line of a device that a call manager has."""

    @property
    def number(self) -> str:
        """A number or a pattern."""
        ...


class KnownDevice(Protocol):
    """A device that a call manager has, as its control socket shows it."""

    @property
    def name(self) -> str:
        """The device's name."""
        ...

    @property
    def kind(self) -> str:
        """``phone``, ``media port``, ``route point`` or ``cti port``."""
        ...

    @property
    def lines(self) -> Sequence[KnownLine]:
        """Its lines in their order."""
        ...


@dataclass(frozen=True)
class MissingDevice:
    """One device that is missing, or is there and something else than it has to be."""

    identity: Identity
    name: str
    """The name that it has to have; of a route point that the cluster gives none, a free one."""
    why: str
    toml: str
    """Lines for the call manager's file; they replace a device of this name that is there."""


def missing_devices(
    cluster: ClusterConfig,
    devices: Iterable[KnownDevice],
    *,
    partition: str = "PA",
    search_space: str = "extensions",
) -> tuple[MissingDevice, ...]:
    """What a call manager with these devices lacks for every server of a cluster.

    In order of the cluster's file, and for each server ports, interceptors, route points. What
    several servers share is named once. ``partition`` is that of interceptors, which callers see
    before the extensions themselves, and ``search_space`` the one in which the extensions are
    found, for callers of an interceptor that nobody serves.
    """
    known = {device.name: device for device in devices}
    found: dict[tuple[str, str], MissingDevice] = {}
    taken = set(known)
    for identity in _identities(cluster):
        wanted = _MEDIA_PORT if identity.kind is Kind.PORT else _ROUTE_POINT
        number = plain(identity.number)
        if (wanted, number) in found:
            continue
        why = _wrong(identity, wanted, number, known)
        if not why:
            continue
        name = identity.device or _free_name(identity, taken)
        taken.add(name)
        toml = _lines(identity, name, partition, search_space)
        found[wanted, number] = MissingDevice(identity, name, why, toml)
    return tuple(found.values())


def toml_lines(missing: Sequence[MissingDevice]) -> str:
    """All of them as one text for the call manager's file, each with why it is needed."""
    return "\n".join(f"# {each.identity}: {each.why}\n{each.toml}" for each in missing)


def _identities(cluster: ClusterConfig) -> Iterator[Identity]:
    for server in cluster.servers:
        yield from cluster.identities(server.server_name)


def _wrong(identity: Identity, wanted: str, number: str, known: dict[str, KnownDevice]) -> str:
    """What is wrong with the device of an identity; "" where it is there as it has to be."""
    if not identity.device:
        if any(_fits(device, wanted, number) for device in known.values()):
            return ""
        return f"no {wanted} has the number {identity.number}"
    device = known.get(identity.device)
    if device is None:
        return f"there is no device {identity.device}"
    if device.kind != wanted:
        return f"{device.name} is a {device.kind}, and has to be a {wanted}"
    if not _fits(device, wanted, number):
        has = ", ".join(line.number for line in device.lines) or "none"
        return f"{device.name} has no line {identity.number}, only {has}"
    return ""


def _fits(device: KnownDevice, wanted: str, number: str) -> bool:
    return device.kind == wanted and number in {plain(line.number) for line in device.lines}


def _free_name(identity: Identity, taken: set[str]) -> str:
    """A name that tells of server and number, as far as fifteen characters go."""
    whole = f"{identity.home}-RP-{identity.number}"
    for name in (whole, f"RP-{identity.number}"):
        if len(name) <= _LONGEST_NAME and name not in taken:
            return name
    count = 1
    while (name := f"{identity.home[:8]}-RP{count}") in taken:
        count += 1
    return name


def _lines(identity: Identity, name: str, partition: str, search_space: str) -> str:
    number = _quoted(identity.number)
    head = f"[[device]]\nname = {_quoted(name)}\n"
    if identity.kind is Kind.PORT:
        return (
            f'{head}kind = "{_MEDIA_PORT}"\n'
            f"keep_alive = 1  # so that a server that stands still loses it soon\n"
            f"lines = [{{ number = {number}, max_calls = 1 }}]\n"
        )
    head += f'kind = "{_ROUTE_POINT}"\n\n[[device.lines]]\nnumber = {number}\n'
    if identity.kind is Kind.INTERCEPTOR:
        return (
            f"{head}partition = {_quoted(partition)}\n"
            f"search_space = {_quoted(search_space)}\n"
            "# While no server has it, and where none routes a call in time, the extension rings.\n"
            f"forward_failure = {number}\n"
            f"forward_no_answer = {number}\n"
            f"forward_search_space = {_quoted(search_space)}\n"
        )
    return (
        f"{head}"
        "# Where callers go while no server has it, and where none routes them in time:\n"
        '# forward_failure = "1001"\n'
        '# forward_no_answer = "1001"\n'
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

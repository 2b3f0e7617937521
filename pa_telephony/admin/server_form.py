"""The Server Configuration page: its form, and the cluster that it means. Pure.

Source: the page in Cisco's document 44922, in its words and its order; what stands under "More" is
not there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pa_telephony.admin.fields import (
    Field,
    Form,
    FormRefused,
    Kind,
    Problems,
    Values,
    checked,
    edited,
    read,
)
from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.config import ClusterConfig, JtapiProvider, ServerConfig, SkinnyProvider
from pa_telephony.failover.devices import keeping_devices

__all__ = [
    "SERVER_FORM",
    "Load",
    "blank",
    "choices",
    "entry_problem",
    "loads",
    "section",
    "values_of",
    "with_server",
    "without_server",
]

SERVER_FORM = Form(
    (
        Field("server_name", "Server Name", mandatory=True),
        Field("hostname_or_ip_address", "Hostname or IP Address", mandatory=True),
        Field(
            "media_termination_udp_beginning_port",
            "Media Termination UDP Beginning Port",
            Kind.NUMBER,
        ),
        Field("route_address_provider", "Route Address Provider", Kind.CHOICE),
        Field("route_address", "Route Address", hint="The number that people dial."),
        Field("aa_route_address", "AA Route Address", hint="That of the automated attendant."),
        Field("media_port_provider", "Media Port Provider", Kind.CHOICE),
        Field("media_port_beginning_address", "Media Port Beginning Address"),
        Field("number_of_media_ports", "Number of Media Ports", Kind.NUMBER),
        Field("interceptor_port_provider", "Interceptor Port Provider", Kind.CHOICE),
        Field(
            "interceptor_ports",
            "Interceptor Ports",
            Kind.LIST,
            hint="E.g., 2007 or 2XXX or 3.2XXX",
        ),
        Field(
            "fail_over_server_names",
            "Fail-over Server Names",
            Kind.LIST,
            hint="Names of the list at the left, never DNS names or IP addresses; the first that"
            " is up takes over.",
            ordered=True,
        ),
        Field(
            "trace_package_list",
            "Trace Package List",
            Kind.LIST,
            hint="E.g., sccp=off: failover, sccp, cti or rtp; debug, info, warning, error or off",
        ),
        Field(
            "capacity",
            "Capacity",
            Kind.NUMBER,
            hint="How many calls at once; the next caller hears busy.",
            more=True,
        ),
        Field(
            "route_point_device",
            "Route Point Device",
            hint="Its device name; blank for the provider's device with that line.",
            more=True,
        ),
    )
)


def section(name: str) -> str:
    """How errors of a configuration name the server."""
    return f"server {name!r}"


def values_of(server: ServerConfig) -> Values:
    """What stands in the form of a server."""
    return {
        each.name: str(value) if isinstance(value, int) else value
        for each in SERVER_FORM.fields
        for value in (getattr(server, each.name),)
    }


def blank(config: ClusterConfig | None) -> Values:
    """What stands in the form of a server that is to be added: the first provider of each kind."""
    values = values_of(ServerConfig(server_name="", hostname_or_ip_address=""))
    if config is not None:
        offered = choices(config)
        for name, names in offered.items():
            values[name] = names[0] if names else ""
    return values


def choices(config: ClusterConfig) -> dict[str, tuple[str, ...]]:
    """The providers that may be chosen, for each field."""
    jtapi = tuple(each.name for each in config.providers if isinstance(each, JtapiProvider))
    skinny = tuple(each.name for each in config.providers if isinstance(each, SkinnyProvider))
    return {
        "route_address_provider": jtapi,
        "media_port_provider": skinny,
        "interceptor_port_provider": jtapi,
    }


def with_server(config: ClusterConfig, old: str | None, values: Values) -> Cluster:
    """The cluster with the server as the form says; ``old`` is its name so far, None for a new one.

    A server that gets another name keeps its place in the fail-over lists, and a media port that
    stays keeps its device. Raises :class:`FormRefused`.
    """
    server = ServerConfig(**read(SERVER_FORM, values))
    if old is not None and all(each.server_name != old for each in config.servers):
        raise FormRefused.because(f"there is no server {old!r} any more")
    others = {s.server_name.casefold(): s.server_name for s in config.servers}
    if old is not None:
        others.pop(old.casefold(), None)
    if (other := others.get(server.server_name.casefold())) is not None:
        # The rule of the cluster would name the later of the two.
        why = f"there is another server of that name, {other!r}"
        raise FormRefused.because(why, "server_name")
    renamed = {} if old is None else {old.casefold(): server.server_name}
    servers: list[ServerConfig] = []
    for each in config.servers:
        if old is not None and each.server_name == old:
            servers.append(_renamed_list(server, renamed))
        else:
            servers.append(_renamed_list(each, renamed))
    if old is None:
        servers.append(server)
    found = _checked(edited(config, servers=tuple(servers)), server.server_name)
    return _keeping_devices(config, found, server.server_name)


def without_server(config: ClusterConfig, name: str) -> Cluster:
    """The cluster without the server, which is on no fail-over list any more.

    Raises :class:`FormRefused`.
    """
    servers = tuple(
        dataclasses.replace(
            each,
            fail_over_server_names=tuple(
                entry
                for entry in each.fail_over_server_names
                if entry.casefold() != name.casefold()
            ),
        )
        for each in config.servers
        if each.server_name != name
    )
    return _keeping_devices(config, _checked(edited(config, servers=servers), name), name)


def _keeping_devices(config: ClusterConfig, found: Cluster, name: str) -> Cluster:
    providers = keeping_devices(config, found)
    return (
        found
        if providers == found.providers
        else _checked(edited(found, providers=providers), name)
    )


def _renamed_list(server: ServerConfig, renamed: dict[str, str]) -> ServerConfig:
    names = tuple(renamed.get(each.casefold(), each) for each in server.fail_over_server_names)
    return dataclasses.replace(server, fail_over_server_names=names)


def _checked(config: ClusterConfig, name: str) -> Cluster:
    try:
        return checked(config)
    except ConfigurationError as error:
        problems = Problems()
        problems.take(error, SERVER_FORM, section(name))
        raise FormRefused(problems) from error


def entry_problem(
    config: ClusterConfig, old: str | None, name: str, field: str, entries: tuple[str, ...]
) -> str:
    """Why these entries may not stand in a list of the server, whatever else is in the form.

    "" when they may, as far as can be told before all is filled in.
    """
    present = next((each for each in config.servers if each.server_name == old), None)
    if present is None:
        present = ServerConfig(server_name=name or "a-new-server", hostname_or_ip_address="0.0.0.0")
    change: dict[str, Any] = {field: entries}
    trial = dataclasses.replace(present, **change)
    others = tuple(each for each in config.servers if each.server_name != old)
    try:
        checked(edited(config, servers=(*others, trial)))
    except ConfigurationError as error:
        if error.section == section(trial.server_name) and error.field == field:
            return error.rule
    return ""


# ----------------------------------------------------------------------------------- capacity


@dataclass(frozen=True)
class Load:
    """How many media ports a server would have, and how many calls it may."""

    server: str
    own: int
    taken: int
    """Those of the largest home that it may stand in for."""
    home: str
    """That home; "" when it stands in for nobody, or for none with ports."""
    capacity: int

    @property
    def most(self) -> int:
        """All of them."""
        return self.own + self.taken

    @property
    def exceeded(self) -> bool:
        """Whether there would be more ports than calls."""
        return self.most > self.capacity

    def __str__(self) -> str:
        if not self.home:
            return f"{self.server}: {self.own} media ports on {self.capacity}"
        return (
            f"{self.server}: {self.own} of its own + {self.taken} of {self.home}"
            f" = {self.most} media ports on {self.capacity}"
        )


def loads(cluster: Cluster, name: str) -> Iterator[Load]:
    """The load of the server, and of each that may stand in for it, after a takeover."""
    yield _load(cluster, name)
    for stand_in in cluster.candidates(name):
        server = cluster.server(stand_in)
        taken = cluster.server(name).number_of_media_ports
        yield Load(stand_in, server.number_of_media_ports, taken, name, server.capacity)


def _load(cluster: Cluster, name: str) -> Load:
    server = cluster.server(name)
    homes = cluster.stands_in_for(name)
    largest = max(homes, key=lambda home: cluster.server(home).number_of_media_ports, default="")
    taken = cluster.server(largest).number_of_media_ports if largest else 0
    return Load(
        server.server_name,
        server.number_of_media_ports,
        taken,
        largest if taken else "",
        server.capacity,
    )

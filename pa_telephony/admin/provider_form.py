"""The Telephony page: the forms of JTAPI and Skinny providers, and the cluster they mean. Pure.

Source: Cisco's document 44922, steps 9 and 10, shows the page and not its fields; docs/failover.md
has what each of ours means. A password is never shown back.
"""

from __future__ import annotations

import dataclasses
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
from pa_telephony.failover.config import ClusterConfig, JtapiProvider, SkinnyProvider

__all__ = ["FORMS", "TYPES", "blank", "section", "values_of", "with_provider", "without_provider"]

_NAME = Field("name", "Provider Name", mandatory=True)
_HOSTS = Field(
    "hosts",
    "CallManager Hosts",
    Kind.LIST,
    hint="Primary first; host or host:port.",
    ordered=True,
)

FORMS = {
    "jtapi": Form(
        (
            _NAME,
            _HOSTS,
            Field("user", "User Name", hint="The CallManager user that controls the devices."),
            Field("password", "Password", Kind.SECRET),
            Field("tls", "Log in encrypted", Kind.CHECK, more=True),
            Field(
                "tls_authorities",
                "Authorities",
                hint="The PEM file of those to trust, with its whole path; blank for the system's.",
                more=True,
            ),
        )
    ),
    "skinny": Form(
        (
            _NAME,
            _HOSTS,
            Field(
                "device_name_prefix",
                "Device Name Prefix",
                hint="Devices are this and 1, 2, … in order of the media ports' numbers.",
            ),
            Field(
                "return_to_preferred",
                "Return to a preferred CallManager when it is there again",
                Kind.CHECK,
            ),
            Field(
                "devices",
                "Devices with other names",
                Kind.PAIRS,
                hint="A line for each: 6001 = PA1-FIRST",
                more=True,
            ),
            Field(
                "media_at_signalling_host",
                "Send sound to the CallManager's host only",
                Kind.CHECK,
                more=True,
            ),
        )
    ),
}
"""The form of each type of provider."""

TYPES = {"jtapi": "JTAPI", "skinny": "Skinny (SCCP)"}
"""What each type is called."""

_CLASSES: dict[str, type[JtapiProvider | SkinnyProvider]] = {
    "jtapi": JtapiProvider,
    "skinny": SkinnyProvider,
}


def section(name: str) -> str:
    """How errors of a configuration name the provider."""
    return f"provider {name!r}"


def values_of(provider: JtapiProvider | SkinnyProvider) -> Values:
    """What stands in the form of a provider; of a password nothing."""
    values: Values = {}
    for each in FORMS[provider.type].fields:
        value = getattr(provider, each.name)
        if each.kind is Kind.SECRET:
            value = ""
        elif each.kind is Kind.PAIRS:
            value = "\n".join(f"{number} = {device}" for number, device in value.items())
        values[each.name] = value
    return values


def blank(kind: str) -> Values:
    """What stands in the form of a provider that is to be added."""
    return values_of(_CLASSES[kind](name=""))


def with_provider(
    config: ClusterConfig, old: str | None, kind: str, values: Values, *, forget: bool = False
) -> Cluster:
    """The cluster with the provider as the form says; ``old`` is its name so far, None for new.

    A provider that gets another name is chosen by the same servers as before. A password that is
    empty stays as it was, or goes with ``forget``. Raises :class:`FormRefused`.
    """
    found = read(FORMS[kind], values)
    before = next((each for each in config.providers if each.name == old), None)
    if old is not None and before is None:
        raise FormRefused.because(f"there is no provider {old!r} any more")
    if isinstance(before, JtapiProvider) and kind == "jtapi" and not forget:
        found.setdefault("password", before.password)
    provider = _CLASSES[kind](**found)
    providers = tuple(provider if each.name == old else each for each in config.providers)
    if old is None:
        providers = (*providers, provider)
    servers = config.servers
    if old is not None:
        servers = tuple(_renamed(each, old, provider.name) for each in servers)
    return _checked(edited(config, providers=providers, servers=servers), kind, provider.name)


def without_provider(config: ClusterConfig, name: str) -> Cluster:
    """The cluster without the provider; raises :class:`FormRefused` while a server needs it."""
    providers = tuple(each for each in config.providers if each.name != name)
    kind = next((each.type for each in config.providers if each.name == name), "jtapi")
    servers = tuple(_let_go(each, name) for each in config.servers)
    return _checked(edited(config, providers=providers, servers=servers), kind, name)


_CHOSEN = ("route_address_provider", "media_port_provider", "interceptor_port_provider")


def _renamed(server: Any, old: str, new: str) -> Any:
    changes = {field: new for field in _CHOSEN if getattr(server, field) == old}
    return dataclasses.replace(server, **changes)


def _let_go(server: Any, name: str) -> Any:
    """A server that owns nothing chooses no provider that goes; its choice means nothing."""
    return _renamed(server, name, "") if server.spare else server


def _checked(config: ClusterConfig, kind: str, name: str) -> Cluster:
    try:
        return checked(config)
    except ConfigurationError as error:
        problems = Problems()
        problems.take(error, FORMS[kind], section(name))
        raise FormRefused(problems) from error

"""Every rule that a cluster's configuration must keep, and settings that are worth a warning.

Source: Cisco's document 44922, Q22 and Q23 of docs/failover-design.md; rules marked *ours* in
:mod:`pa_telephony.failover.config` follow from how failover is decided there.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import TypeAlias

from pa_telephony.digits import Pattern, PatternError
from pa_telephony.durations import LONGEST, is_duration
from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.capacity import calls
from pa_telephony.failover.config import (
    ClusterConfig,
    JtapiProvider,
    ServerConfig,
    SkinnyProvider,
    Timing,
)
from pa_telephony.failover.hosts import is_host, is_ip, split_host
from pa_telephony.failover.speech import check_speech, speech_warnings
from pa_telephony.failover.stores.etcd_address import EtcdAddress, is_etcd
from pa_telephony.failover.stores.etcd_forms import MOST_OPERATIONS

__all__ = ["check", "warnings"]

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_NUMBER = re.compile(r"\\?[0-9*#+]{1,24}")  # SCCP's directory numbers hold 24 characters
_DEVICE = re.compile(r"[A-Za-z0-9._-]{1,15}")  # SCCP's device name is char[16] with its NUL
_PACKAGE = re.compile(r"(?:failover|sccp|cti|rtp)=(?:debug|info|warning|error|off)")
_MAY_BE_ZERO = {
    "grace",
    "hold",
    "hold_longest",
    "flap_window",
    "linger",
    "media_silence",
    "long_call",
}
_TCP_DEFAULTS = {"jtapi": 2748, "skinny": 2000}


class _Checker:
    def __init__(self, cluster: ClusterConfig) -> None:
        self._cluster = cluster

    def fail(self, rule: str, section: str = "", field: str = "") -> ConfigurationError:
        return ConfigurationError(rule, file=self._cluster.file, section=section, field=field)


def check(cluster: ClusterConfig) -> None:
    """Raise :class:`~pa_telephony.errors.ConfigurationError` for the first rule that is broken."""
    checker = _Checker(cluster)
    _check_timing(cluster, checker)
    _check_application(cluster, checker)
    check_speech(cluster.speech, lambda rule, field: checker.fail(rule, "speech", field))
    if not cluster.store:
        raise checker.fail("names no file", field="store")
    if is_etcd(cluster.store):
        _check_etcd(cluster, checker)
    if not cluster.servers:
        raise checker.fail("a cluster needs a server", field="servers")
    names: dict[str, str] = {}
    for provider in cluster.providers:
        _check_provider(provider, checker)
        folded = provider.name.casefold()
        if folded in names:
            raise checker.fail(
                f"there is another provider of that name, {names[folded]!r}",
                f"provider {provider.name!r}",
                "name",
            )
        names[folded] = provider.name
    names = {}
    for server in cluster.servers:
        _check_server(server, checker)
        folded = server.server_name.casefold()
        if folded in names:
            raise checker.fail(
                f"there is another server of that name, {names[folded]!r}",
                _section(server),
                "server_name",
            )
        names[folded] = server.server_name
    for server in cluster.servers:
        _check_providers_of(server, cluster, checker)
        _check_fail_over(server, cluster, checker)
    _check_numbers(cluster, checker)
    _check_devices(cluster, checker)
    _check_udp(cluster, checker)


def _section(server: ServerConfig) -> str:
    return f"server {server.server_name!r}"


# ------------------------------------------------------------------------------- one server


def _check_server(server: ServerConfig, checker: _Checker) -> None:
    section = _section(server)
    if not server.server_name:
        raise checker.fail("is mandatory", section, "server_name")
    if not _NAME.fullmatch(server.server_name):
        raise checker.fail(
            "must be 1 to 32 letters, digits, '-', '_' or '.'", section, "server_name"
        )
    if is_ip(server.server_name):
        raise checker.fail("must be a name, not an IP address", section, "server_name")
    if not server.hostname_or_ip_address:
        raise checker.fail("is mandatory", section, "hostname_or_ip_address")
    if not is_host(server.hostname_or_ip_address):
        raise checker.fail(
            "must be a host name or an IPv4 address", section, "hostname_or_ip_address"
        )
    if ":" in server.hostname_or_ip_address:
        raise checker.fail(
            "media leave from IPv4 addresses only", section, "hostname_or_ip_address"
        )
    base = server.media_termination_udp_beginning_port
    if not 1024 <= base <= 65534:
        raise checker.fail("must be 1024 to 65534", section, "media_termination_udp_beginning_port")
    if base % 2:
        raise checker.fail(
            "must be even: RTP is even, RTCP the odd one above",
            section,
            "media_termination_udp_beginning_port",
        )
    for field in ("route_address", "aa_route_address"):
        number: str = getattr(server, field)
        if number and not _NUMBER.fullmatch(number):
            raise checker.fail("must be a directory number: digits, * or #", section, field)
    first = server.media_port_beginning_address
    count = server.number_of_media_ports
    if first and not (first.isdecimal() and first.isascii() and len(first) <= 24):
        raise checker.fail(
            "must be a directory number of digits only", section, "media_port_beginning_address"
        )
    if not 0 <= count <= 1000:
        raise checker.fail("must be 0 to 1000", section, "number_of_media_ports")
    if count and not first:
        raise checker.fail(
            f"is needed for {count} media ports", section, "media_port_beginning_address"
        )
    if count and len(str(int(first) + count - 1)) > len(first):
        raise checker.fail(
            f"{count} ports from {first} on leave its {len(first)} digits",
            section,
            "number_of_media_ports",
        )
    if server.capacity < 1:
        raise checker.fail("must be 1 or more", section, "capacity")
    if server.route_point_device and not _DEVICE.fullmatch(server.route_point_device):
        raise checker.fail(
            "must be 1 to 15 letters, digits, '.', '_' or '-'", section, "route_point_device"
        )
    for text in server.interceptor_ports:
        try:
            Pattern.parse(text, fixed=True)
        except PatternError as error:
            raise checker.fail(str(error), section, "interceptor_ports") from error
    for entry in server.trace_package_list:
        if not _PACKAGE.fullmatch(entry):
            raise checker.fail(
                f"{entry!r} must be package=level: failover, sccp, cti or rtp;"
                " debug, info, warning, error or off",
                section,
                "trace_package_list",
            )


def _check_providers_of(server: ServerConfig, cluster: ClusterConfig, checker: _Checker) -> None:
    section = _section(server)
    by_name = {provider.name: provider for provider in cluster.providers}
    jtapi_exists = any(provider.type == "jtapi" for provider in cluster.providers)
    needs = (
        (
            "route_address_provider",
            "jtapi",
            bool(server.route_address or server.aa_route_address),
            jtapi_exists,
        ),
        ("media_port_provider", "skinny", bool(server.number_of_media_ports), False),
        ("interceptor_port_provider", "jtapi", bool(server.interceptor_ports), False),
    )
    for field, kind, needed, default in needs:
        name: str = getattr(server, field)
        if not name:
            if needed and not default:
                raise checker.fail(f"a {kind} provider is needed", section, field)
            continue
        provider = by_name.get(name)
        if provider is None:
            raise checker.fail(f"there is no provider {name!r}", section, field)
        if provider.type != kind:
            raise checker.fail(
                f"{name!r} is a {provider.type} provider, a {kind} provider is needed",
                section,
                field,
            )


def _check_fail_over(server: ServerConfig, cluster: ClusterConfig, checker: _Checker) -> None:
    section, field = _section(server), "fail_over_server_names"
    names = {each.server_name.casefold() for each in cluster.servers}
    hosts = {each.hostname_or_ip_address.casefold() for each in cluster.servers}
    listed: set[str] = set()
    for entry in server.fail_over_server_names:
        folded = entry.casefold()
        if folded not in names:
            # F2: the page asks for the names at its left, never for where those servers run.
            if is_ip(entry) or folded in hosts or ("." in entry and is_host(entry)):
                raise checker.fail(
                    f"{entry!r}: server names only, no DNS names or IP addresses", section, field
                )
            raise checker.fail(f"there is no server {entry!r}", section, field)
        if folded == server.server_name.casefold():
            raise checker.fail("a server cannot stand in for itself", section, field)
        if folded in listed:
            raise checker.fail(f"{entry!r} is listed twice", section, field)
        listed.add(folded)


# -------------------------------------------------------------------------------- providers


def _check_provider(provider: JtapiProvider | SkinnyProvider, checker: _Checker) -> None:
    section = f"provider {provider.name!r}"
    if not _NAME.fullmatch(provider.name):
        raise checker.fail("must be 1 to 32 letters, digits, '-', '_' or '.'", section, "name")
    expected = "skinny" if isinstance(provider, SkinnyProvider) else "jtapi"
    if provider.type != expected:
        raise checker.fail(f"must be {expected!r} here", section, "type")
    seen: set[tuple[str, str]] = set()
    for entry in provider.hosts:
        host, port = split_host(entry)
        if not is_host(host):
            raise checker.fail(f"{entry!r} is no host or host:port", section, "hosts")
        if not port:
            port = str(_TCP_DEFAULTS[provider.type])
        if not (port.isdecimal() and 1 <= int(port) <= 65535):
            raise checker.fail(f"{entry!r}: a TCP port is 1 to 65535", section, "hosts")
        if (host.casefold(), port) in seen:
            raise checker.fail(f"{entry!r} is listed twice", section, "hosts")
        seen.add((host.casefold(), port))
    if isinstance(provider, JtapiProvider) and provider.tls_authorities and not provider.tls:
        raise checker.fail("is of use with tls = true only", section, "tls_authorities")
    if isinstance(provider, SkinnyProvider):
        if provider.device_name_prefix and not _DEVICE.fullmatch(provider.device_name_prefix):
            raise checker.fail(
                "must be letters, digits, '.', '_' or '-'", section, "device_name_prefix"
            )
        for number, device in provider.devices.items():
            if not (number.isdecimal() and number.isascii()):
                raise checker.fail(f"{number!r} is no directory number", section, "devices")
            if not _DEVICE.fullmatch(device):
                raise checker.fail(
                    f"{device!r} must be 1 to 15 letters, digits, '.', '_' or '-'",
                    section,
                    "devices",
                )
    elif provider.password and not provider.user:
        raise checker.fail("a password needs its user", section, "user")


def _used(cluster: ClusterConfig) -> Iterator[tuple[ServerConfig, str, str]]:
    """(server, field, provider) for each identity that a server registers through a provider."""
    for server in cluster.servers:
        for identity in cluster.identities(server.server_name):
            yield server, identity.kind.value, identity.provider


def _check_devices(cluster: ClusterConfig, checker: _Checker) -> None:
    by_name = {provider.name: provider for provider in cluster.providers}
    for server, kind, name in _used(cluster):
        provider = by_name[name]
        section = f"provider {name!r}"
        if not provider.hosts:
            raise checker.fail(
                f"{server.server_name!r} registers its {kind} here: name a host", section, "hosts"
            )
        if isinstance(provider, JtapiProvider) and not provider.user:
            raise checker.fail(
                f"{server.server_name!r} registers its {kind} here: name a user",
                section,
                "user",
            )
    owners: dict[str, str] = {}
    for (name, number), device in cluster.devices.items():
        section = f"provider {name!r}"
        provider = by_name[name]
        if isinstance(provider, SkinnyProvider) and number not in provider.devices:
            if not provider.device_name_prefix:
                raise checker.fail(
                    f"media port {number} has no device: give a prefix",
                    section,
                    "device_name_prefix",
                )
            if not _DEVICE.fullmatch(device):
                raise checker.fail(
                    f"{device!r} is longer than the 15 characters of a device name",
                    section,
                    "device_name_prefix",
                )
        if device in owners:
            raise checker.fail(
                f"{device!r} is the device of {owners[device]} and of {number}",
                section,
                "devices",
            )
        owners[device] = number


# ---------------------------------------------------------------------------------- numbers


def _check_numbers(cluster: ClusterConfig, checker: _Checker) -> None:
    """Check that no number is in the cluster twice or inside a pattern, and no pattern twice."""
    numbers: dict[str, tuple[ServerConfig, str]] = {}
    for server in cluster.servers:
        claims = [
            ("route_address", server.route_address),
            ("aa_route_address", server.aa_route_address),
            *(("media_port_beginning_address", each) for each in server.media_addresses),
        ]
        for field, number in claims:
            if not number:
                continue
            if number in numbers:
                other, other_field = numbers[number]
                raise checker.fail(
                    f"{number} is {other_field} of {other.server_name!r} too",
                    _section(server),
                    field,
                )
            numbers[number] = (server, field)
    patterns: dict[str, ServerConfig] = {}
    for server in cluster.servers:
        for text in server.interceptor_ports:
            pattern = Pattern.parse(text, fixed=True)
            if pattern.number in patterns:
                raise checker.fail(
                    f"{text!r} is a pattern of {patterns[pattern.number].server_name!r} too",
                    _section(server),
                    "interceptor_ports",
                )
            patterns[pattern.number] = server
            for number, (other, field) in numbers.items():
                if pattern.matches(number):
                    raise checker.fail(
                        f"{text!r} would intercept {number}, {field} of {other.server_name!r}",
                        _section(server),
                        "interceptor_ports",
                    )


def _check_udp(cluster: ClusterConfig, checker: _Checker) -> None:
    spans: list[tuple[ServerConfig, range]] = []
    for server in cluster.servers:
        base = server.media_termination_udp_beginning_port
        most = server.number_of_media_ports + cluster.largest_takeover(server.server_name)
        # Q23: ports taken over use own base + 2 x (own count + index).
        if base + 2 * most > 65536:
            raise checker.fail(
                f"{most} ports with the largest takeover need UDP up to {base + 2 * most - 1}",
                _section(server),
                "media_termination_udp_beginning_port",
            )
        spans.append((server, range(base, base + 2 * most)))
    for (one, ports), (other, others) in _overlapping(spans):
        raise checker.fail(
            f"UDP {others.start} to {others.stop - 1} (takeover included) overlaps"
            f" {ports.start} to {ports.stop - 1} of {one.server_name!r}"
            " at the same address",
            _section(other),
            "media_termination_udp_beginning_port",
        )


_Span: TypeAlias = tuple[ServerConfig, range]


def _overlapping(spans: Iterable[_Span]) -> Iterator[tuple[_Span, _Span]]:
    """The pairs of servers of one machine whose UDP ports overlap."""
    for one, other in combinations(spans, 2):
        hosts = {each.hostname_or_ip_address.casefold() for each, _ in (one, other)}
        first, second = sorted((one[1], other[1]), key=lambda ports: ports.start)
        if len(hosts) == 1 and first and second and second.start < first.stop:
            yield one, other


def _udp_when_all_fall(cluster: ClusterConfig) -> Iterator[str]:
    """Warnings of UDP ranges that overlap only if a server stands in for several homes at once.

    It then passes over ports that others have bound; a home that returns may find its own taken.
    """
    spans = [
        (server, range(base, base + 2 * cluster.most_ports(server.server_name)))
        for server in cluster.servers
        for base in (server.media_termination_udp_beginning_port,)
    ]
    for (one, ports), (other, others) in _overlapping(spans):
        yield (
            f"{one.server_name} and {other.server_name} have one address, and UDP"
            f" {ports.start} to {ports.stop - 1} overlaps {others.start} to {others.stop - 1}"
            " when one stands in for all that it may"
        )


# ------------------------------------------------------------------------ the tables of ours


_STEPS_BESIDES = 12
"""How many keys a takeover compares besides its identities and the candidates, at most."""


def _check_etcd(cluster: ClusterConfig, checker: _Checker) -> None:
    """See that the address can be read, and that etcd takes every step of this cluster at once."""
    try:
        EtcdAddress.parse(cluster.store)
    except ConfigurationError as error:
        raise checker.fail(error.rule, field="store") from None
    for server in cluster.servers:
        numbers = len(server.media_addresses) + len(server.interceptor_ports)
        numbers += bool(server.route_address) + bool(server.aa_route_address)
        steps = numbers + len(server.fail_over_server_names) + _STEPS_BESIDES
        if steps > MOST_OPERATIONS:
            most = MOST_OPERATIONS - (steps - numbers)
            raise checker.fail(
                f"{numbers} numbers are more than the {most} that go over at once in an etcd",
                f"server {server.server_name!r}",
                "number_of_media_ports",
            )
    if len(cluster.servers) > MOST_OPERATIONS - _STEPS_BESIDES:
        most = MOST_OPERATIONS - _STEPS_BESIDES
        raise checker.fail(
            f"{len(cluster.servers)} are more than the {most} that Stop All stops at once in an"
            " etcd",
            field="servers",
        )


def _check_timing(cluster: ClusterConfig, checker: _Checker) -> None:
    timing = cluster.timing
    for each in dataclasses.fields(Timing):
        may_be_zero = each.name in _MAY_BE_ZERO
        if not is_duration(getattr(timing, each.name), zero=may_be_zero):
            raise checker.fail(
                f"must be {'0' if may_be_zero else 'more than 0'} to {LONGEST:.0f} seconds",
                "timing",
                each.name,
            )
    if timing.own < 2 * timing.heartbeat + timing.registration:
        raise checker.fail(
            "must hold two heartbeats and a registration, or one lost heartbeat drops every call",
            "timing",
            "own",
        )
    # Clocks may drift 1 % each way (assumed); below that two servers could act at once.
    if timing.take * 0.99 <= timing.own * 1.01:
        raise checker.fail("must be above own by more than 2 %", "timing", "take")
    if timing.steady < 2 * timing.back_off:
        raise checker.fail(
            "must be at least twice back_off, or a call manager that restarts moves something (Q9)",
            "timing",
            "steady",
        )
    if timing.hold_longest < timing.hold:
        raise checker.fail("must not be below hold", "timing", "hold_longest")


def _check_application(cluster: ClusterConfig, checker: _Checker) -> None:
    application = cluster.application
    if application.transfer and not _NUMBER.fullmatch(application.transfer):
        raise checker.fail("must be a directory number", "application", "transfer")
    for digit, number in application.digits.items():
        if len(digit) != 1 or digit not in "0123456789*#":
            raise checker.fail(f"{digit!r} is no key of a telephone", "application", "digits")
        if not _NUMBER.fullmatch(number):
            raise checker.fail(f"{number!r} is no directory number", "application", "digits")


# --------------------------------------------------------------------------------- warnings


def warnings(cluster: ClusterConfig) -> list[str]:
    """Sentences about settings that work but are probably not meant; never an error (F9, F11)."""
    found: list[str] = [*_udp_when_all_fall(cluster)]
    listed = {name for server in cluster.servers for name in cluster.candidates(server.server_name)}
    for server in cluster.servers:
        name = server.server_name
        own = server.number_of_media_ports
        taken = cluster.largest_takeover(name)
        if own > server.capacity:
            found.append(f"{name}: {own} media ports, but only {calls(server.capacity)} at once")
        elif own + taken > server.capacity:
            found.append(
                f"{name}: {own} own and {taken} taken media ports,"
                f" but only {calls(server.capacity)} at once"
            )
        base = server.media_termination_udp_beginning_port
        if base + 2 * cluster.most_ports(name) > 65536:
            found.append(f"{name}: no UDP ports are left if it stands in for all at once")
        if not server.spare and not server.fail_over_server_names:
            found.append(f"{name}: nobody stands in for it")
        if server.spare and name not in listed:
            found.append(f"{name}: owns nothing and stands in for nobody")
        if server.media_port_beginning_address and not own:
            found.append(f"{name}: a beginning address, but 0 media ports")
        if server.route_address and not own:
            found.append(f"{name}: a route address, but no media port to answer it")
    hosts = frozenset(each.hostname_or_ip_address.casefold() for each in cluster.servers)
    return [*found, *speech_warnings(cluster.speech, hosts)]

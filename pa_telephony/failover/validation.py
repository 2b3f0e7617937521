"""Every rule that a cluster's configuration must keep.

Source: Cisco's document 44922, Q22 and Q23 of docs/failover-design.md; rules marked *ours* in
:mod:`pa_telephony.failover.config` follow from how failover is decided there.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterator

from pa_telephony import toml
from pa_telephony.digits import Pattern, PatternError
from pa_telephony.durations import LONGEST, is_duration
from pa_telephony.errors import ConfigurationError, first_of
from pa_telephony.failover.config import (
    ClusterConfig,
    JtapiProvider,
    ServerConfig,
    SkinnyProvider,
    Timing,
)
from pa_telephony.failover.hosts import is_host, is_ip, split_host
from pa_telephony.failover.speech import check_speech
from pa_telephony.failover.stores.etcd_limits import check_etcd
from pa_telephony.failover.udp_ranges import Span, overlapping

__all__ = ["MAY_BE_ZERO", "check"]

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_NUMBER = re.compile(r"\\?[0-9*#+]{1,24}")  # SCCP's directory numbers hold 24 characters
_DEVICE = re.compile(r"[A-Za-z0-9._-]{1,15}")  # SCCP's device name is char[16] with its NUL
_PACKAGE = re.compile(r"(?:failover|sccp|cti|rtp)=(?:debug|info|warning|error|off)")
MAY_BE_ZERO = frozenset(
    {
        "grace",
        "hold",
        "hold_longest",
        "flap_window",
        "linger",
        "media_silence",
        "long_call",
    }
)
"""The times of which none is a value, too."""
_TCP_DEFAULTS = {"jtapi": 2748, "skinny": 2000}


class _Checker:
    """Collects the rules that are broken."""

    def __init__(self, cluster: ClusterConfig) -> None:
        self._cluster = cluster
        self._places: set[tuple[str, str]] = set()
        self.found: list[ConfigurationError] = []

    def fail(self, rule: str, section: str = "", field: str = "") -> None:
        """Note a rule that is broken."""
        self._places.add((section, field))
        file = self._cluster.file
        self.found.append(ConfigurationError(rule, file=file, section=section, field=field))

    def fail_once(self, rule: str, section: str, field: str) -> None:
        """Note it if nothing is wrong with the field so far: what holds of many numbers is one."""
        if (section, field) not in self._places:
            self.fail(rule, section, field)

    def sound(self) -> ClusterConfig:
        """The servers and providers with which nothing is wrong so far."""
        broken = {section for section, _ in self._places}
        providers = [each for each in self._cluster.providers if _of(each) not in broken]
        servers = [each for each in self._cluster.servers if _section(each) not in broken]
        if len(providers) + len(servers) == len(self._cluster.providers + self._cluster.servers):
            return self._cluster
        names = {each.server_name.casefold() for each in servers}
        left = [
            dataclasses.replace(
                each,
                fail_over_server_names=tuple(
                    name for name in each.fail_over_server_names if name.casefold() in names
                ),
            )
            for each in servers
        ]
        return ClusterConfig(tuple(left), tuple(providers), file=self._cluster.file)


def check(cluster: ClusterConfig) -> None:
    """Raise :class:`~pa_telephony.errors.ConfigurationError` when a rule is broken.

    It is of the first one; its ``others`` are the further ones. Values of a wrong type, which a
    program can give, are told before all else. What two servers or providers have to do with each
    other is told of those that are sound by themselves.
    """
    if wrong := [*toml.misfits(cluster, _named)]:
        with toml.error_names_file(cluster.file):
            raise first_of(wrong)
    checker = _Checker(cluster)
    _check_timing(cluster, checker)
    _check_application(cluster, checker)
    check_speech(cluster.speech, lambda rule, field: checker.fail(rule, "speech", field))
    if not cluster.store:
        checker.fail("names no file", field="store")
    else:
        check_etcd(cluster, checker.fail)
    if not cluster.servers:
        checker.fail("a cluster needs a server", field="servers")
    names: dict[str, str] = {}
    for provider in cluster.providers:
        _check_provider(provider, checker)
        if (other := names.get(provider.name.casefold())) is not None:
            rule = f"there is another provider of that name, {other!r}"
            checker.fail(rule, _of(provider), "name")
        names[provider.name.casefold()] = provider.name
    names = {}
    for server in cluster.servers:
        _check_server(server, checker)
        if (other := names.get(server.server_name.casefold())) is not None:
            rule = f"there is another server of that name, {other!r}"
            checker.fail(rule, _section(server), "server_name")
        names[server.server_name.casefold()] = server.server_name
    for server in cluster.servers:
        _check_providers_of(server, cluster, checker)
        _check_fail_over(server, cluster, checker)
    sound = checker.sound()
    _check_numbers(sound, checker)
    _check_devices(sound, checker)
    _check_udp(sound, checker)
    if checker.found:
        raise first_of(checker.found)


def _of(provider: JtapiProvider | SkinnyProvider) -> str:
    return f"provider {provider.name!r}"


def _named(part: object) -> str:
    if isinstance(part, ServerConfig):
        return _section(part)
    return _of(part) if isinstance(part, JtapiProvider | SkinnyProvider) else ""


def _section(server: ServerConfig) -> str:
    return f"server {server.server_name!r}"


# ------------------------------------------------------------------------------- one server


def _check_server(server: ServerConfig, checker: _Checker) -> None:
    section = _section(server)
    if not server.server_name:
        checker.fail("is mandatory", section, "server_name")
    elif not _NAME.fullmatch(server.server_name):
        checker.fail("must be 1 to 32 letters, digits, '-', '_' or '.'", section, "server_name")
    elif is_ip(server.server_name):
        checker.fail("must be a name, not an IP address", section, "server_name")
    if not server.hostname_or_ip_address:
        checker.fail("is mandatory", section, "hostname_or_ip_address")
    elif not is_host(server.hostname_or_ip_address):
        checker.fail("must be a host name or an IPv4 address", section, "hostname_or_ip_address")
    elif ":" in server.hostname_or_ip_address:
        checker.fail("media leave from IPv4 addresses only", section, "hostname_or_ip_address")
    base = server.media_termination_udp_beginning_port
    if not 1024 <= base <= 65534:
        checker.fail("must be 1024 to 65534", section, "media_termination_udp_beginning_port")
    elif base % 2:
        checker.fail(
            "must be even: RTP is even, RTCP the odd one above",
            section,
            "media_termination_udp_beginning_port",
        )
    for field in ("route_address", "aa_route_address"):
        number: str = getattr(server, field)
        if number and not _NUMBER.fullmatch(number):
            checker.fail("must be a directory number: digits, * or #", section, field)
    first = server.media_port_beginning_address
    count = server.number_of_media_ports
    digits = first.isdecimal() and first.isascii() and len(first) <= 24
    if first and not digits:
        checker.fail(
            "must be a directory number of digits only", section, "media_port_beginning_address"
        )
    if not 0 <= count <= 1000:
        checker.fail("must be 0 to 1000", section, "number_of_media_ports")
    elif count and not first:
        checker.fail(f"is needed for {count} media ports", section, "media_port_beginning_address")
    elif count and digits and len(str(int(first) + count - 1)) > len(first):
        checker.fail(
            f"{count} ports from {first} on leave its {len(first)} digits",
            section,
            "number_of_media_ports",
        )
    if server.capacity < 1:
        checker.fail("must be 1 or more", section, "capacity")
    if server.route_point_device and not _DEVICE.fullmatch(server.route_point_device):
        checker.fail(
            "must be 1 to 15 letters, digits, '.', '_' or '-'", section, "route_point_device"
        )
    for text in server.interceptor_ports:
        try:
            Pattern.parse(text, fixed=True)
        except PatternError as error:
            checker.fail(str(error), section, "interceptor_ports")
    for entry in server.trace_package_list:
        if not _PACKAGE.fullmatch(entry):
            checker.fail(
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
                checker.fail(f"a {kind} provider is needed", section, field)
            continue
        provider = by_name.get(name)
        if provider is None:
            checker.fail(f"there is no provider {name!r}", section, field)
        elif provider.type != kind:
            checker.fail(
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
                checker.fail(
                    f"{entry!r}: server names only, no DNS names or IP addresses", section, field
                )
            else:
                checker.fail(f"there is no server {entry!r}", section, field)
        elif folded == server.server_name.casefold():
            checker.fail("a server cannot stand in for itself", section, field)
        elif folded in listed:
            checker.fail(f"{entry!r} is listed twice", section, field)
        listed.add(folded)


# -------------------------------------------------------------------------------- providers


def _check_provider(provider: JtapiProvider | SkinnyProvider, checker: _Checker) -> None:
    section = _of(provider)
    if not _NAME.fullmatch(provider.name):
        checker.fail("must be 1 to 32 letters, digits, '-', '_' or '.'", section, "name")
    expected = "skinny" if isinstance(provider, SkinnyProvider) else "jtapi"
    if provider.type != expected:
        checker.fail(f"must be {expected!r} here", section, "type")
    seen: set[tuple[str, str]] = set()
    for entry in provider.hosts:
        host, port = split_host(entry)
        if not is_host(host):
            checker.fail(f"{entry!r} is no host or host:port", section, "hosts")
        port = port or str(_TCP_DEFAULTS.get(provider.type, ""))
        if not (port.isdecimal() and 1 <= int(port) <= 65535):
            checker.fail(f"{entry!r}: a TCP port is 1 to 65535", section, "hosts")
        if (host.casefold(), port) in seen:
            checker.fail(f"{entry!r} is listed twice", section, "hosts")
        seen.add((host.casefold(), port))
    if isinstance(provider, JtapiProvider) and provider.tls_authorities and not provider.tls:
        checker.fail("is of use with tls = true only", section, "tls_authorities")
    if isinstance(provider, SkinnyProvider):
        if provider.device_name_prefix and not _DEVICE.fullmatch(provider.device_name_prefix):
            checker.fail("must be letters, digits, '.', '_' or '-'", section, "device_name_prefix")
        for number, device in provider.devices.items():
            if not (number.isdecimal() and number.isascii()):
                checker.fail(f"{number!r} is no directory number", section, "devices")
            if not _DEVICE.fullmatch(device):
                checker.fail(
                    f"{device!r} must be 1 to 15 letters, digits, '.', '_' or '-'",
                    section,
                    "devices",
                )
    elif provider.password and not provider.user:
        checker.fail("a password needs its user", section, "user")


def _used(cluster: ClusterConfig) -> Iterator[tuple[ServerConfig, str, str]]:
    """(server, field, provider) for each identity that a server registers through a provider."""
    for server in cluster.servers:
        for identity in cluster.identities(server.server_name):
            yield server, identity.kind.value, identity.provider


def _check_devices(cluster: ClusterConfig, checker: _Checker) -> None:
    by_name = {provider.name: provider for provider in cluster.providers}
    for server, kind, name in _used(cluster):
        provider = by_name.get(name)
        if provider is None:
            continue  # not sound, and told before
        registers = f"{server.server_name!r} registers its {kind} here"
        if not provider.hosts:
            checker.fail_once(f"{registers}: name a host", _of(provider), "hosts")
        if isinstance(provider, JtapiProvider) and not provider.user:
            checker.fail_once(f"{registers}: name a user", _of(provider), "user")
    owners: dict[str, str] = {}
    for (name, number), device in cluster.devices.items():
        section = f"provider {name!r}"
        provider = by_name[name]
        if isinstance(provider, SkinnyProvider) and number not in provider.devices:
            if not provider.device_name_prefix:
                checker.fail_once(
                    f"media port {number} has no device: give a prefix",
                    section,
                    "device_name_prefix",
                )
            if not _DEVICE.fullmatch(device):
                checker.fail_once(
                    f"{device!r} is longer than the 15 characters of a device name",
                    section,
                    "device_name_prefix",
                )
        if device in owners:
            checker.fail_once(
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
                checker.fail_once(
                    f"{number} is {other_field} of {other.server_name!r} too",
                    _section(server),
                    field,
                )
            numbers.setdefault(number, (server, field))
    patterns: dict[str, ServerConfig] = {}
    for server in cluster.servers:
        for text in server.interceptor_ports:
            pattern = Pattern.parse(text, fixed=True)
            if pattern.number in patterns:
                checker.fail_once(
                    f"{text!r} is a pattern of {patterns[pattern.number].server_name!r} too",
                    _section(server),
                    "interceptor_ports",
                )
            patterns.setdefault(pattern.number, server)
            for number in _matched(pattern, numbers):
                other, field = numbers[number]
                checker.fail_once(
                    f"{text!r} would intercept {number}, {field} of {other.server_name!r}",
                    _section(server),
                    "interceptor_ports",
                )


def _matched(pattern: Pattern, numbers: Collection[str]) -> list[str]:
    """The numbers that match; gone through are these, or those of the pattern if they are fewer."""
    if pattern.breadth < len(numbers):
        return [each for each in pattern.numbers() if each in numbers]
    return [each for each in numbers if pattern.matches(each)]


def _check_udp(cluster: ClusterConfig, checker: _Checker) -> None:
    spans: list[Span] = []
    for server in cluster.servers:
        base = server.media_termination_udp_beginning_port
        most = server.number_of_media_ports + cluster.largest_takeover(server.server_name)
        # Q23: ports taken over use own base + 2 x (own count + index).
        if base + 2 * most > 65536:
            checker.fail_once(
                f"{most} ports with the largest takeover need UDP up to {base + 2 * most - 1}",
                _section(server),
                "media_termination_udp_beginning_port",
            )
            continue
        spans.append((server, range(base, base + 2 * most)))
    for (one, ports), (other, others) in overlapping(spans):
        checker.fail_once(
            f"UDP {others.start} to {others.stop - 1} (takeover included) overlaps"
            f" {ports.start} to {ports.stop - 1} of {one.server_name!r}"
            " at the same address",
            _section(other),
            "media_termination_udp_beginning_port",
        )


# ------------------------------------------------------------------------ the tables of ours


def _check_timing(cluster: ClusterConfig, checker: _Checker) -> None:
    timing = cluster.timing
    sound: set[str] = set()
    for each in dataclasses.fields(Timing):
        may_be_zero = each.name in MAY_BE_ZERO
        if is_duration(getattr(timing, each.name), zero=may_be_zero):
            sound.add(each.name)
        else:
            checker.fail(
                f"must be {'0' if may_be_zero else 'more than 0'} to {LONGEST:.0f} seconds",
                "timing",
                each.name,
            )
    parts = {"own", "heartbeat", "registration"}
    if parts <= sound and timing.own < 2 * timing.heartbeat + timing.registration:
        checker.fail(
            "must hold two heartbeats and a registration, or one lost heartbeat drops every call",
            "timing",
            "own",
        )
    # Clocks may drift 1 % each way (assumed); below that two servers could act at once.
    if {"take", "own"} <= sound and timing.take * 0.99 <= timing.own * 1.01:
        checker.fail("must be above own by more than 2 %", "timing", "take")
    if {"steady", "back_off"} <= sound and timing.steady < 2 * timing.back_off:
        checker.fail(
            "must be at least twice back_off, or a call manager that restarts moves something (Q9)",
            "timing",
            "steady",
        )
    if {"hold_longest", "hold"} <= sound and timing.hold_longest < timing.hold:
        checker.fail("must not be below hold", "timing", "hold_longest")


def _check_application(cluster: ClusterConfig, checker: _Checker) -> None:
    application = cluster.application
    if application.transfer and not _NUMBER.fullmatch(application.transfer):
        checker.fail("must be a directory number", "application", "transfer")
    for digit, number in application.digits.items():
        if len(digit) != 1 or digit not in "0123456789*#":
            checker.fail(f"{digit!r} is no key of a telephone", "application", "digits")
        if not _NUMBER.fullmatch(number):
            checker.fail(f"{number!r} is no directory number", "application", "digits")

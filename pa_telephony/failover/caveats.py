"""Settings of a cluster that keep every rule and are probably not meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pa_telephony.failover.capacity import calls
from pa_telephony.failover.config import ClusterConfig, JtapiProvider, SkinnyProvider
from pa_telephony.failover.speech import speech_warnings
from pa_telephony.failover.udp_ranges import overlapping

__all__ = ["warnings"]


def warnings(cluster: ClusterConfig) -> list[str]:
    """Sentences about settings that work but are probably not meant; never an error (F9, F11)."""
    found: list[str] = [*_udp_when_all_fall(cluster), *_of_providers(cluster)]
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
        packages = [each.partition("=")[0] for each in server.trace_package_list]
        found += [
            f"{name}: trace_package_list has {each} {count} times, of which the last one counts"
            for each, count in Counter(packages).items()
            if count > 1
        ]
        if server.route_address and not own:
            found.append(f"{name}: a route address, but no media port to answer it")
    hosts = frozenset(each.hostname_or_ip_address.casefold() for each in cluster.servers)
    return [*found, *speech_warnings(cluster.speech, hosts)]


def _of_providers(cluster: ClusterConfig) -> Iterator[str]:
    for provider in cluster.providers:
        if isinstance(provider, JtapiProvider) and provider.user and not provider.password:
            yield f"provider {provider.name}: a user, but no password"
        if isinstance(provider, SkinnyProvider):
            ports = {number for name, number in cluster.devices if name == provider.name}
            if idle := ", ".join(each for each in provider.devices if each not in ports):
                yield f"provider {provider.name}: devices has {idle}, but no such media port"


def _udp_when_all_fall(cluster: ClusterConfig) -> Iterator[str]:
    """Warnings of UDP ranges that overlap only if a server stands in for several homes at once.

    It then passes over ports that others have bound; a home that returns may find its own taken.
    """
    spans = [
        (server, range(base, base + 2 * cluster.most_ports(server.server_name)))
        for server in cluster.servers
        for base in (server.media_termination_udp_beginning_port,)
    ]
    for (one, ports), (other, others) in overlapping(spans):
        yield (
            f"{one.server_name} and {other.server_name} have one address, and UDP"
            f" {ports.start} to {ports.stop - 1} overlaps {others.start} to {others.stop - 1}"
            " when one stands in for all that it may"
        )

"""What two servers have to agree on before one stands in for the other. Pure.

Servers that follow the configuration of the store agree (:mod:`stored`). Those of release 0.2.0
have a file each, and files are edited while servers run. So a server writes into the store, with
its session, a *fingerprint* of what it has of every home, in groups that have names for people.
What a home last said of itself counts, also after its death: a server of that release with another
fingerprint of that home does not stand in for it.

Passwords are left out: a fingerprint must not be anything that they could be guessed from, and a
server with a wrong one does not reach the provider. What it does with calls is its own business.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pa_telephony.failover.config import ClusterConfig

__all__ = ["GROUPS", "Configured", "fingerprint"]

GROUPS = ("numbers", "device names", "providers", "fail-over list", "UDP", "timing")
"""The groups of settings that are compared, under the names that people are shown."""


def fingerprint(cluster: ClusterConfig, home: str) -> dict[str, str]:
    """One short hash for each of :data:`GROUPS` of what ``cluster`` says of ``home``."""
    identities = cluster.identities(home)
    server = cluster.server(home)
    providers = [cluster.provider(name) for name in sorted(cluster.needs(home))]
    said: dict[str, object] = {
        "numbers": [(each.kind.value, each.number, each.index) for each in identities],
        "device names": [(each.label, each.device) for each in identities],
        "providers": [
            [(each.label, each.provider) for each in identities],
            [
                (
                    each.name,
                    each.type,
                    each.hosts,
                    getattr(each, "user", ""),
                    getattr(each, "return_to_preferred", False),
                )
                for each in providers
            ],
        ],
        "fail-over list": (cluster.candidates(home), cluster.capacity_aware),
        "UDP": (server.hostname_or_ip_address, server.media_termination_udp_beginning_port),
        "timing": dataclasses.asdict(cluster.timing),
    }
    return {group: _hash(said[group]) for group in GROUPS}


def _hash(value: object) -> str:
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Configured:
    """What a server's file says: fingerprints of homes, and how long the server itself may act."""

    own: float = 0.0
    """``Timing.own`` of the server in seconds: others wait for longer than this when heartbeats are
    missing."""
    homes: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])

    @classmethod
    def of(cls, cluster: ClusterConfig) -> Configured:
        """What ``cluster`` says, as the server that has loaded it writes it into the store."""
        names = [server.server_name for server in cluster.servers]
        return cls(cluster.timing.own, {name: fingerprint(cluster, name) for name in names})

    def encode(self) -> str:
        """Write it as JSON on one line."""
        homes = {home: dict(groups) for home, groups in self.homes.items()}
        return json.dumps({"own": self.own, "homes": homes}, separators=(",", ":"))

    @classmethod
    def decode(cls, text: str) -> Configured:
        """Read what :meth:`encode` wrote; missing parts and text of another release say nothing."""
        return _decode(text)

    def differs(self, home: str, other: Configured) -> tuple[str, ...]:
        """The groups in which ``other`` has other values for ``home``; none if they agree.

        A home that only one of them has differs in all groups.
        """
        mine, theirs = self.homes.get(home, {}), other.homes.get(home, {})
        if mine == theirs:
            return ()
        groups = dict.fromkeys((*GROUPS, *mine, *theirs))
        return tuple(group for group in groups if mine.get(group) != theirs.get(group))


@functools.lru_cache(maxsize=256)
def _decode(text: str) -> Configured:
    try:
        read: dict[str, Any] = dict(json.loads(text))
        homes = {
            str(home): {str(group): str(value) for group, value in dict(groups).items()}
            for home, groups in dict(read.get("homes", {})).items()
        }
        return Configured(float(read.get("own", 0.0)), homes)
    except (ValueError, TypeError):
        return Configured()

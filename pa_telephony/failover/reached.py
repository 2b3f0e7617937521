"""Which providers a server reaches, since when, and why not: of itself, for its heartbeat. Pure.

Times are those of the member's clock. A host that has been reached for ``Timing.steady`` is steady;
a provider that has not been reached for ``Timing.own`` is cut off: others should serve what needs
it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pa_telephony.failover.beat import Beat
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.config import Timing
from pa_telephony.failover.nodes import LOST, REACHED, STEADY

__all__ = ["Reached"]

_Name = TypeVar("_Name")

Host = tuple[str, int]
"""A provider, and the place of one of its hosts in its list."""


@dataclass
class Reached:
    """What one server reaches of its cluster's providers and of their hosts."""

    since: dict[str, float] = field(default_factory=dict[str, float])
    """Since when each provider is reached that is reached now."""
    lost_since: dict[str, float] = field(default_factory=dict[str, float])
    """Since when each of the others is not."""
    why: dict[str, str] = field(default_factory=dict[str, str])
    """Why each provider is not reached; "" for no reason."""
    hosts_since: dict[Host, float] = field(default_factory=dict[Host, float])
    lost_hosts_since: dict[Host, float] = field(default_factory=dict[Host, float])

    def follow(self, cluster: Cluster, now: float) -> None:
        """Count providers that the configuration has new as not reached from now on."""
        for name in cluster.used_providers:
            if name not in self.why:
                self.why = {**self.why, name: ""}
                self.lost_since[name] = now

    def link(self, provider: str, reachable: bool, now: float, why: str) -> bool:
        """Note whether a provider can be reached, and why not; False when only the why is news."""
        self.why = {**self.why, provider: why}
        return _note(self.since, self.lost_since, provider, reachable, now)

    def host(self, host: Host, reachable: bool, now: float) -> bool:
        """Note whether a host can be reached; False when that is no news."""
        return _note(self.hosts_since, self.lost_hosts_since, host, reachable, now)

    def said(self, beat: Beat, cluster: Cluster, timing: Timing, now: float) -> Beat:
        """The heartbeat with what is so now; the very same when it says all of that."""
        links, since = frozenset(self.since), self.since
        steady = frozenset(name for name in since if since[name] + timing.steady <= now)
        nodes = self._at_each_node(cluster, timing, now)
        if (links, steady, nodes) == (beat.links, beat.steady, beat.nodes):
            return beat
        return replace(beat, links=links, steady=steady, nodes=nodes)

    def _at_each_node(self, cluster: Cluster, timing: Timing, now: float) -> dict[str, str]:
        """What is reached at each node, as heartbeats say it; nothing where there is one."""
        if cluster.nodes == 1:
            return {}

        def letter(provider: str, node: int) -> str:
            host = provider, cluster.place(provider, node)
            if host in self.hosts_since:
                return STEADY if self.hosts_since[host] + timing.steady <= now else REACHED
            lost = self.lost_hosts_since.get(host)
            return LOST if lost is None or lost + timing.back_off <= now else REACHED

        return {
            provider: "".join(letter(provider, node) for node in range(cluster.nodes))
            for provider in cluster.used_providers
        }

    def cut_off(self, timing: Timing, now: float) -> frozenset[str]:
        """The providers that have not been reached for so long that others should serve them."""
        return frozenset(
            name for name, since in self.lost_since.items() if since + timing.own <= now
        )

    def reasons(self, beat: Beat) -> dict[str, str]:
        """Why each provider is not reached that ``beat`` does not name as reached."""
        return {name: why for name, why in self.why.items() if not beat.reaches(name)}

    def times(self, timing: Timing) -> Iterator[float]:
        """The times at which something becomes steady or lost, if nothing comes in before."""
        for since in self.lost_since.values():
            yield since + timing.own
        for since in (*self.since.values(), *self.hosts_since.values()):
            yield since + timing.steady
        for since in self.lost_hosts_since.values():
            yield since + timing.back_off


def _note(
    begun: dict[_Name, float], ended: dict[_Name, float], name: _Name, reachable: bool, now: float
) -> bool:
    if reachable == (name in begun):
        return False
    if not reachable:
        begun, ended = ended, begun
    begun[name] = now
    ended.pop(name, None)
    return True

"""The UDP ports of servers of one machine, which must not meet (Q22 of docs/failover-design.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import TypeAlias

from pa_telephony.failover.config import ServerConfig

__all__ = ["Span", "overlapping"]

Span: TypeAlias = tuple[ServerConfig, range]
"""A server, and the UDP ports that it may use."""


def overlapping(spans: Iterable[Span]) -> Iterator[tuple[Span, Span]]:
    """The pairs of servers of one machine whose UDP ports overlap."""
    for one, other in combinations(spans, 2):
        hosts = {each.hostname_or_ip_address.casefold() for each, _ in (one, other)}
        first, second = sorted((one[1], other[1]), key=lambda ports: ports.start)
        if len(hosts) == 1 and first and second and second.start < first.stop:
            yield one, other

"""At which of the call managers of their lists the servers of a cluster are: all at the same. Pure.

A *node* is a place in the lists of hosts, from 0: at node 1 each provider is used at its second
host, or at its last one where it names fewer. The store says at which node the cluster is; every
server reads there where to register, and tells in its heartbeats what it reaches at every node.
Callers are where phones are, and phones do by themselves what :func:`best_node` does for servers:
they leave a call manager that is gone, and go back to an earlier one that is there again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["LOST", "REACHED", "STEADY", "Reach", "best_node"]

STEADY = "s"
"""In a heartbeat, of one host: reached without a break for ``Timing.steady``."""
REACHED = "r"
"""Reached, or lost for less than ``Timing.back_off``: a link that was only broken is up again."""
LOST = "-"


@dataclass(frozen=True)
class Reach:
    """What one server reaches: the names of the providers at each node, the first node first."""

    now: tuple[frozenset[str], ...]
    steady: tuple[frozenset[str], ...]


def best_node(present: int, servers: Sequence[Reach], *, goes_back: bool) -> int:
    """The node where the cluster should be that is at ``present``.

    It leaves a node for the first other one at which every server reaches steadily all that any of
    them still reaches here, and more; or, where ``goes_back``, just as much at an earlier node. So
    no server's own trouble moves the others. When nobody reaches anything here, the node counts
    that most of them reach. A server that reaches nothing anywhere has no say.
    """
    asked = [each for each in servers if any(each.now)]
    if not asked:
        return present
    nodes = range(len(asked[0].now))
    here = frozenset[str]().union(*(each.now[present] for each in asked))
    for node in nodes:
        there = frozenset[str].intersection(*(each.steady[node] for each in asked))
        back = goes_back and node < present and bool(there)
        if here < there or (back and here <= there):
            return node
    if here:
        return present
    reached = [sum(bool(each.steady[node]) for each in asked) for node in nodes]
    return reached.index(max(reached)) if any(reached) else present

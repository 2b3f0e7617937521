"""What an operator wants: Start, Stop, Start All, Stop All, as keys of the store.

A server that finds ``stop/<its name>`` gives up what it serves, then its session; its process
stays and waits for the key to go. Source: Control Center, personal-assistant.md §1.5, F14, Q15.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from pa_telephony.failover.config import Cluster
from pa_telephony.failover.transaction import Delete, Put, Transaction
from pa_telephony.failover.world import Stop, stop

__all__ = ["Command", "intents"]


class Command(enum.Enum):
    """A button of the Control Center."""

    START = "start"
    STOP = "stop"
    """At once, calls end, others stand in, exactly as after a crash."""
    STOP_ALONE = "stop-alone"
    """The same, but nobody stands in: the number goes out of service."""


def intents(cluster: Cluster, command: Command, servers: Iterable[str] = ()) -> Transaction:
    """The transaction that gives ``command`` to ``servers``, or to all when none is named.

    One transaction for all of them: Stop All marks every server before any of them acts, so no
    takeover runs in between (Q16). It always commits. Raises ConfigurationError for a name that
    is no server.
    """
    names = [cluster.server(name).server_name for name in servers]
    names = names or [server.server_name for server in cluster.servers]
    keys = [stop(name) for name in dict.fromkeys(names)]
    if command is Command.START:
        return Transaction((), tuple(Delete(key) for key in keys))
    value = Stop.ALONE if command is Command.STOP_ALONE else Stop.FAIL_OVER
    return Transaction((), tuple(Put(key, value.value) for key in keys))

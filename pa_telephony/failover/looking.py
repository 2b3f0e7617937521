"""A store that is looked at again and again, from outside: what all that follows a cluster is on.

At every change, and twice a second although nothing has changed, so that ages grow.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

import trio

from pa_telephony.errors import ConnectionLost
from pa_telephony.failover.clock import boot_clock
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.status import Ages, ServerStatus, cluster_status
from pa_telephony.failover.stored import current
from pa_telephony.failover.stores import StoreView
from pa_telephony.failover.transaction import Snapshot

__all__ = ["LOOK", "Look", "looks"]

LOOK = 0.5
"""Seconds after which the store is read although nothing has changed."""
_PAUSE = 0.1
"""Seconds between two looks at least: a cluster at work changes its store all the time."""


@dataclass(frozen=True)
class Look:
    """What the store says at one moment."""

    cluster: Cluster
    """The configuration that the store has, or the one that was given."""
    snapshot: Snapshot
    ages: Mapping[str, float]

    @property
    def pages(self) -> tuple[ServerStatus, ...]:
        """The Server Status page of every server."""
        return cluster_status(self.cluster, self.snapshot, self.ages)


async def looks(
    cluster: Cluster, store: StoreView, ages: Ages | None = None
) -> AsyncGenerator[Look]:
    """Look without end; raises ConnectionLost and ConfigurationError for what cannot be read.

    ``ages`` are those of earlier looks. To be closed with :func:`contextlib.aclosing`.
    """
    ages = ages or Ages()
    while True:
        snapshot = await store.snapshot()
        cluster = current(cluster, snapshot)
        yield Look(cluster, snapshot, ages.look(cluster, snapshot, boot_clock()))
        with trio.move_on_after(LOOK), contextlib.suppress(ConnectionLost):
            await store.watch(snapshot)
        await trio.sleep(_PAUSE)

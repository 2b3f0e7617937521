"""A store that is looked at again and again, from outside: what all that follows a cluster is on.

At every change, and twice a second although nothing has changed, so that ages grow.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

import trio

from pa_telephony.errors import ConnectionLost
from pa_telephony.failover.clock import boot_clock
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.status import Ages, ServerStatus, cluster_status, late, patience
from pa_telephony.failover.stored import current
from pa_telephony.failover.stores import StoreView
from pa_telephony.failover.transaction import Snapshot
from pa_telephony.failover.world import World

__all__ = ["LOOK", "Look", "looks", "second_look"]

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

    @functools.cached_property
    def pages(self) -> tuple[ServerStatus, ...]:
        """The Server Status page of every server."""
        return cluster_status(self.cluster, self.snapshot, self.ages)

    @property
    def questionable(self) -> bool:
        """Whether another look, :func:`patience` later, may say something else.

        A heartbeat that is late, or was sent by another clock, may come; a route point that two
        servers have at the end of a return is given up by one of them.
        """
        world = World(self.cluster, self.snapshot)
        alive = [each for each in world.names if world.session(each)]
        longest = late(self.cluster)
        return self.doubled or any(
            self.ages.get(each, math.inf) > longest
            for each in alive
            if each not in self.snapshot.dead
        )

    @property
    def doubled(self) -> bool:
        """Whether two servers have a number; for a moment that is so at the end of each return."""
        return any(each.doubled for page in self.pages for each in page.resources)


async def second_look(cluster: Cluster, store: StoreView) -> Look:
    """One look; a second one, a second or two later, where trouble may pass by itself."""
    ages = Ages()
    look = _look(cluster, await store.snapshot(), ages)
    if look.questionable:
        await trio.sleep(patience(look.cluster))
        look = _look(cluster, await store.snapshot(), ages)
    return look


def _look(cluster: Cluster, snapshot: Snapshot, ages: Ages) -> Look:
    cluster = current(cluster, snapshot)
    return Look(cluster, snapshot, ages.look(cluster, snapshot, boot_clock()))


async def looks(
    cluster: Cluster, store: StoreView, ages: Ages | None = None
) -> AsyncGenerator[Look]:
    """Look without end; raises ConnectionLost and ConfigurationError for what cannot be read.

    ``ages`` are those of earlier looks. To be closed with :func:`contextlib.aclosing`.
    """
    ages = ages or Ages()
    doubled_until = None
    told: Snapshot | None = None
    while True:
        look = _look(cluster, told or await store.snapshot(), ages)
        told = None
        cluster = look.cluster
        now = trio.current_time()
        if not look.doubled:
            doubled_until = None
        elif doubled_until is None:
            # At the end of a return the heartbeat may not have come that says it is given up.
            doubled_until = now + patience(cluster)
        if doubled_until is None or now >= doubled_until:
            yield look
        with trio.move_on_after(LOOK), contextlib.suppress(ConnectionLost):
            told = await store.watch(look.snapshot)
        await trio.sleep(_PAUSE)

"""What a person does from outside, through the store: look, start, stop."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Iterable

from pa_telephony.failover.config import Cluster
from pa_telephony.failover.intent import Command, intents
from pa_telephony.failover.status import ServerStatus, cluster_status
from pa_telephony.failover.stores import Store, open_store

__all__ = ["control", "read_status"]


@contextlib.asynccontextmanager
async def _opened(cluster: Cluster, store: Store | None) -> AsyncGenerator[Store]:
    if store is not None:
        yield store
        return
    async with open_store(cluster) as opened:
        yield opened


async def read_status(cluster: Cluster, store: Store | None = None) -> tuple[ServerStatus, ...]:
    """The Server Status page of every server, read from the store by anybody."""
    async with _opened(cluster, store) as opened:
        return cluster_status(cluster, await opened.snapshot())


async def control(
    cluster: Cluster, command: Command, servers: Iterable[str] = (), store: Store | None = None
) -> None:
    """Give an operator's command to ``servers``, or to all; they obey as soon as they see it."""
    async with _opened(cluster, store) as opened:
        await opened.transact(intents(cluster, command, servers))

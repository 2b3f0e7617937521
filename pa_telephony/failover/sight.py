"""All that can be seen of a cluster from outside, of one moment or again and again.

:func:`watch_cluster` is what monitoring stands on: it goes on when the store cannot be read, and
says so, and takes late heartbeats for what they are.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import trio

from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover.agents import AgentReport, agents
from pa_telephony.failover.alarm_kinds import Alarm, AlarmKind
from pa_telephony.failover.alarms import flapping
from pa_telephony.failover.chronicle import Episode, history
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.looking import LOOK, Look, looks
from pa_telephony.failover.rolling import Roll, rolling
from pa_telephony.failover.status import Ages, ServerStatus
from pa_telephony.failover.stored import begun, stored
from pa_telephony.failover.stores import StoreView, open_view

__all__ = ["Sight", "see", "watch_cluster"]


@dataclass(frozen=True)
class Sight:
    """A cluster at one moment."""

    at: float
    """Unix time in seconds."""
    pages: tuple[ServerStatus, ...] = ()
    agents: tuple[AgentReport, ...] = ()
    episodes: tuple[Episode, ...] = ()
    """The last takeovers, returns and fences, the oldest first."""
    roll: Roll | None = None
    """The rolling restart that goes on, or was the last one."""
    revision: int = 0
    """The number of the configuration in the store; 0 when it has none."""
    unreadable: str = ""
    """Why the store cannot be read; "" when it can."""
    begun: float = 0.0
    """Unix time of the first configuration; 0.0 when the store does not tell."""

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """What is wrong; of a store that cannot be read, that alone."""
        if self.unreadable:
            return (Alarm(AlarmKind.STORE_UNREACHABLE, "", self.unreadable),)
        found = [alarm for page in self.pages for alarm in page.alarms]
        given_up = self.roll.alarm if self.roll is not None else None
        return (*found, *flapping(self.episodes, self.at), *((given_up,) if given_up else ()))


def see(look: Look, at: float) -> Sight:
    """What one look at the store says; ``at`` is Unix time in seconds."""
    snapshot = look.snapshot
    revision = stored(snapshot)
    return Sight(
        at,
        look.pages,
        agents(snapshot),
        history(snapshot),
        rolling(snapshot),
        revision.number if revision is not None else 0,
        begun=begun(snapshot),
    )


async def watch_cluster(cluster: Cluster, store: StoreView | None = None) -> AsyncGenerator[Sight]:
    """Look again and again: at every change, and twice a second so that ages grow.

    To be closed with :func:`contextlib.aclosing` or left to the end of the program.
    """
    opened = store or open_view(cluster)
    ages = Ages()
    while True:
        try:
            async with contextlib.aclosing(looks(cluster, opened, ages)) as seen:
                async for look in seen:
                    cluster = look.cluster
                    yield see(look, time.time())
        except (ConnectionLost, ConfigurationError) as error:
            yield Sight(time.time(), unreadable=str(error))
            await trio.sleep(LOOK)

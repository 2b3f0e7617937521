"""Looks at the cluster every few seconds, so that pages know its alarms and what came and went."""

from __future__ import annotations

import time

import trio

from pa_telephony.admin.alarm_log import AlarmLog
from pa_telephony.admin.managed import ManagedCluster, NoServers
from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover.clock import boot_clock
from pa_telephony.failover.looking import Look
from pa_telephony.failover.sight import Sight, see
from pa_telephony.failover.status import Ages, patience

__all__ = ["AlarmWatch"]

_EVERY = 5.0
"""Seconds between two looks: one reading of the store each, whoever is there to see."""


class AlarmWatch:
    """The alarms of a cluster; :meth:`run` it."""

    def __init__(self, managed: ManagedCluster) -> None:
        self._managed = managed
        self._ages = Ages()
        self.log = AlarmLog()

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await trio.sleep(_EVERY)

    async def look(self) -> None:
        """Look at the cluster once."""
        try:
            look = await self._read()
            if look.doubled:
                await trio.sleep(patience(look.cluster))
                look = await self._read()
            sight = see(look, time.time())
        except NoServers:
            sight = Sight(time.time())
        except (ConnectionLost, ConfigurationError) as error:
            sight = Sight(time.time(), unreadable=str(error))
        self.log.look(sight)

    async def _read(self) -> Look:
        cluster = (await self._managed.present()).cluster
        snapshot = await self._managed.store.snapshot()
        return Look(cluster, snapshot, self._ages.look(cluster, snapshot, boot_clock()))

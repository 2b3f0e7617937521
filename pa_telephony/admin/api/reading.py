"""What the API says of the cluster, now and whenever it changes."""

from __future__ import annotations

import json
import time
from typing import Any

from starlette.responses import Response

from pa_telephony import failover
from pa_telephony.admin.administration import Administration
from pa_telephony.admin.api.asking import Asked, Handler
from pa_telephony.admin.api.description import description
from pa_telephony.admin.api.streaming import streaming
from pa_telephony.admin.roles import TABLE, Act
from pa_telephony.failover.agents import agents
from pa_telephony.failover.chronicle import history
from pa_telephony.failover.plain import (
    plain_agent,
    plain_alarm,
    plain_episode,
    plain_server,
    plain_status,
)
from pa_telephony.failover.services import services
from pa_telephony.failover.sight import Sight

__all__ = ["Reading"]


class Reading:
    """The operations that change nothing, but for those of the configuration."""

    def __init__(self, everything: Administration) -> None:
        self._all = everything

    def handlers(self) -> dict[str, Handler]:
        """Who answers what."""
        return {
            "description": self._description,
            "session": self._session,
            "status": self._status,
            "agents": self._agents,
            "alarms": self._alarms,
            "episodes": self._episodes,
            "events": self._events,
        }

    async def _description(self, _: Asked) -> Any:
        return description()

    async def _session(self, asked: Asked) -> Any:
        actor = asked.actor
        return {
            "account": actor.name,
            "role": actor.role.value,
            "may": [each.name.lower() for each in Act if TABLE[actor.role, each]],
            "csrf": actor.csrf,
        }

    async def _status(self, _: Asked) -> Any:
        managed = self._all.managed
        present = await managed.present()
        reports = agents(await managed.store.snapshot())
        # Without servers there is nothing to read, and the services are told all the same.
        pages = await managed.status() if present.number else ()
        rows = plain_status(pages, reports, services(present.config))
        return {"servers": rows[: len(pages)], "services": rows[len(pages) :]}

    async def _agents(self, _: Asked) -> Any:
        return {"agents": [*map(plain_agent, agents(await self._all.managed.store.snapshot()))]}

    async def _alarms(self, _: Asked) -> Any:
        managed = self._all.managed
        if not (await managed.present()).number:
            return {"alarms": []}
        pages = await managed.status()
        episodes = history(await managed.store.snapshot())
        sight = failover.Sight(time.time(), pages, episodes=episodes)
        return {"alarms": [*map(plain_alarm, sight.alarms)]}

    async def _episodes(self, _: Asked) -> Any:
        episodes = history(await self._all.managed.store.snapshot())
        return {"episodes": [*map(plain_episode, episodes)]}

    async def _events(self, asked: Asked) -> Response:
        return streaming(self._all, asked, self._all.live, _draw)


def _draw(sight: Sight) -> str:
    """The cluster without its ages, which grow all the time."""
    kept = {name: each for report in sight.agents for name, each in report.servers.items()}
    pages = [plain_server(each, kept.get(each.name)) | {"age": None} for each in sight.pages]
    found = {
        "revision": sight.revision,
        "servers": pages,
        "alarms": [*map(plain_alarm, sight.alarms)],
        "unreadable": sight.unreadable,
    }
    return json.dumps(found, ensure_ascii=True)

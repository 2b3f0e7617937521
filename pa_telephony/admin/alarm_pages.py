"""Alarms: what is wrong now, what it means and what to do, and what came and went."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pa_telephony.admin.administration import Administration
from pa_telephony.admin.advice import ADVICE
from pa_telephony.admin.alarm_log import by_kind, counted
from pa_telephony.admin.following import following
from pa_telephony.admin.rendering import BASE, fragment, render
from pa_telephony.failover.sight import Sight

__all__ = ["AlarmPages"]

_PATH = f"{BASE}/alarms"
_LATELY = 50
"""How many alarms that are over the page shows."""


class AlarmPages:
    """The page, and the events that keep it up to date."""

    def __init__(self, administration: Administration) -> None:
        self._all = administration

    def routes(self) -> list[Route]:
        """Where it is."""
        return [Route(_PATH, self.page), Route(f"{_PATH}/events", self.events)]

    async def page(self, request: Request) -> Response:
        """Those that are, and those that came and went."""
        await self._all.alarms.look()
        request.scope["state"]["alarms"] = self._all.alarms.log.count
        return render(request, "alarms.html", shown=self._shown())

    async def events(self, request: Request) -> Response:
        """The same, whenever it changes."""

        def draw(_: Sight) -> str:
            return fragment("alarms_live.html", shown=self._shown())

        return following(self._all, request, "alarms", draw)

    def _shown(self) -> dict[str, Any]:
        log = self._all.alarms.log
        return {
            "kinds": [(kind, ADVICE[kind], found) for kind, found in by_kind(log.present).items()],
            "past": log.past[:_LATELY],
            "began": log.began,
            "summary": ", ".join(
                f"{kind.value}: {counted(len(found))}"
                for kind, found in by_kind(log.present).items()
            )
            or counted(0),
        }

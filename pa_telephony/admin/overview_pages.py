"""Cluster: who has what, since when and why; takeovers and returns as a timeline; the machines."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pa_telephony.admin.administration import Administration
from pa_telephony.admin.following import following
from pa_telephony.admin.overview import episode_rows, number_rows, overview_summary
from pa_telephony.admin.rendering import BASE, fragment, render
from pa_telephony.admin.timeline import COLOURS, SPANS, draw, lanes, quantised
from pa_telephony.failover.sight import Sight

__all__ = ["OverviewPages"]

_PATH = f"{BASE}/cluster"
_NAMES = {
    "10m": "10 minutes",
    "1h": "1 hour",
    "6h": "6 hours",
    "1d": "1 day",
    "7d": "7 days",
}
_ROWS = 60
"""How many episodes the table has."""


class OverviewPages:
    """The page, and the events that keep it up to date."""

    def __init__(self, administration: Administration) -> None:
        self._all = administration

    def routes(self) -> list[Route]:
        """Where it is."""
        return [Route(_PATH, self.page), Route(f"{_PATH}/events", self.events)]

    async def page(self, request: Request) -> Response:
        """The whole cluster."""
        span = _span(request)
        sight = await self._all.managed.sight()
        return render(
            request,
            "cluster.html",
            shown=_shown(sight, span),
            span=span,
            spans=_NAMES,
            path_of=_PATH,
        )

    async def events(self, request: Request) -> Response:
        """The same, whenever it changes."""
        span = _span(request)

        def draw_all(sight: Sight) -> str:
            return fragment("cluster_live.html", shown=_shown(sight, span))

        return following(self._all, request, f"cluster {span}", draw_all)


def _span(request: Request) -> str:
    asked = request.query_params.get("span", "")
    return asked if asked in SPANS else "1h"


def _shown(sight: Sight, span: str) -> dict[str, Any]:
    rows = number_rows(sight.pages, sight.episodes)
    servers = [each.name for each in sight.pages]
    now = quantised(sight.at, SPANS[span])
    holders = {
        page.name: frozenset(each.holder for each in page.resources if each.up)
        for page in sight.pages
        if page.resources
    }
    title = f"Who served the numbers of {', '.join(holders)} in the last {_NAMES[span]}"
    shown = lanes(holders, sight.episodes, now, sight.begun)
    picture = draw(shown, servers, now, SPANS[span], title)
    return {
        "rows": rows,
        "servers": [(name, f"s{place % COLOURS}") for place, name in enumerate(servers)],
        "picture": Markup(picture) if holders else "",
        "episodes": episode_rows(sight.episodes)[:_ROWS],
        "agents": sight.agents,
        "now": now,
        "summary": overview_summary(rows, sight.agents),
    }

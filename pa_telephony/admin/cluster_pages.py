"""Server Status and Control Center: what runs, and what an operator does about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pa_telephony.admin.administration import Administration, form_of
from pa_telephony.admin.editing import first
from pa_telephony.admin.following import following
from pa_telephony.admin.managed import NoServers
from pa_telephony.admin.operations import Verb
from pa_telephony.admin.order_pages import OrderPages
from pa_telephony.admin.rendering import BASE, fragment, render
from pa_telephony.admin.views import (
    control_rows,
    control_summary,
    holding,
    service_rows,
    status_groups,
    status_summary,
)
from pa_telephony.failover.identity import Kind
from pa_telephony.failover.services import answer_of, services
from pa_telephony.failover.sight import Sight
from pa_telephony.failover.status import ServerStatus

__all__ = ["ClusterPages"]

_STATUS = f"{BASE}/server-status"
_CONTROL = f"{BASE}/control-center"
_VERBS = {each.value: each for each in Verb}


class ClusterPages:
    """The two pages, and the events that keep them up to date."""

    def __init__(self, administration: Administration) -> None:
        self._all = administration
        self._orders = OrderPages(administration)

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            *self._orders.routes(),
            Route(_STATUS, self.status),
            Route(f"{_STATUS}/events", self.status_events),
            Route(_CONTROL, self.control_center, methods=["GET", "POST"]),
            Route(f"{_CONTROL}/events", self.control_events),
        ]

    # ---------------------------------------------------------------------- Server Status

    async def status(self, request: Request) -> Response:
        """The status of the server that is named, or of the first."""
        try:
            pages = await self._all.managed.status()
        except NoServers:
            return render(request, "server_status.html", names=(), name="", shown=None)
        name = request.query_params.get("server", "")
        shown = _shown(pages, name)
        if shown is None:
            return render(
                request, "refused.html", 404, title="Server Status", why="There is no such server."
            )
        names = tuple(each.name for each in pages)
        return render(
            request, "server_status.html", names=names, name=shown.name, shown=_status(pages, name)
        )

    async def status_events(self, request: Request) -> Response:
        """The same, whenever it changes."""
        name = request.query_params.get("server", "")

        def draw(sight: Sight) -> str:
            shown = _status(sight.pages, name)
            return "" if shown is None else fragment("server_status_live.html", shown=shown)

        return following(self._all, request, f"status {name}", draw)

    # ---------------------------------------------------------------------- Control Center

    async def control_center(self, request: Request) -> Response:
        """All that can be started and stopped."""
        if request.method == "POST":
            return await self._order(request)
        present = await self._all.managed.present()
        try:
            pages = await self._all.managed.status()
        except NoServers:
            pages = ()
        return render(
            request,
            "control_center.html",
            shown=_control(pages),
            services=service_rows(present.config),
        )

    async def control_events(self, request: Request) -> Response:
        """The servers' rows, whenever they change."""

        def draw(sight: Sight) -> str:
            return fragment("control_center_live.html", shown=_control(sight.pages))

        return following(self._all, request, "control", draw)

    async def _order(self, request: Request) -> Response:
        """Do what a button says: an order, and the server whose it is, or nothing for all."""
        verb, _, subject = first(form_of(request), "do").partition(" ")
        if verb in _VERBS:
            return await self._orders.give(request, _VERBS[verb], subject, form_of(request))
        told = "There is no such button."
        if verb in ("start-service", "stop-service"):
            told = await self._of_service(subject)
        await self._all.note(request, f"{verb} {subject or 'all'}"[:200], result=told[:500])
        return await self._all.leave(request, told, _CONTROL)

    async def _of_service(self, subject: str) -> str:
        """What Start and Stop of a license manager or a speech server answer; a group's for all."""
        rows = services((await self._all.managed.present()).config)
        told = [
            answer_of(each)
            for each in rows
            if f"{each.group.value}: {each.name}, ".startswith(f"{subject}, ")
            or each.group.value == subject
        ]
        return "\n".join(told) or "There is no such row."


def _shown(pages: Sequence[ServerStatus], name: str) -> ServerStatus | None:
    """The page of the server that is named, or the first when none is; None for no such server."""
    return next((each for each in pages if not name or each.name == name), None)


def _status(pages: Sequence[ServerStatus], name: str) -> dict[str, Any] | None:
    page = _shown(pages, name)
    if page is None:
        return None
    return {
        "page": page,
        "groups": status_groups(page, pages),
        "summary": status_summary(page),
        "ports": len(page.of_kind(Kind.PORT)),
        "holding": holding(page, pages),
    }


def _control(pages: Sequence[ServerStatus]) -> dict[str, Any]:
    rows = control_rows(pages)
    return {"rows": rows, "summary": control_summary(rows)}

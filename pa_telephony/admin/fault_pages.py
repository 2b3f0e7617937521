"""Demo > Faults: kill a server, stop it dead, cut it off; there only with ``--demo``."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pa_telephony.admin.administration import Administration, form_of
from pa_telephony.admin.demo_faults import DemoFaults, Fault
from pa_telephony.admin.editing import first
from pa_telephony.admin.following import following
from pa_telephony.admin.operations import progress
from pa_telephony.admin.rendering import FAULTS, fragment, render
from pa_telephony.failover.intent import Command
from pa_telephony.failover.sight import Sight

__all__ = ["FaultPages"]

_FAULTS = {each.value: each for each in Fault}


class FaultPages:
    """The page, and the events that keep it up to date."""

    def __init__(self, administration: Administration, faults: DemoFaults) -> None:
        self._all = administration
        self._faults = faults

    def routes(self) -> list[Route]:
        """Where it is."""
        return [
            Route(FAULTS, self.page, methods=["GET", "POST"]),
            Route(f"{FAULTS}/events", self.events),
        ]

    async def page(self, request: Request) -> Response:
        """Each server with what can be done to it."""
        if request.method == "POST":
            return await self._do(request)
        return render(request, "faults.html", shown=self._shown(await self._all.managed.sight()))

    async def events(self, request: Request) -> Response:
        """The same, whenever it changes."""

        def draw(sight: Sight) -> str:
            return fragment("faults_live.html", shown=self._shown(sight))

        return following(self._all, request, "faults", draw)

    async def _do(self, request: Request) -> Response:
        verb, _, name = first(form_of(request), "do").partition(" ")
        servers = (await self._all.managed.present()).config.servers
        if all(each.server_name != name for each in servers):
            told = "There is no such server."
        elif verb == Command.START.value:
            answers = await self._all.managed.order(Command.START, [name], within=3.0)
            told = "\n".join(each.words for each in answers)
        elif verb in _FAULTS:
            told = self._faults.do(name, _FAULTS[verb])
        else:
            told = "There is no such button."
        await self._all.note(request, f"fault {verb} {name}: {told}"[:500])
        return await self._all.leave(request, told, FAULTS)

    def _shown(self, sight: Sight) -> dict[str, Any]:
        rows = [(each, progress(each), self._faults.look(each.name)) for each in sight.pages]
        words = ", ".join(f"{page.name}: {page.state}" for page, _, __ in rows)
        return {"rows": rows, "summary": words}

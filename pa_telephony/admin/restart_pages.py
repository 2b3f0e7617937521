"""Rolling restart: servers are chosen and restarted one after the other, with callers answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pa_telephony.admin.administration import WAITED, Administration, form_of
from pa_telephony.admin.editing import first
from pa_telephony.admin.fields import FormRefused
from pa_telephony.admin.following import following
from pa_telephony.admin.operations import Verb, deadline_of
from pa_telephony.admin.rendering import BASE, fragment, render
from pa_telephony.admin.roll_view import restart_question, roll_heading, roll_steps
from pa_telephony.errors import LocalProtocolError
from pa_telephony.failover.sight import Sight

__all__ = ["RestartPages"]

_PATH = f"{BASE}/control-center/restart"


class RestartPages:
    """The page, and the events that keep it up to date."""

    def __init__(self, administration: Administration) -> None:
        self._all = administration

    def routes(self) -> list[Route]:
        """Where it is."""
        return [
            Route(_PATH, self.page, methods=["GET", "POST"]),
            Route(f"{_PATH}/events", self.events),
        ]

    async def page(self, request: Request) -> Response:
        """The restart that goes on, or was the last one; and what begins another."""
        if request.method == "POST":
            match first(form_of(request), "do"):
                case "restart":
                    return await self._restart(request)
                case "undo":
                    return await self._undo(request)
                case _:
                    return await self._all.leave(request, "There is no such button.", _PATH)
        return await self._draw(request)

    async def events(self, request: Request) -> Response:
        """How far it is, whenever that changes."""

        def draw(sight: Sight) -> str:
            return fragment("restart_live.html", shown=_shown(sight))

        return following(self._all, request, "restart", draw)

    async def _restart(self, request: Request) -> Response:
        posted = form_of(request)
        sight = await self._all.managed.sight()
        known = [each.name for each in sight.pages]
        names = [name for name in known if name in posted.get("server", ())]
        typed = first(posted, "deadline")
        try:
            deadline = int(deadline_of(Verb.DRAIN, typed) or 0)
        except FormRefused as refused:
            why = "; ".join(refused.problems.fields[Verb.DRAIN.value])
            return await self._draw(request, names, typed, wrong={"deadline": why})
        if not names:
            wrong = {"server": "choose the servers to restart"}
            return await self._draw(request, names, typed, wrong=wrong)
        asked = restart_question(names, sight.pages, deadline)
        if asked is not None and first(posted, "really") != "yes":
            sent = [*(("server", name) for name in names), ("deadline", str(deadline))]
            return render(
                request, "question.html", question=asked, action=_PATH, do="restart", sent=sent
            )
        what = f"restart {', '.join(names)}"[:200]
        number = await self._all.note(request, what, result=WAITED)
        try:
            told = await self._all.managed.restart(names, deadline)
        except LocalProtocolError as error:
            await self._all.amend(number, f"refused: {error}"[:500])
            return await self._draw(request, names, typed, refused=str(error))
        await self._all.amend(number, told[:500])
        return await self._all.leave(request, told, _PATH)

    async def _undo(self, request: Request) -> Response:
        told = await self._all.managed.undo_restart()
        await self._all.note(request, "restart undone", result=told[:500])
        return await self._all.leave(request, told, _PATH)

    async def _draw(
        self,
        request: Request,
        chosen: Sequence[str] = (),
        typed: str = "3600",
        *,
        wrong: dict[str, str] | None = None,
        refused: str = "",
    ) -> Response:
        sight = await self._all.managed.sight()
        status = 422 if wrong else 409 if refused else 200
        return render(
            request,
            "restart.html",
            status,
            shown=_shown(sight),
            servers=[each.name for each in sight.pages],
            chosen=chosen,
            typed=typed,
            wrong=wrong or {},
            refused=refused,
        )


def _shown(sight: Sight) -> dict[str, Any]:
    roll = sight.roll
    if roll is None:
        return {"roll": None, "steps": (), "heading": "", "why": "", "summary": "no restart yet"}
    failed = not roll.goes_on and roll.why
    return {
        "roll": roll,
        "steps": roll_steps(roll, sight.pages),
        "heading": roll_heading(roll),
        "why": roll.why if failed else "",
        "summary": str(roll),
    }

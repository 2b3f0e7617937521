"""Orders of an operator: the page of one server's, and the question before calls end.

Start, Stop and Drain of the Control Center come here, too, so that every order takes one way.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import trio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pa_telephony.admin.administration import WAITED, Administration, form_of
from pa_telephony.admin.editing import first
from pa_telephony.admin.fields import FormRefused, Posted
from pa_telephony.admin.operations import (
    LONGEST,
    Verb,
    deadline_of,
    progress,
    question,
    standing,
)
from pa_telephony.admin.rendering import BASE, render
from pa_telephony.errors import ConfigurationError, TelephonyError
from pa_telephony.failover.intent import DRAINS_WITHIN, named
from pa_telephony.failover.status import ServerStatus

__all__ = ["OrderPages"]

_CONTROL = f"{BASE}/control-center"
_PATH = f"{_CONTROL}/orders"
_VERBS = {each.value: each for each in Verb}
_FOR_ALL = (Verb.START, Verb.STOP)
_WITHIN = {Verb.START: 10.0, Verb.STOP: 10.0, Verb.STOP_ALONE: 10.0, Verb.RETURN: 4.0}
_STANDS = {"to": "", "drain-deadline": "3600", "move-deadline": "", "return-deadline": "0"}
"""What stands in the fields when the page is opened."""
_SOON = 1.0
"""Seconds to wait for what comes of an order: where calls are waited for, no person waits."""


class OrderPages:
    """All orders that a server can be given."""

    def __init__(self, administration: Administration) -> None:
        self._all = administration

    def routes(self) -> list[Route]:
        """Where they are given."""
        return [Route(_PATH, self.page, methods=["GET", "POST"])]

    async def page(self, request: Request) -> Response:
        """The orders of the server that is named."""
        name = request.query_params.get("server", "")
        if request.method == "POST":
            posted = form_of(request)
            verb = _VERBS.get(first(posted, "do"))
            if verb is None:
                return await self._all.leave(request, "There is no such button.", _CONTROL)
            return await self.give(request, verb, name, posted)
        return await self._draw(request, name)

    async def _draw(
        self,
        request: Request,
        name: str,
        typed: Posted | None = None,
        why: FormRefused | None = None,
    ) -> Response:
        pages = await self._all.managed.status()
        page = next((each for each in pages if each.name == name), None)
        if page is None:
            return render(
                request, "refused.html", 404, title="Orders", why="There is no such server."
            )
        cluster = (await self._all.managed.present()).cluster
        return render(
            request,
            "orders.html",
            200 if why is None else 422,
            page=page,
            orders=standing(page),
            progress=progress(page),
            candidates=cluster.candidates(name),
            action=f"{_PATH}?server={quote(name)}",
            typed=_STANDS | {name: first(typed or {}, name) for name in typed or {}},
            why={} if why is None else why.problems.fields,
            longest=LONGEST,
        )

    async def give(self, request: Request, verb: Verb, subject: str, posted: Posted) -> Response:
        """Give an order to a server, or to all where ``subject`` is blank; asks where calls end."""
        try:
            names, pages = await self._whom(verb, subject)
            to = first(posted, "to")
            if verb is Verb.MOVE and to not in (await self._candidates(subject)):
                raise FormRefused.because("choose a server that may stand in", verb.value)
            deadline = deadline_of(verb, first(posted, f"{verb.value}-deadline"))
        except ConfigurationError as error:
            return await self._told(request, verb, subject, error.rule)
        except FormRefused as refused:
            return await self._draw(request, subject, posted, refused)
        asked = question(verb, names, pages, to, deadline)
        if asked is not None and first(posted, "really") != "yes":
            seconds = "" if deadline is None else str(int(deadline))
            return render(
                request,
                "question.html",
                question=asked,
                action=f"{_PATH}?server={quote(subject)}",
                do=verb.value,
                sent=[("to", to), (f"{verb.value}-deadline", seconds)],
            )
        number = await self._all.note(request, _what(verb, subject), result=WAITED)
        told = WAITED
        try:
            told = await self._order(verb, names, to, deadline)
        except TelephonyError as error:
            told = f"refused: {error}"
            raise
        finally:
            with trio.CancelScope(shield=True):
                await self._all.amend(number, told[:500])
        return await self._all.leave(request, told, _CONTROL)

    async def _whom(self, verb: Verb, subject: str) -> tuple[Sequence[str], Sequence[ServerStatus]]:
        """The servers that an order is for, and what all of them do."""
        if not subject and verb not in _FOR_ALL:
            raise ConfigurationError("Name a server.")
        cluster = (await self._all.managed.present()).cluster
        names = named(cluster, [subject] if subject else [])
        return names, await self._all.managed.status()

    async def _candidates(self, home: str) -> Sequence[str]:
        return (await self._all.managed.present()).cluster.candidates(home)

    async def _order(
        self, verb: Verb, names: Sequence[str], to: str, deadline: float | None
    ) -> str:
        managed, within = self._all.managed, _WITHIN.get(verb, _SOON)
        seconds = None if deadline is None else int(deadline)
        if (command := verb.command) is not None:
            answers = await managed.order(
                command,
                names,
                within=within,
                deadline=DRAINS_WITHIN if seconds is None else seconds,
            )
            return "\n".join(each.words for each in answers)
        (name,) = names
        match verb:
            case Verb.MOVE | Verb.MOVE_BACK:
                where = to if verb is Verb.MOVE else None
                answer = await managed.move(name, where or name, within=within, deadline=seconds)
            case Verb.RETURN | Verb.RETURN_UNDO:
                undo = verb is Verb.RETURN_UNDO
                answer = await managed.bring_back(
                    name, undo=undo, within=within, deadline=seconds or 0
                )
            case _:
                answer = await managed.hold(name, undo=verb is Verb.HOLD_UNDO, within=within)
        return answer.words

    async def _told(self, request: Request, verb: Verb, subject: str, told: str) -> Response:
        await self._all.note(request, _what(verb, subject), result=told[:500])
        return await self._all.leave(request, told, _CONTROL)


def _what(verb: Verb, subject: str) -> str:
    return f"{verb.value} {subject or 'all'}"[:200]

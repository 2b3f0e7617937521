"""Call Manager: its devices, calls, route points and applications, and what operators do there."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pa_telephony.admin.administration import Administration, form_of
from pa_telephony.admin.alarm_log import counted
from pa_telephony.admin.call_manager_view import FORWARDS, Deed, Seen, ask_drop, done, shown, sound
from pa_telephony.admin.editing import first
from pa_telephony.admin.fields import Posted
from pa_telephony.admin.following import streaming
from pa_telephony.admin.rendering import BASE, fragment, render
from pa_telephony.callmanager.control.deeds import in_words
from pa_telephony.callmanager.control.requests import (
    Drop,
    MessageWaiting,
    Reset,
    Restart,
    SetForward,
)
from pa_telephony.errors import TelephonyError

__all__ = ["CallManagerPages"]

_PATH = f"{BASE}/call-manager"
_DEVICE = f"{_PATH}/device"
_LONGEST = 200
_DIGITS = 12


class CallManagerPages:
    """The page, that of one device, and the events that keep the first one up to date."""

    def __init__(self, administration: Administration) -> None:
        self._all = administration

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route(_PATH, self.page, methods=["GET", "POST"]),
            Route(f"{_PATH}/events", self.events),
            Route(_DEVICE, self.device, methods=["GET", "POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """All that there is; devices are those that are found by what was typed."""
        if request.method == "POST":
            return await self._do(request, _PATH)
        find = _find(request)
        seen = await self._all.call_manager.look()
        return render(
            request,
            "call_manager.html",
            shown=shown(seen, find),
            sound=sound,
            find=find,
            events=f"{_PATH}/events?find={quote(find)}",
        )

    async def events(self, request: Request) -> Response:
        """The same, whenever it changes."""
        find = _find(request)

        def drawn(seen: Seen) -> str:
            alarms = counted(len(self._all.alarms.log.present))
            words = fragment("call_manager_live.html", shown=shown(seen, find), sound=sound)
            return f"{alarms}\n{words}"

        return streaming(self._all, request, self._all.live_call_manager, find, drawn)

    async def device(self, request: Request) -> Response:
        """One device, with its lines and what can be done to them."""
        name = request.query_params.get("name", "")
        here = f"{_DEVICE}?name={quote(name)}"
        if request.method == "POST":
            return await self._do(request, here)
        seen = await self._all.call_manager.look("devices")
        if seen.why:
            return RedirectResponse(_PATH, 303)
        found = next((each for each in seen.picture.devices if each.name == name), None)
        if found is None:
            why = "The call manager has no such device."
            return render(request, "refused.html", 404, title="Call Manager", why=why)
        return render(
            request,
            "call_manager_device.html",
            device=found,
            forwards=FORWARDS,
            resets=found.kind in ("phone", "media port"),
            action=here,
        )

    async def _do(self, request: Request, back: str) -> Response:
        """Do what a button says, and tell what has come of it."""
        posted = form_of(request)
        deed = _deed(posted)
        if isinstance(deed, str):
            return await self._all.leave(request, deed, back)
        link = self._all.call_manager
        try:
            if isinstance(deed, Drop) and first(posted, "really") != "yes":
                calls = (await link.ask("calls")).picture.calls
                call = next((each for each in calls if each.id == deed.call), None)
                if call is None:
                    return await self._all.leave(request, "The call has ended already.", back)
                return render(
                    request,
                    "question.html",
                    question=ask_drop(call),
                    action=_PATH,
                    do=f"drop {call.id}",
                    sent=[],
                    back=_PATH,
                )
            await link.do(deed)
            told = done(deed)
        except TelephonyError as error:
            told = f"Not done: {error}."
        await self._all.note(request, f"call manager: {in_words(deed)}"[:200], result=told[:500])
        return await self._all.leave(request, told, back)


def _find(request: Request) -> str:
    return request.query_params.get("find", "")[:_LONGEST]


def _deed(posted: Posted) -> Deed | str:
    """What a form asks for, or why it asks for nothing."""
    verb, _, subject = first(posted, "do").partition(" ")
    line, partition = first(posted, "line"), first(posted, "partition")
    match verb:
        case "reset":
            return Reset(device=subject)
        case "restart":
            return Restart(device=subject)
        case "drop" if subject.isascii() and subject.isdigit() and len(subject) < _DIGITS:
            return Drop(call=int(subject))
        case "lamp-on" | "lamp-off":
            return MessageWaiting(line=line, on=verb == "lamp-on", partition=partition)
        case "forward" if first(posted, "kind") in FORWARDS:
            number = first(posted, "number").strip()
            if not number:
                return "Name the number that calls are to be forwarded to."
            kind = first(posted, "kind")
            return SetForward(line=line, kind=kind, number=number, partition=partition)
        case "clear" if subject in FORWARDS:
            return SetForward(line=line, kind=subject, partition=partition)
        case _:
            return "There is no such button."

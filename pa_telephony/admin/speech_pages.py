"""Speech Services: every field of the page, kept until there is an engine that reads it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pa_telephony.admin.administration import Administration, form_of, session_of
from pa_telephony.admin.editing import Edit, edit, first, opened
from pa_telephony.admin.rendering import BASE, render
from pa_telephony.admin.speech_form import GROUPS, SPEECH_FORM, values_of, with_speech
from pa_telephony.failover.speech import LOCALES, SpeechConfig

__all__ = ["SpeechPages"]

_PATH = f"{BASE}/speech-services"


class SpeechPages:
    """The page Speech Services."""

    def __init__(self, administration: Administration) -> None:
        self._all = administration

    def routes(self) -> list[Route]:
        """Where it is."""
        return [Route(_PATH, self.page, methods=["GET", "POST"])]

    async def page(self, request: Request) -> Response:
        """The form, and the button that refreshes what callers may say."""
        managed = self._all.managed
        if request.method != "POST":
            present = await managed.present()
            return _draw(request, opened(present, values_of(present.config.speech)))
        posted = form_of(request)
        if first(posted, "do") == "refresh":
            told = "Nothing was refreshed: there is no speech engine. Not installed."
            return await self._all.leave(request, told, _PATH)
        by = session_of(request).account
        good = values_of(SpeechConfig())
        found = await edit(managed, SPEECH_FORM, posted, with_speech, by, good)
        if found.saved is not None:
            number = found.saved.revision.number
            await self._all.note(request, "saved Speech Services", result=f"revision {number}")
            return await self._all.leave(request, "\n".join(found.told), _PATH)
        return _draw(request, found)


def _draw(request: Request, found: Edit) -> Response:
    supported: tuple[str, ...] = found.values["supported_locales"]
    context: dict[str, Any] = {
        "form": SPEECH_FORM,
        "groups": GROUPS,
        "found": found,
        "name": "Speech Services",
        "names": (),
        "choices": {"default_locale": supported},
        "available": [each for each in LOCALES if each not in supported],
        "loads": (),
        "deletes": False,
        "action": _PATH,
        "warnings": (),
    }
    if request.headers.get("x-fragment"):
        return render(request, "preview.html", **context)
    status = 422 if found.problems else 409 if found.overtaken else 200
    return render(request, "speech_services.html", status, **context)

"""Cluster Settings: what callers hear, and the times by which servers judge each other."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pa_telephony.admin.administration import Administration, form_of, session_of
from pa_telephony.admin.editing import Edit, edit, opened
from pa_telephony.admin.rendering import BASE, render
from pa_telephony.admin.settings_form import SETTINGS_FORM, values_of, with_settings
from pa_telephony.failover.config import ClusterConfig

__all__ = ["SettingsPages"]

_PATH = f"{BASE}/cluster-settings"


class SettingsPages:
    """The page Cluster Settings."""

    def __init__(self, administration: Administration) -> None:
        self._all = administration

    def routes(self) -> list[Route]:
        """Where it is."""
        return [Route(_PATH, self.page, methods=["GET", "POST"])]

    async def page(self, request: Request) -> Response:
        """The form of the settings."""
        managed = self._all.managed
        if request.method != "POST":
            present = await managed.present()
            return _draw(request, opened(present, values_of(present.config)))
        by, good = session_of(request).account, values_of(ClusterConfig(()))
        found = await edit(managed, SETTINGS_FORM, form_of(request), with_settings, by, good)
        if found.saved is not None:
            number = found.saved.revision.number
            await self._all.note(request, "saved Cluster Settings", result=f"revision {number}")
            return await self._all.leave(request, "\n".join(found.told), _PATH)
        return _draw(request, found)


def _draw(request: Request, found: Edit) -> Response:
    context: dict[str, Any] = {
        "form": SETTINGS_FORM,
        "found": found,
        "name": None,
        "choices": {},
        "loads": (),
        "action": _PATH,
        "warnings": (),
    }
    if request.headers.get("x-fragment"):
        return render(request, "preview.html", **context)
    status = 422 if found.problems else 409 if found.overtaken else 200
    return render(request, "cluster_settings.html", status, **context)

"""Telephony: the JTAPI and Skinny providers."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pa_telephony.admin.administration import Administration, form_of, session_of
from pa_telephony.admin.editing import Edit, edit, first, opened, remove
from pa_telephony.admin.fields import FormRefused, Values
from pa_telephony.admin.provider_form import (
    FORMS,
    TYPES,
    blank,
    values_of,
    with_provider,
    without_provider,
)
from pa_telephony.admin.rendering import BASE, render
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.config import ClusterConfig, JtapiProvider, SkinnyProvider

__all__ = ["TelephonyPages"]

_PATH = f"{BASE}/telephony"


class TelephonyPages:
    """The page, for each provider and for a new one of each type."""

    def __init__(self, administration: Administration) -> None:
        self._all = administration

    def routes(self) -> list[Route]:
        """Where it is."""
        return [Route(_PATH, self.page, methods=["GET", "POST"])]

    async def page(self, request: Request) -> Response:
        """The form of the provider that is named, or of a new one."""
        present = await self._all.managed.present()
        providers = present.config.providers
        kind = request.query_params.get("new", "")
        if kind not in FORMS:
            kind = "" if providers else "jtapi"
        name = request.query_params.get("provider", "")
        if not kind and not name:
            name = providers[0].name
        provider = next((each for each in providers if each.name == name), None)
        if not kind and provider is None:
            why = f"There is no provider {name} any more."
            return render(request, "refused.html", 404, title="Telephony Configuration", why=why)
        if request.method == "POST":
            return await self._sent(request, None if kind else provider, kind)
        if kind or provider is None:
            return _draw(request, opened(present, blank(kind)), None, kind)
        return _draw(request, opened(present, values_of(provider)), provider.name, provider.type)

    async def _sent(
        self, request: Request, provider: JtapiProvider | SkinnyProvider | None, new: str
    ) -> Response:
        name, kind = (None, new) if provider is None else (provider.name, provider.type)
        posted, managed = form_of(request), self._all.managed
        by = session_of(request).account
        if name is not None and first(posted, "do").startswith("delete"):
            found = await remove(
                managed, posted, FORMS[kind], lambda config: _without(config, name), by
            )
            if found.saved is not None:
                return await self._saved(request, found, f"deleted {name}", _PATH)
            return _draw(request, found, name, kind, deletes=True)

        def build(config: ClusterConfig, values: Values) -> Cluster:
            forget = bool(first(posted, "forget-password"))
            return with_provider(config, name, kind, values, forget=forget)

        good = blank(kind) | {"name": "some-new-provider"}
        if provider is not None:
            good = values_of(provider)
        found = await edit(managed, FORMS[kind], posted, build, by, good)
        if found.saved is not None:
            now = found.values["name"]
            return await self._saved(
                request, found, f"saved {now}", f"{_PATH}?provider={quote(now)}"
            )
        return _draw(request, found, name, kind)

    async def _saved(self, request: Request, found: Edit, what: str, to: str) -> Response:
        assert found.saved is not None
        await self._all.note(request, what, result=f"revision {found.saved.revision.number}")
        return await self._all.leave(request, "\n".join(found.told), to)


def _without(config: ClusterConfig, name: str) -> Cluster:
    if all(each.name != name for each in config.providers):
        raise FormRefused.because(f"there is no provider {name!r} any more")
    return without_provider(config, name)


def _draw(
    request: Request, found: Edit, name: str | None, kind: str, *, deletes: bool = False
) -> Response:
    providers = found.present.config.providers
    before = next((each for each in providers if each.name == name), None)
    # What was typed is not sent back, either; so it has to be typed again.
    retype = bool(found.values.get("password"))
    found.values = found.values | {"password": ""}
    context: dict[str, Any] = {
        "form": FORMS[kind],
        "found": found,
        "name": name,
        "kind": kind,
        "types": TYPES,
        "names": [(each.name, TYPES[each.type]) for each in providers],
        "choices": {},
        "loads": (),
        "deletes": deletes,
        "action": f"{_PATH}?provider={quote(name)}" if name else f"{_PATH}?new={kind}",
        "retype": retype,
        "has_password": isinstance(before, JtapiProvider) and bool(before.password),
        "warnings": (),
    }
    if request.headers.get("x-fragment"):
        return render(request, "preview.html", **context)
    status = 422 if found.problems else 409 if found.overtaken else 200
    return render(request, "telephony.html", status, **context)

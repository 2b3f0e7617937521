"""Server Configuration: servers are added, named, filled in, saved and removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pa_telephony.admin.administration import Administration, form_of, session_of
from pa_telephony.admin.editing import Edit, edit, first, opened, remove
from pa_telephony.admin.fields import FormRefused, Values
from pa_telephony.admin.managed import Present
from pa_telephony.admin.rendering import BASE, render
from pa_telephony.admin.server_form import (
    SERVER_FORM,
    blank,
    choices,
    entry_problem,
    loads,
    values_of,
    with_server,
    without_server,
)
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.config import ClusterConfig
from pa_telephony.failover.missing import toml_lines

__all__ = ["ConfigurationPages"]

_PATH = f"{BASE}/server-configuration"


class ConfigurationPages:
    """The page, for each server and for a new one."""

    def __init__(self, administration: Administration) -> None:
        self._all = administration

    def routes(self) -> list[Route]:
        """Where it is."""
        return [Route(_PATH, self.page, methods=["GET", "POST"])]

    async def page(self, request: Request) -> Response:
        """The form of the server that is named, or of a new one."""
        present = await self._all.managed.present()
        names = [each.server_name for each in present.config.servers]
        adds = "new" in request.query_params or not names
        name = request.query_params.get("server", "" if adds else names[0])
        if request.method == "POST":
            return await self._sent(request, name if name else None)
        if adds:
            return await self._draw(request, opened(present, blank(present.config)), None)
        server = next((s for s in present.config.servers if s.server_name == name), None)
        if server is None:
            why = f"There is no server {name} any more."
            return render(request, "refused.html", 404, title="Server Configuration", why=why)
        return await self._draw(request, opened(present, values_of(server)), name)

    async def _sent(self, request: Request, name: str | None) -> Response:
        posted = form_of(request)
        by = session_of(request).account
        managed = self._all.managed
        if name is not None and first(posted, "do").startswith("delete"):
            found = await remove(
                managed, posted, SERVER_FORM, lambda config: _without(config, name), by
            )
            if found.saved is not None:
                return await self._saved(request, found, f"deleted {name}", _PATH)
            return await self._draw(request, found, name, deletes=True)

        def build(config: ClusterConfig, values: Values) -> Cluster:
            return with_server(config, name, values)

        good = await self._good(name)
        found = await edit(managed, SERVER_FORM, posted, build, by, good, _entry_problem(name))
        if found.saved is not None:
            now = found.values["server_name"]
            return await self._saved(request, found, f"saved {now}", f"{_PATH}?server={quote(now)}")
        return await self._draw(request, found, name)

    async def _good(self, name: str | None) -> Values:
        """What may stand in the form: what does, or for a new server hardly anything."""
        config = (await self._all.managed.present()).config
        for each in config.servers:
            if each.server_name == name:
                return values_of(each)
        some_name, some_host = "some-new-server", "192.0.2.1"
        return blank(config) | {"server_name": some_name, "hostname_or_ip_address": some_host}

    async def _saved(self, request: Request, found: Edit, what: str, to: str) -> Response:
        assert found.saved is not None
        await self._all.note(request, what, result=f"revision {found.saved.revision.number}")
        return await self._all.leave(request, "\n".join(found.told), to)

    async def _draw(
        self, request: Request, found: Edit, name: str | None, *, deletes: bool = False
    ) -> Response:
        present = found.present
        context: dict[str, Any] = {
            "form": SERVER_FORM,
            "found": found,
            "name": name,
            "names": [each.server_name for each in present.config.servers],
            "choices": choices(present.config),
            "loads": _loads(present, found, name),
            "deletes": deletes,
            "action": f"{_PATH}?server={quote(name)}" if name else f"{_PATH}?new",
            "warnings": _warnings(found),
            "lacking": await self._all.call_manager.lacking(found.meant or present.config),
            "toml_lines": toml_lines,
        }
        if request.headers.get("x-fragment"):
            return render(request, "server_preview.html", **context)
        status = 422 if found.problems else 409 if found.overtaken else 200
        return render(request, "server_configuration.html", status, **context)


def _without(config: ClusterConfig, name: str) -> Cluster:
    if all(each.server_name != name for each in config.servers):
        raise FormRefused.because(f"there is no server {name!r} any more")
    return without_server(config, name)


def _entry_problem(
    old: str | None,
) -> Callable[[ClusterConfig, Values, str, tuple[str, ...]], str]:
    def problem(config: ClusterConfig, values: Values, field: str, entries: tuple[str, ...]) -> str:
        return entry_problem(config, old, values["server_name"], field, entries)

    return problem


def _loads(present: Present, found: Edit, name: str | None) -> tuple[Any, ...]:
    """The loads of the server as it is meant, or else as it is."""
    cluster = found.meant
    meant = found.values.get("server_name", "")
    if cluster is not None and any(each.server_name == meant for each in cluster.servers):
        return tuple(loads(cluster, meant))
    config = present.config
    if isinstance(config, Cluster) and any(each.server_name == name for each in config.servers):
        return tuple(loads(config, str(name)))
    return ()


def _warnings(found: Edit) -> tuple[str, ...]:
    """The warnings that the cluster would have, when something changes."""
    if found.meant is None or found.proposal is None or found.proposal.transaction is None:
        return ()
    return tuple(found.meant.warnings())

"""Configuration History: the revisions, compared, made present again, and downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pa_telephony.admin.administration import Administration, form_of, session_of
from pa_telephony.admin.editing import first
from pa_telephony.admin.history import compared, numbered, revision_rows
from pa_telephony.admin.rendering import BASE, render
from pa_telephony.errors import ConfigurationError
from pa_telephony.failover.cluster import Cluster
from pa_telephony.failover.configuring import exported, read_configuration
from pa_telephony.failover.stored import Revision

__all__ = ["HistoryPages"]

_PATH = f"{BASE}/configuration-history"


class HistoryPages:
    """The list, and what is done with one revision."""

    def __init__(self, administration: Administration) -> None:
        self._all = administration

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route(_PATH, self.page),
            Route(f"{_PATH}/compare", self.compare),
            Route(f"{_PATH}/undo", self.undo, methods=["GET", "POST"]),
            Route(f"{_PATH}/download", self.download, methods=["POST"]),
        ]

    async def _revisions(self) -> tuple[Revision, ...]:
        return await read_configuration(self._all.managed.store)

    async def page(self, request: Request) -> Response:
        """All revisions that the store keeps."""
        revisions = await self._revisions()
        return _draw(request, revisions)

    async def compare(self, request: Request) -> Response:
        """Two revisions, whichever they are; the older one is the one before."""
        revisions = await self._revisions()
        asked = [numbered(revisions, request.query_params.get(each, "")) for each in ("one", "two")]
        found = sorted((each for each in asked if each is not None), key=lambda each: each.number)
        if len(found) != 2:
            return _gone(request)
        before, after = found
        return render(
            request,
            "history_compare.html",
            before=before,
            after=after,
            compared=compared(before, after),
        )

    async def undo(self, request: Request) -> Response:
        """Say what it would do to make a revision the present one again, and do it."""
        revisions = await self._revisions()
        revision = numbered(revisions, request.query_params.get("revision", ""))
        if revision is None or revision is revisions[0]:
            return _gone(request)
        managed = self._all.managed
        try:
            cluster = managed.read(revision)
        except ConfigurationError as error:
            why = f"Revision {revision.number} cannot be read by this release: {error}"
            return render(request, "refused.html", 409, title="Configuration History", why=why)
        overtaken: tuple[str, ...] = ()
        base = revisions[0].number
        if request.method == "POST":
            posted = form_of(request)
            told = await self._make_present(request, revision, cluster, first(posted, "base"))
            if isinstance(told, Response):
                return told
            overtaken = told
            base = (await managed.present()).number
        proposal = await managed.propose(cluster)
        return render(
            request,
            "history_undo.html",
            409 if overtaken or (proposal.effect.refused and request.method == "POST") else 200,
            revision=revision,
            base=base,
            proposal=proposal,
            warnings=tuple(cluster.warnings()),
            overtaken=overtaken,
            action=f"{_PATH}/undo?revision={revision.number}",
        )

    async def _make_present(
        self, request: Request, revision: Revision, cluster: Cluster, base: str
    ) -> Response | tuple[str, ...]:
        """Save it; gives why nothing was saved."""
        managed, by = self._all.managed, session_of(request).account
        number = int(base) if base.isascii() and base.isdecimal() and len(base) < 12 else 0
        try:
            saved = await managed.save(cluster, number, by)
        except ConfigurationError as error:
            return (str(error), *getattr(error, "__notes__", ()))
        if saved.transaction is None:
            told = "Nothing has changed."
        else:
            now = saved.revision.number
            done = f"Revision {revision.number} is the present one again, as revision {now}."
            told = "\n".join((done, *saved.effect.told))
            what = f"made revision {revision.number} the present one again, revision {now}"
            await self._all.note(request, what)
        return await self._all.leave(request, told, _PATH)

    async def download(self, request: Request) -> Response:
        """The text of a revision, with its passwords: noted, and for who may change it alone."""
        revision = numbered(await self._revisions(), first(form_of(request), "revision"))
        if revision is None:
            return _gone(request)
        await self._all.note(request, f"downloaded revision {revision.number}, which has passwords")
        name = f"cluster-{revision.number}.toml"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(exported(revision), media_type="application/toml", headers=headers)


def _draw(request: Request, revisions: Sequence[Revision]) -> Response:
    context: dict[str, Any] = {"rows": revision_rows(revisions), "path_of": _PATH}
    return render(request, "history.html", **context)


def _gone(request: Request) -> Response:
    why = "The store does not have this revision, or not any more."
    return render(request, "refused.html", 404, title="Configuration History", why=why)

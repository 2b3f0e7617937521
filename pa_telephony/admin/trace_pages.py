"""Traces: what servers wrote of late, live, and to take away as JSON lines or pcap."""

from __future__ import annotations

from typing import Any

import trio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pa_telephony.admin.administration import Administration, form_of
from pa_telephony.admin.editing import first
from pa_telephony.admin.following import following
from pa_telephony.admin.rendering import BASE, fragment, render
from pa_telephony.admin.trace_files import TraceFiles
from pa_telephony.admin.traces import Only, as_pcap, rows
from pa_telephony.failover.sight import Sight

__all__ = ["TracePages"]

_PATH = f"{BASE}/traces"
_ONLY = {each.value: each for each in Only}
_LOOKS_AT = 256 << 10
"""How many bytes at the end of a file the page looks at."""
_MOST_ROWS = 50
_TAKES = 16 << 20
"""How many bytes at the end of a file can be taken away."""


class TracePages:
    """The page, its events, and the downloads; ``files`` is None without a folder of traces."""

    def __init__(self, administration: Administration, files: TraceFiles | None) -> None:
        self._all = administration
        self._files = files

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route(_PATH, self.page),
            Route(f"{_PATH}/events", self.events),
            Route(f"{_PATH}/download", self.download, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """The end of the file that is named, or of the first one."""
        files = self._files
        if files is None:
            return render(request, "traces.html", files=None)
        found = await trio.to_thread.run_sync(files.all)
        names = [each.name for each in found]
        asked = request.query_params.get("file", names[0] if names else "")
        if names and asked not in names:
            return render(request, "refused.html", 404, title="Traces", why="No such trace.")
        only = _only(request)
        shown = await trio.to_thread.run_sync(_shown, files, asked, only)
        return render(
            request, "traces.html", files=found, file=asked, only=only, onlys=[*Only], shown=shown
        )

    async def events(self, request: Request) -> Response:
        """The same, whenever it changes."""
        files, only = self._files, _only(request)
        names = [] if files is None else [each.name for each in files.all()]
        asked = request.query_params.get("file", "")
        if files is None or asked not in names:
            return Response(status_code=404)

        def draw(_: Sight) -> str:
            return fragment("traces_live.html", shown=_shown(files, asked, only))

        return following(self._all, request, f"traces {only.value} {asked}", draw)

    async def download(self, request: Request) -> Response:
        """The end of a file to take away; noted."""
        posted = form_of(request)
        name, kind = first(posted, "file"), first(posted, "as")
        files = self._files
        known = () if files is None else await trio.to_thread.run_sync(files.all)
        if files is None or name not in [each.name for each in known] or kind not in _KINDS:
            return render(request, "refused.html", 404, title="Traces", why="No such trace.")
        lines = await trio.to_thread.run_sync(files.end, name, _TAKES)
        if kind == "pcap":
            body = await trio.to_thread.run_sync(as_pcap, lines)
        else:
            body = b"".join(line + b"\n" for line in lines)
        await self._all.note(request, f"downloaded the trace {name} as {kind}")
        saved = f"{name.removesuffix('.jsonl')}.{kind}"
        headers = {"content-disposition": f'attachment; filename="{saved}"'}
        return Response(body, media_type=_KINDS[kind], headers=headers)


_KINDS = {"pcap": "application/vnd.tcpdump.pcap", "jsonl": "application/jsonl"}


def _only(request: Request) -> Only:
    return _ONLY.get(request.query_params.get("only", ""), Only.SIGNALLING)


def _shown(files: TraceFiles, name: str, only: Only) -> dict[str, Any]:
    found = rows(files.end(name, _LOOKS_AT), only, _MOST_ROWS)
    return {"rows": found}

"""All pages as one ASGI application."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from pa_telephony.admin import help_pages
from pa_telephony.admin.account_pages import AccountPages
from pa_telephony.admin.administration import Administration
from pa_telephony.admin.alarm_pages import AlarmPages
from pa_telephony.admin.api.app import Api
from pa_telephony.admin.call_manager_pages import CallManagerPages
from pa_telephony.admin.cluster_pages import ClusterPages
from pa_telephony.admin.configuration_pages import ConfigurationPages
from pa_telephony.admin.fault_pages import FaultPages
from pa_telephony.admin.front import Front
from pa_telephony.admin.gate import STATIC, Gate
from pa_telephony.admin.history_pages import HistoryPages
from pa_telephony.admin.overview_pages import OverviewPages
from pa_telephony.admin.rendering import BASE, render
from pa_telephony.admin.restart_pages import RestartPages
from pa_telephony.admin.session_pages import SessionPages
from pa_telephony.admin.settings_pages import SettingsPages
from pa_telephony.admin.speech_pages import SpeechPages
from pa_telephony.admin.telephony_pages import TelephonyPages
from pa_telephony.admin.trace_pages import TracePages

__all__ = ["make_app", "routes_of"]

_STATIC = {
    "admin.css": "text/css",
    "operations.css": "text/css",
    "admin.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


def make_app(administration: Administration) -> ASGIApp:
    """The application; whoever serves it runs ``administration.live`` beside it."""
    pages = Router(routes_of(administration), redirect_slashes=False, default=_nothing_here)
    gate = Gate(pages, administration.records, administration.access, lambda: administration.news)
    return Front(gate, Api(administration), administration.access)


def routes_of(administration: Administration) -> list[Route]:
    """Every page of the application."""
    routes = [
        Route("/", _home),
        Route("/PAsystemadmin", _home),
        Route(f"{BASE}/", _home),
        *help_pages.routes(),
        *_static(),
        *SessionPages(administration).routes(),
        *ClusterPages(administration).routes(),
        *ConfigurationPages(administration).routes(),
        *TelephonyPages(administration).routes(),
        *SpeechPages(administration).routes(),
        *SettingsPages(administration).routes(),
        *RestartPages(administration).routes(),
        *OverviewPages(administration).routes(),
        *CallManagerPages(administration).routes(),
        *AlarmPages(administration).routes(),
        *HistoryPages(administration).routes(),
        *TracePages(administration, administration.traces).routes(),
        *AccountPages(administration).routes(),
    ]
    if administration.faults is not None:
        routes += FaultPages(administration, administration.faults).routes()
    return routes


def _static() -> list[Route]:
    """The files that pages need, read once, so that no path leads anywhere else."""
    return [_file(name, kind) for name, kind in _STATIC.items()]


def _file(name: str, kind: str) -> Route:
    body = (files("pa_telephony.admin") / "static" / name).read_bytes()
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    headers = {"cache-control": "no-cache", "etag": tag}

    async def answer(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=kind, headers=headers)

    return Route(f"{STATIC}{name}", answer)


async def _home(_: Request) -> Response:
    return RedirectResponse(f"{BASE}/server-status", 303)


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    why = "There is no such page."
    response = render(Request(scope), "refused.html", 404, title="Not found", why=why)
    await response(scope, receive, send)

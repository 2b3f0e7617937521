"""Templates made into answers; what every page shows besides its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from pa_telephony import __version__
from pa_telephony.admin.advice import pieces
from pa_telephony.admin.alarm_log import counted
from pa_telephony.admin.moments import instant, moment
from pa_telephony.admin.records import Session
from pa_telephony.admin.roles import Act, act_of_page, why_not
from pa_telephony.admin.sentences import condensed
from pa_telephony.failover.status import seconds
from pa_telephony.printable import printable_lines, printable_reason

__all__ = ["BASE", "FAULTS", "MENU", "fragment", "render"]

BASE = "/PAsystemadmin"
"""Where all of it stands, as the document has it."""

MENU = {
    "System": {
        "Control Center": f"{BASE}/control-center",
        "Telephony": f"{BASE}/telephony",
        "Speech Services": f"{BASE}/speech-services",
        "Cluster Settings": f"{BASE}/cluster-settings",
        "Cluster": f"{BASE}/cluster",
        "Call Manager": f"{BASE}/call-manager",
        "Alarms": f"{BASE}/alarms",
        "Configuration History": f"{BASE}/configuration-history",
        "Traces": f"{BASE}/traces",
    },
    "Servers": {
        "Server Configuration": f"{BASE}/server-configuration",
        "Server Status": f"{BASE}/server-status",
    },
    "Help": {"Help": f"{BASE}/help"},
    "Session": {
        "Change Password": f"{BASE}/password",
        "Accounts": f"{BASE}/accounts",
        "API Tokens": f"{BASE}/tokens",
        "Audit Log": f"{BASE}/audit",
        "Log Out": f"{BASE}/log-out",
    },
}
"""The menu bar; each menu leads to its pages, of which a role sees those that it may open."""

FAULTS = f"{BASE}/demo/faults"
_DEMO_MENU = MENU | {"Demo": {"Faults": FAULTS}}

_environment = Environment(
    loader=PackageLoader("pa_telephony.admin"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_FEW = 4
"""How many reasons of one kind a page lists; the others are counted."""
_globals: dict[str, Any] = {"BASE": BASE, "FEW": _FEW, "version": __version__}
_environment.globals.update(_globals)
_filters: dict[str, Any] = {
    "condensed": condensed,
    "counted": counted,
    "instant": instant,
    "moment": moment,
    "pieces": pieces,
    "printable": printable_reason,
    "printable_lines": printable_lines,
    "seconds": seconds,
}
_environment.filters.update(_filters)


def render(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """The page of a template; it is given the session, and the message that was left for it."""
    state = request.scope.setdefault("state", {})
    session: Session | None = state.get("session")
    text = _written(
        template,
        path=request.url.path,
        session=session,
        menu=_menu(session, _DEMO_MENU if state.get("demo") else MENU),
        why_not=_why_not(session),
        csrf=state.get("csrf", ""),
        message=state.get("message", ""),
        alarms=state.get("alarms"),
        **context,
    )
    return HTMLResponse(text, status)


def _why_not(session: Session | None) -> dict[str, str]:
    """Why whoever looks may not do an act, by its name in small letters; "" when it is allowed."""
    if session is None:
        return {}
    return {each.name.lower(): why_not(session.role, each) for each in Act}


def _menu(
    session: Session | None, menus: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    if session is None:
        return {}
    found: dict[str, dict[str, str]] = {}
    for menu, pages in menus.items():
        for page, path in pages.items():
            if not why_not(session.role, act_of_page("GET", path)):
                found.setdefault(menu, {})[page] = path
    return found


def fragment(template: str, **context: Any) -> str:
    """A part of a page, for one that follows the cluster."""
    return _written(template, **context)


_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
"""What may not stand in HTML, and gets there with what somebody has typed."""


def _written(template: str, **context: Any) -> str:
    return _CONTROLS.sub("\ufffd", _environment.get_template(template).render(**context))

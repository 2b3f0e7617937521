"""Help: the steps of the document, what each page is for, and some words."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pa_telephony.admin.rendering import BASE, render

__all__ = ["ABOUT", "routes"]

ABOUT = {
    "Control Center": "Start and stop servers. More… of a server has every order with its deadline;"
    " Rolling restart… restarts servers one after the other, with callers answered.",
    "Telephony": "The JTAPI and Skinny providers: hosts of CallManager, user, password, devices.",
    "Speech Services": "What is said of speech recognition; it is kept, and nothing reads it yet.",
    "Cluster Settings": "What callers hear at a media port, who is preferred as a stand-in, and the"
    " times by which servers judge each other.",
    "Cluster": "Who has which number, since when and why; takeovers and returns; the machines.",
    "Call Manager": "The call manager's calls, devices, route points and applications; reset,"
    " message waiting, forwards, drop; the devices that it lacks.",
    "Alarms": "What is wrong now, what it means, and what to do.",
    "Configuration History": "Who saved what and when; compare, take back, download.",
    "Traces": "What servers sent and received of late; take it away as pcap or JSON lines.",
    "Server Configuration": "Add, change, rename and delete servers, with their numbers, ports and"
    " fail-over lists.",
    "Server Status": "What of a server runs, who stands in, and why something is down.",
    "Help": "This page.",
    "Change Password": "Give your account another password; its other sessions end.",
    "Accounts": "Who may come in, as reader, operator or administrator.",
    "API Tokens": "Which programs may use the API, and as what.",
    "Audit Log": "Who did what, from where, and what came of it.",
    "Log Out": "End this session, or all others of your account.",
    "Faults": "Kill a server of the demo, stop it dead, or cut it off.",
}
"""What each page of the menu bar is for."""


def routes() -> list[Route]:
    """Where it is."""
    return [Route(f"{BASE}/help", _page)]


async def _page(request: Request) -> Response:
    return render(request, "help.html", about=ABOUT)

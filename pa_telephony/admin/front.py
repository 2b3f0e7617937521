"""What stands before pages and API: the name that is asked for, and what a proxy says."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pa_telephony.admin.access import Access
from pa_telephony.admin.gate import HEADERS
from pa_telephony.printable import printable_reason

__all__ = ["Front"]

_TRANSPORT = "max-age=31536000"
"""For a year browsers come with TLS only, once they have."""


class Front:
    """Lets the API answer below ``/api/``, and the pages everywhere else."""

    def __init__(self, pages: ASGIApp, api: ASGIApp, access: Access) -> None:
        self._pages = pages
        self._api = api
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let one of the two do so."""
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return
        headers, client = Headers(scope=scope), scope.get("client")
        proxy = self._access.may_say_who(client[0] if client else "")
        if proxy and headers.get("x-forwarded-proto", "").lower() == "https":
            scope = {**scope, "scheme": "https"}

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["scheme"] == "https":
                found = MutableHeaders(raw=message["headers"])
                found["strict-transport-security"] = _TRANSPORT
                message["headers"] = found.raw
            await send(message)

        refused = self._refused(headers, proxy=proxy)
        if refused is not None:
            await refused(scope, receive, marked)
        elif scope["path"].startswith("/api/"):
            await self._api(scope, receive, marked)
        else:
            await self._pages(scope, receive, marked)

    def _refused(self, headers: Headers, *, proxy: bool) -> Response | None:
        hosts = headers.getlist("host")
        if len(hosts) > 1:
            return _text(400, "There are two headers Host.")
        # Browsers always say whom they ask; who does not was led here by no page.
        if hosts and (why := self._access.host_problem(hosts[0])):
            return _text(421, why)
        sign_on = self._access.sign_on
        said = headers.getlist(sign_on.header) if sign_on is not None else []
        if sign_on is not None and said and not proxy:
            return _text(403, f"{sign_on.header} is taken from the proxy alone.")
        if len(said) > 1:
            return _text(400, "A proxy says twice who asks.")
        return None


def _text(status: int, why: str) -> Response:
    headers = {**HEADERS, "cache-control": "no-store"}
    return PlainTextResponse(f"{printable_reason(why)}\n", status, headers)

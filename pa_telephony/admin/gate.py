"""Who may come in: the one place where sessions, forms' tokens, sizes and headers are checked.

Everything but the login page, and the two files that it needs, wants a session. A POST wants the
token of its session's forms besides. What is too large, too slow or of another kind is refused
before a page sees it.
"""

from __future__ import annotations

import contextlib
import hmac
import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, quote

import trio
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pa_telephony.admin.access import Access
from pa_telephony.admin.records import PasswordRefused, Records, Session, csrf_token
from pa_telephony.admin.rendering import BASE, render
from pa_telephony.admin.roles import act_of_page, why_not
from pa_telephony.errors import ConfigurationError, ConnectionLost

__all__ = [
    "COOKIE",
    "HEADERS",
    "VISITOR",
    "BodyRefused",
    "Gate",
    "address_of",
    "content_type",
    "read_body",
    "said_by_proxy",
    "set_cookie",
]

COOKIE = "pa_session"
"""The cookie of whoever has signed in."""
VISITOR = "pa_visitor"
"""The cookie of whoever looks at the login page; the form's token is made of it."""
OPEN = frozenset({"/", BASE, f"{BASE}/", f"{BASE}/login"})
"""The pages for which no session is needed: the login, and those that only lead elsewhere."""
STATIC = f"{BASE}/static/"

_LARGEST = 262_144
_MOST_FIELDS = 5_000
_BODY_WITHIN = 10.0
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""What every answer says to browsers."""
_log = logging.getLogger(__name__)


class BodyRefused(Exception):
    """A body that cannot be read, or is not even read to its end."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class Gate:
    """The middleware around all pages; ``news`` is what each of them shows besides its own."""

    def __init__(
        self,
        app: ASGIApp,
        records: Records,
        access: Access,
        news: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self._app = app
        self._records = records
        self._access = access
        self._news = news

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let its page do so."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(raw=message["headers"])
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
                if begun_now := scope["state"].get("begun"):
                    cookie = Response()
                    set_cookie(request, cookie, COOKIE, begun_now)
                    headers.append("set-cookie", cookie.headers["set-cookie"])
                message["headers"] = headers.raw
            await send(message)

        request = Request(scope, receive)
        scope["state"] = {"session": None, "csrf": "", "form": {}, "message": ""}
        scope["state"] |= self._news()
        try:
            response = await self._admit(request)
            if response is None:
                await self._app(scope, receive, guarded)
                return
        except ConnectionLost as error:
            if begun:
                raise
            response = render(request, "refused.html", 503, title="Store", why=str(error))
        except ConfigurationError as error:
            if begun:
                raise
            response = render(request, "refused.html", 409, title="Configuration", why=str(error))
        except Exception:
            _log.exception("a page failed: %s", scope["path"])
            if begun:
                raise
            why = "This page has a fault, which the log of this program tells of."
            response = render(request, "refused.html", 500, title="Internal error", why=why)
        await response(scope, receive, guarded)

    async def _admit(self, request: Request) -> Response | None:
        """The answer to a request that no page shall see; None for all others."""
        state, path = request.scope["state"], request.url.path
        if request.method not in ("GET", "HEAD", "POST"):
            return _refused(request, 405, "There is nothing here for this method.")
        if path.startswith(STATIC):
            return None
        token = request.cookies.get(COOKIE, "")
        session = await trio.to_thread.run_sync(self._records.find, token) if token else None
        said = said_by_proxy(request, self._access)
        if said:
            session = await self._signed_on(request, session, said)
            if session is None:
                why = f"{said} has no account here. An administrator can add it on Accounts."
                return _refused(request, 403, why)
        state["session"] = session
        if session is None and path not in OPEN:
            if _follows(request):
                return Response(status_code=403)
            wanted = f"{path}?{request.url.query}" if request.url.query else path
            return RedirectResponse(f"{BASE}/login?next={quote(wanted)}", 303)
        if session and (why := why_not(session.role, act_of_page(request.method, path))):
            return _refused(request, 403, why)
        return await self._with_form(request, session)

    async def _signed_on(
        self, request: Request, session: Session | None, account: str
    ) -> Session | None:
        """The session of whom a proxy names, begun now if need be; None for no such account."""
        if session is not None and session.account == account:
            return session
        try:
            session = await trio.to_thread.run_sync(self._records.begin, account)
        except PasswordRefused:
            return None
        request.scope["state"]["begun"] = session.token
        note, address = self._records.note, address_of(request)
        await trio.to_thread.run_sync(note, account, address, "logged in", "signed on at the proxy")
        return session

    async def _with_form(self, request: Request, session: Session | None) -> Response | None:
        state = request.scope["state"]
        secret = session.token if session else request.cookies.get(VISITOR, "")
        state["csrf"] = csrf_token(secret) if secret else ""
        if request.method == "POST":
            try:
                state["form"] = await _form(request)
            except BodyRefused as refused:
                return _refused(request, refused.status, refused.why)
            sent = (state["form"].get("csrf") or [""])[0]
            if not secret or not hmac.compare_digest(sent.encode(), state["csrf"].encode()):
                why = "This form is not of your present session. Open the page again."
                return _refused(request, 403, why)
        elif session is not None and request.method == "GET" and not _follows(request):
            state["message"] = await trio.to_thread.run_sync(self._records.take_message, session)
        if session is None and not secret:
            state["visitor"] = secrets.token_urlsafe(32)
            state["csrf"] = csrf_token(state["visitor"])
        return None


def _follows(request: Request) -> bool:
    """Whether it is for the events of a page, which no person waits for."""
    return request.url.path.endswith("/events")


def _refused(request: Request, status: int, why: str) -> Response:
    return render(request, "refused.html", status, title="Refused", why=why)


def content_type(request: Request) -> str:
    """The type of the body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_body(request: Request) -> bytes:
    """All of a body; raises :class:`BodyRefused`."""
    body = bytearray()
    with trio.move_on_after(_BODY_WITHIN) as patience:
        try:
            async with contextlib.aclosing(request.stream()) as parts:
                async for part in parts:
                    body += part
                    if len(body) > _LARGEST:
                        raise BodyRefused(413, f"A body may have {_LARGEST} bytes.")
        except ClientDisconnect:
            raise BodyRefused(400, "The body did not come to its end.") from None
    if patience.cancelled_caught:
        raise BodyRefused(408, "The body took too long to come.")
    return bytes(body)


async def _form(request: Request) -> Mapping[str, list[str]]:
    """The fields that were sent; raises :class:`BodyRefused`."""
    if content_type(request) != "application/x-www-form-urlencoded":
        raise BodyRefused(415, "This is no form.")
    body = await read_body(request)
    try:
        return parse_qs(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise BodyRefused(400, "This form cannot be read.") from None


def said_by_proxy(request: Request, access: Access) -> str:
    """The account that a proxy names, if one is believed here; "" for none."""
    if access.sign_on is None or not access.may_say_who(address_of(request)):
        return ""
    return request.headers.get(access.sign_on.header, "").strip().casefold()[:100]


def set_cookie(request: Request, response: Response, name: str, value: str) -> None:
    """Set a cookie that no script and no other site sees; an empty value takes it away."""
    secure = request.url.scheme == "https"
    age = None if value else 0
    # Who has signed in may use the API, too, which stands beside the pages.
    path = "/" if name == COOKIE else BASE
    response.set_cookie(
        name, value, max_age=age, path=path, secure=secure, httponly=True, samesite="strict"
    )


def address_of(request: Request) -> str:
    """The address from which a request came."""
    return request.client.host if request.client is not None else ""

"""Log in, log out, change the password."""

from __future__ import annotations

import functools
import hmac

import trio
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pa_telephony.admin.administration import Administration, form_of, session_of
from pa_telephony.admin.editing import first
from pa_telephony.admin.gate import COOKIE, VISITOR, address_of, set_cookie
from pa_telephony.admin.records import WRONG_PASSWORD, PasswordRefused
from pa_telephony.admin.rendering import BASE, render
from pa_telephony.guesses import Standing
from pa_telephony.printable import printable

__all__ = ["SessionPages"]

_HOME = f"{BASE}/server-status"


class SessionPages:
    """The pages of the menu Session."""

    def __init__(self, administration: Administration) -> None:
        self._all = administration

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route(f"{BASE}/login", self.login, methods=["GET", "POST"]),
            Route(f"{BASE}/log-out", self.log_out, methods=["GET", "POST"]),
            Route(f"{BASE}/password", self.password, methods=["GET", "POST"]),
        ]

    async def login(self, request: Request) -> Response:
        """Ask for name and password, and begin a session."""
        state = request.scope["state"]
        if request.method != "POST":
            wanted = _ours(request.query_params.get("next", ""))
            page = render(request, "login.html", wanted=wanted, why="", account="")
            if visitor := state.get("visitor"):
                set_cookie(request, page, VISITOR, visitor)
            return page
        posted = form_of(request)
        account, wanted = first(posted, "account").strip(), _ours(first(posted, "next"))
        refused = await self._wrong(request, account, first(posted, "password"))
        if refused is not None:
            status, why = refused
            return render(
                request, "login.html", status, wanted=wanted, why=why, account=account[:64]
            )
        try:
            session = await trio.to_thread.run_sync(self._all.records.begin, account)
        except PasswordRefused as error:
            return render(request, "login.html", 403, wanted=wanted, why=str(error), account="")
        await self._all.note(request, "logged in", session.account)
        response = RedirectResponse(wanted or _HOME, 303)
        set_cookie(request, response, COOKIE, session.token)
        set_cookie(request, response, VISITOR, "")
        return response

    async def _wrong(self, request: Request, account: str, password: str) -> tuple[int, str] | None:
        """Status and words for who does not come in; None for who does."""
        clock, guesses = self._all.clock, self._all.guesses
        guess = hmac.digest(self._all.key, password[:300].encode(), "sha256")
        address, name = address_of(request), account.casefold()
        known = guesses.standing(address, name, clock()) is Standing.GOOD
        attempt = guesses.ask(address, name, guess, clock())
        if attempt is None:
            return 429, "Too many wrong passwords came from here. Wait a few seconds."
        await trio.sleep(attempt.wait)
        async with self._all.hashing if known else self._all.strangers:
            right = await trio.to_thread.run_sync(self._all.records.right, account, password)
        if right:
            guesses.right(attempt, clock())
            return None
        guesses.wrong(attempt, clock())
        await self._all.note(request, WRONG_PASSWORD, printable(account, 64))
        return 403, "User name or password is wrong."

    async def log_out(self, request: Request) -> Response:
        """End the session; asked for by a form, so that no link of others can do it."""
        if request.method != "POST":
            return render(request, "log_out.html")
        session = session_of(request)
        if first(form_of(request), "do") == "others":
            count = await trio.to_thread.run_sync(self._all.records.end_others, session)
            told = f"Other sessions of this account that were ended: {count}."
            await self._all.note(request, "logged out everywhere else", result=told)
            return await self._all.leave(request, told, f"{BASE}/log-out")
        await self._all.note(request, "logged out")
        await trio.to_thread.run_sync(self._all.records.end, session)
        response = RedirectResponse(f"{BASE}/login", 303)
        set_cookie(request, response, COOKIE, "")
        return response

    async def password(self, request: Request) -> Response:
        """Give the account another password."""
        if request.method != "POST":
            return render(request, "password.html", why={})
        posted = form_of(request)
        new = first(posted, "new")
        why: dict[str, str] = {}
        refused = await self._wrong(request, session_of(request).account, first(posted, "present"))
        if refused is not None:
            why["present"] = refused[1]
        elif new != first(posted, "again"):
            why["again"] = "is not the same as the new one"
        else:
            change = functools.partial(self._all.records.change_password, session_of(request), new)
            try:
                await trio.to_thread.run_sync(change, limiter=self._all.hashing)
            except PasswordRefused as error:
                why["new"] = str(error)
        if why:
            return render(request, "password.html", 422, why=why)
        await self._all.note(request, "changed the password")
        told = "The password is changed. Other sessions of this account have ended."
        return await self._all.leave(request, told, f"{BASE}/password")


def _ours(path: str) -> str:
    """A path of these pages to lead to after the login; "" for any other."""
    plain = path.isascii() and path.isprintable() and len(path) < 500
    inside = path.startswith(f"{BASE}/") and "//" not in path and "\\" not in path
    return path if plain and inside else ""

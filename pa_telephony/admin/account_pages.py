"""Accounts, API tokens and the audit log, for administrators.

A password or a token that was made is in that one answer, and in nothing that is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import trio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pa_telephony.admin.accounts import AccountRefused, Accounts
from pa_telephony.admin.administration import Administration, form_of, session_of
from pa_telephony.admin.editing import first
from pa_telephony.admin.records import WRONG_PASSWORD
from pa_telephony.admin.rendering import BASE, render
from pa_telephony.admin.roles import Role
from pa_telephony.admin.tokens import TokenRefused, Tokens

__all__ = ["AccountPages"]

T = TypeVar("T")

_ROLES = {each.value: each for each in Role}
_WHAT = {
    Role.READER: "sees everything but accounts, tokens and the audit log",
    Role.OPERATOR: "gives orders to servers besides",
    Role.ADMINISTRATOR: "does everything",
}
_MOST = 500
"""How many deeds a page shows; the API gives all."""


class AccountPages:
    """The pages of the menu Session that are for administrators."""

    def __init__(self, administration: Administration) -> None:
        self._all = administration
        self._accounts = Accounts(administration.records)
        self._tokens = Tokens(administration.records)

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route(f"{BASE}/accounts", self.accounts, methods=["GET", "POST"]),
            Route(f"{BASE}/tokens", self.tokens, methods=["GET", "POST"]),
            Route(f"{BASE}/audit", self.audit),
        ]

    # -------------------------------------------------------------------------- accounts

    async def accounts(self, request: Request) -> Response:
        """All accounts: made, given another role or password, taken away."""
        if request.method != "POST":
            return await self._draw_accounts(request)
        posted = form_of(request)
        verb, name = first(posted, "do"), first(posted, "name").strip()
        role = _ROLES.get(first(posted, "role"))
        if verb == "remove":
            return await self._draw_accounts(request, removes=name)
        try:
            password = await self._do(verb, name, role)
        except AccountRefused as error:
            await self._note(request, verb, name, role, f"refused: {error}")
            return await self._draw_accounts(request, 422, why=str(error), verb=verb, typed=name)
        await self._note(request, verb, name, role, "done")
        if password is not None:
            return await self._draw_accounts(request, made=(name, password))
        return await self._all.leave(request, _told(verb, name, role), f"{BASE}/accounts")

    async def _do(self, verb: str, name: str, role: Role | None) -> str | None:
        """Do what a button says; gives the password that was made."""
        match verb:
            case "add" if role is not None:
                return await _run(self._accounts.add, name, role)
            case "change-role" if role is not None:
                return await _run(self._accounts.change_role, name, role)
            case "new-password":
                return await _run(self._accounts.new_password, name)
            case "remove-really":
                return await _run(self._accounts.remove, name)
            case _:
                raise AccountRefused("choose a role" if role is None else "there is no such button")

    async def _draw_accounts(self, request: Request, status: int = 200, **shown: Any) -> Response:
        accounts = await _run(self._accounts.all)
        context = {"made": None, "removes": "", "why": "", "verb": "", "typed": ""} | shown
        return render(request, "accounts.html", status, accounts=accounts, roles=_WHAT, **context)

    # ---------------------------------------------------------------------------- tokens

    async def tokens(self, request: Request) -> Response:
        """All tokens: made and revoked."""
        if request.method != "POST":
            return await self._draw_tokens(request)
        posted = form_of(request)
        verb, name = first(posted, "do"), first(posted, "name").strip()
        role = _ROLES.get(first(posted, "role"))
        try:
            if verb == "make" and role is not None:
                by = session_of(request).account
                secret = await _run(self._tokens.make, name, role, by)
                await self._note(request, "make token", name, role, "done")
                return await self._draw_tokens(request, made=(name, secret))
            if verb != "revoke":
                raise TokenRefused("choose a role")
            await _run(self._tokens.revoke, name)
        except TokenRefused as error:
            await self._note(request, f"{verb} token", name, role, f"refused: {error}")
            return await self._draw_tokens(request, 422, why=str(error), typed=name)
        await self._note(request, "revoke token", name, None, "done")
        return await self._all.leave(request, f"The token {name} is revoked.", f"{BASE}/tokens")

    async def _draw_tokens(self, request: Request, status: int = 200, **shown: Any) -> Response:
        tokens = await _run(self._tokens.all)
        context = {"made": None, "why": "", "typed": ""} | shown
        return render(
            request, "tokens.html", status, tokens=tokens, roles=_WHAT, when=_when, **context
        )

    # -------------------------------------------------------------------------- audit log

    async def audit(self, request: Request) -> Response:
        """Who did what, from where, and what came of it, the newest first."""
        account = request.query_params.get("account", "").strip()[:64]
        deeds = await _run(self._all.records.deeds, _MOST, account)
        return render(
            request,
            "audit.html",
            deeds=deeds,
            account=account,
            most=_MOST,
            wrong=WRONG_PASSWORD,
        )

    async def _note(
        self, request: Request, verb: str, name: str, role: Role | None, result: str
    ) -> None:
        what = " ".join([verb.removesuffix("-really"), name[:64], role.value if role else ""])
        await self._all.note(request, what.strip()[:200], result=result[:500])


def _told(verb: str, name: str, role: Role | None) -> str:
    if verb == "remove-really":
        return f"The account {name} is removed, and its sessions have ended."
    return f"The role of {name} is {role.value if role else 'as before'} now."


def _when(at: float | None) -> str:
    return "never" if at is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


async def _run(verb: Callable[..., T], *given: object) -> T:
    return await trio.to_thread.run_sync(verb, *given)

"""Accounts, tokens and the audit log through the API."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, TypeVar

import trio

from pa_telephony.admin.accounts import AccountRefused, Accounts
from pa_telephony.admin.administration import Administration
from pa_telephony.admin.api.asking import Asked, Handler
from pa_telephony.admin.api.problems import Refused, field_of
from pa_telephony.admin.roles import Role
from pa_telephony.admin.tokens import TokenRefused, Tokens

__all__ = ["Administering"]

T = TypeVar("T")


class Administering:
    """The operations for administrators."""

    def __init__(self, everything: Administration) -> None:
        self._records = everything.records
        self._accounts = Accounts(everything.records)
        self._tokens = Tokens(everything.records)

    def handlers(self) -> dict[str, Handler]:
        """Who answers what."""
        return {
            "accounts": self._all_accounts,
            "add-account": self._add,
            "change-account": self._change,
            "new-password": self._new_password,
            "remove-account": self._remove,
            "tokens": self._all_tokens,
            "make-token": self._make,
            "revoke-token": self._revoke,
            "deeds": self._deeds,
        }

    async def _all_accounts(self, _: Asked) -> Any:
        accounts = await _run(self._accounts.all)
        return {"accounts": [_account(each.name, each.role) for each in accounts]}

    async def _add(self, asked: Asked) -> Any:
        name, role = asked.body["name"], Role(asked.body["role"])
        asked.subject = f"{name[:64]} as {role.value}"
        password = await _run(self._accounts.add, name, role)
        asked.result = "made"
        return _account(name, role) | {"password": password}

    async def _change(self, asked: Asked) -> Any:
        name, role = asked.given["name"], Role(asked.body["role"])
        asked.subject = f"{name[:64]} to {role.value}"
        await _run(self._accounts.change_role, name, role)
        asked.result = "changed"
        return _account(name, role)

    async def _new_password(self, asked: Asked) -> Any:
        name = asked.given["name"]
        asked.subject = name[:64]
        password = await _run(self._accounts.new_password, name)
        asked.result = "made"
        role = await _run(self._accounts.role, name)
        return _account(name, role or Role.READER) | {"password": password}

    async def _remove(self, asked: Asked) -> Any:
        name = asked.given["name"]
        asked.subject = name[:64]
        await _run(self._accounts.remove, name)
        asked.result = "removed"
        return {}

    async def _all_tokens(self, _: Asked) -> Any:
        tokens = await _run(self._tokens.all)
        plain = [dataclasses.asdict(each) | {"role": each.role.value} for each in tokens]
        return {"tokens": plain}

    async def _make(self, asked: Asked) -> Any:
        name, role = asked.body["name"], Role(asked.body["role"])
        asked.subject = f"{name[:64]} as {role.value}"
        secret = await _run(self._tokens.make, name, role, asked.actor.name)
        asked.result = "made"
        return _account(name, role) | {"secret": secret}

    async def _revoke(self, asked: Asked) -> Any:
        name = asked.given["name"]
        asked.subject = name[:64]
        await _run(self._tokens.revoke, name)
        asked.result = "revoked"
        return {}

    async def _deeds(self, asked: Asked) -> Any:
        found = await _run(self._records.deeds, asked.query["most"], asked.query["account"])
        return {"deeds": [dataclasses.asdict(each) for each in found]}


def _account(name: str, role: Role) -> dict[str, Any]:
    return {"name": name, "role": role.value}


async def _run(verb: Callable[..., T], *given: object) -> T:
    """Do it in a thread; what is refused becomes the answer."""
    try:
        return await trio.to_thread.run_sync(functools.partial(verb, *given))
    except (AccountRefused, TokenRefused) as error:
        field = getattr(error, "field", "") or "name"
        status = 404 if error.missing else 409
        raise Refused(status, str(error), [field_of("", field, str(error))]) from None

"""Who asks: an account with its session, or a program with its token."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import trio

from pa_telephony.admin.administration import Administration
from pa_telephony.admin.records import Session
from pa_telephony.admin.roles import Role
from pa_telephony.admin.tokens import Tokens

__all__ = ["Actor", "of_session", "of_token", "still"]


@dataclass(frozen=True)
class Actor:
    """Who asks; ``name`` is what the audit log says, which is no account's for a token."""

    name: str
    role: Role
    csrf: str | None = None
    """What a session's requests that change something have to carry; None for a token."""


def of_session(session: Session) -> Actor:
    """The account of a session."""
    return Actor(session.account, session.role, session.csrf)


async def of_token(everything: Administration, secret: str) -> Actor | None:
    """The program that has this token; None when there is no such token."""
    token = await trio.to_thread.run_sync(Tokens(everything.records).find, secret)
    return None if token is None else Actor(f"token {token.name}", token.role)


def still(
    everything: Administration, session: Session | None, secret: str = ""
) -> Callable[[], Awaitable[bool]]:
    """Whether a session, or else a token, goes on: what an event stream asks now and then."""

    async def goes_on() -> bool:
        if session is None:
            return await of_token(everything, secret) is not None
        find = functools.partial(everything.records.find, session.token, seen=False)
        return await trio.to_thread.run_sync(find) is not None

    return goes_on

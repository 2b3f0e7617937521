"""Tokens for programs that use the API, in the file of :mod:`records`; all methods block.

A token has a name and a role. Its secret is shown once, when it is made; the file has a digest.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from pa_telephony.admin.records import Records, digest
from pa_telephony.admin.roles import Role, account_problem
from pa_telephony.errors import TelephonyError

__all__ = ["Token", "TokenRefused", "Tokens"]

MOST = 1000
PREFIX = "pat_"
"""What a secret begins with, so that it is recognised where it should not be."""
_SEEN_EVERY = 60.0
"""A use within so many seconds after another one is not written down."""


class TokenRefused(TelephonyError):
    """What was asked for a token cannot be."""

    def __init__(self, rule: str, *, missing: bool = False) -> None:
        super().__init__(rule)
        self.missing = missing
        """Whether there is no such token."""


@dataclass(frozen=True)
class Token:
    """What is known of a token."""

    name: str
    role: Role
    by: str
    """The account that has made it."""
    made: float
    """When: Unix time."""
    used: float | None
    """When it was used last; None when it never was."""


class Tokens:
    """What administrators do with tokens, and how one is recognised."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def all(self) -> tuple[Token, ...]:
        """All tokens, by name."""
        with self._records.database() as database:
            rows = database.execute(
                "SELECT name, role, by, made, used FROM tokens ORDER BY name"
            ).fetchall()
        return tuple(Token(name, Role(role), by, made, used) for name, role, by, made, used in rows)

    def make(self, name: str, role: Role, by: str) -> str:
        """Make a token; gives its secret, which is kept nowhere else."""
        if problem := account_problem(name):
            raise TokenRefused(problem)
        secret = PREFIX + secrets.token_urlsafe(32)
        with self._records.database() as database:
            done = database.execute(
                "INSERT OR IGNORE INTO tokens SELECT ?, ?, ?, ?, ?, NULL"
                " WHERE (SELECT count(*) FROM tokens) < ?",
                (name, digest(secret), role.value, by, self._records.clock(), MOST),
            )
            if done.rowcount:
                return secret
            there = database.execute("SELECT 1 FROM tokens WHERE name = ?", (name,)).fetchone()
        if there is not None:
            raise TokenRefused(f"there is a token {name!r} already: revoke it first")
        raise TokenRefused(f"there are {MOST} tokens, and no more may be")

    def find(self, secret: str) -> Token | None:
        """The token of a secret, which is used now; None when there is none."""
        now = self._records.clock()
        with self._records.database() as database:
            row = database.execute(
                "SELECT name, role, by, made, used FROM tokens WHERE digest = ?", (digest(secret),)
            ).fetchone()
            if row is None:
                return None
            if row[4] is None or not row[4] <= now < row[4] + _SEEN_EVERY:
                database.execute("UPDATE tokens SET used = ? WHERE name = ?", (now, row[0]))
        return Token(row[0], Role(row[1]), row[2], row[3], now)

    def revoke(self, name: str) -> None:
        """Take a token away; from now on it is nobody's."""
        with self._records.database() as database:
            done = database.execute("DELETE FROM tokens WHERE name = ?", (name,))
        if not done.rowcount:
            raise TokenRefused(f"there is no token {name!r}", missing=True)

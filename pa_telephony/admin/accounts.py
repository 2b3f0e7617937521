"""The accounts and their roles, in the file of :mod:`records`; what blocks belongs into a thread.

There is always an administrator: whoever would take the last one away is refused.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from pa_telephony.admin.records import Records, made_password
from pa_telephony.admin.roles import Role, account_problem
from pa_telephony.errors import TelephonyError

__all__ = ["Account", "AccountRefused", "Accounts"]

MOST = 1000


class AccountRefused(TelephonyError):
    """What was asked for an account cannot be; ``field`` says what is wrong with it."""

    def __init__(self, rule: str, field: str = "", *, missing: bool = False) -> None:
        super().__init__(rule)
        self.field = field
        self.missing = missing
        """Whether there is no such account."""


@dataclass(frozen=True)
class Account:
    """Somebody who may log in."""

    name: str
    role: Role


class Accounts:
    """What administrators do with accounts."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def all(self) -> tuple[Account, ...]:
        """All accounts, by name."""
        with self._records.database() as database:
            rows = database.execute("SELECT name, role FROM accounts ORDER BY name").fetchall()
        return tuple(Account(str(name), Role(role)) for name, role in rows)

    def role(self, name: str) -> Role | None:
        """The role of an account; None when there is no such account."""
        with self._records.database() as database:
            row = database.execute(
                "SELECT role FROM accounts WHERE name = ?", (name.casefold(),)
            ).fetchone()
        return None if row is None else Role(row[0])

    def add(self, name: str, role: Role) -> str:
        """Make an account; gives its first password, which is kept nowhere else."""
        if problem := account_problem(name):
            raise AccountRefused(problem, "name")
        password = made_password()
        made = self._records.hasher.hash(password)
        with self._records.database() as database:
            done = database.execute(
                "INSERT OR IGNORE INTO accounts SELECT ?, ?, ?"
                " WHERE (SELECT count(*) FROM accounts) < ?",
                (name, made, role.value, MOST),
            )
            if done.rowcount:
                return password
            there = database.execute("SELECT 1 FROM accounts WHERE name = ?", (name,)).fetchone()
        if there is not None:
            raise AccountRefused(f"there is an account {name!r} already", "name")
        raise AccountRefused(f"there are {MOST} accounts, and no more may be")

    def change_role(self, name: str, role: Role) -> None:
        """Give an account another role, which its sessions have from now on."""
        with self._records.database() as database:
            done = database.execute(
                "UPDATE accounts SET role = ? WHERE name = ?", (role.value, name)
            )
            _was_there(done, name)
            _keeps_an_administrator(database, name)

    def new_password(self, name: str) -> str:
        """Give an account another password, which is given here once; its sessions end."""
        password = made_password()
        made = self._records.hasher.hash(password)
        with self._records.database() as database:
            done = database.execute("UPDATE accounts SET hash = ? WHERE name = ?", (made, name))
            _was_there(done, name)
            database.execute("DELETE FROM sessions WHERE account = ?", (name,))
        return password

    def remove(self, name: str) -> None:
        """Take an account away; its sessions end."""
        with self._records.database() as database:
            done = database.execute("DELETE FROM accounts WHERE name = ?", (name,))
            _was_there(done, name)
            _keeps_an_administrator(database, name)
            database.execute("DELETE FROM sessions WHERE account = ?", (name,))


def _was_there(done: sqlite3.Cursor, name: str) -> None:
    if not done.rowcount:
        raise AccountRefused(f"there is no account {name!r}", missing=True)


def _keeps_an_administrator(database: sqlite3.Connection, name: str) -> None:
    """Raise when no administrator is left; what was done is undone then."""
    row = database.execute(
        "SELECT 1 FROM accounts WHERE role = ?", (Role.ADMINISTRATOR.value,)
    ).fetchone()
    if row is None:
        raise AccountRefused(f"{name} is the last administrator, and there has to be one", "role")

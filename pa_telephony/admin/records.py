"""What the administration itself keeps: passwords, sessions, and who did what; a file of its own.

An SQLite file beside the store, its owner's alone, that several processes may share. Passwords are
there as argon2 hashes, and of a session's token only a digest: who reads the file can sign in with
none of it. All methods block and belong into a thread; ``clock`` gives Unix time.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pa_telephony.admin.roles import Role
from pa_telephony.errors import ConnectionLost, TelephonyError
from pa_telephony.failover.stores.private import make_parent, open_private

__all__ = [
    "ADMINISTRATOR",
    "WRONG_PASSWORD",
    "Deed",
    "Hasher",
    "PasswordRefused",
    "Records",
    "Session",
    "argon2_hasher",
    "csrf_token",
    "digest",
    "made_password",
    "records_beside",
]

ADMINISTRATOR = "administrator"
"""The account that is made at the first start."""
WRONG_PASSWORD = "wrong password"
"""The deed of somebody who guesses, or has forgotten."""
SHORTEST, LONGEST = 10, 200
"""How many characters a password has."""
IDLE = 1800.0
"""Seconds after which a session that asks for no page ends."""
LIFE = 43_200.0
"""Seconds after which a session ends in any case."""
_NOTED_EVERY = 60.0
"""Seconds after which it is noted that a session is used still."""
_MOST_SESSIONS = 1000
_MOST_OF_ONE = 100
"""How many sessions an account has: one that begins many shall not push out the others'."""
_MOST_DEEDS = 10_000
_MOST_GUESSES = 1000
"""How many wrong passwords are kept: strangers make them, and shall not push out other deeds."""
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    name TEXT PRIMARY KEY, hash TEXT NOT NULL, role TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS sessions (
    digest TEXT PRIMARY KEY, account TEXT NOT NULL, begun REAL NOT NULL, seen REAL NOT NULL,
    message TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS deeds (
    at REAL NOT NULL, account TEXT NOT NULL, address TEXT NOT NULL, what TEXT NOT NULL,
    result TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tokens (
    name TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, role TEXT NOT NULL, by TEXT NOT NULL,
    made REAL NOT NULL, used REAL
);
"""


class PasswordRefused(TelephonyError):
    """A new password is too short, too long, or the old one."""


class Hasher(Protocol):
    """What makes and compares hashes of passwords."""

    def hash(self, password: str) -> str:
        """The hash to keep."""
        ...

    def verify(self, hash: str, password: str) -> bool:
        """Whether it is the hash of this password."""
        ...


def argon2_hasher() -> Hasher:
    """The hasher of argon2-cffi, an extra, with its own choice of costs."""
    from argon2 import PasswordHasher
    from argon2.exceptions import Argon2Error, InvalidHashError

    hasher = PasswordHasher()

    class _Argon2:
        def hash(self, password: str) -> str:
            return hasher.hash(password)

        def verify(self, hash: str, password: str) -> bool:
            try:
                return hasher.verify(hash, password)
            except (Argon2Error, InvalidHashError):
                return False

    return _Argon2()


@dataclass(frozen=True)
class Session:
    """Somebody who has signed in; ``token`` is the secret of the browser's cookie."""

    token: str
    account: str
    role: Role

    @property
    def csrf(self) -> str:
        """What each form of this session has to carry."""
        return csrf_token(self.token)


@dataclass(frozen=True)
class Deed:
    """What somebody did."""

    at: float
    account: str
    address: str
    what: str
    result: str = ""
    """What came of it."""


def csrf_token(token: str) -> str:
    """What proves that a form was made for whoever holds ``token``, without telling it."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def records_beside(store: Path) -> Path:
    """Where accounts, sessions and tokens of a store are kept: a file beside it."""
    return store.with_name(f"{store.name}.admin")


def made_password() -> str:
    """A password for an account, to be shown once."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(16))


def digest(token: str) -> str:
    """What the file keeps of a secret token."""
    return hashlib.sha256(token.encode()).hexdigest()


class Records:
    """The file; made with its tables where there is none."""

    def __init__(self, path: Path, hasher: Hasher, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self.hasher = hasher
        self.clock = clock
        make_parent(path)
        os.close(open_private(path))
        # Compared with for an account that is not there, so that this takes as long.
        self._nobody = hasher.hash(secrets.token_urlsafe())
        with self.database() as database:
            database.executescript(_SCHEMA)

    @contextlib.contextmanager
    def database(self) -> Generator[sqlite3.Connection]:
        """The file, in one transaction; raises ConnectionLost when it cannot be used."""
        try:
            database = sqlite3.connect(self._path, timeout=5.0)
            try:
                with database:
                    yield database
            finally:
                database.close()
        except sqlite3.Error as error:
            raise ConnectionLost(f"{self._path}: {error}") from error

    # -------------------------------------------------------------------------- accounts

    def first_password(self) -> str | None:
        """Make the first account with a password, which is given here once; None if there is one.

        The account is :data:`ADMINISTRATOR`.
        """
        with self.database() as database:
            if database.execute("SELECT 1 FROM accounts").fetchone() is not None:
                return None
        password = made_password()
        made = self.hasher.hash(password)
        with self.database() as database:
            done = database.execute(
                "INSERT INTO accounts SELECT ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM accounts)",
                (ADMINISTRATOR, made, Role.ADMINISTRATOR.value),
            )
            return password if done.rowcount else None

    def right(self, account: str, password: str) -> bool:
        """Whether it is the password of the account; takes as long for one that is not there."""
        known = self._hash_of(account)
        matches = self.hasher.verify(known or self._nobody, password[: LONGEST + 1])
        return matches and known is not None

    def _hash_of(self, account: str) -> str | None:
        with self.database() as database:
            row = database.execute(
                "SELECT hash FROM accounts WHERE name = ?", (account.casefold(),)
            ).fetchone()
        return None if row is None else str(row[0])

    def change_password(self, session: Session, new: str) -> None:
        """Give the session's account another password, which ends its other sessions.

        Raises :class:`PasswordRefused`.
        """
        if not SHORTEST <= len(new) <= LONGEST:
            raise PasswordRefused(f"must have {SHORTEST} to {LONGEST} characters")
        if self.hasher.verify(self._hash_of(session.account) or self._nobody, new):
            raise PasswordRefused("must be another one than before")
        made = self.hasher.hash(new)
        with self.database() as database:
            database.execute("UPDATE accounts SET hash = ? WHERE name = ?", (made, session.account))
            database.execute(
                "DELETE FROM sessions WHERE account = ? AND digest != ?",
                (session.account, digest(session.token)),
            )

    # -------------------------------------------------------------------------- sessions

    def begin(self, account: str) -> Session:
        """A new session of an account; its oldest, or the oldest of all, goes for too many.

        Raises :class:`PasswordRefused` when the account has gone.
        """
        now, name = self.clock(), account.casefold()
        with self.database() as database:
            row = database.execute("SELECT role FROM accounts WHERE name = ?", (name,)).fetchone()
            if row is None:
                raise PasswordRefused(f"there is no account {account!r}")
            session = Session(secrets.token_urlsafe(32), name, Role(row[0]))
            database.execute(
                "DELETE FROM sessions WHERE seen < ? OR begun < ?", (now - IDLE, now - LIFE)
            )
            database.execute(
                "DELETE FROM sessions WHERE account = ? AND digest NOT IN"
                " (SELECT digest FROM sessions WHERE account = ? ORDER BY seen DESC LIMIT ?)",
                (name, name, _MOST_OF_ONE - 1),
            )
            database.execute(
                "DELETE FROM sessions WHERE digest NOT IN"
                " (SELECT digest FROM sessions ORDER BY seen DESC LIMIT ?)",
                (_MOST_SESSIONS - 1,),
            )
            database.execute(
                "INSERT INTO sessions (digest, account, begun, seen) VALUES (?, ?, ?, ?)",
                (digest(session.token), session.account, now, now),
            )
        return session

    def find(self, token: str, *, seen: bool = True) -> Session | None:
        """The session of a cookie, if it goes on; with ``seen`` it goes on from now."""
        now, key = self.clock(), digest(token)
        with self.database() as database:
            row = database.execute(
                "SELECT account, role, seen FROM sessions JOIN accounts ON name = account"
                " WHERE digest = ? AND seen >= ? AND begun >= ?",
                (key, now - IDLE, now - LIFE),
            ).fetchone()
            # Not with every page, since each writing waits for the disk.
            if row is not None and seen and row[2] < now - _NOTED_EVERY:
                database.execute("UPDATE sessions SET seen = ? WHERE digest = ?", (now, key))
        return None if row is None else Session(token, str(row[0]), Role(row[1]))

    def end(self, session: Session) -> None:
        """End a session, wherever its cookie is still held."""
        with self.database() as database:
            database.execute("DELETE FROM sessions WHERE digest = ?", (digest(session.token),))

    def end_others(self, session: Session) -> int:
        """End all other sessions of the account; gives how many there were."""
        with self.database() as database:
            return database.execute(
                "DELETE FROM sessions WHERE account = ? AND digest != ?",
                (session.account, digest(session.token)),
            ).rowcount

    def leave_message(self, session: Session, text: str) -> None:
        """Leave what the session's next page shows."""
        with self.database() as database:
            database.execute(
                "UPDATE sessions SET message = ? WHERE digest = ?", (text, digest(session.token))
            )

    def take_message(self, session: Session) -> str:
        """What was left, once."""
        with self.database() as database:
            key = (digest(session.token),)
            row = database.execute("SELECT message FROM sessions WHERE digest = ?", key).fetchone()
            if row is not None and row[0]:
                database.execute("UPDATE sessions SET message = '' WHERE digest = ?", key)
        return "" if row is None else str(row[0])

    # -------------------------------------------------------------------------- who did what

    def note(self, account: str, address: str, what: str, result: str = "") -> int:
        """Note what somebody did; the last ten thousand deeds are kept, of guesses a thousand.

        Gives its number, for :meth:`amend`.
        """
        most = _MOST_GUESSES if what == WRONG_PASSWORD else _MOST_DEEDS
        with self.database() as database:
            added = database.execute(
                "INSERT INTO deeds VALUES (?, ?, ?, ?, ?)",
                (self.clock(), account, address, what, result),
            )
            of_its_kind = "(what = ?) = (? = ?)"
            kind = (WRONG_PASSWORD, what, WRONG_PASSWORD)
            database.execute(
                f"DELETE FROM deeds WHERE {of_its_kind} AND rowid <= (SELECT rowid FROM deeds"
                f" WHERE {of_its_kind} ORDER BY rowid DESC LIMIT 1 OFFSET ?)",
                (*kind, *kind, most),
            )
        return added.lastrowid or 0

    def amend(self, number: int, result: str) -> None:
        """Note what has come of a deed that stands there."""
        with self.database() as database:
            database.execute("UPDATE deeds SET result = ? WHERE rowid = ?", (result, number))

    def deeds(self, most: int = 100, account: str = "") -> tuple[Deed, ...]:
        """The last deeds, the newest first; of one account, when it is named."""
        with self.database() as database:
            rows = database.execute(
                "SELECT at, account, address, what, result FROM deeds"
                " WHERE ? IN ('', account) ORDER BY rowid DESC LIMIT ?",
                (account, most),
            ).fetchall()
        return tuple(Deed(*row) for row in rows)

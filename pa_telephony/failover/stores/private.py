"""Files that are this user's alone: mode 0600, owner checked, never reached through a link.

A user who can write the files of a store decides which server owns a number, and one who can open a
lock file can lock it. So no other user may: files are made here with mode 0600 (a directory with
0700), files found too open are closed, and files of another user are refused, as is a symbolic link
in the place of a file.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from pa_telephony.errors import ConnectionLost

__all__ = ["check_file", "make_directory", "make_parent", "open_private"]

_FILE = 0o600
_DIRECTORY = 0o700
_OTHERS = 0o077


def check_file(path: Path) -> os.stat_result | None:
    """The status of the regular file ``path``, closed to other users if it was open; None = none.

    It is never opened: closing any descriptor of a database drops SQLite's locks on it. Raises
    :class:`~pa_telephony.errors.ConnectionLost` for a link, another kind of file, or an owner that
    is not this process's user.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    _refuse_foreign(path, found, stat.S_ISREG, "regular file")
    if found.st_mode & _OTHERS:
        path.chmod(_FILE)
    return found


def make_parent(path: Path) -> None:
    """Make the directory that holds ``path``; one that is there must be safe from other users.

    Safe is: it belongs to this user or to root, and not every user may replace files in it.
    """
    parent = path.parent
    parent.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        parent.mkdir(_DIRECTORY)
    found = parent.stat()
    if found.st_uid not in (0, os.geteuid()):
        raise ConnectionLost(
            f"{parent} belongs to user {found.st_uid}, this process runs as {os.geteuid()}"
        )
    if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
        raise ConnectionLost(f"{parent} is writable by everybody: chmod o-w it")


def make_directory(path: Path) -> tuple[int, int]:
    """Make the directory ``path``, mode 0700; one that is there is closed to other users.

    Gives its device and inode.
    """
    with contextlib.suppress(FileExistsError):
        path.mkdir(_DIRECTORY)
    found = os.lstat(path)
    _refuse_foreign(path, found, stat.S_ISDIR, "directory")
    if found.st_mode & _OTHERS:
        path.chmod(_DIRECTORY)
    return found.st_dev, found.st_ino


def open_private(path: Path, *, create: bool = True) -> int:
    """A descriptor of the regular file ``path`` for reading and writing; no child inherits it.

    Raises FileNotFoundError when there is none and ``create`` is false, and
    :class:`~pa_telephony.errors.ConnectionLost` for what :func:`check_file` refuses.
    """
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags | (os.O_CREAT if create else 0), _FILE)
    except FileNotFoundError:
        raise
    except OSError:
        check_file(path)  # says more than "Too many levels of symbolic links" does
        raise
    try:
        found = os.fstat(descriptor)
        _refuse_foreign(path, found, stat.S_ISREG, "regular file")
        if found.st_mode & _OTHERS:
            os.fchmod(descriptor, _FILE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_foreign(
    path: Path, found: os.stat_result, is_kind: Callable[[int], bool], kind: str
) -> None:
    if not is_kind(found.st_mode):
        link = ", but a symbolic link" if stat.S_ISLNK(found.st_mode) else ""
        raise ConnectionLost(f"{path} is no {kind}{link}")
    if found.st_uid != os.geteuid():
        raise ConnectionLost(
            f"{path} belongs to user {found.st_uid}, this process runs as {os.geteuid()}"
        )

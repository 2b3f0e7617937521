"""Where the control sockets of this user's call managers are.

A place that both sides know without being told: a directory that is the user's alone, in it one
socket for each address that phones register at, since no two call managers have the same one.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from pa_telephony.errors import ConnectionLost

__all__ = ["known_sockets", "make_directory", "well_known_directory", "well_known_path"]

MADE_IN = ".control-12345678"
"""A socket is made in a directory of its own beside its place, and moved there."""
_LONGEST = 107
"""Bytes of the path of a Unix socket (Linux, unix(7))."""


def well_known_directory() -> Path:
    """``$XDG_RUNTIME_DIR/pa-telephony``; without one of this user's ``/tmp/pa-telephony-UID``."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    # One that is another user's is left over from before a change of the user.
    with contextlib.suppress(OSError):
        if runtime and os.stat(runtime).st_uid == os.geteuid():
            return Path(runtime) / "pa-telephony"
    return Path(f"/tmp/pa-telephony-{os.geteuid()}")


def well_known_path(sccp_address: str) -> Path:
    """The socket of the call manager where phones register at ``sccp_address``."""
    return well_known_directory() / f"callmanager-{sccp_address}.sock"


def known_sockets() -> Sequence[Path]:
    """The sockets in the well-known directory; those of call managers that are gone included."""
    try:
        found = sorted(well_known_directory().glob("callmanager-*.sock"))
    except OSError:
        return ()
    return [each for each in found if each.is_socket()]


def make_directory(path: Path) -> None:
    """Make the directory of a socket, for this user alone; one that is there has to be safe.

    Safe is one of this user or root in which others can replace nothing. Raises
    :class:`ConnectionLost`, also for a path that is too long for a socket.
    """
    parent = path.parent
    if max(len(os.fsencode(path)), len(os.fsencode(parent / MADE_IN)) + 2) > _LONGEST:
        raise ConnectionLost(f"{path}: the path of a socket has at most {_LONGEST} bytes")
    try:
        with contextlib.suppress(FileExistsError):
            parent.mkdir(mode=0o700)
        found = os.lstat(parent)
        if parent == well_known_directory() and stat.S_ISDIR(found.st_mode):
            _check_owner(parent, found, os.geteuid())
            if found.st_mode & 0o077:
                parent.chmod(0o700)
            return
        found = parent.stat()
    except OSError as error:
        raise ConnectionLost(f"{parent}: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode) or parent == well_known_directory():
        raise ConnectionLost(f"{parent} is no directory")
    _check_owner(parent, found, 0, os.geteuid())
    if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
        raise ConnectionLost(f"{parent} is writable by everybody: chmod o-w it")


def _check_owner(path: Path, found: os.stat_result, *users: int) -> None:
    if found.st_uid not in users:
        raise ConnectionLost(
            f"{path} belongs to user {found.st_uid}, this process runs as {os.geteuid()}"
        )

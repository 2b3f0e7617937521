"""What tells one machine from another, and one life of it from the next.

The name is drawn once and kept in the directory that the machine has to itself (see
:func:`~pa_telephony.failover.stores.etcd_address.state_directory`), so that two machines that were
copied from one image are two as soon as their directories are.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from pa_telephony.errors import ConnectionLost
from pa_telephony.failover.stores.private import make_directory, open_private

__all__ = ["known_machine", "machine_name"]

_NAME = "machine.id"
_LONGEST = 64


def machine_name(directory: Path) -> str:
    """The name of this machine, drawn when ``directory`` has none yet.

    Raises :class:`~pa_telephony.errors.ConnectionLost` when the directory cannot be used.
    """
    path = directory / _NAME
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        make_directory(directory)
        descriptor = open_private(path)
        try:
            found = os.pread(descriptor, _LONGEST, 0).decode("ascii", "replace").strip()
        finally:
            os.close(descriptor)
        return found or _drawn(directory, path)
    except OSError as error:
        raise ConnectionLost(f"{path}: {error}") from error


def known_machine(directory: Path) -> str:
    """The name of this machine; "" when none was drawn. It makes nothing."""
    try:
        return (directory / _NAME).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _drawn(directory: Path, path: Path) -> str:
    """Draw a name; of several processes that do so at once, all have the one that came first."""
    aside = directory / f"{_NAME}.{secrets.token_hex(4)}"
    descriptor = open_private(aside)
    try:
        os.write(descriptor, f"{secrets.token_hex(8)}\n".encode())
    finally:
        os.close(descriptor)
    with contextlib.suppress(FileExistsError):
        if path.stat().st_size == 0:
            path.unlink()
        os.link(aside, path)
    aside.unlink()
    return path.read_text("ascii").strip()

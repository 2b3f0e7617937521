"""The directory beside a store's file: which servers live, which file is the store, and bells.

``cluster.db.locks`` holds for each server ``NAME.lock`` and ``NAME.bell``, and once ``store.id``.

* ``NAME.lock``: the server's process keeps a write lock on it. The kernel releases the lock at
  the process's death, whatever the cause; a server that finds it free has the proof. The lock
  belongs to an open file (``F_OFD_SETLK``), may be had only by a user who may write the file, and
  is *asked after*, not tried: no reader of the file and no observer is ever in a server's way.
* ``NAME.bell``: a FIFO from which the server's watch is woken. A ring that is lost costs 0.2 s.
* ``store.id``: identity and inode of the database, and the lock under which it is opened and
  closed, so that two processes never do either at once.

It must be on a local disk. Nothing here waits, but :meth:`Locks.exclusive` with its limit.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import struct
import time
import weakref
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

from pa_telephony.errors import ConfigurationError, ConnectionLost
from pa_telephony.failover.stores.private import make_directory, open_private

__all__ = ["Locks", "Record", "Seen", "look", "process_of"]

_LOCK = ".lock"
_BELL = ".bell"
_RECORD = "store.id"
# struct flock of 64-bit Linux: type, whence, start, length (0 = all), process (OFD locks: none).
_FLOCK = struct.Struct("hhqqi4x")
# A directory's time stamp has a coarse clock: for so many seconds after a change it is read anew.
_COARSE = 0.1
# Seconds between two tries to get a lock that another process holds for a moment.
_TRY_AGAIN = 0.002


class Record(NamedTuple):
    """Which database the servers of this directory use."""

    identity: str
    device: int
    inode: int

    @classmethod
    def parse(cls, text: bytes) -> Record | None:
        """Read what :meth:`encode` wrote; None for anything else."""
        words = text.decode("ascii", "replace").split()
        if len(words) != 3 or not (words[1].isdecimal() and words[2].isdecimal()):
            return None
        return cls(words[0], int(words[1]), int(words[2]))

    def encode(self) -> bytes:
        """Write it as one line of text."""
        return f"{self.identity} {self.device} {self.inode}\n".encode()


class _Observed(NamedTuple):
    descriptor: int
    inode: int


class Locks:
    """The directory, made when it is missing, and every descriptor in it that this process has."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._name = str(path)
        self._directory = make_directory(path)
        self._held: dict[str, int] = {}
        self._proofs: dict[str, tuple[str, int, int]] = {}
        self._bells: dict[str, int] = {}
        self._observed: dict[str, _Observed] = {}
        self._listed_at = -1
        self._list_until = 0.0
        self._processes: dict[str, int] = {}
        self._poll = select.epoll()
        _all.add(self)

    def close(self) -> None:
        """Close every descriptor; a lock that is held is given up."""
        for name in tuple(self._held):
            self.release(name)
        for observed in self._observed.values():
            os.close(observed.descriptor)
        self._observed.clear()
        for name in tuple(self._processes):
            self._forget_process(name)
        self._poll.close()

    # ------------------------------------------------------------------------ own names

    def acquire(self, name: str) -> bool:
        """Take the lock of ``name``; False when another process, or another object, has it."""
        if name in self._held:
            return False
        path = self.path / f"{name}{_LOCK}"
        descriptor = open_private(path)
        try:
            if not _try_write_lock(descriptor) or not _is_at(descriptor, path):
                os.close(descriptor)
                return False
            os.ftruncate(descriptor, 0)
            with contextlib.suppress(OSError):  # A full disk: the lock counts, not what it says.
                os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            with contextlib.suppress(OSError):
                os.close(descriptor)
            raise
        self._held[name] = descriptor
        found = os.fstat(descriptor)
        self._proofs[name] = str(path), found.st_dev, found.st_ino
        self._open_bell(name)
        return True

    def take(self, name: str) -> None:
        """Take the lock of ``name``; ConfigurationError says which process has it."""
        if not self.acquire(name):
            raise ConfigurationError(
                f"{name} runs already, as process {self.owner(name)}",
                file=str(self.path),
                field="server_name",
            )

    def release(self, name: str) -> None:
        """Give up the lock of ``name``, which is the proof of its death to all others."""
        self._proofs.pop(name, None)
        descriptor = self._held.pop(name, None)
        if descriptor is not None:
            os.close(descriptor)
        bell = self._bells.pop(name, None)
        if bell is not None:
            self._poll.unregister(bell)
            os.close(bell)

    def disown(self) -> None:
        """Close all in a child made by fork(), which must not keep its parent's locks."""
        for mine in (self._held, self._bells):
            for descriptor in mine.values():
                with contextlib.suppress(OSError):
                    os.close(descriptor)
            mine.clear()
        self._proofs.clear()

    @property
    def held(self) -> tuple[str, ...]:
        """The names that this object holds."""
        return tuple(self._held)

    def owner(self, name: str) -> str:
        """The number of the process that is ``name``, as it wrote it down; for messages only."""
        return _read_process(self.path / f"{name}{_LOCK}") or "unknown"

    def lost(self) -> str:
        """Why the locks held here prove nothing any more; "" while they do."""
        try:
            there = os.lstat(self._name)
        except FileNotFoundError:
            return f"{self.path} was removed"
        if (there.st_dev, there.st_ino) != self._directory:
            return f"{self.path} was replaced"
        for path, device, inode in self._proofs.values():
            try:
                there = os.lstat(path)
            except FileNotFoundError:
                return f"{path} was removed"
            if (there.st_dev, there.st_ino) != (device, inode):
                return f"{path} was replaced"
        return ""

    # --------------------------------------------------------------------- other names

    def dead(self) -> frozenset[str]:
        """The names that have a lock file and no process."""
        return self.proofs()[0]

    def proofs(self) -> tuple[frozenset[str], frozenset[str]]:
        """The names that have a lock file and no process, and those that have one."""
        self._list()
        dead = frozenset(
            name
            for name, observed in self._observed.items()
            if name not in self._held and not _is_write_locked(observed.descriptor)
        )
        return dead, frozenset(self._observed.keys() | self._held.keys()) - dead

    def others(self) -> tuple[str, ...]:
        """The names that living processes, or other objects of this one, hold."""
        return tuple(sorted(self.proofs()[1] - self._held.keys()))

    def _list(self) -> None:
        stamp = os.stat(self._name).st_mtime_ns
        now = time.monotonic()
        if stamp != self._listed_at:
            self._listed_at, self._list_until = stamp, now + _COARSE
        elif now > self._list_until:
            return
        found = {
            entry.name.removesuffix(_LOCK): entry.inode()
            for entry in os.scandir(self.path)
            if entry.name.endswith(_LOCK)
        }
        for name, observed in tuple(self._observed.items()):
            if found.get(name) != observed.inode:
                os.close(self._observed.pop(name).descriptor)
        for name in found.keys() - self._observed.keys():
            with contextlib.suppress(FileNotFoundError):
                descriptor = open_private(self.path / f"{name}{_LOCK}", create=False)
                self._observed[name] = _Observed(descriptor, os.fstat(descriptor).st_ino)

    # ---------------------------------------------------------------------------- bells

    def waits_on(self, dead: frozenset[str]) -> int:
        """A descriptor that is readable when a bell has rung or a process has ended."""
        for name in self._processes.keys() & dead:
            self._forget_process(name)
        for name in self._observed.keys() - dead - self._held.keys() - self._processes.keys():
            self._follow_process(name)
        return self._poll.fileno()

    @property
    def has_bell(self) -> bool:
        """Whether others can wake this object's watch."""
        return bool(self._bells)

    def silence(self) -> None:
        """Clear the rings and deaths up to now, so that only later ones wake."""
        rung = {descriptor for descriptor, _ in self._poll.poll(0)}
        for bell in self._bells.values():
            if bell in rung:
                with contextlib.suppress(BlockingIOError):
                    os.read(bell, 4096)
        for name, process in tuple(self._processes.items()):
            # Once: if its lock stays held, another process has it, or its number was not ours.
            if process in rung:
                os.close(process)
                self._processes[name] = -1

    def ring(self) -> None:
        """Wake the watches of all servers, this process's own too; absent ones miss nothing."""
        self._list()
        for name in self._observed.keys() | self._held.keys():
            bell = self._bells.get(name)
            if bell is not None:
                _press(bell)
                continue
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
            with contextlib.suppress(OSError):
                descriptor = os.open(self.path / f"{name}{_BELL}", flags)
                _press(descriptor)
                os.close(descriptor)

    def _open_bell(self, name: str) -> None:
        path = self.path / f"{name}{_BELL}"
        flags = os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
            os.mkfifo(path, 0o600)
            bell = self._bells[name] = os.open(path, flags)
            self._poll.register(bell, select.EPOLLIN)

    def _follow_process(self, name: str) -> None:
        """Wake when the process of ``name`` ends; whether it is dead is for its lock to say."""
        process = _read_process(self.path / f"{name}{_LOCK}")
        self._processes[name] = -1
        if process.isdecimal():
            with contextlib.suppress(OSError):
                descriptor = self._processes[name] = os.pidfd_open(int(process))
                self._poll.register(descriptor, select.EPOLLIN)

    def _forget_process(self, name: str) -> None:
        descriptor = self._processes.pop(name)
        if descriptor >= 0:
            os.close(descriptor)

    # --------------------------------------------------------------------- the database

    @contextlib.contextmanager
    def exclusive(self, seconds: float) -> Generator[int]:
        """Let no other process open or close the database meanwhile; gives the record's descriptor.

        Raises :class:`~pa_telephony.errors.ConnectionLost` when another process does so for longer
        than ``seconds``.
        """
        until = time.monotonic() + seconds
        path = self.path / _RECORD
        while True:
            descriptor = open_private(path)
            try:
                if _try_write_lock(descriptor) and _is_at(descriptor, path):
                    yield descriptor
                    return
            finally:
                os.close(descriptor)
            if time.monotonic() > until:
                raise ConnectionLost(f"{path} is locked by another process")
            time.sleep(_TRY_AGAIN)

    def read_record(self, descriptor: int) -> Record | None:
        """Read which database is the store; None when that is not recorded yet."""
        return Record.parse(os.pread(descriptor, 200, 0))

    def write_record(self, descriptor: int, record: Record) -> None:
        """Make ``record`` the store of this directory."""
        os.pwrite(descriptor, record.encode(), 0)
        os.ftruncate(descriptor, len(record.encode()))


class Seen(NamedTuple):
    """What a mere reader finds in the directory."""

    dead: frozenset[str]
    running: frozenset[str]
    record: Record | None


def look(path: Path) -> Seen:
    """The servers that live, those that do not, and which file is the store; makes nothing."""
    dead: set[str] = set()
    running: set[str] = set()
    record: Record | None = None
    names: list[str] = []
    with contextlib.suppress(FileNotFoundError):
        names = os.listdir(path)
    for name in names:
        if name != _RECORD and not name.endswith(_LOCK):
            continue
        try:
            descriptor = open_private(path / name, create=False)
        except FileNotFoundError:
            continue  # Removed since it was listed; the others are still looked at.
        try:
            if name == _RECORD:
                record = Record.parse(os.pread(descriptor, 200, 0))
            else:
                (running if _is_write_locked(descriptor) else dead).add(name.removesuffix(_LOCK))
        finally:
            os.close(descriptor)
    return Seen(frozenset(dead), frozenset(running), record)


def process_of(path: Path, name: str) -> int | None:
    """The number of the process that holds the lock of ``name``; None when none does."""
    try:
        descriptor = open_private(path / f"{name}{_LOCK}", create=False)
    except (OSError, ConnectionLost):
        return None
    try:
        text = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
        return int(text) if text.isdecimal() and _is_write_locked(descriptor) else None
    finally:
        os.close(descriptor)


def _request(kind: int) -> bytes:
    return _FLOCK.pack(kind, os.SEEK_SET, 0, 0, 0)


def _try_write_lock(descriptor: int) -> bool:
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _request(fcntl.F_WRLCK))
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _is_write_locked(descriptor: int) -> bool:
    # Ask for a lock for reading: only a lock for writing is in its way.
    answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _request(fcntl.F_RDLCK))
    return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        there = os.lstat(path)
    except FileNotFoundError:
        return False
    here = os.fstat(descriptor)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _read_process(path: Path) -> str:
    try:
        descriptor = open_private(path, create=False)
    except (OSError, ConnectionLost):
        return ""
    try:
        return os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
    finally:
        os.close(descriptor)


def _press(bell: int) -> None:
    with contextlib.suppress(OSError):  # full: the bell rings anyway
        os.write(bell, b"\0")


_all: weakref.WeakSet[Locks] = weakref.WeakSet()


def _in_child() -> None:
    for locks in _all:
        locks.disown()


os.register_at_fork(after_in_child=_in_child)

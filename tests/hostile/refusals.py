"""A system that refuses things: descriptors, sockets, files, modules, room on the disk, memory.

:class:`Refusals` asks its judge each time that the program wants one of them, and what the judge
refuses fails as the system would have it fail. Only while it is armed: before the start and after
the end, and for tasks that are none of the server's, nothing is refused (:meth:`arm`,
:meth:`guard`). Used by starved.py and by fuzz/fuzz_refused.py.
"""

from __future__ import annotations

import _socket
import contextlib
import errno
import inspect
import os
import socket
import stat
import sys
from collections.abc import Callable, Generator
from types import FrameType
from typing import Any

import trio

__all__ = ["MEMORY", "SYSTEM", "WRITING", "Refusals"]

SYSTEM = frozenset(
    {"open", "socket.__new__", "socket.bind", "socket.accept", "import", "os.listdir", "os.scandir"}
)
"""What needs a descriptor, or a module: refused with EMFILE."""
WRITING = "os.write"
"""A file's next bytes: refused with ENOSPC. Sockets take theirs."""
MEMORY = "memory"
"""The frame of one of our functions: refused with MemoryError."""
RESUMED = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
"""What has its frame already when it goes on."""

Judge = Callable[[str, str], bool]
"""Of a kind and what exactly is wanted: whether it is refused."""


class Refusals(trio.abc.Instrument):
    """Hooks in the interpreter, which stay for good, and ask while they are armed.

    Give it to ``trio.run`` as an instrument when memory is to be refused, or :meth:`guard` is used.
    """

    def __init__(self, judge: Judge, kinds: frozenset[str], *, one_at_a_time: bool = True) -> None:
        """``one_at_a_time``: no memory is refused while another trouble is dealt with."""
        self.armed = False
        self._one_at_a_time = one_at_a_time
        self._judge = judge
        self._kinds = kinds
        self._scope: trio.lowlevel.Task | None = None
        self._ours: dict[trio.lowlevel.Task, bool] = {}
        self._accepted = False
        """Whether the next socket is one that was accepted: its descriptor is there."""

    @contextlib.contextmanager
    def installed(self) -> Generator[None]:
        """Hook what can be hooked, until the block is left."""
        real_write = os.write

        def write(descriptor: int, data: Any, /) -> int:
            if self._is_refused(WRITING, "", lambda: is_file(descriptor)):
                raise OSError(errno.ENOSPC, "refused by the test")
            return real_write(descriptor, data)

        def accept(listener: Any) -> Any:
            if self._is_refused("socket.accept", ""):
                raise OSError(errno.EMFILE, "refused by the test")
            found = _socket.socket._accept(listener)  # type: ignore[attr-defined]
            self._accepted = True
            return found

        hooked.append(self)
        if len(hooked) == 1 and not installed:
            installed.append(True)
            sys.addaudithook(_audit)
        os.write = write  # type: ignore[assignment]
        socket.socket._accept = accept  # type: ignore[attr-defined]
        try:
            yield
        finally:
            self.disarm()
            hooked.remove(self)
            os.write = real_write
            del socket.socket._accept  # type: ignore[attr-defined]

    def arm(self) -> None:
        """From now on things are refused."""
        self.armed = True

    def disarm(self) -> None:
        """Nothing is refused any more."""
        self.armed = False
        if MEMORY in self._kinds:
            sys.setprofile(None)

    def guard(self, task: trio.lowlevel.Task) -> None:
        """Refuse only what this task and its children want, and only while one of them runs."""
        self._scope = task
        self._ours.clear()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Trio's: a profile function that has raised is switched off, so it is set anew."""
        if self.armed and MEMORY in self._kinds and self._is_ours(task):
            sys.setprofile(self._starve)

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        """Trio's: what is not ours has all the memory that it wants."""
        if MEMORY in self._kinds:
            sys.setprofile(None)

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        """Trio's."""
        self._ours.pop(task, None)

    def audited(self, event: str, arguments: tuple[Any, ...]) -> None:
        """What it raises is what the operation raises."""
        if event not in self._kinds or event not in SYSTEM:
            return
        if event == "socket.__new__" and self._accepted:
            self._accepted = False
            return
        what = "" if event.startswith("socket.__") else repr(arguments[:1])
        if event == "socket.bind":
            what = repr(arguments[1])
        if self._is_refused(event, what):
            raise OSError(errno.EMFILE, "refused by the test")

    def _is_refused(
        self, kind: str, what: str, concerned: Callable[[], bool] = lambda: True
    ) -> bool:
        if (
            not self.armed
            or kind not in self._kinds
            or not concerned()
            or not self._is_their_turn()
        ):
            return False
        return self._judge(kind, what)

    def _is_their_turn(self) -> bool:
        if self._scope is None:
            return True
        try:
            return self._is_ours(trio.lowlevel.current_task())
        except RuntimeError:
            # Another thread, or between the tasks.
            return False

    def _is_ours(self, task: trio.lowlevel.Task) -> bool:
        if self._scope is None or task is self._scope:
            return True
        if task not in self._ours:
            nursery = task.parent_nursery
            self._ours[task] = nursery is not None and self._is_ours(nursery.parent_task)
        return self._ours[task]

    def _starve(self, frame: FrameType, event: str, argument: object) -> None:
        """Profile function: as if there were no memory for the frame of a function."""
        if event != "call" or not self.armed:
            return
        code = frame.f_code
        if "/pa_telephony/" not in code.co_filename or code.co_flags & RESUMED:
            return
        if self._one_at_a_time and sys.exc_info()[0] is not None:
            return
        where = code.co_filename.rpartition("pa_telephony/")[2]
        if self._judge(MEMORY, f"{where} {code.co_qualname}"):
            raise MemoryError(f"refused by the test in {code.co_qualname}")


hooked: list[Refusals] = []
"""Those that are asked. An audit hook cannot be taken back."""
installed: list[bool] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    for each in hooked:
        each.audited(event, arguments)


def is_file(descriptor: int) -> bool:
    """Whether it is a file on a disk."""
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False

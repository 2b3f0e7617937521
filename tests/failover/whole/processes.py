"""Processes in one trio run: stopped as by SIGSTOP, killed as by SIGKILL, each with its clock.

Every task knows by a context variable whose it is. A task of a stopped process that would be
scheduled is put aside until the process goes on: like a real one it notices nothing, its timers
have all run out by then, and its clock has gone on.
"""

from __future__ import annotations

import contextvars
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from whole.network import Network

__all__ = ["Process", "Processes"]

_PROCESS: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)


class Process:
    """Some tasks with an address, a clock that may go wrong, and one end."""

    def __init__(self, processes: Processes, name: str, address: str, drift: float) -> None:
        self.name, self.address = name, address
        self.alive = True
        self.stopped = False
        self.ended = trio.Event()
        self._drift = 1.0 + drift
        self._processes = processes
        self._scope = trio.CancelScope()
        self._aside: list[trio.lowlevel.Task] = []

    def __repr__(self) -> str:
        return f"<Process {self.name}>"

    @property
    def runs(self) -> bool:
        """Whether it is alive and not stopped."""
        return self.alive and not self.stopped

    def clock(self) -> float:
        """Its seconds, which also count while it is stopped."""
        return 1000.0 + trio.current_time() * self._drift

    def stop(self) -> None:
        """Stop the process, as SIGSTOP does."""
        self.stopped = True

    def go_on(self) -> None:
        """SIGCONT: everything that has become ready meanwhile runs now."""
        self.stopped = False
        aside, self._aside = self._aside, []
        for task in aside:
            _ready().append(task)

    def kill(self, *, silently: bool = False) -> None:
        """SIGKILL; ``silently``: its machine loses power, and nobody hears of it.

        Its tasks are cancelled, but nothing they do any more can be heard outside.
        """
        self.alive = False
        self._processes.network.drop(self, silently=silently)
        self._scope.cancel()
        self.go_on()

    def put_aside(self, task: trio.lowlevel.Task) -> None:
        """Keep a task that would run until the process goes on."""
        self._aside.append(task)

    async def run(
        self, body: Callable[[Process], Awaitable[Any]], failed: Callable[[str], None]
    ) -> None:
        """Be the process; ``body`` is its program. ``failed`` hears what it raises while alive."""
        _PROCESS.set(self)
        try:
            with self._scope:
                await body(self)
        except Exception as error:  # noqa: BLE001 - a process's exit is the judge's business
            if self.alive:
                failed(f"{self.name} ends: {error!r}")
        finally:
            self.alive = False
            self._processes.network.drop(self)
            self.ended.set()


class Processes(trio.abc.Instrument):
    """All of them. To be entered as an instrument of the trio run, before anything starts."""

    def __init__(self) -> None:
        self.network: Network

    @staticmethod
    def current() -> Process:
        """The process whose task runs."""
        found = _PROCESS.get()
        assert found is not None, "a socket outside of any process"
        return found

    def task_scheduled(self, task: trio.lowlevel.Task) -> None:
        """A task is about to run, unless its process is stopped."""
        process = task.context.get(_PROCESS)
        if process is not None and process.stopped:
            assert _ready().pop() is task
            process.put_aside(task)


def _ready() -> Any:
    """Tasks that run next. trio has no public name for them; this is its queue since 0.5."""
    return trio._core._run.GLOBAL_RUN_CONTEXT.runner.runq  # type: ignore[attr-defined]

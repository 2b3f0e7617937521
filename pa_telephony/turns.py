"""Turns of connections that are served by one thread: trio's side of :mod:`.fairness`.

Where nobody floods, nobody waits: to begin a turn is two comparisons. Once a round's time is spent,
who wants a turn waits until a system task, there while somebody waits, begins the next round: each
time that everybody else who was ready has run.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from pa_telephony.fairness import Account, Fairness, FairnessConfig

__all__ = ["Turn", "Turns"]


class Turns:
    """The turns of all connections of a process, or of one server. ``clock`` gives seconds."""

    def __init__(
        self, config: FairnessConfig | None = None, clock: Callable[[], float] | None = None
    ) -> None:
        self.fairness = Fairness(config)
        self.clock = clock or trio.current_time
        self._rounds = False

    def turn(self) -> Turn:
        """The turns of one connection, a stranger's so far."""
        return Turn(self, self.fairness.account(self.clock()))

    async def wait(self, account: Account) -> None:
        """Wait for a turn; cancelled, the place in the line is given up."""
        task = trio.lowlevel.current_task()

        def abort(_: object) -> trio.lowlevel.Abort:
            self.fairness.leave(task)
            return trio.lowlevel.Abort.SUCCEEDED

        while True:
            self.fairness.wait(account, task)
            if not self._rounds:
                self._rounds = True
                trio.lowlevel.spawn_system_task(self._begin_rounds)
            await trio.lowlevel.wait_task_rescheduled(abort)
            if self.fairness.may_go_on(account):
                return

    async def _begin_rounds(self) -> None:
        try:
            while self.fairness.somebody_waits:
                for task in self.fairness.next_round():
                    assert isinstance(task, trio.lowlevel.Task)
                    trio.lowlevel.reschedule(task)
                await trio.lowlevel.checkpoint()
        finally:
            self._rounds = False


class Turn:
    """The turns of one connection: between :meth:`begin` and :meth:`end` nothing is awaited."""

    def __init__(self, turns: Turns, account: Account) -> None:
        self._turns = turns
        self._account = account
        self._began = 0.0

    def known(self) -> None:
        """Whoever is there has registered or logged in."""
        self._turns.fairness.known(self._account)

    async def begin(self, *, last: bool = False) -> None:
        """Wait for a turn; the ``last`` one is that of a connection that is gone."""
        if last:
            self._turns.fairness.last(self._account)
        self._began = self._turns.clock()
        if not self._turns.fairness.may_go(self._account, self._began):
            await self._turns.wait(self._account)
            self._began = self._turns.clock()

    def is_over(self) -> bool:
        """Whether it has taken as long as one may."""
        return self._turns.clock() - self._began >= self._turns.fairness.config.turn

    def end(self) -> None:
        """Everything is done, or what is left waits for the next turn."""
        self._turns.fairness.done(self._account, self._began, self._turns.clock())
